"""One look with deadline, timing and error mapping; and `Each`, the engine for probes without one of their own."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing

from probes.clock import Clock
from probes.flight import OUR_FAULT, STOPPED, Look, paced, silence
from probes.model import Ask, LocalError, Observation, Outcome, Part, Probe, RemoteError

log = logging.getLogger(__name__)


def _nothing() -> None:
    pass


async def observe(
    probe: Probe, ask: Ask, vantage: str, clock: Clock, bug: Callable[[], None] = _nothing
) -> Observation:
    """Look once, within ``ask.timeout`` seconds; raises nothing but CancelledError. A fault of ours calls ``bug``."""
    at, began = clock.now(), clock.monotonic()
    parts: Mapping[str, Part]
    try:
        async with asyncio.timeout(ask.timeout):
            parts = (await probe.read(ask.target)).parts
    except RemoteError as error:
        parts = {"": Part(Outcome.FAILED, str(error), refused=error.refused)}
    except LocalError as error:
        parts = {"": Part(Outcome.UNKNOWN, str(error))}
    except TimeoutError as late:
        parts = {"": _late(late, ask.timeout)}
    except Exception:
        log.exception("a fault in the probe %s", probe.kind)
        bug()
        parts = {"": OUR_FAULT}
    return Observation(ask.check, ask.target, probe.kind, vantage, ask.at, at, clock.monotonic() - began, parts)


def _late(late: TimeoutError, timeout: float) -> Part:
    """Silence of the target, unless the probe noted on the cancellation that it was still waiting for our own side."""
    notes = getattr(late.__context__, "__notes__", ())  # Python 3.11.2 sets no __cause__
    return Part(Outcome.UNKNOWN, f"{notes[0]} within {timeout:.1f} s") if notes else silence(timeout)


class Each:
    """Runs each ask's own ``probe.read``, at most ``limit`` at a time; a look's deadline starts with the look."""

    def __init__(self, *, vantage: str, clock: Clock, limit: int = 256) -> None:
        self.capability = ""
        self.bugs = 0
        self._vantage = vantage
        self._clock = clock
        self._slots = asyncio.Semaphore(limit)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def ask(self, asks: Sequence[Ask]) -> AsyncGenerator[list[Observation], None]:
        """Yield each ask's observation once; never raises."""
        mine: set[asyncio.Task[None]] = set()

        def start(ask: Ask, look: Look) -> None:
            task = asyncio.get_running_loop().create_task(self._one(ask, look))
            for tasks in (mine, self._tasks):
                tasks.add(task)
                task.add_done_callback(tasks.discard)

        try:
            async with aclosing(paced(asks, start, self._clock)) as batches:
                async for batch in batches:
                    yield batch
        finally:
            for task in mine:
                task.cancel()

    async def close(self) -> None:
        """End what is open as UNKNOWN."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _one(self, ask: Ask, look: Look) -> None:
        observation = _stopped(ask, self._vantage, self._clock)
        try:
            if not self._closed:
                async with self._slots:
                    observation = await observe(ask.probe, ask, self._vantage, self._clock, self._bug)
        finally:
            look.add(observation)

    def _bug(self) -> None:
        self.bugs += 1


def _stopped(ask: Ask, vantage: str, clock: Clock) -> Observation:
    return Observation(ask.check, ask.target, ask.probe.kind, vantage, ask.at, clock.now(), 0.0, {"": STOPPED})
