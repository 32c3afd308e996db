"""What the engines share: an open question, the call that waits for it, and its deadline."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime

from probes.clock import Clock
from probes.model import Ask, Observation, Outcome, Part

CHUNK = 50
PACE_SECONDS = 0.002
"""50 questions every 2 ms: queues of a few hundred packets on the way hold it, 1,000 questions leave in 40 ms."""

STOPPED = Part(Outcome.UNKNOWN, "Lambi is stopping")
OUR_FAULT = Part(Outcome.UNKNOWN, "a fault in Lambi itself")


def silence(timeout: float, note: str = "") -> Part:
    """FAILED because nothing came; ``note`` is what the network said meanwhile."""
    reason = f"no answer within {timeout:.1f} s"
    return Part(Outcome.FAILED, f"{reason}; {note}" if note else reason)


class Look:
    """One call of ``Engine.ask``: what is ready, and how many questions are open."""

    __slots__ = ("_waiter", "abandoned", "open", "ready")

    def __init__(self) -> None:
        self.ready: list[Observation] = []
        self.open = 0
        self.abandoned = False
        self._waiter: asyncio.Future[None] | None = None

    def add(self, observation: Observation) -> None:
        """End one open question."""
        self.ready.append(observation)
        self.open -= 1
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def some(self) -> None:
        """Wait until anything is ready."""
        if not self.ready:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def take(self) -> list[Observation]:
        """Hand over what is ready."""
        ready, self.ready = self.ready, []
        return ready


async def paced(
    asks: Sequence[Ask], start: Callable[[Ask, Look], object], clock: Clock
) -> AsyncGenerator[list[Observation], None]:
    """Start the questions in small chunks and yield what is ready together until none is open."""
    look = Look()
    try:
        for first in range(0, len(asks), CHUNK):
            if first:
                await clock.sleep_until(clock.monotonic() + PACE_SECONDS)
            for ask in asks[first : first + CHUNK]:
                look.open += 1
                start(ask, look)
            if look.ready:
                yield look.take()
        while look.open or look.ready:
            await look.some()
            yield look.take()
    finally:
        look.abandoned = True


class Flight:
    """One question on its way. An id on the wire is reused, a Flight never: deadlines hold the Flight, not the id."""

    __slots__ = ("ask", "at", "deadline", "done", "look", "note", "sent")

    def __init__(self, ask: Ask, look: Look, clock: Clock) -> None:
        self.ask = ask
        self.look = look
        self.done = False
        self.note = ""
        self.leave(clock)

    def leave(self, clock: Clock) -> None:
        """It leaves now; its deadline starts."""
        self.at: datetime = clock.now()
        self.sent = clock.monotonic()
        self.deadline = self.sent + self.ask.timeout

    def rtt(self, stamp: float, clock: Clock) -> float:
        """Seconds from leaving to the kernel's receive time ``stamp`` (Unix time, 0 when there is none).

        The kernel's time holds while the loop is busy; a wall clock that was stepped meanwhile disagrees with the
        monotonic one, which then decides.
        """
        by_loop = clock.monotonic() - self.sent
        wall = self.at.timestamp()
        by_kernel = stamp - wall
        stepped = abs(clock.now().timestamp() - wall - by_loop) > 0.001
        return by_loop if stepped or not 0 <= by_kernel <= by_loop + 0.001 else by_kernel

    def land(self, part: Part, vantage: str, kind: str, now: float) -> None:
        """Give the verdict; the first one counts."""
        if self.done:
            return
        self.done = True
        ask = self.ask
        self.look.add(
            Observation(ask.check, ask.target, kind, vantage, ask.at, self.at, now - self.sent, {"": part}),
        )


class Deadlines:
    """One queue and one sleeper per length of timeout, so that a question costs an append, not a timer."""

    def __init__(self, clock: Clock, drain: Callable[[], None], expire: Callable[[Flight], None]) -> None:
        self._clock = clock
        self._drain = drain
        self._expire = expire
        self._queues: dict[float, deque[Flight]] = {}
        self._sleepers: set[asyncio.Task[None]] = set()

    def add(self, flight: Flight) -> None:
        """Watch a flight that has just left."""
        timeout = flight.ask.timeout
        queue = self._queues.get(timeout)
        if queue is None:
            queue = self._queues[timeout] = deque()
            sleeper = asyncio.get_running_loop().create_task(self._watch(timeout, queue))
            self._sleepers.add(sleeper)
            sleeper.add_done_callback(self._sleepers.discard)
        queue.append(flight)

    async def _watch(self, timeout: float, queue: deque[Flight]) -> None:
        await self._clock.sleep_until(self._clock.monotonic())  # let the one who made the queue fill it
        while queue:
            flight = queue[0]
            if not flight.done and flight.deadline > self._clock.monotonic():
                await self._clock.sleep_until(flight.deadline)
                self._drain()  # a reply that waits in the kernel came in time, however late we look
                continue
            queue.popleft()
            if not flight.done:
                self._expire(flight)
        del self._queues[timeout]

    def close(self) -> list[Flight]:
        """Stop watching; return what is still open."""
        for sleeper in self._sleepers:
            sleeper.cancel()
        left = [flight for queue in self._queues.values() for flight in queue if not flight.done]
        self._queues.clear()
        return left
