"""Notification rows as a plan writes them, inside the caller's transaction."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerting.journal import Transaction, micros, moment
from alerting.model import Alert, Contact, Reason, Severity, Told


@dataclass(frozen=True, slots=True)
class Planned:
    """One row that a plan has written."""

    id: int
    incident: str
    contact: str
    channel: str
    reason: Reason
    due: datetime
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How one contact on one channel stands towards one incident."""

    waiting: int | None = None
    """The row that nobody can have received yet."""
    waiting_severity: Severity = Severity.INFO
    ending: bool = False
    """The row that waits tells the end."""
    reminder: bool = False
    """The row that waits only reminds."""
    waits_by: str = ""
    """The route of the row that waits."""
    attempt: int = 0
    """The last that may have reached it."""
    told: Told | None = None
    """What it was told, or may have been: a message in flight counts."""
    route: str = ""
    """By which route it was named."""
    told_by: tuple[str, ...] = ()
    """The routes of the rows that may have reached it, in their order."""


Where = tuple[str, str]
"""Contact and channel."""


@dataclass(frozen=True, slots=True)
class Source:
    """What named the contact, and when the row may leave."""

    route: str = ""
    ladder: str = ""
    group: str = ""
    due: datetime | None = None
    """None: now."""


# The last attempt that may have reached somebody says what was told; a row none of whose attempts may have, waits.
STANDING = """
SELECT n.contact, n.channel, n.id, n.severity, n.reason, n.ended_at IS NULL, n.route,
    a.id, a.intent_at, a.severity, a.closed, a.revision
FROM notification n LEFT JOIN attempt a ON a.id = (
    SELECT max(id) FROM attempt WHERE notification = n.id AND status <> 'failed')
WHERE n.incident = ? ORDER BY n.id"""


async def standings(tx: Transaction, incident: str) -> dict[Where, Standing]:
    """Read how each contact and channel stands, in the order in which they were first planned."""
    found: dict[Where, Standing] = {}
    for contact, channel, id_, severity, reason, pending, route, attempt, *said in await tx.execute(
        STANDING, (incident,)
    ):
        before = found.get((contact, channel), Standing(route=route))
        if attempt is not None:
            by = (*before.told_by, route)
            found[contact, channel] = replace(before, attempt=attempt, told=_told(*said), told_by=by)
        elif pending:
            found[contact, channel] = replace(
                before,
                waiting=id_,
                waiting_severity=Severity(severity),
                ending=reason == Reason.RESOLVED,
                reminder=reason == Reason.REPEAT,
                waits_by=route,
            )
        else:
            found[contact, channel] = before
    return found


GONE, OFF = "the contact is no longer configured", "the contact has no such address, or it is switched off"
"""Why a row was refused whose contact the files gave no way."""


async def missed(tx: Transaction, incident: str, moved: Collection[str]) -> set[str]:
    """Return who was to be told and was not, because the files gave no way or, of those who ``moved``, a wrong one."""
    rows = await tx.execute(
        "SELECT contact FROM notification WHERE incident = ?1 GROUP BY contact "
        "HAVING max(state NOT IN ('superseded', 'refused', 'expired')) = 0 AND max(state <> 'superseded' "
        "AND (why IN (?2, ?3) OR why LIKE 'channel % is not configured' "
        "OR contact IN (SELECT value FROM json_each(?4))))",
        (incident, GONE, OFF, json.dumps(sorted(moved))),
    )
    return {name for (name,) in rows}


def _told(at: int, severity: str, closed: int, revision: int) -> Told:
    return Told(moment(at), Severity(severity), bool(closed), revision)


def ways(contact: Contact | None) -> list[Where]:
    """Give each channel once; a contact without an address that is on gives none."""
    if contact is None:
        return []
    return [(contact.name, name) for name in dict.fromkeys(a.channel for a in contact.addresses if a.enabled)]


def first_ways(contact: Contact | None) -> list[Where]:
    """Give the channels by which a contact is told at once: all, or the first of an order (`alerting.failover`)."""
    return ways(contact)[: 1 if contact and contact.next_after > 0 else None]


async def know(tx: Transaction, contact: Contact) -> None:
    """Keep the contact's agency for the history."""
    await tx.execute(
        "INSERT INTO contact (name, agency) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET agency = excluded.agency",
        (contact.name, contact.agency),
    )


async def insert(  # noqa: PLR0917 - the parts of a row
    tx: Transaction, alert: Alert, where: Where, reason: Reason, lasts: tuple[float, datetime], source: Source
) -> Planned:
    """Write one row about an alert; ``lasts``: seconds for which it is worth trying once it is due, and now."""
    return await write(tx, (alert.incident, *where, reason, alert.severity, alert.revision), lasts, source)


async def write(
    tx: Transaction,
    subject: tuple[str, str, str, Reason, Severity, int],
    lasts: tuple[float, datetime],
    source: Source = Source(),
) -> Planned:
    """Write one row; ``subject`` is incident, contact, channel, reason, severity, revision."""
    seconds, now = lasts
    due = source.due or now
    deadline = due + timedelta(seconds=seconds)
    [(row,)] = await tx.execute(
        "INSERT INTO notification (incident, contact, channel, reason, severity, revision, planned_at, due_at, "
        "deadline_at, changed_at, route, ladder, grp) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            *subject,
            *(micros(at) for at in (now, due, deadline, now)),
            *(source.route, source.ladder, source.group),
        ),
    )
    incident, contact, channel, reason, *_ = subject
    return Planned(row, incident, contact, channel, reason, due, deadline)


async def supersede(tx: Transaction, rows: Iterable[int], why: str, now: datetime, state: str = "superseded") -> None:
    """End waiting rows that another has replaced, or that need no longer leave."""
    for row in rows:
        await tx.execute(
            "UPDATE notification SET state = ?, changed_at = ?, ended_at = ?, why = ? "
            "WHERE id = ? AND state = 'planned'",
            (state, micros(now), micros(now), why, row),
        )


async def when(
    tx: Transaction, what: tuple[Where, str], waits: tuple[float, float], *, old: bool, now: datetime
) -> datetime:
    """Return when a row of a group leaves: with those that wait, or after the group's wait, and its interval.

    ``what``: for whom, and the group. ``waits``: seconds to wait at first, and between two messages.
    ``old``: what has waited elsewhere waits no more.
    """
    where, group = what
    [(waiting, sent)] = await tx.execute(
        "SELECT min(n.due_at) FILTER (WHERE n.state = 'planned' AND n.reason <> 'repeat' AND n.held = '' "
        "AND a.id IS NULL), "
        "max(a.intent_at) FILTER (WHERE a.intent_at <= ?) "
        "FROM notification n LEFT JOIN attempt a ON a.notification = n.id AND a.status <> 'failed' "
        "WHERE n.contact = ? AND n.channel = ? AND n.grp = ?",
        (micros(now), *where, group),
    )
    wait, interval = (timedelta(seconds=each) for each in waits)
    if waiting is not None:  # one that waits for longer was planned before the machine's clock was set back
        return min(max(now, moment(waiting)), now + max(wait, interval))
    if sent is not None:
        return max(moment(sent) + interval, now + wait)
    return now if old else now + wait
