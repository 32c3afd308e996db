"""What the journal says of who was told: agencies and contact slugs, never an address."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.journal import Journal, micros, moment

STATES = {
    "planned": "pending",
    "ready": "pending",
    "accepted": "sent",
    "delivered": "delivered",
    "acknowledged": "acknowledged",
    "expired": "failed",
    "refused": "failed",
}
"""The tables' word -> what a reader is told; superseded rows never left and stand for nobody."""


@dataclass(frozen=True, slots=True)
class ToldRow:
    """One message about one incident to one contact on one channel."""

    agency: str
    contact: str
    channel: str
    reason: str
    state: str
    """pending, sent (a provider has taken it), delivered (a receipt says so), acknowledged (before it left), failed"""
    at: datetime
    """When that became so."""


async def hanging(journal: Journal, now: datetime, slack: timedelta = timedelta(minutes=5)) -> list[str]:
    """Return what should have ended or moved by now and has not: rows past their deadline, timers past their time.

    Each sentence is a defect of ours. ``slack``: how long the outbox may be behind.
    """
    late = micros(now - slack)
    rows = await journal.read(
        "SELECT 'notification ' || id || ' of ' || incident || ' is ' || state || ' past its deadline' "
        "FROM notification WHERE ended_at IS NULL AND deadline_at < ?1 "
        "UNION ALL SELECT 'notification ' || id || ' of ' || incident || ' would never end' FROM notification "
        "WHERE ended_at IS NULL AND due_at > deadline_at "
        "UNION ALL SELECT 'attempt ' || id || ' has been under way since long ago' FROM attempt "
        "WHERE status = 'intent' AND intent_at < ?1 "
        "UNION ALL SELECT 'ladder ' || ladder || ' of ' || incident || ' stands still' FROM escalation "
        "WHERE next_at < ?1 "
        "UNION ALL SELECT 'the next channel after notification ' || notification || ' is not taken' FROM turn "
        "WHERE ended_at IS NULL AND due_at < ?1 "
        "UNION ALL SELECT 'exercise ' || id || ' does not end' FROM drill WHERE ended_at IS NULL AND due_at < ?1 "
        "UNION ALL SELECT 'alert X' || id || ' is open past its time' FROM foreign_alert "
        "WHERE closed_at IS NULL AND until_at < ?1",
        (late,),
    )
    return [str(sentence) for (sentence,) in rows]


async def told(journal: Journal, incident: str) -> list[ToldRow]:
    """Return who was told of an incident or is to be, in the order of the plan, without reminders yet to come."""
    rows = await journal.read(
        "SELECT c.agency, n.contact, n.channel, n.reason, n.state, n.changed_at FROM notification n "
        "JOIN contact c ON c.name = n.contact WHERE n.incident = ? AND n.state <> 'superseded' "
        "AND NOT (n.reason = 'repeat' AND n.ended_at IS NULL) ORDER BY n.id",
        (incident,),
    )
    return [
        ToldRow(agency, contact, channel, reason, STATES[state], moment(at))
        for agency, contact, channel, reason, state, at in rows
    ]


async def answered(journal: Journal, incident: str) -> list[tuple[datetime, str]]:
    """Return what agencies answered, oldest first, and whose address is locked; one sentence each, no person named."""
    rows = await journal.read(
        "SELECT at, agency || CASE what WHEN 'ack' THEN ' has acknowledged' WHEN 'wait' THEN ' asks to wait ' || "
        "coalesce(minutes, 30) || ' min' WHEN 'done' THEN ' has done step ' || step ELSE ' says that it is over' END "
        "FROM response WHERE incident = ?1 AND what IN ('ack', 'wait', 'done', 'resolve') "
        "AND answer NOT IN ('unknown', 'acked before', 'done before', 'acked over') "
        "UNION ALL SELECT g.locked_at, 'answers by ' || g.channel || ' from an address of ' || c.agency || "
        "' no longer count: three times the wrong letters' FROM guess g JOIN contact c ON c.name = g.contact "
        "WHERE g.incident = ?1 AND g.locked_at IS NOT NULL ORDER BY 1",
        (incident,),
    )
    return [(moment(at), str(text)) for at, text in rows]
