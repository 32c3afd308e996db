"""What is wrong in the files: each problem points to its line and says what was expected."""

from collections.abc import Iterable, Sequence
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
    """One thing to put right. No value of a secret or of an address stands in it."""

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
