"""Routes, ladders, rotations, intervals, inhibitions and silences of the files; every mistake with its line."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from alerting import match
from alerting.directory import Inhibition, Ladder, Route, Silence, Step
from alerting.interval import Interval, Span
from alerting.rota import Rotation, Shift
from monitor.config import spans
from monitor.config.coalition import Coalition
from monitor.config.nodes import Node
from monitor.config.problems import did_you_mean, which_territory
from monitor.config.rows import Inventory
from monitor.config.schema import Document
from monitor.config.telling import IntervalRow, LadderRow, RotationRow, RouteRow, SilenceRow
from monitor.model import Territory
from monitor.moments import day

T = TypeVar("T")


class Routing:
    """Reads the rows of one document; what is wrong is collected in ``problems``."""

    def __init__(
        self,
        doc: Document,
        tree: Node,
        territories: Mapping[str, Territory],
        people: set[str],
        zone: str,
        *,
        known: Inventory | None = None,
    ) -> None:
        """``people``: contacts that the files name, also in rows with a mistake; ``zone``: the vantage's."""
        self._doc, self._tree, self._places, self._zone = doc, tree, territories, zone
        self._people = people
        self._coalition = Coalition(doc.contacts, known.organisations if known else (), known.agencies if known else ())
        self.agencies = self._coalition.agencies
        """Contact -> agency."""
        self._rotations = {row.name for row in doc.rotations}
        self.problems = self._coalition.check(doc.contacts, tree.at("contacts"))

    def routes(self) -> tuple[Route, ...]:
        """Return the trees."""
        plain = Route("")
        nodes = [(row, self._tree.at("routes", number)) for number, row in enumerate(self._doc.routes)]
        self._once(list(self._named(nodes)))
        return tuple(self._route(row, node, plain) for row, node in nodes)

    def _named(self, rows: Iterable[tuple[RouteRow, Node]]) -> Iterator[tuple[str, Node]]:
        for row, node in rows:
            yield row.name, node
            yield from self._named((child, node.at("routes", n)) for n, child in enumerate(row.routes))

    def _once(self, named: list[tuple[str, Node]]) -> None:
        """A route's name stands in the journal: it is one route's alone."""
        seen: dict[str, Node] = {}
        for name, node in named:
            if name in seen and seen[name].where != node.where:
                line = seen[name].where.line
                self.problems.append(node.problem(f'"{name}" is another route\'s name too, in line {line}', key="name"))
            seen.setdefault(name, node)

    def _route(self, row: RouteRow, node: Node, parent: Route) -> Route:
        """Return one route with its children; what it does not say it has from its parent."""
        self._check_route(row, node)
        members, wrong = self._coalition.members(row, node)
        self.problems += wrong
        named = None if row.contacts is None and not members else (*(row.contacts or ()), *members)
        own = Route(
            row.name,
            tuple(dict.fromkeys(_said(named, parent.contacts))),
            row.territories,
            row.kinds,
            row.at_least,
            _said(row.repeat, parent.repeat_seconds),
            self._matchers(row.match, node, "match"),
            _said(row.ladders, parent.ladders),
            row.proceed,
            _said(row.group_by, parent.group_by),
            _said(row.group_wait, parent.group_wait),
            _said(row.group_interval, parent.group_interval),
            row.mute,
            row.active,
            _said(row.resolved, parent.resolved),
        )
        if not (own.contacts or own.ladders or row.routes or wrong):
            self.problems.append(
                node.problem("tells nobody", "contacts, organisations, roles or ladders", key="contacts")
            )
        if own.group_by is None and (row.group_wait or row.group_interval):
            key = "group_wait" if row.group_wait else "group_interval"
            message = "without group_by each incident leaves by itself, at once"
            self.problems.append(node.problem(message, "group_by: [territory], or [] for all together", key=key))
        children = ((child, node.at("routes", number)) for number, child in enumerate(row.routes))
        return replace(own, routes=tuple(self._route(child, below, own) for child, below in children))

    def _check_route(self, row: RouteRow, node: Node) -> None:
        self._known(row.contacts or (), node, "contacts", "contact", self._people | self._rotations)
        self._known(row.ladders or (), node, "ladders", "ladder", {one.name for one in self._doc.ladders})
        intervals = {one.name for one in self._doc.intervals}
        self._known(row.mute, node, "mute", "interval", intervals)
        self._known(row.active, node, "active", "interval", intervals)
        places = {code: territory.name for code, territory in self._places.items()}
        for index, code in enumerate(row.territories):
            if code not in places:
                message = f'unknown territory "{code}"{which_territory(code, places)}'
                self.problems.append(node.at("territories").problem(message, "an ISO code", key=index))

    def _known(self, names: Iterable[str], node: Node, key: str, what: str, known: set[str]) -> None:
        for index, name in enumerate(names):
            if name not in known:
                message = f'unknown {what} "{name}"{did_you_mean(name, known)}'
                self.problems.append(node.at(key).problem(message, key=index))

    def _matchers(self, texts: Iterable[str], node: Node, key: str) -> tuple[match.Matcher, ...]:
        found = []
        for index, text in enumerate(texts):
            one = self._read(lambda text=text: match.parse(text), node.at(key), index)  # type: ignore[misc] # mypy does not know the default
            found += [one] if one else []
        return tuple(found)

    def _read(self, read: Callable[[], T], node: Node, key: str | int) -> T | None:
        """Return what is read, or None and a problem."""
        try:
            return read()
        except ValueError as error:
            self.problems.append(node.problem(str(error), key=key))
            return None

    def ladders(self) -> dict[str, Ladder]:
        """Return the ladders by name."""
        agencies = self.agencies
        found = {}
        for number, row in enumerate(self._doc.ladders):
            node = self._tree.at("ladders", number)
            for index, step in enumerate(row.steps):
                below = node.at("steps", index)
                self._known(step.tell, below, "tell", "contact", self._people | self._rotations)
            agency = row.agency or self._agency(row, agencies)
            if agency not in agencies.values():
                message = f'no contact is of the agency "{agency}", so nobody could acknowledge'
                self.problems.append(node.problem(message, "the agency of a contact", key="agency"))
            steps = tuple(Step(step.tell, step.wait) for step in row.steps)
            found[row.name] = Ladder(row.name, agency, steps, row.loops, row.holds)
        return found

    def _agency(self, row: LadderRow, agencies: Mapping[str, str]) -> str:
        """Return the agency of whoever is told first."""
        members = {one.name: one.members for one in self._doc.rotations}
        first = [each for name in row.steps[0].tell for each in members.get(name, (name,))]
        return next((agencies[name] for name in first if name in agencies), "")

    def rotations(self) -> dict[str, Rotation]:
        """Return the rotations by name."""
        found = {}
        for number, row in enumerate(self._doc.rotations):
            node = self._tree.at("rotations", number)
            if row.name in self._people:
                self.problems.append(node.problem(f'"{row.name}" is a contact\'s name too', key="name"))
            self._known(row.members, node, "members", "contact", self._people)
            overrides = tuple(self._overrides(row, node))
            turn = timedelta(seconds=row.every)
            begin = self._begin(row, node)
            shifts = self._calendar(row, node) if row.calendar else ()
            found[row.name] = Rotation(row.name, row.zone, begin, turn, row.members, shifts, overrides)
        return found

    def _begin(self, row: RotationRow, node: Node) -> datetime | None:
        if bool(row.members) == bool(row.calendar):
            expected = "members and since, or calendar: FILE.ics"
            self.problems.append(
                node.problem("says nothing of who is on duty, or says it twice", expected, key="members")
            )
        if not row.members:
            return None
        if row.every < 600:
            self.problems.append(node.problem("turns shorter than ten minutes", "like 12h or 7d", key="every"))
        return self._read(lambda: day(row.since, row.zone), node, "since")

    def _overrides(self, row: RotationRow, node: Node) -> Iterator[Shift]:
        for index, one in enumerate(row.overrides):
            below = node.at("overrides", index)
            if one.contact not in self._people:
                near = did_you_mean(one.contact, self._people)
                self.problems.append(below.problem(f'unknown contact "{one.contact}"{near}', key="contact"))
            since = self._read(lambda: day(one.since, row.zone), below, "since")  # noqa: B023 - read at once
            until = self._read(lambda: day(one.until, row.zone), below, "until")  # noqa: B023 - called before the next turn of the loop
            if since and until and until <= since:
                self.problems.append(below.problem("the end is not after the begin", key="until"))
            elif since and until:
                yield Shift(since, until, one.contact)

    def _calendar(self, row: RotationRow, node: Node) -> tuple[Shift, ...]:
        from monitor.duty import CalendarError, shifts  # noqa: PLC0415 - icalendar costs 0.1 s, and few have a file

        path = Path(node.at("calendar").where.file).parent / row.calendar
        try:
            data = path.read_bytes()
            return tuple(shifts(data, self._people, row.zone, [one.zone for one in self._places.values()]))
        except OSError as error:
            self.problems.append(node.problem(f"{row.calendar} cannot be read: {error.strerror}", key="calendar"))
        except CalendarError as error:
            self.problems += [
                node.problem(f"{row.calendar}: {line}", key="calendar") for line in str(error).splitlines()
            ]
        return ()

    def intervals(self) -> dict[str, Interval]:
        """Return the intervals by name."""
        found = {}
        for number, row in enumerate(self._doc.intervals):
            node = self._tree.at("intervals", number)
            parts = {key: self._spans(row, key, node) for key in ("times", "weekdays", "days", "months", "years")}
            found[row.name] = Interval(row.name, row.zone, **parts)
        return found

    def _spans(self, row: IntervalRow, key: str, node: Node) -> tuple[Span, ...]:
        read = {
            "times": spans.times,
            "weekdays": spans.weekdays,
            "days": spans.days,
            "months": spans.months,
            "years": spans.years,
        }[key]
        found = [self._read(lambda: read(text), node.at(key), n) for n, text in enumerate(getattr(row, key))]  # noqa: B023 - read at once
        return tuple(one for one in found if one)

    def inhibitions(self) -> tuple[Inhibition, ...]:
        """Return the inhibitions."""
        rows = ((row, self._tree.at("inhibit", number)) for number, row in enumerate(self._doc.inhibit))
        return tuple(
            Inhibition(
                row.name,
                self._matchers(row.source, node, "source"),
                self._matchers(row.target, node, "target"),
                row.equal,
            )
            for row, node in rows
        )

    def silences(self) -> tuple[Silence, ...]:
        """Return the silences."""
        rows = [(row, self._tree.at("silences", number)) for number, row in enumerate(self._doc.silences)]
        return tuple(one for row, node in rows if (one := self._silence(row, node)))

    def _silence(self, row: SilenceRow, node: Node) -> Silence | None:
        since = self._read(lambda: day(row.since, self._zone), node, "since")
        until = self._read(lambda: day(row.until, self._zone), node, "until")
        matchers = self._matchers(row.match, node, "match")
        if not since or not until or len(matchers) < len(row.match):
            return None
        if until <= since:
            self.problems.append(node.problem("the end is not after the begin", key="until"))
        if all(one.matches({}) for one in matchers):
            message = "it would silence everything"
            self.problems.append(node.problem(message, "a label with a value, like kind=website", key="match"))
        return Silence(row.id, matchers, since, until, row.author, row.reason)


def _said(own: T | None, inherited: T) -> T:
    return inherited if own is None else own
