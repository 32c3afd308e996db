"""Shifts from an iCalendar file: who, when, rules, exceptions, and what is refused."""

from datetime import UTC, datetime

import pytest

from monitor.duty import CalendarError, shifts

HEAD, TAIL = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\n", "END:VCALENDAR\r\n"
WHO = {"ann", "ben"}


def event(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in ("BEGIN:VEVENT", *lines, "END:VEVENT"))


def read(*events: str) -> list[tuple[str, str, str]]:
    found = shifts((HEAD + "".join(events) + TAIL).encode(), WHO, "America/Barbados", ["America/Barbados"])
    return [(f"{one.since:%m-%d %H:%M}", f"{one.until:%m-%d %H:%M}", one.contact) for one in found]


def test_turns_by_rule_with_one_skipped_and_one_moved() -> None:
    rule = event(
        "UID:1",
        "SUMMARY:ann",
        "DTSTART;TZID=America/Barbados:20261130T080000",
        "DTEND;TZID=America/Barbados:20261201T080000",
        "RRULE:FREQ=DAILY;COUNT=4",
        "EXDATE;TZID=America/Barbados:20261201T080000",
    )
    moved = event(
        "UID:1",
        "SUMMARY:ben",
        "RECURRENCE-ID;TZID=America/Barbados:20261202T080000",
        "DTSTART;TZID=America/Barbados:20261202T100000",
        "DTEND;TZID=America/Barbados:20261203T080000",
    )
    assert read(moved, rule) == [
        ("11-30 12:00", "12-01 12:00", "ann"),
        ("12-02 14:00", "12-03 12:00", "ben"),
        ("12-03 12:00", "12-04 12:00", "ann"),
    ]


def test_a_property_of_ours_names_the_contact_before_the_title() -> None:
    one = event("UID:1", "SUMMARY:On call", "X-LAMBI-CONTACT:ben", "DTSTART:20261130T080000Z", "DTEND:20261201T080000Z")
    assert read(one) == [("11-30 08:00", "12-01 08:00", "ben")]


def test_a_rule_without_end_is_read_so_far_as_anybody_plans() -> None:
    one = event("UID:1", "SUMMARY:ann", "DTSTART:20261130T080000Z", "DTEND:20261207T080000Z", "RRULE:FREQ=WEEKLY")
    found = shifts((HEAD + one + TAIL).encode(), WHO, "UTC", ["UTC"])
    assert len(found) == 3_000
    assert found[-1].until > datetime(2080, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not an iCalendar file"),
        (HEAD + TAIL, "holds no event"),
        (
            HEAD + event("UID:1", "SUMMARY:zoe", "DTSTART:20261130T080000Z", "DTEND:20261201T080000Z") + TAIL,
            "names nobody",
        ),
        (HEAD + event("UID:1", "DTSTART:20261130T080000Z", "DTEND:20261201T080000Z") + TAIL, "names nobody"),
        (HEAD + event("UID:1", "SUMMARY:ann", "DTSTART:20261130T080000Z") + TAIL, "it has no end"),
    ],
)
def test_what_cannot_be_used_is_refused_whole_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(CalendarError, match=says):
        shifts(text.encode(), WHO, "UTC", ["UTC"])
