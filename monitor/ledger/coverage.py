"""For what share of a period were we looking. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from monitor.views import Coverage

Gap = tuple[datetime, datetime, str]
NOT_RUNNING = "Lambi was not running"


def idle(runs: Sequence[tuple[datetime, datetime]], since: datetime, until: datetime) -> list[Gap]:
    """Return the gaps between the runs of the daemon, each (started, last sign of life)."""
    gaps: list[Gap] = []
    reached = since
    for started, ended in sorted(runs):
        if started > reached:
            gaps.append((reached, min(started, until), NOT_RUNNING))
        reached = max(reached, ended)
        if reached >= until:
            return [gap for gap in gaps if gap[0] < gap[1]]
    return [gap for gap in (*gaps, (reached, until, NOT_RUNNING)) if gap[0] < gap[1]]


def blind(
    signals: Iterable[tuple[str, datetime, bool]], checks: int, since: datetime, until: datetime, reason: str
) -> list[Gap]:
    """Return when none of ``checks`` was seeing, from (check, at, sees from then on) in order of time."""
    seeing: set[str] = set()
    gaps: list[Gap] = []
    began: datetime | None = since if checks else None
    for check, at, sees in signals:
        seeing.add(check) if sees else seeing.discard(check)
        if seeing and began is not None:
            if at > since:
                gaps.append((max(began, since), min(at, until), reason))
            began = None
        elif not seeing and began is None:
            began = at
    if began is not None:
        gaps.append((max(began, since), until, reason))
    return [gap for gap in gaps if gap[0] < gap[1]]


def coverage(gaps: Iterable[Gap], since: datetime, until: datetime) -> Coverage:
    """Add up, counting time that lies in two gaps once."""
    ordered = sorted(gaps)
    lost, reached = 0.0, since
    for began, ended, _ in ordered:
        start = max(began, reached)
        if ended > start:
            lost += (ended - start).total_seconds()
            reached = ended
    period = (until - since).total_seconds()
    return Coverage(max(0.0, period - lost), period, tuple(ordered))
