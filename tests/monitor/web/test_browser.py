"""The pages in a real browser: reachable for everybody, in light and dark, on a telephone, over a thin line."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest
from axe_core_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

from probes.clock import SystemClock
from tests.fakes import FakeClock
from tests.monitor.web import worlds
from tests.monitor.web.browser import CHROMIUM, browser
from tests.monitor.web.serving import Site

PATHS = (
    "/",
    "/assets?territory=BB",
    "/asset/cctld:bb",
    "/asset/cable:ecfs",
    "/incidents",
    "/incidents/17",
    "/nothing",
    "/resilience",
)
WORKS = ("/resilience", "/", "/maintenance", "/asset/cable:ecfs", "/asset/ixp:lcix", "/assets?kind=cable")
RULES = {
    "light": {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "dark": {
        "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
    },  # the rest does not depend on colours
}
WIDER = "[document.documentElement, ...document.forms].some(e => e.scrollWidth > Math.min(e.clientWidth, innerWidth))"
"""Also of a form: a field that leaves its column makes a scroll bar where the window is a little narrower."""


class Ticking(FakeClock):
    """The world's time of day, and time that passes."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()

    def now(self) -> datetime:
        return self.start + timedelta(seconds=time.monotonic() - self._began)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep_until(self, deadline: float) -> None:
        await SystemClock().sleep_until(deadline)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed: make test-deps")
    async with async_playwright() as driver, browser(driver) as started:
        yield started


