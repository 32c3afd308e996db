"""Pure: everything that says who may be told, who hears what, when, and how often."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from alerting.interval import Interval
from alerting.match import Labels, Matcher, matches
from alerting.model import Alert, Contact, Severity
from alerting.rota import Rotation

EXERCISE_SECONDS = 3600.0
"""A message about an exercise is of no use later."""


@dataclass(frozen=True, slots=True)
class Route:
    """Who hears what. An empty tuple matches everything; what a child route does not say it has from its parent."""

    name: str
    contacts: tuple[str, ...] = ()
    """Contacts and rotations that are told at once."""
    territories: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    at_least: Severity = Severity.INFO
    repeat_seconds: float = 0.0
    """Remind an open incident's contacts after so long; 0 never."""
    match: tuple[Matcher, ...] = ()
    ladders: tuple[str, ...] = ()
    """Ladders that the incident enters."""
    proceed: bool = False
    """The siblings after it are asked too: Alertmanager's ``continue``."""
    group_by: tuple[str, ...] | None = None
    """Incidents that agree in these labels leave together; None: each by itself."""
    group_wait: float = 0.0
    group_interval: float = 0.0
    mute: tuple[str, ...] = ()
    """Intervals in which nothing leaves."""
    active: tuple[str, ...] = ()
    """Intervals outside which nothing leaves; empty: always."""
    resolved: bool = True
    """Whether ends are told."""
    routes: "tuple[Route, ...]" = ()

    def group(self, labels: Labels) -> str:
        """Return the group of an alert with these labels, or "" for none."""
        if self.group_by is None:
            return ""
        return "/".join([self.name, *(labels.get(name, "") for name in self.group_by)])


@dataclass(frozen=True, slots=True)
class Step:
    """Whom a ladder tells, and how long it waits for somebody to acknowledge."""

    tell: tuple[str, ...]
    """Contacts and rotations."""
    wait: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Who is next if nobody of the agency acknowledges."""

    name: str
    agency: str
    """Whose acknowledgement stops it."""
    steps: tuple[Step, ...]
    loops: int = 1
    """How often it is gone through."""
    holds: float = 7200.0
    """Seconds until an acknowledgement expires and the ladder goes on."""


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert that matches ``source`` is open, those that match ``target`` and agree in ``equal`` are silent."""

    name: str
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()

    def inhibits(self, source: Labels, target: Labels) -> bool:
        """Whether one silences the other; what matches both sides is never silenced by its like (Alertmanager)."""
        return (
            matches(self.target, target)
            and matches(self.source, source)
            and not (matches(self.source, target) and matches(self.target, source))
            and all(source.get(name, "") == target.get(name, "") for name in self.equal)
        )


@dataclass(frozen=True, slots=True)
class Silence:
    """What somebody does not want to hear of, until when, and why."""

    id: str
    match: tuple[Matcher, ...]
    since: datetime
    until: datetime
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cap:
    """How many messages one contact gets on one channel; the surplus is merged into one that counts."""

    gap: float = 0.0
    """Seconds between two messages; what comes in between leaves together."""
    most: int = 0
    """Messages within ``within``; 0: no limit."""
    within: float = 3600.0
    storm: int = 0
    """After a second message that tells of so many incidents nothing leaves until ``within`` is over; 0: never."""
    merge: int = 2
    """So many rows that are due at once become one message."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a channel may cost in a day, in short messages."""

    credits: int
    share: Mapping[Severity, float] = field(default_factory=lambda: dict.fromkeys(Severity, 1.0))
    """Which part of it a severity may use up: what is left is kept for what matters more."""


@dataclass(frozen=True)
class Directory:
    """Who may be told, who hears what, and until when it is worth trying."""

    contacts: Mapping[str, Contact]
    routes: tuple[Route, ...]
    """Each is a tree of its own."""
    desk: str
    """The duty desk's number, as an SMS shows it."""
    deadlines: Mapping[Severity, float]
    """Seconds from the plan until a message is given up."""
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    rotations: Mapping[str, Rotation] = field(default_factory=dict)
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    inhibitions: tuple[Inhibition, ...] = ()
    silences: tuple[Silence, ...] = ()
    """Those of the files."""
    caps: Mapping[str, Cap] = field(default_factory=dict)
    """By channel."""
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    """By channel."""

    def people(self, names: tuple[str, ...], now: datetime) -> list[Contact]:
        """Return the contacts that names stand for now: a rotation for who is on duty."""
        found: dict[str, Contact] = {}
        for name in names:
            on = self.rotations[name].on_duty(now) if name in self.rotations else (name,)
            found.update({each: self.contacts[each] for each in on if each in self.contacts})
        return list(found.values())

    def has(self, contact: str, names: tuple[str, ...], now: datetime) -> bool:
        """Whether names stand for a contact now: it is one of them, or on duty in a rotation."""
        rotations = (self.rotations[name] for name in names if name in self.rotations)
        known = contact in self.contacts
        return known and (contact in names or any(contact in one.on_duty(now) for one in rotations))

    def moved(self, before: "Directory") -> list[str]:
        """Return the contacts that have other addresses than they had."""
        known = before.contacts
        return [name for name, one in self.contacts.items() if name in known and known[name].addresses != one.addresses]

    def within(self, alert: Alert) -> "Directory":
        """Return who may be told of an alert: of an exercise nobody but its list, whoever a route or ladder names."""
        if not alert.exercise:
            return self
        return replace(self, contacts={name: self.contacts[name] for name in alert.exercise if name in self.contacts})

    def lasts(self, alert: Alert, now: datetime) -> tuple[float, datetime]:
        """Return for how many seconds a message about an alert is worth trying, planned now."""
        seconds = self.deadlines[alert.severity]
        return min(seconds, EXERCISE_SECONDS) if alert.exercise else seconds, now

    @cached_property
    def by_name(self) -> Mapping[str, Route]:
        """Every route of every tree."""
        return {route.name: route for tree in self.routes for route in _walk(tree)}


def _walk(route: Route) -> Iterator[Route]:
    yield route
    for child in route.routes:
        yield from _walk(child)
