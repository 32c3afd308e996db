"""The outbox's rows: what is due, what is claimed, how a try ended. All inside the caller's transaction."""

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from alerting.journal import Transaction, micros
from alerting.model import Accepted, Alert, Message, Reason, Severity

RETRY_SECONDS = (2.0, 30.0)
"""First wait and ceiling after a try that surely failed: short, so that messages leave soon after a path is back."""
UNREACHED_SECONDS = (2.0, 15.0)
"""The same for want of a path: of all that waits, one message at a time asks (`alerting.breaker`)."""
UNKNOWN_SECONDS = (15.0, 600.0)
"""The same after a try that may have succeeded: a provider that takes messages without answering must not flood."""
REFUSED_SECONDS = (30.0, 600.0)
"""The same after a refusal that somebody may mend."""
AGAIN_SECONDS = (60.0, 1800.0)
"""The same after the network gave a message back: a telephone that is off stays off for a while, and carriers count."""

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
    """Some attempt about this incident may have reached this contact on this channel; an end, which is planned for
    whoever was told, may go by another one."""
    overtaken: int
    """A later row for the same contact and channel says more; a reminder that waits for its time does not."""
    route: str
    group: str
    """Rows of one group leave together; "" alone."""
    held: str
    """The rule that has kept it back."""
    bundle: int | None
    """The message of unknown end that told of this row among others."""
    drill: bool
    """It is about an exercise."""
    outsider: bool
    """It is about an exercise on whose list the contact is not."""
    answered: str | None
    """Of a message that calls, and that came back or failed: who of the contact's agency has acknowledged meanwhile."""
    due_at: int

    def in_time(self, end: datetime, now: datetime) -> bool:
        """Whether it was not to leave before its incident ended, for its group or a cap, and leaves when it was to."""
        return not self.tries and micros(end) <= self.due_at and micros(now - NEAR) <= self.due_at


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a try did not succeed; the error holds no address."""

    error: str
    status: str
    permanent: bool = False
    unreached: bool = False
    """For want of a path."""
    refused: bool = False
    """Whoever receives would have to mend something first."""


_SAME = "o.incident = n.incident AND o.contact = n.contact AND o.channel = n.channel"
DRILL = "EXISTS (SELECT 1 FROM drill WHERE id = n.incident)"
"""Of a notification ``n``: it is about an exercise."""
_ROW = f"""
SELECT n.id, n.incident, n.contact, n.channel, n.reason, n.severity, n.revision, n.planned_at, n.deadline_at,
    (SELECT count(*) FROM attempt WHERE notification = n.id),
    (SELECT coalesce(repeats, id) FROM attempt WHERE notification = n.id AND status = 'unknown' ORDER BY id LIMIT 1),
    EXISTS (SELECT 1 FROM notification o JOIN attempt a ON a.notification = o.id
        WHERE o.incident = n.incident AND o.contact = n.contact AND (o.channel = n.channel OR n.reason = 'resolved')
        AND a.status <> 'failed'),
    EXISTS (SELECT 1 FROM notification o WHERE {_SAME} AND o.id > n.id
        AND (o.state IN ('ready', 'accepted', 'delivered')
            OR (o.state = 'planned' AND (o.reason <> 'repeat' OR n.reason = 'repeat')))),
    n.route, n.grp, n.held,
    (SELECT bundle FROM attempt WHERE notification = n.id AND status = 'unknown' ORDER BY id LIMIT 1),
    {DRILL},
    {DRILL} AND NOT EXISTS (SELECT 1 FROM drill_contact c WHERE c.drill = n.incident AND c.contact = n.contact),
    (SELECT r.contact FROM response r JOIN contact c ON c.agency = r.agency WHERE r.incident = n.incident
        AND c.name = n.contact AND r.at > n.planned_at AND r.answer IN ('acked', 'acked before', 'waiting', 'done')
        AND n.reason IN ('first', 'escalate') AND EXISTS (SELECT 1 FROM attempt WHERE notification = n.id)
        AND NOT EXISTS (SELECT 1 FROM escalation e WHERE e.incident = n.incident AND e.agency = r.agency
            AND e.state IN ('running', 'exhausted')) ORDER BY r.id LIMIT 1), n.due_at
