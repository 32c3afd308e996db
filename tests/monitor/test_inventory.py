"""The shipped inventory: its numbers, its sources, what is watched and what is not."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from monitor.config import Settings, check, load
from monitor.config.inventory import TABLES
from monitor.data import shipped
from probes.dns import Dns

INVENTORY = shipped("config/inventory")


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
    ],
)
def test_no_row_is_lost(name: str, count: int) -> None:
    assert len(_rows(name)) == count


def test_assets_of_the_inventory(settings: Settings) -> None:
    kinds = Counter(asset.kind for asset in settings.world.assets.values())
    assert kinds == {
        "nameserver": 109,
        "cctld": 30,
        "ixp": 34,
        "website": 25,
        "cable": 52,
        "landing": 128,
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


def test_exchanges_cables_and_landings_are_not_watched(settings: Settings) -> None:
    watched = {check.asset.partition(":")[0] for check in settings.world.checks.values()}
    assert watched == {"nameserver", "website", "vantage"}


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
def test_each_row_says_whence_when_and_how_sure(table: object) -> None:
    sources = {row["source_id"] for row in _rows("sources.csv")}
    for row in _rows(table.file):  # type: ignore[attr-defined]
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
