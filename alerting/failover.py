"""One channel after the other: when the next way to a contact is taken, and which one is taken first.

A contact with `Contact.next_after` is told by one channel at a time. Each message to such a contact has a row in
`turn`: when its time is over, `move_on` looks at what became of it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.health import WELL, Health, order
from alerting.journal import Transaction, micros
from alerting.model import Contact


@dataclass(frozen=True, slots=True)
class Fared:
    """What became of one message so far."""

    state: str
    """Of its notification."""
    delivered: bool
    receipts: bool
    """Its channel gives receipts."""
    over: bool
    """It told the end, or the end came meanwhile: nobody has to answer."""


def judge(fared: Fared) -> tuple[bool, str]:
    """Say whether the next channel is to be tried, and why or why not."""
    if fared.state in {"superseded", "acknowledged"}:
        return False, "a later message says more" if fared.state == "superseded" else "acknowledged"
    if fared.state not in {"accepted", "delivered"}:
        return True, "it has not left" if fared.state in {"planned", "ready"} else f"it was {fared.state}"
    if not fared.over:
        return True, "nobody answered" if fared.delivered or not fared.receipts else "no receipt came"
    if fared.delivered:
        return False, "delivered"
    return fared.receipts, "no receipt came" if fared.receipts else "taken; this channel gives no receipts"


async def begin(tx: Transaction, notification: int, contact: Contact, now: datetime) -> None:
    """A message is on its first way: from now on it has its time."""
    if contact.next_after > 0:
        due = now + timedelta(seconds=contact.next_after)
        await tx.execute(
            "INSERT INTO turn (notification, root, due_at) SELECT id, id, ? FROM notification WHERE id = ? "
            "AND reason NOT IN ('repeat', 'test') ON CONFLICT DO NOTHING",
            (micros(due), notification),
        )


async def give_up_waiting(
    tx: Transaction, known: Mapping[str, Health], contacts: Mapping[str, Contact], now: datetime
) -> None:
    """What is due on a channel that is out goes on at once, where its contact has another that is not."""
    for channel in (name for name, one in known.items() if one.out):
        rows = await tx.execute(
            "SELECT id, contact FROM notification n WHERE channel = ? AND state = 'planned' AND due_at <= ? "
            "AND NOT EXISTS (SELECT 1 FROM turn WHERE notification = n.id AND (due_at <= ? OR ended_at IS NOT NULL))",
            (channel, micros(now), micros(now)),
        )
        for row, name in rows:
            contact = contacts.get(name)
            if contact and not known.get(next(iter(order(contact, known)), ""), WELL).out:
                await at_once(tx, row, contact, now)


async def at_once(tx: Transaction, notification: int, contact: Contact | None, now: datetime) -> None:
    """A message does not leave by its way, or not soon: where its contact has an order, the next one is taken now."""
    if contact is not None and contact.next_after > 0:
        await begin(tx, notification, contact, now)
        await hasten(tx, [notification], now)


# The same message by another channel, with the time that this one had.
_COPY = """
INSERT INTO notification (incident, contact, channel, reason, severity, revision, planned_at, due_at, deadline_at,
    changed_at, route, ladder)
