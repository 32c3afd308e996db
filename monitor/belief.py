"""What is believed, and how looks and the passing of time move it. Pure: it reads no clock and writes nothing.

Whoever owns it hands looks to `hear`, draws the consequences with `conclude`, makes them durable, and then has them
believed with `adopt`. What it wishes to be looked at again comes from `take_wishes`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitor import incidents
from monitor.baseline import Baselines
from monitor.docket import Book, Change
from monitor.kin import young
from monitor.known import Known
from monitor.maintenance import Calendar
from monitor.model import Learned, Signal, State, World
from monitor.outlook import NO_WORK, TROUBLE, Outlook
from monitor.quorum import Quorum
from monitor.sight import Sight, Turned, Wish
from monitor.topology import Topology, references
from probes.model import Observation

FLUSH = timedelta(seconds=10)
"""At most so late are running counters and the sign of life in the journal."""
CHILDREN_EVERY = timedelta(seconds=5)
"""How often what stood behind a recovered cause is looked at until it is back."""
STALE_EVERY = 10.0
"""Seconds between two searches for what no look has told of for long."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one turn of the line changes."""

    states: Sequence[tuple[str, str, State]]
    signals: Sequence[Signal]
    changes: Sequence[Change]
    book: Book
    learned: Sequence[Learned] = ()
    """What is usual, of a few series."""


