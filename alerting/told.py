"""What the journal says of who was told: agencies and contact slugs, never an address."""

from dataclasses import dataclass
from datetime import datetime

from alerting.journal import Journal, moment

STATES = {"planned": "pending", "ready": "pending", "accepted": "sent", "expired": "failed", "refused": "failed"}
"""The tables' word -> what a reader is told; superseded rows never left and stand for nobody."""


@dataclass(frozen=True, slots=True)
class ToldRow:
    """One message about one incident to one contact on one channel."""

    agency: str
    contact: str
    channel: str
    reason: str
    state: str
    """pending, sent (the provider has taken it), failed"""
    at: datetime
    """When that became so."""


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
