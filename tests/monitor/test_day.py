"""A day of the shipped checks against a scripted world, in simulated time."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.config import load
from monitor.model import Check, Incident, World
from monitor.views import IncidentFilter
from tests.counts import soak
from tests.monitor.sim import REFUSED, Fault, Script, Simulation
from tests.monitor.test_pipeline import DIRECTORY

HOURS = soak(ci=6, soak=24)


def faults(world: World, hours: float) -> list[Fault]:
    """The day: one ccTLD dies, one server refuses a zone, one host loses IPv6, our own link goes twice."""
    hour = 3600.0 * hours / 24

    def serves(cctld: str):  # type: ignore[no-untyped-def] # a predicate
        return lambda check: cctld in check.serves

    def host(name: str, family: int | None = None):  # type: ignore[no-untyped-def] # a predicate
        return lambda check: check.asset == name and family in {None, check.target.family}

    shared = next(c for c in world.checks.values() if len(c.serves) == 1 and c.serves[0] == "cctld:ag")
    return [
        Fault(2 * hour, 5 * hour, serves("cctld:bb")),
        Fault(4 * hour, 4.5 * hour, serves("cctld:tt"), REFUSED),
        Fault(6 * hour, 7 * hour, lambda _: True),
        Fault(6.5 * hour, 9 * hour, serves("cctld:jm")),
        Fault(10 * hour, 20 * hour, host(shared.asset, 6)),
        Fault(15 * hour, 15.2 * hour, lambda check: check.target.family == 6),
        Fault(18 * hour, 1e9, host(shared.asset)),
    ]


@dataclass(frozen=True)
class Day:
    simulation: Simulation
    found: Sequence[Incident]
    end: Mapping[str, str]
    journal: str
    """A digest of its file."""


async def live(folder: Path, hours: float) -> Day:
    """Run the day, and close it."""
    world = load(None).world
    simulation = Simulation(world, DIRECTORY, Script(faults(world, hours), loss=0.005), folder)
    await simulation.open()
    await simulation.run(hours * 3600)
    found = await simulation.ledger.incidents(IncidentFilter(limit=500))
    end = simulation.phases()
    await simulation.close()
    return Day(simulation, found, end, hashlib.sha256((folder / "journal.sqlite").read_bytes()).hexdigest())


async def test_a_day_ends_as_it_should_and_again_to_the_byte(tmp_path: Path) -> None:
    day = await live(tmp_path / "one", HOURS)
    titles = sorted({incident.title for incident in day.found})
    still = {incident.asset for incident in day.found if incident.closed is None}
    down = {asset for asset, phase in day.end.items() if phase == "down"}
    dead = next(c.asset for c in day.simulation.world.checks.values() if c.serves == ("cctld:ag",))
    assert down == {dead}
    assert still == {dead}
    assert "ccTLD .bb down" in titles
    assert "ccTLD .tt down" in titles
    assert "ccTLD .jm down" in titles
    assert "This vantage cut off" in titles
    unknown = {asset for asset, phase in day.end.items() if phase == "unknown"}
    assert unknown == set()
    assert day.simulation.series.count > 20_000 * HOURS
    again = await live(tmp_path / "two", HOURS)
    assert again.journal == day.journal


def test_every_shipped_check_has_a_family_that_the_guard_watches() -> None:
    world = load(None).world
    watched = {check.target.family for check in world.checks.values() if check.reference}

    def guarded(check: Check) -> bool:
        return check.target.family in watched

    assert all(guarded(check) for check in world.checks.values())
