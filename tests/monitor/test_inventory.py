"""The shipped inventory: its numbers, its sources, what is watched and what is not."""

import csv
import hashlib
import re
from collections import Counter
from ipaddress import ip_network
from pathlib import Path

import pytest

from monitor.config import Settings, check, load
from monitor.config.inventory import read_inventory
from monitor.config.rows import TABLES, Table
from monitor.config.stock import Stock
from monitor.data import shipped
from probes.dns import Dns
from probes.zone import pairs

INVENTORY = shipped("config/inventory")
PINNED = "c8ad7a79732700d5"
"""Of all ids that people refer to."""


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(None, {})


def _rows(name: str) -> list[dict[str, str]]:
    with (INVENTORY / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("territories.csv", 33),
        ("cctlds.csv", 33),
        ("cctld_nameservers.csv", 141),
        ("ixps.csv", 34),
        ("cables.csv", 52),
        ("cable_landings.csv", 305),
        ("organisations.csv", 103),
        ("networks.csv", 703),
        ("prefixes.csv", 1797),
        ("cable_segments.csv", 220),
    ],
)
def test_no_row_is_lost(name: str, count: int) -> None:
    assert len(_rows(name)) == count


def test_assets_of_the_inventory(settings: Settings) -> None:
    kinds = Counter(asset.kind for asset in settings.world.assets.values())
    assert kinds == {
        "nameserver": 109,
        "cctld": 30,
        "zone": 30,
        "ixp": 34,
        "website": 25,
        "cable": 52,
        "landing": 128,
        "network": 703,
        "vantage": 1,
    }
    assert len(settings.world.territories) == 33
    assert settings.world.territories["BB"].disaster_office
    assert settings.world.territories["GD"].regulator.startswith("National Telecommunications Regulatory Commission")


def test_every_server_of_every_zone_is_asked_over_each_family_it_has(settings: Settings) -> None:
    wanted = {
        (row["ns_host"], f"{row['cctld']}.", address)
        for row in _rows("cctld_nameservers.csv")
        for address in (row["glue_v4"] + " " + row["glue_v6"]).split()
    }
    asked = {
        (check.asset.removeprefix("nameserver:"), check.probe.query, check.target.address)
        for check in settings.world.checks.values()
        if check.asset.startswith("nameserver:") and isinstance(check.probe, Dns)
    }
    assert asked == wanted
    assert len({(host, zone) for host, zone, _ in asked}) == 141
    assert len({host for host, _, _ in asked}) == 109


def test_a_server_of_many_zones_is_one_target_and_evidence_for_each(settings: Settings) -> None:
    checks = [check for check in settings.world.checks.values() if check.asset == "nameserver:a.lactld.org"]
    four = [check for check in checks if check.target.family == 4]
    assert {check.target.id for check in four} == {"nameserver:a.lactld.org/4"}
    assert {zone for check in four for zone in check.serves} == {
        f"cctld:{zone}" for zone in ("do", "gp", "gy", "ht", "ms", "pr", "tt")
    }
    assert settings.world.assets["nameserver:a.lactld.org"].territories == ()


def test_every_zone_is_looked_at_as_a_set_over_each_family(settings: Settings) -> None:
    zones = [check for check in settings.world.checks.values() if check.kind == "zone"]
    assert len({check.asset for check in zones}) == 30
    barbados = next(check for check in zones if check.id == "zone:bb/6/zone")
    assert (barbados.probe.query, barbados.probe.parents) == ("bb.", "2001:7fd::1")
    rows = [row for row in _rows("cctld_nameservers.csv") if row["cctld"] == "bb" and row["glue_v6"]]
    assert [name for name, _ in pairs(barbados.probe.servers)] == [row["ns_host"] for row in rows]
    assert settings.world.assets["zone:bb"].territories == ("BB",)


def test_exchanges_cables_and_landings_are_not_watched(settings: Settings) -> None:
    watched = {check.asset.partition(":")[0] for check in settings.world.checks.values()}
    assert watched == {"nameserver", "zone", "website", "vantage"}


def test_hypotheses_name_cables_in_service_of_the_territory(settings: Settings) -> None:
    world = settings.world
    for dependency in world.dependencies:
        (code,) = world.assets[dependency.asset].territories
        assert not dependency.confirmed
        assert dependency.mode == "any"
        for cable in dependency.needs:
            assert code in world.assets[cable].territories
            assert world.assets[cable].facts["status"].startswith("in service")


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.file)
def test_each_row_says_whence_when_and_how_sure(table: Table) -> None:
    sources = {row["source_id"] for row in _rows("sources.csv")}
    for row in _rows(table.file):
        assert row["as_of"]
        assert row["confidence"]
        for part in row["source"].split("; "):
            known = re.match(r"[a-z0-9-]+", part)
            told = part.startswith(("http://", "https://", "PCH directory", "PeeringDB id", "unverified"))
            assert told or (known and known.group() in sources), part


