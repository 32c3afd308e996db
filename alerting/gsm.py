"""Pure: what a short message can carry (GSM 03.38 default alphabet), counted by smsutil."""

import unicodedata
from collections.abc import Callable

import smsutil

ONE_PART = 160
UCS2_PART = 70
MOST_PARTS = 9
"""Of a text that is sent on request; their numbers have one digit."""
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


def thrifty(text: str) -> str:
    """Let accents fall that GSM-7 lacks where that saves a part; in a short text they cost none."""
    folded = fold(text)
    return text if folded != text and units(text) <= UCS2_PART else folded


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


def numbered(text: str) -> list[str]:
    """Return a text as short messages that each stand alone: one, or several that begin with "1/3 "; joined, the text.

    In GSM-7 unless a name would lose letters; they are cut between words where there are any.
    """
    short = thrifty(text)
    size, most = (units, UCS2_PART) if lossy(text) else (septets, ONE_PART)
    whole = " ".join(text.split()) if lossy(text) else fold(text)
    if size(whole) <= most:
        return [whole if lossy(text) else short]
    pieces = _cut(whole, size, most - len("1/9 "))
    kept = pieces[:MOST_PARTS]
    if len(pieces) > MOST_PARTS:
        kept[-1] = kept[-1][: -len(" ..")].rstrip() + " .."
    return [f"{n}/{len(kept)} {piece}" for n, piece in enumerate(kept, 1)]


def _cut(text: str, size: Callable[[str], int], most: int) -> list[str]:
    """Cut into pieces of at most so much; a space stays at the end of its piece."""
    pieces, piece, used = [], "", 0
    for letter in text:
        weight = size(letter)
        if used + weight > most:
            kept = piece.rfind(" ") + 1 or len(piece)
            pieces.append(piece[:kept])
            piece = piece[kept:]
            used = size(piece) if piece else 0
        piece, used = piece + letter, used + weight
    return [*pieces, piece]
