"""What is believed, and how looks and the passing of time move it. Pure: it reads no clock and writes nothing.

Whoever owns it hands looks to `hear`, draws the consequences with `conclude`, makes them durable, and then has them
believed with `adopt`. What it wishes to be looked at again stands in `wishes` until `take_wishes`.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor import detect, incidents
from monitor.docket import Book, Change
from monitor.guard import Guard, Verdict
from monitor.maintenance import Calendar
from monitor.model import Check, Phase, Rule, Signal, State, World
from monitor.outlook import NO_WORK, TROUBLE, Outlook
from monitor.recheck import again
from monitor.topology import Topology, references
from probes.model import Observation, Outcome

FLUSH = timedelta(seconds=10)
"""At most so late are running counters and the sign of life in the journal."""
RETURN_RATE = 100.0
"""Looks a second at what could not be known, once this vantage sees the world again."""
BETWEEN = {Phase.SUSPECT, Phase.RECOVERING}
NEIGHBOURS = 50
"""At most so many are looked at because one beside them is in doubt."""
CHILDREN_EVERY = timedelta(seconds=5)
"""How often what stood behind a recovered cause is looked at until it is back."""


class Wish(NamedTuple):
    """Look at a check in so many seconds, before its cadence does."""

    check: str
    delay: float


@dataclass(frozen=True, slots=True)
class Step:
    """What one turn of the line changes."""

    states: Sequence[tuple[str, str, State]]
    signals: Sequence[Signal]
    changes: Sequence[Change]
    book: Book


@dataclass(slots=True)
class Belief:
    """What is believed of everything that is watched."""

    world: World
    states: dict[str, dict[str, State]]
    book: Book
    worked: frozenset[str]
    """Checks that were ever UP."""
    now: datetime
    calendar: Calendar = NO_WORK
    """Announced work."""
    topology: Topology = field(init=False)
    guard: Guard = field(init=False)
    lateness: deque[float] = field(default_factory=lambda: deque(maxlen=2000))
    """Seconds between when looks were due and when they left."""
    wishes: list[Wish] = field(default_factory=list)
    _failures: dict[str, int] = field(default_factory=dict)
    _rounds: dict[int, float] = field(default_factory=dict)
    """Family -> when a round was last asked for out of turn, monotonic."""
    _dirty: dict[tuple[str, str], State] = field(default_factory=dict)
    _moved: bool = False
    """Some phase has changed since the last commit: a doubt must survive a crash too."""
    _flushed: datetime = field(init=False)
    _mono: float = 0.0

    def __post_init__(self) -> None:
        self.topology = Topology(self.world)
        seen = {family for family in (4, 6) if references(self.world.vantage, family) in self.worked}
        self.guard = Guard(self.world.checks.values(), self.world.quorum, seen)
        self._flushed = self.now

    def resume(self) -> None:
        """Go on after a start: what was in doubt is looked at at once, trouble that was excused still is."""
        for check, parts in self.states.items():
            if check in self.world.checks and any(state.phase in BETWEEN for state in parts.values()):
                self._wish(check, 0.0)
        view = self.outlook(self.now)
        troubled = [asset for asset in self.topology.checks if view.standing(asset).phase in TROUBLE]
        known = {name for one in self.book.open.values() for name in (one.asset, *one.children, *one.members)}
        excused = {asset: self.now for asset in troubled if asset not in known and view.excuse(asset)}
        self.book = replace(self.book, excused=excused)

    def take_wishes(self) -> list[Wish]:
        """Return what is to be looked at again, once."""
        wishes, self.wishes = self.wishes, []
        return wishes

    def hear(self, looks: Iterable[Observation], now: datetime, monotonic: float) -> list[Signal]:
        """Let a batch of looks move what is believed; ``monotonic`` in seconds."""
        self._pass(now, monotonic)
        signals: list[Signal] = []
        for look in looks:
            check = self.world.checks.get(look.check)
            if check is None:
                continue  # asked before a change of config, answered after it
            timely = self._timely(look) if look.at > now else look
            self.lateness.append((timely.at - timely.due).total_seconds())
            if check.reference:
                signals += self._hear_reference(check, timely)
            else:
                signals += self._judge(check, timely)
        return signals

    def tick(self, now: datetime, monotonic: float) -> bool:
        """Let time pass; return whether it may have consequences."""
        self._pass(now, monotonic)
        self._revisit_children()
        return self.book.restless() or abs(now - self._flushed) >= FLUSH

    def conclude(self, signals: Sequence[Signal]) -> Step | None:
        """Draw the consequences; None when there is nothing to write."""
        book: Book = self.book
        changes: list[Change] = []
        if signals or book.restless():
            touched = {asset for signal in signals for asset in self._concerned(signal)}
            book, changes = incidents.apply(book, sorted(touched), self.outlook(self.now))
        idle = not (signals or changes or self._moved)
        if idle and book == self.book and abs(self.now - self._flushed) < FLUSH:
            return None
        states = [(check, part, state) for (check, part), state in sorted(self._dirty.items())]
        return Step(states, signals, changes, book)

    def adopt(self, step: Step) -> None:
        """Believe what is durable now."""
        self.book = step.book
        self._dirty.clear()
        self._moved = False
        self._flushed = self.now

    def outlook(self, now: datetime) -> Outlook:
        """Return how things stand at a moment."""
        return Outlook(self.states, self.topology, now, self.calendar)

    def no_longer_watched(self) -> Step | None:
        """Close what nothing watches any more (after a change of config)."""
        book, changes = incidents.no_longer_watched(self.book, self.topology, self.now)
        return Step([], [], changes, book) if changes else None

    def _pass(self, now: datetime, monotonic: float) -> None:
        """Take note of the time; when the machine's clock was set back, no round of references is later than a look."""
        if now < self.now:
            self.guard.set_back(now)
        self.now, self._mono = now, monotonic

    def _timely(self, look: Observation) -> Observation:
        """Return a look in the time of today: it left before the machine's clock was set back."""
        return replace(look, at=self.now - timedelta(seconds=look.took))

    def _wish(self, check: str, delay: float) -> None:
        self.wishes.append(Wish(check, delay))

    def _hear_reference(self, check: Check, look: Observation) -> list[Signal]:
        """Take a reference's answer; a decided round moves the vantage, and frees the looks that waited for it."""
        verdict = self.guard.hear(look)
        if verdict is None:
            return []
        signals = self._move_vantage(verdict, check.rule)
        for freed in self.guard.release(verdict):
            signals += self._count(self.world.checks[freed.check], freed)
        return signals

    def _move_vantage(self, verdict: Verdict, rule: Rule) -> list[Signal]:
        check, vantage = references(self.world.vantage, verdict.family), self.world.vantage
        before = self.states.get(check, {}).get("")
        if verdict.part.outcome is Outcome.UNKNOWN:  # a family that never worked here was never lost
            state = detect.fresh(verdict.began, verdict.part.reason)
            changed = before is not None and before.settled is not Phase.UNKNOWN
            self._believe(check, "", before, state)
            if not changed or before is None:
                return []
            settled = detect.Settled(before.settled, Phase.UNKNOWN, verdict.began, verdict.part.reason)
            return [self._signal(check, "", vantage, settled)]
        after, settled_now = detect.step(before, verdict.part, rule, verdict.began)
        self._believe(check, "", before, after)
        if settled_now and settled_now.new is Phase.UP:
            self._look_round(verdict.family)
        return [self._signal(check, "", vantage, settled_now)] if settled_now else []

    def _look_round(self, family: int) -> None:
        """Look at what could not be known, without a burst: the cadence would leave it unknown for minutes."""
        unknown = [
            check.id
            for check in self.world.checks.values()
            if check.target.family == family
            and any(state.phase is Phase.UNKNOWN for state in self.states.get(check.id, {}).values())
        ]
        for number, check in enumerate(unknown):
            self._wish(check, number / RETURN_RATE)

    def _judge(self, check: Check, look: Observation) -> list[Signal]:
        """Count a look if it counts now; if it has to wait for the references, ask them at once."""
        counted = self.guard.judge(look)
        if counted:
            return self._count(check, counted[0])
        for name, part in look.parts.items():
            before = self.states.get(check.id, {}).get(name)
            if part.outcome is Outcome.FAILED:
                self._believe(check.id, name, before, detect.hold(before, part, look.at))
        self._ask_references(look.target.family)
        self._look_again(check, look)
        return []

    def _ask_references(self, family: int) -> None:
        """Ask for a round now, a second after the last one at the earliest, unless one is wanted or two are under way.

        A round is whole when its last reference has spoken. Asked faster than a silent one can fail, rounds would pile
        up before it, and a cut of the own link would be known when the last of them is through.
        """
        now = self._mono
        last = self._rounds.get(family, now - 1.0)
        if last > now or self.guard.busy(family):
            return
        due = self._rounds[family] = max(now, last + 1.0)
        for reference in self.guard.references(family):
            self._wish(reference, due - now)

    def _count(self, check: Check, look: Observation) -> list[Signal]:
        """Let a look move what is believed of its parts."""
        signals = []
        parts = self.states.setdefault(check.id, {})
        for name, part in look.parts.items():
            before = parts.get(name)
            after, settled = detect.step(before, part, check.rule, look.at)
            self._believe(check.id, name, before, after)
            if settled:
                signals.append(self._signal(check.id, name, check.asset, settled))
        self._look_again(check, look)
        return signals

    def _believe(self, check: str, part: str, before: State | None, after: State) -> None:
        self.states.setdefault(check, {})[part] = after
        moved = before is None or before.phase is not after.phase
        if moved:
            self._moved = True
        if moved or (before and before.run != after.run):
            self._dirty[check, part] = after

    def _signal(self, check: str, part: str, asset: str, settled: detect.Settled) -> Signal:
        return Signal(check, part, asset, settled.old, settled.new, self.now, settled.began, settled.reason)

    def _look_again(self, check: Check, look: Observation) -> None:
        """Ask for the next look where the cadence would be too late; a first doubt asks what stands around it too."""
        failed = any(part.outcome is Outcome.FAILED for part in look.parts.values())
        failures = self._failures.get(check.id, 0) + 1 if failed else 0
        self._failures[check.id] = failures
        states = self.states.get(check.id, {})
        wanted = [again(states[name], failures, check.rule, self.now) for name in look.parts if name in states]
        delays = [delay for delay in wanted if delay is not None]
        if delays:
            self._wish(check.id, min(delays))
        if failures in {1, 2} and delays:
            near = self._needed(check.asset) if failures == 1 else self._beside(check.asset)
            for number, other in enumerate(self._undoubted_checks(near)):
                self._wish(other, number / RETURN_RATE if failures == 2 else 0.0)

    def _needed(self, asset: str) -> Iterable[str]:
        """Return the asset and what it needs, also what shares with it a need that nobody watches."""
        return (asset, *self.topology.parents(asset), *self.topology.siblings(asset))

    def _beside(self, asset: str) -> Iterable[str]:
        """Return what stands beside an asset: the other servers of what it serves, and what is in its territory."""
        beside = [other for whole in self.topology.served.get(asset, ()) for other in self.topology.servers[whole]]
        return dict.fromkeys([*beside, *self.topology.neighbours(asset)[:NEIGHBOURS]])

    def _undoubted_checks(self, assets: Iterable[str]) -> list[str]:
        """Return the checks of these assets whose verdict decides with the one in doubt, and that are not asked yet."""
        checks = dict.fromkeys(check for asset in assets for check in self.topology.checks.get(asset, ()))
        return [check for check in checks if self._undoubted(check)]

    def _undoubted(self, check: str) -> bool:
        """Whether a check is not on its way to a verdict yet, nor down."""
        return check in self.world.checks and all(
            state.phase not in {*BETWEEN, Phase.DOWN} for state in self.states.get(check, {}).values()
        )

    def _revisit_children(self) -> None:
        """Look often at what stood behind a cause that has come back."""
        for incident in self.book.open.values():
            if incident.asset not in self.book.recovered:
                continue
            for check in (check for child in incident.children for check in self.topology.checks.get(child, ())):
                states: Mapping[str, State] = self.states.get(check, {})
                if all(self.now - state.seen >= CHILDREN_EVERY for state in states.values()):
                    self._wish(check, 0.0)

    def _concerned(self, signal: Signal) -> tuple[str, ...]:
        check = self.world.checks.get(signal.check)
        return (signal.asset, *(check.serves if check else ()))
