"""What passes the public door, and what does not."""

import asyncio
import base64
import hashlib
import logging
from datetime import datetime

import pytest

from monitor.model import Incident
from monitor.views import IncidentFilter
from monitor.web.page import Pages
from tests.monitor.web import worlds
from tests.monitor.web.serving import Site

OURS = f"'sha256-{base64.b64encode(hashlib.sha256(Pages('').script.encode()).digest()).decode()}'"
"""The one script, by its hash: no other may run, from wherever it comes."""


async def test_headers_keep_the_browser_on_the_safe_side() -> None:
    async with Site(worlds.calm()) as site:
        for path in ("/", "/incidents.csv", "/api/v1/status", "/healthz", "/nothing", "/favicon.svg"):
            async with site.client.get(path) as response:
                policy = response.headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'none'; style-src 'sha256-")
                assert [part.split()[1:] for part in policy.split("; ") if part.startswith("script-src")] == [[OURS]]
                assert "unsafe" not in policy
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["Referrer-Policy"] == "no-referrer"
                assert response.headers["Server"] == "lambi"
                assert response.headers["Cache-Control"]


async def test_what_has_not_changed_is_not_sent_again() -> None:
    async with Site(worlds.calm()) as site:
        for path in ("/api/v1/status", "/api/v1/incidents", "/", "/incidents.csv"):
            async with site.client.get(path) as first:
                tag = first.headers["ETag"]
                assert first.headers["Vary"] == "Accept-Encoding"
            async with site.client.get(path, headers={"If-None-Match": f'"other", {tag}'}) as again:
                assert again.status == 304
                assert await again.read() == b""
                assert again.headers["ETag"] == tag
            async with site.client.get(path, headers={"If-None-Match": 'W/"other"'}) as other:
                assert other.status == 200


async def test_head_says_what_get_would_send() -> None:
    async with Site(worlds.calm()) as site, site.client.head("/") as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) > 1000
        assert await response.read() == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_only_reading_passes(method: str) -> None:
    async with Site(worlds.calm()) as site, site.client.request(method, "/") as response:
        assert response.status == 405
        assert response.headers["Allow"] == "GET,HEAD"
        assert "This door only lets you read" in await response.text()


async def test_long_addresses_and_bodies_are_refused() -> None:
    async with Site(worlds.calm()) as site:
        assert "at most 2048 characters" in await site.text("/incidents?asset=" + "a" * 2100, 414)
        async with site.client.get("/", data=b"x" * 10) as response:
            assert response.status == 413
            assert "This door takes no body." in await response.text()


async def test_what_does_not_exist_is_said_in_the_form_that_was_asked_for() -> None:
    async with Site(worlds.calm()) as site:
        assert "There is no such page here." in await site.text("/nothing", 404)
        assert "There is no incident with this number." in await site.text("/incidents/4711", 404)
        assert "There is no asset with this name here." in await site.text("/asset/cable:atlantis", 404)
        for path in ("/asset/../../etc/passwd", "/asset/%2e%2e%2fetc", "/static/style.css", "/incidents/%00"):
            await site.text(path, 404)
        async with site.client.get("/api/v1/incident/4711") as response:
            assert response.status == 404
            assert await response.json() == {"error": "There is no incident with this number."}


class BrokenLedger(worlds.FakeLedger):
    """A ledger with a bug in it."""

    async def incidents(self, wanted: IncidentFilter) -> list[Incident]:
        raise KeyError("SECRET-DETAIL")


async def test_a_bug_costs_one_page_is_logged_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    async with Site(worlds.calm(), BrokenLedger([])) as site:
        with caplog.at_level(logging.DEBUG):
            text = await site.text("/incidents", 500)
        assert "Something in Lambi itself went wrong" in text
        assert "SECRET-DETAIL" not in text
        assert "Traceback" not in text
        assert site.bugs == 1
        assert [record.name for record in caplog.records if record.exc_info] == ["monitor.web.shield"]
        await site.text("/")


class HungLedger(worlds.FakeLedger):
    """A ledger that never answers."""

    async def incident(self, name: str) -> Incident | None:
        await asyncio.Event().wait()
        return None


async def test_who_hangs_up_is_no_bug() -> None:
    async with Site(worlds.calm(), HungLedger([])) as site:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await site.client.get("/incidents/1")
        assert site.bugs == 0


async def test_robots_leave_the_machines_doors_alone() -> None:
    async with Site(worlds.calm()) as site:
        assert (await site.text("/robots.txt")).startswith("User-agent: *\nDisallow: /api/")


async def test_times_of_the_api_are_rfc_3339() -> None:
    async with Site(worlds.storm()) as site:
        facts = await site.json("/api/v1/status")
    assert facts["at"] == "2026-09-01T11:59:59Z"
    assert datetime.fromisoformat(facts["incidents"][0]["began"]).tzinfo is not None
    assert facts["incidents"][0]["url"] == "https://lambi.example/incidents/17"
