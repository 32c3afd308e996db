"""The history as a feed (Atom, RFC 4287): what opened, changed and closed, newest change first. Pure."""

from datetime import datetime
from xml.etree import ElementTree as Xml

from monitor.model import Incident
from monitor.plain import visible
from monitor.web import words
from monitor.web.history import Shown, stamp

SPACE = "http://www.w3.org/2005/Atom"
ATOM = "application/atom+xml"


def feed(shown: Shown, base_url: str, site: str, at: datetime) -> str:
    """Return the feed of one page of the history; ``at``: its time when it holds nothing."""
    newest = sorted(shown.incidents, key=lambda one: one.changed, reverse=True)
    root = Xml.Element("feed", xmlns=SPACE)
    query = shown.wanted.query()
    _add(root, "title", f"Lambi, {site}: incidents")
    _add(root, "id", f"{base_url}/incidents.atom{f'?{query}' if query else ''}")
    _add(root, "updated", stamp(newest[0].changed if newest else at))
    _link(root, "self", f"{base_url}/incidents.atom{f'?{query}' if query else ''}")
    _link(root, "alternate", f"{base_url}/incidents{f'?{query}' if query else ''}")
    _add(_add(root, "author"), "name", f"Lambi, {site}")
    for one in newest:
        _entry(root, one, base_url)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _entry(root: Xml.Element, one: Incident, base_url: str) -> None:
    """Add an incident; its id stays, its time moves with each change (RFC 4287, 4.2.6, 4.2.15)."""
    entry, url = _add(root, "entry"), f"{base_url}/incidents/{one.id}"
    _add(entry, "title", f"{one.severity.value.upper() if one.closed is None else 'OVER'}: {words.told(one)}")
    _add(entry, "id", url)
    _link(entry, "alternate", url)
    _add(entry, "updated", stamp(one.changed))
    _add(entry, "published", stamp(one.opened))
    for term in (one.severity.value, one.kind, *one.territories):
        Xml.SubElement(entry, "category", term=visible(term))
    said = [one.reason, f"what is left: {one.left}" if one.left else "", one.closing]
    _add(entry, "summary", " ".join(words.sentence(text) for text in said if text))


def _add(parent: Xml.Element, name: str, text: str = "") -> Xml.Element:
    child = Xml.SubElement(parent, name)
    child.text = visible(text)  # XML 1.0 knows no control characters, not even escaped ones
    return child


def _link(parent: Xml.Element, rel: str, url: str) -> None:
    Xml.SubElement(parent, "link", rel=rel, href=visible(url))
