"""The ops door: what Prometheus reads."""

import asyncio
import math
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp.test_utils import TestClient, TestServer

from monitor.model import Phase
from monitor.views import Snapshot
from monitor.web.exposition import Family, labels, render
from monitor.web.ops import make_app
from tests.fakes import FakeClock
from tests.monitor.web import worlds

WORLDS = (worlds.calm, worlds.storm, worlds.blind, worlds.no_icmp, worlds.hostile)
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? (NaN|[+-]Inf|-?[0-9.]+(?:e[+-]?[0-9]+)?)")
Series = tuple[str, frozenset[tuple[str, str]]]


def parse(text: str) -> dict[Series, float]:
    """Read format 0.0.4 strictly: each family once, HELP, TYPE, then its samples, no series twice."""
    assert text.endswith("\n")
    found: dict[Series, float] = {}
    seen: list[str] = []
    lines = iter(text.split("\n")[:-1])
    for line in lines:
        if line.startswith("# HELP "):
            seen.append(line.split(" ")[2])
            assert len(set(seen)) == len(seen)
            assert re.fullmatch(rf"# TYPE {seen[-1]} (gauge|counter)", next(lines))
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        assert match[1] == seen[-1]
        labels = frozenset(_labels(match[2] or ""))
        assert (match[1], labels) not in found
        found[match[1], labels] = float(match[3])
    return found


def _labels(text: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"', text):
        yield match[1], re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], match[2])


class Bugs:
    """Counts."""

    count = 0

    def __call__(self) -> None:
        self.count += 1


@asynccontextmanager
async def door(snapshot: Snapshot, token: str = ""):
    app = make_app(snapshot=lambda: snapshot, token=token, clock=FakeClock(), count_bug=Bugs())
    client = TestClient(TestServer(app))
    await client.start_server()
    try:
        yield client
    finally:
        await client.close()


