"""What is allowed and yet does nothing: rows of the operator's files that can tell, silence or reach nobody."""

from collections.abc import Collection, Iterator

from alerting.catalogue import LANGUAGES
from alerting.directory import Directory
from monitor.config.nodes import Node
from monitor.config.problems import Problem
from monitor.config.schema import DependRow, Document
from monitor.config.telling import RouteRow
from monitor.model import World

_ON = "enabled on a channel that is on"
_ENOUGH = {"all": any, "any": all, "weight": any}
"""Of which needs a failure must be seen to explain another's; of weights, some."""


def notes(doc: Document, tree: Node, world: World, directory: Directory, on: Collection[str]) -> list[Problem]:
    """Return what to know of files that have no problem; ``on``: the channels that are switched on."""
    asked = {asset for check in world.checks.values() for asset in check.tells_of}
    contacts = directory.contacts.values()
    reached = {
        contact.name for contact in contacts if any(way.enabled and way.channel in on for way in contact.addresses)
    }
    return [
        *_assets(doc, tree, asked),
        *_depends(doc, tree, asked),
        *_contacts(doc, tree, on, directory),
        *_beside(doc, tree, reached, directory),
        *_routes(doc, tree, reached, directory),
        *_rotations(doc, tree, reached, directory),
    ]


def _assets(doc: Document, tree: Node, asked: Collection[str]) -> Iterator[Problem]:
    """Of the operator's own assets; what others depend on may well have no address."""
    needed = {need for row in doc.depends for need in row.on}
    for number, row in enumerate(doc.assets):
        if row.id not in asked and row.id not in needed:
            message = f'nothing asks "{row.id}", so it is not watched'
            yield tree.at("assets", number).problem(message, f'a target: "{row.id} ADDRESS"', key="id")


def _depends(doc: Document, tree: Node, asked: Collection[str]) -> Iterator[Problem]:
    """Of dependencies that can explain no failure: not confirmed, or on what is never seen to fail."""
    seen = _seen_to_fail(doc.depends, asked)
    for number, row in enumerate(doc.depends):
        node = tree.at("depends", number)
        if "confirmed" not in row.model_fields_set:
            expected = "confirmed: true, or confirmed: false if it is meant as a guess"
            yield node.problem("a guess that silences nobody", expected, key="confirmed")
        for index, need in enumerate(row.on if row.confirmed else ()):
            if need not in seen:
                what = "it" if row.mode == "all" else "this dependency"
                message = f'nothing asks "{need}", so {what} never explains why "{row.asset}" does not answer'
                yield node.at("on").problem(message, f'a target: "{need} ADDRESS"', key=index)


def _seen_to_fail(rows: Collection[DependRow], asked: Collection[str]) -> set[str]:
    """Return the assets whose failure is ever seen: by their own checks, or as that of what they need."""
    found, before = set(asked), -1
    while len(found) > before:
        before = len(found)
        found |= {row.asset for row in rows if row.confirmed and _ENOUGH[row.mode](need in found for need in row.on)}
    return found


def _contacts(doc: Document, tree: Node, on: Collection[str], directory: Directory) -> Iterator[Problem]:
    named = {name for route in directory.by_name.values() for name in route.contacts}
    named |= {name for ladder in doc.ladders for step in ladder.steps for name in step.tell}
    named |= {name for row in doc.rotations for name in (*row.members, *(one.contact for one in row.overrides))}
    calendars = any(row.calendar for row in doc.rotations)
    for number, row in enumerate(doc.contacts):
        node = tree.at("contacts", number)
        if row.name not in named and not calendars:
            yield node.problem(f'no route names "{row.name}"', f"a route with contacts: [{row.name}]", key="name")
        if row.language not in LANGUAGES:
            message = f'no text of ours is there in "{row.language}": this contact is told in English'
            yield node.problem(message, ", ".join(LANGUAGES), key="language")
        for index, way in enumerate(row.addresses):
            if way.enabled and way.channel not in on:
                message = f'channel "{way.channel}" is off, so this address is never used'
                expected = f"channels.{way.channel}.enabled: true"
                yield node.at("addresses", index).problem(message, expected, key="channel")


