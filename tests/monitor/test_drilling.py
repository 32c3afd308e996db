"""Exercises as an operator leads them, through the commands of the control door."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerting.directory import Route
from alerting.drill import Drills
from alerting.journal import Journal
from alerting.plan import plan
from alerting.rota import Rotation
from alerting.runbooks import Runbooks
from monitor.config import load
from monitor.data import shipped
from monitor.drilling import Drilling, Office
from monitor.topology import Topology
from monitor.web.control import Refused
from tests.alerting.fakes import OPEN, Provider, contact, directory, open_journal
from tests.fakes import START, FakeClock

SETTINGS = load(None, {})
PEOPLE = replace(
    directory(contact("noc", "sms"), contact("ctu", "sms"), contact("mute")),
    routes=(Route("all", ("noc",)),),
    rotations={"duty": Rotation("duty", since=START, members=("ctu",))},
)


class Desk:
    """A daemon's exercises without the daemon."""

    def __init__(self, journal: Journal) -> None:
        self.journal, self.clock, self.drills, self.woken = journal, FakeClock(), Drills(), 0
        self.settings = replace(SETTINGS, directory=PEOPLE, channels={"sms": Provider()})
        topology = Topology(self.settings.world)
        office = Office(lambda: topology, Runbooks.load(shipped("runbooks")), self.wake)
        self.commands = Drilling(self.settings, journal, self.clock, self.drills, office).commands()

    def wake(self) -> None:
        self.woken += 1

    async def ask(self, name: str, **asked: object) -> dict[str, Any]:
        return dict(await self.commands[f"drill-{name}"]({**asked, "peer": "ops"}))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    journal = await open_journal(tmp_path)
    yield Desk(journal)
    await journal.close()


async def test_begun_shown_ended_scored_listed(desk: Desk) -> None:
    begun = await desk.ask("start", scenario="hurricane-cable", contacts=["noc", "duty", "mute"])
    assert begun["unreachable"] == ["mute"]
    one = begun["drill"]
    assert (one["id"], one["author"], one["runbook"][:10], one["steps"]) == ("E1", "ops", "cable-cut@", 15)
    assert [each["contact"] for each in one["contacts"]] == ["ctu", "mute", "noc"]
    assert one["due"] == "2026-09-01T12:45:00+00:00"
    assert (await desk.ask("status"))["drill"] == one
    with pytest.raises(Refused, match="another exercise"):
        await desk.ask("start", scenario="cctld-down", contacts=["noc"])
    with pytest.raises(Refused, match='"E9"'):
        await desk.ask("end", id="E9")
    desk.clock.elapsed = 600
    ended = (await desk.ask("end"))["drill"]
    assert (ended["ending"], ended["why"]) == ("ended", "ops has ended it")
    assert (await desk.ask("status"))["drill"] is None
    assert (await desk.ask("score"))["drill"] == (await desk.ask("score", id="E1"))["drill"] == ended
    listed = await desk.ask("list")
    assert {one["name"] for one in listed["scenarios"]} == {"hurricane-cable", "cctld-down", "vantage-cut-off"}
    assert [(one["id"], one["contacts"]) for one in listed["drills"]] == [("E1", 3)]
    assert desk.woken == 2
    again = await desk.ask("start", scenario="vantage-cut-off", contacts=["noc"], **{"for": "10m", "author": "CTU"})
    assert (again["drill"]["id"], again["drill"]["author"]) == ("E2", "CTU")
    assert desk.drills.alerts["E2"].kind == "vantage"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"scenario": "hurricane-cabel", "contacts": ["noc"]}, 'did you mean "hurricane-cable"'),
        ({"contacts": ["nco"]}, "did you mean"),
        ({"contacts": []}, "say who takes part"),
        ({"contacts": "noc"}, "say who takes part"),
        ({"contacts": ["mute"]}, "no|nobody on the list has an address"),
        ({"contacts": ["noc"], "for": "9h"}, "8h at most"),
        ({"contacts": ["noc"], "for": "long"}, "not a duration"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_begins(desk: Desk, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        await desk.ask("start", **{"scenario": "hurricane-cable", **asked})
    assert desk.drills.under_way is None
    assert await desk.journal.read("SELECT count(*) FROM drill") == [(0,)]
    with pytest.raises(Refused, match="no exercise"):
        await desk.ask("end")
    with pytest.raises(Refused, match="no exercise yet"):
        await desk.ask("score")


async def test_nobody_who_is_being_called_about_something_real_is_drawn_into_one(desk: Desk) -> None:
    async with desk.journal.transaction() as tx:
        await plan(tx, OPEN, PEOPLE, desk.clock.now())
    with pytest.raises(Refused, match="called about incident 4711"):
        await desk.ask("start", scenario="hurricane-cable", contacts=["noc"])
    assert desk.drills.under_way is None
    assert (await desk.ask("start", scenario="hurricane-cable", contacts=["ctu"]))["drill"]["id"] == "E1"
