"""The shipped region, as a fresh daemon would show it."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from monitor import config
from monitor.model import Phase, World
from monitor.topology import Topology
from monitor.views import AssetView, CheckView, Snapshot
from monitor.web import watching
from tests.monitor.web import worlds
from tests.monitor.web.serving import Site
from tests.monitor.web.test_pages import Outline


@pytest.fixture(scope="module")
def world() -> World:
    return config.load(None).world


def all_up(world: World) -> Snapshot:
    topology = Topology(world)
    since, seen = worlds.NOW - timedelta(days=1), worlds.NOW - timedelta(seconds=33)
    views = {}
    for asset in world.assets.values():
        checks = [world.checks[name] for name in topology.checks.get(asset.id, ()) if name in world.checks]
        parts = tuple(
            CheckView(c.id, "", c.kind, c.target.address, c.target.family, Phase.UP, since, "", seen, every=c.every)
            for c in checks
        )
        needs = (*topology.needs.get(asset.id, ()), *topology.hypotheses.get(asset.id, ()))
        phase = Phase.UP if checks else Phase.NOT_WATCHED
        views[asset.id] = AssetView(asset, phase, since if checks else None, "", seen if checks else None, parts, needs)
    return Snapshot(worlds.NOW, "here", world, views, (), worlds.calm().health)


async def test_every_asset_has_its_page_and_the_first_page_is_small(world: World) -> None:
    async with Site(all_up(world)) as site:
        async with site.client.get("/", headers={"Accept-Encoding": "gzip"}) as response:
            assert int(response.headers["Content-Length"]) <= 14 * 1024
        for name in world.assets:
            Outline(await site.text(f"/asset/{quote(name, safe=':')}"))
        assert site.bugs == 0


async def test_a_domain_names_the_servers_that_speak_for_it_and_does_not_serve_itself(world: World) -> None:
    async with Site(all_up(world)) as site:
        domain = Outline(await site.text("/asset/cctld:bb")).text
        facts = await site.json("/api/v1/asset/cctld:bb")
    servers = {check["asset"] for check in facts["checks"]}
    assert len(servers) > 1
    assert all(name.partition(":")[2] in domain for name in servers)
    assert "its answers are evidence for it" not in domain


def test_the_lines_that_a_page_shows_are_understood(world: World, tmp_path: Path) -> None:
    unwatched = [view.asset for view in all_up(world).assets.values() if view.phase is Phase.NOT_WATCHED]
    by_kind = {asset.kind: asset for asset in unwatched if asset.kind != "territory"}
    assert {"cable", "landing", "ixp"} <= set(by_kind)
    for asset in by_kind.values():
        (tmp_path / "lambi.yaml").write_text(watching.lines(asset), "utf-8")
        found = config.load(tmp_path).world.checks.values()
        assert [check.asset for check in found if check.id not in world.checks] == [asset.id]
