"""Reading the series back, from any thread, across day files."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from monitor.store.files import open_to_read
from monitor.store.rows import OUTCOMES, Row, midnight, offset, parts_of
from monitor.store.schema import Scales, column, newest, scales_of, sources
from probes.model import Value

LOOSE = ("series", "at", "key", "value")

Loose = dict[tuple[int, int], dict[str, Value]]
"""(Series, microsecond) -> what has no column."""


def latest(path: Path, day: date) -> list[Row]:
    """Return each series' last look of one day."""
    with open_to_read(path) as db:
        if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'latest'").fetchone():  # of an earlier version
            return list(_Reader(db, day, _From("", "latest CROSS JOIN {} USING (series, at)")).each())
        return list(_Latest(db, day).each())


def between(path: Path, day: date, name: tuple[str, str], since: datetime, until: datetime) -> list[Row]:
    """Return the looks at (check, part) of one day with since <= at < until, oldest first."""
    window = (offset(since, day), offset(until, day))
    with open_to_read(path) as db:
        ids = db.execute('SELECT id FROM series WHERE "check" = ? AND part = ?', name).fetchall()
        one = _From("WHERE at >= ?1 AND at < ?2 AND series = ?3")
        found = [list(_Reader(db, day, one, (*window, id_)).each(id_)) for (id_,) in ids]
    return found[0] if len(found) == 1 else sorted(chain(*found), key=lambda row: (row.at, row.vantage))


def each(path: Path, day: date, since: datetime, until: datetime) -> Iterator[Row]:
    """Yield the looks of one day with since <= at < until, by series and time."""
    window = (offset(since, day), offset(until, day))
    with open_to_read(path) as db:
        yield from _Reader(db, day, _From("WHERE at >= ?1 AND at < ?2", order="ORDER BY 1, 2"), window).each()


def stretch(db: sqlite3.Connection, day: date, low: int, high: int) -> Iterator[Row]:
    """Yield the looks of a few seconds of a day file (microseconds of the day): a seek for each series, no scan."""
    sought = "(SELECT id AS known FROM series) CROSS JOIN {} ON series = known AND at >= ?1 AND at < ?2"
    return _Reader(db, day, _From("WHERE at >= ?1 AND at < ?2", sought), (low, high)).each()


@dataclass(frozen=True, slots=True)
class _From:
    """Which rows of a table are taken."""

    where: str
    sought: str = "{} {where}"
    """How they are found in a large table."""
    order: str = ""

    def query(self, columns: Iterable[str], names: Sequence[str]) -> str:
        """Select columns from a table and, if there is one, its tail."""
        large, *small = names
        sources = [self.sought.format(large, where=self.where), *(f"{name} {self.where}" for name in small)]
        wanted = ", ".join(columns)
        return f"{' UNION ALL '.join(f'SELECT {wanted} FROM {source}' for source in sources)} {self.order}"  # noqa: S608 - every name is ours, quoted


def _in_unit(key: str, scale: float | None) -> str:
    """Return the expression that undoes `rows.pack`, as `rows.unpack` does."""
    if scale is None or scale == 1:
        return column(key)
    parts = parts_of(scale)
    return f"{column(key)} / {parts!r}" if parts >= 1 else f"{column(key)} * {scale!r}"


class _Reader:
    """Reads rows from every kind's tables of one day."""

    def __init__(self, db: sqlite3.Connection, day: date, source: _From, arguments: tuple[int, ...] = ()) -> None:
        self._db = db
        self._start = midnight(day)
        self._source = source
        self._arguments = arguments

    def each(self, only: int | None = None) -> Iterator[Row]:
        """Yield them all, or of one series."""
        scales = scales_of(self._db)
        names: dict[str, dict[int, tuple[str, str, str]]] = {}
        query = 'SELECT id, kind, "check", part, vantage FROM series WHERE id = coalesce(?, id)'
        for id_, kind, *name in self._db.execute(query, (only,)):
            names.setdefault(kind, {})[id_] = tuple(name)
        loose = self._loose(list(names))
        for kind, known in names.items():
            yield from self._of(kind, scales.get(kind, {}), known, loose)

    def _of(self, kind: str, scales: Scales, names: Mapping[int, tuple[str, str, str]], loose: Loose) -> Iterator[Row]:
        columns = ("series", "at", "outcome", *(_in_unit(key, scale) for key, scale in scales.items()))
        keys, start = tuple(scales), self._start
        for series, at, outcome, *stored in self._rows(kind, columns, len(names)):
            check, part, vantage = names[series]
            values: dict[str, Value] = dict(zip(keys, stored, strict=True))
            if None in stored:
                values = {key: value for key, value in values.items() if value is not None}
            if loose:
                values.update(loose.get((series, at), {}))
            yield Row(check, part, kind, vantage, start + timedelta(0, 0, at), OUTCOMES[outcome], values)

    def _rows(self, kind: str, columns: Sequence[str], _count: int) -> Iterator[tuple[Any, ...]]:
        return self._db.execute(self._source.query(columns, sources(self._db, kind)), self._arguments)

    def _loose(self, _kinds: Sequence[str]) -> Loose:
        """Return what has no column."""
        return self._by_look(self._source.query(LOOSE, ["loose"]), self._arguments)

    def _by_look(self, query: str, arguments: tuple[int, ...] = ()) -> Loose:
        found: Loose = {}
        if self._db.execute("SELECT 1 FROM loose LIMIT 1").fetchone():
            for series, at, key, value in self._db.execute(query, arguments):
                found.setdefault((series, at), {})[key] = value
        return found


class _Latest(_Reader):
    """Reads the last look of every series, which stands by itself once it has left the tail."""

    def __init__(self, db: sqlite3.Connection, day: date) -> None:
        super().__init__(db, day, _From(""))

    def _rows(self, kind: str, columns: Sequence[str], count: int) -> Iterator[tuple[Any, ...]]:
        wanted = ", ".join(columns)
        found: dict[int, tuple[Any, ...]] = {}
        for name in sources(self._db, kind)[1:]:
            for row in self._db.execute(f"SELECT {wanted} FROM {name} ORDER BY seq DESC"):  # noqa: S608 - quoted
                found.setdefault(row[0], row)
                if len(found) == count:
                    break
        if len(found) < count:
            rows = self._db.execute(f"SELECT {wanted} FROM {newest(kind)}")  # noqa: S608 - quoted
            found = {row[0]: row for row in rows} | found
        return iter(sorted(found.values()))

    def _loose(self, kinds: Sequence[str]) -> Loose:
        tails = [name for kind in kinds for name in sources(self._db, kind)[1:]]
        times = [f"SELECT series, at FROM {newest(kind)}" for kind in kinds]  # noqa: S608 - quoted
        times += [f"SELECT series, max(at) AS at FROM {name} GROUP BY series" for name in tails]  # noqa: S608 - quoted
        last = f"({' UNION ALL '.join(times)}) CROSS JOIN {{}} USING (series, at)"
        return self._by_look(_From("", last).query(LOOSE, ["loose"])) if times else {}
