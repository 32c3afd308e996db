"""Who is on duty, over the nights the clocks change, gaps and overrides; times of the week; matchers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alerting.interval import Interval
from alerting.match import matches, parse
from alerting.rota import Rotation, Shift

BERMUDA = "Atlantic/Bermuda"
"""Changes its clocks: UTC-3 in summer, UTC-4 in winter; 2026-11-01 06:00 UTC ends summer, 2027-03-14 begins it."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WEEKLY = Rotation("noc", BERMUDA, utc("2026-10-26 11:00"), timedelta(days=7), ("ann", "ben", "cleo"))


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2026-10-26 10:59", ()),  # it has not begun
        ("2026-10-26 11:00", ("ann",)),
        ("2026-11-02 11:59", ("ann",)),  # 07:59 on the clock of winter
        ("2026-11-02 12:00", ("ben",)),  # 08:00
        ("2026-11-09 12:00", ("cleo",)),
        ("2026-11-16 12:00", ("ann",)),
        ("2027-03-15 10:59", ("ben",)),
        ("2027-03-15 11:00", ("cleo",)),  # 08:00 again, of summer
    ],
)
def test_hand_overs_keep_to_the_clock(at: str, who: tuple[str, ...]) -> None:
    assert WEEKLY.on_duty(utc(at)) == who


def test_overrides_go_before_the_turn_and_hand_over_back() -> None:
    swap = Shift(utc("2026-11-04 12:00"), utc("2026-11-05 12:00"), "cleo")
    rotation = Rotation("noc", BERMUDA, WEEKLY.since, WEEKLY.turn, WEEKLY.members, (), (swap,))
    changes = list(rotation.changes(utc("2026-11-02 13:00"), utc("2026-11-10 00:00")))
    assert changes == [(swap.since, ("cleo",)), (swap.until, ("ben",)), (utc("2026-11-09 12:00"), ("cleo",))]
    assert rotation.next_change(utc("2026-11-04 13:00")) == swap.until


def test_gaps_of_a_calendar_are_found() -> None:
    shifts = (
        Shift(utc("2026-11-01 08:00"), utc("2026-11-02 08:00"), "ann"),
        Shift(utc("2026-11-02 07:00"), utc("2026-11-03 08:00"), "ben"),
        Shift(utc("2026-11-03 10:00"), utc("2026-11-04 08:00"), "ann"),
    )
    rotation = Rotation("noc", shifts=shifts)
    assert rotation.on_duty(utc("2026-11-02 07:30")) == ("ann", "ben")
    assert rotation.gaps(utc("2026-11-01 08:00"), utc("2026-11-05 00:00")) == [
        (utc("2026-11-03 08:00"), utc("2026-11-03 10:00")),
        (utc("2026-11-04 08:00"), utc("2026-11-05 00:00")),
    ]
    assert WEEKLY.gaps(utc("2026-11-01 08:00"), utc("2027-11-05 00:00")) == []


@given(st.integers(0, 500_000), st.integers(1, 10_000))
def test_somebody_is_always_on_duty_and_turns_follow_each_other(minutes: int, turn: int) -> None:
    rotation = Rotation("noc", BERMUDA, WEEKLY.since, timedelta(minutes=turn + 9), ("a", "b", "c"))
    at = utc("2026-10-26 11:00") + timedelta(minutes=minutes)
    before, after = rotation.on_duty(at), rotation.on_duty(at + timedelta(minutes=turn + 9))
    assert len(before) == 1
    assert "abc".index(after[0]) - "abc".index(before[0]) in {
        1,
        -2,
        0,
        2,
        -1,
    }  # the hour of the clocks may double a turn


