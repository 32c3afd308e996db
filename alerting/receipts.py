"""What became of a message that a provider took: accepted is not delivered.

A receipt may come before the provider's own answer, twice, out of order, or never. `settle` draws the same consequence
from the same facts, whenever it is called.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from alerting import failover
from alerting.journal import Transaction, micros
from alerting.model import Fate, Receipt
from alerting.waiting import AGAIN_SECONDS, backoff


class Turnabout(Enum):
    """What a receipt changes of a message."""

    TAKEN = "it was taken after all: nothing is to be repeated"
    ARRIVED = "somebody has it"
    RETURNED = "it came back: nobody has it, it is due again"
    LOST = "a try of unknown end is known to have failed: the next one repeats nothing"


def judge(attempt: str, row: str, fates: Collection[Fate]) -> Turnabout | None:
    """Say what receipts change; ``attempt`` and ``row``: how the try and its notification stand."""
    arrived, returned = Fate.DELIVERED in fates, Fate.FAILED in fates
    if row == "planned" and attempt in {"unknown", "failed"} and arrived:
        return Turnabout.ARRIVED
    if row == "planned" and attempt == "unknown" and fates:
        return Turnabout.LOST if returned else Turnabout.TAKEN
    if attempt == "accepted" and row == "accepted":
        return Turnabout.ARRIVED if arrived else Turnabout.RETURNED if returned else None
    return None


@dataclass(frozen=True, slots=True)
class _Try:
    """The last try of one row that a message tells of."""

    attempt: int
    status: str
    number: int
    notification: int
    state: str
    incident: str
    contact: str
    channel: str
    deadline_at: int


# Tries that repeat one of unknown end carry its reference, and so do the rows of one message: which of them a receipt
# means, nobody can know. What came back is the last of them; what has arrived has arrived.
_OURS = "(id = ?1 OR repeats = ?1 OR bundle = ?1)"
_TRIES = f"""
SELECT a.id, a.status, a.number, n.id, n.state, n.incident, n.contact, n.channel, n.deadline_at
FROM attempt a JOIN notification n ON n.id = a.notification
WHERE a.id IN (SELECT max(id) FROM attempt WHERE {_OURS} GROUP BY notification) ORDER BY a.id"""  # noqa: S608 - _OURS is a constant of this module; what varies is bound
_LAST = f"SELECT coalesce(max(id), ?1) FROM attempt WHERE {_OURS} AND parts > 0"  # noqa: S608 - _OURS is a constant of this module; what varies is bound
_MEANT = f"""
SELECT n.planned_at, a.bundle, last.id, last.status FROM attempt a JOIN notification n ON n.id = a.notification
    JOIN attempt last ON last.id = ({_LAST}) WHERE a.id = ?1"""  # noqa: S608 - _OURS is a constant of this module; what varies is bound
_SAID = f"""
SELECT fate, detail FROM receipt WHERE attempt = ?2 OR (fate = 'delivered' AND attempt IN
    (SELECT id FROM attempt WHERE {_OURS})) ORDER BY id"""  # noqa: S608 - _OURS is a constant of this module; what varies is bound
_EARLY = """
SELECT ours.value FROM json_each(?) ours WHERE EXISTS (SELECT 1 FROM attempt a JOIN receipt r ON r.attempt = a.id
    WHERE a.id = ours.value OR a.repeats = ours.value OR a.bundle = ours.value)"""
_OVERTAKEN = """
SELECT 1 FROM notification o WHERE o.incident = ? AND o.contact = ? AND o.channel = ? AND o.id > ?
    AND o.reason <> 'repeat' AND o.state IN ('planned', 'ready', 'accepted', 'delivered') LIMIT 1"""


def reference(attempt: int, planned_at: int) -> str:
    """Give the reference that a message carries and its receipts bring back."""
    return f"{attempt}.{planned_at:x}"


async def receive(tx: Transaction, receipt: Receipt, now: datetime) -> bool:
    """Keep a receipt and draw its consequence; False if no message of ours has that reference, or it is known."""
    text, _, mark = receipt.reference.partition(".")
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        return False
    attempt = int(text)
    found = await tx.execute(_MEANT, (attempt,))
    if not found or not (mark == f"{found[0][0]:x}" or (mark == "digest" and found[0][1] == attempt)):
        return False
    last, status = found[0][2:]
    new = await tx.execute(
        "INSERT INTO receipt (attempt, at, fate, detail) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
        (last, micros(receipt.at), receipt.fate, receipt.detail),
    )
    if new and (receipt.fate is not Fate.BUFFERED or status == "unknown"):
        await _settle(tx, attempt, last, now)
    return bool(new)


async def settle(tx: Transaction, references: Iterable[str], now: datetime) -> None:
    """Let receipts that came before the end of a try agree with it; most messages have none so early."""
    numbers = json.dumps([int(one.partition(".")[0]) for one in references])
    for (attempt,) in await tx.execute(_EARLY, (numbers,)):
        [(last,)] = await tx.execute(_LAST, (attempt,))
        await _settle(tx, attempt, last, now)


async def _settle(tx: Transaction, attempt: int, last: int, now: datetime) -> None:
    """Let the receipts of a message agree with the end of its tries; ``last``: the one that they speak of."""
    said = await tx.execute(_SAID, (attempt, last))
    fates = {Fate(fate) for fate, _ in said}
    for row in await tx.execute(_TRIES, (attempt,)):
        one = _Try(*row)
        change = judge(one.status, one.state, fates)
        if change is Turnabout.RETURNED:
            await _returned(tx, one, said[-1][1], now)
            await failover.hasten(tx, [one.notification], now)
        elif change is Turnabout.LOST:
            await tx.execute(
                "UPDATE attempt SET status = 'failed' WHERE notification = ? AND status = 'unknown'",
                (one.notification,),
            )
            await failover.hasten(tx, [one.notification], now)
        elif change is not None:
            await _taken(tx, one, "delivered" if change is Turnabout.ARRIVED else "accepted", now)


async def _taken(tx: Transaction, one: _Try, state: str, now: datetime) -> None:
    await tx.execute(
        "UPDATE attempt SET status = 'accepted', answer = coalesce(nullif(answer, ''), 'a receipt says so') "
        "WHERE id = ?",
        (one.attempt,),
    )
    await _move(tx, one, state, "", now)


async def _returned(tx: Transaction, one: _Try, detail: str, now: datetime) -> None:
    """Make a message due again that nobody has, unless a later one says more or its time is over."""
    said = "the network could not deliver it" + (f": {detail}" if detail else "")
    await tx.execute("UPDATE attempt SET status = 'failed', error = ? WHERE id = ?", (said, one.attempt))
    await tx.execute("DELETE FROM text WHERE attempt = ?", (one.attempt,))
    if await tx.execute(_OVERTAKEN, (one.incident, one.contact, one.channel, one.notification)):
        return
    await tx.execute(
        "UPDATE notification SET state = 'superseded', changed_at = ?, ended_at = ?, why = 'the message before it came "
        "back' WHERE incident = ? AND contact = ? AND channel = ? AND reason = 'repeat' AND state = 'planned'",
        (micros(now), micros(now), one.incident, one.contact, one.channel),
    )
    if one.deadline_at <= micros(now):
        await _move(tx, one, "expired", f"the deadline passed: {said}", now)
        return
    later = now + timedelta(seconds=backoff(one.number - 1, one.attempt, *AGAIN_SECONDS))
    await tx.execute(
        "UPDATE notification SET state = 'planned', changed_at = ?, due_at = ?, ended_at = NULL, why = '' WHERE id = ?",
        (micros(now), min(micros(later), one.deadline_at), one.notification),
    )


async def _move(tx: Transaction, one: _Try, state: str, why: str, now: datetime) -> None:
    await tx.execute(
        "UPDATE notification SET state = ?, changed_at = ?, ended_at = ?, why = ? WHERE id = ?",
        (state, micros(now), micros(now), why, one.notification),
    )
