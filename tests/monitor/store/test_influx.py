"""InfluxDB and VictoriaMetrics, real ones: every point arrives, whatever dies; what was written is read back alike."""

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, web

from monitor.config.settings import Influx as Place
from monitor.store.influx.export import Export
from monitor.store.influx.lines import line
from monitor.store.influx.reads import InfluxHistory
from monitor.store.influx.server import AwayError, RefusedError, Server
from monitor.store.keeper import Keeper
from monitor.store.rows import Row
from probes.model import Observation, Outcome, Part
from tests.counts import soak
from tests.fakes import FakeClock
from tests.influx import Influx, asked, victoria
from tests.monitor.store.looks import COLUMNS, NOON, look, until
from tests.ports import own_ports

FIVE, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
KEY = "rtt_seconds"


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    with Influx(tmp_path_factory.mktemp("influx")).running() as server:
        yield server


def looks(count: int = 400) -> list[Observation]:
    """Looks of three checks, over both sides of a midnight, of every outcome, with text and with odd names."""
    draw = random.Random(5)  # noqa: S311 - no secrets
    found = []
    for n in range(count):
        at = 43_000 + 7.5 * n
        outcome = draw.choice([*Outcome, Outcome.OK, Outcome.OK])
        values = {KEY: draw.randrange(10**6) / 1e6, "ttl": 50 + n % 9} if outcome is Outcome.OK else {}
        found.append(look(at, check=f"a{n % 3}/icmp/", outcome=outcome, values=values))
    text = {KEY: 0.02, "soa_serial": 2**32 - 1, "nsid": 'gw "1"\\ñ', "odd key": 7.5, "inf": float("inf")}
    found += [look(43_000 + n, check="d,=\\/dns/x y", kind="dns", values=text) for n in range(5)]
    found += [look(43_000, check="p/icmp/", parts={"eth0 ,=": Part(Outcome.OK), "eth1\\": Part(Outcome.FAILED)})]
    return found


def stored(folder: Path, found: list[Observation]) -> Keeper:
    keeper = Keeper(folder, COLUMNS, retention_days=30, rollup_days=30, archives=False)
    for start in range(0, len(found), 50):
        keeper.store(found[start : start + 50])
        keeper.tend()
    keeper.close()
    return keeper


async def exported(folder: Path, place: Place) -> Export:
    server = Server(place)
    export = Export(folder, server, FakeClock())
    while await export.round():
        pass
    await server.close()
    return export


def lines(folder: Path) -> set[str]:
    from monitor.store import desk  # noqa: PLC0415 - only here

    return set(map(line, desk.rows(folder, NOON - DAY, NOON + 3 * DAY, lambda *_: None)))


class influx_database:  # noqa: N801 - reads as what it does
    """A database of its own for a test."""

    def __init__(self, influx: Influx) -> None:
        self.influx = influx

    def __enter__(self) -> None:
        asked(f"{self.influx.url}/query?" + urlencode({"q": f"CREATE DATABASE {self.influx.database}"}), post=True)

    def __exit__(self, *_: object) -> None:
        asked(f"{self.influx.url}/query?" + urlencode({"q": f"DROP DATABASE {self.influx.database}"}), post=True)


@dataclass(slots=True)
class Gate:
    """A server between the exporter and the real one that fails as it is told; what it lets through arrives."""

    url: str
    faults: list[str] = field(default_factory=list)
    """What happens to the next requests, the last first."""
    seen: int = 0

    async def pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.seen += 1
        fault = self.faults.pop() if self.faults else ""
        if fault == "500":
            return web.Response(status=500, text="internal")
        if fault == "429":
            return web.Response(status=429, headers={"Retry-After": "7"})
        if fault == "reset" and request.transport:
            request.transport.abort()
        if fault == "partial":
            half = body.split(b"\n")[::2]
            await self._forward(request, b"\n".join(half))
            return web.json_response({"error": f"partial write: dropped={len(half)}"}, status=400)
        status, answer = await self._forward(request, body)
        if fault == "lost answer" and request.transport:
            request.transport.abort()
        return web.Response(status=status, body=answer)

    async def _forward(self, request: web.Request, body: bytes) -> tuple[int, bytes]:
        async with (
            ClientSession() as client,
            client.request(request.method, self.url + request.raw_path, data=body) as answer,
        ):
            return answer.status, await answer.read()


@asynccontextmanager
async def gate(url: str) -> AsyncIterator[tuple[Gate, str]]:
    """Run a gate; yield it and its URL."""
    made = Gate(url)
    app = web.Application(client_max_size=0)
    app.router.add_route("*", "/{path:.*}", made.pass_on)
    runner = web.AppRunner(app)
    await runner.setup()
    (port,) = own_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield made, f"http://127.0.0.1:{port}"
    await runner.cleanup()


FAULTS = ("500", "429", "reset", "partial", "lost answer")


