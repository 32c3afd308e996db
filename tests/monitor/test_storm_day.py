"""A storm by the real daemon: a posture that is told with its runbook, a stream on loopback, a reload in the middle."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from alerting.directory import Directory, Ladder, Route, Step
from alerting.journal import Journal
from alerting.model import Address, Contact, Severity
from monitor.app import App
from monitor.cli.client import Client
from monitor.config import Settings, load
from monitor.config.settings import BgpStream, Door
from monitor.demo import settings_of
from monitor.model import Asset, Check
from probes.bgp import Bgp
from probes.clock import SystemClock
from probes.model import Target
from tests.alerting.test_channels import smtp
from tests.daemons import SmtpSink, smtp_sink
from tests.monitor.test_drill_day import STORY, Scripted, until
from tests.ports import own_port
from tests.probes.test_bgp import BLOCKS, CARRIER, Server, ris


def people(desk: str) -> Directory:
    noc = Contact("noc", "NOC", "es", "America/Barbados", (Address("mail", "noc@noc.example"),))
    boss = Contact("boss", "NOC", addresses=(Address("mail", "boss@noc.example"),))
    return Directory(
        {"noc": noc, "boss": boss},
        (Route("storm", ("noc",), kinds=("posture",)), Route("all", ladders=("up",), kinds=("router",))),
        desk,
        dict.fromkeys(Severity, 3600.0),
        ladders={"up": Ladder("up", "NOC", (Step(("noc",), 4.0), Step(("boss",), 60.0)))},
    )


def with_stream(settings: Settings, url: str) -> Settings:
    """Add the stream, and Barbados seen by it."""
    made = {
        "feed:ris-live/bgp": Check(
            "feed:ris-live/bgp", "feed:ris-live", Target("feed:ris-live", "RIS Live", 4), "bgp", Bgp(), 1.0, 0.5,
            next(iter(settings.world.checks.values())).rule,
        ),
    }  # fmt: skip # one check
    world = replace(
        settings.world,
        checks={**settings.world.checks, **made},
        assets={**settings.world.assets, "feed:ris-live": Asset("feed:ris-live", "feed", "RIS Live")},
    )
    return replace(settings, world=world, bgp=BgpStream(url, BLOCKS, frozenset({str(CARRIER)})))


@asynccontextmanager
async def storm(folder: Path, sink: SmtpSink, server: Server) -> AsyncIterator[tuple[App, Scripted, list[Settings]]]:
    """Run the daemon; the list holds what the files say when they are read again."""
    clock = SystemClock()
    settings = settings_of(STORY, load(None, {}), folder / "var", clock, port=own_port(), speed=20.0)
    settings = replace(
        settings, ops=Door("127.0.0.1", own_port()), channels={"mail": smtp(sink)}, directory=people("1")
    )
    settings = with_stream(settings, server.url)
    (folder / "var").mkdir()
    engine, files = Scripted(settings.world, clock), [settings]
    kinds = {check.kind for check in settings.world.checks.values()} - {"bgp"}
    app = await App.start(
        settings, clock, lambda _: None, Journal, dict.fromkeys(kinds, engine), load=lambda: files[-1]
    )
    stop = asyncio.Event()
    running = asyncio.create_task(app.run(stop))
    try:
        yield app, engine, files
    finally:
        stop.set()
        await running
        await app.stop()


async def test_a_storm_by_the_daemon(tmp_path: Path) -> None:
    with smtp_sink() as sink:
        async with ris() as server, storm(tmp_path, sink, server) as (app, engine, files):
            client = Client(app.settings.control)

            async def run(command: str, **asked: object) -> dict[str, Any]:
                return dict(await asyncio.to_thread(client.run, command, asked))

            await until(lambda: len(server.wishes) == 2, "the stream is asked for the blocks")
            await until(lambda: app.pipeline.states.get("feed:ris-live/bgp"), "and looked at")

            before = app.scheduler._groups
            answer = await run("posture-set", level="prepare", territory="BB", reason="Erin", **{"for": "36h"})
            assert answer["posture"]["id"] == "P1"
            assert {group.every for group in app.scheduler._groups} <= {group.every for group in before} | {10.0}
            await until(sink.received, "the contact is told")
            mail = sink.received()[0]
            assert mail.to == ("noc@noc.example",)
            assert "Postura preparar para Barbados" in str(mail.message["Subject"])
            assert "Combustible, baterías, teléfonos: mire los tres ya." in mail.text
            status = await asyncio.to_thread(client.read, "/api/v1/status")
            assert [one["id"] for one in status["postures"]] == ["P1"]
            assert status["incidents"] == [], "nothing is down because of it"

            engine.cut = "router:r"
            await until(lambda: len(sink.received()) == 2, "the ladder's first step is told")
            (number,) = app.pipeline.book.open
            fresh = replace(files[0], directory=people("2"), user_agent="another")
            files.append(fresh)
            found = await run("reload")
            assert (found["closed"], found["restart"], found["added"]) == ([], [], [])
            assert app.settings.directory.desk == "2"
            await until(lambda: len(sink.received()) == 3, "the ladder goes on after the reload")
            assert sink.received()[2].to == ("boss@noc.example",)
            assert list(app.pipeline.book.open) == [number]

            checks = {name: one for name, one in fresh.world.checks.items() if one.asset != "router:r"}
            files.append(replace(fresh, world=replace(fresh.world, checks=checks)))
            found = await run("reload")
            assert found["closed"] == [number]
            assert found["removed"]
            await until(lambda: len(sink.received()) == 5, "both who were told are told the end")
            ends = [str(one.message["Subject"]) for one in sink.received()[3:]]
            assert any("OVER" in one for one in ends)

            await run("posture-end", id="P1")
            await until(lambda: len(sink.received()) == 6, "the end of the posture is told")
            assert "terminada a mano" in sink.received()[5].text
            assert app.health().bugs == 0
