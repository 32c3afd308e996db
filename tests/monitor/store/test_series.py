import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.store import SeriesStore
from probes.model import Outcome, Part
from tests.monitor.store.looks import COLUMNS, NOON, look, until

DAY = 86_400.0


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Callable[..., SeriesStore]]:
    stores = []

    def one(**options: Any) -> SeriesStore:
        stores.append(SeriesStore(tmp_path / "series", COLUMNS, commit_seconds=0.05, **options))
        return stores[-1]

    yield one
    for store in stores:
        await store.close()


async def test_a_look_is_read_back_as_it_was(make: Callable[..., SeriesStore]) -> None:
    store = make()
    store.add([look(values={"rtt_seconds": 0.012345, "ttl": 57, "hops": 7})])
    await until(lambda: store.stats().written == 1)
    (row,) = await store.range("bb/icmp/", "", NOON, NOON + timedelta(seconds=1))
    assert (row.check, row.part, row.kind, row.vantage) == ("bb/icmp/", "", "icmp", "vantage:test")
    assert (row.at, row.outcome) == (NOON, Outcome.OK)
    assert row.values == {"rtt_seconds": 0.012345, "ttl": 57, "hops": 7}


async def test_failed_and_unknown_stand_beside_ok_and_have_no_values(make: Callable[..., SeriesStore]) -> None:
    store = make()
    store.add([look(n, outcome=outcome) for n, outcome in enumerate(Outcome)])
    await store.close()
    rows = await store.range("bb/icmp/", "", NOON, NOON + timedelta(seconds=9))
    assert [row.outcome for row in rows] == list(Outcome)
    assert all(row.values == {} for row in rows)


async def test_range_includes_its_start_and_excludes_its_end(make: Callable[..., SeriesStore]) -> None:
    store = make()
    store.add([look(n) for n in range(5)])
    await store.close()
    rows = await store.range("bb/icmp/", "", NOON + timedelta(seconds=1), NOON + timedelta(seconds=3))
    assert [row.at for row in rows] == [NOON + timedelta(seconds=n) for n in (1, 2)]


async def test_each_part_is_a_series(make: Callable[..., SeriesStore]) -> None:
    store = make()
    store.add([look(parts={"eth0": Part(Outcome.OK), "eth1": Part(Outcome.FAILED)})])
    await store.close()
    assert {row.part: row.outcome for row in await store.latest()} == {"eth0": Outcome.OK, "eth1": Outcome.FAILED}
    assert store.stats().written == 2


async def test_a_look_belongs_to_its_utc_day_even_when_it_comes_late(
    make: Callable[..., SeriesStore],
    tmp_path: Path,
) -> None:
    store = make()
    store.add([look(DAY / 2 + 1), look(DAY / 2 - 1)])
    await store.close()
    assert [path.name for path in sorted((tmp_path / "series").glob("*.sqlite"))] == [
        "2026-11-23.sqlite",
        "2026-11-24.sqlite",
    ]
    rows = await store.range("bb/icmp/", "", NOON, NOON + timedelta(days=1))
    assert [row.at - NOON for row in rows] == [timedelta(hours=12, seconds=-1), timedelta(hours=12, seconds=1)]
    (newest,) = await store.latest()
    assert newest.at == rows[-1].at


async def test_a_series_of_an_earlier_day_has_a_latest_too(make: Callable[..., SeriesStore]) -> None:
    store = make()
    store.add([look(check="old/icmp/"), look(DAY, check="new/icmp/")])
    await store.close()
    assert {row.check for row in await store.latest()} == {"old/icmp/", "new/icmp/"}


async def test_an_older_look_does_not_become_the_latest(make: Callable[..., SeriesStore]) -> None:
    store = make()
    store.add([look(10)])
    await until(lambda: store.stats().written == 1)
    store.add([look(5)])
    await store.close()
    (row,) = await store.latest()
    assert row.at == NOON + timedelta(seconds=10)


async def test_only_the_newest_days_are_kept(make: Callable[..., SeriesStore], tmp_path: Path) -> None:
    store = make(retention_days=2)
    for n in range(4):
        store.add([look(n * DAY)])
        await until(lambda n=n: store.stats().written == n + 1)  # type: ignore[misc]  # n is bound on purpose
    await store.close()
    assert sorted(p.name for p in (tmp_path / "series").glob("*.sqlite")) == ["2026-11-25.sqlite", "2026-11-26.sqlite"]


async def test_a_clock_that_jumps_decades_costs_no_history(make: Callable[..., SeriesStore], tmp_path: Path) -> None:
    store = make(retention_days=3)
    store.add([look(), look(DAY), look(-20_000 * DAY)])
    await store.close()
    assert sum(1 for _ in (tmp_path / "series").glob("*.sqlite")) == 3


async def test_a_full_queue_drops_the_oldest_and_counts_them(make: Callable[..., SeriesStore]) -> None:
    store = make(queue_rows=3)
    store.add([look(n) for n in range(10)])
    await store.close()
    stats = store.stats()
    assert (stats.written, stats.dropped, stats.queued) == (3, 7, 0)
    rows = await store.range("bb/icmp/", "", NOON, NOON + timedelta(seconds=60))
    assert [row.at - NOON for row in rows] == [timedelta(seconds=n) for n in (7, 8, 9)]


async def test_thousands_of_rows_pass(make: Callable[..., SeriesStore]) -> None:
    store = make()
    store.add([look(n / 10, check=f"c{n % 500}/icmp/", values={"rtt_seconds": 0.02}) for n in range(5_000)])
    await until(lambda: store.stats().written == 5_000)
    assert len(await store.latest()) == 500
    assert store.stats().bytes > 0


async def test_a_new_column_joins_a_day_that_has_begun(tmp_path: Path) -> None:
    first = SeriesStore(tmp_path, {"icmp": {"rtt_seconds": 1e-3}})
    first.add([look(0, values={"rtt_seconds": 0.012, "ttl": 9})])
    await first.close()
    second = SeriesStore(tmp_path, {"icmp": {"rtt_seconds": 1e-6, "ttl": 1.0}})
    second.add([look(1, values={"rtt_seconds": 0.012345, "ttl": 9})])
    await second.close()
    rows = await second.range("bb/icmp/", "", NOON, NOON + timedelta(seconds=9))
    # the day keeps the scale it began with
    assert [row.values for row in rows] == [{"rtt_seconds": 0.012, "ttl": 9}] * 2
    assert second.stats().error == ""


async def test_the_file_is_plain_sqlite_that_says_its_scales(make: Callable[..., SeriesStore], tmp_path: Path) -> None:
    store = make()
    store.add([look(values={"rtt_seconds": 0.012})])
    await store.close()
    db = sqlite3.connect(tmp_path / "series" / "2026-11-23.sqlite")
    query = "SELECT rtt_seconds * scale FROM tail_icmp JOIN scale ON kind = 'icmp' AND key = 'rtt_seconds'"
    assert db.execute(query).fetchone()[0] == pytest.approx(0.012)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


@pytest.mark.parametrize("columns", [{"a; DROP": {}}, {"icmp": {'x"': None}}, {"icmp": {"at": None}}])
def test_a_name_that_is_no_column_is_refused_at_once(tmp_path: Path, columns: dict[str, dict[str, None]]) -> None:
    with pytest.raises(ValueError, match="lower-case letters"):
        SeriesStore(tmp_path, columns)


async def test_closing_twice_does_no_harm(make: Callable[..., SeriesStore]) -> None:
    store = make()
    await store.close()
    await store.close()
    store.add([look()])
    assert await store.latest() == []