async def test_whatever_interrupts_the_export_in_the_end_every_point_is_there_once(
    tmp_path: Path, influx: Influx
) -> None:
    draw = random.Random(11)  # noqa: S311 - no secrets
    stored(tmp_path / "series", looks(60))
    expected = len(lines(tmp_path / "series"))
    for attempt in range(soak(ci=10, soak=200)):
        influx.database = f"broken{attempt}"
        (tmp_path / "series" / "influx.json").unlink(missing_ok=True)
        with influx_database(influx):
            async with gate(influx.url) as (between, url):
                between.faults = [draw.choice(FAULTS) for _ in range(draw.randrange(6))]
                for _ in range(draw.randrange(3)):  # killed at any moment, and started again
                    killed = await start(tmp_path / "series", Place(url, influx.database, v1=True))
                    await asyncio.sleep(draw.random() / 20)
                    killed.cancel()
                    await asyncio.gather(killed, return_exceptions=True)
                server = Server(Place(url, influx.database, v1=True), timeout=3)
                clock = FakeClock()
                export = Export(tmp_path / "series", server, clock)
                task = asyncio.create_task(export.run())
                while any(export.owes(day) for day in (NOON.date(), (NOON + DAY).date())):
                    await clock.advance(1)
                    await asyncio.sleep(0.005)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert export.refused == 0
            assert len(influx.points()) == expected


async def start(folder: Path, place: Place) -> "asyncio.Task[None]":
    return asyncio.create_task(Export(folder, Server(place), FakeClock()).run())


async def test_a_server_that_is_away_delays_nothing_and_loses_nothing(tmp_path: Path) -> None:
    server = Influx(tmp_path / "influx")
    stored(tmp_path / "series", looks(60))
    clock = FakeClock()
    export = Export(tmp_path / "series", Server(Place(server.url, server.database, v1=True)), clock)
    task = asyncio.create_task(export.run())
    await until(lambda: export.error != "")
    assert "nothing is exported to InfluxDB" in export.error
    await clock.advance(3_600)
    assert export.lag_seconds >= 3_600
    stored(tmp_path / "series", looks(90))  # the store goes on
    with server.running():
        while any(export.owes(day) for day in (NOON.date(), (NOON + DAY).date())):
            await clock.advance(1)
            await asyncio.sleep(0.005)
        assert len(server.points()) == len(lines(tmp_path / "series"))
        while export.lag_seconds > 60:
            await clock.advance(1)
            await asyncio.sleep(0.005)
    assert export.error == ""
    began = asyncio.get_running_loop().time()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert asyncio.get_running_loop().time() - began < 2


async def test_victoriametrics_has_every_point_that_was_written_through_the_address_of_2_x(tmp_path: Path) -> None:
    found = [look(10 * n, check=f"a{n % 3}/icmp/", values={KEY: n / 1000}) for n in range(300)]
    stored(tmp_path / "series", found)
    with victoria(tmp_path / "victoria") as url:
        export = await exported(tmp_path / "series", Place(url, "lambi"))
        assert (export.error, export.refused) == ("", 0)
        asked(f"{url}/internal/force_flush")
        told = asked(f"{url}/api/v1/export?" + urlencode({"match[]": f"lambi_icmp_{KEY}", "start": 0})).splitlines()
        points = {
            (series["metric"]["check"], at): value
            for series in map(json.loads, told)
            for at, value in zip(series["timestamps"], series["values"], strict=True)
        }
        expected = {(one.check, round(one.at.timestamp() * 1000)): one.parts[""].values[KEY] for one in found}
        assert points == expected
        server = Server(Place(url, "lambi", v1=True))
        with pytest.raises(RefusedError, match="not read from"):
            await InfluxHistory(server).prove()
        await server.close()


async def test_a_line_that_nobody_takes_is_counted_and_holds_up_no_other(tmp_path: Path, influx: Influx) -> None:
    influx.database = "conflict"
    with influx_database(influx):
        body = f'lambi_icmp,check=bad {KEY}="text" {int(NOON.timestamp() * 1e6)}'.encode()
        server = Server(Place(influx.url, "conflict", v1=True))
        await server.write(body)
        mixed = [look(n, values={KEY: 0.5} if n == 3 else {}) for n in range(8)]
        stored(tmp_path, mixed)
        export = await exported(tmp_path, server.place)
        assert export.refused == 1
        (count,) = influx.select("SELECT count(unknown) FROM lambi_icmp")
        assert count["values"][0][1] == 7
        await server.close()


async def test_a_server_that_hangs_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:  # it takes the connection and says nothing
        server = Server(Place(f"http://127.0.0.1:{hanging.getsockname()[1]}", "lambi"), timeout=0.2)
        with pytest.raises(AwayError):
            await server.write(b"a b=1 1")
        await server.close()


def test_no_place_shows_its_token() -> None:
    assert "s3cret" not in repr(Place("http://influx.example", "lambi", token="s3cret"))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            Row("a/icmp/", "", "icmp", "v", NOON, Outcome.OK, {KEY: 0.5, "ttl": 7}),
            "lambi_icmp,check=a/icmp/,vantage=v up=1i,unknown=0i,rtt_seconds=0.5,ttl=7.0",
        ),
        (Row("a", "p q", "dns", "v", NOON, Outcome.UNKNOWN, {}), "lambi_dns,check=a,part=p\\ q,vantage=v unknown=1i"),
        (
            Row("a", "", "dns", "v", NOON, Outcome.FAILED, {"n": 'x"\n\\', "up": 3.0}),
            'lambi_dns,check=a,vantage=v up=0i,unknown=0i,n="x\\" \\\\"',
        ),
    ],
)
def test_a_look_is_one_line_whatever_stands_in_it(row: Row, told: str) -> None:
    assert line(row) == f"{told} {int(NOON.timestamp()) * 1_000_000}"
