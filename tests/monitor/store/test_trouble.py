"""Disks and files that fail: the daemon goes on, and says so."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.store import SeriesStore
from tests.monitor.store.looks import COLUMNS, NOON, look, until

ROOT = Path(__file__).parents[3]

WRITER = """
import asyncio, sys, itertools, pathlib
from monitor.store import SeriesStore
from tests.monitor.store.looks import COLUMNS, look, until
async def main():
    store = SeriesStore(pathlib.Path(sys.argv[1]), COLUMNS, commit_seconds=0.05)
    for n in itertools.count():
        before = store.stats().written
        store.add([look(n)])
        await until(lambda: store.stats().written > before)
        print(n, flush=True)
asyncio.run(main())
"""

FULL = """
import asyncio, sys, pathlib, resource
from monitor.store import SeriesStore
from tests.monitor.store.looks import COLUMNS, look, until
async def main():
    store = SeriesStore(pathlib.Path(sys.argv[1]), COLUMNS, commit_seconds=0.05)
    store.add([look(0)])
    await until(lambda: store.stats().written == 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, hard))
    store.add(look(n, check=f"{n:0100}") for n in range(1, 2_001))
    await until(lambda: store.stats().dropped == 2_000)
    print(store.stats().error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    store.add([look(1)])
    await until(lambda: store.stats().written == 2)
    print("error:", store.stats().error)
    await store.close()
    print(len(await store.latest()))
asyncio.run(main())
"""


def killed_while_writing(folder: Path) -> int:
    """Return the number of the last look that a killed writer had reported as committed."""
    daemon = subprocess.Popen([sys.executable, "-c", WRITER, folder], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert daemon.stdout
    last = [daemon.stdout.readline() for _ in range(2)][-1]
    daemon.send_signal(signal.SIGKILL)
    rest = daemon.communicate()[0].split()
    return int((rest or [last])[-1])


async def test_kill_9_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    written = killed_while_writing(tmp_path)
    store = SeriesStore(tmp_path, COLUMNS, commit_seconds=0.05)
    rows = await store.range("bb/icmp/", "", NOON, NOON + timedelta(hours=1))
    store.add([look(3_000)])
    await store.close()
    assert [row.at - NOON for row in rows][: written + 1] == [timedelta(seconds=n) for n in range(written + 1)]
    assert len(await store.range("bb/icmp/", "", NOON, NOON + timedelta(hours=1))) == len(rows) + 1


def test_a_disk_without_room_costs_rows_and_recovers(tmp_path: Path) -> None:
    # A file size limit stands for the full disk: it needs no root.
    done = subprocess.run(
        [sys.executable, "-c", FULL, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    trouble, after, rows = done.stdout.splitlines()
    assert trouble.startswith("series are not stored: ")
    assert (after, rows) == ("error: ", "1")


async def test_a_folder_that_cannot_be_made_is_said_and_nothing_waits(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file in place of the folder")
    store = SeriesStore(tmp_path / "var" / "series", COLUMNS, commit_seconds=0.05)
    store.add([look()])
    await until(lambda: store.stats().dropped == 1)
    assert "series are not stored" in store.stats().error
    assert await store.latest() == []
    (tmp_path / "var").unlink()
    store.add([look()])
    await until(lambda: store.stats().written == 1)
    assert store.stats().error == ""
    await store.close()


@pytest.mark.parametrize("junk", [b"this is no database" * 500, None])
async def test_a_damaged_day_is_set_aside_and_the_day_goes_on(tmp_path: Path, junk: bytes | None) -> None:
    path = tmp_path / "2026-11-23.sqlite"
    if junk is None:  # a good file with its middle torn out
        store = SeriesStore(tmp_path, COLUMNS, commit_seconds=0.05)
        store.add([look(n, check=f"c{n}") for n in range(2_000)])
        await store.close()
        whole = path.read_bytes()
        junk = whole[:4096] + b"\xff" * (len(whole) - 4096)
    path.write_bytes(junk)
    store = SeriesStore(tmp_path, COLUMNS, commit_seconds=0.05)
    store.add([look()])
    await until(lambda: store.stats().written == 1)
    assert "damaged" in store.stats().error
    assert (tmp_path / "2026-11-23.sqlite.corrupt").read_bytes() == junk
    assert len(await store.latest()) == 1
    await store.close()


async def test_a_damaged_day_of_the_past_hides_no_other_day(tmp_path: Path) -> None:
    (tmp_path / "2026-11-22.sqlite").write_bytes(b"no database" * 1_000)
    store = SeriesStore(tmp_path, COLUMNS, commit_seconds=0.05)
    store.add([look()])
    await until(lambda: store.stats().written == 1)
    assert len(await store.range("bb/icmp/", "", NOON - timedelta(days=2), NOON + timedelta(days=1))) == 1
    assert "2026-11-22 cannot be read" in store.stats().error
    await store.close()


async def test_a_day_file_that_somebody_removes_is_made_again(tmp_path: Path) -> None:
    store = SeriesStore(tmp_path, COLUMNS, commit_seconds=0.05)
    store.add([look()])
    await until(lambda: store.stats().written == 1)
    shutil.rmtree(tmp_path)
    store.add([look(1)])
    await until(lambda: store.stats().written == 2)
    assert len(await store.latest()) == 1
    await store.close()


async def test_close_does_not_wait_for_a_disk_that_hangs(tmp_path: Path) -> None:
    store = SeriesStore(tmp_path, COLUMNS, commit_seconds=0.05)
    store.add([look()])
    await until(lambda: store.stats().written == 1)
    lock = sqlite3.connect(tmp_path / "2026-11-23.sqlite", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    for n in range(5):
        store.add([look(n, check=f"{n}-{each}") for each in range(2_000)])
    await store.close()
    lock.close()
    await until(lambda: not store._thread.is_alive())
    stats = store.stats()
    assert stats.dropped > 0
    assert stats.written + stats.dropped == 10_001
