"""Pure: who is told of an alert, and why."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerting.model import Alert, Reason, Route, Told


def matches(alert: Alert, route: Route) -> bool:
    """Whether the route speaks of this alert; an empty tuple matches everything."""
    return (
        alert.severity.rank >= route.at_least.rank
        and (not route.territories or alert.territory in route.territories)
        and (not route.kinds or alert.kind in route.kinds)
    )


def who(alert: Alert, routes: Sequence[Route]) -> list[tuple[str, Route]]:
    """Each contact once, by the first route in order that matches and names it."""
    found: dict[str, Route] = {}
    for route in routes:
        if matches(alert, route):
            for contact in route.contacts:
                found.setdefault(contact, route)
    return list(found.items())


def why_notify(alert: Alert, last_told: Told | None, *, repeat: timedelta, now: datetime) -> Reason:
    """Why somebody who was last told ``last_told`` is to be told now; ``repeat`` zero never reminds."""
    if alert.closed is not None:
        return _why_closed(last_told)
    if alert.part_of:
        return Reason.NOTHING_NEW
    if last_told is None or last_told.closed:
        return Reason.FIRST
    if alert.severity.rank > last_told.severity.rank:
        return Reason.WORSE
    if repeat and now - last_told.at >= repeat:
        return Reason.REPEAT
    return Reason.NOTHING_NEW


def _why_closed(last_told: Told | None) -> Reason:
    if last_told is None:
        return Reason.NEVER_TOLD
    return Reason.NOTHING_NEW if last_told.closed else Reason.RESOLVED
