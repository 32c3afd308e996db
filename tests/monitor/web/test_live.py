"""/events: whoever has the page open hears of each change within a second, and nobody holds up anybody."""

import asyncio
import re
import resource
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from monitor.web.live import MOST_READERS, TICK_SECONDS, Live
from probes.clock import Clock, SystemClock
from tests.counts import soak
from tests.fakes import FakeClock


class Door:
    """A door with nothing but the events."""

    def __init__(self, clock: Clock) -> None:
        self.version = 1
        self.live = Live(lambda: self.version, clock, {"X-Content-Type-Options": "nosniff"})
        app = web.Application()
        self.live.add_routes(app)
        self.client = TestClient(TestServer(app))

    async def listen(self) -> aiohttp.ClientResponse:
        response = await self.client.get("/events", timeout=aiohttp.ClientTimeout(total=None))
        assert response.status == 200
        assert (await event(response)) == "retry: 5000"
        return response


@asynccontextmanager
async def door(clock: Clock) -> AsyncIterator[Door]:
    made = Door(clock)
    await made.client.start_server()
    try:
        yield made
    finally:
        await made.client.close()


async def event(response: aiohttp.ClientResponse) -> str:
    async with asyncio.timeout(10):
        return (await response.content.readuntil(b"\n\n")).decode().strip()


async def test_a_change_is_told_within_a_second() -> None:
    async with door(SystemClock()) as here:
        response = await here.listen()
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        began = time.monotonic()
        here.version = 2
        assert await event(response) == "event: change\ndata: 2"
        assert time.monotonic() - began < 1.0


async def test_time_that_passes_is_told_now_and_then() -> None:
    clock = FakeClock()
    async with door(clock) as here:
        response = await here.listen()
        told = asyncio.create_task(event(response))
        for _ in range(int(TICK_SECONDS) + 1):
            await clock.advance(1.0)
        assert await told == "event: tick\ndata: 1"


async def test_who_reads_nothing_holds_up_nobody_and_misses_nothing_that_counts() -> None:
    async with door(SystemClock()) as here:
        idle, busy = await here.listen(), await here.listen()
        for n in range(2, 5):
            here.version = n
            assert await event(busy) == f"event: change\ndata: {n}"
        assert (await event(idle)).startswith("event: change")


async def test_who_leaves_is_forgotten_and_the_looking_ends_with_the_last() -> None:
    async with door(SystemClock()) as here:
        response = await here.listen()
        assert len(here.live._readers) == 1
        response.close()
        async with asyncio.timeout(10):
            while here.live._readers or here.live._looking:
                here.version += 1
                await asyncio.sleep(0.05)


async def test_when_the_door_closes_the_streams_end_at_once() -> None:
    async with door(SystemClock()) as here:
        response = await here.listen()
        began = time.monotonic()
        await here.client.server.close()
        assert (await response.content.read()) == b""
        assert time.monotonic() - began < 1.0


READERS = """
import selectors, socket, sys, time
port, count = int(sys.argv[1]), int(sys.argv[2])
readers = selectors.DefaultSelector()
for _ in range(count):
    one = socket.create_connection(("127.0.0.1", port))
    one.sendall(b"GET /events HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    readers.register(one, selectors.EVENT_READ)
print("open", flush=True)
heard = 0
while heard < 3 * count:
    for key, _ in readers.select():
        heard += key.fileobj.recv(65536).count(b"event: change")
    if heard and heard % count == 0:
        print("heard", heard // count, time.monotonic(), flush=True)
"""


async def test_hundreds_of_readers_hear_within_a_second_and_the_loop_is_not_held() -> None:
    count = soak(ci=200, soak=500)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4096) if most > 0 else 4096, most))
    async with door(SystemClock()) as here:
        words = ("-c", READERS, str(here.client.port), str(count))
        readers = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
        assert readers.stdout is not None
        assert await readers.stdout.readline() == b"open\n"
        while len(here.live._readers) < count:  # noqa: ASYNC110 - the door takes them one after the other
            await asyncio.sleep(0.01)
        late: list[float] = []

        async def look() -> None:
            while True:
                due = time.monotonic() + 0.01
                await asyncio.sleep(0.01)
                late.append(time.monotonic() - due)

        looking = asyncio.create_task(look())
        for n in range(1, 4):
            began, here.version = time.monotonic(), 1 + n
            async with asyncio.timeout(10):
                word, number, at = (await readers.stdout.readline()).split()
            assert (word, int(number)) == (b"heard", n)
            assert float(at) - began < 1.0
        looking.cancel()
        assert await readers.wait() == 0
        assert sorted(late)[int(len(late) * 0.99)] < 0.1


async def test_beyond_the_most_a_reader_is_refused_and_its_page_stays_as_it_is() -> None:
    async with door(SystemClock()) as here:
        here.live._readers = {asyncio.Queue(1) for _ in range(MOST_READERS)}
        async with here.client.get("/events") as response:
            assert response.status == 503
            assert re.search("no more are told", await response.text())
        here.live._readers = set()


async def test_only_get_is_a_stream() -> None:
    async with door(SystemClock()) as here, here.client.head("/events") as response:
        assert response.status == 405
