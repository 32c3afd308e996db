"""The outbox's rows: what is due, what is claimed, how a try ended. All inside the caller's transaction."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerting.journal import Transaction, micros
from alerting.model import Accepted, Alert, Message, Reason, Severity

RETRY_SECONDS = (2.0, 30.0)
"""First wait and ceiling after a try that surely failed: short, so that messages leave soon after a path is back."""
UNKNOWN_SECONDS = (15.0, 600.0)
"""The same after a try that may have succeeded: a provider that takes messages without answering must not flood."""

NEAR = timedelta(seconds=30)
"""So long before a cut of this site is noticed, and after it is over, may a try fail because of it."""
SILENT_SECONDS = 5.0
"""Wait before the truth about an incident is asked for again when there was none."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that is due."""

    id: int
    incident: str
    contact: str
    channel: str
    reason: Reason
    severity: Severity
    revision: int
    planned_at: int
    deadline_at: int
    tries: int
    repeats: int | None
    """The first attempt whose end is unknown: the next one repeats it."""
    told_before: bool
    """Some attempt about this incident may have reached this contact on this channel."""
    overtaken: int
    """A later row for the same contact and channel says more."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a try did not succeed; the error holds no address."""

    error: str
    status: str
    permanent: bool = False
    unreached: bool = False
    """For want of a path."""


_SAME = "o.incident = n.incident AND o.contact = n.contact AND o.channel = n.channel"
_DUE = f"""
SELECT n.id, n.incident, n.contact, n.channel, n.reason, n.severity, n.revision, n.planned_at, n.deadline_at,
    (SELECT count(*) FROM attempt WHERE notification = n.id),
    (SELECT coalesce(repeats, id) FROM attempt WHERE notification = n.id AND status = 'unknown' ORDER BY id LIMIT 1),
    EXISTS (SELECT 1 FROM notification o JOIN attempt a ON a.notification = o.id
        WHERE {_SAME} AND a.status <> 'failed'),
    EXISTS (SELECT 1 FROM notification o
        WHERE {_SAME} AND o.id > n.id AND o.state IN ('planned', 'ready', 'accepted'))
FROM notification n
WHERE n.channel = ? AND n.state = 'planned' AND n.due_at <= ? AND (n.deadline_at > ? OR n.due_at < n.deadline_at)
    AND NOT EXISTS (SELECT 1 FROM notification o WHERE {_SAME} AND o.state = 'ready')
ORDER BY CASE n.severity WHEN 'critical' THEN 0 WHEN 'major' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END,
    n.planned_at, n.id
LIMIT ?"""  # noqa: S608 - only the constant above


_UNEXPLAINED = """
SELECT a.error FROM notification n JOIN attempt a ON a.notification = n.id
WHERE n.incident = ? AND n.contact = ? AND n.channel = ? AND a.status = 'failed'
    AND NOT (a.unreached AND EXISTS (SELECT 1 FROM json_each(?) cut
        WHERE a.ended_at >= json_extract(cut.value, '$[0]')
        AND a.intent_at <= coalesce(json_extract(cut.value, '$[1]'), a.intent_at)))
ORDER BY a.id DESC LIMIT 1"""

Cuts = Sequence[tuple[datetime, datetime | None]]
"""From, to: when this site was cut off from the world."""


async def recover(tx: Transaction, now: datetime) -> None:
    """After a start: what was in flight ended nobody knows how, and is due again."""
    await tx.execute(
        "UPDATE attempt SET status = 'unknown', ended_at = ?, error = 'the program ended before the answer came' "
        "WHERE status = 'intent'",
        (micros(now),),
    )
    await tx.execute(
        "UPDATE notification SET state = 'planned', changed_at = ?, due_at = min(?, deadline_at - 1) "
        "WHERE state = 'ready'",
        (micros(now), micros(now)),
    )


async def hasten(tx: Transaction, now: datetime) -> None:
    """Make due at once whatever waits because a try failed."""
    await tx.execute(
        "UPDATE notification SET due_at = ? WHERE state = 'planned' AND due_at > ? "
        "AND EXISTS (SELECT 1 FROM attempt WHERE notification = notification.id)",
        (micros(now), micros(now)),
    )


async def pull_in(tx: Transaction, now: datetime) -> None:
    """Make due what no wait could have put off so far: the machine's clock was set back. A reminder keeps its time."""
    await tx.execute(
        "UPDATE notification SET due_at = ? WHERE state = 'planned' AND reason <> 'repeat' AND due_at > ?",
        (micros(now), micros(now + timedelta(seconds=UNKNOWN_SECONDS[1]))),
    )


