"""Drives a `Belief` through simulated time: what is due, what is looked at again, what answers, who would be told.

The same in each run: the script decides all, and nothing here is drawn by chance. Seconds count from the start and
never jump; the wall clock may (`steps`).
"""

import heapq
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from alerting.model import Reason, Severity, Told
from alerting.route import why_notify
from monitor.alerts import to_alert
from monitor.belief import Belief
from monitor.cadence import due, make_groups
from monitor.docket import Book, Change
from monitor.maintenance import Calendar
from monitor.model import Check, Signal, World
from monitor.outlook import NO_WORK
from probes.model import Observation, Outcome, Part

OK = Part(Outcome.OK, "", {"rtt_seconds": 0.05})
SILENT = Part(Outcome.FAILED, "no answer within 2.0 s")
REFUSED = Part(Outcome.FAILED, "connection refused", refused=True)
WINDOW = 60.0
"""Seconds whose ticks are laid out at a time."""

Delays = Callable[[str, Check, float], float]
"""How many seconds late a look of this vantage at this check leaves that is due at that second."""


class Script(Protocol):
    """What the world answers."""

    def answer(self, vantage: str, check: Check, seconds: float) -> tuple[Part, float] | None:
        """Say what a look that leaves at ``seconds`` sees, and how many seconds later it is known; None: no look."""
        ...


class Message(NamedTuple):
    """One message to somebody who hears everything, as `why_notify` decides it."""

    seconds: float
    incident: str
    reason: Reason
    severity: Severity
    also: tuple[str, ...] = ()
    """Further incidents of the same event that it tells of."""


@dataclass(slots=True)
class Record:
    """What came of it, in order of time; the float is the second."""

    changes: list[tuple[float, Change]] = field(default_factory=list)
    signals: list[tuple[float, Signal]] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    looks: int = 0
    """How many have been heard."""


