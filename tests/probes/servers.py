"""Real daemons and scripted sockets that the probes' tests talk to."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest


def needed(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None and not Path("/usr/sbin", program).exists():
            pytest.skip(f"{program} is not installed: make test-deps")


def accepts(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((host, port)) == 0


Wait = Callable[[Callable[[], bool], str], None]


@contextmanager
def running(command: list[str], log: Path) -> Iterator[Wait]:
    """Run a daemon in the foreground; it dies with this process, however that ends.

    Yields a function that waits until a condition holds; it fails with the daemon's last words when it has ended.
    """
    tied = ["setpriv", "--pdeathsig", "TERM", "--", *command]
    with log.open("wb") as out, subprocess.Popen(tied, stdout=out, stderr=subprocess.STDOUT) as process:

        def wait(ready: Callable[[], bool], what: str) -> None:
            end = time.monotonic() + 60
            while not ready():
                if process.poll() is not None or time.monotonic() > end:
                    words = log.read_text("utf-8", "replace").splitlines()[-5:]
                    pytest.fail(f"{what} is not ready, exit code {process.returncode}: {' / '.join(words)}")
                time.sleep(0.02)

        try:
            yield wait
        finally:
            process.terminate()
            process.wait(timeout=60)


class UdpServer(asyncio.DatagramProtocol):
    """Answers each datagram by the test's own function; remembers what came."""

    def __init__(self, answer: Callable[["UdpServer", bytes, tuple[str, int]], None]) -> None:
        self.answer = answer
        self.seen: list[bytes] = []
        self.came = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.seen.append(data)
        self.came.set()
        self.answer(self, data, addr)


async def udp_server(
    answer: Callable[[UdpServer, bytes, tuple[str, int]], None], host: str = "127.0.0.1", port: int = 0
) -> tuple[UdpServer, int]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: UdpServer(answer), (host, port))
    return server, transport.get_extra_info("sockname")[1]


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def tcp_server(talk: Talk, host: str = "127.0.0.1", port: int = 0, **options: Any) -> AsyncIterator[int]:
    """Serve connections by ``talk`` on the port that is yielded; leaves no connection behind."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        try:
            await talk(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, host, port, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say nothing and close."""
