"""What is wrong in the files: each problem points to its line and says what was expected."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file; line and column count from 1, column 0 means the whole line."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return ``file:line:column`` as far as it is known."""
        return ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)])


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right, or as a note: to know of. No value of a secret or of an address stands in it."""

    where: Where
    path: str
    """The keys that lead there: ``targets[2].address``; empty for the file."""
    message: str
    expected: str = ""

    @property
    def file(self) -> str:
        """The file, as it was named."""
        return self.where.file

    @property
    def line(self) -> int:
        """The line, from 1; 0 when it is the whole file."""
        return self.where.line

    def __str__(self) -> str:
        """Return ``lambi.yaml:41: targets[2].addres: unknown key; did you mean "address"?``."""
        what = f"{self.path}: {self.message}" if self.path else self.message
        return f"{self.where}: {what}" + (f"; expected {self.expected}" if self.expected else "")


class ConfigError(Exception):
    """The files cannot be used; ``problems`` holds every one, in the order of the files."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def did_you_mean(word: str, known: Iterable[str], *, cutoff: float = 0.65) -> str:
    """Return `` did you mean "x"?`` or, when nothing is near, a list of what is known if it is short; may be empty."""
    choices = sorted(set(known))
    near = get_close_matches(word, choices, n=1, cutoff=cutoff)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; known: {', '.join(choices)}" if 0 < len(choices) <= 16 else ""


MOST_SUGGESTED = 8


def which_territory(word: str, names: Mapping[str, str]) -> str:
    """Return a hint at the ISO code that is meant, by the territory's name or by a near code; ``names`` by code."""
    near = _by_name(word, names) or _by_code(word.upper(), names)
    said = [f'"{code}" ({names[code]})' for code in near[:MOST_SUGGESTED]]
    if not said:
        return ""
    return f"; did you mean {said[0]}?" if len(said) == 1 else f"; did you mean one of {', '.join(said)}?"


def _by_name(word: str, names: Mapping[str, str]) -> list[str]:
    """Names are found without their accents, by a part ("Trinidad"), and with a slip of the hand."""
    wanted, plain = _plain(word), {_plain(name): code for code, name in names.items()}
    if wanted in plain:
        return [plain[wanted]]
    if len(wanted) < 4:
        return []
    parts = [code for name, code in plain.items() if wanted in name]
    return parts or [plain[name] for name in get_close_matches(wanted, plain, n=1, cutoff=0.75)]


def _by_code(word: str, codes: Iterable[str]) -> list[str]:
    """The same letters, a longer code such as BRB, or else those that begin alike."""
    known = sorted(codes)
    near = get_close_matches(word, known, n=1, cutoff=0.65)
    return near or [code for code in known if len(word) == 2 and code[0] == word[0]]


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    words = "".join(letter for letter in letters if letter.isalnum() or letter.isspace()).split()
    return " ".join("saint" if word == "st" else word for word in words)