class Replay:
    """Lets time pass in a scripted world."""

    def __init__(
        self,
        world: World,
        script: Script,
        *,
        start: datetime,
        vantages: Sequence[str] = (),
        steps: Mapping[float, float] | None = None,
        pauses: Mapping[float, float] | None = None,
        delays: Delays | None = None,
        calendar: Calendar = NO_WORK,
    ) -> None:
        """``steps``: second -> how far the wall clock jumps there; ``pauses``: second -> for how long nothing runs."""
        self.world, self.start = world, start
        self.belief = Belief(world, {}, Book(), frozenset(), start, calendar)
        self.record = Record()
        self.seconds = 0.0
        self._script, self._delays = script, delays
        self._vantages = tuple(vantages) or (world.vantage, *world.vantages)
        breaks = {"step": steps or {}, "pause": pauses or {}}
        self._breaks = sorted((at, what, by) for what, when in breaks.items() for at, by in when.items())
        self._shift = 0.0
        self._groups = make_groups(world.checks.values())
        self._anchor = self._reached = start
        self._order = itertools.count()
        self._events: list[tuple[float, int, str, Any]] = []
        self._answers: dict[float, list[Observation]] = {}
        self._wanted: dict[tuple[str, str], float] = {}
        self._free: dict[str, defaultdict[str, float]] = {vantage: defaultdict(float) for vantage in self._vantages}
        """Vantage -> check -> when its last question is answered."""
        self._told: dict[str, Told] = {}

    def now(self) -> datetime:
        """Return what the wall clock shows."""
        return self._wall(self.seconds)

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end = self.seconds + seconds
        while self.seconds < end:
            ahead = self._breaks[0][0] if self._breaks else end
            if ahead <= self.seconds:
                self._break(*self._breaks.pop(0)[1:])
                continue
            self._pass(min(end, ahead, self.seconds + WINDOW))

    def _wall(self, seconds: float) -> datetime:
        return self.start + timedelta(seconds=seconds + self._shift)

    def _break(self, what: str, by: float) -> None:
        """Let the wall clock jump, or stand still; set back, the cadences begin anew as the scheduler's do."""
        if what == "pause":
            self.seconds += by
            return
        self._shift += by
        if by < 0:
            self._anchor = self._reached = self.now()

    def _pass(self, until: float) -> None:
        """Handle all that happens until then."""
        for at, slot in self._due(until):
            self._push(at, "slot", slot)
        for second in range(int(self.seconds) + 1, int(until) + 1):
            self._push(float(second), "second", None)
        events = self._events
        while events and events[0][0] <= until:
            at, _, what, load = heapq.heappop(events)
            self.seconds = max(self.seconds, at)
            self._handle(at, what, load)
        self.seconds = until

    def _due(self, until: float) -> list[tuple[float, tuple[str, ...]]]:
        """Return the slots due before then; what a pause or a jump has passed over is asked once, at once."""
        now, end = self.now(), self._wall(until)
        found = []
        for group in self._groups:
            since = max(self._reached, now - timedelta(seconds=group.every))
            for tick in due([group], self._anchor, since, end):
                at = (tick.at - self.start).total_seconds() - self._shift
                found.append((max(at, self.seconds), group.slots[tick.slot]))
        self._reached = end
        return found

    def _push(self, at: float, what: str, load: object) -> None:
        heapq.heappush(self._events, (at, next(self._order), what, load))

    def _handle(self, at: float, what: str, load: Any) -> None:
        if what == "slot":
            for vantage in self._vantages:
                self._ask(vantage, load)
        elif what == "again":
            vantage, check = load
            if self._wanted.get(load) == at:
                del self._wanted[load]
                self._ask(vantage, (check,))
        elif what == "answers":
            looks = self._answers.pop(load)
            self.record.looks += len(looks)
            self._conclude(self.belief.hear(looks, self.now(), self.seconds))
        else:
            signals = self.belief.tick(self.now(), self.seconds)
            if signals or self.belief.restless():
                self._conclude(signals)
            self._grant()

    def _ask(self, vantage: str, checks: Iterable[str]) -> None:
        """Look; one that is still under way is not asked twice, but a reference is asked again after it."""
        now, due_at, free = self.seconds, self.now(), self._free[vantage]
        for name in checks:
            check = self.world.checks[name]
            leaves = max(now, free[name])
            if leaves > now and not check.reference:
                continue
            if self._delays:
                leaves += self._delays(vantage, check, now)
            answer = self._script.answer(vantage, check, leaves)
            if answer is None:
                continue
            part, took = answer
            ends = free[name] = leaves + took
            at = due_at if leaves == now else self._wall(leaves)
            look = Observation(name, check.target, check.kind, vantage, due_at, at, took, {"": part})
            together = self._answers.get(ends)
            if together is None:
                self._answers[ends] = [look]
                self._push(ends, "answers", ends)
            else:
                together.append(look)

    def _conclude(self, signals: Sequence[Signal]) -> None:
        """Draw the consequences and believe them at once."""
        step = self.belief.conclude(signals)
        if step is not None:
            self.belief.adopt(step)
            self.record.signals += [(self.seconds, signal) for signal in step.signals]
            self.record.changes += [(self.seconds, change) for change in step.changes]
            self._tell(step.changes)
        self._grant()

    def _grant(self) -> None:
        """Have looked at what is wished for."""
        for wish in self.belief.take_wishes():
            at, key = self.seconds + wish.delay, (wish.vantage, wish.check)
            if at < self._wanted.get(key, float("inf")):
                self._wanted[key] = at
                self._push(at, "again", key)

    def _tell(self, changes: Iterable[Change]) -> None:
        """Write down whom changes would tell, and why; those of one event share a message."""
        leaving: dict[tuple[str, Reason], Message] = {}
        for incident in (change.incident for change in changes):
            alert = to_alert(incident, self.belief.topology, (), "", "")
            reason = why_notify(alert, self._told.get(incident.id), repeat=timedelta(0), now=self.now())
            if not reason.speaks:
                continue
            self._told[incident.id] = Told(self.now(), alert.severity, alert.closed is not None, alert.revision)
            key = alert.event, Reason.RESOLVED if alert.closed else Reason.FIRST
            known = leaving.get(key)
            leaving[key] = (
                known._replace(also=(*known.also, incident.id))
                if known
                else Message(self.seconds, incident.id, reason, alert.severity)
            )
        self.record.told += leaving.values()
