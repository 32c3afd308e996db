"""When each check is due. Pure; the scheduler and the replay share it.

Checks of one cadence form a group, spread over slots, so that no burst leaves this machine. The references form a
group of one slot: a round asks them all at once.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.model import Check

SLOT_SECONDS = 0.5
"""How far apart the slots of a group are, at the least."""


@dataclass(frozen=True, slots=True)
class Group:
    """Checks of one cadence; slot k is asked k/len(slots) of the cadence after its beginning."""

    every: float
    slots: tuple[tuple[str, ...], ...]

    @property
    def width(self) -> float:
        """Seconds between two slots."""
        return self.every / len(self.slots)


@dataclass(frozen=True, slots=True)
class Tick:
    """One slot of one group at its moment."""

    at: datetime
    group: int
    slot: int


def make_groups(checks: Iterable[Check]) -> list[Group]:
    """Group checks by cadence, references apart, and spread each group evenly."""
    cadences: dict[tuple[bool, float], list[str]] = {}
    for check in checks:
        cadences.setdefault((not check.reference, check.every), []).append(check.id)
    groups = []
    for (spread, every), ids in sorted(cadences.items()):
        count = max(1, min(len(ids), int(every / SLOT_SECONDS))) if spread else 1
        ordered = sorted(ids)
        groups.append(Group(every, tuple(tuple(ordered[slot::count]) for slot in range(count))))
    return groups


def due(groups: Sequence[Group], anchor: datetime, since: datetime, until: datetime) -> list[Tick]:
    """Return the slots whose moment lies in [since, until), in order of time; cadences began at ``anchor``."""
    ticks = []
    for number, group in enumerate(groups):
        # not divided by a timedelta: rounded to a microsecond, it would pass over slots after some thousand of them
        index = max(0, math.floor((since - anchor).total_seconds() / group.width) - 1)
        while (at := anchor + timedelta(seconds=index * group.width)) < until:
            if at >= since:
                ticks.append(Tick(at, number, index % len(group.slots)))
            index += 1
    return sorted(ticks, key=lambda tick: (tick.at, tick.group, tick.slot))