def test_coordinates_of_landings_are_not_telegeographys() -> None:
    for row in _rows("cable_landings.csv"):
        assert bool(row["lat"]) == bool(row["coord_source"])
        assert not row["lat"] or row["coord_source"].startswith("dr5hn")


def test_the_licences_name_every_source() -> None:
    text = (INVENTORY / "LICENCES.md").read_text(encoding="utf-8")
    for row in _rows("sources.csv"):
        assert f"### {row['source_id']}\n" in text
        assert row["licence"] in text


def test_a_row_of_the_operator_wins_cell_by_cell(tmp_path: Path) -> None:
    own = tmp_path / "inventory"
    own.mkdir()
    (own / "ixps.csv").write_text("ixp_id,name,iso2,remove\ngrex,GREX Grenada,GD,\ndoix,,,true\nbgi-ix,BGI-IX,BB,\n")
    (own / "cctld_nameservers.csv").write_text("cctld,ns_host,remove\ngp,ns-gp.nic.fr,yes\n")
    (own / "territories.csv").write_text("iso2,population\nBB,281998\n")
    assert check(tmp_path, {}) == []
    world = load(tmp_path, {}).world
    grex = world.assets["ixp:grex"]
    assert (grex.name, grex.facts["city"], grex.provenance.source) == ("GREX Grenada", "Saint George's", "operator")
    assert "ixp:doix" not in world.assets
    assert "nameserver:ns-gp.nic.fr" not in world.assets
    assert world.assets["ixp:bgi-ix"].territories == ("BB",)
    assert world.territories["BB"].population == 281998
    assert world.territories["BB"].zone == "America/Barbados"


def test_ids_are_stable() -> None:
    """Files of operators, incidents and messages refer to them: a row may be added, none may be renamed."""
    ids = [one.id for one in Stock(None).items if not one.id.startswith(("prefix:", "segment:"))]
    assert len(set(ids)) == len(ids)
    digest = hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()
    assert digest[:16] == PINNED, "if rows were added and none was renamed, pin the new digest"


def test_a_network_has_its_number_its_place_and_how_sure_its_role_is(settings: Settings) -> None:
    world = settings.world
    one = world.assets["network:as5639"]
    assert one.name.startswith("AS5639 ")
    assert one.territories == ("TT",)
    assert one.provenance.confidence == "low", "its role is supposed from its name"
    assert world.assets["network:as23520"].territories == (), "a backbone of the whole region"


def test_where_a_network_was_registered_suggests_no_cable(settings: Settings) -> None:
    kinds = {dependency.asset.partition(":")[0] for dependency in settings.world.dependencies}
    assert kinds == {"ixp"}


def test_every_delegated_block_is_one_and_no_two_are_the_same() -> None:
    blocks = [ip_network(row["prefix"]) for row in _rows("prefixes.csv")]
    assert len(set(blocks)) == 1797
    assert sum(block.version == 4 for block in blocks) == 1269
    assert sum(block.num_addresses for block in blocks if block.version == 4) == pytest.approx(5.71e6, rel=0.01)


def test_the_daemon_does_not_read_what_it_does_not_need(settings: Settings) -> None:
    known, problems = read_inventory(INVENTORY, None)
    assert problems == []
    assert (known.prefixes, known.segments) == ((), ())
    whole, problems = read_inventory(INVENTORY, None, TABLES)
    assert problems == []
    assert (len(whole.prefixes), len(whole.segments)) == (1797, 220)


def test_rows_of_the_operator_in_a_table_that_is_not_needed_are_checked_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "prefixes.csv").write_text("prefix,iso2\n192.0.2.0/24,BX\n")
    assert ['"BX" is no row of territories.csv' in str(problem) for problem in check(tmp_path, {})] == [True]


def test_contacts_and_routes_refer_to_agencies_of_the_coalition_and_their_roles(tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "organisations.csv").write_text(
        "org_id,coalition\nctu,secretariat\ncdema,governing-agency wg-hurricane\n"
    )
    (tmp_path / "contacts.yaml").write_text(
        "contacts:\n"
        "  - {name: anna, organisation: ctu}\n"
        "  - {name: ben, organisation: cdema}\n"
        "  - {name: cleo, agency: Harbour master}\n"
    )
    (tmp_path / "routes.yaml").write_text(
        "routes:\n"
        "  - {name: storm, roles: [wg-hurricane], contacts: [cleo]}\n"
        "  - {name: desk, organisations: [ctu], routes: [{name: below, at_least: major}]}\n"
    )
    assert check(tmp_path, {}) == []
    directory = load(tmp_path, {}).directory
    assert directory.contacts["anna"].agency == "Caribbean Telecommunications Union (CTU)"
    told = {route.name: route.contacts for route in directory.routes}
    assert told["storm"] == ("cleo", "ben")
    assert told["desk"] == ("anna",)
    assert directory.by_name["below"].contacts == ("anna",), "what a child does not say it has from its parent"
