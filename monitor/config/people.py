"""Contacts and routes -> Directory. No address is repeated in a problem: it is a personal datum."""

import re
from collections.abc import Mapping

from alerting.directory import Directory, Route
from alerting.model import Address, Contact, Severity
from monitor.config.nodes import Node
from monitor.config.problems import Problem, did_you_mean, which_territory
from monitor.config.schema import AddressRow, ContactRow, Document
from monitor.model import Territory

_EXAMPLE_HOST = re.compile(r"(.*[@.])?(example|invalid|example\.(com|net|org))\.?", re.IGNORECASE)
"""RFC 2606: nobody can be reached there."""
_EXAMPLE_PHONE = re.compile(r"\+1\d{3}55501\d\d")
"""NANP numbers kept for fiction."""
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_MAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")


def directory(doc: Document) -> Directory:
    """Return who may be told and who hears what."""
    contacts = {row.name: _contact(row) for row in doc.contacts}
    routes = tuple(
        Route(row.name, row.contacts, row.territories, row.kinds, row.at_least, row.repeat) for row in doc.routes
    )
    deadlines = {severity: float(getattr(doc.alerts.deadlines, severity)) for severity in Severity}
    return Directory(contacts, routes, doc.alerts.desk, deadlines)


def _contact(row: ContactRow) -> Contact:
    addresses = tuple(Address(way.channel, _plain(way.to), way.enabled) for way in row.addresses)
    return Contact(row.name, row.agency, row.language, row.zone, addresses)


def _plain(to: str) -> str:
    """People write phone numbers with spaces, dashes and brackets."""
    return to if "@" in to else re.sub(r"[\s().-]", "", to)


def check_people(
    doc: Document, tree: Node, territories: Mapping[str, Territory], names: set[str], forms: Mapping[str, str]
) -> list[Problem]:
    """Check contacts and routes; ``names``: contacts of the files; ``forms``: channel -> sms | mail."""
    problems = []
    for number, contact in enumerate(doc.contacts):
        node = tree.at("contacts", number, "addresses")
        for index, way in enumerate(contact.addresses):
            problems += _address(way, node.at(index), doc, forms)
    places = {code: territory.name for code, territory in territories.items()}
    for number, route in enumerate(doc.routes):
        node = tree.at("routes", number)
        for index, name in enumerate(route.contacts):
            if name not in names:
                message = f'unknown contact "{name}"{did_you_mean(name, names)}'
                problems.append(node.at("contacts").problem(message, key=index))
        for index, code in enumerate(route.territories):
            if code not in places:
                message = f'unknown territory "{code}"{which_territory(code, places)}'
                problems.append(node.at("territories").problem(message, "an ISO code", key=index))
    return problems


def _address(way: AddressRow, node: Node, doc: Document, forms: Mapping[str, str]) -> list[Problem]:
    channel = doc.channels.get(way.channel)
    if channel is None:
        near = did_you_mean(way.channel, doc.channels)
        return [node.problem(f'unknown channel "{way.channel}"{near}', key="channel")]
    to, form = _plain(way.to), forms.get(way.channel, "")
    if form == "sms" and not _PHONE.fullmatch(to):
        return [node.problem("not a phone number", "+ and country code, like +1 868 555 0100", key="to")]
    if form == "mail" and not _MAIL.fullmatch(to):
        return [node.problem("not a mail address", "like noc@agency.example", key="to")]
    if not way.enabled:
        return []
    if _EXAMPLE_PHONE.fullmatch(to) or ("@" in to and _EXAMPLE_HOST.fullmatch(to.partition("@")[2])):
        return [
            node.problem("an example that reaches nobody is enabled", "a real address, or enabled: false", key="to")
        ]
    return []
