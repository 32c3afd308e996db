"""How often a contact hears from us on one channel, and what a channel may cost in a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.directory import Budget, Cap
from alerting.journal import Transaction, micros, moment
from alerting.model import Severity

DAY = timedelta(hours=24)
POLL = timedelta(minutes=10)
"""So often does what waits for credits look for them."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that may have reached the contact."""

    at: datetime
    size: int
    """Incidents that it told of."""
    severity: Severity
    """The gravest of them."""


def leaves(sent: Sequence[Sent], severity: Severity, cap: Cap, now: datetime) -> datetime:
    """Return when the next message may leave; ``sent``: those of the last ``cap.within`` seconds, oldest first. Pure.

    The first message of a storm does not close the window: the one after it tells of what came in meanwhile. What is
    critical, when nothing critical has been told within the window, waits for the gap alone.
    """
    if not sent:
        return now
    within = timedelta(seconds=cap.within)
    earliest = sent[-1].at + timedelta(seconds=cap.gap)
    grave = severity is Severity.CRITICAL and all(one.severity is not Severity.CRITICAL for one in sent)
    if not grave and cap.most and len(sent) >= cap.most:
        earliest = max(earliest, sent[-cap.most].at + within)
    if not grave and cap.storm:
        earliest = max([earliest, *(one.at + within for one in sent[1:] if one.size >= cap.storm)])
    return max(now, earliest)


async def sent(tx: Transaction, where: tuple[str, str], cap: Cap, now: datetime, *, drills: bool) -> list[Sent]:
    """Read what a contact was sent on a channel within the window, tests left out, oldest first.

    ``drills``: exercises count too; they never keep back what is real. What left in a moment that
    is still to come left before the machine's clock was set back: it keeps nothing back.
    """
    rows = await tx.execute(
        "SELECT max(a.intent_at), count(*), max(CASE a.severity WHEN 'critical' THEN 3 WHEN 'major' THEN 2 "
        "WHEN 'warning' THEN 1 ELSE 0 END) FROM attempt a JOIN notification n ON n.id = a.notification "
        "WHERE n.contact = ?1 AND n.channel = ?2 AND n.changed_at > ?3 AND n.reason <> 'test' "
        "AND a.status <> 'failed' AND a.intent_at > ?3 AND a.intent_at <= ?5 "
        "AND (?4 OR NOT EXISTS (SELECT 1 FROM drill WHERE id = n.incident)) "
        "GROUP BY coalesce(a.bundle, a.id), a.intent_at ORDER BY 1",
        (*where, micros(now - timedelta(seconds=max(cap.within, cap.gap))), int(drills), micros(now)),
    )
    return [Sent(moment(at), size, list(Severity)[rank]) for at, size, rank in rows]


async def spent(tx: Transaction, channel: str, now: datetime) -> int:
    """Read how many short messages a channel has cost in the last 24 hours."""
    [(parts,)] = await tx.execute(
        "SELECT coalesce(sum(parts), 0) FROM attempt WHERE channel = ? AND status <> 'failed' AND intent_at > ? "
        "AND intent_at <= ?",
        (channel, micros(now - DAY), micros(now)),
    )
    return int(parts)


def affords(budget: Budget, already: int, severity: Severity) -> bool:
    """Whether a message of this severity may be paid for. Pure."""
    return already + 1 <= budget.credits * budget.share.get(severity, 1.0)
