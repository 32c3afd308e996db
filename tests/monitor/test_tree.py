"""What an asset needs and what needs it, drawn as text and as SVG."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.async_api import async_playwright

from monitor.config import load
from monitor.model import Dependency
from monitor.picture import MOST, svg
from monitor.topology import Topology
from monitor.tree import draw, fact, text
from tests.fakes import START
from tests.monitor.web.browser import CHROMIUM, browser
from tests.monitor.web.worlds import HOSTILE
from tests.monitor.worlds import asset, check, islands, make_world

SVG = "{http://www.w3.org/2000/svg}"


def drawn(topology: Topology, name: str) -> str:
    return "\n".join(text(topology, draw(topology, name, START)))


def test_a_tree_says_what_it_needs_what_needs_it_and_what_is_left() -> None:
    assert drawn(Topology(islands()), "router:ant") == (
        """ANT [router:ant] in Antigua and Barbuda

it needs
└─ any of (confirmed)
   ├─ ANT1 [cable:ant1] in Antigua and Barbuda
   └─ ANT2 [cable:ant2] in Antigua and Barbuda

what needs it
└─ cannot do without it (confirmed)
   └─ NS.ANT [nameserver:ns.ant] in Antigua and Barbuda
      └─ it answers for (confirmed)
         └─ ANT [cctld:ant] in Antigua and Barbuda

what is left
- if ANT1 fails, ANT still has ANT2
- if ANT2 fails, ANT still has ANT1
- if ANT fails, NS.ANT cannot work: nothing else is left
- if it alone fails: ANT, NS.ANT depend on ANT alone"""
    )


def test_weights_times_hypotheses_and_their_age_are_said() -> None:
    ties = [
        Dependency("site:s", ("cable:a", "cable:b"), "weight", True, "operator", (100, 40), 50),
        Dependency("site:s", ("power:p",), "all", confirmed=True, until=START + timedelta(days=1)),
        Dependency("site:s", ("cable:c",), "all", confirmed=True, since=START + timedelta(days=1)),
        Dependency(
            "site:s", ("cable:d", "cable:e"), "any", confirmed=False, source="a map", as_of="2022", confidence="low"
        ),
    ]
    names = ("cable:a", "cable:b", "cable:c", "cable:d", "cable:e", "power:p")
    topology = Topology(make_world([check("site:s")], ties, *map(asset, names)))
    lines = drawn(topology, "site:s").splitlines()
    assert "├─ together at least 50 of 140 (100, 40) (confirmed)" in lines
    assert "├─ all of (confirmed; until 2 Sep 2026 12:00 UTC)" in lines
    assert "├─ all of (confirmed; from 2 Sep 2026 12:00 UTC; not in force now)" in lines
    assert "└─ any of (hypothesis; source: a map; as of 2022; confidence low)" in lines
    assert "- if A fails, S cannot work: 40 are left of the 50 that it needs" in lines
    assert "- if B fails, S still works: 100 are left of the 50 that it needs" in lines
    assert "- if D fails, S still has E (not confirmed)" in lines
    assert not any("if C fails" in line for line in lines)
    assert "needs 50 of 140, 40 of them from it; the rest from A" in drawn(topology, "cable:b")


def test_a_branch_that_comes_twice_is_drawn_once() -> None:
    ties = [
        Dependency("site:s", ("router:a", "router:b"), "any", confirmed=True),
        *(Dependency(name, ("power:p",), "all", confirmed=True) for name in ("router:a", "router:b")),
        Dependency("power:p", ("site:q",), "all", confirmed=True),
    ]
    topology = Topology(make_world([check("site:s")], ties, *map(asset, ("router:a", "router:b", "power:p", "site:q"))))
    lines = drawn(topology, "site:s")
    assert lines.count("[site:q]") == 1
    assert "P [power:p], as above" in lines


def test_every_asset_of_the_shipped_region_can_be_drawn() -> None:
    topology = Topology(load(None, {}).world)
    for name in [name for name in topology.world.assets if name.startswith(("cable:", "ixp:", "cctld:", "vantage:"))]:
        drawing = draw(topology, name, START)
        assert list(text(topology, drawing))
        ElementTree.fromstring(svg(topology, drawing))  # noqa: S314 - our own
        assert fact(topology, drawing)["asset"] == name


def test_the_picture_has_a_title_a_description_and_a_box_for_each_asset() -> None:
    topology = Topology(islands())
    root = ElementTree.fromstring(svg(topology, draw(topology, "router:ant", START)))  # noqa: S314 - our own
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "title desc")
    assert root.findtext(f"{SVG}title") == "What ANT needs, and what needs it"
    assert "any of (confirmed)" in (root.findtext(f"{SVG}desc") or "")
    boxes = [group.findtext(f"{SVG}title") for group in root.iter(f"{SVG}g")]
    assert boxes == [
        "ANT [router:ant]",
        "ANT1 [cable:ant1]",
        "ANT2 [cable:ant2]",
        "NS.ANT [nameserver:ns.ant]",
        "ANT [cctld:ant]",
    ]
    assert len([path for path in root.iter(f"{SVG}path") if path.get("class") is None]) == 4


def test_hypotheses_are_dashed_and_a_crowd_is_counted() -> None:
    names = [f"site:s{number}" for number in range(MOST + 7)]
    ties = [Dependency(name, ("cable:a",), "all", confirmed=False) for name in names]
    topology = Topology(make_world([check(name) for name in names], ties, asset("cable:a")))
    picture = svg(topology, draw(topology, "cable:a", START))
    assert picture.count('class="g"') == MOST
    assert ">and 7 more</text>" in picture


def test_no_name_breaks_out_of_the_picture() -> None:
    world = islands()
    world = replace(world, assets={**world.assets, "cable:ant1": replace(world.assets["cable:ant1"], name=HOSTILE)})
    topology = Topology(world)
    picture = svg(topology, draw(topology, "router:ant", START))
    ElementTree.fromstring(picture)  # noqa: S314 - our own
    assert "<script>" not in picture
    assert "\x1b" not in picture


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_browser_shows_no_text_outside_its_box(tmp_path: Path, scheme: str) -> None:
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed: make test-deps")
    topology = Topology(load(None, {}).world)
    file = tmp_path / "ecfs.svg"
    file.write_text(svg(topology, draw(topology, "cable:eastern-caribbean-fiber-system-ecfs", START)), "utf-8")
    async with async_playwright() as driver, browser(driver) as chromium:
        page = await chromium.new_page(color_scheme=scheme)  # type: ignore[arg-type] # light or dark
        await page.goto(file.as_uri())
        wide = await page.evaluate(
            "[...document.querySelectorAll('g')].flatMap(g => [...g.querySelectorAll('text')]"
            ".filter(t => t.getBBox().x + t.getBBox().width > g.querySelector('rect').getBBox().x + 210)"
            ".map(t => t.textContent))"
        )
    assert wide == []
