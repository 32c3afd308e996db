"""An iCalendar file (RFC 5545) -> shifts: each event is one contact's, whom SUMMARY or X-LAMBI-CONTACT names. Pure."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from itertools import islice

from alerting.rota import Shift
from monitor.ical import CalendarError, Frame, plans
from monitor.maintenance import occurrences

__all__ = ["CONTACT", "MOST", "CalendarError", "shifts"]

CONTACT = "X-LAMBI-CONTACT"
MOST = 3_000
"""Turns of one event that are read: eight years of days, or half a century of weeks."""
_START, _END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def shifts(data: bytes, contacts: Collection[str], zone: str, zones: Sequence[str]) -> list[Shift]:
    """Return every shift in order; raises CalendarError with every problem, and then nothing is used."""
    frame = Frame(contacts, "", zone, zones, "calendar", (CONTACT, "SUMMARY"), touching=True)
    found: list[Shift] = []
    for contact, window in plans(data, frame):
        turns = islice(occurrences(window, _START, _END), MOST)
        found += [Shift(each.since, each.until, contact) for each in turns]
    return sorted(found, key=lambda one: (one.since, one.contact))
