"""The only caller of `Channel.send`: claims what is due, renders the truth of the moment, records how it ended.

The intent is on disk before the network is touched. Each channel has slots of its own, so one that hangs delays no
other; each try has a hard deadline; a row is retried until its own deadline.
"""

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from alerting import breaker, failover, ladder, receipts, timers, waiting
from alerting.breaker import Breaker
from alerting.claim import Desk, Job
from alerting.directory import Directory
from alerting.drill import Drills
from alerting.handover import hand_over
from alerting.health import Health, health
from alerting.journal import Journal, JournalError, Transaction, can_pass, micros, moment
from alerting.model import (
    Accepted,
    Address,
    Alert,
    Channel,
    Message,
    Reason,
)
from alerting.paper import Press
from alerting.plan import plan_repeat
from alerting.runbooks import Runbooks
from alerting.sender import LIMITS, Limits, Sender
from alerting.waiting import Failure, Waiting

log = logging.getLogger("lambi.outbox")

LOOK_SECONDS = 60.0
"""Wall time may jump: what is due is looked up at least so often."""
GRACE_SECONDS = 1.2
"""So long does `close` wait for tries in flight: a stop may take two seconds. What it cuts off is repeated later."""
JOURNAL_SECONDS = 1.0
"""Wait before a journal that failed is tried again."""
STEP = timedelta(seconds=10)
"""By more than this does wall time never run ahead of monotonic time between two looks, unless the clock was set."""


