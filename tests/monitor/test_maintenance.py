"""Windows of planned work in simulated time: once, by rule, on the nights the clocks change."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.maintenance import Calendar, Window, checked, occurrences
from monitor.model import Dependency
from tests.counts import soak

BEGIN = datetime(2026, 11, 28, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
ONCE = Window("w1", "router:a", BEGIN, BEGIN + 2 * HOUR, "new line card", "noc")


def local(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def recurring(zone: str, since: str, until: str, rule: str) -> Window:
    return checked(replace(ONCE, since=local(zone, since), until=local(zone, until), rule=rule, zone=zone))


def begins(window: Window, until: datetime) -> list[str]:
    """Return the begins on the zone's clock, with its offset."""
    zone = ZoneInfo(window.zone)
    return [f"{each.since.astimezone(zone):%m-%d %H:%M%z}" for each in occurrences(window, window.since, until)]


def test_a_window_is_on_from_its_begin_until_before_its_end() -> None:
    calendar = Calendar([ONCE])
    assert calendar.active("router:a", BEGIN - timedelta(microseconds=1)) is None
    assert calendar.active("router:a", BEGIN) == ONCE
    assert calendar.active("router:a", BEGIN + 2 * HOUR - timedelta(microseconds=1)) == ONCE
    assert calendar.active("router:a", BEGIN + 2 * HOUR) is None
    assert calendar.active("router:b", BEGIN) is None


def test_the_next_boundary_is_a_begin_or_an_end_and_none_when_nothing_comes() -> None:
    calendar = Calendar([ONCE, replace(ONCE, id="w2", asset="router:b", since=BEGIN + HOUR)])
    assert calendar.boundary(BEGIN - WEEK) == BEGIN
    assert calendar.boundary(BEGIN) == BEGIN + HOUR
    assert calendar.boundary(BEGIN + HOUR) == BEGIN + 2 * HOUR
    assert calendar.boundary(BEGIN + 2 * HOUR) is None
    assert Calendar().boundary(BEGIN) is None


def test_of_two_windows_on_one_asset_the_one_that_ends_last_is_told() -> None:
    longer = replace(ONCE, id="w2", until=BEGIN + 9 * HOUR, below=False)
    calendar = Calendar([longer, ONCE])
    assert calendar.active("router:a", BEGIN) == longer
    needs = {"site:b": [Dependency("site:b", ("router:a",), "all", confirmed=True)]}
    assert calendar.over("site:b", BEGIN, lambda asset: needs.get(asset, ())) == ONCE


def test_a_weekly_window_keeps_to_the_clock_on_the_night_nassau_changes_its_clocks() -> None:
    window = recurring("America/Nassau", "2026-10-24 22:00", "2026-10-25 04:00", "FREQ=WEEKLY;BYDAY=SA")
    nights = list(occurrences(window, window.since, window.since + 3 * WEEK))
    assert [(night.until - night.since) / HOUR for night in nights] == [6, 7, 6]  # on 1 November 02:00 is 01:00 again
    assert {f"{night.until.astimezone(ZoneInfo(window.zone)):%a %H:%M}" for night in nights} == {"Sun 04:00"}
    spring = local(window.zone, "2027-03-13 22:00")
    assert Calendar([window]).active("router:a", spring) == replace(window, since=spring, until=spring + 5 * HOUR)
    assert Calendar([window]).active("router:a", spring - HOUR) is None


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE"])
def test_an_old_rule_that_is_first_asked_about_on_any_day_says_what_its_whole_course_says(rule: str) -> None:
    window = recurring("America/Havana", "2025-01-01 00:30", "2025-01-01 05:00", rule)
    course = list(occurrences(window, window.since, window.since + 100 * WEEK))
    for day in range(500):
        now = window.since + timedelta(days=day, hours=3)
        on = [each for each in course if each.since <= now < each.until]
        assert Calendar([window]).on(now) == on
        assert Calendar([window]).coming(now, 9 * WEEK) == [next(each for each in course if each.since > now)]
        assert next(occurrences(window, now, now + 9 * WEEK)) == (on or Calendar([window]).coming(now, 9 * WEEK))[0]


