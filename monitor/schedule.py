"""Each check is asked when it is due, or sooner where the line wants it; APScheduler only calls `Scheduler.tick`."""

import asyncio
import heapq
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from monitor.cadence import due, make_groups
from monitor.model import World
from monitor.pipeline import Pipeline
from probes.clock import Clock
from probes.model import Ask, Engine, Observation

log = logging.getLogger("lambi.schedule")

TOGETHER = 0.005
"""Looks wanted within so many seconds are asked together."""
GRACE = 5
"""Seconds that APScheduler may be late before it skips to the next slot; `due` finds what was skipped."""
FRESH_RATE = 50.0
"""Looks a second at what a change of config has added."""
BACKLOG = 20_000
"""With more answers than this before the line, nothing is asked: a journal that cannot be written for hours fills no
memory."""


class _Every(IntervalTrigger):  # type: ignore[misc] # APScheduler has no types
    """Goes on from now: however far the machine's clock was set forward, nothing is counted that it skipped."""

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> Any:
        """Return the first moment after ``now``."""
        return super().get_next_fire_time(None, now + timedelta(microseconds=1))


class Scheduler:
    """Asks what is due, again where the line wants it, and feeds the answers back, one batch at a time."""

    def __init__(self, world: World, engines: Mapping[str, Engine], clock: Clock) -> None:
        self.bugs = 0
        """Faults of our own that were caught here."""
        self._world, self._engines, self._clock = world, engines, clock
        self._groups = make_groups(world.checks.values())
        self._anchor = self._passed = clock.now()
        self._reached = [self._anchor for _ in self._groups]
        self._wanted: dict[str, float] = {}
        """Check -> the moment of loop time at which it is asked again."""
        self._heap: list[tuple[float, str]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._flying: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers: asyncio.Queue[list[Observation]] = asyncio.Queue()
        self._behind = 0
        """Looks in that queue."""
        self._between: deque[tuple[Callable[[], Awaitable[None]], asyncio.Future[None]]] = deque()
        """What has to be done between two turns of the line, and who waits for it."""
        self._jobs = AsyncIOScheduler(timezone=UTC)

    def start(self) -> None:
        """Begin: the references and one check of every kind at once, then every group on its cadence."""
        first: dict[str, str] = {}
        for check in self._world.checks.values():
            if not check.reference:
                first.setdefault(check.kind, check.id)
        for name in first.values():
            self.again(name, 0.0)
        for number in range(len(self._groups)):
            self._ask_due(number)
        self._plan()
        self._jobs.start()

    def _plan(self) -> None:
        """Give each group its job, which begins at the anchor."""
        for number, group in enumerate(self._groups):
            trigger = _Every(seconds=group.width, start_date=self._anchor, timezone=UTC)
            self._jobs.add_job(
                self.tick,
                trigger,
                [number],
                id=str(number),
                replace_existing=True,
                coalesce=True,
                misfire_grace_time=GRACE,
            )

    def adopt(self, world: World) -> None:
        """Ask by another config: what is new soon, without a burst, all else on its cadence from now."""
        fresh = [name for name in world.checks if name not in self._world.checks]
        self._world = world
        self._groups = make_groups(world.checks.values())
        self._anchor = self._clock.now()
        self._reached = [self._anchor for _ in self._groups]
        self._jobs.remove_all_jobs()
        self._plan()
        for number, name in enumerate(fresh):
            self.again(name, number / FRESH_RATE)

    async def between(self, work: Callable[[], Awaitable[None]]) -> None:
        """Have something done between two turns of the line; raises what it raises, and so does the line."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._between.append((work, done))
        self._answers.put_nowait([])
        await done

    async def _do_between(self) -> None:
        while self._between:
            work, done = self._between.popleft()
            try:
                await work()
            except BaseException as error:
                if not done.done():
                    done.set_exception(error)
                raise
            if not done.done():  # else whoever asked has gone
                done.set_result(None)

    def _watch_clock(self) -> None:
        """Begin the cadences anew when the machine's clock was set back: APScheduler would wait for the old time."""
        now, before = self._clock.now(), self._passed
        self._passed = now
        if now < before:
            log.warning("the machine's clock was set back by %s", before - now)
            self._anchor = now
            self._reached = [now for _ in self._groups]
            self._plan()

    async def tick(self, group: int) -> None:
        """Ask every slot of a group whose moment has come; a coroutine, so that APScheduler runs it in the loop."""
        self._ask_due(group)

    def _ask_due(self, group: int) -> None:
        if group >= len(self._groups):  # planned before a change of config
            return
        until = self._clock.now() + timedelta(milliseconds=1)
        since, self._reached[group] = self._reached[group], until
        since = max(since, until - timedelta(seconds=self._groups[group].every))  # after a pause, each check once
        for tick in due([self._groups[group]], self._anchor, since, until):
            self._ask(self._groups[group].slots[tick.slot], tick.at)

    def again(self, check: str, delay: float) -> None:
        """Ask a check after so many seconds, unless it is asked sooner anyway."""
        at = asyncio.get_running_loop().time() + delay
        if at < self._wanted.get(check, float("inf")):
            self._wanted[check] = at
            heapq.heappush(self._heap, (at, check))
            self._arm()

    def _arm(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(self._heap[0][0], self._fire) if self._heap else None

    def _fire(self) -> None:
        reached = asyncio.get_running_loop().time() + TOGETHER
        ready: list[str] = []
        while self._heap and self._heap[0][0] <= reached:
            at, check = heapq.heappop(self._heap)
            if self._wanted.get(check) == at:
                del self._wanted[check]
                ready.append(check)
        self._ask(ready, self._clock.now())
        self._arm()

    def _ask(self, checks: Iterable[str], at: datetime) -> None:
        """Hand checks to their engines; one that is still under way is not asked twice."""
        by_kind: dict[str, list[Ask]] = {}
        for name in checks if self._behind < BACKLOG else ():
            check = self._world.checks.get(name)
            if check is None or (name in self._flying and not check.reference):
                continue
            self._flying.add(name)
            by_kind.setdefault(check.kind, []).append(Ask(name, check.target, check.probe, check.timeout, at))
        for kind, asks in by_kind.items():
            task = asyncio.get_running_loop().create_task(self._collect(kind, asks))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _collect(self, kind: str, asks: list[Ask]) -> None:
        try:
            async for batch in self._engines[kind].ask(asks):
                self._flying.difference_update(look.check for look in batch)
                self._answers.put_nowait(batch)
                self._behind += len(batch)
        except Exception:
            self.bugs += 1
            log.exception("bug in engine kind=%s", kind)
        finally:
            self._flying.difference_update(ask.check for ask in asks)

    async def feed(self, pipeline: Pipeline) -> None:
        """Take the answers through the line, and let time pass there, until cancelled."""
        ticked = self._clock.monotonic()
        while True:
            looks: list[Observation] = []
            try:
                async with asyncio.timeout(max(0.0, ticked + 1.0 - self._clock.monotonic())):
                    looks = await self._answers.get()
            except TimeoutError:
                pass
            while not self._answers.empty():
                looks += self._answers.get_nowait()
            self._behind = 0
            await self._do_between()
            if looks:
                await pipeline.take(looks)
            if self._clock.monotonic() - ticked >= 1.0:
                ticked = self._clock.monotonic()
                self._watch_clock()
                await pipeline.tick()

    async def stop(self) -> None:
        """Ask nothing any more."""
        if self._jobs.running:
            self._jobs.shutdown(wait=False)
        if self._timer:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
