"""Planned work on the pages and in the API."""

from datetime import timedelta

from monitor.model import Window
from monitor.planned import Kept
from tests.monitor.web import worlds
from tests.monitor.web.serving import Site


async def test_the_asset_page_says_what_is_on_until_when_by_whom_and_why() -> None:
    async with Site(worlds.works()) as site:
        page = await site.text("/asset/cable:ecfs")
    until = worlds.NOW + 16 * worlds.HOUR
    assert "In maintenance until" in page
    assert f"{until:%H:%M} UTC" in page
    assert f"({until - 4 * worlds.HOUR:%H:%M} in Barbados), by ECFS NOC: splice at km 12" in page


async def test_what_stands_below_says_so_and_what_comes_is_told_before_it_begins() -> None:
    async with Site(worlds.works()) as site:
        page = await site.text("/asset/ixp:lcix")
    assert "</a>, which it needs, is in maintenance until" in page
    assert "Will be in maintenance from" in page


async def test_a_hypothesis_carries_no_maintenance_down() -> None:
    async with Site(worlds.works()) as site:
        assert "Planned work" not in await site.text("/asset/ixp:bbix")


async def test_the_first_page_names_what_is_on_and_what_comes_within_a_week() -> None:
    async with Site(worlds.works()) as site:
        page = await site.text("/")
        calm = await site.text("/assets?kind=cable")
    assert page.count("/asset/cable:ecfs") >= 1
    assert "by ECFS NOC: splice at km 12" in page
    assert page.split("Planned work")[1].split("All planned work")[0].count("<li>") == 2, "none of m3, in five weeks"
    assert "in maintenance until" in calm
    async with Site(worlds.calm()) as site:
        assert "Planned work" not in await site.text("/")


async def test_the_list_holds_every_window_and_hostile_words_are_only_words() -> None:
    async with Site(worlds.works()) as site:
        page = await site.text("/maintenance")
        assert "1 is in maintenance now, 2 are announced" in page
        assert "m3" in page
        assert "<script>" not in page
        empty = Site(worlds.calm())
    async with empty:
        assert "Nothing is in maintenance now, nothing is announced" in await empty.text("/maintenance")


async def test_the_api_tells_the_same() -> None:
    async with Site(worlds.works()) as site:
        said = await site.json("/api/v1/maintenance")
        asset = await site.json("/api/v1/asset/ixp:lcix")
        other = await site.json("/api/v1/asset/cctld:jm")
    assert [one["id"] for one in said["on"]] == ["m1"]
    assert [one["id"] for one in said["coming"]] == ["lc", "m3"]
    assert said["on"][0]["by"] == "ECFS NOC"
    assert (said["on"][0]["rule"], said["coming"][0]["rule"]) == (None, "FREQ=WEEKLY")
    assert asset["maintenance"]["id"] == "m1"
    assert asset["maintenance_soon"]["id"] == "lc"
    assert (other["maintenance"], other["maintenance_soon"]) == (None, None)


async def test_the_history_of_an_asset_counts_maintenance_apart_from_when_it_was_announced() -> None:
    snapshot = worlds.works()
    async with Site(snapshot) as site:
        begin = site.clock.now() - timedelta(days=2)
        window = Window("m9", "cable:ecfs", begin, begin + 4 * worlds.HOUR, "splice", "NOC")
        site.ledger.kept = [Kept(window, begin + worlds.HOUR)]
        mine = await site.json("/api/v1/incidents?asset=cable:ecfs")
        below = await site.json("/api/v1/incidents?asset=ixp:lcix")
        other = await site.json("/api/v1/incidents?asset=ixp:bbix")
        page = await site.text("/incidents?asset=cable:ecfs")
    assert mine["coverage"]["maintenance_seconds"] == below["coverage"]["maintenance_seconds"] == 3 * 3600
    assert [one["reason"] for one in mine["coverage"]["maintenance"]] == ["splice"]
    assert other["coverage"]["maintenance_seconds"] == 0
    assert "In maintenance, counted apart: 3 h" in page