def _beside(doc: Document, tree: Node, reached: Collection[str], directory: Directory) -> Iterator[Problem]:
    """Of a contact who cannot be reached, though others who are named with them can: nobody would miss them."""
    groups = [route.contacts for route in directory.by_name.values()]
    groups += [step.tell for ladder in doc.ladders for step in ladder.steps]
    others = {name for group in groups if _some(group, reached, directory) for name in group}
    for number, row in enumerate(doc.contacts):
        if row.name in others and row.name not in reached:
            expected = "an address, or a route without this contact"
            message = f"{row.name} is named and cannot be reached: no address is {_ON}"
            yield tree.at("contacts", number).problem(message, expected, key="addresses" if row.addresses else "name")


def _every(rows: Collection[RouteRow], node: Node) -> Iterator[tuple[RouteRow, Node]]:
    """Yield the routes of all trees."""
    for number, row in enumerate(rows):
        below = node.at("routes", number)
        yield row, below
        yield from _every(row.routes, below)


def _routes(doc: Document, tree: Node, reached: Collection[str], directory: Directory) -> Iterator[Problem]:
    """Of routes and steps of ladders none of whose people can be reached, and of ladders that nothing enters."""
    entered = {name for row, _ in _every(doc.routes, tree) for name in row.ladders or ()}
    for row, node in _every(doc.routes, tree):
        own = bool(row.contacts or row.organisations or row.roles)
        named = directory.by_name[row.name].contacts if own else ()
        if named and not _some(named, reached, directory):
            message = f"reaches nobody: no address of {', '.join(named)} is {_ON}"
            yield node.problem(message, key="contacts")
    for number, ladder in enumerate(doc.ladders):
        node = tree.at("ladders", number)
        if ladder.name not in entered:
            yield node.problem(f'no route enters "{ladder.name}"', f"a route with ladders: [{ladder.name}]", key="name")
        for index, step in enumerate(ladder.steps):
            if not _some(step.tell, reached, directory):
                message = (
                    f"this step reaches nobody: no address of {', '.join(step.tell)} is enabled on a channel that is on"
                )
                yield node.at("steps", index).problem(message, key="tell")


def _some(names: Collection[str], reached: Collection[str], directory: Directory) -> bool:
    return any(each in reached for name in names for each in _members(name, directory))


def _members(name: str, directory: Directory) -> set[str]:
    """Return everybody whom a name may stand for."""
    rotation = directory.rotations.get(name)
    if rotation is None:
        return {name}
    return {*rotation.members, *(one.contact for one in (*rotation.shifts, *rotation.overrides))}


def _rotations(doc: Document, tree: Node, reached: Collection[str], directory: Directory) -> Iterator[Problem]:
    """Of whoever is on duty and cannot be reached, and of hours in which nobody is."""
    for number, row in enumerate(doc.rotations):
        node, rotation = tree.at("rotations", number), directory.rotations[row.name]
        unreached = sorted(_members(row.name, directory) - set(reached))
        if unreached:
            message = (
                f"{', '.join(unreached)} cannot be reached while on duty: no address is enabled on a channel that is on"
            )
            yield node.problem(message, key="members" if row.members else "calendar")
        if rotation.shifts:
            first, last = rotation.shifts[0].since, max(one.until for one in rotation.shifts)
            gaps = rotation.gaps(first, last)
            more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
            if gaps:
                message = f"nobody is on duty from {gaps[0][0]:%Y-%m-%d %H:%M} to {gaps[0][1]:%Y-%m-%d %H:%M} UTC{more}"
                yield node.problem(message, "a shift, or an override", key="calendar")
