"""While the journal cannot be written the line stands still; then it goes on, and nothing has filled the memory."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from monitor.schedule import BACKLOG, Scheduler
from probes.clock import SystemClock
from probes.model import Ask, Observation, Outcome, Part
from tests.alerting.fakes import FullDisk
from tests.fakes import settle
from tests.monitor.sim import Fault, Script, Simulation
from tests.monitor.test_pipeline import DIRECTORY, hits, with_references
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


DOWN = Script([Fault(50, 1000, hits("cable:bon1", "router:bon", "nameserver:ns.bon"))])


async def test_a_full_disk_is_waited_out_and_said(tmp_path: Path) -> None:
    simulation = Simulation(with_references(islands()), DIRECTORY, DOWN, tmp_path)
    await simulation.open(FullDisk)
    await simulation.run(40)
    simulation.journal.full = True  # type: ignore[attr-defined] # it is a FullDisk
    running = asyncio.create_task(simulation.run(60))
    async with asyncio.timeout(20):
        while not simulation.pipeline.trouble:  # noqa: ASYNC110 - the condition is the journal's thread's
            await asyncio.sleep(0.01)
    assert "database or disk is full" in simulation.pipeline.trouble
    assert simulation.pipeline.book.open == {}
    simulation.journal.full = False  # type: ignore[attr-defined] # it is a FullDisk
    async with asyncio.timeout(20):
        while not running.done():
            await simulation.clock.advance(1.0 if simulation.pipeline.trouble else 0.0)
            await asyncio.sleep(0.001)
    assert len(simulation.pipeline.book.open) == 1
    await simulation.close()


async def test_a_defect_in_what_is_written_ends_the_line(tmp_path: Path) -> None:
    """A row that can never be written would stand still for ever: the supervisor starts the daemon again."""
    simulation = Simulation(with_references(islands()), DIRECTORY, DOWN, tmp_path)
    await simulation.open()
    async with simulation.journal.transaction() as tx:
        await tx.execute("CREATE TRIGGER defect BEFORE INSERT ON incident BEGIN SELECT RAISE(ABORT, 'a defect'); END")
    with pytest.raises(sqlite3.IntegrityError, match="a defect"):
        await simulation.run(100)
    await simulation.close()