async def violations(page: Page, scheme: str) -> list[str]:
    found: dict[str, Any] = await Axe().run(page, options=RULES[scheme])
    assert "color-contrast" in {rule["id"] for rule in (*found["passes"], *found["incomplete"])}
    return [
        f"{page.url}: {rule['id']}: {node['html'][:120]} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(chromium: Browser, scheme: Literal["light", "dark"]) -> None:
    found: list[str] = []
    page = await chromium.new_page(color_scheme=scheme, viewport={"width": 1000, "height": 800})
    for world, paths in (
        (worlds.storm, PATHS),
        (worlds.blind, ("/",)),
        (worlds.hostile, ("/", "/asset/cctld:bb")),
        (worlds.works, WORKS),
        (worlds.tangle, ("/", "/incidents", "/incidents/17", "/incidents/18")),
    ):
        async with Site(world()) as site:
            for path in paths:
                await page.goto(str(site.client.make_url(path)))
                await page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
                found += await violations(page, scheme)
    assert found == []


async def test_nothing_is_wider_than_a_small_telephone(chromium: Browser) -> None:
    """360 pixels; 345 are left of them beside a scroll bar, which a headless browser hides."""
    page = await chromium.new_page()
    wide: list[str] = []
    for world in (worlds.calm, worlds.storm, worlds.blind, worlds.no_icmp, worlds.hostile, worlds.works, worlds.tangle):
        async with Site(world()) as site:
            for path in (*PATHS, *WORKS, "/asset/vantage:bridgetown"):
                await page.goto(str(site.client.make_url(path)))
                await page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
                for width in (360, 345):
                    await page.set_viewport_size({"width": width, "height": 780})
                    if await page.evaluate(WIDER):
                        wide.append(f"{world.__name__} {path} in {width}")
    assert wide == []


async def test_without_javascript_everything_is_there_and_works(chromium: Browser) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    async with Site(worlds.storm()) as site:
        await page.goto(str(site.client.make_url("/")))
        assert await page.locator("h1").inner_text() == (
            "Eastern Caribbean Fiber System (ECFS) is down and .dm is degraded."
        )
        assert await page.locator("article.incident").count() == 2
        assert await page.locator(".groups details").count() == 34
        closed = page.locator("details:not([open])", has_text="Anguilla").first
        assert not await closed.locator(".rows").is_visible()
        await closed.locator("summary").click()
        assert await page.locator("details[open]", has_text="Anguilla").first.locator(".rows").is_visible()
        await page.get_by_role("link", name="Incidents", exact=True).click()
        await page.get_by_label("At least").select_option("critical")
        await page.get_by_role("button", name="Show").click()
        assert "severity=critical" in page.url
        assert {text.strip() for text in await page.locator("td .sev").all_inner_texts()} == {"critical"}
    await context.close()


async def test_a_page_is_one_request_refuses_nothing_by_its_own_policy_and_shows_its_style(chromium: Browser) -> None:
    page = await chromium.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    async with Site(worlds.storm()) as site:
        home = str(site.client.make_url("/"))
        async with page.expect_request("**/events"):
            await page.goto(home)
        colour = await page.evaluate("getComputedStyle(document.querySelector('.st.down')).color")
    assert [url for url in asked if not url.endswith("/favicon.svg")] == [home, f"{home}events"]
    assert said == []
    assert colour == "rgb(176, 40, 28)"


async def test_keys_alone_reach_the_content_and_open_a_territory(chromium: Browser) -> None:
    page = await chromium.new_page()
    async with Site(worlds.calm()) as site:
        await page.goto(str(site.client.make_url("/")))
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
        await page.keyboard.press("Enter")
        assert page.url.endswith("#main")
        await page.locator("summary").first.focus()
        await page.keyboard.press("Enter")
        await page.locator("details[open]").first.wait_for()


async def test_an_open_page_shows_a_change_within_a_second_and_keeps_what_one_has_opened(chromium: Browser) -> None:
    page = await chromium.new_page()
    async with Site(worlds.calm(), clock=Ticking()) as site:
        async with page.expect_response("**/events"):
            await page.goto(str(site.client.make_url("/")))
        await page.locator("summary", has_text="Anguilla").click()
        await page.locator("summary", has_text="Aruba").focus()
        took = []
        for world in (worlds.storm, worlds.calm, worlds.storm):
            before = await page.locator("h1").inner_text()
            site.snapshot, site.version = replace(world(), at=site.clock.now()), site.version + 1
            began = time.monotonic()
            while await page.locator("h1").inner_text() == before:
                assert time.monotonic() - began < 10
            took.append(time.monotonic() - began)
        assert sorted(took)[1] < 1.0, took
        assert await page.locator("h1").inner_text() == (
            "Eastern Caribbean Fiber System (ECFS) is down and .dm is degraded."
        )
        assert await page.locator("article.incident").count() == 2
        assert await page.locator("details[open]", has_text="Anguilla").count() == 1
        assert await page.evaluate("document.activeElement.textContent.includes('Aruba')")
        assert await page.title() == "Eastern Caribbean Fiber System (ECFS) is down and .dm is degraded. · Lambi"


async def test_who_is_typing_is_not_disturbed(chromium: Browser) -> None:
    page = await chromium.new_page()
    async with Site(worlds.calm(), clock=Ticking()) as site:
        async with page.expect_response("**/events"):
            await page.goto(str(site.client.make_url("/incidents")))
        await page.get_by_label("Asset").fill("cable:ec")
        async with page.expect_response("**/incidents"):
            site.snapshot, site.version = worlds.storm(), 2
        await page.wait_for_timeout(100)
        assert await page.get_by_label("Asset").input_value() == "cable:ec"
        assert await page.evaluate("document.activeElement.name") == "asset"


TICK_THEN_CHANGE = """
Math.random = () => 0.9;
window.EventSource = class {
    addEventListener(name, told) { setTimeout(told, name === "tick" ? 500 : 600); }
};
"""


async def test_a_change_does_not_wait_for_the_next_reload_of_ages(chromium: Browser) -> None:
    page = await chromium.new_page()
    await page.add_init_script(TICK_THEN_CHANGE)
    async with Site(worlds.calm(), clock=Ticking()) as site:
        home = str(site.client.make_url("/"))
        await page.goto(home)
        async with page.expect_response(home, timeout=5000):
            pass