SELECT incident, contact, ?1, reason, severity, revision, ?2, ?2, max(deadline_at, ?2 + deadline_at - planned_at), ?2,
    route, ladder FROM notification n WHERE id = ?3"""
_INSTEAD = f"""{_COPY} AND reason <> 'test' AND NOT EXISTS (SELECT 1 FROM notification o WHERE o.incident = n.incident
    AND o.contact = n.contact AND o.channel = ?1 AND o.state IN ('planned', 'ready', 'accepted', 'delivered'))"""  # noqa: S608 - a constant of this module; what varies is bound


async def instead(tx: Transaction, notification: int, ways: Iterable[str], now: datetime) -> None:
    """The way of a message is there no longer: plan it by those that are (``ways``), unless they have it already.

    One that had begun to go from one channel to the next goes on at once.
    """
    if await tx.execute("SELECT 1 FROM turn WHERE notification = ? AND ended_at IS NULL", (notification,)):
        await hasten(tx, [notification], now)
        return
    soon = now + timedelta(seconds=1)  # the channels of this turn have been looked through
    for channel in ways:
        await tx.execute(_INSTEAD, (channel, micros(soon), notification))


async def hasten(tx: Transaction, notifications: Iterable[int], now: datetime) -> None:
    """Messages will not arrive by their way: their time is over."""
    rows = [(micros(now), row) for row in notifications]
    await tx.executemany("UPDATE turn SET due_at = ? WHERE notification = ? AND ended_at IS NULL", rows)


# An end is planned on each channel that told of a beginning: on those it has been tried. So it has by a channel where a
# message waits that will tell the whole truth, or where one has left that told as much; a ladder calls all the same.
_DUE = """
SELECT n.id, n.contact, n.channel, n.state,
    EXISTS (SELECT 1 FROM attempt a JOIN receipt r ON r.attempt = a.id
        WHERE a.notification = n.id AND r.fate = 'delivered'),
    n.reason = 'resolved' OR EXISTS (SELECT 1 FROM notification o WHERE o.incident = n.incident
        AND o.contact = n.contact AND o.id > n.id AND o.reason = 'resolved'),
    (SELECT group_concat(channel, char(10)) FROM (
        SELECT o.channel FROM turn u JOIN notification o ON o.id = u.notification WHERE u.root = t.root
        UNION SELECT o.channel FROM notification o WHERE n.reason = 'resolved' AND o.reason = n.reason
            AND o.incident = n.incident AND o.contact = n.contact AND o.revision = n.revision
        UNION SELECT o.channel FROM notification o WHERE o.incident = n.incident AND o.contact = n.contact
            AND ((o.state IN ('planned', 'ready') AND o.reason <> 'repeat') OR EXISTS (SELECT 1 FROM attempt a
                WHERE a.notification = o.id AND a.status <> 'failed' AND a.revision >= n.revision
                AND (a.closed = 1 OR n.ladder = '')))))
FROM turn t JOIN notification n ON n.id = t.notification
WHERE t.ended_at IS NULL AND t.due_at <= ? ORDER BY t.due_at, n.id LIMIT 256"""


async def move_on(
    tx: Transaction,
    contacts: Mapping[str, Contact],
    receipts: Collection[str],
    known: Mapping[str, Health],
    now: datetime,
) -> int:
    """Look at every message whose time is over; return how many went on. ``receipts``: channels that give them."""
    count = 0
    for row, name, channel, state, delivered, over, tried in await tx.execute(_DUE, (micros(now),)):
        goes, why = judge(Fared(state, bool(delivered), channel in receipts, bool(over)))
        contact = contacts.get(name)
        further = [one for one in order(contact, known) if one not in tried.split("\n")] if contact else []
        if goes and further:
            await _hand_on(tx, row, further[0], contact.next_after if contact else 0.0, now)
            against = known.get(channel, WELL).why
            why, count = f"{why}{f', {against}' if against else ''}: on to {further[0]}", count + 1
        elif goes:
            why = f"{why}: there is no further channel"
        await tx.execute("UPDATE turn SET ended_at = ?, why = ? WHERE notification = ?", (micros(now), why, row))
    return count


async def _hand_on(tx: Transaction, notification: int, channel: str, lasts: float, now: datetime) -> None:
    """Plan the same message by another channel."""
    [(new,)] = await tx.execute(f"{_COPY} RETURNING id", (channel, micros(now), notification))
    await tx.execute(
        "INSERT INTO turn (notification, root, due_at) SELECT ?, root, ? FROM turn WHERE notification = ?",
        (new, micros(now + timedelta(seconds=lasts)), notification),
    )


async def answered(tx: Transaction, incident: str, contact: str, now: datetime) -> None:
    """A contact has answered: no further channel is tried, and what waits on one is not needed."""
    await tx.execute(
        "UPDATE turn SET ended_at = ?, why = 'acknowledged' WHERE ended_at IS NULL AND notification IN "
        "(SELECT id FROM notification WHERE incident = ? AND contact = ?)",
        (micros(now), incident, contact),
    )
    await tx.execute(
        "UPDATE notification SET state = 'acknowledged', changed_at = ?1, ended_at = ?1, "
        "why = 'the contact has answered' WHERE incident = ?2 AND contact = ?3 AND state = 'planned' "
        "AND reason IN ('first', 'worse', 'escalate') AND id IN (SELECT notification FROM turn)",
        (micros(now), incident, contact),
    )
