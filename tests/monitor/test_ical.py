"""iCalendar files as calendars of operators write them -> windows."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ical import CalendarError, Frame, read
from monitor.maintenance import occurrences
from monitor.model import Window
from tests.counts import soak

NOW = datetime(2026, 10, 1, tzinfo=UTC)
FRAME = Frame({"router:a", "cable:b"}, "", "America/Barbados", ("America/Barbados", "America/Nassau"), "NOC")

NASSAU = """BEGIN:VTIMEZONE
TZID:Our clock
BEGIN:DAYLIGHT
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
END:VTIMEZONE"""


def file(*events: str, head: str = "") -> bytes:
    inside = [head, *("BEGIN:VEVENT\n" + event + "\nEND:VEVENT" for event in events)]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *filter(None, inside), "END:VCALENDAR"]
    return "\n".join(lines).replace("\n", "\r\n").encode()


def begins(window: Window, zone: str) -> list[str]:
    until = window.since + timedelta(days=70)
    return [f"{each.since.astimezone(ZoneInfo(zone)):%m-%d %H:%M}" for each in occurrences(window, NOW, until)]


def test_a_rule_with_days_left_out_keeps_to_the_clock_that_the_file_defines() -> None:
    event = """UID:ring@noc
SUMMARY:Ring\\, upgrade
LOCATION:router:a
DTSTART;TZID=Our clock:20261025T220000
DTEND;TZID=Our clock:20261026T040000
RRULE:FREQ=WEEKLY;BYDAY=SU;UNTIL=20261201T000000Z
EXDATE;TZID=Our clock:20261108T220000,20261122T220000"""
    window = read(file(event, head=NASSAU), FRAME, NOW).windows["ring@noc"]
    assert (window.asset, window.reason, window.author, window.zone) == (
        "router:a",
        "Ring, upgrade",
        "NOC",
        "America/Nassau",
    )
    assert begins(window, "America/Nassau") == ["10-25 22:00", "11-01 22:00", "11-15 22:00", "11-29 22:00"]


def test_a_moved_time_takes_the_place_of_the_one_it_was() -> None:
    rule = """UID:weekly
X-LAMBI-ASSET:cable:b
LOCATION:Landing station
DTSTART:20261004T220000Z
DURATION:PT2H
RRULE:FREQ=WEEKLY;COUNT=3"""
    moved = """UID:weekly
X-LAMBI-ASSET:cable:b
RECURRENCE-ID:20261011T220000Z
DTSTART:20261012T200000Z
DURATION:PT1H"""
    gone = """UID:weekly
RECURRENCE-ID:20261018T220000Z
STATUS:CANCELLED
DTSTART:20261018T220000Z"""
    found = read(file(moved, gone, rule), FRAME, NOW)
    assert begins(found.windows["weekly"], "UTC") == ["10-04 22:00"]
    assert begins(found.windows["weekly/20261011T220000Z"], "UTC") == ["10-12 20:00"]
    assert found.cancelled == {"weekly/20261018T220000Z"}


def test_a_whole_day_and_a_time_without_a_zone_are_on_the_clock_of_the_place() -> None:
    whole = "UID:day\nLOCATION:router:a\nDTSTART;VALUE=DATE:20261128"
    bare = "UID:bare\nLOCATION:router:a\nDTSTART:20261128T220000\nDTEND:20261128T230000"
    found = read(file(whole, bare), FRAME, NOW).windows
    assert found["day"].since == datetime(2026, 11, 28, 4, tzinfo=UTC)
    assert found["day"].until - found["day"].since == timedelta(days=1)
    assert found["bare"].since == datetime(2026, 11, 29, 2, tzinfo=UTC)
    havana = read(file(bare, head="X-WR-TIMEZONE:America/Havana"), FRAME, NOW).windows["bare"]
    assert havana.since == datetime(2026, 11, 29, 3, tzinfo=UTC)


def test_extra_days_are_windows_of_their_own_and_names_of_another_system_are_understood() -> None:
    event = """UID:x
