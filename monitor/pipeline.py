"""The straight line, from looks to rows that tell people. Read this first.

One turn at a time: the turns are serialised by whoever calls `take` and `tick`. Nothing is believed before it is
committed, and nothing is sent before it is committed.
"""

import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from alerting.journal import Journal, JournalError
from alerting.model import Alert
from alerting.plan import Directory, plan
from monitor import detect, incidents
from monitor.alerts import overlapping, to_alert
from monitor.guard import Guard, Verdict
from monitor.ledger import Boot, Ledger, Step
from monitor.model import Check, Incident, Phase, Rule, Signal, State, World
from monitor.recheck import again
from monitor.topology import Topology, references
from probes.clock import Clock
from probes.model import Observation, Outcome

log = logging.getLogger("lambi.pipeline")

KEEP = timedelta(days=7)
"""How long a closed incident stays at hand for messages that are still on their way."""
FLUSH = timedelta(seconds=10)
"""At most so late are running counters and the sign of life in the journal."""
RETURN_RATE = 100.0
"""Looks a second at what could not be known, once this vantage sees the world again."""
WHOLE_AGAIN = timedelta(seconds=10)
"""How long messages that wait for the way out leave the rest of it to come back, so that they can say so."""
BETWEEN = {Phase.SUSPECT, Phase.RECOVERING}
CHILDREN_EVERY = timedelta(seconds=5)
"""How often what stood behind a recovered cause is looked at until it is back."""


class Series(Protocol):
    """Where observations are kept; never blocks, never fails."""

    def add(self, observations: Iterable[Observation]) -> None:
        """Take them."""
        ...


@dataclass(frozen=True, slots=True)
class Doors:
    """What the line calls besides its own records."""

    again: Callable[[str, float], None]
    """Look at a check in so many seconds."""
    planned: Callable[[], None]
    """Rows to send have been committed."""
    path_restored: Callable[[], None]
    """This vantage sees the world again."""
    pin: Callable[[Alert], str]
    """The runbook of an alert, as ``id@hash``, or ""."""


