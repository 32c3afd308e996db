"""What is allowed and yet does nothing: rows of the operator's files that can tell, silence or reach nobody."""

from collections.abc import Collection, Iterator

from alerting.model import Contact
from monitor.config.nodes import Node
from monitor.config.problems import Problem
from monitor.config.schema import DependRow, Document
from monitor.model import World

_ENOUGH = {"all": any, "any": all, "weight": any}
"""Of which needs a failure must be seen to explain another's; of weights, some."""


def notes(doc: Document, tree: Node, world: World, contacts: Collection[Contact], on: Collection[str]) -> list[Problem]:
    """Return what to know of files that have no problem; ``on``: the channels that are switched on."""
    asked = {asset for check in world.checks.values() for asset in (check.asset, *check.serves)}
    reached = {
        contact.name for contact in contacts if any(way.enabled and way.channel in on for way in contact.addresses)
    }
    return [
        *_assets(doc, tree, asked),
        *_depends(doc, tree, asked),
        *_contacts(doc, tree, on),
        *_routes(doc, tree, reached),
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


def _contacts(doc: Document, tree: Node, on: Collection[str]) -> Iterator[Problem]:
    named = {name for route in doc.routes for name in route.contacts}
    for number, row in enumerate(doc.contacts):
        node = tree.at("contacts", number)
        if row.name not in named:
            yield node.problem(f'no route names "{row.name}"', f"a route with contacts: [{row.name}]", key="name")
        for index, way in enumerate(row.addresses):
            if way.enabled and way.channel not in on:
                message = f'channel "{way.channel}" is off, so this address is never used'
                expected = f"channels.{way.channel}.enabled: true"
                yield node.at("addresses", index).problem(message, expected, key="channel")


def _routes(doc: Document, tree: Node, reached: Collection[str]) -> Iterator[Problem]:
    for number, row in enumerate(doc.routes):
        if not any(name in reached for name in row.contacts):
            message = f"reaches nobody: no address of {', '.join(row.contacts)} is enabled on a channel that is on"
            yield tree.at("routes", number).problem(message, key="contacts")
