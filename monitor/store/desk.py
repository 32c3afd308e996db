"""What people do with a store by hand: count, check, compact, export, import. Each tells how far it is."""

import csv
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TextIO

from monitor.plain import armed, cell
from monitor.store import archive, catalogue, files, read
from monitor.store.archive import ArchiveError
from monitor.store.files import day_files, open_to_read
from monitor.store.fold import FIVE_MINUTES, HOUR
from monitor.store.folding import Folding
from monitor.store.keeper import Keeper
from monitor.store.rollup import FOLDERS, path_of
from monitor.store.rows import Columns, Row
from monitor.store.schema import kinds_of, sources, table
from probes.model import Observation, Outcome, Part, Target, Value

Progress = Callable[[str, int, int], None]
"""What is under way, how much of it is done, and of how much."""
HEAD = ("check", "part", "kind", "vantage", "at", "outcome")
BATCH = 2_000


class CsvError(Exception):
    """A file cannot be imported; the sentence names line and field."""


def stats(folder: Path) -> dict[str, Any]:
    """Count what the store holds."""
    hot, rollups, archived = day_files(folder), day_files(folder / FOLDERS[HOUR]), archive.days(folder)
    days = sorted({day for day, _ in hot} | set(archived))
    return {
        "folder": str(folder),
        "first": days[0].isoformat() if days else None,
        "last": days[-1].isoformat() if days else None,
        "series": len(catalogue.series(folder)),
        "days": {"sqlite": len(hot), "archived": len(archived), "rollups": len(rollups)},
        "looks": sum(_count(path) for _, path in hot) + sum(_archived(folder, day) for day in archived),
        "bytes": {
            "sqlite": _size(path for path in folder.glob("????-??-??.sqlite*")),
            "archived": _size((folder / archive.FOLDER).glob("*/*")),
            "rollups": _size(folder.glob("rollup/*/*.sqlite*")),
        },
        "archive": archive.available(),
    }


def _count(path: Path) -> int:
    try:
        with open_to_read(path) as db:
            names = [name for kind in kinds_of(db) for name in sources(db, kind)]
            return sum(db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names)  # noqa: S608 - quoted
    except sqlite3.Error:
        return 0  # `check` says what is wrong with it


def _archived(folder: Path, day: date) -> int:
    try:
        return sum(file.rows for file in archive.manifest(folder, day).files if file.kind != archive.LOOSE)
    except ArchiveError:
        return 0


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


def check(folder: Path, progress: Progress) -> list[str]:
    """Read every file whole; return a sentence for whatever is wrong."""
    hot, archived = day_files(folder), archive.days(folder)
    rollups = [found for each in FOLDERS.values() for found in day_files(folder / each)]
    total = len(hot) + len(rollups) + len(archived)
    found: list[str] = []
    done = 0
    for _, path in (*hot, *rollups):
        progress("checking", done, total)
        found += _damage(path)
        done += 1
    for day in archived:
        progress("checking", done, total)
        found += archive.wrong(folder, day)
        done += 1
    for day, path in hot:
        found += _astray(folder, day, path)
    progress("checking", total, total)
    return found


def _damage(path: Path) -> list[str]:
    try:
        with open_to_read(path) as db:
            said = [line for (line,) in db.execute("PRAGMA integrity_check(3)")]
    except sqlite3.Error as error:
        said = [str(error)]
    return [] if said == ["ok"] else [f"{path} is damaged: {said[0]}"]


def _astray(folder: Path, day: date, path: Path) -> list[str]:
    """Compare the looks of a day with what its rollups count; what is not folded yet is left out."""
    rollups = path_of(folder, FIVE_MINUTES, day)
    if not rollups.exists():
        return []
    try:
        with open_to_read(path) as looks, open_to_read(rollups) as sums:
            pending = {at for (at,) in looks.execute("SELECT at FROM pending WHERE width = ?", (FIVE_MINUTES,))}
            told = dict(sums.execute("SELECT at, sum(n) FROM looks GROUP BY at"))
            counted: dict[int, int] = {}
            for name in [name for kind in kinds_of(looks) for name in sources(looks, kind)]:
                query = f"SELECT at / 300000000 * 300 AS stretch, count(*) FROM {name} GROUP BY stretch"  # noqa: S608 - quoted
                for at, count in looks.execute(query):
                    counted[at] = counted.get(at, 0) + count
    except sqlite3.Error:
        return []  # said already
    wrong = [at for at in told.keys() | counted.keys() if at not in pending and told.get(at) != counted.get(at)]
    return (
        [f"{rollups} does not count the looks of {path}: {len(wrong)} stretches of 5 minutes differ"] if wrong else []
    )


def compact(folder: Path, progress: Progress) -> list[date]:
    """Archive every day that is no longer hot, now; return which. Raises ArchiveError, OSError, sqlite3.Error."""
    if not archive.available():
        raise ArchiveError("the extra `archive` is not installed: pip install 'lambi[archive]'")
    from monitor.store import parquet  # noqa: PLC0415 - pyarrow may be missing

    _fold_all(folder, progress)
    old = [(day, path) for day, path in day_files(folder)[: -archive.HOT_DAYS]]
    for number, (day, path) in enumerate(old):
        progress("archiving", number, len(old))
        if day not in archive.days(folder):
            parquet.write(folder, day)
        files.remove(path)
    progress("archiving", len(old), len(old))
    return [day for day, _ in old]