def test_a_midnight_that_havana_skips_or_has_twice_is_read_as_rfc_5545_says() -> None:
    spring = recurring("America/Havana", "2026-03-07 00:00", "2026-03-07 01:00", "FREQ=DAILY;COUNT=3")
    assert begins(spring, spring.since + WEEK) == ["03-07 00:00-0500", "03-08 01:00-0400", "03-09 00:00-0400"]
    assert all(each.until - each.since == HOUR for each in occurrences(spring, spring.since, spring.since + WEEK))
    autumn = recurring("America/Havana", "2026-10-31 00:30", "2026-10-31 02:00", "FREQ=DAILY;COUNT=3")
    assert begins(autumn, autumn.since + WEEK) == ["10-31 00:30-0400", "11-01 00:30-0400", "11-02 00:30-0500"]
    lasting = [(each.until - each.since) / HOUR for each in occurrences(autumn, autumn.since, autumn.since + WEEK)]
    assert lasting == [1.5, 2.5, 1.5]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=WEEKLY;BYDAY=SU;COUNT=3", ["01-03", "01-10", "01-17"]),
        ("RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;UNTIL=20270117", ["01-03", "01-17"]),
        ("freq=monthly;byday=1su;count=2", ["01-03", "02-07"]),
        ("FREQ=WEEKLY;BYDAY=SU;UNTIL=20270110T220000", ["01-03", "01-10"]),
        ("FREQ=WEEKLY;BYDAY=SU;UNTIL=20270111T015959Z", ["01-03"]),
    ],
)
def test_a_rule_names_its_days_on_the_clock_of_its_zone(rule: str, days: list[str]) -> None:
    window = recurring("America/Barbados", "2027-01-03 22:00", "2027-01-04 02:00", rule)
    assert begins(window, window.since + 20 * WEEK) == [f"{day} 22:00-0400" for day in days]


