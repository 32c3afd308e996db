import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from monitor.model import Incident, Phase
from monitor.views import Snapshot
from monitor.web import words
from monitor.web.page import Pages
from monitor.web.words import sentence, told
from tests.monitor.web import worlds
from tests.monitor.web.serving import Site

PATHS = (
    "/",
    "/assets",
    "/assets?territory=BB",
    "/asset/cctld:bb",
    "/asset/cable:ecfs",
    "/asset/vantage:bridgetown",
    "/incidents",
    "/incidents/17",
    "/incidents/901",
    "/resilience",
    "/nothing-here",
)
WORLDS = (worlds.calm, worlds.storm, worlds.blind, worlds.no_icmp, worlds.hostile)
VOID = {"meta", "link", "input", "br", "img", "hr"}


SCRIPT = f"<script data-live>{Pages('').script}</script>"


def without_ours(page: str) -> str:
    """Return a page without the one script that may stand in it."""
    return page.replace(SCRIPT, "")


class Outline(HTMLParser):
    """What a page consists of; complains about tags that do not match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    def leads(self, link: str) -> bool:
        """Whether a link is the page's next."""
        place = self.attributes.index(("href", link))
        return self.attributes[place - 1] == ("rel", "next")

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("world", WORLDS)
async def test_every_page_is_whole_has_its_landmarks_and_needs_no_script(world: Callable[[], Snapshot]) -> None:
    async with Site(world()) as site:
        for path in PATHS:
            async with site.client.get(path) as response:
                page = Outline(raw := await response.text())
                assert response.status in {200, 404}
                assert response.content_type == "text/html"
            assert (raw.count("<script"), without_ours(raw).count("<script")) == (int(response.status == 200), 0)
            assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
            assert page.tags.count("h1") == 1
            assert page.tags.count("main") == page.tags.count("header") == page.tags.count("footer") == 1
            assert ("href", "#main") in page.attributes
            assert ("lang", "en") in page.attributes
            outside = [v for k, v in page.attributes if k in {"href", "src", "action"} and v and v[:1] not in "/#"]
            assert outside == []
        assert site.bugs == 0


async def test_storm_says_troubles_first_and_counts_watched_and_not_watched_apart() -> None:
    async with Site(worlds.storm()) as site:
        text = Outline(await site.text("/")).text
    assert text.index("Eastern Caribbean Fiber System (ECFS) is down and .dm is degraded.") < text.index(
        "Open incidents"
    )
    assert "166 watched, 274 not watched" in text
    assert text.index("Barbados 1 down 1 unreachable") < text.index("Dominica 1 down 1 degraded")
    assert text.index("Dominica 1 down 1 degraded") < text.index("Anguilla")
    assert "critical #17" in text
    assert "for 12 min" in text
    assert "2 of 4 name servers answer looked 14 s ago" in text
    assert "No cable that is known to be watched is left for Barbados." in text


async def test_calm_says_so_and_nothing_that_is_not_watched_is_called_up() -> None:
    async with Site(worlds.calm()) as site:
        text = Outline(await site.text("/")).text
        assert "All 164 watched assets answer." in text
        assert "Not watched: " in text
        cable = Outline(await site.text("/asset/cable:ecfs")).text
    assert "is not looked at, and counted in no figure" in cable
    assert "targets: - asset: cable:ecfs address: 192.0.2.1" in cable
    assert " up " not in cable


async def test_a_blind_vantage_says_so_first_and_calls_nothing_down() -> None:
    async with Site(worlds.blind()) as site:
        page = Outline(await site.text("/"))
        facts = await site.json("/api/v1/status")
    assert "This vantage cannot see the world since 11:47 UTC." in page.text
    assert page.text.count("cannot see the world since") == 4  # title, headline, one for each family
    assert facts["watched"] == {"unknown": 163, "up": 1}
    assert [cut["family"] for cut in facts["vantage"]["cannot_see_the_world"]] == [4, 6]


