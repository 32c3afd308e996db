"""Every series at once, by the hour, in columns: what a report of the region is made of. No object for each figure."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from monitor.store.day import Identity
from monitor.store.fold import HOUR
from monitor.store.rows import midnight, parts_of
from monitor.store.steps import Step


class Hour(NamedTuple):
    """What one hour says of a key; the columns are as long as ``series``, and None where nothing can be said."""

    at: datetime
    series: Sequence[Identity]
    share: Sequence[float | None]
    """Up, of the looks that could say something."""
    mean: Sequence[float | None]
    p95: Sequence[float | None]


LOOKS = "SELECT series, CAST(up AS REAL) / nullif(n - unknown, 0) FROM looks WHERE at = ? ORDER BY series"
VALUES = """
SELECT series, sum / (n * ?), p95 / ? FROM value WHERE at = ? AND quantity = ? ORDER BY series
"""


def hours(db: sqlite3.Connection, day: date, seconds: tuple[int, int], key: str) -> Iterator[Hour]:
    """Read whole hours of a rollup file."""
    rows = db.execute('SELECT id, "check", part, vantage FROM series')
    names: dict[int, Identity] = {id_: (check, part, vantage) for id_, check, part, vantage in rows}
    quantities = db.execute('SELECT id, scale FROM quantity WHERE "key" = ?', (key,)).fetchall()
    for at in range(*seconds, HOUR):
        looks = db.execute(LOOKS, (at,)).fetchall()
        if not looks:
            continue
        values: list[tuple[Any, ...]] = []
        for id_, scale in quantities:
            parts = parts_of(scale)
            values += db.execute(VALUES, (parts, parts, at, id_)).fetchall()
        ids, shares = zip(*looks, strict=True)
        means, p95s = _columns(ids, values)
        yield Hour(midnight(day) + timedelta(seconds=at), tuple(map(names.__getitem__, ids)), shares, means, p95s)


def _columns(
    ids: Sequence[int], rows: Sequence[tuple[Any, ...]]
) -> tuple[Sequence[float | None], Sequence[float | None]]:
    """Bring values into the order of the looks; mostly they stand in it already."""
    if not rows:
        nothing = [None] * len(ids)
        return nothing, nothing
    told, means, p95s = zip(*rows, strict=True)
    if told == ids:
        return means, p95s
    mean, p95 = dict(zip(told, means, strict=True)), dict(zip(told, p95s, strict=True))
    return [mean.get(id_) for id_ in ids], [p95.get(id_) for id_ in ids]


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
