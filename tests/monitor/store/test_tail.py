"""Looks wait in a tail before they are sorted in: no answer shows where a look stands."""

import sqlite3
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.store import newest, read
from monitor.store.day import SLICE, TAIL_LOOKS, DayFile
from monitor.store.files import open_to_read, transaction
from monitor.store.keeper import Keeper
from monitor.store.rollup import folded
from monitor.store.rows import SECOND, Row, midnight
from probes.model import Observation
from tests.counts import soak
from tests.monitor.store.looks import COLUMNS, NOON, look
from tests.monitor.store.test_rollup import WITHOUT_TAIL

DAY = NOON.date()
KEY = "rtt_seconds"
HOUR = timedelta(hours=1)


def opened(folder: Path) -> DayFile:
    return DayFile(folder / f"{DAY}.sqlite", DAY, COLUMNS)


def rows(path: Path, name: str) -> int:
    with open_to_read(path) as db:
        (count,) = db.execute(f"SELECT count(*) FROM {name}").fetchone()  # noqa: S608 - ours
        return int(count)


def answers(path: Path) -> list[Any]:
    """Everything that can be asked of a day file."""
    low, high = (NOON - midnight(DAY)).seconds * SECOND, (NOON - midnight(DAY)).seconds * SECOND + 200 * SECOND
    with open_to_read(path) as db:
        stretch = sorted(read.stretch(db, DAY, low, high), key=lambda row: (row.check, row.at))
        sums = list(folded(db, (300, low // SECOND), (0, 10**6)))
    one = read.between(path, DAY, ("a/icmp/", ""), NOON, NOON + HOUR)
    latest = sorted(newest.latest(path, DAY).values(), key=lambda row: row.check)
    return [list(read.each(path, DAY, NOON - HOUR, NOON + HOUR)), one, latest, stretch, sums]


@st.composite
def batches(draw: st.DrawFn) -> list[tuple[list[Observation], bool]]:
    """Looks of four series of two kinds in order, late and told again; after some batches the tail is sorted in."""
    found = []
    for _ in range(draw(st.integers(1, 12))):
        batch = [
            look(
                draw(st.integers(0, 40)) * 10,
                check=f"{name}/{kind}/",
                kind=kind,
                values={KEY: draw(st.integers(0, 99)) / 1e6} | ({"odd": 7.5} if draw(st.booleans()) else {}),
            )
            for name, kind in draw(
                st.lists(st.sampled_from([("a", "icmp"), ("b", "icmp"), ("c", "dns"), ("d", "dns")]))
            )
        ]
        found.append((batch, draw(st.booleans())))
    return found


@settings(max_examples=soak(ci=60, soak=5_000), deadline=None)
@given(batches())
def test_no_answer_shows_whether_a_look_waits_or_is_sorted_in(
    tmp_path_factory: pytest.TempPathFactory, told: Sequence[tuple[list[Observation], bool]]
) -> None:
    folder = tmp_path_factory.mktemp("series")
    file = opened(folder)
    final: dict[tuple[str, Any], dict[str, Any]] = {}
    for batch, sorts in told:
        file.write(batch)
        if sorts:
            assert not file.settle() or not file.settle()
        for one in batch:
            odd = final.get((one.check, one.at), {})  # a loose value stays when a look is told again without it
            final[one.check, one.at] = odd | dict(one.parts[""].values)
    before = answers(file.path)
    file.close()
    again = opened(folder)  # as after a kill: the tail is where it was
    assert answers(again.path) == before
    while again.settle():
        pass
    again.close()
    assert answers(again.path) == before
    every: list[Row] = before[0]
    assert {(row.check, row.at): row.values for row in every} == final
    assert len(every) == len(final)
    last = {check: max(at for name, at in final if name == check) for check, _ in final}
    assert {row.check: row.at for row in before[2]} == last


def test_a_full_tail_is_sorted_in_a_slice_with_each_commit(tmp_path: Path) -> None:
    """So no commit waits for all of it."""
    file = opened(tmp_path)
    count = 2 * SLICE + 1
    checks = [f"c{n:04}/icmp/" for n in range(count)]
    for number in range(TAIL_LOOKS):
        file.write([look(30 * number, check=check, values={KEY: 0.01}) for check in checks])
    assert rows(file.path, "probe_icmp") == SLICE * TAIL_LOOKS
    for number, moved in ((1, 2 * SLICE * TAIL_LOOKS), (2, count * TAIL_LOOKS + 2), (3, count * TAIL_LOOKS + 2)):
        file.write([look(1_000 + number, check=checks[-1])])
        assert rows(file.path, "probe_icmp") == moved
        assert rows(file.path, "probe_icmp") + rows(file.path, "tail_icmp") == count * TAIL_LOOKS + number
    file.close()


def test_a_day_that_is_over_is_sorted_in_to_the_last_look(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path, COLUMNS, retention_days=30, rollup_days=30, archives=False)
    for day in range(4):
        keeper.store([look(86_400 * day + n, values={KEY: 0.01}) for n in range(5)])
        while keeper.tend():
            pass
    assert (rows(tmp_path / f"{DAY}.sqlite", "tail_icmp"), rows(tmp_path / f"{DAY}.sqlite", "probe_icmp")) == (0, 5)
    keeper.close()
    assert keeper.error == ""


def test_a_file_of_before_there_was_a_tail_is_read_and_goes_on(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write([look(10 * n, check="a/icmp/", values={KEY: n / 1e6, "ttl": n}) for n in range(50)])
    file.close()
    before = answers(file.path)
    with sqlite3.connect(file.path) as db:
        db.executescript(WITHOUT_TAIL)
    assert answers(file.path) == before
    file = opened(tmp_path)
    assert answers(file.path) == before
    file.write([look(1_000, check="a/icmp/"), look(0, check="a/icmp/")])
    assert [len(file_rows) for file_rows in answers(file.path)[:2]] == [51, 51]
    file.close()


def test_a_commit_that_fails_leaves_the_tail_as_it_was(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write([look(0, check="a/icmp/")])
    before = answers(file.path)

    def half() -> None:
        with transaction(file.db):
            file._insert([look(5, check="a/icmp/"), look(6, check="b/icmp/")])
            raise sqlite3.OperationalError("the disk is full")

    with pytest.raises(sqlite3.OperationalError, match="full"):
        half()
    assert answers(file.path) == before
    file.close()