async def test_one_family_cut_off_is_told_without_calling_the_vantage_blind() -> None:
    s = worlds.calm()
    vantage = s.assets[worlds.VANTAGE]
    cut = replace(vantage.checks[1], phase=Phase.DOWN, reason="references in 0 of 3 networks answer over IPv6")
    s = replace(s, assets={**s.assets, worlds.VANTAGE: replace(vantage, checks=(vantage.checks[0], cut))})
    async with Site(s) as site:
        text = Outline(await site.text("/")).text
    assert "All 164 watched assets answer." in text
    assert "What this vantage cannot see IPv6 : this vantage cannot see the world since" in text


async def test_no_icmp_an_unsteered_clock_and_bugs_are_said_on_every_page() -> None:
    async with Site(worlds.no_icmp()) as site:
        for path in PATHS:
            async with site.client.get(path) as response:
                text = Outline(await response.text()).text
            assert "ICMP over IPv4: cannot look from here" in text
            assert "This machine's clock is not synchronised: times may be wrong." in text
            assert "Lambi has caught 2 of its own errors" in text


async def test_a_picture_that_is_not_replaced_is_called_old() -> None:
    async with Site(worlds.calm()) as site:
        assert await site.text("/healthz") == "ok\n"
        await site.clock.advance(3600)
        assert "its last picture of the world is 1 h old" in await site.text("/")
        assert "looked 1 h ago" in await site.text("/asset/cctld:bb")
        assert await site.text("/healthz", 503) == "standing still\n"


async def test_an_asset_shows_checks_values_with_units_and_marks_what_is_only_supposed() -> None:
    async with Site(worlds.calm()) as site:
        domain = Outline(await site.text("/asset/cctld:bb")).text
        exchange = Outline(await site.text("/asset/ixp:bbix")).text
        cable = Outline(await site.text("/asset/cable:ecfs")).text
        server = Outline(await site.text("/asset/nameserver:ns0.nic.bb")).text
        page = await site.text("/asset/website:aiix")
        assert (await site.json("/api/v1/asset/nameserver:ns0.nic.bb"))["checks"][0]["usual"][0]["low"] == 0.0118
    assert "dns 192.0.2.53 IPv4, every 1 min" in domain
    assert "rtt 31.1 ms; rcode 0; aa 1; soa serial 2026090101" in domain
    assert "any of ns0.nic.bb , ns1.nic.bb , ns2.nic.bb , ns3.nic.bb confirmed by an operator" in domain
    assert "hypothesis not confirmed by an operator, silences nobody source: schematic cables, 2022" in exchange
    assert "It serves BBIX hypothesis source: schematic cables, 2022" in cable
    assert "as of 2022-12 confidence medium" in cable
    assert ".bb confirmed by an operator" in server
    changed = "the usual rtt changed from 62 ms to 13 ms on 14 Aug 2026"
    assert f"rtt 12.3 ms; ttl 57 usual at this hour: rtt 12 to 14 ms; {changed}" in server
    assert "usual rtt: still being learned" in Outline(page).text


async def test_an_incident_tells_its_story_its_agencies_and_its_runbook_and_names_no_person() -> None:
    async with Site(worlds.storm()) as site:
        raw = await site.text("/incidents/17")
        facts = await site.json("/api/v1/incident/17")
        other = await site.text("/incidents/901")
    text = Outline(raw).text
    assert "began 11:48:00 UTC , 07:48 in Barbados" in text
    assert "11:48:11 UTC opened 3 looks in a row" in text
    assert "Department of Emergency Management 11:48:11 UTC sms it began accepted" in text
    assert "Ask the operators what other cables can carry." in text
    assert "As pinned to this incident: cable-cut@3f9a51c20b77" in text
    assert [entry["what"] for entry in facts["timeline"]] == ["opened", "joined"]
    for secret in ("SECRET-CONTACT", "jane-doe"):
        assert secret not in raw + str(facts) + other


async def test_another_hash_of_a_runbook_is_called_by_its_name() -> None:
    snapshot = worlds.storm()
    ledger = worlds.history(
        replace(snapshot, incidents=(replace(snapshot.incidents[0], runbook="cable-cut@000000000000"),))
    )
    async with Site(snapshot, ledger) as site:
        text = Outline(await site.text("/incidents/17")).text
    assert "Pinned to this incident was cable-cut@000000000000 , which is no longer at hand" in text


