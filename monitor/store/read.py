"""Reading the series back, from any thread, across day files."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.store.day import Scales, column, scales_of, table
from monitor.store.files import open_to_read
from monitor.store.rows import OUTCOMES, Row, midnight, offset, parts_of
from probes.model import Value


def latest(path: Path, day: date) -> list[Row]:
    """Return each series' last look of one day."""
    with open_to_read(path) as db:
        return _Reader(db, day, "USING (series, at)", (), "latest CROSS JOIN ").rows()


def between(path: Path, day: date, name: tuple[str, str], since: datetime, until: datetime) -> list[Row]:
    """Return the looks at (check, part) of one day with since <= at < until, oldest first."""
    window = (offset(since, day), offset(until, day))
    rows: list[Row] = []
    with open_to_read(path) as db:
        for (id_,) in db.execute('SELECT id FROM series WHERE "check" = ? AND part = ?', name).fetchall():
            rows += _Reader(db, day, "WHERE series = ? AND at >= ? AND at < ?", (id_, *window)).rows(id_)
    return sorted(rows, key=lambda row: (row.at, row.vantage))


def each(path: Path, day: date, since: datetime, until: datetime) -> Iterator[Row]:
    """Yield the looks of one day with since <= at < until, by series and time."""
    with open_to_read(path) as db:
        yield from _Reader(db, day, "WHERE at >= ? AND at < ?", (offset(since, day), offset(until, day))).each()


def stretch(db: sqlite3.Connection, day: date, low: int, high: int) -> Iterator[Row]:
    """Yield the looks of a few seconds of a day file (microseconds of the day): a seek for each series, no scan."""
    where = "ON series = known AND at >= ? AND at < ?"
    return _Reader(db, day, where, (low, high), "(SELECT id AS known FROM series) CROSS JOIN ").each()


def _in_unit(key: str, scale: float | None) -> str:
    """Return the expression that undoes `rows.pack`, as `rows.unpack` does."""
    if scale is None or scale == 1:
        return column(key)
    parts = parts_of(scale)
    return f"{column(key)} / {parts!r}" if parts >= 1 else f"{column(key)} * {scale!r}"


class _Reader:
    """Reads the rows that ``where`` names from every kind's table of one day."""

    def __init__(
        self, db: sqlite3.Connection, day: date, where: str, arguments: tuple[int, ...], before: str = ""
    ) -> None:
        """``before``: what each table is joined to."""
        self._before = before
        self._db = db
        self._start = midnight(day)
        self._where = where
        self._arguments = arguments
        self._loose: dict[tuple[int, int], dict[str, Value]] = {}
        for series, at, key, value in self._select(("series", "at", "key", "value"), "loose"):
            self._loose.setdefault((series, at), {})[key] = value

    def rows(self, only: int | None = None) -> list[Row]:
        """Return them all, or of one series."""
        return list(self.each(only))

    def each(self, only: int | None = None) -> Iterator[Row]:
        """Yield them."""
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
        for series, at, outcome, *stored in self._select(columns, table(kind)):
            check, part, vantage = names[series]
            values: dict[str, Value] = dict(zip(keys, stored, strict=True))
            if None in stored:
                values = {key: value for key, value in values.items() if value is not None}
            if loose:
                values.update(loose.get((series, at), {}))
            yield Row(check, part, kind, vantage, start + timedelta(0, 0, at), OUTCOMES[outcome], values)

    def _select(self, columns: Iterable[str], source: str) -> Iterator[tuple[Any, ...]]:
        query = f"SELECT {', '.join(columns)} FROM {self._before}{source} {self._where}"  # noqa: S608 - every name is ours, quoted
        return self._db.execute(query, self._arguments)