class Clock(Protocol):
    """Where time comes from: UTC wall time and monotonic seconds."""

    def now(self) -> datetime:
        """Wall time, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep_until(self, deadline: float) -> None:
        """Wait until ``monotonic()`` reaches ``deadline``."""
        ...


@dataclass(frozen=True, slots=True)
class Stats:
    """How the outbox stands."""

    pending: int
    oldest_seconds: float
    """Age of the oldest message that has not left."""
    bugs: int
    """Exceptions that should not have been."""
    broken: tuple[str, ...] = ()
    """Channels whose provider takes nothing at present."""


class Outbox:
    """Sends what the journal says is due."""

    def __init__(  # noqa: PLR0917 - all that it is wired to, once
        self,
        journal: Journal,
        channels: Mapping[str, Channel],
        directory: Callable[[], Directory],
        truth: Callable[[str], Alert | None],
        runbooks: Runbooks,
        clock: Clock,
        site: str,
        limits: Limits = LIMITS,
        standing: Callable[[], Iterable[Alert]] = tuple,
        answer_url: str = "",
        drills: Drills | None = None,
        cut: Callable[[str], str] = lambda _: "",
    ) -> None:
        """``truth``: of an incident or exercise now; ``standing``: every real alert that is open; ``answer_url``: see
        `claim.Desk`; ``cut``: why a channel's provider cannot be reached from here, or ""."""
        self._journal, self._channels, self._directory, self._truth = journal, channels, directory, truth
        self._clock, self._limits, self._standing = clock, limits, standing
        self._sender = Sender(channels, limits.seconds)
        self._drills = drills or Drills()
        self._desk = Desk(channels, directory, truth, runbooks, site, self._sender.bug, standing, answer_url=answer_url)
        self._press = Press()
        self._cut = cut
        self._woken = asyncio.Event()
        self._recovered = False
        self._restored = False
        self.turned: float | None = None
        """When it had last done what was due, monotonic."""
        self._busy: Counter[str] = Counter()
        self._drilling: Counter[str] = Counter()
        """How many of those are about exercises."""
        self._breakers = dict.fromkeys(channels, Breaker())
        self._flying: set[asyncio.Task[None]] = set()
        self._ended: list[tuple[Job, Accepted | Failure]] = []
        """Tries whose end is not on disk yet."""
        self._pending = 0
        self._oldest: datetime | None = None
        self._looked: tuple[datetime, float] | None = None
        """Wall and monotonic time of the last look."""

    def wake(self) -> None:
        """Rows have been planned: look at once."""
        self._woken.set()

    def path_restored(self) -> None:
        """The way out works again: whatever waits after a failed try is due now."""
        self._restored = True
        self._ask_all()
        self._woken.set()

    def _ask_all(self) -> None:
        """Ask every provider that is left alone whether it is back."""
        at = self._clock.monotonic()
        self._breakers = {name: breaker.ask_now(one, at) for name, one in self._breakers.items()}

    def stats(self) -> Stats:
        """Say how much waits, as of the last look."""
        age = (self._clock.now() - self._oldest).total_seconds() if self._oldest else 0.0
        return Stats(self._pending, max(0.0, age), self._sender.bugs, tuple(sorted(self._broken())))

    async def run(self) -> None:
        """Send until cancelled; a defect of ours in the journal's rows is raised, what may pass is waited out."""
        while True:
            self._woken.clear()
            try:
                for job in await self._turn(self._clock.now()):
                    self._launch(job)
                pause = await self._pause(self._clock.now())
                self.turned = self._clock.monotonic()
            except (JournalError, sqlite3.Error) as error:
                _wait_out(error)
                pause = JOURNAL_SECONDS
            await self._wait(pause)

    async def run_due(self, now: datetime) -> int:
        """Try everything that is due at ``now``, one after the other; return the number of tries."""
        tries = 0
        while jobs := await self._turn(now):
            for job in jobs:
                result = await self._try(job)
                self._ended.append((job, result))
            tries += len(jobs)
        await self._pause(now)
        return tries

    async def close(self) -> None:
        """Let tries in flight end for a moment, record them, cut off the others; close the channels."""
        if self._flying:
            await asyncio.wait(self._flying, timeout=GRACE_SECONDS)
        for task in self._flying:
            task.cancel()
        await asyncio.gather(*self._flying, return_exceptions=True)
        try:
            async with self._journal.transaction() as tx:
                await self._record(tx, self._ended, self._clock.now())
        except (JournalError, sqlite3.Error) as error:
            log.error("journal error=%r: what was in flight is repeated after the next start", str(error))
        for channel in self._channels.values():
            await channel.close()

    async def say(self, address: Address, text: str, subject: str = "") -> Accepted | Failure:
        """Answer somebody: see `Sender.say`."""
        return await self._sender.say(address, text, subject, self._clock.now())

    async def _turn(self, now: datetime) -> list[Job]:
        """Record the tries that have ended and write the intents of what is due, at once; return these, on disk."""
        ended, self._ended = self._ended, []
        restored, looked = self._restored, (now, self._clock.monotonic())
        written = False
        try:
            async with self._journal.transaction() as tx:
                await self._record(tx, ended, now)
                await self._prepare(tx, looked, restored=restored)
                jobs = await self._take(tx, now)
                written = True  # whoever is cancelled from here on, waiting for the disk, has written
        except BaseException as error:
            if isinstance(error, Exception) or not written:
                self._ended = ended + self._ended
            raise
        self._recovered, self._looked = True, looked
        if restored:
            self._restored = False
        for job, result in ended:
            _tell(job, result)
        return jobs

    async def _prepare(self, tx: Transaction, looked: tuple[datetime, float], *, restored: bool) -> None:
        """Let time pass for every row: what has expired, who is next, what may go on by another way."""
        now = looked[0]
        if not self._recovered:
            await waiting.recover(tx, now)
        if restored:
            await waiting.hasten(tx, now)
        await waiting.pull_in(tx, now)
        step = ran_ahead(self._looked, looked) if self._looked else timedelta()
        if step > STEP:
            await waiting.prolong(tx, step)
            self._ask_all()  # a board without a clock of its own gets the time when its way out is back
        if abs(step) > STEP:
            await timers.move(tx, step)
        if not self._recovered:
            await timers.pull_in(tx, now)
        await timers.stand_still(tx, [name for name in self._channels if self._cut(name)], now)
        for row, name in await waiting.expire(tx, now, self._broken()):
            await failover.at_once(tx, row, self._directory().contacts.get(name), now)
        out = [name for name, one in self.health().items() if one.out]
        await ladder.advance(tx, self._truth, self._directory(), now, out)
        await hand_over(tx, self._standing, self._directory(), now)
        await self._move_on(tx, now)

    async def _take(self, tx: Transaction, now: datetime) -> list[Job]:
        """Fill the free slots of each channel: with what is real first, then with exercises that it leaves alone."""
        due = await waiting.channels_due(tx, now)
        real = await self._fill(tx, [one for one, drill in due if not drill], Counter(), now, drill=False)
        if not any(drill for _, drill in due):
            return real
        await self._drills.look(tx, self._directory(), now)
        left = [one for one, drill in await waiting.channels_due(tx, now) if drill and one]
        return real + await self._fill(tx, left, Counter(job.row.channel for job in real), now, drill=True)

    async def _fill(
        self, tx: Transaction, channels: list[str], taken: Counter[str], now: datetime, *, drill: bool
    ) -> list[Job]:
        """Fill what is free beside what was ``taken`` before; exercises leave half of the slots to what may come."""
        if not channels:
            return []
        rules, jobs = await self._desk.rules(tx, now), list[Job]()
        for name in channels:
            free = self._free(name) - taken[name]
            if drill:
                free = min(free, max(1, self._limits.slots // 2) - self._drilling[name])
            jobs += await self._desk.take(tx, name, max(0, free), rules, now, drill=drill)
        return jobs

    def _broken(self) -> set[str]:
        """Name the channels whose provider takes nothing at present."""
        return {name for name, one in self._breakers.items() if one.broken}

    def health(self) -> dict[str, Health]:
        """Say how each channel does: which one is tried first goes by that."""
        return {name: health(one, self._cut(name)) for name, one in self._breakers.items()}

    async def _move_on(self, tx: Transaction, now: datetime) -> None:
        """Take the next way to whoever is told by one channel at a time."""
        contacts, known = self._directory().contacts, self.health()
        await failover.give_up_waiting(tx, known, contacts, now)
        gives = [name for name, channel in self._channels.items() if channel.receipts]
        await failover.move_on(tx, contacts, gives, known, now)

    def _free(self, channel: str) -> int:
        """Say how many tries a channel may begin now."""
        one = self._breakers.get(channel, Breaker())
        return breaker.room(one, self._limits.slots, self._busy[channel], self._clock.monotonic())

    def _launch(self, job: Job) -> None:
        self._busy[job.row.channel] += 1
        self._drilling[job.row.channel] += job.row.drill
        task = asyncio.create_task(self._see_through(job))
        self._flying.add(task)
        task.add_done_callback(self._flying.discard)

    async def _see_through(self, job: Job) -> None:
        """Try once; the next turn records how it ended."""
        try:
            result = await self._try(job)
            self._ended.append((job, result))
        finally:
            self._busy[job.row.channel] -= 1
            self._drilling[job.row.channel] -= job.row.drill
            self._woken.set()

    async def _try(self, job: Job) -> Accepted | Failure:
        """Hand over once, and let the circuit know whether anybody was there."""
        name, message = job.row.channel, await self._on_paper(job)
        self._breakers[name] = breaker.left(self._breakers[name])
        result = await self._sender.once(name, message, job.address)
        answered = not isinstance(result, Failure) or not (result.unreached or result.status == "unknown")
        self._breakers[name] = breaker.after(self._breakers[name], answered=answered, at=self._clock.monotonic())
        return result

    async def _on_paper(self, job: Job) -> Message:
        """Return the message with its runbook on paper; whatever happens to that, the message leaves."""
        if job.book is None:
            return job.message
        try:
            return replace(job.message, attachments=await self._press.attach(job.book))
        except Exception as error:  # noqa: BLE001 - such as a machine that can start no thread
            self._sender.bug(error, job.address)
            return job.message

    async def _record(self, tx: Transaction, ended: Sequence[tuple[Job, Accepted | Failure]], now: datetime) -> None:
        """Write how tries ended, and what follows."""
        taken = [(job, result) for job, result in ended if isinstance(result, Accepted)]
        await waiting.accept(tx, [(job.rows, job.attempt, accepted) for job, accepted in taken], now)
        for job, _ in taken:
            for row in job.rows:
                await self._remind(tx, row, now)
        for job, result in ended:
            if isinstance(result, Failure):
                await waiting.fail(tx, job.rows, job.attempt, result, now)
                if result.permanent or result.refused:
                    await failover.hasten(tx, [row.id for row in job.rows], now)
        await receipts.settle(tx, [job.message.reference for job, _ in ended], now)

    async def _remind(self, tx: Transaction, row: Waiting, now: datetime) -> None:
        """Plan the reminder that follows, while the incident is open."""
        alert = None if row.reason is Reason.TEST else self._truth(row.incident)
        if alert is not None:
            await plan_repeat(tx, alert, (row.contact, row.channel), self._directory(), now)

    async def _pause(self, now: datetime) -> float:
        """Return seconds until the next row is due; what is due now waits for a slot and is woken by its end."""
        [(pending, oldest, later, climbs)] = await self._journal.read(
            "SELECT count(*) FILTER (WHERE reason <> 'repeat' OR due_at <= ?), "
            "min(planned_at) FILTER (WHERE reason <> 'repeat' OR due_at <= ?), "
            "min(due_at) FILTER (WHERE state = 'planned' AND due_at > ?), "
            "(SELECT min(next_at) FROM (SELECT next_at FROM escalation UNION ALL SELECT next_at FROM duty "
            "UNION ALL SELECT due_at FROM turn WHERE ended_at IS NULL "
            "UNION ALL SELECT due_at FROM drill WHERE ended_at IS NULL)) "
            "FROM notification WHERE ended_at IS NULL",
            (micros(now),) * 3,
        )
        later = min((at for at in (later, climbs) if at is not None), default=None)
        self._pending, self._oldest = pending, moment(oldest) if oldest is not None else None
        looked = self._looked[1] if self._looked else 0.0  # what was to be asked since then, nobody has asked
        asks = [one.until for one in self._breakers.values() if one.broken and pending and one.until > looked]
        waits = [LOOK_SECONDS, *(max(0.0, until - self._clock.monotonic()) for until in asks)]
        return min(*waits, LOOK_SECONDS if later is None else max(0.0, (moment(later) - now).total_seconds()))

    async def _wait(self, seconds: float) -> None:
        """Wait so long, or until woken."""
        sleeping = asyncio.ensure_future(self._clock.sleep_until(self._clock.monotonic() + seconds))
        woken = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait({sleeping, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            woken.cancel()
            await asyncio.gather(sleeping, woken, return_exceptions=True)  # whoever cancels us meanwhile is heard


def _tell(job: Job, result: Accepted | Failure) -> None:
    how, row = result.error if isinstance(result, Failure) else "accepted", job.row
    more = f" and {len(job.rows) - 1} more" if len(job.rows) > 1 else ""
    log.info("tried incident=%s%s contact=%s channel=%s: %s", row.incident, more, row.contact, row.channel, how)


def ran_ahead(before: tuple[datetime, float], after: tuple[datetime, float]) -> timedelta:
    """Return by how much wall time ran ahead of monotonic time: the machine's clock was set forward."""
    return after[0] - before[0] - timedelta(seconds=after[1] - before[1])


def _wait_out(error: JournalError | sqlite3.Error) -> None:
    """Log an error of the journal that may pass; raise one that cannot."""
    if not can_pass(error):
        raise error
    log.error("journal error=%r: trying again", str(error))
