"""The demo: the real daemon in the world of a story."""

import asyncio
from pathlib import Path

from aiohttp import ClientSession

from alerting.journal import Journal
from monitor.app import App
from monitor.config import load as load_config
from monitor.config.settings import Door
from monitor.data import shipped
from monitor.demo import Scripted, faster, settings_of
from monitor.doors import listen
from monitor.mailbox import Mailbox, with_mailbox
from monitor.model import Phase
from monitor.replay.play import play
from monitor.replay.story import Story, load
from monitor.replay.world import build
from probes.clock import SystemClock
from probes.model import Ask, Outcome
from tests.fakes import FakeClock, settle

SHIPPED = load_config(None, {})


def story(**more: object) -> Story:
    watch = {"router:r": "in AG", "router:s": "in AG"}
    return Story.model_validate({"story": "s", "watch": watch, "events": ["10s cut router:r"], **more})


async def test_the_engine_answers_as_the_story_says_when_an_answer_would_come() -> None:
    clock = FakeClock()
    world = build(story(), SHIPPED.world, clock.now())
    engine = Scripted(story(), world, clock)
    asks = [Ask(c.id, c.target, c.probe, c.timeout, clock.now()) for c in world.checks.values() if not c.reference]

    async def look() -> dict[str, tuple[Outcome, float]]:
        came = {}
        async for looks in engine.ask(asks):
            came |= {each.target.id: (each.parts[""].outcome, round(clock.elapsed, 2)) for each in looks}
        return came

    early = asyncio.create_task(look())
    await settle()
    await clock.advance(5)
    assert await early == {"router:r/4": (Outcome.OK, 0.05), "router:s/4": (Outcome.OK, 0.05)}
    await clock.advance(10)
    late = asyncio.create_task(look())
    await settle()
    await clock.advance(5)
    assert await late == {"router:s/4": (Outcome.OK, 15.05), "router:r/4": (Outcome.FAILED, 17.0)}


async def test_each_event_is_said_when_it_happens() -> None:
    clock, said = FakeClock(), list[tuple[float, str]]()
    told = story(events=["10s cut router:r", "20s clock +1h"])
    engine = Scripted(told, build(told, SHIPPED.world), clock, speed=2.0)
    telling = asyncio.create_task(engine.tell(told, lambda text: said.append((clock.elapsed, text))))
    await settle()
    await clock.advance(60)
    await telling
    assert [at for at, _ in said] == [5.0, 10.0, 40.0]
    assert "cannot be shown here" in said[1][1]


def test_faster_keeps_the_proportions(tmp_path: Path) -> None:
    world = build(story(), SHIPPED.world)
    quick = faster(world, 5.0)
    assert {c.every for c in quick.checks.values()} == {2.0, 1.0}
    assert {c.rule.silence_seconds for c in quick.checks.values()} == {1.6}
    assert quick.settle_seconds == world.settle_seconds / 5
    made = settings_of(story(), SHIPPED, tmp_path, SystemClock(), port=8080, speed=1.0)
    assert not made.channels
    assert made.state == tmp_path


async def test_the_real_daemon_shows_the_story_on_its_page(tmp_path: Path) -> None:
    told = story(events=["0s cut router:r"], rule={"fall": "2", "silence": "1s"}, every="2s")
    clock = SystemClock()
    box = Mailbox()
    settings = with_mailbox(settings_of(told, SHIPPED, tmp_path, clock, port=0, speed=5.0), box)
    engines = {"icmp": Scripted(told, settings.world, clock, 5.0)}
    app = await App.start(settings, clock, lambda _: None, Journal, engines)
    line = asyncio.create_task(app.run(asyncio.Event()))
    try:
        async with asyncio.timeout(60):
            while app.snapshots().assets["router:r"].phase is not Phase.DOWN:  # noqa: ASYNC110 - the page sets no event
                await asyncio.sleep(0.05)
        host, port = app.runners[0].addresses[0][:2]
        async with ClientSession() as session, session.get(f"http://{host}:{port}/") as page:
            text = await page.text()
        assert "Router r down" in text
        assert "nobody is asked or told" in app.health().capabilities[0]
        async with asyncio.timeout(60):
            while len(box.letters) < 2:  # noqa: ASYNC110 - the mailbox sets no event
                await asyncio.sleep(0.05)
        await check_mailbox(box)
    finally:
        line.cancel()
        await asyncio.gather(line, return_exceptions=True)
        await app.stop()


async def check_mailbox(box: Mailbox) -> None:
    """A list that renews itself, and each mail on a page of its own."""
    runner = await listen(box.page("http://127.0.0.1:8080/"), Door("127.0.0.1", 0), "--port")
    try:
        host, port = runner.addresses[0][:2]
        (mail,) = [one for one in box.letters if one.form == "mail"]
        async with ClientSession(f"http://{host}:{port}") as session:
            async with session.get("/") as page:
                listed = await page.text()
            async with session.get(f"/{mail.number}") as page:
                whole = await page.text()
            async with session.get("/99") as page:
                assert page.status == 404
    finally:
        await runner.cleanup()
    assert "1 MAJOR: Router r down" in listed
    assert "Desk +1 767 555 0199" in listed
    assert f'<a href="/{mail.number}">[1] GRAVE: ' in listed
    assert 'http-equiv="refresh"' in listed
    assert 'http-equiv="refresh"' not in whole
    assert "office@example.org" in whole
    assert mail.body.splitlines()[0] in whole


def test_the_shipped_story_is_met() -> None:
    told = load(shipped("config") / "demo.yaml")
    assert play(told, SHIPPED.world).missed == []
    assert told.length <= 600
