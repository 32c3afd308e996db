"""Pure: who is told of an alert, who is not, and why: by the same decisions that tell people."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from alerting.directory import Directory, Ladder, Route
from alerting.gate import Rules, block
from alerting.health import in_words
from alerting.match import labels
from alerting.model import Alert
from alerting.route import taken, unnamed, why_not


@dataclass(frozen=True, slots=True)
class Line:
    """One contact: whether it is told now, later, or not, and why."""

    contact: str
    agency: str
    told: str
    """now, later, no"""
    why: str


def routes(alert: Alert, directory: Directory) -> list[tuple[str, bool, str]]:
    """Return every route in order: its name, whether it takes the alert, and why not."""
    takes = {route.name for route in taken(alert, directory.routes)}
    return [
        (name, name in takes, "" if name in takes else why_not(alert, route) or _passed(route))
        for name, route in directory.by_name.items()
    ]


def _passed(route: Route) -> str:
    return "a route below it takes it" if route.routes else "a route before it takes it, or the one above it does not"


def explain(alert: Alert, rules: Rules, now: datetime) -> list[Line]:
    """Return each contact once: first who is told now, then who is later, then who is not."""
    found: dict[str, Line] = {}
    for line in _told(alert, rules, now):
        before = found.get(line.contact)
        if before is None or _ORDER[line.told] < _ORDER[before.told]:
            found[line.contact] = line
    for contact in rules.directory.contacts.values():
        why = "no route that takes it names them" + _nearest(alert, contact.name, rules.directory, now)
        found.setdefault(contact.name, Line(contact.name, contact.agency, "no", why))
    return sorted(found.values(), key=lambda line: _ORDER[line.told])


_ORDER = {"now": 0, "later": 1, "no": 2}


def _told(alert: Alert, rules: Rules, now: datetime) -> Iterator[Line]:
    """Yield whom the routes and ladders name, and who is on the list of an exercise."""
    directory = rules.directory
    for contact in unnamed(alert, directory, now):
        yield Line(contact.name, contact.agency, "now", "the list of the exercise")
    for route in taken(alert, directory.routes):
        for name in route.contacts:
            yield from _named(alert, name, route, f"route {route.name}", rules, now)
            if name in directory.rotations and not directory.people((name,), now):
                yield Line(name, "", "no", f"route {route.name}: nobody is on duty")
        for name in route.ladders:
            if name in directory.ladders:
                yield from _steps(alert, directory.ladders[name], route, rules, now)


def _steps(alert: Alert, ladder: Ladder, route: Route, rules: Rules, now: datetime) -> Iterator[Line]:
    after = 0.0
    for number, step in enumerate(ladder.steps, 1):
        for name in step.tell:
            by = f"route {route.name}, ladder {ladder.name}, step {number}"
            for line in _named(alert, name, route, by, rules, now):
                if number == 1 or line.told == "no":
                    yield line
                else:
                    wait = f"after {after / 60:g} min, if nobody of {ladder.agency} acknowledges"
                    yield Line(line.contact, line.agency, "later", f"{line.why}: {wait}")
        after += step.wait


def _named(alert: Alert, name: str, route: Route, by: str, rules: Rules, now: datetime) -> Iterator[Line]:  # noqa: PLR0917 - all that decides
    stopped = block(alert, route.name, rules, now)
    wait = f"; with its group {route.group(labels(alert))}, within {route.group_wait:g} s" if route.group_wait else ""
    for contact in rules.directory.people((name,), now):
        duty = f" ({name} is on duty)" if contact.name != name else ""
        ways = in_words(contact, rules.ways)
        if not ways:
            yield Line(contact.name, contact.agency, "no", f"{by}{duty}: no address of theirs is switched on")
        elif stopped:
            told = "later" if alert.closed is None else "no"
            yield Line(
                contact.name, contact.agency, told, f"{by}{duty}: {stopped.why}, until {stopped.until:%d %b %H:%M} UTC"
            )
        else:
            yield Line(contact.name, contact.agency, "now", f"{by}{duty} by {ways}{wait}")


def _nearest(alert: Alert, contact: str, directory: Directory, now: datetime) -> str:
    """Say why the routes that name somebody do not take the alert."""
    reasons = [
        f"{route.name}: {why_not(alert, route) or _passed(route)}"
        for route in directory.by_name.values()
        if directory.has(contact, route.contacts, now)
    ]
    return f" ({'; '.join(reasons[:4])})" if reasons else ""
