"""While the journal cannot be written the line stands still; then it goes on, and nothing has filled the memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from monitor.schedule import BACKLOG, Scheduler
from probes.clock import SystemClock
from probes.model import Ask, Observation, Outcome, Part
from tests.fakes import settle
from tests.monitor.sim import Script, Simulation
from tests.monitor.test_pipeline import DIRECTORY, with_references
from tests.monitor.worlds import VANTAGE, check, islands, make_world


class Flood:
    """An engine that answers each question many times over, so that the queue fills soon."""

    capability = ""
    bugs = 0

    def __init__(self) -> None:
        self.answers = 0

    async def ask(self, asks: Sequence[Ask]) -> AsyncIterator[list[Observation]]:
        part = {"": Part(Outcome.OK)}
        batch = [Observation(a.check, a.target, "icmp", VANTAGE, a.at, a.at, 0.0, part) for a in asks] * 500
        self.answers += len(batch)
        yield batch

    async def close(self) -> None:
        """Nothing to give back."""


async def test_nobody_is_asked_while_the_line_is_far_behind(tmp_path: Path) -> None:
    engine = Flood()
    scheduler = Scheduler(make_world([check(f"router:r{n}") for n in range(100)], []), {"icmp": engine}, SystemClock())
    while engine.answers < BACKLOG:
        for n in range(100):
            scheduler.again(f"router:r{n}/4/icmp/", 0.0)
        await asyncio.sleep(0.01)
    before = engine.answers
    for n in range(100):
        scheduler.again(f"router:r{n}/4/icmp/", 0.0)
    await settle(200)
    assert engine.answers == before
    simulation = Simulation(with_references(islands()), DIRECTORY, Script(), tmp_path)
    await simulation.open()
    feeding = asyncio.create_task(scheduler.feed(simulation.pipeline))
    async with asyncio.timeout(20):
        while engine.answers == before:
            scheduler.again("router:r0/4/icmp/", 0.0)
            await asyncio.sleep(0.01)
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
    await scheduler.stop()
    await simulation.close()
