"""Pure: whether the operator's rules let a message leave now: inhibition, time intervals, silences, in this order.

A beginning that is kept back and is over before it may leave is told nobody: that was the operator's wish, and the row
says whose. The end of what was told goes out through silences and inhibitions, and waits for a muted hour to pass.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from alerting.directory import Directory, Route, Silence
from alerting.health import Health
from alerting.match import labels, matches
from alerting.model import Alert
from alerting.route import taken

LOOK_AGAIN = timedelta(seconds=60)
"""An inhibition has no end that is known; it is looked at again when something closes, and at least so often."""


class Row(Protocol):
    """What a decision needs to know of a row."""

    @property
    def route(self) -> str:
        """By which route the contact was named."""
        ...

    @property
    def held(self) -> str:
        """What has kept it back until now, or ""."""
        ...

    @property
    def contact(self) -> str:
        """Who would get it."""
        ...

    @property
    def drill(self) -> bool:
        """Whether it was planned for an exercise."""
        ...

    @property
    def told_before(self) -> bool:
        """Whether the contact has heard of the incident."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What may keep a message back, as of now."""

    directory: Directory
    silences: Sequence[Silence] = ()
    open: Sequence[Alert] = ()
    """Every open alert, for inhibitions."""
    ways: Mapping[str, Health] = field(default_factory=dict)
    """How each channel does; one that is not named is well."""


LONGEST = timedelta(days=32)
"""A message that a rule would keep back for longer is refused: nobody wants to hear of it then."""


@dataclass(frozen=True, slots=True)
class Block:
    """What keeps a message back, and until when at least."""

    why: str
    until: datetime
    mute: bool = False
    """A time interval, which also holds back ends."""


def block(alert: Alert, route: str, rules: Rules, now: datetime) -> Block | None:
    """Return what keeps messages about an alert back on a route, or None."""
    held = _inhibited(alert, rules, now) or muted(route, rules.directory, now)
    return held or silenced(alert, rules.silences, now)


def _inhibited(alert: Alert, rules: Rules, now: datetime) -> Block | None:
    if not rules.directory.inhibitions:
        return None
    target = labels(alert)
    for inhibition in rules.directory.inhibitions:
        if not matches(inhibition.target, target):
            continue
        for source in rules.open:
            if source.incident != alert.incident and inhibition.inhibits(labels(source), target):
                return Block(f"inhibited by {source.incident} (rule {inhibition.name})", now + LOOK_AGAIN)
    return None


def muted(name: str, directory: Directory, now: datetime) -> Block | None:
    """Return the time interval that keeps a route from speaking now, or None."""
    route = directory.by_name.get(name, Route(name))
    known = directory.intervals
    mutes = [known[each] for each in route.mute if each in known]
    active = [known[each] for each in route.active if each in known]
    if found := [each for each in mutes if each.contains(now)]:
        return Block(f"route {name} is muted: {found[0].name}", max(each.ends(now) for each in found), mute=True)
    if active and not any(each.contains(now) for each in active):
        return Block(f"route {name} is not active now", min(each.begins(now) for each in active), mute=True)
    return None


def silenced(alert: Alert, silences: Iterable[Silence], now: datetime) -> Block | None:
    """Return the silence that covers an alert and ends last, or None."""
    known = labels(alert)
    found = [one for one in silences if one.since <= now < one.until and matches(one.match, known)]
    if not found:
        return None
    last = max(found, key=lambda one: (one.until, one.id))
    return Block(f"silenced by {last.author} ({last.id}): {last.reason}", last.until)


def barred(alert: Alert, row: Row) -> str:
    """Say why a message must never leave: an exercise stays among those on its list, and ends with its end."""
    if row.drill != bool(alert.exercise):
        return "an exercise and what is real do not mix"
    if alert.exercise and row.contact not in alert.exercise:
        return "not on the list of the exercise"
    if alert.exercise and alert.closed is not None and not row.told_before:
        return "the exercise is over"
    return ""


def speaks_by(alert: Alert, row: Row, directory: Directory, now: datetime) -> str:
    """Return the route by which a row leaves: its own, or while that is muted the one that speaks first of those that
    name its contact. The end goes by the route that told of the beginning."""
    if muted(row.route, directory, now) is None or (alert.closed is not None and row.told_before):
        return row.route

    def speaks(name: str) -> datetime:
        mute = muted(name, directory, now)
        return mute.until if mute else now

    named = [one.name for one in taken(alert, directory.routes) if directory.has(row.contact, one.contacts, now)]
    return min([row.route, *named], key=speaks)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Go, when both are empty; wait ``until``; or end as refused, when there is no ``until``."""

    why: str = ""
    until: datetime | None = None


GO = Verdict()


def verdict(alert: Alert, row: Row, rules: Rules, now: datetime) -> Verdict:
    """Decide on one row that is due."""
    if why := barred(alert, row):
        return Verdict(why)
    found = block(alert, row.route, rules, now)
    if alert.closed is not None and not row.told_before and (found or row.held):
        return Verdict(found.why if found else row.held)
    if found is None or (alert.closed is not None and not found.mute):
        return GO
    return Verdict(found.why, found.until if found.until - now <= LONGEST else None)
