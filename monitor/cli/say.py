"""How the command line speaks: facts to stdout, one sentence to stderr, a number to the shell."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from monitor.plain import visible

EXIT_WRONG = 1
EXIT_USAGE = 2
EXIT_NO_DAEMON = 3
EXIT_UNKNOWN = 4

EXITS = (
    "Exit codes: 0 all is well; 1 something is down, failed or refused; 2 the command or the config is wrong; "
    "3 no daemon answers; 4 it cannot be known from here."
)


class CommandError(Exception):
    """Ends the command: a sentence for stderr and an exit code."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def out(text: str) -> None:
    """Print to stdout what may hold words of devices and people."""
    sys.stdout.write(visible(text).encode(sys.stdout.encoding or "utf-8", "replace").decode(sys.stdout.encoding) + "\n")


def out_json(fact: Any) -> None:
    """Print one JSON document; ASCII, so no terminal is steered by it."""
    sys.stdout.write(json.dumps(fact, indent=2) + "\n")


def many(count: int, what: str) -> str:
    """Return "1 day", "3 days"."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def complain(text: str) -> None:
    """Print to stderr."""
    sys.stderr.write(visible(text) + "\n")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print columns: coloured and folded on a terminal, plain and whole in a pipe."""
    from rich import box  # noqa: PLC0415 - rich costs 0.1 s and only tables need it
    from rich.console import Console  # noqa: PLC0415 - only a table needs a console of rich's
    from rich.table import Table  # noqa: PLC0415 - a command that prints no table does without
    from rich.text import Text  # noqa: PLC0415 - cells are no markup, and only tables have cells

    lines = [[" ".join(visible(cell).split()) for cell in row] for row in rows]
    console = Console()
    if not console.is_terminal:
        for line in [list(head), *lines]:
            out("\t".join(line))
        return
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in head:
        shown.add_column(name, overflow="fold")
    for line in lines:
        shown.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in line))
    console.print(shown)


STYLES = {
    "down": "bold red",
    "critical": "bold red",
    "major": "red",
    "warning": "yellow",
    "degraded": "yellow",
    "up": "green",
    "unknown": "dim",
    "missed": "bold red",
    "met": "green",
    "opened": "red",
    "event": "cyan",
}
"""Colour says nothing that the word does not say."""
