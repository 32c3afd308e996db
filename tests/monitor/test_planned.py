"""What planned work means for each asset: in the week to come, and in a history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.maintenance import Calendar, checked
from monitor.model import Dependency, Window
from monitor.moments import day, lasting, moment
from monitor.planned import Kept, Links, apart, works

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
REPAIR = Window("w1", "cable:a", NOW + HOUR, NOW + 5 * HOUR, "splice", "NOC")
LINKS = Links(
    [
        Dependency("router:r", ("cable:a", "cable:b"), "any", confirmed=True),
        Dependency("site:s", ("router:r",), "all", confirmed=True),
        Dependency("ixp:i", ("cable:a",), "all", confirmed=True),
        Dependency("ixp:guess", ("cable:a",), "all", confirmed=False),
        Dependency("site:w", ("cable:a", "cable:b"), "weight", confirmed=True, weights=(3, 1), at_least=2),
        Dependency("site:once", ("cable:a",), "all", confirmed=True, until=NOW),
    ]
)
WHOLE = (NOW, NOW + timedelta(days=30))


def hours(asset: str, *kept: Kept) -> list[tuple[float, float, str]]:
    stretches = apart(asset, kept, LINKS, *WHOLE)
    return [((since - NOW) / HOUR, (until - NOW) / HOUR, why) for since, until, why in stretches]


def test_the_works_names_what_is_on_what_comes_and_whom_it_touches() -> None:
    weekly = checked(replace(REPAIR, id="w2", asset="cable:b", rule="FREQ=WEEKLY", reason="test"))
    far = replace(REPAIR, id="w3", asset="site:s", since=NOW + 200 * HOUR, until=NOW + 201 * HOUR)
    before = works(Calendar([REPAIR, weekly, far]), LINKS, NOW)
    assert (before.on, before.now) == ((), {})
    assert [window.id for window in before.coming] == ["w1", "w2", "w3"]
    assert set(before.soon) == {"cable:a", "cable:b", "router:r", "site:s", "site:w", "ixp:i"}
    during = works(Calendar([REPAIR, weekly, far]), LINKS, NOW + 2 * HOUR)
    assert set(during.now) == {"cable:a", "cable:b", "router:r", "site:s", "site:w", "ixp:i"}
    assert during.now["ixp:i"].id == "w1"
    assert set(works(Calendar([REPAIR]), LINKS, NOW + 2 * HOUR).now) == {"cable:a", "ixp:i", "site:w"}, (
        "the router has a way"
    )
    alone = works(Calendar([replace(REPAIR, below=False)]), LINKS, NOW + 2 * HOUR)
    assert set(alone.now) == {"cable:a"}


def test_a_history_counts_only_what_had_been_announced_and_until_it_was_ended() -> None:
    assert hours("cable:a", Kept(REPAIR, NOW - HOUR)) == [(1, 5, "splice")]
    assert hours("cable:a", Kept(REPAIR, NOW + 2 * HOUR)) == [(2, 5, "splice")]
    assert hours("cable:a", Kept(REPAIR, NOW, NOW + 3 * HOUR)) == [(1, 3, "splice")]
    assert hours("cable:a", Kept(REPAIR, NOW + 6 * HOUR)) == []
    assert hours("cable:a", Kept(REPAIR, NOW - HOUR, NOW)) == []


def test_a_history_counts_what_an_asset_needs_and_time_in_two_windows_once() -> None:
    other = Kept(replace(REPAIR, id="w2", asset="cable:b", since=NOW + 3 * HOUR, until=NOW + 9 * HOUR, reason="b"), NOW)
    mine = Kept(replace(REPAIR, id="w3", asset="ixp:i", since=NOW + 4 * HOUR, until=NOW + 6 * HOUR, reason="i"), NOW)
    repair = Kept(REPAIR, NOW)
    assert hours("ixp:i", repair, other, mine) == [(1, 4, "splice"), (4, 6, "i")]
    assert hours("router:r", repair, other) == [(3, 5, "splice")]
    assert hours("site:s", repair, other) == [(3, 5, "splice")]
    assert hours("ixp:guess", repair) == []
    assert hours("site:w", repair) == [(1, 5, "splice")], "what is left is not enough"
    assert hours("site:w", other) == []
    assert hours("site:once", repair) == []
    narrow = Kept(replace(REPAIR, below=False), NOW)
    assert (hours("ixp:i", narrow), hours("cable:a", narrow)) == ([], [(1, 5, "splice")])
    assert hours("cable:a", repair, Kept(REPAIR, NOW)) == [(1, 5, "splice")]


def test_a_rule_is_counted_each_time_and_cut_at_the_ends_of_the_period() -> None:
    weekly = Kept(checked(replace(REPAIR, since=NOW - HOUR, until=NOW + HOUR, rule="FREQ=WEEKLY")), NOW - 9 * HOUR)
    assert hours("cable:a", weekly) == [(0, 1, "splice"), *((n * 168 - 1, n * 168 + 1, "splice") for n in range(1, 5))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-11-28 01:30"),
        ("22:00", "2026-11-28 02:00"),
        ("21:30", "2026-11-29 01:30"),
        ("4:00", "2026-11-28 08:00"),
        ("+2h", "2026-11-28 03:30"),
        ("+1h30m", "2026-11-28 03:00"),
        ("2026-11-28 22:00", "2026-11-29 02:00"),
        ("2026-11-28T22:00:00Z", "2026-11-28 22:00"),
        ("2026-11-28T22:00-05:00", "2026-11-29 03:00"),
    ],
)
def test_moments_are_read_as_people_write_them(text: str, expected: str) -> None:
    after = datetime(2026, 11, 28, 1, 30, tzinfo=UTC)  # 21:30 of the 27th in Barbados
    assert f"{moment(text, 'America/Barbados', after):%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "25:00", "2026-11-31 10:00", "2026-11-28", "9999-01-01 00:00", "+", "-2h"]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a "):
        moment(text, "UTC", NOW)


def test_a_local_time_that_comes_twice_means_the_first_and_one_that_is_skipped_is_read_as_before_the_change() -> None:
    assert day("2026-11-01 00:30", "America/Havana") == datetime(2026, 11, 1, 4, 30, tzinfo=UTC)
    assert day("2026-03-08 00:30", "America/Havana") == datetime(2026, 3, 8, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(("text", "minutes"), [("45m", 45), ("2h", 120), ("1h30m", 90), ("1.5h", 90), ("2d", 2880)])
def test_durations_are_read_as_people_write_them(text: str, minutes: int) -> None:
    assert lasting(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["0h", "2", "400d", "h", "2h2h", "2w", "-1h", "nan"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        lasting(text)