async def scrape(snapshot: Snapshot) -> dict[Series, float]:
    async with door(snapshot) as client, client.get("/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return parse(await response.text())


def of(found: dict[Series, float], name: str, **labels: str) -> list[float]:
    return [
        value for (metric, given), value in found.items() if metric == name and labels.items() <= dict(given).items()
    ]


@pytest.mark.parametrize("world", WORLDS)
async def test_prometheus_own_tool_accepts_every_world(world: Callable[[], Snapshot]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: make test-deps")
    async with door(world()) as client, client.get("/metrics") as response:
        text = await response.text()
    parse(text)
    pipe = asyncio.subprocess.PIPE
    tool = await asyncio.create_subprocess_exec(promtool, "check", "metrics", stdin=pipe, stdout=pipe, stderr=pipe)
    _, complaint = await tool.communicate(text.encode())
    assert tool.returncode == 0, complaint.decode()


async def test_what_answers_has_blackbox_names_and_its_labels() -> None:
    found = await scrape(worlds.calm())
    labels = {"asset": "cctld:bb", "kind": "dns", "territory": "BB", "family": "4"}
    assert of(found, "probe_success", **labels) == [1]
    assert of(found, "probe_duration_seconds", **labels) == [0.0311]
    assert of(found, "probe_dns_serial", **labels) == [2026090101]
    assert of(found, "probe_dns_query_succeeded", **labels) == [1]
    assert of(found, "probe_ip_protocol", asset="cctld:bb", family="6") == [6]
    assert of(found, "probe_icmp_duration_seconds", asset="nameserver:ns0.nic.bb", phase="rtt") == [0.0123]
    assert of(found, "probe_http_status_code", kind="http")[0] == 200
    assert of(found, "lambi_check_unknown", **labels) == [0]


async def test_what_fails_is_0_and_shows_no_old_value() -> None:
    found = await scrape(worlds.storm())
    labels = {"asset": "nameserver:ns1.nic.dm"}
    assert of(found, "probe_success", **labels) == [0]
    assert of(found, "probe_success", asset="nameserver:ns2.nic.lc") == [0]
    assert of(found, "probe_success", asset="website:bsix") == [1]
    assert of(found, "probe_icmp_duration_seconds", **labels) == []
    assert of(found, "probe_duration_seconds", **labels) == []
    assert of(found, "lambi_incidents_open", severity="critical") == [1]
    assert of(found, "lambi_incidents_open", severity="major") == [0]


async def test_what_could_not_look_has_no_success_at_all() -> None:
    found = await scrape(worlds.blind())
    assert of(found, "probe_success", asset="cctld:dm") == []
    assert of(found, "lambi_check_unknown", asset="cctld:dm", family="4") == [1]
    assert of(found, "probe_success", asset="cctld:bb", family="4") == [1]
    assert of(found, "lambi_vantage_sees_world", family="4") == [0]
    assert of(found, "lambi_assets", phase="unknown") == [163]
    assert of(found, "lambi_assets", phase="down") == [0]
    calm = await scrape(worlds.calm())
    assert of(calm, "lambi_vantage_sees_world", family="6") == [1]


async def test_a_check_is_exported_once_though_it_stands_under_every_asset_that_it_serves() -> None:
    s = worlds.calm()
    server, domain = s.assets["nameserver:ns0.nic.bb"], s.assets["cctld:bb"]
    shared = replace(domain, checks=(*domain.checks, *server.checks))
    found = await scrape(replace(s, assets={**s.assets, "cctld:bb": shared}))
    assert len(of(found, "probe_success", check=server.checks[0].check)) == 1


async def test_our_own_health_is_there() -> None:
    s = worlds.no_icmp()
    s = replace(s, health=replace(s.health, series_dropped=7, outbox_pending=3, series_error="disk full"))
    found = await scrape(s)
    for name, value in {
        "lambi_bugs_total": 2,
        "lambi_series_dropped_total": 7,
        "lambi_series_failing": 1,
        "lambi_outbox_pending": 3,
        "lambi_clock_disciplined": 0,
        "lambi_capabilities_missing": 1,
        "lambi_snapshot_age_seconds": 1,
        "lambi_packets_per_minute": 612,
    }.items():
        assert of(found, name) == [value]
    assert sum(of(found, "lambi_assets", phase=phase.value)[0] for phase in Phase) == len(s.assets) - 1


async def test_the_lag_of_an_export_is_there_where_there_is_an_export() -> None:
    s = worlds.calm()
    assert of(await scrape(s), "lambi_export_lag_seconds") == []
    s = replace(s, health=replace(s.health, export_lag_seconds=12.5))
    assert of(await scrape(s), "lambi_export_lag_seconds") == [12.5]


async def test_a_token_is_asked_for_when_there_is_one() -> None:
    async with door(worlds.calm(), token="s3cret") as client:
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Basic s3cret"},
            {"Authorization": "Bearer s3cret2"},
            {"Authorization": "Bearer \udcff"},
        ):
            async with client.get("/metrics", headers=headers) as response:
                assert response.status == 401
                assert response.headers["WWW-Authenticate"].startswith("Bearer")
                assert "probe_success" not in await response.text()
        async with client.get("/metrics", headers={"Authorization": "bearer s3cret"}) as response:
            assert response.status == 200


async def test_nothing_else_is_behind_this_door() -> None:
    async with door(worlds.calm()) as client:
        for path in ("/", "/incidents", "/api/v1/status"):
            async with client.get(path) as response:
                assert response.status == 404
        async with client.post("/metrics") as response:
            assert response.status == 405


def test_numbers_and_labels_are_written_so_that_they_come_back() -> None:
    family = Family("x", "gauge", "a \\ help\nof two lines")
    values = [0.0, -1.5, 2**60, 1e-9, math.inf, -math.inf, 1756724399.123456, 2026090101]
    for n, value in enumerate(values):
        family.add(value, labels({"n": str(n), "text": 'quote " slash \\ line\nend', "empty": ""}))
    family.add(math.nan, labels({"n": "nan"}))
    found = parse(render([family, Family("y", "gauge", "has no samples")]))
    assert [found["x", frozenset({("n", str(n)), ("text", 'quote " slash \\ line\nend')})] for n in range(8)] == values
    assert math.isnan(found["x", frozenset({("n", "nan")})])
    assert len(found) == 9
