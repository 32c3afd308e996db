"""Rollups: they say exactly what the looks say, whatever came late, twice, or while something failed."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.store.files import day_files, open_to_write
from monitor.store.fold import OUTCOMES, WIDTHS
from monitor.store.history import LocalHistory
from monitor.store.keeper import Keeper
from monitor.store.rollup import FOLDERS, path_of
from monitor.store.rows import midnight
from monitor.store.schema import STEPS
from monitor.store.sketch import rank
from monitor.store.steps import Step, Which
from probes.model import Observation, Outcome
from tests.counts import soak
from tests.monitor.store.looks import COLUMNS, NOON, look

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIVE = timedelta(minutes=5)
START = midnight(NOON.date())
KEY = "rtt_seconds"


def keeper(folder: Path) -> Keeper:
    return Keeper(folder, COLUMNS, retention_days=30, rollup_days=30)


def keep(folder: Path, *batches: Sequence[Observation], between: int = 10_000) -> None:
    """Store batches as the writer thread does; ``between``: at most so many slices of folding after each."""
    writer = keeper(folder)
    for batch in batches:
        writer.store(list(batch))
        for _ in range(between):
            if not writer.tend():
                break
    writer.close()
    assert writer.error == ""
    assert writer.dropped == 0


def history(folder: Path) -> LocalHistory:
    def fail(sentence: str) -> None:
        raise AssertionError(sentence)

    return LocalHistory(folder, fail)


def naive(looks: Sequence[Observation], at: datetime, step: timedelta) -> tuple[int, int, int, list[float]]:
    """Count by hand: looks, up, unknown, values in order of time."""
    own = {one.at: one.parts[""] for one in looks if at <= one.at < at + step}
    parts = [own[when] for when in sorted(own)]
    outcomes = [part.outcome for part in parts]
    values = [float(part.values[KEY]) for part in parts if KEY in part.values]
    return len(parts), outcomes.count(Outcome.OK), outcomes.count(Outcome.UNKNOWN), values


def assert_right(step: Step, looks: Sequence[Observation], width: timedelta) -> None:
    count, up, unknown, values = naive(looks, step.at, width)
    assert (step.looks, step.up, step.unknown) == (count, up, unknown)
    assert (step.figures is None) == (not values)
    if step.figures is None:
        return
    told = step.figures
    assert (told.n, told.min, told.max, told.last) == (len(values), min(values), max(values), values[-1])
    assert round(told.sum * 1e6) == sum(round(value * 1e6) for value in values)
    for share, answer in ((0.5, told.p50), (0.95, told.p95), (0.99, told.p99)):
        wanted, off = rank(len(values), share), len(values) / 100
        assert sum(value <= answer for value in values) >= wanted - off
        assert sum(value < answer for value in values) < wanted + off


@st.composite
def histories(draw: st.DrawFn) -> list[list[Observation]]:
    """Batches of looks of three series over two days, in any order, some of them twice."""
    found = []
    for check in ("a/icmp/", "b/icmp/", "c/dns/"):
        for at in draw(st.lists(st.integers(-86_400 * 10, 86_400 * 10), max_size=25)):
            values = draw(
                st.one_of(st.just({}), st.fixed_dictionaries({KEY: st.integers(0, 10**7).map(lambda n: n / 1e6)}))
            )
            outcome = draw(st.sampled_from(OUTCOMES))
            kind = check.split("/")[1]
            found.append(look(at / 10 - 43_200, check=check, kind=kind, outcome=outcome, values=values))
    found = draw(st.permutations(found))
    size = draw(st.integers(1, 40))
    return [found[start : start + size] for start in range(0, len(found), size)]


@settings(max_examples=soak(ci=40, soak=3_000), deadline=None)
@given(histories(), st.sampled_from([FIVE, 3 * FIVE, HOUR, 6 * HOUR, DAY]), st.sampled_from([0, 1, 10_000]))
async def test_rollups_say_exactly_what_the_looks_say(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Observation]], step: timedelta, between: int
) -> None:
    folder = tmp_path_factory.mktemp("series")
    keep(folder, *batches, between=between)
    final = {(one.check, one.at): one for batch in batches for one in batch}
    since, until = START - DAY, START + DAY
    found = await history(folder).downsample(KEY, since, until, step)
    for one in found:
        assert_right(one, [each for each in final.values() if each.check == one.series[0]], step)
    expected = {(one.check, (one.at - since) // step) for one in final.values() if since <= one.at < until}
    assert {(one.series[0], (one.at - since) // step) for one in found} == expected
    for hour in await history(folder).overview(KEY, since, until):
        for name, share, mean, p95 in zip(*hour[1:], strict=True):
            count, up, unknown, values = naive([one for one in final.values() if one.check == name[0]], hour.at, HOUR)
            assert share == (up / (count - unknown) if count > unknown else None)
            assert mean == (pytest.approx(sum(values) / len(values)) if values else None)
            assert (p95 is None) == (not values)
    for total in await history(folder).availability(since, until):
        own = [one for one in final.values() if one.check == total.series[0] and since <= one.at < until]
        assert (total.looks, total.up, total.unknown) == naive(own, since, until - since)[:3]
        seen = {(one.at - since) // FIVE for one in own if one.parts[""].outcome is not Outcome.UNKNOWN}
        assert total.coverage == pytest.approx(len(seen) / ((until - since) / FIVE))


async def test_unknown_is_neither_up_nor_down_and_covers_nothing(tmp_path: Path) -> None:
    outcomes = [Outcome.OK] * 6 + [Outcome.UNKNOWN] * 3 + [Outcome.FAILED]
    keep(tmp_path, [look(60 * n, outcome=outcome) for n, outcome in enumerate(outcomes)])
    (found,) = await history(tmp_path).availability(NOON, NOON + timedelta(minutes=20))
    assert (found.looks, found.up, found.unknown) == (10, 6, 3)
    assert found.share == pytest.approx(6 / 7)
    assert found.coverage == pytest.approx(2 / 4)


async def test_nothing_but_unknown_has_no_availability(tmp_path: Path) -> None:
    keep(tmp_path, [look(outcome=Outcome.UNKNOWN)])
    (found,) = await history(tmp_path).availability(NOON, NOON + HOUR)
    assert found.share is None
    assert found.coverage == 0


async def test_only_the_series_asked_for_are_told(tmp_path: Path) -> None:
    keep(tmp_path, [look(n, check=check, values={KEY: 0.01}) for n in range(3) for check in ("a", "b")], [look(7_200)])
    found = await history(tmp_path).downsample(KEY, NOON, NOON + HOUR, HOUR, Which(checks=frozenset("b")))
    assert [(one.series[0], one.looks) for one in found] == [("b", 3)]
    assert await history(tmp_path).quantile(KEY, NOON, NOON + HOUR, 0.5, Which(checks=frozenset("a"))) == 0.01


async def test_a_step_is_a_multiple_of_five_minutes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="multiple of 300 seconds"):
        await history(tmp_path).downsample(KEY, NOON, NOON + HOUR, timedelta(minutes=1))


def rows(folder: Path, query: str, width: int = 300) -> list[tuple[object, ...]]:
    with sqlite3.connect(path_of(folder, width, NOON.date())) as db:
        return db.execute(query).fetchall()


def test_a_stretch_is_folded_when_it_is_over_and_again_when_a_look_comes_late(tmp_path: Path) -> None:
    writer = keeper(tmp_path)
    query = "SELECT at, n FROM looks"
    writer.store([look(0), look(10)])
    assert not writer.tend()
    writer.store([look(331)])
    assert writer.tend()  # sorts the looks in
    assert writer.tend()
    assert rows(tmp_path, query) == [(43_200, 2)]
    writer.store([look(20), look(340)])
    assert writer.tend()
    assert rows(tmp_path, query) == [(43_200, 3)]
    writer.close()


async def test_a_look_that_is_replaced_leaves_no_value_behind(tmp_path: Path) -> None:
    keep(tmp_path, [look(0, values={KEY: 0.5})], [look(7_200)], [look(0)], [look(7_300)])
    (found,) = await history(tmp_path).downsample(KEY, NOON, NOON + FIVE, FIVE)
    assert (found.looks, found.figures) == (1, None)


def test_a_clock_that_was_wrong_for_a_moment_folds_nothing_too_early(tmp_path: Path) -> None:
    writer = keeper(tmp_path)
    writer.store([look(0), look(10**9)])
    while writer.tend():
        pass
    writer.store([look(1)])
    assert not writer.tend(), "the stretch of now is folded with every commit as if it were over"
    writer.close()


async def test_a_kill_between_two_slices_costs_nothing(tmp_path: Path) -> None:
    looks = [look(n / 100, check=f"c{n}/icmp/", values={KEY: n / 1000}) for n in range(1_000)]
    writer = keeper(tmp_path)
    writer.store([*looks, look(400)])
    assert writer.tend()
    del writer  # as a kill would: nothing is given back
    keep(tmp_path, [look(401)])
    found = await history(tmp_path).downsample(KEY, NOON, NOON + FIVE, FIVE)
    assert len(found) == 1_000
    assert len(rows(tmp_path, "SELECT 1 FROM looks WHERE at = 43200")) == 1_000


WITHOUT_TAIL = """
INSERT INTO probe_icmp (series, at, outcome, rtt_seconds, ttl)
SELECT series, at, outcome, rtt_seconds, ttl FROM tail_icmp;
INSERT INTO latest_icmp (series, at, outcome, rtt_seconds, ttl)
SELECT series, max(at), outcome, rtt_seconds, ttl FROM tail_icmp GROUP BY series;
DROP TABLE tail_icmp;
PRAGMA user_version=6;
"""
"""Makes of a day file what was written before looks had a tail."""
BEFORE = """
DROP TABLE pending; DROP TABLE touched; DROP TABLE latest_icmp;
CREATE TABLE latest (series INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
INSERT INTO latest SELECT series, max(at) FROM probe_icmp GROUP BY series;
PRAGMA user_version=0;
"""
"""Then makes of it what the first version wrote."""


async def test_days_from_before_there_were_rollups_are_read_and_then_folded(tmp_path: Path) -> None:
    keep(tmp_path, [look(n * 60, check=f"c{n % 2}", values={KEY: 0.01 * n, "odd": n}) for n in range(100)], between=0)
    latest = await history(tmp_path).latest()
    with sqlite3.connect(tmp_path / f"{NOON.date()}.sqlite") as db:
        db.executescript(WITHOUT_TAIL + BEFORE)
    before = await history(tmp_path).downsample(KEY, NOON, NOON + 2 * HOUR, HOUR)
    assert [step.looks for step in before] == [30, 20, 30, 20]
    assert await history(tmp_path).latest() == latest
    keep(tmp_path, [look(86_400 * 2)])
    assert rows(tmp_path, "SELECT at, sum(n) FROM looks GROUP BY at", 3600) == [(43_200, 60), (46_800, 40)]
    assert await history(tmp_path).downsample(KEY, NOON, NOON + 2 * HOUR, HOUR) == before
    assert latest == [row for row in await history(tmp_path).latest() if row.at < NOON + DAY]


async def test_a_migration_that_is_killed_goes_on(tmp_path: Path) -> None:
    keep(tmp_path, [look(n) for n in range(10)], between=0)
    path = tmp_path / f"{NOON.date()}.sqlite"
    with sqlite3.connect(path) as db:
        db.executescript(WITHOUT_TAIL + BEFORE)
    for taken in range(len(STEPS)):
        steps = [*STEPS[:taken], fail]
        with pytest.raises(ZeroDivisionError):
            open_to_write(path, steps)
        with sqlite3.connect(path) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (taken,)
    keep(tmp_path, [look(86_400 * 2)])
    assert rows(tmp_path, "SELECT at, n FROM looks", 3600) == [(43_200, 10)]


def fail(db: sqlite3.Connection) -> None:
    """Die in the middle of a step."""
    db.execute("CREATE TABLE half (id INTEGER) STRICT")
    raise ZeroDivisionError


def test_a_file_of_a_later_version_is_read_and_not_written(tmp_path: Path) -> None:
    keep(tmp_path, [look()])
    with sqlite3.connect(tmp_path / f"{NOON.date()}.sqlite") as db:
        db.execute("PRAGMA user_version=99")
    writer = keeper(tmp_path)
    writer.store([look(1)])
    assert "a later version of Lambi" in writer.error
    assert writer.dropped == 1
    writer.close()


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"no database" * 2_000), lambda path: path.unlink()])
async def test_rollups_that_are_damaged_or_gone_are_made_again(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    keep(tmp_path, [look(n * 30, values={KEY: 0.01}) for n in range(600)])
    before = [rows(tmp_path, "SELECT at, n FROM looks", width) for width in WIDTHS]
    for width in WIDTHS:
        spoil(path_of(tmp_path, width, NOON.date()))
    writer = keeper(tmp_path)
    writer.store([look(n * 30) for n in range(600, 700)])
    while writer.tend():
        pass
    writer.close()
    for width, told in zip(WIDTHS, before, strict=True):
        assert set(told) <= set(rows(tmp_path, "SELECT at, n FROM looks", width))


async def test_where_five_minutes_are_no_longer_kept_hours_answer_or_the_looks(tmp_path: Path) -> None:
    keep(tmp_path, [look(n * 60, values={KEY: 0.01}) for n in range(60)], [look(86_400 * 2)])
    asked = (NOON + FIVE, NOON + 3 * FIVE)
    (exact,) = await history(tmp_path).availability(*asked)
    assert exact.looks == 10
    path_of(tmp_path, 300, NOON.date()).unlink()
    (whole,) = await history(tmp_path).availability(*asked)
    assert (whole.looks, whole.coverage) == (60, 1.0), "the period is widened to the hour, and so is the coverage"
    found = await history(tmp_path).downsample(KEY, *asked, FIVE)
    assert [step.looks for step in found] == [5, 5], "the looks themselves are there"


def test_hours_outlive_the_looks_and_five_minutes_do_not(tmp_path: Path) -> None:
    writer = Keeper(tmp_path, COLUMNS, retention_days=2, rollup_days=4)
    for day in range(6):
        writer.store([look(day * 86_400)])
        while writer.tend():
            pass
    writer.store([look(5 * 86_400 + 7_200)])
    while writer.tend():
        pass
    writer.close()
    assert len(day_files(tmp_path)) == 2
    assert [len(day_files(tmp_path / folder)) for folder in FOLDERS.values()] == [2, 4]