@dataclass(slots=True)
class Belief:
    """What is believed of everything that is watched."""

    world: World
    states: dict[str, dict[str, State]]
    """Check -> part -> what all vantages together believe; with one vantage, what it believes."""
    book: Book
    worked: frozenset[str]
    """Checks that were ever UP."""
    now: datetime
    calendar: Calendar = NO_WORK
    """Announced work."""
    usual: Baselines = field(default_factory=Baselines)
    topology: Topology = field(init=False)
    sights: dict[str, Sight] = field(init=False)
    quorum: Quorum | None = field(init=False)
    """None while one vantage decides alone."""
    _known: Known = field(init=False)
    _wishes: list[Wish] = field(default_factory=list)
    _flushed: datetime = field(init=False)
    _searched: float = 0.0

    def __post_init__(self) -> None:
        world = self.world
        self.topology = Topology(world)
        self._known = Known(self.topology)
        self._flushed = self.now
        self.usual.note(self.book.open.values())
        self.sights = {world.vantage: self._sight(world.vantage, self.states)}
        self.sights |= {vantage: self._sight(vantage, {}) for vantage in world.vantages if vantage != world.vantage}
        self.quorum = None
        if len(self.sights) > 1:
            self.states = {}
            for sight in self.sights.values():
                sight.shared = True
            self.quorum = Quorum(world, self.sights, self.states)

    def _sight(self, vantage: str, states: dict[str, dict[str, State]]) -> Sight:
        seen = {family for family in (4, 6) if references(vantage, family) in self.worked}
        return Sight(self.world, self.topology, vantage, states, seen, self.now, self.usual)

    def under(self, world: World) -> "Belief":
        """Return the same belief of another world: of every check that stays, of what is open, of what is usual."""
        own = self.own
        stays = {*world.checks, *(references(world.vantage, family) for family in (4, 6))}
        states = {check: parts for check, parts in own.states.items() if check in stays}
        worked = self.worked | {references(world.vantage, family) for family in own.guard.worked}
        fresh = Belief(world, states, self.book, worked, self.now, self.calendar, self.usual)
        fresh.own.dirty.update({key: state for key, state in own.dirty.items() if key[0] in stays})
        fresh.own.moved, fresh.own.lateness = own.moved, own.lateness
        fresh.resume()
        return fresh

    @property
    def own(self) -> Sight:
        """What this vantage itself believes."""
        return self.sights[self.world.vantage]

    def resume(self) -> None:
        """Go on after a start: what was in doubt is looked at at once, trouble that was excused still is."""
        self.own.resume()
        view = self.outlook(self.now)
        troubled = [asset for asset in self.topology.checks if view.standing(asset).phase in TROUBLE]
        known = {name for one in self.book.open.values() for name in (one.asset, *one.children)}
        excused = {asset: self.now for asset in troubled if asset not in known and view.excuse(asset)}
        self.book = replace(self.book, excused=excused)

    def take_wishes(self) -> list[Wish]:
        """Return what is to be looked at again, once."""
        wishes, self._wishes = self._wishes, []
        for sight in self.sights.values():
            wishes += sight.wishes
            sight.wishes.clear()
        return wishes

    def hear(self, looks: Iterable[Observation], now: datetime, monotonic: float) -> list[Signal]:
        """Let a batch of looks move what is believed; ``monotonic`` in seconds."""
        self._pass(now, monotonic)
        turned: list[Turned] = []
        checks, sights = self.world.checks, self.sights
        for look in looks:
            check, sight = checks.get(look.check), sights.get(look.vantage)
            if check is not None and sight is not None:  # else: asked before a change of config
                turned += sight.hear(check, look)
        return self._signals(turned)

    def tick(self, now: datetime, monotonic: float) -> list[Signal]:
        """Let time pass; call `conclude` when it may have consequences: see `restless`."""
        self._pass(now, monotonic)
        self._revisit_children()
        turned: list[Turned] = []
        if monotonic - self._searched >= STALE_EVERY:
            self._searched = monotonic
            for sight in self.sights.values():
                turned += sight.forget()
        return self._signals(turned, timed=True)

    def restless(self) -> bool:
        """Whether time alone may have consequences, or something waits to be written."""
        return self._restless() or abs(self.now - self._flushed) >= FLUSH

    def _restless(self) -> bool:
        return self.book.restless() or any(young(one, self.now) for one in self.book.open.values())

    def conclude(self, signals: Sequence[Signal]) -> Step | None:
        """Draw the consequences; None when there is nothing to write."""
        book: Book = self.book
        changes: list[Change] = []
        if signals or self._restless():
            touched = {asset for signal in signals for asset in self.topology.told(signal.check)}
            book, changes = incidents.apply(book, sorted(touched), self.outlook(self.now))
        idle = not (signals or changes or self.own.moved)
        if idle and book == self.book and abs(self.now - self._flushed) < FLUSH:
            return None
        states = [(check, part, state) for (check, part), state in sorted(self.own.dirty.items())]
        return Step(states, signals, changes, book, self.usual.take_unsaved())

    def adopt(self, step: Step) -> None:
        """Believe what is durable now."""
        self.book = step.book
        if step.changes:
            self.usual.note(self.book.open.values())
        self.own.dirty.clear()
        self.own.moved = False
        self._flushed = self.now

    def outlook(self, now: datetime) -> Outlook:
        """Return how things stand at a moment."""
        news = (self.quorum or self.own).news
        self._known.forget({asset for check in news for asset in self.topology.told(check)})
        news.clear()
        return Outlook(self.states, self.topology, now, self.calendar, self._known)

    def no_longer_watched(self) -> Step | None:
        """Close what nothing watches any more (after a change of config)."""
        book, changes = incidents.no_longer_watched(self.book, self.topology, self.now)
        return Step([], [], changes, book) if changes else None

    def reconsider(self) -> Step | None:
        """Draw the consequences of another config for all that is watched."""
        book, changes = incidents.apply(self.book, sorted(self.topology.checks), self.outlook(self.now))
        return Step([], [], changes, book) if changes or book != self.book else None

    def _pass(self, now: datetime, monotonic: float) -> None:
        self.now = now
        for sight in self.sights.values():
            sight.time(now, monotonic)

    def _signals(self, turned: list[Turned], *, timed: bool = False) -> list[Signal]:
        """Return the verdicts that changed, as all vantages together see it."""
        if self.quorum is not None:
            turned = []
            for vantage, sight in self.sights.items():
                turned += self.quorum.take(vantage, sight.take_touched(), self.now)
            turned += self.quorum.tick(self.now) if timed else []
        return [
            Signal(one.check, one.part, one.asset, s.old, s.new, self.now, s.began, s.reason)
            for one in turned
            for s in (one.settled,)
        ]

    def _revisit_children(self) -> None:
        """Look often at what stood behind a cause that has come back."""
        for incident in self.book.open.values():
            if incident.asset not in self.book.recovered:
                continue
            for check in (check for child in incident.children for check in self.topology.checks.get(child, ())):
                states: Mapping[str, State] = self.states.get(check, {})
                if all(self.now - state.seen >= CHILDREN_EVERY for state in states.values()):
                    self._wishes += [Wish(check, 0.0, vantage) for vantage in self.sights]
