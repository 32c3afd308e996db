"""One hostile string through every exit of the public door."""

import csv
import io
from urllib.parse import quote

import pytest
import yaml

from monitor.model import Asset
from monitor.web import watching
from tests.monitor.web import worlds
from tests.monitor.web.serving import Site
from tests.monitor.web.test_pages import Outline, without_ours

ODD = quote(f"website:{worlds.HOSTILE}", safe=":")
PAGES = (
    "/",
    "/assets",
    "/assets?territory=BB",
    "/asset/cctld:bb",
    f"/asset/{ODD}",
    "/asset/nameserver:ns0.nic.bb",
    "/incidents",
    "/incidents?territory=BB",
    "/incidents/20",
)


@pytest.mark.parametrize("path", PAGES)
async def test_html_shows_it_as_text(path: str) -> None:
    async with Site(worlds.hostile()) as site:
        raw = await site.text(path)
    page = Outline(raw)
    assert without_ours(raw).count("<script") == 0
    assert "{{7*7}}" in page.text
    assert "<script>" not in raw
    assert not {"\u202e", "\x1b", "\r"} & set(raw)
    assert not [name for name, _ in page.attributes if name.startswith("on")]


async def test_what_a_visitor_types_comes_back_as_text() -> None:
    async with Site(worlds.calm()) as site:
        attack = quote(f"cable:{worlds.HOSTILE}")
        page = Outline(raw := await site.text(f"/incidents?asset={attack}"))
        typed = [value for key, value in page.attributes if key == "value" and value and value.startswith("cable:")]
        assert len(typed) == 1
        assert "<script>alert(1)</script>" in typed[0]
        assert without_ours(raw).count("<script") == 0
        for path in (f"/{attack}", f"/asset/{attack}", f"/incidents/{attack}", f"/incidents?severity={attack}"):
            async with site.client.get(path) as response:
                assert response.status in {400, 404}
                assert "<script>" not in await response.text()
                assert "X-Bad" not in response.headers


async def test_links_of_a_hostile_id_lead_back_to_its_asset() -> None:
    async with Site(worlds.hostile()) as site:
        page = Outline(await site.text("/assets?territory=BB"))
        links = [
            value
            for key, value in page.attributes
            if key == "href" and value and value.startswith("/asset/website:%22")
        ]
        assert links
        assert worlds.FORMULA in Outline(await site.text(links[0])).text


async def test_csv_holds_no_formula_and_one_line_for_each_incident() -> None:
    async with Site(worlds.hostile()) as site:
        text = await site.text("/incidents.csv")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == len(text.splitlines()) == 51
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))] == []
    assert any(cell.startswith("'=HYPERLINK") for row in rows for cell in row)


async def test_json_gives_it_back_as_it_was_and_knows_no_nan() -> None:
    async with Site(worlds.hostile()) as site:
        facts = await site.json("/api/v1/asset/cctld:bb")
        raw = await site.text("/api/v1/asset/cctld:bb")
    assert facts["name"] == worlds.HOSTILE
    assert facts["checks"][0]["values"] == {worlds.HOSTILE: worlds.HOSTILE, "rtt_seconds": None}
    assert "NaN" not in raw


def test_the_lines_that_would_watch_it_stay_one_target() -> None:
    for name in ("cable:ecfs", f"website:{worlds.HOSTILE}", "ixp:a: b", "ixp:*x", "ixp:a\n- asset: b"):
        asset = Asset(name, name.partition(":")[0], "x")
        given = yaml.safe_load(watching.lines(asset))
        assert [target["asset"] for target in given["targets"]] == [name]
