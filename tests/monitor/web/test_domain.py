"""A country domain's page and facts tell of its servers together."""

from dataclasses import replace

from monitor.model import Asset, Phase
from monitor.views import AssetView, CheckView, Snapshot
from monitor.web.domain import domain, sentences
from probes.model import Value
from tests.monitor.web import worlds
from tests.monitor.web.serving import Site
from tests.monitor.web.test_pages import Outline


def part(name: str, phase: Phase = Phase.UP, reason: str = "", **values: Value) -> CheckView:
    return CheckView("zone:bb/4/zone", name, "zone", "bb.", 4, phase, None, reason, worlds.NOW, values, 600.0)


def world(*parts: CheckView) -> Snapshot:
    calm = worlds.calm()
    facts = {"networks_over_ipv4": "1 alone: it falls with that one route"}
    zone = AssetView(Asset("zone:bb", "zone", "Zone of .bb", ("BB",), facts=facts), Phase.UP, None, "", None, parts)
    assets = {**calm.world.assets, "zone:bb": zone.asset}
    return replace(calm, assets={**calm.assets, "zone:bb": zone}, world=replace(calm.world, assets=assets))


LAG = "it lags: serial 6; newer ones, now 7, have been out for 3 h"
LAGGING = world(
    part("", serials=2, lag_seconds=10_800.0, signature_seconds=9 * 86_400.0),
    part("ns1"),
    part("ns2", Phase.DOWN, LAG),
)


async def test_the_page_and_the_api_tell_of_its_servers_together() -> None:
    async with Site(LAGGING) as site:
        page = Outline(await site.text("/asset/cctld:bb")).text
        facts = (await site.json("/api/v1/asset/cctld:bb"))["domain"]
        none = (await site.json("/api/v1/asset/ixp:bbix"))["domain"]
    assert (
        "Over IPv4, 1 of 1 servers answer; they give 2 serials; newer ones than the oldest have been out for 3 h; "
        in page
    )
    assert "the first signature ends in 9 d; networks they stand in: 1 alone: it falls with that one route." in page
    assert "Over IPv6, 1 of 1 servers answer." in page
    assert "Ns2 over IPv4: it lags: serial 6; newer ones, now 7, have been out for 3 h." in page
    assert "What each of them says: Zone of .bb" in page
    assert none is None
    assert facts["zone"] == "zone:bb"
    four = {"family": 4, "servers": 1, "answering": 1, "unknown": 0, "serials": 2, "lag_seconds": 10_800.0}
    four |= {"signature_seconds": 777_600.0, "networks": "1 alone: it falls with that one route"}
    assert facts["families"][0] == four
    assert facts["troubles"] == ["ns2 over IPv4: it lags: serial 6; newer ones, now 7, have been out for 3 h"]


def test_figures_of_a_zone_that_is_invalid_are_old_and_not_told() -> None:
    over = "whoever validates finds nothing: the signature over its SOA ended 2 h ago"
    snapshot = world(part("", Phase.DOWN, over, serials=1, signature_seconds=60.0))
    found = domain(snapshot, snapshot.assets["cctld:bb"])
    assert found is not None
    four = next(sentences(found))
    assert four == "over IPv4, 1 of 1 servers answer; networks they stand in: 1 alone: it falls with that one route"
    assert found.troubles == (f"all over IPv4: {over}",)


def test_a_domain_whose_zone_nobody_looks_at_says_only_who_answers() -> None:
    snapshot = worlds.calm()
    found = domain(snapshot, snapshot.assets["cctld:bb"])
    assert found is not None
    assert found.zone == ""
    assert list(sentences(found)) == ["over IPv4, 1 of 1 servers answer", "over IPv6, 1 of 1 servers answer"]
