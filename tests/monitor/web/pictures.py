"""Take pictures of the page for README and docs: `python -m tests.monitor.web.pictures [FOLDER]`; needs chromium."""

import asyncio
import sys
from pathlib import Path

from playwright.async_api import async_playwright

from tests.monitor.web import worlds
from tests.monitor.web.browser import browser
from tests.monitor.web.serving import Site

SHOTS = {
    "page.png": ("/", "light", 1000, 860),
    "page-phone-dark.png": ("/", "dark", 360, 780),
}


async def take(folder: Path) -> None:
    """Write one PNG for each of SHOTS."""
    async with Site(worlds.storm()) as site, async_playwright() as driver, browser(driver) as chromium:
        for name, (path, scheme, width, height) in SHOTS.items():
            page = await chromium.new_page(
                viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
            )
            await page.goto(str(site.client.make_url(path)))
            await page.screenshot(path=folder / name)
            await page.close()
            print(folder / name)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[3] / "docs" / "pictures"
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(target))