async def prolong(tx: Transaction, step: timedelta) -> None:
    """Move the deadlines with the machine's clock, which was set forward: nobody has had less time to deliver."""
    await tx.execute(
        "UPDATE notification SET deadline_at = deadline_at + ? WHERE ended_at IS NULL",
        (step // timedelta(microseconds=1),),
    )


async def expire(tx: Transaction, now: datetime) -> None:
    """Give up what has waited beyond its deadline, and say why.

    What was due before it and has not been tried since, because the machine's clock was set far forward or the program
    did not run, gets that try first; a test message has nobody who still waits for it.
    """
    await tx.execute(
        "UPDATE notification SET state = 'expired', changed_at = ?, ended_at = ?, why = 'the deadline passed: ' || "
        "coalesce((SELECT error FROM attempt a WHERE a.notification = notification.id ORDER BY a.id DESC LIMIT 1), "
        "'it could not be tried in time') WHERE state = 'planned' AND deadline_at <= ? "
        "AND (due_at >= deadline_at OR reason = 'test')",
        (micros(now), micros(now), micros(now)),
    )


async def channels_due(tx: Transaction, now: datetime) -> list[str]:
    """Return the channels for which rows are due."""
    rows = await tx.execute(
        "SELECT DISTINCT channel FROM notification WHERE state = 'planned' AND due_at <= ? ORDER BY channel",
        (micros(now),),
    )
    return [channel for (channel,) in rows]


async def due(tx: Transaction, channel: str, most: int, now: datetime) -> list[Waiting]:
    """Return the most urgent rows of a channel, none whose contact has another message of this incident in flight."""
    rows = await tx.execute(_DUE, (channel, micros(now), micros(now), most))
    return [
        replace(Waiting(*row), reason=Reason(row[4]), severity=Severity(row[5]), told_before=bool(row[11]))
        for row in rows
    ]


async def begin(tx: Transaction, row: Waiting, alert: Alert | None, now: datetime) -> int:
    """Write the intent of a try that tells this truth; return the attempt's id."""
    severity, revision = (alert.severity, alert.revision) if alert else (row.severity, row.revision)
    [(attempt,)] = await tx.execute(
        "INSERT INTO attempt (notification, number, channel, repeats, revision, severity, closed, intent_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            row.id,
            row.tries + 1,
            row.channel,
            row.repeats,
            revision,
            severity,
            int(alert is not None and alert.closed is not None),
            micros(now),
        ),
    )
    await _move(tx, row, "ready", now)
    return int(attempt)


async def put_off(tx: Transaction, row: Waiting, now: datetime) -> None:
    """Leave a row waiting whose incident nobody can speak of just now; it is not lost before its deadline."""
    later = min(micros(now + timedelta(seconds=SILENT_SECONDS)), row.deadline_at)
    await tx.execute("UPDATE notification SET due_at = ?, changed_at = ? WHERE id = ?", (later, micros(now), row.id))


async def keep_text(tx: Transaction, attempt: int, message: Message) -> None:
    """Keep what a person is sent, where it can be deleted."""
    await tx.execute("INSERT INTO text VALUES (?, ?, ?)", (attempt, message.subject, message.body))


async def accept(tx: Transaction, row: Waiting, attempt: int, accepted: Accepted, now: datetime) -> None:
    """Record that the provider has taken it."""
    await tx.execute(
        "UPDATE attempt SET status = 'accepted', ended_at = ?, provider_id = ?, answer = ? WHERE id = ?",
        (micros(now), accepted.provider_id, accepted.detail, attempt),
    )
    await end(tx, row, "accepted", "", now)


async def fail(tx: Transaction, row: Waiting, attempt: int, failure: Failure, now: datetime) -> None:
    """Record a try that failed or that nobody answered; it is tried again unless that cannot help."""
    await tx.execute(
        "UPDATE attempt SET status = ?, ended_at = ?, error = ?, unreached = ? WHERE id = ?",
        (failure.status, micros(now), failure.error, int(failure.unreached), attempt),
    )
    if failure.status == "failed":
        await tx.execute("DELETE FROM text WHERE attempt = ?", (attempt,))
    if failure.permanent:
        await end(tx, row, "refused", failure.error, now)
        return
    wait = backoff(row.tries, attempt, *(RETRY_SECONDS if failure.status == "failed" else UNKNOWN_SECONDS))
    later = min(micros(now + timedelta(seconds=wait)), row.deadline_at)
    await tx.execute("UPDATE notification SET due_at = ? WHERE id = ?", (later, row.id))
    await _move(tx, row, "planned", now)


async def unexplained(tx: Transaction, row: Waiting, cuts: Cuts) -> str | None:
    """Return the last error that kept a message about this incident from this contact, or None.

    A try that failed for want of a path while this site was cut off is explained by that.
    """
    windows = [(micros(began - NEAR), micros(ended + NEAR) if ended else None) for began, ended in cuts]
    found = await tx.execute(_UNEXPLAINED, (row.incident, row.contact, row.channel, json.dumps(windows)))
    return str(found[0][0]) if found else None


async def end(tx: Transaction, row: Waiting, state: str, why: str, now: datetime) -> None:
    """Move a row to a final state."""
    await tx.execute(
        "UPDATE notification SET state = ?, changed_at = ?, ended_at = ?, why = ? WHERE id = ?",
        (state, micros(now), micros(now), why, row.id),
    )


async def _move(tx: Transaction, row: Waiting, state: str, now: datetime) -> None:
    await tx.execute("UPDATE notification SET state = ?, changed_at = ? WHERE id = ?", (state, micros(now), row.id))


def backoff(tries: int, attempt: int, first: float, ceiling: float) -> float:
    """Return the seconds to wait after ``tries`` earlier ones; the jitter (half to whole) follows from the attempt."""
    jitter = zlib.crc32(str(attempt).encode()) / 2**32
    return min(ceiling, first * 2.0 ** min(tries, 32)) * (0.5 + jitter / 2)
