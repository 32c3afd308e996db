"""/events: who has the page open hears when it says something else (server-sent events, WHATWG HTML, 9.2)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web

from probes.clock import Clock

MOST_READERS = 1000
LOOK_SECONDS = 0.1
"""How often it is asked whether there is something new, while somebody listens."""
TICK_SECONDS = 30.0
"""So often the page is made anew though nothing has changed: it shows ages."""
HEAD = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back
}


class Live:
    """One look for all who listen. ``version``: grows with whatever the page shows."""

    def __init__(self, version: Callable[[], int], clock: Clock, safety: dict[str, str]) -> None:
        self._version, self._clock, self._head = version, clock, {**HEAD, **safety}
        self._readers: set[asyncio.Queue[bytes]] = set()
        self._looking: asyncio.Task[None] | None = None

    def add_routes(self, app: web.Application) -> None:
        """Add the address, and let go of everybody when the door closes."""
        app.router.add_get("/events", self.events, allow_head=False)
        app.on_shutdown.append(self.close)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Tell until the reader leaves or the door closes; a reader who takes nothing holds up nobody."""
        if len(self._readers) >= MOST_READERS:
            raise web.HTTPServiceUnavailable(text="So many pages are open that no more are told of changes.")
        response = web.StreamResponse(headers=self._head)
        response.enable_chunked_encoding()
        await response.prepare(request)
        waiting: asyncio.Queue[bytes] = asyncio.Queue(1)
        self._readers.add(waiting)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            await response.write(b"retry: 5000\n\n")
            while event := await waiting.get():
                await response.write(event)
        except ConnectionError:
            pass  # it has left
        finally:
            self._readers.discard(waiting)
        return response

    async def _look(self) -> None:
        """Tell everybody of a new version, and of time that has passed, while there is anybody."""
        known, ticked = self._version(), self._clock.monotonic()
        while self._readers:
            await self._clock.sleep_until(self._clock.monotonic() + LOOK_SECONDS)
            if (version := self._version()) != known:
                known = version
                self._tell(b"event: change\ndata: %d\n\n" % version)
            elif self._clock.monotonic() - ticked >= TICK_SECONDS:
                ticked = self._clock.monotonic()
                self._tell(b"event: tick\ndata: %d\n\n" % version)
        self._looking = None

    def _tell(self, event: bytes) -> None:
        """Leave one event for each; who has not taken the last one gets no second: it says no more than the first."""
        for waiting in self._readers:
            with suppress(asyncio.QueueFull):
                waiting.put_nowait(event)

    async def close(self, _: web.Application) -> None:
        """End every stream."""
        if self._looking is not None:
            self._looking.cancel()
        for waiting in self._readers:
            while not waiting.empty():
                waiting.get_nowait()
            waiting.put_nowait(b"")
