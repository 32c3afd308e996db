"""What is usual at each hour of the week: a median and a spread an hour, and when a lasting change is the new normal.

Pure and of fixed size: 168 hours of ten bytes each. Hours are counted from 1970 in UTC; ``hour % 168`` is the hour of
the week, ``hour % 24`` that of the day.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

HOURS = 168
TRUST = 4
"""So many weeks make the memory of an hour: the next one weighs a fifth."""
OWN = 2
"""Weeks from which on an hour of the week speaks for itself; until then its neighbours are heard too."""
NOISE = 6.0
"""Median absolute deviations from the median that are still noise; four standard deviations of a normal one."""
SHOWN = 3.0
"""The same for the range that people are told is usual: nineteen looks of twenty."""
STEADY = 72
"""Hours after which a level that keeps still is the new normal; one that does not keep still has a week."""
DOUBTS = 4
"""Weeks in a row that one hour of the week may be unlike itself, before that is how it is."""
NEAR = tuple(
    tuple((day * 24 + hour + beside) % HOURS for day in range(7) for beside in (-1, 0, 1)) for hour in range(24)
)
"""Hour of the day -> the same hour and those beside it on every day."""


class Band(NamedTuple):
    """What is to be expected at one hour."""

    middle: float
    low: float
    """What people are told is usual, from ..."""
    high: float
    """... to."""
    calm_low: float
    """Back to normal above this ..."""
    calm_high: float
    """... and below this."""
    far_low: float
    """Out of the ordinary below this ..."""
    far_high: float
    """... and above this."""


class Change(NamedTuple):
    """A lasting change of what is usual."""

    hour: int
    """When it began."""
    before: float
    after: float


def median(ordered: Sequence[float]) -> float:
    """Return the middle of sorted values."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def spread(values: Iterable[float], about: float) -> float:
    """Return the median absolute deviation."""
    return median(sorted([abs(value - about) for value in values]))


def _floats() -> "array[float]":
    return array("f", bytes(4 * HOURS))


@dataclass(slots=True)
class Week:
    """The learned hours of one series."""

    middles: "array[float]" = field(default_factory=_floats)
    spreads: "array[float]" = field(default_factory=_floats)
    weeks: bytearray = field(default_factory=lambda: bytearray(HOURS))
    """How many weeks each hour rests on, at most TRUST; 0 is not known."""
    doubts: bytearray = field(default_factory=lambda: bytearray(HOURS))
    """How many weeks in a row it was unlike that."""

    @property
    def known(self) -> int:
        """How many hours of the week have been learned."""
        return HOURS - self.weeks.count(0)

    def learn(self, hour: int, looks: Sequence[float]) -> None:
        """Take the sorted looks of an hour that was as it should be."""
        slot = hour % HOURS
        weeks, middle = self.weeks[slot], median(looks)
        off = spread(looks, self.middles[slot] if weeks else middle)
        self.middles[slot] += (middle - self.middles[slot]) / (weeks + 1)
        self.spreads[slot] += (off - self.spreads[slot]) / (weeks + 1)
        self.weeks[slot] = min(TRUST, weeks + 1)
        self.doubts[slot] = 0

    def doubt(self, hour: int, looks: Sequence[float]) -> None:
        """Take an hour unlike itself; what comes back week for week is learned anew."""
        slot = hour % HOURS
        self.doubts[slot] += 1
        if self.doubts[slot] >= DOUBTS:
            self.weeks[slot] = 0
            self.middles[slot] = self.spreads[slot] = 0.0
            self.learn(hour, looks)

    def band(self, hour: int, ratio: float, least: float) -> Band | None:
        """Say what to expect: by the hour itself, by those like it while it is new, else by all; None if unknown.

        ``ratio`` (above 1) and ``least`` say how far off matters to people.
        """
        slot = hour % HOURS
        if self.weeks[slot] >= OWN:
            return self._band(slot, ratio, least)
        near = [other for other in NEAR[hour % 24] if self.weeks[other]]
        if len(near) < 3:
            near = [other for other in range(HOURS) if self.weeks[other]]
        bands = [self._band(other, ratio, least) for other in near]
        if not bands:
            return None
        middle = median(sorted([band.middle for band in bands]))
        return reduce(_wider, bands)._replace(middle=middle)

    def _band(self, slot: int, ratio: float, least: float) -> Band:
        middle, off = self.middles[slot], self.spreads[slot]
        far_low = min(middle - NOISE * off, middle / ratio, middle - least)
        far_high = max(middle + NOISE * off, middle * ratio, middle + least)
        low, high = max(0.0, middle - SHOWN * off), middle + SHOWN * off
        return Band(middle, low, high, (middle + far_low) / 2, (middle + far_high) / 2, far_low, far_high)

    def move(self, slot: int, before: float, after: float, off: float, *, by_share: bool) -> None:
        """Shift one hour of the week as a lasting change did: traffic by its share, a delay by its seconds."""
        if not self.weeks[slot]:
            return
        share = after / before if by_share and before > 0 else 1.0
        step = after - before if share == 1.0 else 0.0
        self.middles[slot] = max(0.0, self.middles[slot] * share + step)
        self.spreads[slot] = max(self.spreads[slot] * share, off)
        self.weeks[slot] = min(self.weeks[slot], OWN - 1)
        self.doubts[slot] = 0


def _wider(one: Band, other: Band) -> Band:
    """Join two bands: whatever either calls usual is."""
    return Band(
        one.middle,
        min(one.low, other.low),
        max(one.high, other.high),
        min(one.calm_low, other.calm_low),
        max(one.calm_high, other.calm_high),
        min(one.far_low, other.far_low),
        max(one.far_high, other.far_high),
    )


@dataclass(slots=True)
class Shift:
    """Hours that were unlike the usual, to one side, day after day: perhaps the new normal."""

    since: int
    last: int
    higher: bool
    hours: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    """Hour of the day -> (what was usual, what it was), at most one pair a day."""

    def add(self, hour: int, usual: float, was: float) -> None:
        """Take one more such hour."""
        self.last = hour
        self.hours.setdefault(hour % 24, []).append((usual, was))

    def over(self, hour: int) -> bool:
        """Whether it has passed: a whole day was as usual, or the machine's clock was set back behind it."""
        return not self.last <= hour <= self.last + 24

    def lasting(self, hour: int) -> bool:
        """Whether this is how it is now: three days at a level that keeps still, or a week at one that does not."""
        if hour - self.since < STEADY:
            return False
        again = [pairs for pairs in self.hours.values() if len(pairs) > 1]
        still = sum(_still([was - usual for usual, was in pairs]) for pairs in again)
        return bool(again) and (4 * still >= 3 * len(again) or hour - self.since >= HOURS)

    def settle(self, week: Week, *, by_share: bool) -> Change:
        """Make it the usual, hour by hour of the day, and say what changed."""
        for hour, pairs in self.hours.items():
            before, after = _middles(pairs)
            off = spread([was - usual for usual, was in pairs], after - before)
            for day in range(7):
                week.move(day * 24 + hour, before, after, off, by_share=by_share)
        return Change(self.since, *_middles([pair for pairs in self.hours.values() for pair in pairs]))


def _still(steps: list[float]) -> bool:
    """Whether steps from the usual are alike: they differ by less than half of what they are."""
    return max(steps) - min(steps) <= abs(median(sorted(steps))) / 2


def _middles(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    usual, was = zip(*pairs, strict=True)
    return median(sorted(usual)), median(sorted(was))
