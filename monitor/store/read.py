"""Reading the series back, from any thread, across day files."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.store.day import Scales, column, kinds_of, newest, scales_of, table
from monitor.store.files import open_to_read
from monitor.store.rows import OUTCOMES, Row, midnight, offset, parts_of
from probes.model import Value


def latest(path: Path, day: date) -> list[Row]:
    """Return each series' last look of one day."""
    with open_to_read(path) as db:
        if db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'latest'").fetchone():  # of an earlier version
            return list(_Reader(db, day, _From("USING (series, at)", "latest CROSS JOIN ")).each())
        times = " UNION ALL ".join(f"SELECT series, at FROM {newest(kind)}" for kind in kinds_of(db))  # noqa: S608 - quoted
        return list(_Reader(db, day, _Latest("USING (series, at)", f"({times}) CROSS JOIN ")).each()) if times else []


def between(path: Path, day: date, name: tuple[str, str], since: datetime, until: datetime) -> list[Row]:
    """Return the looks at (check, part) of one day with since <= at < until, oldest first."""
    window = (offset(since, day), offset(until, day))
    rows: list[Row] = []
    with open_to_read(path) as db:
        for (id_,) in db.execute('SELECT id FROM series WHERE "check" = ? AND part = ?', name).fetchall():
            rows += _Reader(db, day, _From("WHERE series = ? AND at >= ? AND at < ?"), (id_, *window)).each(id_)
    return sorted(rows, key=lambda row: (row.at, row.vantage))


def each(path: Path, day: date, since: datetime, until: datetime) -> Iterator[Row]:
    """Yield the looks of one day with since <= at < until, by series and time."""
    window = (offset(since, day), offset(until, day))
    with open_to_read(path) as db:
        yield from _Reader(db, day, _From("WHERE at >= ? AND at < ?"), window).each()


def stretch(db: sqlite3.Connection, day: date, low: int, high: int) -> Iterator[Row]:
    """Yield the looks of a few seconds of a day file (microseconds of the day): a seek for each series, no scan."""
    where = _From("ON series = known AND at >= ? AND at < ?", "(SELECT id AS known FROM series) CROSS JOIN ")
    return _Reader(db, day, where, (low, high)).each()


@dataclass(frozen=True, slots=True)
class _From:
    """From where rows are taken, and which."""

    where: str
    before: str = ""

    def kind(self, kind: str) -> str:
        return f"{self.before}{table(kind)} {self.where}"

    @property
    def loose(self) -> str:
        return f"{self.before}loose {self.where}"


class _Latest(_From):
    """The last looks stand by themselves."""

    __slots__ = ()

    def kind(self, kind: str) -> str:
        return newest(kind)


def _in_unit(key: str, scale: float | None) -> str:
    """Return the expression that undoes `rows.pack`, as `rows.unpack` does."""
    if scale is None or scale == 1:
        return column(key)
    parts = parts_of(scale)
    return f"{column(key)} / {parts!r}" if parts >= 1 else f"{column(key)} * {scale!r}"


class _Reader:
    """Reads rows from every kind's table of one day."""

    def __init__(self, db: sqlite3.Connection, day: date, source: _From, arguments: tuple[int, ...] = ()) -> None:
        self._db = db
        self._start = midnight(day)
        self._source = source
        self._arguments = arguments
        self._loose: dict[tuple[int, int], dict[str, Value]] = {}
        for series, at, key, value in self._select(("series", "at", "key", "value"), source.loose):
            self._loose.setdefault((series, at), {})[key] = value

    def each(self, only: int | None = None) -> Iterator[Row]:
        """Yield them all, or of one series."""
        scales = scales_of(self._db)
        names: dict[str, dict[int, tuple[str, str, str]]] = {}
        query = 'SELECT id, kind, "check", part, vantage FROM series WHERE id = coalesce(?, id)'
        for id_, kind, *name in self._db.execute(query, (only,)):
            names.setdefault(kind, {})[id_] = tuple(name)
        for kind, known in names.items():
            yield from self._of(kind, scales.get(kind, {}), known)

    def _of(self, kind: str, scales: Scales, names: Mapping[int, tuple[str, str, str]]) -> Iterator[Row]:
        columns = ("series", "at", "outcome", *(_in_unit(key, scale) for key, scale in scales.items()))
        keys, start, loose = tuple(scales), self._start, self._loose
        for series, at, outcome, *stored in self._select(columns, self._source.kind(kind)):
            check, part, vantage = names[series]
            values: dict[str, Value] = dict(zip(keys, stored, strict=True))
            if None in stored:
                values = {key: value for key, value in values.items() if value is not None}
            if loose:
                values.update(loose.get((series, at), {}))
            yield Row(check, part, kind, vantage, start + timedelta(0, 0, at), OUTCOMES[outcome], values)

    def _select(self, columns: Iterable[str], source: str) -> Iterator[tuple[Any, ...]]:
        query = f"SELECT {', '.join(columns)} FROM {source}"  # noqa: S608 - every name is ours, quoted
        return self._db.execute(query, self._arguments)
