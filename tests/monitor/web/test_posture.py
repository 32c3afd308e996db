"""Postures, and what is to be confirmed, on the pages and in the API."""

from dataclasses import replace
from datetime import timedelta

from monitor.model import Provenance
from tests.monitor.web import worlds
from tests.monitor.web.serving import Site


async def test_the_first_page_says_what_is_set_until_when_by_whom_and_why() -> None:
    async with Site(worlds.warned()) as site:
        page = await site.text("/")
    until = worlds.NOW + timedelta(hours=5)
    assert "<b>Barbados: prepare</b> until" in page
    assert f"{until:%H:%M} UTC" in page
    assert (
        f"({until - timedelta(hours=4):%H:%M} there), set by DEM: Hurricane &lt;Erin&gt;, landfall about 02:00." in page
    )
    assert "looked at 2 times as often" in page
    assert "It changes nothing about what it takes to call something down" in page


async def test_in_calm_weather_no_page_speaks_of_it() -> None:
    async with Site(worlds.calm()) as site:
        assert "Posture" not in await site.text("/")
        assert (await site.json("/api/v1/status"))["postures"] == []


async def test_the_status_names_it() -> None:
    async with Site(worlds.warned()) as site:
        (one,) = (await site.json("/api/v1/status"))["postures"]
    assert (one["id"], one["territory"], one["level"], one["by"]) == ("P3", "BB", "prepare", "DEM")


async def test_what_is_to_be_confirmed_is_a_list_and_marked_wherever_it_stands() -> None:
    snapshot = worlds.doubtful()
    async with Site(snapshot) as site:
        (one,) = (await site.json("/api/v1/to-confirm"))["assets"]
        page = await site.text("/to-confirm")
        own = await site.text(f"/asset/{one['id']}")
        listed = await site.text("/assets?kind=ixp")
    assert (one["why"], one["source"], one["as_of"]) == ("confidence low", "an old list", "2014")
    assert "Of 1 asset somebody on the spot should say" in page
    assert f"/asset/{one['id']}" in page
    assert "to be confirmed</span> Confidence low." in own
    assert listed.count("to be confirmed</span>") == 1


async def test_with_nothing_in_doubt_the_list_is_empty_and_says_so() -> None:
    calm = worlds.calm()
    sure = {
        name: replace(view, asset=replace(view.asset, provenance=Provenance("operator")))
        for name, view in calm.assets.items()
    }
    async with Site(replace(calm, assets=sure)) as site:
        assert "Of no assets" in await site.text("/to-confirm")
        assert (await site.json("/api/v1/to-confirm"))["assets"] == []
