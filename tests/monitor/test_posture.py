"""Postures: set by people, told, recorded, over by themselves; looks come more often, evidence stays the same."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerting.directory import Directory, Route
from alerting.journal import Journal
from alerting.model import Address, Contact, Severity
from alerting.runbooks import Runbooks
from monitor.config import Settings, load
from monitor.data import shipped
from monitor.posture import PACE, Level, Posture, tightened, to_alert
from monitor.posturing import Posturing
from monitor.topology import Topology
from monitor.web.control import Refused
from tests.fakes import START, FakeClock
from tests.monitor.sim import SCHEMAS
from tests.monitor.worlds import asset, check, make_world

DIRECTORY = Directory(
    {"desk": Contact("desk", "CTU", addresses=(Address("sms", "+18685550100"),))},
    (Route("dominica", ("desk",), territories=("DM",)),),
    "+1 868 555 0100",
    dict.fromkeys(Severity, 86400.0),
)
STORM = {"territory": "DM", "reason": "Hurricane Erin", "for": "36h", "peer": "root"}


class Desk:
    """The commands, on a real journal in time that a test moves."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder, self.clock = settings, folder, FakeClock()
        self.changed = self.planned = 0

    async def open(self) -> "Desk":
        self.journal = await Journal.open(self.folder / "journal.sqlite", SCHEMAS)
        self.posturing = await Posturing(
            lambda: self.settings, self.journal, self.clock, changed=self._change, planned=self._plan, note=str
        ).boot()
        return self

    def _change(self) -> None:
        self.changed += 1

    def _plan(self) -> None:
        self.planned += 1

    async def __call__(self, command: str, **asked: object) -> dict[str, Any]:
        return dict(await self.posturing.commands()[f"posture-{command}"]({"peer": "root", **asked}))

    async def told(self) -> list[tuple[str, str]]:
        return [(a, b) for a, b in await self.journal.read("SELECT incident, reason FROM notification ORDER BY id")]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = await Desk(replace(load(None, {}), directory=DIRECTORY), tmp_path).open()
    yield made
    await made.journal.close()


async def test_a_posture_is_told_recorded_and_over_by_itself(desk: Desk) -> None:
    answer = await desk("set", level="prepare", **{**STORM, "author": "ODM"})
    assert answer["posture"]["id"] == "P1"
    assert (desk.changed, desk.planned) == (1, 1)
    assert await desk.told() == [("P1", "first")]
    (alert,) = desk.posturing.standing()
    assert (alert.what, alert.territory, alert.severity) == ("Posture prepare for Dominica", "DM", Severity.WARNING)
    running = asyncio.create_task(desk.posturing.run())
    await desk.clock.advance(35 * 3600)
    assert [one.id for one in desk.posturing.on] == ["P1"]
    await desk.clock.advance(2 * 3600)
    for _ in range(200):
        if not desk.posturing.on:
            break
        await asyncio.sleep(0.01)
    running.cancel()
    assert desk.posturing.on == ()
    assert desk.posturing.truth("P1").closing == "its time is over"
    (row,) = (await desk("list", past=True))["postures"]
    assert (row["level"], row["author"], row["ending"]) == ("prepare", "ODM", "its time is over")


async def test_a_second_one_replaces_the_first_of_its_territory_alone(desk: Desk) -> None:
    await desk("set", level="prepare", **STORM)
    await desk("set", level="watch", **{**STORM, "territory": "BB"})
    answer = await desk("set", level="imminent", **STORM)
    assert answer["replaced"] == ["P1"]
    assert [(one.id, one.territory, one.level.value) for one in desk.posturing.on] == [
        ("P2", "BB", "watch"),
        ("P3", "DM", "imminent"),
    ]


async def test_it_is_ended_by_hand_by_its_number_or_its_territory(desk: Desk) -> None:
    await desk("set", level="impact", **STORM)
    assert (await desk("end", id="DM"))["posture"]["ending"] == "ended by hand"
    with pytest.raises(Refused, match="no posture"):
        await desk("end", id="P1")


async def test_a_restart_goes_on_with_what_is_in_force(desk: Desk) -> None:
    await desk("set", level="prepare", **STORM)
    again = await Posturing(
        lambda: desk.settings, desk.journal, desk.clock, changed=dict, planned=dict, note=str
    ).boot()
    assert [one.id for one in again.on] == ["P1"]
    assert again.truth("P1") == desk.posturing.truth("P1")


async def test_whoever_the_files_name_only_now_hears_of_what_is_in_force_once(desk: Desk) -> None:
    await desk("set", level="prepare", **STORM)
    noc = Contact("noc", "NOC", addresses=(Address("sms", "+18685550101"),))
    wider = {**DIRECTORY.contacts, "noc": noc}, (Route("dominica", ("desk", "noc"), territories=("DM",)),)
    desk.settings = replace(desk.settings, directory=replace(DIRECTORY, contacts=wider[0], routes=wider[1]))
    for _ in range(2):
        await desk.posturing.tell_newly_named()
    assert await desk.journal.read("SELECT contact FROM notification ORDER BY id") == [("desk",), ("noc",)]
    assert desk.planned == 2


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"level": "calm"}, "no posture"),
        ({"territory": "XX"}, "unknown territory"),
        ({"territory": "Dominica"}, "unknown territory"),
        ({"for": None}, "say until when"),
        ({"until": "18:00"}, "say until when"),
        ({"for": "90d"}, "at most 60 days"),
        ({"for": "soon"}, "not a duration"),
        ({"reason": " "}, "--reason"),
        ({"reason": "x" * 201}, "--reason"),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_a_sentence(desk: Desk, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        await desk("set", **{"level": "prepare", **STORM, **asked})
    assert desk.posturing.on == ()
    assert await desk.told() == []


def posture(level: Level, territory: str = "DM") -> Posture:
    return Posture(1, territory, level, START, START + timedelta(hours=36), "Erin", "ODM")


@pytest.mark.parametrize("level", Level)
def test_looks_come_more_often_in_its_territory_and_the_evidence_stays(level: Level) -> None:
    checks = [check("router:dm", every=60.0), check("router:ag", every=60.0)]
    checks.append(check("nameserver:ns", every=60.0, serves=("cctld:dm",)))
    world = make_world(
        checks, [], asset("router:dm", "DM"), asset("router:ag", "AG"), asset("cctld:dm", "DM"), references=("one",)
    )
    found = tightened(world, Topology(world).territories, [posture(level)]).checks
    assert found["router:dm/4/icmp/"].every == 60.0 / PACE[level]
    assert found["nameserver:ns/4/icmp/"].every == 60.0 / PACE[level], "it stands where what it serves stands"
    assert found["router:ag/4/icmp/"] == world.checks["router:ag/4/icmp/"]
    assert found.keys() == world.checks.keys()
    for name, one in found.items():
        assert one.rule == world.checks[name].rule
        assert one.timeout == world.checks[name].timeout
        assert replace(one, every=0.0) == replace(world.checks[name], every=0.0)


def test_nothing_is_asked_faster_than_is_polite() -> None:
    world = make_world([check("router:dm", every=12.0)], [], asset("router:dm", "DM"))
    (one,) = tightened(world, Topology(world).territories, [posture(Level.IMPACT)]).checks.values()
    assert one.every == 10.0


@pytest.mark.parametrize("level", Level)
def test_it_has_its_runbook_in_both_languages(level: Level) -> None:
    alert = to_alert(posture(level), load(None, {}).world.territories)
    book = Runbooks.load(shipped("runbooks")).match(alert)
    assert book is not None
    assert book.id == "hurricane-approaching"
    assert book.spoken("es").language == "es"
