"""An exercise by the real daemon, over a real Kannel and a real mail server, that a real incident then breaks off."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from alerting.channels.kannel import Kannel
from alerting.directory import Directory, Ladder, Route, Step
from alerting.journal import Journal
from alerting.model import Address, Contact, Severity
from alerting.told import hanging
from monitor.app import App
from monitor.cli.client import Client
from monitor.config import load as load_config
from monitor.config.settings import Door
from monitor.demo import settings_of
from monitor.model import Phase, Scenario, World
from monitor.replay.story import Story
from probes.clock import SystemClock
from probes.model import Ask, Observation, Outcome, Part
from tests.alerting.test_channels import smtp
from tests.daemons import KannelBox, SmtpSink, kannel, smtp_sink
from tests.ports import own_port

SECRET = "a-secret-of-the-gateway"
NOC, BOSS = "+12465550100", "+12465550199"
STORY = Story.model_validate(
    {"story": "s", "watch": {"router:r": "in BB", "router:s": "in BB"}, "events": ["1h cut router:r"]}
)


class Scripted:
    """An engine whose targets answer at once, but for what a test has cut."""

    capability = ""
    bugs = 0

    def __init__(self, world: World, clock: SystemClock) -> None:
        self.world, self.clock, self.cut = world, clock, ""

    async def ask(self, asks: Sequence[Ask]) -> AsyncIterator[list[Observation]]:
        looks = []
        for ask in asks:
            check = self.world.checks[ask.check]
            silent = Part(Outcome.FAILED, "no answer within 2.0 s") if check.asset == self.cut else Part(Outcome.OK)
            now = self.clock.now()
            looks.append(
                Observation(ask.check, ask.target, check.kind, self.world.vantage, ask.at, now, 0.01, {"": silent})
            )
        yield looks

    async def close(self) -> None:
        pass


def people() -> Directory:
    noc = Contact("noc", "NOC", "es", "America/Barbados", (Address("sms", NOC),))
    boss = Contact("boss", "NOC", addresses=(Address("sms", BOSS), Address("mail", "boss@noc.example")))
    ctu = Contact("ctu", "CTU", addresses=(Address("mail", "desk@ctu.example"),))
    ladder = Ladder("up", "NOC", (Step(("noc",), 1.0), Step(("boss",), 1.0)), 3)
    return Directory(
        {one.name: one for one in (noc, boss, ctu)},
        (Route("all", ("boss",), ladders=("up",)),),
        "+1 246 555 0101",
        dict.fromkeys(Severity, 3600.0),
        ladders={"up": ladder},
    )


async def test_an_exercise_by_the_daemon(tmp_path: Path) -> None:
    ops = own_port()
    callback = f"http://127.0.0.1:{ops}"
    clock = SystemClock()
    with smtp_sink() as sink, kannel(tmp_path, f"{callback}/callback/{SECRET}") as box:
        sms = Kannel(box.url, box.username, box.password, box.sender, "FAKE", callback=callback, secret=SECRET)
        settings = settings_of(STORY, load_config(None, {}), tmp_path / "var", clock, port=own_port(), speed=20.0)
        scenario = Scenario("ring", "router:r", Phase.DOWN, Severity.CRITICAL, 600, "made up", ("Nothing is left",))
        settings = replace(
            settings,
            ops=Door("127.0.0.1", ops),
            channels={"sms": sms, "mail": smtp(sink)},
            directory=people(),
            drills={"ring": scenario},
        )
        (tmp_path / "var").mkdir()
        engine = Scripted(settings.world, clock)
        kinds = {check.kind for check in settings.world.checks.values()}
        app = await App.start(settings, clock, lambda _: None, Journal, dict.fromkeys(kinds, engine))
        stop = asyncio.Event()
        running = asyncio.create_task(app.run(stop))
        try:
            await story(app, engine, box, sink)
        finally:
            stop.set()
            await running
            await app.stop()


async def until(holds: Callable[[], object], what: str) -> None:
    for _ in range(1200):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never: {what}")


async def story(app: App, engine: Scripted, box: KannelBox, sink: SmtpSink) -> None:
    client = Client(app.settings.control)

    async def run(command: str, **asked: object) -> dict[str, Any]:
        return dict(await asyncio.to_thread(client.run, command, asked))

    begun = await run("drill-start", scenario="ring", contacts=["noc", "ctu"])
    assert begun["drill"]["id"] == "E1"
    await until(lambda: box.received() and sink.received(), "SMS and mail arrive")
    [first] = box.received()
    code = re.match(r"SIMULACRO E1-([A-Z]{2}) CRITICO: ", first.text)
    assert code, first.text
    letters = code[1]
    mail = sink.received()[0]
    assert mail.to == ("desk@ctu.example",)
    assert str(mail.message["Subject"]).startswith("EXERCISE [E1] CRITICAL: ")
    assert mail.text.startswith("EXERCISE - This is an exercise")

    status = await asyncio.to_thread(client.read, "/api/v1/status")
    assert status["exercise"] == "E1"
    assert status["incidents"] == []
    assert (await asyncio.to_thread(client.read, "/api/v1/incidents"))["incidents"] == []

    def answer(text: str) -> str:
        return box.from_handset(NOC, text)

    assert (await asyncio.to_thread(answer, f"e1-{letters} ok")).startswith(f"SIMULACRO E1-{letters}: gracias")
    assert re.match(rf"SIMULACRO E1(-{letters})? 1: ", await asyncio.to_thread(answer, f"E1-{letters} N"))
    assert "paso 1 anotado" in await asyncio.to_thread(answer, f"E1-{letters} D1")
    await asyncio.sleep(
        1.5
    )  # the ladder's first step would be over: its agency has acknowledged, and boss is not on the list
    score = (await run("drill-status"))["drill"]
    noc = next(one for one in score["contacts"] if one["contact"] == "noc")
    assert noc["acknowledged_seconds"] is not None
    assert (noc["via"], noc["done"]) == ("sms", [1])
    assert (score["told"], score["acknowledged"]) == (2, 1)

    engine.cut = "router:r"
    await until(lambda: app.drills.under_way is None, "the real incident breaks it off")
    await until(
        lambda: any("SIMULACRO E1" in one.text and "se interrumpe" in one.text for one in box.received()),
        "noc is told so",
    )
    await until(lambda: any("broken off" in one.text for one in sink.received()), "ctu is told so")
    real = [one for one in box.received() if not one.text.startswith("SIMULACRO")]
    await until(lambda: any(one.to.endswith(BOSS[1:]) for one in box.received()), "boss hears of what is real")
    assert real
    for one in box.received():
        assert one.text.startswith("SIMULACRO") == bool(re.search(r"\bE1\b", one.text))
        assert not (one.text.startswith(("SIMULACRO", "EXERCISE")) and one.to.endswith(BOSS[1:]))
    assert not any(
        "EXERCISE" in str(one.message["Subject"]) for one in sink.received() if one.to == ("boss@noc.example",)
    )
    ended = (await run("drill-score"))["drill"]
    assert ended["ending"] == "broken off"
    assert [one["id"] for one in (await run("drill-list"))["drills"]] == ["E1"]
    incidents = (await asyncio.to_thread(client.read, "/api/v1/incidents"))["incidents"]
    assert [one["asset"] for one in incidents] == ["router:r"]
    assert await hanging(app.journal, app.clock.now()) == []
