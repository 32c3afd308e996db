"""Decide whom to tell and write it down; the text is made when it leaves."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerting.journal import Transaction, micros, moment
from alerting.model import Alert, Contact, Reason, Route, Severity, Told
from alerting.route import who, why_notify

TEST = "TEST"
"""The incident of a test message: it stands for none."""
TEST_SECONDS = 120.0
"""A test that has not left by then is of no use to whoever waits for it."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Who may be told, who hears what, and until when it is worth trying."""

    contacts: Mapping[str, Contact]
    routes: tuple[Route, ...]
    desk: str
    """The duty desk's number, as an SMS shows it."""
    deadlines: Mapping[Severity, float]
    """Seconds from the plan until a message is given up."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One row that `plan` has written."""

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
    told: Told | None = None
    """What it was told, or may have been: a message in flight counts."""


Where = tuple[str, str]
"""Contact and channel."""

# The last attempt that may have reached somebody says what was told; a row none of whose attempts may have, waits.
STANDING = """
SELECT n.contact, n.channel, n.id, n.severity, n.reason = 'resolved', n.ended_at IS NULL,
    a.intent_at, a.severity, a.closed, a.revision
FROM notification n LEFT JOIN attempt a ON a.id = (
    SELECT max(id) FROM attempt WHERE notification = n.id AND status <> 'failed')
WHERE n.incident = ? ORDER BY n.id"""


async def standings(tx: Transaction, incident: str) -> dict[Where, Standing]:
    """Read how each contact and channel stands, in the order in which they were first planned."""
    found: dict[Where, Standing] = {}
    for contact, channel, id_, severity, ending, pending, *said in await tx.execute(STANDING, (incident,)):
        before = found.get((contact, channel), Standing())
        if said[0] is not None:
            found[contact, channel] = replace(before, told=_told(*said))
        elif pending:
            found[contact, channel] = Standing(id_, Severity(severity), bool(ending), before.told)
        else:
            found[contact, channel] = before
    return found


def _told(at: int, severity: str, closed: int, revision: int) -> Told:
    return Told(moment(at), Severity(severity), bool(closed), revision)


async def plan(tx: Transaction, alert: Alert, directory: Directory, now: datetime) -> list[Planned]:
    """Write the rows that this revision of the alert asks for, inside the caller's transaction.

    Nobody has two rows waiting: a row that has not left is replaced when it gets worse, and tells the whole truth when
    it leaves late. The end is told to whoever was told, by whatever route.
    """
    standing = await standings(tx, alert.incident)
    times = _times(now, 0.0, directory.deadlines[alert.severity])
    if alert.closed is not None:
        return [
            await _insert(tx, alert, where, Reason.RESOLVED, times)
            for where, one in standing.items()
            if await _wants_end(tx, alert, one, now)
        ]
    planned = []
    for name, route in who(alert, directory.routes):
        for where in _channels(directory.contacts.get(name)):
            reason = await _why_open(tx, alert, standing.get(where, Standing()), route, now)
            if reason.speaks:
                await _know(tx, directory.contacts[name])
                planned.append(await _insert(tx, alert, where, reason, times))
    return planned


async def plan_repeat(tx: Transaction, alert: Alert, where: Where, directory: Directory, now: datetime) -> None:
    """Write the reminder that follows a message about an open incident, if the contact's route has one."""
    route = dict(who(alert, directory.routes)).get(where[0])
    if alert.closed is None and route is not None and route.repeat_seconds > 0:
        times = _times(now, route.repeat_seconds, directory.deadlines[alert.severity])
        await _insert(tx, alert, where, Reason.REPEAT, times)


async def plan_test(tx: Transaction, contact: Contact, now: datetime) -> list[Planned]:
    """Write one test message for each enabled address of the contact."""
    await _know(tx, contact)
    times = _times(now, 0.0, TEST_SECONDS)
    return [await _write(tx, (TEST, *where, Reason.TEST, Severity.INFO, 0), times) for where in _channels(contact)]


async def supersede(tx: Transaction, row: int, why: str, now: datetime) -> None:
    """End a waiting row that another has replaced."""
    await tx.execute(
        "UPDATE notification SET state = 'superseded', changed_at = ?, ended_at = ?, why = ? WHERE id = ?",
        (micros(now), micros(now), why, row),
    )


def _channels(contact: Contact | None) -> list[Where]:
    """Give each channel once; a contact without an address that is on gives none."""
    if contact is None:
        return []
    return [(contact.name, name) for name in dict.fromkeys(a.channel for a in contact.addresses if a.enabled)]


async def _wants_end(tx: Transaction, alert: Alert, one: Standing, now: datetime) -> bool:
    """Whether to plan the end: not for those whom a waiting row will tell the whole story."""
    if one.ending or not why_notify(alert, one.told, repeat=timedelta(), now=now).speaks:
        return False
    if one.waiting is not None:
        await supersede(tx, one.waiting, "the incident has ended", now)
    return True


async def _why_open(tx: Transaction, alert: Alert, one: Standing, route: Route, now: datetime) -> Reason:
    """Why to plan a row now; a waiting row stays unless it got worse."""
    reason = why_notify(alert, one.told, repeat=timedelta(seconds=route.repeat_seconds), now=now)
    if one.waiting is None:
        return reason
    if not reason.speaks or alert.severity.rank <= one.waiting_severity.rank:
        return Reason.NOTHING_NEW
    await supersede(tx, one.waiting, f"now {alert.severity}", now)
    return reason


async def _know(tx: Transaction, contact: Contact) -> None:
    """Keep the contact's agency for the history."""
    await tx.execute(
        "INSERT INTO contact (name, agency) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET agency = excluded.agency",
        (contact.name, contact.agency),
    )


async def _insert(
    tx: Transaction,
    alert: Alert,
    where: Where,
    reason: Reason,
    times: tuple[datetime, datetime, datetime],
) -> Planned:
    return await _write(tx, (alert.incident, *where, reason, alert.severity, alert.revision), times)


def _times(now: datetime, wait: float, lasts: float) -> tuple[datetime, datetime, datetime]:
    """Give planned, due, deadline."""
    due = now + timedelta(seconds=wait)
    return now, due, due + timedelta(seconds=lasts)


async def _write(
    tx: Transaction,
    subject: tuple[str, str, str, Reason, Severity, int],
    times: tuple[datetime, datetime, datetime],
) -> Planned:
    """Insert one notification; ``subject`` is incident, contact, channel, reason, severity, revision."""
    planned, due, deadline = times
    [(row,)] = await tx.execute(
        "INSERT INTO notification (incident, contact, channel, reason, severity, revision, planned_at, due_at, "
        "deadline_at, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (*subject, micros(planned), micros(due), micros(deadline), micros(planned)),
    )
    incident, contact, channel, reason, *_ = subject
    return Planned(row, incident, contact, channel, reason, due, deadline)
