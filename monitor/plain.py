"""Words of devices and people, made harmless where they are read: terminals, logs, spreadsheets."""

import unicodedata


def visible(text: str) -> str:
    """Replace what could steer a terminal, or turn its text around, by symbols; line feeds and tabs stay."""
    return "".join(char if char in "\n\t" else _symbol(char) for char in text)


def one_line(text: str) -> str:
    """Replace line feeds and tabs too: whoever made the text cannot begin a line of the log."""
    return "".join(_symbol(char) for char in text)


def _symbol(char: str) -> str:
    if ord(char) < 0x20:
        return chr(0x2400 + ord(char))
    if ord(char) == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} else char


def cell(text: str) -> str:
    """Disarm what a spreadsheet would run as a formula, by a leading apostrophe; control characters become blanks."""
    flat = "".join(" " if ord(letter) < 32 or ord(letter) == 127 else letter for letter in text)
    return f"'{flat}" if flat.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) else flat


def armed(text: str) -> str:
    """Undo the apostrophe of `cell`."""
    return text[1:] if text[:1] == "'" and cell(text[1:]) == text else text
