"""`lambi store`: the time series on the disk."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TextIO

import typer

from monitor.cli import files, options
from monitor.cli.say import EXIT_USAGE, EXIT_WRONG, EXITS, CommandError, complain, out, out_json
from monitor.instance import Instance, TakenError
from monitor.store import desk
from monitor.store.archive import ArchiveError
from monitor.store.desk import CsvError
from monitor.store.steps import HistoryError
from probes.clock import SystemClock

app = typer.Typer(
    help="Count, check, compact, export and import what was measured.", no_args_is_help=True, epilog=EXITS
)

Day = Annotated[str | None, typer.Option(metavar="TIME", help="2026-11-23 or 2026-11-23T12:00 (UTC).")]
File = Annotated[Path, typer.Argument(metavar="FILE.csv", help="A CSV file; - is stdout or stdin.")]


@app.command(epilog=EXITS)
def stats(*, config: options.Folder = None, json: options.Json = False) -> None:
    """Say what the store holds, and on how much disk. Reads the files; the daemon may run.

    Example:  lambi store stats
    """
    told = desk.stats(_folder(config))
    if json:
        out_json(told)
        return
    days, size = told["days"], told["bytes"]
    out(f"{told['folder']}: {told['looks']:,} looks of {told['series']:,} series, {told['first']} to {told['last']}")
    out(f"SQLite   {days['sqlite']:5} days {size['sqlite']:15,} bytes")
    out(f"Parquet  {days['archived']:5} days {size['archived']:15,} bytes")
    out(f"rollups  {days['rollups']:5} days {size['rollups']:15,} bytes")
    if not told["archive"]:
        out("the extra `archive` (pyarrow) is not installed: every day stays a SQLite file")


@app.command(epilog=EXITS)
def check(*, config: options.Folder = None, json: options.Json = False) -> None:
    """Read every file whole: SQLite's own check, rollups against looks, checksums of the archive.

    Exit 1 when one is bad. The daemon may run. Example:  lambi store check
    """
    with _progress() as progress:
        problems = desk.check(_folder(config), progress)
    if json:
        out_json({"ok": not problems, "problems": problems})
    else:
        out("\n".join(problems) or "every file is whole")
    if problems:
        raise typer.Exit(EXIT_WRONG)


@app.command(epilog=EXITS)
def compact(*, config: options.Folder = None, json: options.Json = False) -> None:
    """Archive every day but the newest three as Parquet, now. A daemon that runs does so by itself.

    Example:  lambi store compact
    """
    settings = files.settings(config)
    try:
        with Instance(settings.state), _progress() as progress:
            done = desk.compact(settings.state / "series", progress)
    except (TakenError, ArchiveError, OSError, sqlite3.Error) as error:
        raise CommandError(str(error), EXIT_WRONG) from error
    if json:
        out_json({"archived": [day.isoformat() for day in done]})
    else:
        out(f"{len(done)} days archived")


@app.command(epilog=EXITS)
def export(
    file: File, *, since: Day = None, until: Day = None, config: options.Folder = None, json: options.Json = False
) -> None:
    """Write every look of a period as CSV, a line for each part. Without --since: of the last 24 hours.

    Values are in the unit that ends their name; a text stands in ''. The daemon may run.

    Examples:  lambi store export looks.csv --since 2026-11-01 --until 2026-11-02   |   lambi store export -
    """
    folder = _folder(config)
    end = _time(until, "--until") if until else SystemClock().now()
    begin = _time(since, "--since") if since else end - timedelta(days=1)
    try:
        with _progress() as progress, _written(file) as opened:
            count = desk.export(desk.rows(folder, begin, end, progress), desk.keys(folder, begin, end), opened)
    except (ArchiveError, OSError, sqlite3.Error) as error:
        raise CommandError(f"{file}: {error}", EXIT_WRONG) from error
    if json and str(file) != "-":
        out_json({"looks": count})
    else:
        complain(f"{count:,} looks exported")


@app.command(name="import", epilog=EXITS)
def import_(file: File, *, config: options.Folder = None, json: options.Json = False) -> None:
    """Add the looks of a CSV file that `lambi store export` has written. A look that is there already is replaced.

    The daemon must not run. Example:  lambi store import looks.csv
    """
    from monitor.measuring import COLUMNS  # noqa: PLC0415 - the probes cost 0.2 s, that only an import needs

    settings = files.settings(config)
    try:
        with Instance(settings.state), _progress() as progress, file.open(encoding="utf-8", newline="") as lines:
            count = desk.import_(settings.state / "series", COLUMNS, lines, file.stat().st_size, progress)
    except CsvError as error:
        raise CommandError(f"{file}: {error}", EXIT_USAGE) from error
    except (TakenError, ArchiveError, OSError, sqlite3.Error, UnicodeDecodeError) as error:
        raise CommandError(f"{file}: {error}", EXIT_WRONG) from error
    if json:
        out_json({"looks": count})
    else:
        out(f"{count:,} looks imported")


@app.command(epilog=EXITS)
def backfill(
    what: Annotated[str, typer.Argument(metavar="influx", help="Where to: influx.")],
    *,
    since: Day = None,
    until: Day = None,
    config: options.Folder = None,
    json: options.Json = False,
) -> None:
    """Send the looks of a period to the InfluxDB of `store.influx`, also archived ones; without --since: all.

    The daemon may run: what is there already is replaced by the same. It sends what is new by itself.

    Example:  lambi store backfill influx --since 2026-01-01
    """
    import asyncio  # noqa: PLC0415 - these cost 0.5 s and only this command needs them

    from monitor.store.influx.backfill import backfill as send  # noqa: PLC0415 - influxdb-client costs 0.4 s

    settings = files.settings(config)
    if what != "influx" or settings.influx is None:
        raise CommandError("there is no such place: store.influx says where an InfluxDB is", EXIT_USAGE)
    folder = settings.state / "series"
    begin = _time(since, "--since") if since else datetime.min.replace(tzinfo=UTC)
    end = _time(until, "--until") if until else datetime.max.replace(tzinfo=UTC)
    try:
        with _progress() as progress:
            count = asyncio.run(send(folder, settings.influx, (begin, end), progress))
    except (HistoryError, ArchiveError, OSError, sqlite3.Error) as error:
        raise CommandError(str(error), EXIT_WRONG) from error
    if json:
        out_json({"looks": count})
    else:
        out(f"{count:,} looks sent")


def _folder(config: Path | None) -> Path:
    return files.settings(config).state / "series"


def _time(text: str, option: str) -> datetime:
    """Read a day or a moment, in UTC where no zone stands there."""
    with suppress(ValueError):
        at = datetime.fromisoformat(text)
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    raise CommandError(f"{option}: a time like 2026-11-23 or 2026-11-23T12:00 is expected, not {text!r}", EXIT_USAGE)


@contextmanager
def _written(file: Path) -> Iterator[TextIO]:
    if str(file) == "-":
        yield sys.stdout
        return
    with file.open("w", encoding="utf-8", newline="") as opened:
        yield opened


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on stderr where that is a terminal."""
    from rich.console import Console  # noqa: PLC0415 - rich costs 0.1 s
    from rich.progress import Progress  # noqa: PLC0415 - rich's bars cost 0.1 s more

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)
