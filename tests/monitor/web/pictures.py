"""Take pictures for README and docs: `make pictures`; needs chromium. The demo is the real daemon, sped up."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from alerting.journal import Journal
from monitor.app import App
from monitor.cli.replay import read
from monitor.config import load
from monitor.data import shipped
from monitor.demo import Scripted, settings_of
from probes.clock import SystemClock
from tests.monitor.web import worlds
from tests.monitor.web.browser import browser
from tests.monitor.web.serving import Site
from tests.ports import own_port

SHOTS = {
    "page.png": ("/", "light", 1000, 860),
    "page-phone-dark.png": ("/", "dark", 360, 780),
}
SPEED = 5.0
WORST = 172.0
"""Seconds of the story: a cable, a name server and an island's power are gone."""


async def shoot(chromium: Browser, url: str, file: Path, scheme: str, size: tuple[int, int]) -> None:
    """Write one PNG."""
    page = await chromium.new_page(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if scheme == "dark" else "light"
    )
    await page.goto(url)
    await page.screenshot(path=file)
    await page.close()
    print(file)


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[str]:
    """Play the shipped story by the real daemon until its worst minute; yield the page's address."""
    clock, port, story = SystemClock(), own_port(), read(shipped("config") / "demo.yaml")
    settings = settings_of(story, load(None, {}), folder, clock, port=port, speed=SPEED)
    engine = Scripted(story, settings.world, clock, SPEED)
    kinds = {check.kind for check in settings.world.checks.values()}
    app = await App.start(settings, clock, lambda _: None, Journal, dict.fromkeys(kinds, engine))
    stop = asyncio.Event()
    running = asyncio.create_task(app.run(stop))
    try:
        await clock.sleep_until(clock.monotonic() + WORST / SPEED)
        yield f"http://127.0.0.1:{port}/"
    finally:
        stop.set()
        await running
        await app.stop()


async def take(folder: Path) -> None:
    """Write all of them."""
    async with async_playwright() as driver, browser(driver) as chromium:
        async with Site(worlds.storm()) as site:
            for name, (path, scheme, width, height) in SHOTS.items():
                await shoot(chromium, str(site.client.make_url(path)), folder / name, scheme, (width, height))
        with tempfile.TemporaryDirectory(prefix="lambi-demo-") as state:
            async with demo(Path(state)) as url:
                await shoot(chromium, url, folder / "demo.png", "light", (1000, 1250))


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[3] / "docs" / "pictures"
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(target))
