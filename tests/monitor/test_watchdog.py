"""The service manager hears that we are ready, alive, ending; a line that stands still is not called alive."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from monitor.heartbeat import OUTBOX_SECONDS, QUIET_SECONDS, Vitals, stuck
from monitor.watchdog import Watchdog
from tests.fakes import FakeClock


class Manager:
    """The socket that systemd listens at."""

    def __init__(self, address: str) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self.sock.setblocking(False)
        self.environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "60000000"}

    def heard(self) -> list[str]:
        found = []
        with suppress(BlockingIOError):
            while True:
                found.append(self.sock.recv(4096).decode())
        return found


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify") if request.param == "path" else f"@lambi-test-{os.getpid()}")
    yield made
    made.sock.close()


async def test_it_is_told_that_we_are_ready_alive_and_ending(manager: Manager) -> None:
    clock, why = FakeClock(), ""
    watchdog = Watchdog(manager.environ, lambda: why, clock)
    watchdog.ready("12 packets a minute")
    assert manager.heard() == ["READY=1\nSTATUS=12 packets a minute"]
    task = asyncio.create_task(watchdog.run())
    await clock.advance(0)
    await clock.advance(59)
    assert manager.heard() == ["WATCHDOG=1"] * 3
    why = "no look has gone through the line for 90 s"
    await clock.advance(600)
    assert manager.heard() == []
    why = ""
    await clock.advance(20)
    assert manager.heard() == ["WATCHDOG=1"]
    watchdog.stopping()
    assert manager.heard() == ["STOPPING=1"]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("environ", [{}, {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "x"}])
async def test_where_nobody_asks_nothing_is_done(environ: dict[str, str]) -> None:
    async with asyncio.timeout(5):
        await Watchdog(environ, lambda: "stuck", FakeClock()).run()
    Watchdog(environ, lambda: "", FakeClock()).ready("")


async def test_a_manager_that_is_gone_is_a_line_in_the_log_and_no_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Watchdog({"NOTIFY_SOCKET": str(tmp_path / "gone")}, lambda: "", FakeClock()).ready("")
    assert "the service manager cannot be told: No such file or directory" in caplog.text


def test_a_line_that_stands_still_is_stuck_and_one_that_waits_for_the_disk_is_not() -> None:
    now = 1000.0
    well = Vitals(now - 1, now - 1, now - 1)
    assert stuck(well, 5.0, now, 0.0, waits=False) == ""
    still = well._replace(looked=now - QUIET_SECONDS - 1)
    assert stuck(still, 5.0, now, 0.0, waits=False) == "no look has gone through the line for 61 s"
    assert stuck(still, 5.0, now, 0.0, waits=True) == ""
    assert stuck(still, 60.0, now, 0.0, waits=False) == "", "three cadences of the fastest check are allowed"
    silent = well._replace(turned=now - OUTBOX_SECONDS - 1)
    assert "the outbox has not turned" in stuck(silent, 5.0, now, 0.0, waits=False)
    unwritten = well._replace(written=now - 3600)
    assert stuck(unwritten, 5.0, now, 0.0, waits=False) == "", "a full disk is no reason to start anew"


def test_what_has_just_begun_has_its_time() -> None:
    nothing = Vitals(None, None, None)
    assert stuck(nothing, 5.0, 59.0, 0.0, waits=False) == ""
    assert "no look" in stuck(nothing, 5.0, 61.0, 0.0, waits=False)
