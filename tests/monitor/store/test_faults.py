"""Disks that fill up or turn read-only, clocks that jump: what is lost is counted and said, nothing else is lost."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.store import SeriesStore, desk
from monitor.store.keeper import Keeper
from tests.counts import soak
from tests.monitor.store.looks import COLUMNS, NOON, look, until

ROOT = Path(__file__).parents[3]
DAY = 86_400


@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own needs root")
def test_a_disk_that_fills_up_or_turns_read_only_costs_what_it_cannot_take_and_no_more(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o size=16m tmpfs "$1" && exec "$0" -m tests.monitor.store.on_a_small_disk "$1"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, sys.executable, tmp_path],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    turns = {turn["turn"]: turn for turn in told["turns"]}
    assert turns["at first"]["dropped"] == 0
    assert turns["full"]["dropped"] > 0
    assert "series are not stored" in turns["full"]["error"]
    assert turns["room again"]["written"] - turns["full"]["written"] == 60
    assert turns["room again"]["error"] == ""
    assert (turns["read-only"]["written"], turns["read-only"]["dropped"]) == (0, 10)
    assert "series are not stored" in turns["read-only"]["error"]
    assert (turns["healed"]["written"], turns["healed"]["error"]) == (60, "")
    assert told["kept"] == turns["room again"]["written"] + 60, "what was acknowledged is there"
    assert told["problems"] == []


WRITER = """
import asyncio, itertools, pathlib, sys
from monitor.store import SeriesStore
from tests.counts import soak
from tests.monitor.store.looks import COLUMNS, look, until
async def main():
    store = SeriesStore(pathlib.Path(sys.argv[1]), COLUMNS, commit_seconds=0.001)
    for n in itertools.count(int(sys.argv[2])):
        before = store.stats().written
        store.add([look(40 * n, check=f"c{n % 9}/icmp/", values={"rtt_seconds": n / 1e6})])
        await until(lambda: store.stats().written > before)
        print(n, flush=True)
asyncio.run(main())
"""
"""Eight looks are five minutes: something is folded all the time, and a day is over after two thousand."""


def test_kill_9_at_any_moment_loses_no_look_that_was_acknowledged_and_no_rollup(tmp_path: Path) -> None:
    draw = random.Random(3)  # noqa: S311 - no secrets
    told = -1
    for _ in range(soak(ci=4, soak=100)):
        argv = [sys.executable, "-c", WRITER, tmp_path, str(told + 1)]
        writer = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert writer.stdout
        first = writer.stdout.readline()
        time.sleep(draw.random())
        writer.send_signal(signal.SIGKILL)
        told = int((writer.communicate()[0].split() or [first])[-1])
    keeper = Keeper(tmp_path, COLUMNS, retention_days=30, rollup_days=30, archives=False)
    keeper.store([look(40 * (told + 2_000))])
    while keeper.tend():
        pass
    keeper.close()
    period = (NOON - timedelta(days=1), NOON + timedelta(days=365))
    times = {round((row.at - NOON).total_seconds() / 40) for row in desk.rows(tmp_path, *period, lambda *_: None)}
    assert set(range(told + 1)) <= times
    assert desk.check(tmp_path, lambda *_: None) == []


async def test_a_clock_that_jumps_ahead_and_back_loses_nothing(tmp_path: Path) -> None:
    store = SeriesStore(tmp_path, COLUMNS, commit_seconds=0.01, retention_days=10)
    for number, after in enumerate((0, 30 * 365 * DAY, 10, -3 * DAY, 20, DAY)):
        store.add([look(after)])
        await until(lambda number=number: store.stats().written == number + 1)  # type: ignore[misc]  # bound on purpose
    await store.close()
    assert (store.stats().dropped, store.stats().error) == (0, "")
    rows = await store.range("bb/icmp/", "", NOON - timedelta(days=4), NOON + timedelta(days=2))
    assert [(row.at - NOON).total_seconds() for row in rows] == [-3 * DAY, 0, 10, 20, DAY]
    assert desk.check(tmp_path, lambda *_: None) == []


def test_two_writers_on_one_folder_spoil_nothing(tmp_path: Path) -> None:
    """The daemon's lock lets one in; should it ever fail, the files stay whole and no look is lost."""
    first, second = (Keeper(tmp_path, COLUMNS, retention_days=9, rollup_days=9) for _ in range(2))
    for number in range(200):
        first.store([look(10 * number, check=f"a{number % 7}/icmp/")])
        second.store([look(10 * number, check=f"b{number % 7}/icmp/")])
        first.tend()
        second.tend()
    for keeper in (first, second):
        keeper.close()
    assert desk.stats(tmp_path)["looks"] == first.written + second.written
    assert first.dropped + second.dropped + first.written + second.written == 400
    damaged = [sentence for sentence in desk.check(tmp_path, lambda *_: None) if "damaged" in sentence]
    assert damaged == []
