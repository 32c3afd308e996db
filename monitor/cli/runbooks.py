"""`lambi runbooks`: what people will read at three in the morning."""

from pathlib import Path
from typing import Annotated, Any

import typer

from alerting.catalogue import LANGUAGES, drafts
from alerting.runbook import Runbook
from alerting.runbooks import RunbookError, Runbooks
from monitor.cli.options import Json
from monitor.cli.say import EXIT_USAGE, EXIT_WRONG, EXITS, CommandError, out, out_json, table
from monitor.data import shipped
from monitor.topology import LABELS
from probes.clock import SystemClock

app = typer.Typer(help="Check the runbooks, or list them.", no_args_is_help=True, epilog=EXITS)

Books = Annotated[Path | None, typer.Argument(metavar="[FOLDER]", help="A folder of *.md. Default: the shipped ones.")]


@app.command(epilog=EXITS)
def check(folder: Books = None, *, json: Json = False) -> None:
    """Print every problem at once: file, line, what was expected. Exit 1 when there is one.

    A note changes no exit code: a kind of asset without a runbook, a language that is missing, a draft that no native
    speaker has read, words that nobody has reviewed for a year.

    Example:  lambi runbooks check ./my-runbooks
    """
    path = _folder(folder)
    notes: list[str] = []
    try:
        books, problems = Runbooks.load(path), []
        count, notes = sum(1 for _ in books), books.lint(LABELS, LANGUAGES, SystemClock().now().date())
    except RunbookError as error:
        count, problems = 0, error.problems
    notes += [
        f"messages in {one}: {many} texts are drafts that no native speaker has read" for one, many in drafts().items()
    ]
    if json:
        found = [{"file": str(one.file), "line": one.line, "message": one.message} for one in problems]
        out_json({"ok": not problems, "runbooks": count, "problems": found, "notes": notes})
    else:
        for note in notes:
            out(f"note: {note}")
        out("\n".join(map(str, problems)) or f"{count} runbooks in {path} are fine")
    if problems:
        raise typer.Exit(EXIT_WRONG)


@app.command(name="list", epilog=EXITS)
def list_(folder: Books = None, *, json: Json = False) -> None:
    """List them: for which kinds of assets, from which severity, the first move, when they were last reviewed."""
    try:
        facts = [_fact(book) for book in Runbooks.load(_folder(folder))]
    except RunbookError as error:
        raise CommandError(str(error), EXIT_WRONG) from error
    if json:
        out_json({"runbooks": facts})
        return
    head = ("id", "kinds", "severity", "first", "reviewed")
    rows = [[", ".join(fact["kinds"]) if key == "kinds" else fact[key] for key in head] for fact in facts]
    table(head, rows)


def _folder(folder: Path | None) -> Path:
    path = folder or shipped("runbooks")
    if not path.is_dir():
        raise CommandError(f"{path}: there is no such folder of runbooks", EXIT_USAGE)
    return path


def _fact(book: Runbook) -> dict[str, Any]:
    return {
        "id": book.id,
        "title": book.title,
        "kinds": list(book.kinds),
        "phases": list(book.phases),
        "severity": book.severity.value,
        "first": book.first,
        "steps": list(book.steps),
        "minutes": book.minutes,
        "roles": list(book.roles),
        "language": book.language,
        "translations": {one: other.pinned for one, other in book.translations.items()},
        "reviewed": book.reviewed.isoformat(),
        "hash": book.hash,
    }
