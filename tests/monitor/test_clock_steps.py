"""The machine's clock is set back or forward: the line goes on looking, judging and telling."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.schedule import Scheduler
from monitor.views import IncidentFilter
from probes.clock import SystemClock
from probes.model import Ask, Observation, Outcome, Part
from tests.monitor.sim import Fault, Script, Simulation
from tests.monitor.test_app import daemon
from tests.monitor.test_pipeline import DIRECTORY, everything, hits, story, with_references
from tests.monitor.worlds import VANTAGE, check, make_world

HOUR = timedelta(hours=1)
WORLD = make_world([check("router:bon"), check("router:ant")], [])


async def stepped(tmp_path: Path, at: float, step: timedelta, seconds: float, *faults: Fault) -> Simulation:
    """Run the world, with the clock set by ``step`` after ``at`` seconds."""
    simulation = await story(tmp_path, WORLD, at, *faults)
    simulation.clock.start += step
    simulation._reached += step
    await simulation.run(seconds - at)
    return simulation


@pytest.mark.parametrize("step", [-HOUR, HOUR])
async def test_an_own_link_cut_after_a_step_is_the_only_incident(step: timedelta, tmp_path: Path) -> None:
    simulation = await stepped(tmp_path, 51, step, 300, Fault(100, 400, everything))
    (incident,) = simulation.pipeline.book.open.values()
    assert incident.asset == VANTAGE
    assert simulation.phases()["router:bon"] == "unknown"
    await simulation.close()


@pytest.mark.parametrize("step", [-HOUR, HOUR])
async def test_an_own_link_cut_across_a_step_is_the_only_incident(step: timedelta, tmp_path: Path) -> None:
    simulation = await stepped(tmp_path, 101.5, step, 300, Fault(100, 200, everything))
    (incident,) = await simulation.ledger.incidents(IncidentFilter())
    assert (incident.asset, incident.closed is not None) == (VANTAGE, True)
    await simulation.close()


@pytest.mark.parametrize("at", [109.0, 150.0])
@pytest.mark.parametrize("step", [-HOUR, HOUR])
async def test_an_outage_across_a_step_opens_in_time_and_closes(at: float, step: timedelta, tmp_path: Path) -> None:
    simulation = await stepped(tmp_path, at, step, 170, Fault(100, 200, hits("router:bon")))
    assert [incident.asset for incident in simulation.pipeline.book.open.values()] == ["router:bon"]
    await simulation.run(100)
    (incident,) = await simulation.ledger.incidents(IncidentFilter())
    assert incident.closed is not None
    assert incident.closed >= incident.opened
    assert simulation.pipeline.trouble == ""
    await simulation.close()


class Shifted(SystemClock):
    """The machine's clock, ahead by ``ahead``."""

    ahead = HOUR

    def now(self) -> datetime:
        return super().now() + self.ahead


class Answers:
    """An engine that counts what it is asked; everything answers."""

    capability = ""
    bugs = 0

    def __init__(self) -> None:
        self.asked = 0
        self.more = asyncio.Event()

    async def ask(self, asks: Sequence[Ask]) -> AsyncIterator[list[Observation]]:
        self.asked += len(asks)
        self.more.set()
        part = {"": Part(Outcome.OK)}
        yield [Observation(a.check, a.target, "icmp", VANTAGE, a.at, a.at, 0.0, part) for a in asks]

    async def close(self) -> None:
        """Nothing to give back."""


async def test_after_the_clock_was_set_back_the_cadences_go_on(tmp_path: Path) -> None:
    """The jobs were made for an hour that is now to come: as APScheduler sees it once the clock has been set back."""
    clock, engine = Shifted(), Answers()
    simulation = Simulation(with_references(WORLD), DIRECTORY, Script(), tmp_path)
    await simulation.open()
    world = make_world([check(f"router:r{n}", every=1.0) for n in range(4)], [])
    scheduler = Scheduler(world, {"icmp": engine}, clock)
    scheduler.start()
    feeding = asyncio.create_task(scheduler.feed(simulation.pipeline))
    clock.ahead = timedelta()
    async with asyncio.timeout(20):
        while engine.asked < 12:
            engine.more.clear()
            await engine.more.wait()
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
    await scheduler.stop()
    await simulation.close()


FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
LOOKS = """
assets: [{id: 'site:lo', name: Site, territory: BB}, {id: 'router:lo', name: Router, territory: BB}]
targets:
  - {asset: 'site:lo', address: 127.0.0.1, probe: tcp, settings: {port: 9115}, every: 1s, timeout: 500ms}
  - {asset: 'router:lo', address: 127.0.0.1, every: 1s, timeout: 500ms}
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or FAKETIME is None, reason="needs root and faketime"
)
def test_the_daemon_itself_goes_on_looking_whenever_its_clock_is_set(tmp_path: Path) -> None:
    """The whole process, its libraries and SQLite see the other time; the kernel's stamps do not."""
    ahead = tmp_path / "ahead"
    ahead.write_text("+0\n")
    wrap = ("env", f"LD_PRELOAD={FAKETIME}", f"FAKETIME_TIMESTAMP_FILE={ahead}", "FAKETIME_NO_CACHE=1")
    with daemon(tmp_path, *wrap, "FAKETIME_DONT_FAKE_MONOTONIC=1", config=LOOKS) as lambi:

        def looks() -> list[dict[str, Any]]:
            return [lambi.json(f"/api/v1/asset/{each}") for each in ("site:lo", "router:lo")]

        def hours() -> set[int]:
            """How far the latest looks are ahead of our own time."""
            seen = [datetime.fromisoformat(one["seen"]) for one in looks()]
            return {round((at - SystemClock().now()) / HOUR) for at in seen}

        lambi.wait("answers", lambda: all(one["state"] == "up" for one in looks()))
        for hour in (1, 0):
            ahead.write_text(f"{hour * 3600:+d}\n")
            lambi.wait(f"looks at {hour:+d} h", lambda hour=hour: hours() == {hour}, 10)  # type: ignore[misc] # bound at once
            assert {one["state"] for one in looks()} == {"up"}
    assert lambi.process.returncode == 0
    assert "Traceback" not in lambi.log()