def _fold_all(folder: Path, progress: Progress) -> None:
    """Fold whatever is not folded yet."""
    left = 0
    said: list[str] = []
    with closing(Folding(folder, {}, said.append)) as folding:
        while folding.step((), datetime.max.replace(tzinfo=UTC)):
            left = max(left, len(folding.unfinished))
            progress("rolling up", left - len(folding.unfinished), left)
    if said:
        raise ArchiveError(said[0])


def rows(folder: Path, since: datetime, until: datetime, progress: Progress) -> Iterator[Row]:
    """Yield every look with since <= at < until, by day, series and time. Raises ArchiveError, sqlite3.Error."""
    hot = dict(day_files(folder))
    days = sorted(day for day in {*hot, *archive.days(folder)} if since.date() <= day <= until.date())
    for number, day in enumerate(days):
        progress("exporting", number, len(days))
        if day in hot:
            yield from read.each(hot[day], day, since, until)
        else:
            yield from _unpacked(folder, day, since, until)
    progress("exporting", len(days), len(days))


def _unpacked(folder: Path, day: date, since: datetime, until: datetime) -> Iterator[Row]:
    if not archive.available():
        raise ArchiveError(f"{day} is archived, and the extra `archive` is not installed: pip install 'lambi[archive]'")
    from monitor.store import parquet  # noqa: PLC0415 - pyarrow may be missing

    return parquet.read(folder, day, None, since, until)


def keys(folder: Path, since: datetime, until: datetime) -> list[str]:
    """Return the columns and other keys that looks of a period may have."""
    found: dict[str, None] = {}
    for day, path in day_files(folder):
        if since.date() <= day <= until.date():
            with open_to_read(path) as db:
                found |= dict.fromkeys(key for scales in kinds_of(db).values() for key in scales)
                found |= dict.fromkeys(key for (key,) in db.execute("SELECT DISTINCT key FROM loose"))
    for day in archive.days(folder):
        if since.date() <= day <= until.date():
            found |= dict.fromkeys(key for file in archive.manifest(folder, day).files for key in file.keys)
    return list(found)


def export(found: Iterable[Row], keys: list[str], out: TextIO) -> int:
    """Write looks as CSV, a line each; return how many."""
    writer = csv.writer(out)
    writer.writerow((*HEAD, *keys))
    count = 0
    for row in found:
        check, part, vantage = map(cell, (row.check, row.part, row.vantage))
        writer.writerow(
            (
                check,
                part,
                row.kind,
                vantage,
                row.at.isoformat(),
                row.outcome,
                *(_text(row.values[key]) if key in row.values else "" for key in keys),
            )
        )
        count += 1
    return count


def _text(value: Value) -> str:
    """A number as it is; a text in quotes of its own, so that it is read back as one."""
    return f"'{value}'" if isinstance(value, str) else repr(value)


def import_(folder: Path, columns: Columns, lines: TextIO, size: int, progress: Progress) -> int:
    """Add looks of a CSV file that `export` has written; return how many. Raises CsvError; what came before stays.

    Nothing is taken twice: a look that is there already is replaced.
    """
    keeper = Keeper(folder, columns, retention_days=36_500, rollup_days=36_500, archives=False)
    try:
        for batch in _batches(lines):
            keeper.store(batch)
            if keeper.dropped:
                raise CsvError(keeper.error)
            progress("importing", min(size, lines.tell() if lines.seekable() else 0), size)
    finally:
        keeper.close()
    _fold_all(folder, progress)
    return keeper.written


def _batches(lines: TextIO) -> Iterator[list[Observation]]:
    reader = csv.DictReader(iter(lines.readline, ""))
    if tuple(reader.fieldnames or ())[: len(HEAD)] != HEAD:
        raise CsvError(f"line 1: the columns {', '.join(HEAD)} are expected")
    batch: list[Observation] = []
    for row in reader:
        batch.append(_look(row, reader.line_num))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _look(row: Mapping[str, str | None], line: int) -> Observation:
    check, part, kind, vantage, when, outcome = (armed(row[name] or "") for name in HEAD)
    values = {key: _value(text, line, key) for key, text in row.items() if key and key not in HEAD and text}
    at = _time(when, line)
    if outcome not in set(Outcome):
        raise CsvError(f"line {line}, outcome: one of {', '.join(Outcome)} is expected, not {outcome!r}")
    if not (check and vantage):
        raise CsvError(f"line {line}: check and vantage are needed")
    try:
        table(kind)
    except ValueError as error:
        raise CsvError(f"line {line}, kind: {error}") from error
    target = Target(check.split("/")[0], "", 0)
    return Observation(check, target, kind, vantage, at, at, 0.0, {part: Part(Outcome(outcome), values=values)})


def _time(text: str, line: int) -> datetime:
    with suppress(ValueError):
        at = datetime.fromisoformat(text)
        if at.tzinfo:
            return at.astimezone(UTC)
    raise CsvError(f"line {line}, at: a time with its zone is expected, not {text!r}")


def _value(text: str, line: int, key: str) -> Value:
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1]
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError as error:
        raise CsvError(f"line {line}, {key}: a number, or a text in '', is expected, not {text!r}") from error
