"""Pure: what a short message can carry (GSM 03.38 default alphabet), counted by smsutil."""

import unicodedata

import smsutil

ONE_PART = 160
_ALPHABET = frozenset(smsutil.codecs.GSM_CHARSET) - frozenset("\x1b\r\n\f")
_LETTERS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        "…": "...",
        "·": ".",
        "•": "-",
        "œ": "oe",
        "Œ": "OE",
        "đ": "d",
        "ł": "l",
        "ı": "i",
        "→": ">",
        "°": " deg",
    }
)


def fold(text: str) -> str:
    """Bring text into GSM-7 on one line: accents that it lacks fall, what it cannot say becomes "?"."""
    letters = (_fold_letter(letter) for letter in text.translate(_LETTERS))
    return " ".join("".join(letters).split())


def _fold_letter(letter: str) -> str:
    if letter in _ALPHABET:
        return letter
    if letter.isspace() or unicodedata.category(letter) in {"Cc", "Cf"}:
        return " "
    plain = "".join(base for base in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(base))
    return plain if plain and _ALPHABET.issuperset(plain) else "?"


def lossy(text: str) -> bool:
    """Whether folding would put "?" for a letter: then a name is no longer that name."""
    return fold(text).count("?") > text.count("?")


def units(text: str) -> int:
    """Count the UTF-16 units of a text that needs UCS-2; 70 make one part, 67 each of several."""
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def septets(text: str) -> int:
    """Count the septets of folded text; the extension characters take two."""
    return int(smsutil.split(text).total_bytes) if text else 0


def clip(text: str, most: int) -> str:
    """Bound folded text to so many septets; ".." shows that something is missing."""
    if septets(text) <= most:
        return text
    kept = text[: max(0, most - 2)]
    while kept and septets(kept) > most - 2:
        kept = kept[:-1]
    return kept.rstrip() + ".."


def one_part(text: str) -> bool:
    """Whether the text is GSM-7 and fits one short message."""
    parts = smsutil.split(text)
    return parts.encoding == "gsm0338" and len(parts.parts) == 1 and parts.total_bytes <= ONE_PART
