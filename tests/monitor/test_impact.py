"""Whom trouble touches: people as an interval, what nobody watches and cannot work, and the severity by people."""

from dataclasses import replace
from pathlib import Path

import pytest

from alerting.model import Severity
from monitor.config import load
from monitor.impact import people, served, stranded, unseen
from monitor.model import Dependency, Phase, SeverityRow, Territory, World
from monitor.topology import Topology
from tests.fakes import START
from tests.monitor.test_incidents import Story
from tests.monitor.worlds import asset, check, make_world

PLACES = {
    code: Territory(code, code, "UTC", count) for code, count in (("AG", 100_000), ("DM", 70_000), ("BB", 280_000))
}


def needs(name: str, *on: str, mode: str = "any") -> Dependency:
    return Dependency(name, on, mode, confirmed=True)


def world(share: str = "") -> World:
    """Two cables along three islands; only a router of Barbados is known to need them, and an exchange needs that."""
    serving = {"people_share": share} if share else {}
    made = make_world(
        [check("cable:a"), check("cable:b"), check("router:bb"), check("network:bb")],
        [needs("router:bb", "cable:a", "cable:b"), needs("ixp:bb", "router:bb"), needs("network:bb", "router:bb")],
        asset("cable:a", "AG", "DM", "BB"),
        asset("cable:b", "AG", "DM", "BB"),
        asset("router:bb", "BB"),
        replace(asset("network:bb", "BB"), facts=serving),
        asset("ixp:bb", "BB"),
    )
    return replace(made, territories=PLACES)


def touched(story: Story, number: str) -> tuple[int, int]:
    return story.book.open[number].people


def test_only_where_nothing_is_left_everybody_may_be_touched() -> None:
    story = Story(world())
    story.at(10, down=["cable:a"])
    assert touched(story, "1") == (0, 0), "all have another way"
    story.at(300, down=["cable:b"])
    assert touched(story, "2") == (0, 280_000), "of Antigua and Dominica nobody has said that they hang on it"


def test_a_known_share_bounds_the_interval_at_both_ends() -> None:
    topology = Topology(world("0.3-0.5"))
    assert people(topology, ["network:bb"], []) == (84_000, 140_000)
    assert people(topology, ["network:bb"], ["BB"]) == (84_000, 140_000), "what is known is not widened"
    assert people(topology, ["cable:a", "network:bb"], ["DM"]) == (84_000, 210_000)


def test_what_only_serves_a_web_site_strands_nobody() -> None:
    made = make_world([check("router:a"), check("website:a")], [needs("website:a", "router:a")])
    assert stranded(Topology(made), "router:a", lambda _: None, START) == set()


def test_a_cable_that_goes_with_another_strands_those_alone_who_have_no_other_way() -> None:
    checks = [check(name) for name in ("cable:dm", "cable:ag1", "cable:ag2", "router:dm", "router:ag")]
    links = [
        needs("router:dm", "cable:dm"),
        needs("cable:ag2", "router:dm"),
        needs("router:ag", "cable:ag1", "cable:ag2"),
    ]
    direct = [*links, needs("cable:ag2", "cable:dm")]
    places = [asset(one.asset, one.asset.partition(":")[2][:2].upper()) for one in checks]
    topology = Topology(make_world(checks, direct, *places))
    assert stranded(topology, "cable:dm", lambda _: None, START) == {"DM"}
    assert stranded(topology, "cable:dm", lambda name: START if name == "cable:ag1" else None, START) == {"AG", "DM"}


@pytest.mark.parametrize(
    ("share", "wanted"), [("", Severity.CRITICAL), ("0.2", Severity.MAJOR), ("0.4", Severity.CRITICAL)]
)
def test_a_severity_by_people_asks_for_those_who_are_served(share: str, wanted: Severity) -> None:
    rows = (
        SeverityRow("network", Phase.DOWN, Severity.CRITICAL, people=100_000),
        SeverityRow("network", Phase.DOWN, Severity.MAJOR),
    )
    story = Story(replace(world(share), severities=rows))
    story.at(10, down=["network:bb"])
    assert story.book.open["1"].severity is wanted


def test_of_one_that_serves_a_share_only_these_are_counted() -> None:
    assert served(Topology(world("0.25")), "network:bb") == 70_000
    assert served(Topology(world()), "network:bb") == 280_000


def test_what_nobody_watches_and_cannot_work_is_named() -> None:
    topology = Topology(world())
    assert unseen(topology, ["router:bb", "network:bb"], START) == ["ixp:bb"]
    assert unseen(topology, ["cable:a"], START) == [], "it has another way"
    assert unseen(topology, ["cable:a", "cable:b", "router:bb"], START) == ["ixp:bb"]


def test_a_share_is_read_from_the_operators_files(tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "networks.csv").write_text("asn,people_share\n14813,0.3-0.5\n")
    (tmp_path / "lambi.yaml").write_text(
        'assets: [{id: "network:bb-net", name: Net, territory: BB, people_share: 0.25}]\n'
    )
    topology = Topology(load(tmp_path, {}).world)
    everybody = topology.world.territories["BB"].population
    assert people(topology, ["network:bb-net"], []) == (round(everybody * 0.25),) * 2
    serving = topology.world.territories[topology.territories("network:as14813")[0]].population
    assert people(topology, ["network:as14813"], []) == (round(serving * 0.3), round(serving * 0.5))
