"""What a question about a stretch of time is answered with, and how rollups add up to it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import NamedTuple

from monitor.store.fold import FIVE_MINUTES, HOUR, SHARES, Values
from monitor.store.schema import Identity
from monitor.store.sketch import pack, quantile, unpack


@dataclass(frozen=True, slots=True)
class Which:
    """Which series are asked for; what is None does not narrow."""

    checks: frozenset[str] | None = None
    part: str | None = None
    vantage: str | None = None

    def takes(self, name: Identity) -> bool:
        """Whether a series is one of them."""
        check, part, vantage = name
        return (
            (self.checks is None or check in self.checks)
            and self.part in {None, part}
            and self.vantage in {None, vantage}
        )


class HistoryError(Exception):
    """A question cannot be answered now; one sentence says why."""


class Figures(NamedTuple):
    """What the looks of one stretch said of one key."""

    n: int
    sum: float
    min: float
    max: float
    last: float
    p50: float
    p95: float
    p99: float

    @property
    def mean(self) -> float:
        """Sum by count."""
        return self.sum / self.n


class Step(NamedTuple):
    """One stretch of one series in which somebody looked. Neither up nor unknown is failed."""

    series: Identity
    at: datetime
    looks: int
    up: int
    unknown: int
    covered: int
    """5-minute stretches of it in which a look could say something."""
    figures: Figures | None
    """None where no look had a value."""


@dataclass(frozen=True, slots=True)
class Availability:
    """How often one series answered, and for how much of the time that can be said."""

    series: Identity
    looks: int
    up: int
    unknown: int
    coverage: float
    """The share of the period's 5-minute stretches in which at least one look could say something."""

    @property
    def share(self) -> float | None:
        """Up, of the looks that could say something; None when none could."""
        known = self.looks - self.unknown
        return self.up / known if known else None


class Cell(NamedTuple):
    """What one rollup row says; numbers are integers, ``parts`` of them are one unit."""

    series: Identity
    at: datetime
    looks: int
    up: int
    unknown: int
    covered: int
    values: Values | None
    parts: float


def width(step: timedelta) -> int:
    """Return the seconds of the rollup that a step is made of; ValueError where none fits."""
    for each in (HOUR, FIVE_MINUTES):
        if step and not step % timedelta(seconds=each):
            return each
    raise ValueError(f"a step is a multiple of {FIVE_MINUTES} seconds, not {step}")


def steps(cells: Iterable[Cell], since: datetime, step: timedelta) -> list[Step]:
    """Add cells up to steps that are counted from ``since``; in order of series and time."""
    made: dict[tuple[Identity, int], list[Cell]] = {}
    for cell in cells:
        made.setdefault((cell.series, (cell.at - since) // step), []).append(cell)
    return [_step(found, since + number * step) for (_, number), found in sorted(made.items(), key=itemgetter(0))]


def _step(cells: list[Cell], at: datetime) -> Step:
    cells.sort(key=itemgetter(1))
    told = [(cell.values, cell.parts) for cell in cells if cell.values]
    series, _, looks, up, unknown, covered, _, _ = cells[0]
    for cell in cells[1:]:
        looks, up, unknown, covered = looks + cell.looks, up + cell.up, unknown + cell.unknown, covered + cell.covered
    return Step(series, at, looks, up, unknown, covered, _figures(told))


def _figures(told: Sequence[tuple[Values, float]]) -> Figures | None:
    """Add up rollups of one key, the earliest first; where there is one of an hour, its quantiles stand there."""
    if not told:
        return None
    if len(told) == 1 and told[0][0].p50 is not None:
        (_, _, n, *rest, _), parts = told[0]
        return Figures(n, *(each / parts for each in rest if each is not None))
    rows, parts = _level(told)
    sketches = [unpack(row.points, row.min, row.n) for row in rows]
    shares = [quantile(sketches, share) or 0 for share in SHARES]
    ends = (sum(row.sum for row in rows), min(row.min for row in rows), max(row.max for row in rows), rows[-1].last)
    return Figures(sum(row.n for row in rows), *(each / parts for each in (*ends, *shares)))


def share_of(cells: Iterable[Cell], share: float) -> float | None:
    """Return a quantile of a key over all cells; None where no look had a value."""
    told = [(cell.values, cell.parts) for cell in cells if cell.values]
    if not told:
        return None
    rows, parts = _level(told)
    return (quantile([unpack(row.points, row.min, row.n) for row in rows], share) or 0) / parts


def _level(told: Sequence[tuple[Values, float]]) -> tuple[list[Values], float]:
    """Bring rollups to one scale, the finest: a later version may store a key with another."""
    parts = max(each for _, each in told)
    return [values if own == parts else _rescaled(values, parts / own) for values, own in told], parts


def _rescaled(row: Values, by: float) -> Values:
    points, _ = unpack(row.points, row.min, row.n)
    low = round(row.min * by)
    finer = pack([round(point * by) for point in points], low)
    return row._replace(sum=row.sum * by, min=low, max=round(row.max * by), last=round(row.last * by), points=finer)


def availability(cells: Iterable[Cell], period: timedelta) -> list[Availability]:
    """Add up cells of a period, by series."""
    totals: dict[Identity, list[int]] = {}
    for cell in cells:
        total = totals.setdefault(cell.series, [0, 0, 0, 0])
        for index, count in enumerate(cell[2:6]):
            total[index] += count
    stretches = period / timedelta(seconds=FIVE_MINUTES)
    return [
        Availability(name, looks, up, unknown, covered / stretches)
        for name, (looks, up, unknown, covered) in sorted(totals.items())
    ]
