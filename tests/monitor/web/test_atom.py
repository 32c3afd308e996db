"""The feed: what a reader's program relies on (RFC 4287), over rows that hold anything."""

from datetime import datetime
from xml.etree import ElementTree as Xml

from tests.monitor.web import worlds
from tests.monitor.web.serving import BASE_URL, Site

NS = {"a": "http://www.w3.org/2005/Atom"}


def read(raw: str) -> Xml.Element:
    return Xml.fromstring(raw)  # noqa: S314 - it is our own


def text(parent: Xml.Element, name: str) -> str:
    found = parent.find(f"a:{name}", NS)
    assert found is not None, name
    return found.text or ""


async def test_it_holds_the_rows_of_the_history_newest_change_first() -> None:
    async with Site(worlds.storm()) as site:
        async with site.client.get("/incidents.atom") as response:
            assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
            feed = read(await response.text())
        rows = await site.json("/api/v1/incidents")
    entries = feed.findall("a:entry", NS)
    assert {text(one, "id") for one in entries} == {one["url"] for one in rows["incidents"]}
    changed = [datetime.fromisoformat(text(one, "updated")) for one in entries]
    assert changed == sorted(changed, reverse=True)
    assert text(feed, "updated") == text(entries[0], "updated")
    assert text(feed, "id") == f"{BASE_URL}/incidents.atom"
    for entry in entries:
        assert text(entry, "title").split(":")[0] in {"CRITICAL", "MAJOR", "WARNING", "INFO", "OVER"}
        assert all(text(entry, name) for name in ("published", "summary"))
        link = entry.find("a:link[@rel='alternate']", NS)
        assert link is not None
        assert link.get("href") == text(entry, "id")


async def test_it_is_narrowed_like_the_page_and_refuses_like_it() -> None:
    async with Site(worlds.storm()) as site:
        feed = read(await site.text("/incidents.atom?severity=critical&since=2026-08-01"))
        await site.text("/incidents.atom?severity=loud", 400)
    assert text(feed, "id") == f"{BASE_URL}/incidents.atom?severity=critical&since=2026-08-01"
    terms = [[one.get("term") for one in entry.findall("a:category", NS)] for entry in feed.findall("a:entry", NS)]
    assert terms
    assert all("critical" in each for each in terms)


async def test_words_of_people_and_devices_stay_words() -> None:
    async with Site(worlds.hostile()) as site:
        raw = await site.text("/incidents.atom")
    feed = read(raw)
    assert "<script>" not in raw
    assert {one.tag.removeprefix(f"{{{NS['a']}}}") for one in feed.iter()} == {
        *("feed", "title", "id", "updated", "link", "author", "name", "entry", "published", "category", "summary")
    }


async def test_without_an_incident_it_is_a_feed_all_the_same() -> None:
    async with Site(worlds.calm(), worlds.FakeLedger([])) as site:
        feed = read(await site.text("/incidents.atom"))
    assert feed.findall("a:entry", NS) == []
    assert text(feed, "updated").endswith("Z")
