"""Every series at once, by the hour, in columns: what a report of the region is made of. No object for each figure."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from monitor.store.fold import HOUR
from monitor.store.rows import midnight, parts_of
from monitor.store.schema import Identity
from monitor.store.steps import Step


class Hour(NamedTuple):
    """What one hour says of a key; the columns are as long as ``series``, and None where nothing can be said."""

    at: datetime
    series: Sequence[Identity]
    share: Sequence[float | None]
    """Up, of the looks that could say something."""
    mean: Sequence[float | None]
    p95: Sequence[float | None]


LOOKS = """
SELECT json_group_array(series), json_group_array(up), json_group_array(n - unknown)
FROM (SELECT series, up, n, unknown FROM looks WHERE at = ? ORDER BY series)
"""
VALUES = """
SELECT json_group_array(series), json_group_array(sum), json_group_array(n), json_group_array(p95)
FROM (SELECT series, sum, n, p95 FROM value WHERE at = ? AND quantity = ? ORDER BY series)
"""
"""A column comes as one text: a row of its own for each series takes half as much again."""


def hours(db: sqlite3.Connection, day: date, seconds: tuple[int, int], key: str) -> Iterator[Hour]:
    """Read whole hours of a rollup file."""
    rows = db.execute('SELECT id, "check", part, vantage FROM series')
    names: dict[int, Identity] = {id_: (check, part, vantage) for id_, check, part, vantage in rows}
    quantities = db.execute('SELECT id, scale FROM quantity WHERE "key" = ?', (key,)).fetchall()
    known: list[int] = []
    series: Sequence[Identity] = ()
    for at in range(*seconds, HOUR):
        ids, ups, counts = _columns(db, LOOKS, at)
        if not ids:
            continue
        if ids != known:
            known, series = ids, tuple(map(names.__getitem__, ids))
        shares = [up / count if count else None for up, count in zip(ups, counts, strict=True)]
        means, p95s = _figures(db, at, quantities, ids)
        yield Hour(midnight(day) + timedelta(seconds=at), series, shares, means, p95s)


def _columns(db: sqlite3.Connection, query: str, *arguments: int) -> list[list[int]]:
    return [json.loads(column) for column in db.execute(query, arguments).fetchone()]


def _figures(
    db: sqlite3.Connection, at: int, quantities: Iterable[tuple[int, float]], ids: Sequence[int]
) -> tuple[Sequence[float | None], Sequence[float | None]]:
    """Return means and p95s in the order of ``ids``; mostly they stand in it already."""
    mean: dict[int, float] = {}
    p95: dict[int, float] = {}
    for id_, scale in quantities:
        parts = parts_of(scale)
        told, sums, counts, high = _columns(db, VALUES, at, id_)
        means = [total / (n * parts) for total, n in zip(sums, counts, strict=True)]
        p95s = [each / parts for each in high]
        if told == ids:
            return means, p95s
        mean.update(zip(told, means, strict=True))
        p95.update(zip(told, p95s, strict=True))
    return list(map(mean.get, ids)), list(map(p95.get, ids))


def pivoted(steps: Iterable[Step]) -> Iterator[Hour]:
    """Arrange steps of an hour in columns."""
    for at, group in groupby(sorted(steps, key=itemgetter(1, 0)), key=itemgetter(1)):
        found = list(group)
        known = [step.looks - step.unknown for step in found]
        yield Hour(
            at,
            [step.series for step in found],
            [step.up / count if count else None for step, count in zip(found, known, strict=True)],
            [step.figures.mean if step.figures else None for step in found],
            [step.figures.p95 if step.figures else None for step in found],
        )


STEP = timedelta(seconds=HOUR)