def test_a_day_that_is_skipped_does_not_take_place() -> None:
    window = recurring("America/Nassau", "2026-10-25 22:00", "2026-10-26 02:00", "FREQ=WEEKLY;BYDAY=SU;COUNT=3")
    window = replace(window, skipped=(local("America/Nassau", "2026-11-01 22:00"),))
    assert begins(window, window.since + 9 * WEEK) == ["10-25 22:00-0400", "11-08 22:00-0500"]


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("FREQ=SECONDLY", "rule: FREQ is one of DAILY, WEEKLY, MONTHLY, YEARLY"),
        ("BYDAY=SU", "rule: FREQ is one of DAILY, WEEKLY, MONTHLY, YEARLY"),
        ("FREQ=WEEKLY;BYDAY=XX", "rule: not understood; like FREQ=WEEKLY;BYDAY=SU"),
        ("FREQ=WEEKLY;BYDAY=2SU", "rule: BYDAY with a number needs FREQ=MONTHLY or YEARLY"),
        ("FREQ=DAILY;INTERVAL=0", "rule: INTERVAL is a number from 1 to 9999"),
        ("FREQ=DAILY;COUNT=-1", "rule: COUNT is a number from 1 to 9999"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "rule: COUNT and UNTIL exclude each other"),
        ("FREQ=DAILY;UNTIL=tomorrow", "rule: UNTIL is a date, like 20261231 or 20261231T235959Z"),
        ("FREQ=DAILY;UNTIL=20261399", "rule: UNTIL is a date, like 20261231 or 20261231T235959Z"),
        ("FREQ=DAILY;FREQ=DAILY", 'rule: "FREQ=DAILY" is written twice or holds what it must not'),
        ("FREQ=DAILY\nDTSTART:20200101", 'rule: "FREQ=DAILY DTSTART:20200101" is written twice or holds what it must'),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "rule: it names no day, or none that is not skipped"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2", "rule: it names no day, or none that is not skipped"),
        ("FREQ=DAILY;UNTIL=20200101", "rule: it names no day, or none that is not skipped"),
        ("FREQ=DAILY;BYHOUR=1,2", "rule: it would never end: each time begins before the last has ended"),
        ("FREQ=EVERY", "rule: FREQ is one of DAILY, WEEKLY, MONTHLY, YEARLY"),
        ("каждый день", 'rule: "КАЖДЫЙ ДЕНЬ" is not understood; known: FREQ, INTERVAL'),
        ("FREQ=WEEKLY;BYWEEKNO=99", "rule: it names no day, or none that is not skipped"),
    ],
)
def test_a_rule_that_nobody_can_keep_is_refused_with_a_sentence(rule: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^rule: ") as caught:
        checked(replace(ONCE, until=BEGIN + 2 * HOUR, rule=rule))
    assert str(caught.value).startswith(sentence)


def test_an_end_that_is_not_after_the_begin_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^until: the end is not after the begin"):
        checked(replace(ONCE, until=BEGIN))


def test_what_comes_is_the_next_time_of_each_window() -> None:
    window = recurring("UTC", "2026-11-22 22:00", "2026-11-23 02:00", "FREQ=WEEKLY;BYDAY=SU")
    calendar = Calendar([window, replace(ONCE, id="w2"), replace(ONCE, id="w3", since=BEGIN - HOUR)])
    assert [(each.id, each.since) for each in calendar.coming(window.since, WEEK)] == [
        ("w3", BEGIN - HOUR),
        ("w2", BEGIN),
        ("w1", window.since + WEEK),
    ]
    assert calendar.on(window.since) == [window]
    assert [each.id for each in calendar.coming(window.since, timedelta(days=5))] == []
    assert [each.id for each in calendar.coming(BEGIN, WEEK)] == ["w1"]


def needs(*lines: tuple[str, str, Sequence[str]]) -> dict[str, list[Dependency]]:
    return {asset: [Dependency(asset, tuple(on), mode, confirmed=True)] for asset, mode, on in lines}


def test_what_stands_below_is_in_maintenance_too_unless_it_has_another_way() -> None:
    world = needs(
        ("site:d", "all", ["network:c"]),
        ("network:c", "all", ["router:a"]),
        ("network:e", "any", ["router:a", "router:b"]),
        ("site:f", "any", ["network:c", "network:g"]),
        ("network:g", "all", ["network:c"]),
    )

    def over(asset: str, *windows: Window) -> Window | None:
        return Calendar(windows).over(asset, BEGIN, lambda each: world.get(each, ()))

    assert over("router:a", ONCE) == over("network:c", ONCE) == over("site:d", ONCE) == over("site:f", ONCE) == ONCE
    assert over("network:e", ONCE) is None
    other = replace(ONCE, id="w2", asset="router:b", until=BEGIN + HOUR)
    assert over("network:e", ONCE, other) == other  # from its end on there is a way again
    assert over("network:c", replace(ONCE, below=False)) is None
    assert over("site:h", ONCE) is None


def test_needs_that_go_round_in_a_circle_do_not_hang() -> None:
    circle = needs(("site:a", "all", ["site:b"]), ("site:b", "all", ["site:a"]))
    assert Calendar([ONCE]).over("site:a", BEGIN, lambda asset: circle.get(asset, ())) is None


@settings(max_examples=soak(ci=60, soak=5_000), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["router:a", "router:b"]),
            st.integers(0, 60 * 24 * 40),
            st.integers(1, 60 * 20),
            st.sampled_from(
                [
                    "",
                    "FREQ=DAILY",
                    "FREQ=WEEKLY;BYDAY=SA,SU",
                    "FREQ=MONTHLY;BYDAY=-1SU",
                    "FREQ=DAILY;COUNT=3",
                    "FREQ=DAILY;INTERVAL=2",
                ]
            ),
            st.sampled_from(["America/Nassau", "America/Havana", "America/Barbados", "UTC"]),
        ),
        max_size=4,
    ),
    st.lists(st.integers(0, 60 * 24 * 60), min_size=1, max_size=20),
)
def test_the_calendar_says_what_its_windows_say_whatever_it_was_asked_before(
    rows: list[tuple[str, int, int, str, str]], minutes: list[int]
) -> None:
    start = datetime(2026, 10, 5, tzinfo=UTC)
    windows = []
    for number, (asset, since, lasting, rule, zone) in enumerate(rows):
        begin = start + timedelta(minutes=since)
        window = Window(str(number), asset, begin, begin + timedelta(minutes=lasting), "", "", rule=rule, zone=zone)
        windows.append(checked(window))
    end = start + timedelta(days=90)
    spans = [each for window in windows for each in occurrences(window, start, end)]
    calendar = Calendar(windows)
    for now in [start + timedelta(minutes=each) for each in minutes]:
        expected = sorted((each.until, each.id) for each in spans if each.since <= now < each.until)
        assert [(each.until, each.id) for each in calendar.on(now)] == expected
        turns = [turn for each in spans for turn in (each.since, each.until) if turn > now]
        assert calendar.boundary(now) == min(turns, default=None)
        nexts = {each.id: each for each in sorted(spans, key=lambda each: each.since, reverse=True) if each.since > now}
        assert {each.id: each for each in calendar.coming(now, end - now)} == nexts


def test_a_window_on_every_second_of_boundaries_turns_once_for_each() -> None:
    window = recurring("America/Nassau", "2026-10-25 22:00", "2026-10-26 02:00", "FREQ=WEEKLY;BYDAY=SU;COUNT=4")
    calendar, turns, now = Calendar([window]), [], window.since - WEEK
    while following := calendar.boundary(now):
        turns.append(following)
        now = following
    assert len(turns) == 8
    assert all(first < second for first, second in pairwise(turns))