@pytest.mark.parametrize(
    ("interval", "at", "inside"),
    [
        (Interval("x"), "2026-11-01 00:00", True),
        (Interval("x", times=((0, 1440),)), "2026-11-01 23:59", True),  # 00:00-24:00
        (Interval("x", times=((480, 1020),)), "2026-11-01 17:00", False),
        (Interval("x", times=((1320, 360),), weekdays=((4, 4),)), "2026-11-07 05:59", True),  # the night of Friday
        (Interval("x", times=((1320, 360),), weekdays=((4, 4),)), "2026-11-06 05:59", False),
        (Interval("x", weekdays=((5, 0),)), "2026-11-02 12:00", True),  # sat-mon, a Monday
        (Interval("x", weekdays=((5, 0),)), "2026-11-03 12:00", False),
        (Interval("x", days=((-1, -1),)), "2027-02-28 12:00", True),
        (Interval("x", days=((-7, -1),)), "2026-11-23 12:00", False),
        (Interval("x", days=((25, -3),)), "2026-11-28 12:00", True),
        (Interval("x", days=((31, 31),)), "2026-11-30 12:00", False),
        (Interval("x", months=((11, 2),)), "2027-01-15 12:00", True),
        (Interval("x", years=((2026, 2026),)), "2027-01-15 12:00", False),
        (Interval("x", zone=BERMUDA, times=((480, 1020),)), "2026-10-30 11:00", True),
        (Interval("x", zone=BERMUDA, times=((480, 1020),)), "2026-11-02 11:00", False),  # 07:00 in winter
    ],
)
def test_intervals(interval: Interval, at: str, inside: bool) -> None:
    assert interval.contains(utc(at)) is inside


def test_an_interval_ends_and_begins_by_the_clock() -> None:
    night = Interval("x", BERMUDA, ((1320, 360),))
    assert night.ends(utc("2026-11-01 02:00")) == utc("2026-11-01 10:00")  # 06:00 of winter, nine hours later
    assert night.begins(utc("2026-11-01 12:00")) == utc("2026-11-02 02:00")
    first = Interval("x", days=((1, 1),), months=((1, 1),))
    assert first.begins(utc("2026-11-01 12:00")) == utc("2027-01-01 00:00")
    assert first.ends(utc("2027-01-01 12:00")) == utc("2027-01-02 00:00")
    assert Interval("x").ends(utc("2026-11-01 12:00")) > utc("2027-11-30 12:00")


@given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)), st.integers(0, 1439), st.integers(0, 1439))  # noqa: DTZ001 - made UTC below
def test_where_an_interval_ends_it_has_been_until_then(at: datetime, begin: int, end: int) -> None:
    assume(begin != end)
    interval, now = Interval("x", BERMUDA, ((begin, end),)), at.replace(tzinfo=UTC)
    edge = interval.ends(now) if interval.contains(now) else interval.begins(now)
    assert interval.contains(edge) is not interval.contains(now)
    assert interval.contains(edge - timedelta(microseconds=1)) is interval.contains(now)


@pytest.mark.parametrize(
    ("text", "labels", "fits"),
    [
        ("kind=cable", {"kind": "cable"}, True),
        (' kind = "cable" ', {"kind": "cable"}, True),
        ("kind!=cable", {}, True),
        ("kind=", {}, True),
        ("kind=~cab.*", {"kind": "cable"}, True),
        ("kind=~cab", {"kind": "cable"}, False),  # the whole value
        ('territory=~"BB|LC"', {"territory": "LC"}, True),
        ("territory!~BB|LC", {"territory": "LC"}, False),
    ],
)
def test_matchers(text: str, labels: dict[str, str], fits: bool) -> None:
    assert matches([parse(text)], labels) is fits
    assert parse(str(parse(text))) == parse(text)


@pytest.mark.parametrize("text", ["", "kind", "=x", "kind=~(a+)+", "kind=~a*b*c*", "kind=~[", "k=" + "x" * 400])
def test_what_is_no_matcher_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|expression"):
        parse(text)


@given(st.text(max_size=60), st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3))
def test_no_matcher_breaks_anything(text: str, labels: dict[str, str]) -> None:
    try:
        one = parse(text)
    except ValueError:
        return
    assert one.matches(labels) in {True, False}