async def test_lists_of_assets_narrow_and_refuse_what_cannot_be() -> None:
    async with Site(worlds.storm()) as site:
        text = Outline(await site.text("/assets?territory=BB&kind=cable&state=not-watched")).text
        assert "3 cables, not watched." in text
        assert [a["id"] for a in (await site.json("/api/v1/assets?state=degraded"))["assets"]] == ["cctld:dm"]
        for query, word in (("territory=XX", "territory"), ("kind=whale", "kind"), ("state=fine", "state")):
            assert f"{word} must be one of" in Outline(await site.text(f"/assets?{query}", 400)).text


@pytest.mark.parametrize("world", [worlds.calm, worlds.storm, worlds.blind])
async def test_the_first_page_of_the_whole_region_is_small(world: Callable[[], Snapshot]) -> None:
    snapshot = world()
    assert len(snapshot.world.territories) == 33
    assert len(snapshot.assets) > 400
    async with Site(snapshot) as site:
        async with site.client.get("/", headers={"Accept-Encoding": "gzip"}) as response:
            assert response.headers["Content-Encoding"] == "gzip"
            assert int(response.headers["Content-Length"]) <= 14 * 1024
        assert len(gzip.compress((await site.text("/")).encode(), 6)) <= 14 * 1024


async def test_every_state_has_a_shape_of_its_own_a_word_and_a_colour() -> None:
    async with Site(worlds.storm()) as site:
        page = await site.text("/")
    for phase in Phase:
        slug = phase.value.replace(" ", "-")
        assert f'<symbol id="{slug}"' in page
        assert f".{slug}{{color:" in page
        assert f'<use href="#{slug}"/>' in page
    shapes = [part.split("</symbol>")[0].split(">", 1)[1] for part in page.split("<symbol ")[1:]]
    assert len(set(shapes)) == len(shapes)


async def test_what_was_not_looked_at_yet_is_said_so() -> None:
    s = worlds.calm()
    fresh = {
        name: replace(
            v,
            phase=Phase.UNKNOWN,
            since=None,
            seen=None,
            reason="not looked at yet",
            checks=tuple(replace(c, phase=Phase.UNKNOWN, since=None, seen=None, values={}) for c in v.checks),
        )
        if v.checks
        else v
        for name, v in s.assets.items()
    }
    async with Site(replace(s, assets=fresh)) as site:
        text = Outline(await site.text("/")).text
        assert "The first looks are under way." in text
        assert "Nothing has been looked at yet." in text
        assert "not looked yet none yet" in Outline(await site.text("/asset/cctld:bb")).text


async def test_before_the_first_verdicts_it_is_still_looking_and_does_not_count_answers() -> None:
    s = worlds.calm()
    watched = [name for name, v in s.assets.items() if v.phase is Phase.UP and name != worlds.VANTAGE]
    doubted = {name: replace(s.assets[name], phase=Phase.SUSPECT) for name in watched}
    async with Site(replace(s, assets={**s.assets, **doubted})) as site:
        assert "Still looking: none of the 164 watched assets has a verdict yet." in await site.text("/")
        site.snapshot = replace(s, assets={**s.assets, **dict(list(doubted.items())[:4])})
        answer = await site.json("/api/v1/status")
        unknown = {name: replace(s.assets[name], phase=Phase.UNKNOWN) for name in watched}
        site.snapshot = replace(s, assets={**s.assets, **unknown}, at=worlds.NOW - timedelta(milliseconds=500))
        assert "None of the 164 watched assets can be known from here now." in await site.text("/")
    assert answer["headline"] == ("No incident is open; 160 of 164 watched assets answer, 4 are still being looked at.")


