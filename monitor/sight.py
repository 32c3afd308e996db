"""What one vantage believes: its own-link guard, its states, and what it wishes to look at again. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from monitor import detect
from monitor.baseline import Baselines
from monitor.guard import Guard, Verdict
from monitor.model import Check, Phase, Rule, State, World
from monitor.recheck import again
from monitor.standing import says_the_same
from monitor.topology import Topology, references
from probes.model import Observation, Outcome, Part

RETURN_RATE = 100.0
"""Looks a second at what could not be known, once this vantage sees the world again."""
BETWEEN = {Phase.SUSPECT, Phase.RECOVERING}
NEIGHBOURS = 50
"""At most so many are looked at because one beside them is in doubt."""
STALE = 3.0
"""After so many cadences without a look nothing is known any more."""
STALE_SECONDS = 60.0
"""But not sooner than after so many seconds."""


class Wish(NamedTuple):
    """Look at a check in so many seconds, before its cadence does."""

    check: str
    delay: float
    vantage: str


class Turned(NamedTuple):
    """A durable verdict of one part that changed."""

    check: str
    part: str
    asset: str
    settled: detect.Settled


@dataclass(slots=True)
class Sight:
    """One vantage."""

    world: World
    topology: Topology
    vantage: str
    states: dict[str, dict[str, State]]
    seen: set[int]
    """Families that have seen the world from there, ever."""
    now: datetime
    usual: Baselines = field(default_factory=Baselines)
    monotonic: float = 0.0
    guard: Guard = field(init=False)
    wishes: list[Wish] = field(default_factory=list)
    dirty: dict[tuple[str, str], State] = field(default_factory=dict)
    """What has to be written: phases and runs that changed."""
    moved: bool = False
    """Some phase has changed since `dirty` was emptied: a doubt must survive a crash too."""
    lateness: deque[float] = field(default_factory=lambda: deque(maxlen=2000))
    """Seconds between when looks were due and when they left."""
    shared: bool = False
    """Other vantages look too: what is touched is remembered for the quorum."""
    news: set[str] = field(default_factory=set)
    """Checks of which something else is believed than when this was last emptied; not when shared."""
    _touched: dict[tuple[str, str], None] = field(default_factory=dict)
    _patience: dict[str, timedelta] = field(init=False)
    """Check -> after so long without a look nothing is known of it any more."""
    _shortest: timedelta = field(init=False)
    """The least of them."""
    _lately: datetime = field(init=False)
    """No check that is believed something of has been silent for too long before this and `_shortest` are over."""
    _failures: dict[str, int] = field(default_factory=dict)
    _rounds: dict[int, float] = field(default_factory=dict)
    """Family -> when a round was last asked for out of turn, monotonic."""

    def __post_init__(self) -> None:
        self.guard = Guard(self.world.checks.values(), self.world.quorum, self.seen)
        self._patience = {
            name: timedelta(seconds=max(STALE * check.every, STALE_SECONDS) + check.timeout)
            for name, check in self.world.checks.items()
            if not check.reference
        }
        self._shortest = min(self._patience.values(), default=timedelta())
        seen = (state.seen for parts in self.states.values() for state in parts.values())
        self._lately = min(seen, default=self.now)

    def time(self, now: datetime, monotonic: float) -> None:
        """Take note of the time; when the machine's clock was set back, no round of references is later than a look."""
        if now < self.now:
            self.guard.set_back(now)
        self.now, self.monotonic = now, monotonic

    def resume(self) -> None:
        """Wish for looks at what is in doubt."""
        for check, parts in self.states.items():
            if check in self.world.checks and any(state.phase in BETWEEN for state in parts.values()):
                self._wish(check, 0.0)

    def hear(self, check: Check, look: Observation) -> list[Turned]:
        """Let a look move what is believed."""
        if look.at > self.now:  # it left before the machine's clock was set back
            look = replace(look, at=self.now - timedelta(seconds=look.took))
        self.lateness.append((look.at - look.due).total_seconds())
        return self._hear_reference(check, look) if check.reference else self._judge(check, look)

    def forget(self) -> list[Turned]:
        """Let go of what no look has told of for long: it is not known any more."""
        turned = []
        for name, part in self._silent() if self.now > self._lately + self._shortest else ():
            before = self.states[name][part]
            silent = (self.now - before.seen).total_seconds()
            after, settled = detect.forget(before, f"no look has come in for {silent:.0f} s", self.now)
            self.believe(name, part, before, after)
            turned += [Turned(name, part, self.world.checks[name].asset, settled)] if settled else []
        return turned

    def _silent(self) -> list[tuple[str, str]]:
        """Return the parts that no look has told of for too long, and of which something is believed all the same."""
        ends = [
            (state.seen + patience, name, part)
            for name, patience in self._patience.items()
            for part, state in self.states.get(name, {}).items()
            if state.phase is not Phase.UNKNOWN
        ]
        self._lately = min((end for end, _, _ in ends if end >= self.now), default=self.now) - self._shortest
        return [(name, part) for end, name, part in ends if end < self.now]

    def sees(self, family: int) -> bool:
        """Whether its own link is known to work over a family."""
        state = self.states.get(references(self.vantage, family), {}).get("")
        return state is not None and state.settled in {Phase.UP, Phase.DEGRADED}

    def lost(self, family: int) -> bool:
        """Whether its own link is known to be cut over a family."""
        state = self.states.get(references(self.vantage, family), {}).get("")
        return state is not None and state.settled is Phase.DOWN

    def take_touched(self) -> list[tuple[str, str]]:
        """Return the parts whose state is another than when this was last asked."""
        touched, self._touched = self._touched, {}
        return list(touched)

    def believe(self, check: str, part: str, before: State | None, after: State) -> None:
        """Take a new state."""
        self.states.setdefault(check, {})[part] = after
        if self.shared:
            self._touched[check, part] = None
        elif before is None or not says_the_same(before, after):
            self.news.add(check)
        self._lately = min(self._lately, after.seen)
        moved = before is None or before.phase is not after.phase
        if moved:
            self.moved = True
        if moved or (before and before.run != after.run):
            self.dirty[check, part] = after

    def _wish(self, check: str, delay: float) -> None:
        self.wishes.append(Wish(check, delay, self.vantage))

    def _hear_reference(self, check: Check, look: Observation) -> list[Turned]:
        """Take a reference's answer; a decided round moves the vantage, and frees the looks that waited for it."""
        verdict = self.guard.hear(look)
        if verdict is None:
            return []
        turned = self._move_vantage(verdict, check.rule)
        for freed in self.guard.release(verdict):
            turned += self._count(self.world.checks[freed.check], freed)
        return turned

    def _move_vantage(self, verdict: Verdict, rule: Rule) -> list[Turned]:
        check = references(self.vantage, verdict.family)
        before = self.states.get(check, {}).get("")
        if verdict.part.outcome is Outcome.UNKNOWN:  # a family that never worked here was never lost
            state = detect.fresh(verdict.began, verdict.part.reason)
            changed = before is not None and before.settled is not Phase.UNKNOWN
            self.believe(check, "", before, state)
            if not changed or before is None:
                return []
            settled = detect.Settled(before.settled, Phase.UNKNOWN, verdict.began, verdict.part.reason)
            return [Turned(check, "", self.vantage, settled)]
        after, settled_now = detect.step(before, verdict.part, rule, verdict.began)
        self.believe(check, "", before, after)
        if settled_now and settled_now.new is Phase.UP:
            self._look_round(verdict.family)
        return [Turned(check, "", self.vantage, settled_now)] if settled_now else []

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

    def _judge(self, check: Check, look: Observation) -> list[Turned]:
        """Count a look if it counts now; if it has to wait for the references, ask them at once."""
        counted = [look] if check.local else self.guard.judge(look)
        if counted:
            return self._count(check, counted[0])
        for name, part in look.parts.items():
            before = self.states.get(check.id, {}).get(name)
            if part.outcome is Outcome.FAILED:
                self.believe(check.id, name, before, detect.hold(before, part, look.at))
        self._ask_references(look.target.family)
        self._look_again(check, look)
        return []

    def _ask_references(self, family: int) -> None:
        """Ask for a round now, a second after the last one at the earliest, unless one is wanted or two are under way.

        A round is whole when its last reference has spoken. Asked faster than a silent one can fail, rounds would pile
        up before it, and a cut of the own link would be known when the last of them is through.
        """
        now = self.monotonic
        last = self._rounds.get(family, now - 1.0)
        if last > now or self.guard.busy(family):
            return
        due = self._rounds[family] = max(now, last + 1.0)
        for reference in self.guard.references(family):
            self._wish(reference, due - now)

    def _count(self, check: Check, look: Observation) -> list[Turned]:
        """Let a look move what is believed of its parts."""
        turned = []
        parts = self.states.setdefault(check.id, {})
        for name, part in look.parts.items():
            before = parts.get(name)
            word = self.usual.judge(check, look, name, before) if check.rule.baselines else None
            after, settled = detect.step(before, part, check.rule, look.at, word)
            self.believe(check.id, name, before, after)
            if settled:
                turned.append(Turned(check.id, name, check.asset, settled))
        if len(parts) > len(look.parts):
            turned += self._untold(check, look, [name for name in parts if name and name not in look.parts])
        self._look_again(check, look)
        return turned

    def _untold(self, check: Check, look: Observation, names: list[str]) -> list[Turned]:
        """Take note of the parts that a look does not tell of: with the whole they cannot be known, else they are gone.

        What is gone is in no trouble any more.
        """
        whole, turned = look.parts.get(""), []
        if whole is None:
            return []
        for name in names:
            before = self.states[check.id][name]
            after, settled = detect.gone(before, look.at)
            if whole.outcome is not Outcome.OK:
                after, settled = detect.step(before, Part(Outcome.UNKNOWN, whole.reason), check.rule, look.at)
            self.believe(check.id, name, before, after)
            turned += [Turned(check.id, name, check.asset, settled)] if settled else []
        return turned

    def _look_again(self, check: Check, look: Observation) -> None:
        """Ask for the next look where the cadence would be too late; a first doubt asks what stands around it too."""
        failures = self._failures[check.id] = self._failures.get(check.id, 0) + 1 if look.failed() else 0
        states = self.states.get(check.id, {})
        doubted = [states[name] for name in look.parts if name in states and states[name].phase in BETWEEN]
        if not doubted:
            return
        wanted = [again(state, failures, check.rule, self.now) for state in doubted]
        delays = [delay for delay in wanted if delay is not None]
        if delays:
            self._wish(check.id, min(delays))
        if failures in {1, 2} and delays:
            near = self._needed(check) if failures == 1 else self._beside(check.asset)
            for number, other in enumerate(self._undoubted_checks(near)):
                self._wish(other, number / RETURN_RATE if failures == 2 else 0.0)

    def _needed(self, check: Check) -> Iterable[str]:
        """Return the asset and what it needs, also what shares with it a need that nobody watches, or runs over it."""
        asset = check.asset
        parents, siblings = self.topology.parents(asset), self.topology.siblings(asset)
        return dict.fromkeys((asset, *parents, *siblings, *check.carries.values()))

    def _beside(self, asset: str) -> Iterable[str]:
        """Return what stands beside an asset: the other servers of what it serves, and what is in its territory."""
        beside = [other for whole in self.topology.served.get(asset, ()) for other in self.topology.servers[whole]]
        return dict.fromkeys([*beside, *islice(self.topology.neighbours(asset), NEIGHBOURS)])

    def _undoubted_checks(self, assets: Iterable[str]) -> list[str]:
        """Return the checks of these assets whose verdict decides with the one in doubt, and that are not asked yet."""
        checks = dict.fromkeys(check for asset in assets for check in self.topology.checks.get(asset, ()))
        return [check for check in checks if self._undoubted(check)]

    def _undoubted(self, check: str) -> bool:
        """Whether a check is not on its way to a verdict yet, nor down."""
        return check in self.world.checks and all(
            state.phase not in {*BETWEEN, Phase.DOWN} for state in self.states.get(check, {}).values()
        )
