"""Days of the past as Parquet: the same answers, whole or not at all, and never in the daemon's own process."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.store import archive
from monitor.store.files import day_files
from monitor.store.history import LocalHistory
from monitor.store.keeper import Keeper
from monitor.store.rows import Row
from probes.model import Observation, Outcome, Part
from tests.monitor.store.looks import COLUMNS, NOON, look

pytest.importorskip("pyarrow")

DAYS = 6
DAY = 86_400
FIRST = NOON.date()


def a_day(number: int) -> list[Observation]:
    """Looks of every kind of value there is."""
    start = number * DAY
    found = [
        look(
            start + n, check=f"c{n % 7}/icmp/", outcome=list(Outcome)[n % 3], values={"rtt_seconds": n / 1e6, "ttl": n}
        )
        for n in range(200)
    ]
    dns = {"rtt_seconds": 0.02, "soa_serial": 2**40, "nsid": "gw1.ñ", "odd": float("inf"), "big": 2**70, "more": "text"}
    found += [look(start + n, check="d/dns/", kind="dns", values=dns) for n in range(5)]
    found += [look(start, check="p/icmp/", parts={"eth0": Part(Outcome.OK), "eth1": Part(Outcome.FAILED)})]
    return found


def settle(keeper: Keeper) -> None:
    """Fold and archive all that can be."""
    end = time.monotonic() + 60
    while (keeper.tend() or keeper.archiver._running) and time.monotonic() < end:
        if keeper.archiver._running:
            time.sleep(0.02)


def filled(folder: Path, days: int = DAYS) -> Keeper:
    keeper = Keeper(folder, COLUMNS, retention_days=30, rollup_days=30)
    for number in range(days):
        keeper.store(a_day(number))
        settle(keeper)
    return keeper


def complaints(folder: Path) -> tuple[LocalHistory, list[str]]:
    said: list[str] = []
    return LocalHistory(folder, said.append), said


async def answers(folder: Path) -> list[list[Row]]:
    history, said = complaints(folder)
    names = [("c1/icmp/", ""), ("d/dns/", ""), ("p/icmp/", "eth1"), ("none", "")]
    found = [await history.range(*name, NOON - timedelta(hours=1), NOON + timedelta(days=DAYS)) for name in names]
    assert said == []
    return found


async def test_archived_days_give_the_answers_that_the_sqlite_files_gave(tmp_path: Path) -> None:
    plain = Keeper(tmp_path / "plain", COLUMNS, retention_days=30, rollup_days=30, archives=False)
    for number in range(DAYS):
        plain.store(a_day(number))
    plain.close()
    keeper = filled(tmp_path / "packed")
    keeper.close()
    assert keeper.error == ""
    assert archive.days(tmp_path / "packed") == [FIRST + timedelta(days=n) for n in range(DAYS - archive.HOT_DAYS)]
    assert len(day_files(tmp_path / "packed")) == archive.HOT_DAYS
    expected = await answers(tmp_path / "plain")
    assert [len(rows) for rows in expected] == [29 * DAYS, 5 * DAYS, DAYS, 0]
    assert await answers(tmp_path / "packed") == expected


def test_the_daemon_loads_no_pyarrow(tmp_path: Path) -> None:
    code = "import monitor.app, monitor.store.desk, sys; print('pyarrow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )
    assert done.stdout.strip() == "False"


def test_a_manifest_tells_the_scales_and_checksums(tmp_path: Path) -> None:
    filled(tmp_path, 4).close()
    home = tmp_path / "archive" / FIRST.isoformat()
    told = json.loads((home / "manifest.json").read_text())
    assert told["day"] == FIRST.isoformat()
    files = {file["kind"]: file for file in told["files"]}
    assert files["icmp"]["scales"] == {"rtt_seconds": 1e-6, "ttl": 1.0}
    assert files["icmp"]["rows"] == 202
    assert files["loose"]["keys"] == ["big", "more", "odd"]
    assert archive.wrong(tmp_path, FIRST) == []
    with (home / "icmp.parquet").open("r+b") as file:
        file.seek(100)
        file.write(b"\0\1\2\3")
    (home / "dns.parquet").unlink()
    assert [sentence.rsplit("/", 1)[1] for sentence in archive.wrong(tmp_path, FIRST)] == [
        "dns.parquet is missing",
        "icmp.parquet is not what was written: its checksum differs",
    ]


async def test_a_damaged_archive_is_said_and_hides_no_other_day(tmp_path: Path) -> None:
    filled(tmp_path, 4).close()
    (tmp_path / "archive" / FIRST.isoformat() / "icmp.parquet").write_bytes(b"no parquet" * 100)
    history, said = complaints(tmp_path)
    found = await history.range("c1/icmp/", "", NOON, NOON + timedelta(days=DAYS))
    assert {row.at.date() for row in found} == {FIRST + timedelta(days=n) for n in (1, 2, 3)}
    assert len(said) == 1
    assert "cannot be read" in said[0]


def kill(helper: int) -> None:
    os.kill(helper, signal.SIGKILL)


def starve(helper: int) -> None:
    resource.prlimit(helper, resource.RLIMIT_AS, (60 << 20, resource.RLIM_INFINITY))


@pytest.mark.parametrize("fault", [kill, starve])
async def test_a_helper_that_is_killed_or_starved_leaves_the_day_as_it_was_and_is_tried_again(
    tmp_path: Path, fault: Callable[[int], None]
) -> None:
    keeper = Keeper(tmp_path, COLUMNS, retention_days=30, rollup_days=30)
    for number in range(4):
        keeper.store(a_day(number))
    while not keeper.archiver._running:
        keeper.tend()
    fault(keeper.archiver._running.pid)
    while keeper.archiver._running:
        keeper.tend()
    assert "cannot be archived, and stays a SQLite file" in keeper.error
    assert len(day_files(tmp_path)) == 4
    keeper.store(a_day(4))  # another day begins
    settle(keeper)
    assert keeper.error == ""
    assert archive.days(tmp_path) == [FIRST, FIRST + timedelta(days=1)]
    keeper.close()


@contextmanager
def one_file_more() -> Iterator[None]:
    """Let this process open one file more, and no second one beside it."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (most + 8, before[1]))
    taken: list[int] = []
    try:
        with suppress(OSError):
            while True:
                taken.append(os.dup(0))
        os.close(taken.pop())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for each in taken:
            os.close(each)


