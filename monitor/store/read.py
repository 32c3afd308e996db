"""Reading the series back, from any thread, across day files."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from monitor.store.files import open_to_read
from monitor.store.rows import OUTCOMES, Row, midnight, offset, parts_of
from monitor.store.schema import Identity, Scales, column, scales_of, sources
from probes.model import Value

Loose = dict[tuple[int, int], dict[str, Value]]
"""(Series, microsecond) -> what has no column."""


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


def in_unit(key: str, scale: float | None) -> str:
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
        names: dict[str, dict[int, Identity]] = defaultdict(dict)
        query = 'SELECT id, kind, "check", part, vantage FROM series WHERE id = coalesce(?, id)'
        for id_, kind, check, part, vantage in self._db.execute(query, (only,)):
            names[kind][id_] = (check, part, vantage)
        loose = self._loose()
        for kind, known in names.items():
            yield from self._of(kind, scales.get(kind, {}), known, loose)

    def _of(self, kind: str, scales: Scales, names: Mapping[int, Identity], loose: Loose) -> Iterator[Row]:
        columns = ("series", "at", "outcome", *(in_unit(key, scale) for key, scale in scales.items()))
        keys, start, make = tuple(scales), self._start, Row._make
        for row in self._rows(kind, columns):
            check, part, vantage = names[row[0]]
            values: dict[str, Value] = dict(zip(keys, row[3:], strict=True))
            if None in row:
                values = {key: value for key, value in values.items() if value is not None}
            if loose:
                values.update(loose.get(row[:2], {}))
            yield make((check, part, kind, vantage, start + timedelta(0, 0, row[1]), OUTCOMES[row[2]], values))

    def _rows(self, kind: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        return self._db.execute(self._source.query(columns, sources(self._db, kind)), self._arguments)

    def _loose(self) -> Loose:
        """Return what has no column."""
        found: Loose = {}
        if self._db.execute("SELECT 1 FROM loose LIMIT 1").fetchone():
            query = self._source.query(("series", "at", "key", "value"), ["loose"])
            for series, at, key, value in self._db.execute(query, self._arguments):
                found.setdefault((series, at), {})[key] = value
        return found
