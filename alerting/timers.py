"""Timers that something has moved: the machine's clock was set, or no message could leave for as long.

A board without a clock of its own starts hours in the past, and is set forward when its way out is back. A ladder must
neither stand still for as long nor run through its steps: what was to come so long after a moment comes so long after
now.
"""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from alerting.journal import Transaction, micros

AFTER_CUT = timedelta(hours=1)
"""So long at least is a message worth trying after the way to its provider was cut."""

LONGEST_TURN = timedelta(days=1)
"""So long at most does a message have its time, whatever has become of the clock."""

_LADDERS = """
UPDATE escalation SET next_at = ?1 + max(0, next_at - changed_at), changed_at = ?1
WHERE next_at > ?1 AND changed_at > ?1"""
_TURNS = """
UPDATE turn SET due_at = min(turn.due_at, ?1 + max(0, turn.due_at - n.changed_at)) FROM notification n
WHERE n.id = turn.notification AND turn.ended_at IS NULL AND turn.due_at > ?1 AND n.changed_at > ?1"""
_REMINDERS = """
UPDATE notification SET due_at = ?1 + max(0, due_at - planned_at)
WHERE state = 'planned' AND reason = 'repeat' AND planned_at > ?1 AND due_at > ?1 + max(0, due_at - planned_at)"""


_FAR_TURNS = "UPDATE turn SET due_at = ?1 + ?2 WHERE ended_at IS NULL AND due_at > ?1 + ?2"


async def pull_in(tx: Transaction, now: datetime) -> None:
    """After a start, bring nearer what was reckoned from a moment that is still to come."""
    for sql in (_LADDERS, _TURNS, _REMINDERS):
        await tx.execute(sql, (micros(now),))
    await tx.execute(_FAR_TURNS, (micros(now), LONGEST_TURN // timedelta(microseconds=1)))


_MOVED = (
    "UPDATE escalation SET next_at = next_at + ?1, changed_at = changed_at + ?1 WHERE next_at IS NOT NULL",
    "UPDATE turn SET due_at = due_at + ?1 WHERE ended_at IS NULL",
    "UPDATE notification SET due_at = due_at + ?1, planned_at = planned_at + ?1 WHERE state = 'planned' "
    "AND reason = 'repeat' AND NOT EXISTS (SELECT 1 FROM attempt WHERE notification = notification.id)",
)


async def move(tx: Transaction, step: timedelta) -> None:
    """Move with the machine's clock, which was set by so much: nobody has had more time or less to answer.

    A machine that slept is taken for one whose clock was set forward: nobody could answer it meanwhile.
    """
    for sql in _MOVED:
        await tx.execute(sql, (step // timedelta(microseconds=1),))


_CUT = """
UPDATE notification SET deadline_at = ?1 WHERE state = 'planned' AND channel IN (SELECT value FROM json_each(?2))
AND deadline_at <= ?3 AND reason <> 'test' AND NOT EXISTS (SELECT 1 FROM drill WHERE id = notification.incident)"""


async def stand_still(tx: Transaction, channels: Iterable[str], now: datetime) -> None:
    """Let no message expire while this site is cut off from its provider: what happened is told when the way is back.

    An exercise, and a test, are of no use then.
    """
    if names := sorted(channels):
        await tx.execute(_CUT, (micros(now + AFTER_CUT), json.dumps(names), micros(now)))