async def test_a_helper_that_cannot_be_started_is_said_ends_no_thread_and_is_tried_again(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, COLUMNS, retention_days=30, rollup_days=30, archives=False)
    for number in range(4):
        keeper.store(a_day(number))
    settle(keeper)
    keeper._archives = True
    with one_file_more():
        keeper.tend()
    assert keeper.error.endswith("stays a SQLite file: the helper cannot be started: Too many open files")
    keeper.store(a_day(4))  # another day begins
    settle(keeper)
    assert keeper.error == ""
    assert archive.days(tmp_path) == [FIRST, FIRST + timedelta(days=1)]
    keeper.close()


def test_a_daemon_that_ends_between_archive_and_unlink_unlinks_later(tmp_path: Path) -> None:
    keeper = filled(tmp_path, 3)
    keeper.close()
    whole = (tmp_path / f"{FIRST}.sqlite").read_bytes()
    keeper = filled(tmp_path, 4)
    keeper.close()
    (tmp_path / f"{FIRST}.sqlite").write_bytes(whole)
    keeper = Keeper(tmp_path, COLUMNS, retention_days=30, rollup_days=30)
    keeper.store([look(3 * DAY + 300)])
    settle(keeper)
    keeper.close()
    assert not (tmp_path / f"{FIRST}.sqlite").exists()


def test_looks_of_an_archived_day_are_refused_and_said(tmp_path: Path) -> None:
    keeper = filled(tmp_path, 4)
    keeper.store([look(5)])
    assert keeper.dropped == 1
    assert f"looks of {FIRST} came when that day was archived already" in keeper.error
    keeper.store([look(3 * DAY + 400)])
    assert keeper.error == ""
    keeper.close()


def test_the_archive_is_forgotten_as_the_days_are(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, COLUMNS, retention_days=5, rollup_days=30)
    for number in range(8):
        keeper.store(a_day(number))
        settle(keeper)
    keeper.close()
    assert archive.days(tmp_path) == [FIRST + timedelta(days=n) for n in (3, 4)]
    assert not (tmp_path / "archive" / FIRST.isoformat()).exists()


def test_another_program_reads_what_the_manifest_says(tmp_path: Path) -> None:
    import pyarrow.parquet as pq  # noqa: PLC0415 - the test is skipped without it

    filled(tmp_path, 4).close()
    found = pq.read_table(tmp_path / "archive" / FIRST.isoformat() / "icmp.parquet")
    assert found.schema.names == ["check", "part", "vantage", "at", "outcome", "rtt_seconds", "ttl"]
    assert float(found.schema.field("rtt_seconds").metadata[b"scale"]) == 1e-6
    row = found.to_pylist()[1]
    assert (row["check"], row["outcome"], row["rtt_seconds"]) == ("c0/icmp/", "failed", 7)
    assert row["at"] == NOON + timedelta(seconds=7)


def test_where_pyarrow_is_missing_days_stay_and_the_page_says_so(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, COLUMNS, retention_days=30, rollup_days=30)
    keeper.archiver._able = False
    for number in range(4):
        keeper.store([look(number * DAY)])
        settle(keeper)
    keeper.close()
    assert keeper.archiver.note == archive.MISSING
    assert len(day_files(tmp_path)) == 4
