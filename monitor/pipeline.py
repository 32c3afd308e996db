"""The straight line, from looks to rows that tell people. Read this first.

One turn at a time: the turns are serialised by whoever calls `take` and `tick`. Nothing is believed before it is
committed, and nothing is sent before it is committed.
"""

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from alerting.directory import Directory
from alerting.journal import Journal, JournalError, can_pass
from alerting.model import Alert
from alerting.plan import Planned, plan, tell_newly_named
from monitor.alerts import Blind, overlapping, signs, to_alert
from monitor.baseline import Baselines
from monitor.belief import Belief, Step
from monitor.docket import Book
from monitor.heartbeat import Heartbeat
from monitor.ledger import Boot, Ledger
from monitor.model import Incident, Phase, Signal, State, World
from monitor.topology import Topology
from monitor.ways import cut
from probes.clock import Clock
from probes.model import Observation

log = logging.getLogger("lambi.pipeline")

T = TypeVar("T")

KEEP = timedelta(days=7)
"""How long a closed incident stays at hand for messages that are still on their way; the wall clock may jump."""
WHOLE_AGAIN = timedelta(seconds=10)
"""How long messages that wait for the way out leave the rest of it to come back, so that they can say so."""


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
    """The line: what it believes, made durable, and told."""

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
        self.belief = Belief(world, boot.states, boot.book, boot.worked, clock.now(), usual=Baselines(boot.learned))
        self.version = 0
        """Grows with every signal or change: what the page shows is out of date at once."""
        self.trouble = ""
        """Why the journal cannot be written, while it cannot."""
        self.looked: float | None = None
        """When a batch of looks last went through the whole line, monotonic; what peers say of themselves is none."""
        self.written: float | None = None
        """When a turn was last in the journal, monotonic."""
        self.waits = False
        """A turn waits for the disk just now."""
        self._journal, self._ledger, self._series = journal, ledger, series
        self._clock, self._doors, self._base_url, self._note = clock, doors, base_url, note
        self._committing: dict[str, Incident] = {}
        """What the turn under way says: its rows may be claimed before their commit has come back."""
        self._recent = {incident.id: incident for incident in boot.unfinished}
        self._since: dict[str, float] = {}
        """Since when a closed incident is kept, monotonic."""
        self._back: datetime | None = None
        """Since when this vantage sees the world again, in part at least, and nothing has left because of it yet."""

    @property
    def topology(self) -> Topology:
        """What depends on what."""
        return self.belief.topology

    @property
    def states(self) -> Mapping[str, Mapping[str, State]]:
        """Check -> part -> what is believed of it."""
        return self.belief.states

    @property
    def book(self) -> Book:
        """The open incidents."""
        return self.belief.book

    @property
    def passed(self) -> datetime:
        """When the line last went through; what it shows is as old as that."""
        return self.belief.now

    async def resume(self, cuts: Iterable[Incident]) -> None:
        """Go on after a start: ``cuts`` are when this vantage was cut off.

        What nothing watches any more is closed; what was in doubt is looked at at once; whoever is newly named is told.
        """
        self.belief.resume()
        self._recent |= {cut.id: cut for cut in cuts if cut.closed}
        step = self.belief.no_longer_watched()
        if step:
            await self._commit(step)
            self._adopt(step)
        await self._tell_newly_named()
        self._ask()

    async def _tell_newly_named(self, moved: Collection[str] = ()) -> None:
        """Tell of what is open whoever the files name now and did not before; ``moved``: who has other addresses."""

        async def write() -> list[Planned]:
            async with self._journal.transaction() as tx:
                return await tell_newly_named(tx, self.standing(), self.directory, self._clock.now(), moved)

        if await self.surely(write):
            self._doors.planned()

    async def reload(self, world: World, directory: Directory) -> None:
        """Go by another config, between two turns: what is believed, what is open and who is told of it stay.

        What nothing watches any more is closed, and those who were told are told; so is whoever is newly named.
        """
        moved = directory.moved(self.directory)
        self.world, self.directory = world, directory
        self.belief = self.belief.under(world)
        for draw in (self.belief.no_longer_watched, self.belief.reconsider):
            if step := draw():
                step = self._pin(step)
                planned = await self._commit(step)
                self._adopt(step)
                if planned:
                    self._doors.planned()
        await self._tell_newly_named(moved)
        self.version += 1
        self._ask()

    async def take(self, looks: Sequence[Observation]) -> None:
        """Take a batch of looks through the whole line."""
        self._series.add(looks)
        signals = self.belief.hear(looks, self._clock.now(), self._clock.monotonic())
        self._ask()
        await self._conclude(signals)
        if any(look.kind != Heartbeat.kind for look in looks):
            self.looked = self._clock.monotonic()

    async def tick(self) -> None:
        """Draw the consequences of time alone, and keep the journal at most ten seconds behind."""
        signals = self.belief.tick(self._clock.now(), self._clock.monotonic())
        self._ask()
        self._use_way_out()
        if signals or self.belief.restless():
            await self._conclude(signals)

    def truth(self, incident: str) -> Alert | None:
        """Say what is true of an incident now, or None if nothing is known of it."""
        known = self._committing.get(incident) or self.book.open.get(incident) or self._recent.get(incident)
        return self._alert(known) if known else None

    def standing(self) -> list[Alert]:
        """Return the truth about every open incident."""
        return [self._alert(incident) for incident in self.book.open.values()]

    def blind(self, since: datetime, but: str = "") -> Blind:
        """Return when this site was cut off since a moment; ``but``: an incident that does not count."""
        known = (*self.book.open.values(), *self._recent.values())
        cuts = [cut for cut in known if cut.asset == self.world.vantage and cut.phase is Phase.DOWN]
        return overlapping(cuts, since, but)

    def sees(self, family: int) -> bool:
        """Whether this vantage sees the world over an address family; without references nothing says otherwise."""
        return self.belief.own.sees(family) or not self.belief.own.guard.references(family)

    def cut(self, channel: object) -> str:
        """Say why the provider of a channel cannot be reached from here, or ""."""
        return cut(channel, self.belief.own.sees, self.belief.own.lost)

    def _ask(self) -> None:
        """Have looked at what is wished for."""
        for wish in self.belief.take_wishes():
            if wish.vantage == self.world.vantage:
                self._doors.again(wish.check, wish.delay)

    async def _conclude(self, signals: list[Signal]) -> None:
        """Draw the consequences, commit them in one transaction with the rows that tell people, then believe them."""
        step = self.belief.conclude(signals)
        if step is None:
            return
        step = self._pin(step)
        planned = await self._commit(step)
        self._adopt(step)
        if planned:
            self._doors.planned()
        if any(signal.asset == self.world.vantage and signal.new is Phase.UP for signal in signals):
            self._back = self._back or self.belief.now
        self._use_way_out()

    def _use_way_out(self) -> None:
        """Let messages that wait leave once this vantage is whole again, or has been so in part for a while."""
        if self._back is None:
            return
        whole = self.topology.standing(self.world.vantage, self.states).phase is Phase.UP
        if whole or self._clock.now() - self._back >= WHOLE_AGAIN:
            self._back = None
            self._doors.path_restored()

    async def _commit(self, step: Step) -> bool:
        """Write one turn; return whether somebody is to be told."""
        self._committing = {change.incident.id: change.incident for change in step.changes}
        now = self.belief.now

        async def write() -> list[Planned]:
            async with self._journal.transaction() as tx:
                await self._ledger.write(tx, now, step)
                return [
                    row
                    for change in step.changes
                    for row in await plan(tx, self._alert(change.incident), self.directory, now)
                ]

        return bool(await self.surely(write))

    async def surely(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write; while the journal cannot be written the line stands still and says so; a defect is raised."""
        self.waits = True
        while True:
            try:
                done = await write()
            except (JournalError, sqlite3.Error) as error:
                if not can_pass(error):
                    raise
                self.trouble = f"the journal cannot be written: {error}"
                log.error("journal error=%r: trying again", str(error))
                await self._clock.sleep_until(self._clock.monotonic() + 1.0)
            else:
                self.trouble, self.written, self.waits = "", self._clock.monotonic(), False
                return done

    def _adopt(self, step: Step) -> None:
        self.belief.adopt(step)
        self._committing = {}
        for incident in (change.incident for change in step.changes):
            log.info("incident id=%s revision=%d %s", incident.id, incident.revision, incident.timeline[-1].text)
            if incident.closed:
                self._recent[incident.id] = incident
                self._since[incident.id] = self._clock.monotonic()
        ended = self._clock.monotonic() - KEEP.total_seconds()
        for old in [id_ for id_, since in self._since.items() if since < ended]:
            self._recent.pop(old, None)
            del self._since[old]
        if step.signals or step.changes:
            self.version += 1

    def _pin(self, step: Step) -> Step:
        """Pin the runbook of today to an incident that opens."""
        pinned = [
            replace(change, incident=replace(change.incident, runbook=self._doors.pin(self._alert(change.incident))))
            if change.incident.revision == 1
            else change
            for change in step.changes
        ]
        known = step.book.open
        fresh = {change.incident.id: change.incident for change in pinned if change.incident.id in known}
        return replace(step, changes=pinned, book=replace(step.book, open={**known, **fresh}))

    def _alert(self, incident: Incident) -> Alert:
        blind = self.blind(incident.began, incident.id)
        first = self._committing.get(incident.part_of) or self.book.open.get(incident.part_of)
        beside = self.topology.name(first.asset) if first and incident.fellow else ""
        alert = to_alert(incident, self.topology, blind, self._base_url, self._note(), beside=beside)
        over = incident.asset in self.book.recovered and not incident.children
        labels = {**alert.labels, **signs(incident, self.topology, self.states)}
        return replace(alert, labels=labels, held=over and incident.closed is None)
