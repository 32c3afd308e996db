"""Trouble during announced work, through the whole line in simulated time."""

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.maintenance import Calendar, checked
from monitor.model import Window
from monitor.views import IncidentFilter
from tests.fakes import START
from tests.monitor.sim import Fault, Script, Simulation
from tests.monitor.test_pipeline import DIRECTORY, hits, with_references
from tests.monitor.worlds import islands

BON = hits("cable:bon1", "router:bon", "nameserver:ns.bon")


def work(since: float, until: float, rule: str = "") -> Window:
    begin, end = START + timedelta(seconds=since), START + timedelta(seconds=until)
    return checked(Window("w", "cable:bon1", begin, end, "splice", "NOC", rule=rule))


async def opened(folder: Path, calendar: Calendar, *faults: Fault, seconds: float) -> list[tuple[str, float]]:
    """Return asset and when of each incident of a story."""
    simulation = Simulation(with_references(islands()), DIRECTORY, Script(list(faults), 0.0), folder)
    await simulation.open()
    simulation.pipeline.belief.calendar = calendar
    await simulation.run(seconds)
    found = await simulation.ledger.incidents(IncidentFilter())
    await simulation.close()
    return [(one.asset, (one.opened - START).total_seconds()) for one in found]


async def test_trouble_that_begins_and_ends_within_the_work_opens_no_incident(tmp_path: Path) -> None:
    calendar = Calendar([work(60, 400)])
    assert await opened(tmp_path, calendar, Fault(100, 300, BON), seconds=700) == []


async def test_trouble_that_outlasts_the_work_opens_one_incident_at_its_end(tmp_path: Path) -> None:
    calendar = Calendar([work(60, 400)])
    assert await opened(tmp_path, calendar, Fault(100, 900, BON), seconds=700) == [
        ("cable:bon1", pytest.approx(400, abs=2))
    ]


async def test_without_the_work_it_is_an_incident_at_once(tmp_path: Path) -> None:
    ((asset, at),) = await opened(tmp_path, Calendar(), Fault(100, 300, BON), seconds=300)
    assert asset == "cable:bon1"
    assert at < 140
