"""Baselines in the whole line: an incident with figures, and what was learned after a restart."""

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.belief import Step
from monitor.incidents import Book
from monitor.model import Learned, Phase, World
from monitor.views import IncidentFilter
from probes.model import Outcome, Part
from tests.monitor.sim import Fault, Script, Simulation
from tests.monitor.test_baseline import CHECK, NAME, RTT, START, WEEK, Life, island, saved
from tests.monitor.test_pipeline import DIRECTORY, everything, with_references
from tests.monitor.worlds import RULE, make_world

SLOW = Part(Outcome.OK, "", {"rtt_seconds": 0.412})


def world() -> World:
    return with_references(make_world([replace(CHECK, every=10.0, rule=replace(RULE, baselines=(RTT,)))], []))


@pytest.fixture
async def taught(tmp_path: Path) -> Path:
    """A journal that an earlier run left: three weeks were learned until now."""
    life = Life(at=START - 3 * WEEK).live(3 * WEEK, island(1, base=0.045))
    before = Simulation(world(), DIRECTORY, Script(), tmp_path)
    await before.open()
    async with before.journal.transaction() as tx:
        await before.ledger.write(tx, START, Step([], [], [], Book(), saved(life)))
    await before.close()
    return tmp_path


async def learned(simulation: Simulation) -> list[Learned]:
    return list((await simulation.ledger.boot()).learned)


async def test_slower_than_ever_is_an_incident_with_figures_that_ends(taught: Path) -> None:
    faults = [Fault(60, 160, lambda check: not check.reference, SLOW)]
    simulation = Simulation(world(), DIRECTORY, Script(faults), taught)
    await simulation.open()
    await simulation.run(300)
    (incident,) = await simulation.ledger.incidents(IncidentFilter())
    assert incident.reason.startswith("slower than ever: rtt 412 ms, usually ")
    assert (incident.phase, incident.closed is not None) == (Phase.DEGRADED, True)
    assert (incident.opened - incident.began).total_seconds() <= 2 * 10 + 2
    await simulation.close()


async def test_what_was_learned_outlives_the_daemon_and_is_saved_again(taught: Path) -> None:
    simulation = Simulation(world(), DIRECTORY, Script(), taught)
    await simulation.open()
    (before,) = await learned(simulation)
    assert before[:4] == (*NAME, RTT.key)
    await simulation.run(60)
    (usual,) = simulation.pipeline.belief.usual.usual(NAME, simulation.clock.now())
    assert usual.low is not None
    simulation.pipeline.belief.usual._parts[NAME].series[RTT.key].saved -= 6  # as if hours had passed
    simulation.clock.elapsed += 3600
    await simulation.run(60)
    (after,) = await learned(simulation)
    assert after.middles != before.middles
    await simulation.close()


async def test_a_cut_off_vantage_teaches_nothing(taught: Path) -> None:
    faults = [Fault(20, 400, lambda check: bool(check.reference)), Fault(20, 400, everything, SLOW)]
    simulation = Simulation(world(), DIRECTORY, Script(faults), taught)
    await simulation.open()
    await simulation.run(400)
    series = simulation.pipeline.belief.usual._parts[NAME].series[RTT.key]
    assert len(series.looks) < 10, "what answers beside a cut link is looked at 40 times, and not learned from"
    await simulation.close()