FROM notification n"""  # noqa: S608 - constants
_MAY = f"""n.channel = ? AND {DRILL} = ? AND n.state = 'planned' AND (n.deadline_at > ? OR n.due_at < n.deadline_at)
    AND NOT EXISTS (SELECT 1 FROM notification o WHERE {_SAME} AND o.state = 'ready')"""  # noqa: S608 - constants
_URGENT = """
ORDER BY CASE n.severity WHEN 'critical' THEN 0 WHEN 'major' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END,
    n.planned_at, n.id"""
# Thousands may be due, and few can leave: what is known of a row is looked up for those alone.
_DUE = f"""{_ROW}
WHERE n.id IN (SELECT n.id FROM notification n WHERE {_MAY} AND n.due_at <= ? {_URGENT} LIMIT ?) {_URGENT}"""  # noqa: S608 - constants
# What a failed try put off goes along with what is due.
_BESIDE = f"""{_ROW} WHERE {_MAY} AND n.contact = ? AND n.reason <> 'test' AND n.id <> ?
    AND (n.due_at <= ? OR EXISTS (SELECT 1 FROM attempt WHERE notification = n.id)) {_URGENT} LIMIT ?"""  # noqa: S608 - constants
_NUMBER = "SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE notification ="
_BEGIN = f"""INSERT INTO attempt (notification, number, channel, repeats, revision, severity, closed, intent_at)
    VALUES (?, ({_NUMBER} ?), ?, ?, ?, ?, ?, ?) RETURNING id"""  # noqa: S608 - constants
_JOIN = f"""
INSERT INTO attempt (notification, number, channel, repeats, revision, severity, closed, intent_at, bundle, parts)
SELECT row, ({_NUMBER} row), ?, repeats, revision, severity, closed, ?, ?, 0 FROM (
    SELECT value ->> 0 AS row, value ->> 1 AS repeats, value ->> 2 AS revision, value ->> 3 AS severity,
        value ->> 4 AS closed FROM json_each(?))"""  # noqa: S608 - constants
_UNREACHED = """
FROM attempt WHERE status = 'failed' AND unreached AND parts = 0
    AND notification IN (SELECT value ->> 0 FROM json_each(?))"""
MOST_TOLD = 5_000
"""Incidents in one message."""


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
        "WHERE ended_at IS NULL AND state = 'ready'",
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
    """Make due what no wait could have put off so far: the machine's clock was set back. What waits by plan, such as
    a reminder, keeps its time."""
    await tx.execute(
        "UPDATE notification SET due_at = ?1 WHERE state = 'planned' AND due_at > ?2 AND reason <> 'repeat' "
        "AND (planned_at > ?1 OR EXISTS (SELECT 1 FROM attempt WHERE notification = notification.id)) "
        "AND (due_at > ?3 OR NOT EXISTS (SELECT 1 FROM receipt r JOIN attempt a ON a.id = r.attempt "
        "WHERE a.notification = notification.id AND r.fate = 'failed'))",
        (micros(now), *(micros(now + timedelta(seconds=most)) for most in (UNKNOWN_SECONDS[1], AGAIN_SECONDS[1]))),
    )


async def prolong(tx: Transaction, step: timedelta) -> None:
    """Move the deadlines with the machine's clock, which was set forward: nobody has had less time to deliver."""
    await tx.execute(
        "UPDATE notification SET deadline_at = deadline_at + ? WHERE ended_at IS NULL",
        (step // timedelta(microseconds=1),),
    )


async def expire(tx: Transaction, now: datetime, broken: Iterable[str] = ()) -> list[tuple[int, str]]:
    """Give up what has waited beyond its deadline, and say why; return these rows, each with its contact.

    What was due before it and has not been tried since, because the machine's clock was set far forward or the program
    did not run, gets that try first, unless its channel is known to take nothing (``broken``); a test message has
    nobody who still waits for it.
    """
    rows = await tx.execute(
        "UPDATE notification SET state = 'expired', changed_at = ?, ended_at = ?, why = 'the deadline passed: ' || "
        "coalesce(nullif(held, ''), nullif(why, ''), "
        "(SELECT error FROM attempt a WHERE a.notification = notification.id ORDER BY a.id DESC LIMIT 1), "
        "'it could not be tried in time') WHERE state = 'planned' AND deadline_at <= ? "
        "AND (due_at >= deadline_at OR reason = 'test' OR channel IN (SELECT value FROM json_each(?))) "
        "RETURNING id, contact",
        (micros(now), micros(now), micros(now), json.dumps(sorted(broken))),
    )
    return [(row, contact) for row, contact in rows]


async def channels_due(tx: Transaction, now: datetime) -> list[tuple[str, bool]]:
    """Return the channels for which rows are due, and whether of exercises; ("", True): one is under way."""
    rows = await tx.execute(
        f"SELECT DISTINCT channel, {DRILL} FROM notification n WHERE state = 'planned' AND due_at <= ? "  # noqa: S608 - constants
        "UNION SELECT '', 1 FROM drill WHERE ended_at IS NULL ORDER BY 1",
        (micros(now),),
    )
    return [(channel, bool(drill)) for channel, drill in rows]


async def due(tx: Transaction, channel: str, most: int, now: datetime, *, drill: bool) -> list[Waiting]:
    """Return the most urgent rows of a channel, none whose contact has another message of this incident in flight."""
    rows = await tx.execute(_DUE, (channel, int(drill), micros(now), micros(now), most))
    return [_waiting(row) for row in rows]


async def beside(tx: Transaction, row: Waiting, now: datetime) -> list[Waiting]:
    """Return what else waits for the same contact on the same channel and might leave with a row, most urgent first."""
    which = (row.channel, int(row.drill), micros(now), row.contact, row.id, micros(now), MOST_TOLD)
    found = await tx.execute(_BESIDE, which)
    return [_waiting(one) for one in found]


def _waiting(row: tuple[Any, ...]) -> Waiting:
    known = Waiting(*row)
    return replace(
        known,
        reason=Reason(row[4]),
        severity=Severity(row[5]),
        told_before=bool(known.told_before),
        drill=bool(known.drill),
        outsider=bool(known.outsider),
    )


async def begin(tx: Transaction, row: Waiting, alert: Alert | None, now: datetime) -> int:
    """Write the intent of a try that tells this truth; return the attempt's id."""
    severity, revision = (alert.severity, alert.revision) if alert else (row.severity, row.revision)
    [(attempt,)] = await tx.execute(
        _BEGIN,
        (
            row.id,
            row.id,
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


async def join(
    tx: Transaction, lead: Waiting, attempt: int, others: Sequence[tuple[Waiting, Alert]], now: datetime
) -> int:
    """Write the intents of the rows that leave in the lead's message; return its bundle.

    Of a row whose last try found no path that try is used again: a night without a path is one line, not thousands.
    """
    bundle = lead.bundle or attempt
    facts = [
        [row.id, row.repeats, alert.revision, alert.severity.value, int(alert.closed is not None)]
        for row, alert in others
    ]
    rows = json.dumps(facts)
    await tx.execute("UPDATE attempt SET bundle = ? WHERE id = ?", (bundle, attempt))
    await tx.execute(f"DELETE FROM link WHERE attempt IN (SELECT id {_UNREACHED})", (rows,))  # noqa: S608 - constants
    await tx.execute(f"DELETE {_UNREACHED}", (rows,))
    await tx.execute(
        _JOIN,
        (lead.channel, micros(now), bundle, rows),
    )
    await tx.execute(
        "UPDATE notification SET state = 'ready', changed_at = ? WHERE id IN (SELECT value ->> 0 FROM json_each(?))",
        (micros(now), rows),
    )
    return bundle


async def last_attempt(tx: Transaction, row: Waiting) -> int:
    """Return the try that a row has just begun."""
    [(attempt,)] = await tx.execute("SELECT max(id) FROM attempt WHERE notification = ?", (row.id,))
    return int(attempt)


async def hold(tx: Transaction, rows: Sequence[Waiting], until: datetime, held: str, now: datetime) -> None:
    """Keep rows back until then, by a rule (``held``) or by a cap; they have so much longer to be delivered."""
    ids = json.dumps([row.id for row in rows])
    await tx.execute(
        "UPDATE notification SET deadline_at = max(?1 + 1, deadline_at + max(0, ?1 - max(?2, due_at))), due_at = ?1, "
        "changed_at = ?2, held = ?3 WHERE id IN (SELECT value FROM json_each(?4))",
        (micros(until), micros(now), held, ids),
    )


async def save_up(tx: Transaction, row: Waiting, until: datetime, why: str, now: datetime) -> None:
    """Let a row wait for want of credits; its deadline stays, and if it expires, that is why."""
    later = min(micros(until), row.deadline_at)
    await tx.execute(
        "UPDATE notification SET due_at = ?, changed_at = ?, why = ? WHERE id = ?", (later, micros(now), why, row.id)
    )


async def go_by(tx: Transaction, row: Waiting, route: str) -> Waiting:
    """Let a row leave by another route."""
    await tx.execute("UPDATE notification SET route = ? WHERE id = ?", (route, row.id))
    return replace(row, route=route)


async def put_off(tx: Transaction, row: Waiting, now: datetime) -> None:
    """Leave a row waiting whose incident nobody can speak of just now; it is not lost before its deadline."""
    later = min(micros(now + timedelta(seconds=SILENT_SECONDS)), row.deadline_at)
    await tx.execute("UPDATE notification SET due_at = ?, changed_at = ? WHERE id = ?", (later, micros(now), row.id))


async def keep_text(tx: Transaction, attempt: int, message: Message) -> None:
    """Keep what a person is sent, where it can be deleted."""
    await tx.execute("INSERT INTO text VALUES (?, ?, ?)", (attempt, message.subject, message.body))


async def accept(tx: Transaction, taken: Sequence[tuple[Sequence[Waiting], int, Accepted]], now: datetime) -> None:
    """Record that providers have taken messages: the rows that each tells of, its attempt, the provider's answer."""
    if not taken:
        return
    answers = json.dumps([(attempt, accepted.provider_id, accepted.detail) for _, attempt, accepted in taken])
    await tx.execute(
        "UPDATE attempt SET status = 'accepted', ended_at = ?, provider_id = said.value ->> 1, "
        "answer = said.value ->> 2 FROM json_each(?) said WHERE attempt.id = said.value ->> 0",
        (micros(now), answers),
    )
    if any(len(rows) > 1 for rows, *_ in taken):
        await tx.execute(
            "UPDATE attempt SET status = 'accepted', ended_at = ? WHERE status = 'intent' AND bundle IN "
            "(SELECT bundle FROM attempt WHERE id IN (SELECT value ->> 0 FROM json_each(?)))",
            (micros(now), answers),
        )
    await _end_all(tx, [row for rows, *_ in taken for row in rows], "accepted", "", now)


async def fail(tx: Transaction, rows: Sequence[Waiting], attempt: int, failure: Failure, now: datetime) -> None:
    """Record a try that failed or that nobody answered; it is tried again unless that cannot help."""
    await tx.execute(
        "UPDATE attempt SET status = ?, ended_at = ?, error = ?, unreached = ? WHERE id = ? OR (status = 'intent' "
        "AND bundle = (SELECT bundle FROM attempt WHERE id = ?))",
        (failure.status, micros(now), failure.error, int(failure.unreached), attempt, attempt),
    )
    if failure.status == "failed":
        await tx.execute("DELETE FROM text WHERE attempt = ?", (attempt,))
    if failure.permanent:
        await _end_all(tx, rows, "refused", failure.error, now)
        return
    surely = REFUSED_SECONDS if failure.refused else UNREACHED_SECONDS if failure.unreached else RETRY_SECONDS
    wait = backoff(rows[0].tries, attempt, *(surely if failure.status == "failed" else UNKNOWN_SECONDS))
    await tx.execute(
        "UPDATE notification SET state = 'planned', changed_at = ?, due_at = min(?, deadline_at) "
        "WHERE id IN (SELECT value FROM json_each(?))",
        (micros(now), micros(now + timedelta(seconds=wait)), json.dumps([row.id for row in rows])),
    )


async def _end_all(tx: Transaction, rows: Sequence[Waiting], state: str, why: str, now: datetime) -> None:
    await tx.execute(
        "UPDATE notification SET state = ?, changed_at = ?, ended_at = ?, why = ? "
        "WHERE id IN (SELECT value FROM json_each(?))",
        (state, micros(now), micros(now), why, json.dumps([row.id for row in rows])),
    )


async def unexplained(tx: Transaction, row: Waiting, cuts: Cuts) -> str | None:
    """Return the last error that kept a message about this incident from this contact, or None.

    A try that failed for want of a path while this site was cut off is explained by that.
    """
    windows = [(micros(began - NEAR), micros(ended + NEAR) if ended else None) for began, ended in cuts]
    found = await tx.execute(_UNEXPLAINED, (row.incident, row.contact, row.channel, json.dumps(windows)))
    return str(found[0][0]) if found else None


async def end(tx: Transaction, row: Waiting, state: str, why: str, now: datetime) -> None:
    """Move a row to a final state."""
    await _end_all(tx, [row], state, why, now)


async def _move(tx: Transaction, row: Waiting, state: str, now: datetime) -> None:
    await tx.execute("UPDATE notification SET state = ?, changed_at = ? WHERE id = ?", (state, micros(now), row.id))


def backoff(tries: int, attempt: int, first: float, ceiling: float) -> float:
    """Return the seconds to wait after ``tries`` earlier ones; the jitter (half to whole) follows from the attempt."""
    jitter = zlib.crc32(str(attempt).encode()) / 2**32
    return min(ceiling, first * 2.0 ** min(tries, 32)) * (0.5 + jitter / 2)