LOCATION:router:a
DTSTART;TZID=SA Western Standard Time:20261128T220000
DTEND;TZID=SA Western Standard Time:20261128T230000
RRULE:FREQ=MONTHLY;BYDAY=-1SA;COUNT=2
RDATE;TZID=SA Western Standard Time:20261210T220000"""
    found = read(file(event), FRAME, NOW).windows
    assert begins(found["x"], "America/Barbados") == ["11-28 22:00", "12-26 22:00"]
    assert begins(found["x/20261211T020000Z"], "America/Barbados") == ["12-10 22:00"]


def test_what_is_over_or_names_no_asset_is_left_out_and_said() -> None:
    over = "UID:over\nSUMMARY:old\nLOCATION:router:a\nDTSTART:20200101T000000Z\nDTEND:20200101T020000Z"
    lunch = (
        "UID:lunch\nSUMMARY:lunch\nLOCATION:https://meet.example/1\nDTSTART:20261128T120000Z\nDTEND:20261128T130000Z"
    )
    found = read(file(over, lunch), FRAME, NOW)
    assert found.windows == {}
    assert found.notes == ['"old" is over: left out', 'event "lunch" names no asset: left out']


GOOD = "UID:u\nSUMMARY:s\nLOCATION:router:a\nDTSTART:20261128T220000Z\nDTEND:20261128T230000Z"
NOT_ONE = "not an iCalendar file: it begins with BEGIN:VCALENDAR and ends with END:VCALENDAR"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", NOT_ONE),
        (b"\xff\xfe\x00", NOT_ONE),
        (b"hello", NOT_ONE),
        (b"BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n", NOT_ONE),
        (file(GOOD)[:-20], NOT_ONE),
        (b"x" * (3 << 20), "the file is too big; at most 2 MiB are read"),
        (file(), "the file holds no event"),
        (file(*[GOOD] * 1001), "the file holds 1001 events; at most 1000 are read"),
        (file(GOOD.replace("UID:u\n", "")), 'event "s": UID is missing: without it an import cannot be repeated'),
        (file(GOOD.replace("router:a", "router:z")), 'event "s": unknown asset "router:z"'),
        (file(GOOD.replace("\nDTEND:20261128T230000Z", "")), 'event "s": it has no end: DTEND or DURATION is missing'),
        (file(GOOD.replace("T23", "T21")), 'event "s": until: the end is not after the begin'),
        (file(GOOD.replace("20261128T22", "20261399T22")), 'event "s": DTSTART cannot be read: '),
        (file(GOOD + "\nRRULE:FREQ=HOURLY"), 'event "s": rule: FREQ is one of DAILY, WEEKLY, MONTHLY, YEARLY'),
        (file(GOOD + "\nRRULE:FREQ=NEVER"), 'event "s": RRULE cannot be read: '),
        (
            file(GOOD + "\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY"),
            'event "s": it has more than one rule; one RRULE is read',
        ),
        (
            file(GOOD.replace("DTSTART:20261128T220000Z", "DTSTART;TZID=Nowhere/Land:20261128T220000")),
            'event "s": the file does not define the time zone "Nowhere/Land", and nobody knows it',
        ),
        (
            file(
                GOOD.replace("DTSTART:20261128T22", "DTSTART;TZID=Odd:20261128T12").replace("0Z", "0")
                + "\nRRULE:FREQ=DAILY",
                head=NASSAU.replace("-0500", "-0530").replace("Our clock", "Odd"),
            ),
            'event "s": the clock of its rule, ',
        ),
    ],
)
def test_a_bad_file_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(CalendarError) as caught:
        read(data, FRAME, NOW)
    assert str(caught.value).startswith(sentence)
    assert len(str(caught.value).splitlines()) == 1


def test_every_problem_of_a_file_is_told_at_once() -> None:
    bad = GOOD.replace("router:a", "router:z")
    with pytest.raises(CalendarError) as caught:
        read(file(bad, GOOD, bad.replace("SUMMARY:s", "SUMMARY:t")), FRAME, NOW)
    assert str(caught.value).splitlines() == [
        'event "s": unknown asset "router:z"',
        'event "t": unknown asset "router:z"',
    ]


@settings(max_examples=soak(ci=100, soak=20_000), deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from([b"", b"\r\n", b";", b":", b"Z", b"\x00", b"9", b"RRULE"])),
        max_size=6,
    )
)
def test_whatever_a_file_holds_it_is_read_or_refused_with_a_sentence(edits: list[tuple[int, bytes]]) -> None:
    data = file(GOOD + "\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20261205T220000Z", head=NASSAU)
    for at, text in edits:
        data = data[:at] + text + data[at + 1 :]
    try:
        found = read(data, FRAME, NOW)
    except CalendarError:
        return
    assert len(found.windows) <= 2
