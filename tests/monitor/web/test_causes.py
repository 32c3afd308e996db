"""An incident on the page: its cause and how sure that is, what says so, what it touches, what is part of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from monitor.belief import Belief
from monitor.docket import Book
from monitor.impact import in_words, sure
from monitor.model import Dependency, Incident, State, World
from monitor.snapshot import build
from monitor.topology import Topology
from monitor.web.ops import collect
from tests.fakes import START, FakeClock
from tests.monitor.web import worlds
from tests.monitor.web.serving import Site
from tests.monitor.web.test_pages import Outline
from tests.monitor.worlds import islands


async def test_the_page_says_how_sure_the_cause_is_and_what_says_so() -> None:
    async with Site(worlds.tangle()) as site:
        text = Outline(await site.text("/incidents/17")).text
        home = Outline(await site.text("/")).text
        sure_one = Outline(await site.text("/incidents/901")).text
    assert "likely, 75 % It was not seen to fail itself: it is inferred from what went down at once." in text
    assert "What says so 3 of 4 that need it went down at once." in text
    assert "came back 1 time, last at 11:59:00 UTC" in text
    assert "likely 3 looks in a row" in home
    assert "People: up to 74,700; not known more exactly." in home
    assert "certain It was seen to be in trouble itself." in sure_one


async def test_the_page_says_what_is_touched_and_folds_what_is_long() -> None:
    async with Site(worlds.tangle()) as site:
        raw = await site.text("/incidents/17")
    text = Outline(raw).text
    assert "people up to 74,700; not known more exactly" in text
    assert "country domains .lc exchange points BBIX , LCIX" in text
    assert '<details class="fold"><summary>16 assets: BBIX, .lc, ' in raw


async def test_what_is_part_of_another_stands_under_it_and_is_counted_nowhere() -> None:
    s = worlds.tangle()
    async with Site(s) as site:
        home = Outline(await site.text("/")).text
        part = Outline(await site.text("/incidents/18")).text
        listed = Outline(await site.text("/incidents")).text
        status = await site.json("/api/v1/status")
        fact = await site.json("/api/v1/incident/18")
        csv = await site.text("/incidents.csv")
    assert "Part of it: .dm is degraded #18" in home
    assert "Eastern Caribbean Fiber System (ECFS) is down." in home
    assert "Part of incident #17 , since" in part
    assert ".dm is degraded #18 warning Dominica 1 Sep 2026 11:57 UTC part of #17" in listed
    assert [one["id"] for one in status["incidents"]] == ["17"]
    assert (fact["open"], fact["part_of"]) == (False, "17")
    assert csv.splitlines()[1].endswith(",1,,0,0,17")
    (counts,) = [one for one in collect(s, worlds.NOW) if one.name == "lambi_incidents_open"]
    assert 'lambi_incidents_open{severity="warning"} 0' in counts.lines


@dataclass
class Line:
    """What a snapshot is built from."""

    world: World
    book: Book
    states: Mapping[str, Mapping[str, State]] = field(default_factory=dict)
    version = 0
    passed = START

    def __post_init__(self) -> None:
        self.belief = Belief(self.world, {}, self.book, frozenset(), START)
        self.topology = Topology(self.world)


def one(number: str, asset: str, part_of: str = "", **changes: object) -> Incident:
    return worlds.incident(number, asset, asset, worlds.Severity.MAJOR, START, part_of=part_of, **changes)


def test_a_part_of_a_part_stands_under_the_first_and_its_asset_belongs_there() -> None:
    rows = [
        one("1", "cable:ant1", children=("router:ant", "cable:ant2")),
        one("2", "router:ant", "1"),
        one("3", "nameserver:ns.ant", "2"),
    ]
    snapshot = build(Line(islands(), Book({row.id: row for row in rows})), FakeClock(), "hub", worlds.calm().health)  # type: ignore[arg-type] # a line in memory
    assert [row.id for row in snapshot.incidents] == ["1"]
    assert {home: [row.id for row in parts] for home, parts in snapshot.parts.items()} == {"1": ["2", "3"]}
    owners = {name: snapshot.assets[name].incident for name in ("router:ant", "cable:ant2", "nameserver:ns.ant")}
    assert set(owners.values()) == {"1"}
    assert snapshot.assets["cable:bon1"].incident == ""


def test_what_only_began_with_another_stands_beside_it_and_owns_its_assets() -> None:
    rows = [one("1", "cable:ant1"), one("2", "router:ant", "1", fellow=True, children=("nameserver:ns.ant",))]
    snapshot = build(Line(islands(), Book({row.id: row for row in rows})), FakeClock(), "hub", worlds.calm().health)  # type: ignore[arg-type] # a line in memory
    assert [row.id for row in snapshot.incidents] == ["1", "2"]
    assert {home: [row.id for row in parts] for home, parts in snapshot.parts.items()} == {"1": [], "2": []}
    assert {snapshot.assets[name].incident for name in ("router:ant", "nameserver:ns.ant")} == {"2"}


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ((0, 0), ""),
        ((0, 74_656), "up to 74,700; not known more exactly"),
        ((267_800, 267_800), "about 268,000"),
        ((4_386, 11_867_032), "4,390 to 11,900,000"),
        ((0, 86), "up to 86; not known more exactly"),
    ],
)
def test_people_are_an_interval_that_claims_no_more_than_is_known(people: tuple[int, int], words: str) -> None:
    assert in_words(people) == words


def test_no_confidence_is_without_a_word_and_only_one_is_certain() -> None:
    assert [sure(hundredth / 100) for hundredth in (0, 59, 60, 80, 94, 95, 99, 100)] == [
        "possible",
        "possible",
        "likely",
        "very likely",
        "very likely",
        "nearly certain",
        "nearly certain",
        "certain",
    ]


async def test_an_assets_page_says_why_topic_by_topic_and_the_api_the_same() -> None:
    async with Site(worlds.storm()) as site:
        text = Outline(await site.text("/asset/cctld:dm")).text
        facts = await site.json("/api/v1/why/cctld:dm")
        async with site.client.get("/api/v1/why/router:none") as response:
            refusal = (response.status, await response.json())
    assert "Why? what was seen Looks: 2 of 4 name servers answer. by which rule Rule: 2 of 4" in text
    assert "what would change it Change: 2 of 4 name servers answer." in text
    assert (facts["state"], facts["because"][0]["topic"]) == ("degraded", "looks")
    assert refusal == (404, {"error": "no asset, check, target or address here is called router:none."})


async def test_a_need_by_weight_for_a_time_is_said_as_it_is_meant() -> None:
    s = worlds.calm()
    need = Dependency(
        "ixp:lcix",
        ("cable:ecfs", "cable:lc0"),
        "weight",
        confirmed=True,
        weights=(100, 40),
        at_least=50,
        until=worlds.NOW + worlds.HOUR,
        as_of="2026-05",
    )
    one = replace(s.assets["ixp:lcix"], needs=(need,))
    async with Site(replace(s, assets={**s.assets, "ixp:lcix": one})) as site:
        text = Outline(await site.text("/asset/ixp:lcix")).text
        (fact,) = (await site.json("/api/v1/asset/ixp:lcix"))["needs"]
    assert "together at least 50 of 140 (100, 40) Eastern Caribbean Fiber System (ECFS) , Cable LC-" in text
    assert "confirmed by an operator until 1 Sep 2026 13:00 UTC as of 2026-05" in text
    assert (fact["mode"], fact["at_least"], fact["until"]) == ("weight", 50, "2026-09-01T13:00:00Z")
