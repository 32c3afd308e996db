"""Looks of one stretch of time, folded: how many, up or unknown, and of each value what can be added up. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from monitor.store.rows import OUTCOMES, SECOND
from monitor.store.sketch import choose, pack, rank
from probes.model import Outcome

FIVE_MINUTES = 300
HOUR = 3600
WIDTHS = (FIVE_MINUTES, HOUR)
"""Seconds that a rollup covers."""
SHORTEST = FIVE_MINUTES * SECOND
SHARES = (0.5, 0.95, 0.99)
"""The quantiles that are named: the median, and what all but one in twenty or in a hundred stay below."""

OK, UNKNOWN = OUTCOMES.index(Outcome.OK), OUTCOMES.index(Outcome.UNKNOWN)
NO_SHARES = (None, None, None)


class Looks(NamedTuple):
    """How the looks of one series ended. What is neither up nor unknown has failed."""

    series: int
    n: int
    up: int
    unknown: int
    covered: int
    """5-minute stretches in which a look could say something."""


class Values(NamedTuple):
    """What the looks of one series said of one key, in the integers that are stored."""

    key: str
    series: int
    n: int
    sum: int | float
    """A float only where the integer is too large for SQLite."""
    min: int
    max: int
    last: int
    p50: int | None
    p95: int | None
    p99: int | None
    points: bytes | None
    """A sketch, as `sketch.pack` writes it."""


def fold(
    rows: Iterable[tuple[Any, ...]], keys: Sequence[str | None], *, shares: bool
) -> Iterator[tuple[Looks, list[Values]]]:
    """Fold rows (series, microsecond, outcome, then a stored value or None for each key), by series and time.

    A key that is None is text and not folded. ``shares``: name the quantiles too, not only the sketch they come from.
    """
    for series, group in groupby(rows, key=itemgetter(0)):
        _, times, outcomes, *columns = zip(*group, strict=True)
        unknown = outcomes.count(UNKNOWN)
        looks = Looks(series, len(outcomes), outcomes.count(OK), unknown, _covered(times, outcomes, unknown))
        named = zip(keys, columns, strict=True)
        yield looks, [found for key, column in named if key and (found := _values(key, series, column, shares))]


def _covered(times: Sequence[int], outcomes: Sequence[int], unknown: int) -> int:
    if not unknown and times[0] // SHORTEST == times[-1] // SHORTEST:
        return 1
    return len({at // SHORTEST for at, outcome in zip(times, outcomes, strict=True) if outcome != UNKNOWN})


def _values(key: str, series: int, column: Sequence[Any], shares: bool) -> Values | None:
    values = [value for value in column if value is not None] if None in column else column
    if not values:
        return None
    ordered = sorted(values)
    n, low, total = len(ordered), ordered[0], sum(ordered)
    p50, p95, p99 = (ordered[rank(n, share) - 1] for share in SHARES) if shares else NO_SHARES
    points = None if low == ordered[-1] else pack(choose(ordered), low)
    kept = total if -(2**63) <= total < 2**63 else float(total)
    return Values(key, series, n, kept, low, ordered[-1], values[-1], p50, p95, p99, points)
