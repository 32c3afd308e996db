"""N-1: what falls if one thing alone fails, now and always, and what that rests on."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.config import load
from monitor.model import Dependency, Provenance, World
from monitor.resilience import COLUMNS, Report, fact, report, rows
from monitor.topology import Topology
from tests.fakes import START
from tests.monitor.worlds import asset, check, islands, make_world

ECFS, SCF = "cable:eastern-caribbean-fiber-system-ecfs", "cable:southern-caribbean-fiber"


@pytest.fixture(scope="module")
def shipped() -> Topology:
    return Topology(load(None, {}).world)


def told(world: World, *down: str) -> list[str]:
    return [cut.sentence for cut in report(Topology(world), START, down).cuts]


def one(found: Report, name: str) -> dict[str, Any]:
    cuts: list[dict[str, Any]] = fact(found)["cuts"]
    return next(cut for cut in cuts if cut["asset"] == name)


def test_on_2022_data_anguilla_depends_on_ecfs_alone(shipped: Topology) -> None:
    cut = one(report(shipped, START), ECFS)
    assert cut == {
        "asset": ECFS,
        "sentence": "on 2022 data, Anguilla depends on Eastern Caribbean Fiber System (ECFS) alone",
        "territories": ["AI"],
        "people": 16010,
        "confirmed": [],
        "supposed": [],
        "hypothesis": True,
        "always": True,
        "as_of": "2022-12",
        "confidence": "medium",
        "source": "the inventory's cables",
    }


def test_every_single_point_of_failure_of_the_shipped_inventory(shipped: Topology) -> None:
    """Bahamas, Belize and Guadeloupe have cables that stay at home: they lead nowhere."""
    found = report(shipped, START)
    assert [(cut.asset, "".join(cut.territories)) for cut in found.cuts] == [
        ("landing:georgetown-guyana", "GY"),
        ("cable:arcos", "BZTC"),
        ("landing:belize-city-belize", "BZ"),
        ("landing:basseterre-saint-kitts-and-nevis", "KN"),
        ("landing:providenciales-turks-and-caicos-islands", "TC"),
        (ECFS, "AI"),
        ("landing:the-valley-anguilla", "AI"),
        (SCF, "MS"),
        ("landing:bunkum-bay-montserrat", "MS"),
    ]
    assert all(cut.hypothesis and cut.always for cut in found.cuts)
    assert found.cables.keys() == shipped.world.territories.keys()


def test_what_is_down_makes_new_single_points_of_failure_and_they_come_first(shipped: Topology) -> None:
    found = report(shipped, START, [SCF, "nameserver:a.lactld.org", "website:ixp-grex"])
    assert found.down == (SCF, "nameserver:a.lactld.org")
    fresh = [cut.sentence for cut in found.cuts if not cut.always]
    assert fresh == [cut.sentence for cut in found.cuts[: len(fresh)]]
    assert fresh[0] == (
        "while Southern Caribbean Fiber is down, on 2022 data, Anguilla, Antigua and Barbuda, Dominica, Grenada, "
        "Saint Lucia and Saint Vincent and the Grenadines depend on Eastern Caribbean Fiber System (ECFS) alone"
    )
    assert SCF not in {cut.asset for cut in found.cuts}


def test_what_is_confirmed_and_what_is_supposed_are_kept_apart() -> None:
    world = islands()
    guess = Dependency(
        "router:bon", ("cable:ant1",), "all", confirmed=False, source="a map", as_of="2019", confidence="low"
    )
    found = report(Topology(replace(world, dependencies=(*world.dependencies, guess))), START)
    bon, ant1 = one(found, "cable:bon1"), one(found, "cable:ant1")
    assert bon["confirmed"] == ["cctld:bon", "nameserver:ns.bon", "router:bon"]
    assert (bon["supposed"], bon["hypothesis"]) == ([], False)
    assert (ant1["confirmed"], ant1["hypothesis"]) == ([], True)
    assert ant1["supposed"] == ["cctld:bon", "nameserver:ns.bon", "router:bon"]
    assert (ant1["as_of"], ant1["confidence"], ant1["source"]) == ("2019", "low", "a map")


def test_an_operators_word_is_called_no_old_data() -> None:
    assert told(islands()) == [
        "BON, NS.BON, BON depend on BON1 alone; by what nobody has confirmed, Dominica depends on BON1 alone",
        "ANT, NS.ANT depend on ANT alone",
        "BON, NS.BON depend on BON alone",
    ]


def test_the_last_of_two_is_a_single_point_of_failure_while_the_first_is_down() -> None:
    (first, *_) = told(islands(), "cable:ant1")
    assert first.startswith(
        "while ANT1 is down, ANT, NS.ANT, ANT depend on ANT2 alone; by what nobody has confirmed, Ant"
    )
    assert not any("ANT2" in sentence for sentence in told(islands(), "cable:bon1"))


def test_only_what_makes_the_difference_is_named() -> None:
    (first, *_) = told(islands(), "cable:ant1", "cable:bon1")
    assert first.startswith("while ANT1 is down")


def test_weights_and_times_count() -> None:
    cables = ("cable:a", "cable:b", "cable:c")
    enough = Dependency("site:s", cables, "weight", confirmed=True, weights=(60, 30, 30), at_least=60)
    later = Dependency("site:t", ("cable:b",), "all", confirmed=True, since=START + timedelta(hours=1))
    checks = [check("site:s"), check("site:t")]
    world = make_world(checks, [enough, later], *(asset(name) for name in (*cables, "site:s", "site:t")))
    assert told(world) == []
    assert told(world, "cable:b") == ["while B is down, S depends on A alone"]
    heavy = replace(enough, at_least=90)
    assert told(replace(world, dependencies=(heavy, later))) == ["S depends on A alone"]
    topology = Topology(replace(world, dependencies=(heavy, later)))
    assert [cut.asset for cut in report(topology, START + timedelta(hours=2)).cuts] == ["cable:a", "cable:b"]


def test_a_cable_that_an_operator_adds_is_a_way_and_its_age_is_its_own(shipped: Topology) -> None:
    world = shipped.world
    added = replace(asset("cable:new", "AI"), provenance=Provenance("operator"))
    found = report(Topology(replace(world, assets={**world.assets, added.id: added})), START)
    assert ECFS not in {cut.asset for cut in found.cuts}


def test_the_table_has_a_cell_for_each_column(shipped: Topology) -> None:
    facts = fact(report(shipped, START))
    lines = list(rows(facts["cuts"]))  # type: ignore[arg-type] # facts are plain
    assert {len(line) for line in lines} == {len(COLUMNS)}
    (ecfs,) = [dict(zip(COLUMNS, line, strict=True)) for line in lines if line[0] == ECFS]
    assert (ecfs["territories"], ecfs["people"], ecfs["hypothesis"], ecfs["always"]) == ("AI", "16010", "yes", "yes")
