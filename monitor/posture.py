"""What somebody has set for a territory before, in and after a storm: who is told, and how often is looked. Pure.

It never changes what it takes to call something down.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from alerting.model import Alert, Severity
from monitor.model import Check, Territory, World

LETTER = "P"
"""Before the number of a posture, where an incident has a number alone."""
FASTEST = 10.0
"""Seconds; no check is asked more often because of a posture."""
OVER, BY_HAND, REPLACED = "its time is over", "ended by hand", "another posture is set"


class Level(StrEnum):
    """How near it is. Calm is to have none."""

    WATCH = "watch"
    PREPARE = "prepare"
    IMMINENT = "imminent"
    IMPACT = "impact"
    RECOVERY = "recovery"


SEVERITIES: Mapping[Level, Severity] = {
    Level.WATCH: Severity.INFO,
    Level.PREPARE: Severity.WARNING,
    Level.IMMINENT: Severity.MAJOR,
    Level.IMPACT: Severity.CRITICAL,
    Level.RECOVERY: Severity.WARNING,
}
PACE: Mapping[Level, float] = {
    Level.WATCH: 1.0,
    Level.PREPARE: 2.0,
    Level.IMMINENT: 3.0,
    Level.IMPACT: 3.0,
    Level.RECOVERY: 2.0,
}
"""So many times as often is looked."""


@dataclass(frozen=True, slots=True)
class Posture:
    """One posture of one territory."""

    number: int
    territory: str
    level: Level
    since: datetime
    until: datetime
    reason: str
    author: str
    ended: datetime | None = None
    """When it ended, by itself or by hand."""
    ending: str = ""

    @property
    def id(self) -> str:
        """As people say it."""
        return f"{LETTER}{self.number}"


def to_alert(one: Posture, territories: Mapping[str, Territory], note: str = "") -> Alert:
    """Say what there is to tell of a posture."""
    place = territories[one.territory].name if one.territory in territories else one.territory
    pace = PACE[one.level]
    looks = (f"What is watched there is looked at {pace:g} times as often until then",) if pace > 1 else ()
    return Alert(
        incident=one.id,
        severity=SEVERITIES[one.level],
        kind="posture",
        asset=f"territory:{one.territory}",
        what=f"Posture {one.level} for {place}",
        territory=one.territory,
        where=place,
        opened=one.since,
        closed=one.ended,
        changed=one.ended or one.since,
        revision=2 if one.ended else 1,
        reason=f"{one.reason}; set by {one.author} until {one.until:%Y-%m-%d %H:%M} UTC",
        effects=("Nothing is down because of this", *looks) if one.ended is None else (),
        closing=one.ending,
        labels={"territories": one.territory, "phase": "degraded", "posture": one.level.value},
        note=note,
    )


def tightened(world: World, territories: Callable[[str], tuple[str, ...]], postures: Iterable[Posture]) -> World:
    """Return the world with the checks of some territories asked more often; nothing else of it changes.

    ``territories``: where an asset is, a name server where what it serves is.
    """
    pace = {one.territory: PACE[one.level] for one in postures if PACE[one.level] > 1}
    if not pace:
        return world
    faster = {
        name: _faster(check, max((pace.get(code, 1.0) for code in territories(check.asset)), default=1.0))
        for name, check in world.checks.items()
        if not check.reference
    }
    return replace(world, checks={**world.checks, **faster})


def _faster(check: Check, pace: float) -> Check:
    every = max(check.every / pace, FASTEST, 2 * check.timeout)
    return replace(check, every=every) if every < check.every else check
