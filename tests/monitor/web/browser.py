"""A real browser that speaks to loopback only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Playwright

CHROMIUM = Path("/usr/bin/chromium")
QUIET = (
    "--no-sandbox",  # containers without user namespaces; it only opens our own pages
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-default-apps",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@asynccontextmanager
async def browser(driver: Playwright) -> AsyncIterator[Browser]:
    """Start Chromium, and end it."""
    chromium = await driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
    try:
        yield chromium
    finally:
        await chromium.close()