@pytest.mark.parametrize(
    ("title", "past"),
    [
        ("Cable ECFS down", "Cable ECFS was down"),
        (".dm is degraded", ".dm was degraded"),
        ("Router R and 3 more down", "Router R and 3 more were down"),
        ("Vantage here cut off", "Vantage here was cut off"),
        ("Vantage here cut off in part", "Vantage here was cut off in part"),
        ("Trouble 7", "Trouble 7"),
    ],
)
async def test_what_is_over_is_told_in_the_past(title: str, past: str) -> None:
    s = worlds.storm()
    one = replace(s.incidents[0], title=title)
    over = replace(one, id="901", closed=s.at)
    assert (told(one), told(over)) == (title, past)
    async with Site(s) as site:
        site.ledger.rows = [over]
        texts = [await site.text(path) for path in ("/incidents", "/incidents/901", "/incidents.csv")]
        assert (await site.json("/api/v1/incidents"))["incidents"][0]["title"] == past
    assert all(past in text for text in texts)


async def test_a_crowd_in_one_second_costs_one_rendering_and_a_change_shows_at_once() -> None:
    async with Site(worlds.calm()) as site:
        asked = len(site.ledger.asked)
        for _ in range(5):
            await site.text("/incidents")
        assert len(site.ledger.asked) == asked + 1
        site.snapshot = replace(worlds.storm(), at=worlds.NOW - timedelta(milliseconds=500))
        assert "is down" in await site.text("/")


async def test_many_assets_come_in_pages_that_meet_each_once() -> None:
    async with Site(worlds.storm()) as site:
        met: list[str] = []
        link: str | None = "/assets"
        while link:
            page = Outline(await site.text(link))
            met += [value for key, value in page.attributes if key == "href" and value and value.startswith("/asset/")]
            link = next((v for k, v in page.attributes if k == "href" and v and page.leads(v)), None)
        assert len({name for name in met if not name.endswith(worlds.VANTAGE)}) == len(site.snapshot.assets) - 1
        assert "page must be a number" in await site.text("/assets?page=x", 400)


async def test_an_exercise_is_said_on_every_page_and_counted_on_none() -> None:
    plain = worlds.storm()
    during = replace(plain, health=replace(plain.health, exercise="E7"))
    async with Site(plain) as site:
        before = await site.json("/api/v1/status")
    async with Site(during) as site:
        for path in PATHS:
            assert "EXERCISE E7 is under way." in await site.text(path, 404 if path == "/nothing-here" else 200)
        status = await site.json("/api/v1/status")
    assert (before["exercise"], status.pop("exercise")) == (None, "E7")
    assert status == {key: value for key, value in before.items() if key != "exercise"}


async def test_alerts_of_other_systems_are_counted_apart() -> None:
    plain = worlds.calm()
    async with Site(plain) as site:
        assert "Other systems report" not in await site.text("/")
        before = await site.json("/api/v1/status")
    during = replace(plain, health=replace(plain.health, reported=2))
    async with Site(during) as site:
        assert "Other systems report 2 open alerts" in " ".join((await site.text("/")).split())
        assert await site.json("/api/v1/status") == before | {"reported": 2}


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("no answer", "No answer."),
        ("cable:c/192.0.2.1/icmp: no answer", "cable:c/192.0.2.1/icmp: no answer."),
        ("Is it over?", "Is it over?"),
        ("  ", ""),
    ],
)
def test_a_reason_becomes_a_sentence_and_an_id_stays_as_it_is(reason: str, said: str) -> None:
    assert sentence(reason) == said


def test_what_is_back_and_only_waits_to_be_closed_is_said_in_the_past() -> None:
    calm, (some, *_) = worlds.calm(), worlds.storm().incidents
    up = next(name for name, one in calm.assets.items() if one.phase is Phase.UP)
    back = replace(some, asset=up, children=(), title="Cable ECFS down")
    on = replace(some, asset="cable:gone", children=(), title="Cable ARCOS down")

    def said(*incidents: Incident) -> str:
        return words.headline(replace(calm, incidents=incidents), [], [], worlds.NOW)

    assert said(back) == "Cable ECFS was down, and answers again; it is watched until that has lasted."
    assert said(on, back) == "Cable ARCOS down. 1 more is over and watched until that has lasted."
    assert said(on) == "Cable ARCOS down."
    assert said(replace(back, children=("cable:gone",))) == "Cable ECFS down."