class Pipeline:
    """The line and what it believes."""

    def __init__(
        self,
        world: World,
        directory: Directory,
        *,
        journal: Journal,
        ledger: Ledger,
        series: Series,
        clock: Clock,
        doors: Doors,
        boot: Boot,
        base_url: str = "",
        note: Callable[[], str] = lambda: "",
    ) -> None:
        self.world = world
        self.directory = directory
        self.topology = Topology(world)
        worked = {family for family in (4, 6) if references(world.vantage, family) in boot.worked}
        self.guard = Guard(world.checks.values(), world.quorum, worked)
        self.states = boot.states
        self.book = boot.book
        self.lateness: deque[float] = deque(maxlen=2000)
        """Seconds between when looks were due and when they left."""
        self.version = 0
        """Grows with every signal or change: what the page shows is out of date at once."""
        self.trouble = ""
        """Why the journal cannot be written, while it cannot."""
        self._journal, self._ledger, self._series = journal, ledger, series
        self._clock, self._doors, self._base_url, self._note = clock, doors, base_url, note
        self._committing: dict[str, Incident] = {}
        """What the turn under way says: its rows may be claimed before their commit has come back."""
        self._recent = {incident.id: incident for incident in boot.unfinished}
        self._back: datetime | None = None
        """Since when this vantage sees the world again, in part at least, and nothing has left because of it yet."""
        self._failures: dict[str, int] = {}
        self._rounds: dict[int, float] = {}
        """Family -> when a round was last asked for out of turn, monotonic."""
        self._dirty: dict[tuple[str, str], State] = {}
        self._moved = False
        """Some phase has changed since the last commit: a doubt must survive a crash too."""
        self._flushed = self.passed = clock.now()
        """When the line last went through; what it shows is as old as that."""

    async def resume(self, cuts: Iterable[Incident]) -> None:
        """Go on after a start: ``cuts`` are when this vantage was cut off.

        What nothing watches any more is closed; what was in doubt is looked at at once.
        """
        for check, parts in self.states.items():
            if check in self.world.checks and any(state.phase in BETWEEN for state in parts.values()):
                self._doors.again(check, 0.0)
        self._recent |= {cut.id: cut for cut in cuts if cut.closed}
        now = self._clock.now()
        book, changes = incidents.no_longer_watched(self.book, self.topology, now)
        if changes:
            await self._commit(now, Step([], [], changes, book))
            self._adopt(book, changes, now)

    async def take(self, looks: Sequence[Observation]) -> None:
        """Take a batch of looks through the whole line."""
        self._pass()
        self._series.add(looks)
        signals: list[Signal] = []
        for look in map(self._timely, looks):
            check = self.world.checks.get(look.check)
            if check is None:
                continue  # asked before a change of config, answered after it
            self.lateness.append((look.at - look.due).total_seconds())
            if check.reference:
                signals += self._hear(look)
            else:
                signals += self._judge(check, look)
        await self._conclude(signals)

    async def tick(self) -> None:
        """Draw the consequences of time alone, and keep the journal at most ten seconds behind."""
        self._pass()
        self._revisit_children()
        self._use_way_out()
        if self.book.restless() or abs(self._clock.now() - self._flushed) >= FLUSH:
            await self._conclude([])

    def _pass(self) -> None:
        """Take note of the time; when the machine's clock was set back, no round of references is later than a look."""
        now = self._clock.now()
        if now < self.passed:
            self.guard.set_back(now)
        self.passed = now

    def _timely(self, look: Observation) -> Observation:
        """Return a look in the time of today: it left before the machine's clock was set back."""
        return replace(look, at=self.passed - timedelta(seconds=look.took)) if look.at > self.passed else look

    def truth(self, incident: str) -> Alert | None:
        """Say what is true of an incident now, or None if nothing is known of it."""
        known = self._committing.get(incident) or self.book.open.get(incident) or self._recent.get(incident)
        return self._alert(known) if known else None

    def _hear(self, look: Observation) -> list[Signal]:
        """Take a reference's answer; a decided round moves the vantage, and frees the looks that waited for it."""
        verdict = self.guard.hear(look)
        if verdict is None:
            return []
        signals = self._move_vantage(verdict, self.world.checks[look.check].rule)
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
            self._doors.again(check, number / RETURN_RATE)

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
        now = self._clock.monotonic()
        last = self._rounds.get(family, now - 1.0)
        if last > now or self.guard.busy(family):
            return
        due = self._rounds[family] = max(now, last + 1.0)
        for reference in self.guard.references(family):
            self._doors.again(reference, due - now)

    def _count(self, check: Check, look: Observation) -> list[Signal]:
        """Let a look move what is believed of its parts."""
        signals = []
        for name, part in look.parts.items():
            before = self.states.get(check.id, {}).get(name)
            after, settled = detect.step(before, part, check.rule, look.at)
            self._believe(check.id, name, before, after)
            if settled:
                signals.append(self._signal(check.id, name, check.asset, settled))
        self._look_again(check, look)
        return signals

    def _believe(self, check: str, part: str, before: State | None, after: State) -> None:
        self.states.setdefault(check, {})[part] = after
        moved = before is None or before.phase is not after.phase
        self._moved = self._moved or moved
        if moved or (before and before.run != after.run):
            self._dirty[check, part] = after

    def _signal(self, check: str, part: str, asset: str, settled: detect.Settled) -> Signal:
        return Signal(check, part, asset, settled.old, settled.new, self._clock.now(), settled.began, settled.reason)

    def _look_again(self, check: Check, look: Observation) -> None:
        """Ask for the next look where the cadence would be too late; a first doubt asks what stands around it too."""
        failed = any(part.outcome is Outcome.FAILED for part in look.parts.values())
        failures = self._failures.get(check.id, 0) + 1 if failed else 0
        self._failures[check.id] = failures
        now, states = self._clock.now(), self.states.get(check.id, {})
        wanted = [again(states[name], failures, check.rule, now) for name in look.parts if name in states]
        delays = [delay for delay in wanted if delay is not None]
        if delays:
            self._doors.again(check.id, min(delays))
        if failures == 1 and delays:
            for other in self._around(check):
                self._doors.again(other, 0.0)

    def _around(self, check: Check) -> list[str]:
        """Return the other checks of the asset and those of what it needs: their verdict decides with this one."""
        assets = (check.asset, *self.topology.parents(check.asset))
        return [other for asset in assets for other in self.topology.checks.get(asset, ()) if self._undoubted(other)]

    def _undoubted(self, check: str) -> bool:
        """Whether a check is not on its way to a verdict yet, nor down."""
        return check in self.world.checks and all(
            state.phase not in {*BETWEEN, Phase.DOWN} for state in self.states.get(check, {}).values()
        )

    def _revisit_children(self) -> None:
        """Look often at what stood behind a cause that has come back."""
        now = self._clock.now()
        for incident in self.book.open.values():
            if incident.asset not in self.book.recovered:
                continue
            for check in (check for child in incident.children for check in self.topology.checks.get(child, ())):
                if all(now - state.seen >= CHILDREN_EVERY for state in self.states.get(check, {}).values()):
                    self._doors.again(check, 0.0)

    async def _conclude(self, signals: list[Signal]) -> None:
        """Draw the consequences, commit them in one transaction with the rows that tell people, then believe them."""
        now = self._clock.now()
        book = self.book
        changes: list[incidents.Change] = []
        if signals or book.restless():
            touched = {asset for signal in signals for asset in self._concerned(signal)}
            book, changes = incidents.apply(book, sorted(touched), self.states, self.topology, now)
            book, changes = self._pin(book, changes)
        idle = not (signals or changes or self._moved)
        if idle and book == self.book and abs(now - self._flushed) < FLUSH:
            return
        states = [(check, part, state) for (check, part), state in sorted(self._dirty.items())]
        planned = await self._commit(now, Step(states, signals, changes, book))
        self._dirty.clear()
        self._moved = False
        self._flushed = now
        self._adopt(book, changes, now)
        if signals or changes:
            self.version += 1
        if planned:
            self._doors.planned()
        if any(signal.asset == self.world.vantage and signal.new is Phase.UP for signal in signals):
            self._back = self._back or now
        self._use_way_out()

    def _use_way_out(self) -> None:
        """Let messages that wait leave once this vantage is whole again, or has been so in part for a while."""
        if self._back is None:
            return
        whole = self.topology.standing(self.world.vantage, self.states).phase is Phase.UP
        if whole or self._clock.now() - self._back >= WHOLE_AGAIN:
            self._back = None
            self._doors.path_restored()

    def _concerned(self, signal: Signal) -> tuple[str, ...]:
        check = self.world.checks.get(signal.check)
        return (signal.asset, *(check.serves if check else ()))

    async def _commit(self, now: datetime, step: Step) -> bool:
        """Write one turn; while the journal cannot be written the line stands still and says so."""
        self._committing = {change.incident.id: change.incident for change in step.changes}
        while True:
            try:
                async with self._journal.transaction() as tx:
                    await self._ledger.write(tx, now, step)
                    rows = [
                        row
                        for change in step.changes
                        for row in await plan(tx, self._alert(change.incident), self.directory, now)
                    ]
            except (JournalError, sqlite3.Error) as error:
                self.trouble = f"the journal cannot be written: {error}"
                log.error("journal error=%r: trying again", str(error))
                await self._clock.sleep_until(self._clock.monotonic() + 1.0)
            else:
                self.trouble = ""
                return bool(rows)

    def _adopt(self, book: incidents.Book, changes: Iterable[incidents.Change], now: datetime) -> None:
        self.book = book
        self._committing = {}
        for incident in (change.incident for change in changes):
            log.info("incident id=%s revision=%d %s", incident.id, incident.revision, incident.timeline[-1].text)
            if incident.closed:
                self._recent[incident.id] = incident
        for old in [id_ for id_, known in self._recent.items() if known.closed and now - known.closed > KEEP]:
            del self._recent[old]

    def _pin(
        self, book: incidents.Book, changes: list[incidents.Change]
    ) -> tuple[incidents.Book, list[incidents.Change]]:
        """Pin the runbook of today to an incident that opens."""
        pinned = [
            replace(change, incident=replace(change.incident, runbook=self._doors.pin(self._alert(change.incident))))
            if change.incident.revision == 1
            else change
            for change in changes
        ]
        fresh = {change.incident.id: change.incident for change in pinned if change.incident.id in book.open}
        return replace(book, open={**book.open, **fresh}), pinned

    def _alert(self, incident: Incident) -> Alert:
        known = (*self.book.open.values(), *self._recent.values())
        cuts = [cut for cut in known if cut.asset == self.world.vantage and cut.phase is Phase.DOWN]
        return to_alert(incident, self.topology, overlapping(cuts, incident), self._base_url, self._note())
