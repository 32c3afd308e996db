"""The last look of every series of a day: the newest of those that wait, else the one that stands by itself."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from monitor.store.files import open_to_read
from monitor.store.read import in_unit
from monitor.store.rows import OUTCOMES, Row, midnight
from monitor.store.schema import Identity, kinds_of, newest, sources, table
from probes.model import Value

NAME = 's."check", s.part, s.vantage'
Loose = dict[tuple[int, int], dict[str, Value]]
"""(Series, microsecond) -> what has no column."""


def latest(path: Path, day: date, known: Collection[Identity] = ()) -> dict[Identity, Row]:
    """Return the last look of one day of each series, unless all of them are ``known``; then nothing."""
    with open_to_read(path) as db:
        if known and all(name in known for name in db.execute(f"SELECT {NAME} FROM series s")):  # noqa: S608 - ours
            return {}
        kinds = kinds_of(db)
        loose = _loose(db, list(kinds))
        found: dict[Identity, Row] = {}
        for kind, scales in kinds.items():
            columns = [in_unit(key, scale) for key, scale in scales.items()]
            for row in _named(_rows(db, kind, columns), day, kind, tuple(scales), loose):
                found[row[0], row[1], row[3]] = row
        return found


def _named(
    rows: Sequence[tuple[Any, ...]], day: date, kind: str, keys: Sequence[str], loose: Mapping[tuple[int, int], Any]
) -> list[Row]:
    start, make = midnight(day), Row._make
    named: list[Row] = []
    for id_, check, part, vantage, at, outcome, *stored in rows:
        values: dict[str, Value] = dict(zip(keys, stored, strict=True))
        if None in stored:
            values = {key: value for key, value in values.items() if value is not None}
        if loose:
            values.update(loose.get((id_, at), {}))
        told = (check, part, kind, vantage, start + timedelta(0, 0, at), OUTCOMES[outcome], values)
        named.append(make(told))
    return named


def _rows(db: sqlite3.Connection, kind: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Read the last looks of a kind, by series; a tail is read from its end until each series was met."""
    wanted = ", ".join(("s.id", NAME, "t.at", "t.outcome", *columns))
    (count,) = db.execute("SELECT count(*) FROM series WHERE kind = ?", (kind,)).fetchone()
    found: dict[int, tuple[Any, ...]] = {}
    for source in _sources(db, kind):
        for row in db.execute(f"SELECT {wanted} FROM {source}"):  # noqa: S608 - every name is ours, quoted
            found.setdefault(row[0], row)
            if len(found) == count:
                return sorted(found.values())
    return sorted(found.values())


def _sources(db: sqlite3.Connection, kind: str) -> list[str]:
    join = "CROSS JOIN series s ON s.id = t.series"
    if _is_old(db):
        return [f"latest l CROSS JOIN {table(kind)} t ON t.series = l.series AND t.at = l.at {join}"]
    return [*(f"{name} t {join} ORDER BY t.seq DESC" for name in sources(db, kind)[1:]), f"{newest(kind)} t {join}"]


def _is_old(db: sqlite3.Connection) -> bool:
    """Whether an earlier version has written the file, which kept but the times of the last looks."""
    return db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'latest'").fetchone() is not None


def _loose(db: sqlite3.Connection, kinds: Sequence[str]) -> Loose:
    """Return what has no column, of the last looks and some others."""
    found: Loose = {}
    if not db.execute("SELECT 1 FROM loose LIMIT 1").fetchone():
        return found
    tails = [name for kind in kinds for name in sources(db, kind)[1:]]
    times = [f"SELECT series, at FROM {name}" for name in (["latest"] if _is_old(db) else map(newest, kinds))]  # noqa: S608 - quoted
    times += [f"SELECT series, max(at) AS at FROM {name} GROUP BY series" for name in tails]  # noqa: S608 - quoted
    last = f"({' UNION ALL '.join(times)}) CROSS JOIN loose USING (series, at)"
    for series, at, key, value in db.execute(f"SELECT series, at, key, value FROM {last}"):  # noqa: S608 - ours
        found.setdefault((series, at), {})[key] = value
    return found
