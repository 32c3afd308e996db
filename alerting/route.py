"""Pure: who is told of an alert, and why."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from alerting.directory import Directory, Route
from alerting.match import labels
from alerting.model import Alert, Contact, Reason, Told


def places(alert: Alert) -> set[str]:
    """Return the territories of an alert; one of the whole region has none."""
    return {alert.territory, *alert.labels.get("territories", "").split(",")} - {""}


def why_not(alert: Alert, route: Route) -> str:
    """Say why a route does not speak of this alert, or "" if it does; an empty tuple matches everything."""
    if alert.severity.rank < route.at_least.rank:
        return f"it is {alert.severity}, and the route begins at {route.at_least}"
    if route.territories and not places(alert) & set(route.territories):
        return (
            f"it is in {', '.join(sorted(places(alert))) or 'the whole region'}, not in {', '.join(route.territories)}"
        )
    if route.kinds and alert.kind not in route.kinds:
        return f"it is a {alert.kind}, not a {' or '.join(route.kinds)}"
    known = labels(alert)
    unfulfilled = next((str(one) for one in route.match if not one.matches(known)), "")
    return f"{unfulfilled} does not hold" if unfulfilled else ""


def matches(alert: Alert, route: Route) -> bool:
    """Whether the route speaks of this alert."""
    return not why_not(alert, route)


def leaves(alert: Alert, route: Route) -> list[Route]:
    """Return the routes of one tree that take the alert: the first children that match, or else the route itself."""
    if why_not(alert, route):
        return []
    found: list[Route] = []
    for child in route.routes:
        taken = leaves(alert, child)
        found += taken
        if taken and not child.proceed:
            break
    return found or [route]


def taken(alert: Alert, routes: Sequence[Route]) -> Iterator[Route]:
    """Yield the routes of all trees that take the alert."""
    for tree in routes:
        yield from leaves(alert, tree)


def who(alert: Alert, routes: Sequence[Route]) -> list[tuple[str, Route]]:
    """Each contact or rotation once, by the first route in order that takes the alert and names it."""
    found: dict[str, Route] = {}
    for route in taken(alert, routes):
        for contact in route.contacts:
            found.setdefault(contact, route)
    return list(found.items())


def unnamed(alert: Alert, directory: Directory, now: datetime) -> list[Contact]:
    """Return who is on the list of an exercise though no route and no ladder names them: they are told at once."""
    routes = list(taken(alert, directory.routes))
    ladders = [directory.ladders[name] for route in routes for name in route.ladders if name in directory.ladders]
    named = [name for route in routes for name in route.contacts]
    named += [name for ladder in ladders for step in ladder.steps for name in step.tell]
    reached = {contact.name for contact in directory.people(tuple(named), now)}
    return [one for one in directory.people(alert.exercise, now) if one.name not in reached]


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
