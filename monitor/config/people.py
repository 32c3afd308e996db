"""Contacts, and what `routing` reads -> Directory. No address is repeated in a problem: it is a personal datum."""

import re
from collections.abc import Mapping

from alerting.directory import Budget, Cap, Directory
from alerting.model import Address, Contact, Severity
from monitor.config.nodes import Node
from monitor.config.problems import Problem, did_you_mean
from monitor.config.routing import Routing
from monitor.config.schema import Document
from monitor.config.telling import AddressRow, ContactRow

_EXAMPLE_HOST = re.compile(r"(.*[@.])?(example|invalid|example\.(com|net|org))\.?", re.IGNORECASE)
"""RFC 2606: nobody can be reached there."""
_EXAMPLE_PHONE = re.compile(r"\+1\d{3}55501\d\d")
"""NANP numbers kept for fiction."""
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_URL = re.compile(r"https?://[^\s/@]+(/\S*)?")
_MAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")


def directory(doc: Document, routing: Routing, forms: Mapping[str, str]) -> Directory:
    """Return who may be told and who hears what; ``forms``: channel -> sms | mail. A channel has its form's cap."""
    credit, written = doc.alerts.credits, doc.alerts.caps
    rows = {name: row for name, form in forms.items() if (row := written.get(name) or written.get(form))}
    shares = {name: {level: float(getattr(row, level)) for level in Severity} for name, row in credit.items()}
    return Directory(
        {row.name: _contact(row, routing.agencies[row.name]) for row in doc.contacts},
        routing.routes(),
        doc.alerts.desk,
        {severity: float(getattr(doc.alerts.deadlines, severity)) for severity in Severity},
        ladders=routing.ladders(),
        rotations=routing.rotations(),
        intervals=routing.intervals(),
        inhibitions=routing.inhibitions(),
        silences=routing.silences(),
        caps={
            name: Cap(row.gap, row.most, row.within, row.storm, row.merge)
            for name, row in rows.items()
            if row is not None
        },
        budgets={name: Budget(row.per_day, shares[name]) for name, row in credit.items()},
    )


def _contact(row: ContactRow, agency: str) -> Contact:
    addresses = tuple(Address(way.channel, _plain(way.to), way.enabled) for way in row.addresses)
    return Contact(row.name, agency, row.language, row.zone, addresses, row.next_after)


def _plain(to: str) -> str:
    """People write phone numbers with spaces, dashes and brackets."""
    return to if "@" in to or "://" in to else re.sub(r"[\s().-]", "", to)


def check_people(doc: Document, tree: Node, forms: Mapping[str, str]) -> list[Problem]:
    """Check addresses, caps and credits; ``forms``: channel -> sms | mail."""
    problems = []
    for number, contact in enumerate(doc.contacts):
        node = tree.at("contacts", number, "addresses")
        for index, way in enumerate(contact.addresses):
            problems += _address(way, node.at(index), doc, forms)
    capped = {*doc.channels, *forms.values()}
    for part, rows, known in (("caps", doc.alerts.caps, capped), ("credits", doc.alerts.credits, {*doc.channels})):
        for name in rows:
            if name not in known:
                message = f'unknown channel "{name}"{did_you_mean(name, known)}'
                problems.append(tree.at("alerts", part).problem(message, key=name))
    return problems


def _address(way: AddressRow, node: Node, doc: Document, forms: Mapping[str, str]) -> list[Problem]:
    channel = doc.channels.get(way.channel)
    if channel is None:
        near = did_you_mean(way.channel, doc.channels)
        return [node.problem(f'unknown channel "{way.channel}"{near}', key="channel")]
    to, form = _plain(way.to), forms.get(way.channel, "")
    if form == "sms" and channel.kind != "apprise" and not _PHONE.fullmatch(to):
        return [node.problem("not a phone number", "+ and country code, like +1 868 555 0100", key="to")]
    if channel.kind == "webhook":
        wrong = not _URL.fullmatch(to)
        return [node.problem("not a URL", "like https://hooks.agency.net/lambi", key="to")] if wrong else []
    if form == "mail" and not _MAIL.fullmatch(to):
        return [node.problem("not a mail address", "like noc@agency.example", key="to")]
    if not way.enabled:
        return []
    if _EXAMPLE_PHONE.fullmatch(to) or ("@" in to and _EXAMPLE_HOST.fullmatch(to.partition("@")[2])):
        return [
            node.problem("an example that reaches nobody is enabled", "a real address, or enabled: false", key="to")
        ]
    return []
