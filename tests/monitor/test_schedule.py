"""When what is due: pure."""

import itertools
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cadence import due, make_groups
from monitor.model import Phase, Rule
from monitor.recheck import again
from tests.fakes import START
from tests.monitor.test_detect import run
from tests.monitor.worlds import check, reference


def at(seconds: float):  # type: ignore[no-untyped-def] # a moment
    return START + timedelta(seconds=seconds)


def test_checks_are_spread_and_references_are_asked_at_once() -> None:
    groups = make_groups([*(check(f"router:r{n}") for n in range(100)), *(reference(n) for n in "abcde")])
    assert [(group.every, len(group.slots)) for group in groups] == [(5.0, 1), (10.0, 20)]
    assert {len(slot) for slot in groups[1].slots} == {5}


def test_each_check_is_due_once_a_cadence() -> None:
    groups = make_groups([check(f"router:r{n}", every=every) for n in range(30) for every in (10.0,)])
    asked = Counter(name for tick in due(groups, START, START, at(30)) for name in groups[0].slots[tick.slot])
    assert set(asked.values()) == {3}


@given(st.lists(st.floats(0.01, 7.0), max_size=20))
def test_however_time_is_cut_nothing_is_due_twice_and_nothing_is_left_out(steps: list[float]) -> None:
    groups = make_groups([check(f"router:r{n}", every=every) for n in range(7) for every in (5.0, 10.0, 60.0)])
    moments = [START]
    for step in steps:
        moments.append(moments[-1] + timedelta(seconds=step))
    pieces = [tick for since, until in itertools.pairwise(moments) for tick in due(groups, START, since, until)]
    assert pieces == due(groups, START, START, moments[-1])


@pytest.mark.parametrize("checks", [7, 11, 21])
def test_after_days_each_check_is_still_due_once_a_cadence(checks: int) -> None:
    [group] = make_groups([check(f"router:r{n}", every=300.0) for n in range(checks)])
    width = timedelta(seconds=group.width)  # APScheduler fires at this, rounded to a microsecond
    asked: Counter[str] = Counter()
    for fire in range(86_400, 86_400 + 3 * checks):
        since, until = (START + n * width + timedelta(milliseconds=1) for n in (fire - 1, fire))
        for tick in due([group], START, since, until):
            asked.update(group.slots[tick.slot])
    assert set(asked.values()) == {3}


def test_a_failure_is_looked_at_again_at_once_then_after_a_second_then_beyond_the_burst() -> None:
    rule = Rule(fall=3, silence_seconds=8.0, refusal_seconds=2.0)
    state = run(".x", rule=rule)[2]
    assert state is not None
    assert again(state, 1, rule, at(12)) == 0.0
    assert again(state, 2, rule, at(14)) == 1.0
    third = again(state, 3, rule, at(17))
    assert third is not None
    assert at(17) + timedelta(seconds=third) >= at(10 + 8)


def test_what_is_settled_waits_for_its_cadence() -> None:
    up, down = run("..")[2], run(".xxx")[2]
    assert up is not None
    assert down is not None
    assert down.phase is Phase.DOWN
    assert again(up, 0, Rule(), at(99)) is None
    assert again(down, 9, Rule(), at(99)) is None
