"""/resilience: what falls if one thing alone fails, with age and confidence, hypotheses marked."""

from dataclasses import replace

import pytest

from monitor import config
from monitor.model import Phase, World
from tests.monitor.web import worlds
from tests.monitor.web.serving import Site
from tests.monitor.web.test_pages import Outline
from tests.monitor.web.test_region import all_up

ECFS, SCF = "cable:eastern-caribbean-fiber-system-ecfs", "cable:southern-caribbean-fiber"


@pytest.fixture(scope="module")
def world() -> World:
    return config.load(None).world


async def test_the_page_of_the_shipped_region_finds_anguilla_and_marks_hypotheses(world: World) -> None:
    async with Site(all_up(world)) as site:
        page = await site.text("/resilience")
        facts = await site.json("/api/v1/resilience")
        async with site.client.get("/resilience", headers={"Accept-Encoding": "gzip"}) as response:
            assert int(response.headers["Content-Length"]) <= 10 * 1024
    text = Outline(page).text
    assert "9 single points of failure are known." in text
    assert (
        "On 2022 data, Anguilla depends on Eastern Caribbean Fiber System (ECFS) alone. up to 16,000; not known more "
        "exactly hypothesis as of 2022-12, 4 years old confidence medium source: the inventory's cables"
    ) in text
    assert "Montserrat 1: Southern Caribbean Fiber" in text
    assert next(cut["asset"] for cut in facts["cuts"] if cut["territories"] == ["AI"]) == ECFS


async def test_what_is_down_now_counts_as_gone_and_a_new_point_of_failure_is_marked(world: World) -> None:
    async with Site(worlds.with_phase(all_up(world), SCF, Phase.DOWN, "no answer")) as site:
        text = Outline(await site.text("/resilience")).text
        first = (await site.json("/api/v1/resilience"))["cuts"][0]
    assert "10 single points of failure are known, 4 of them only because of what is down now." in text
    assert "Down at this moment and counted as gone: Southern Caribbean Fiber" in text
    assert "cable only now While Southern Caribbean Fiber is down, on 2022 data, Anguilla, Antigua" in text
    assert (first["asset"], first["always"], first["territories"][0]) == (ECFS, False, "AG")


async def test_a_new_config_is_thought_through_anew() -> None:
    s = worlds.calm()
    async with Site(s) as site:
        before = (await site.json("/api/v1/resilience"))["cuts"]
        site.snapshot = replace(s, world=replace(s.world, assets={}), assets={}, at=s.at.replace(microsecond=1))
        assert (await site.json("/api/v1/resilience"))["cuts"] != before
