"""A peer that falls silent, through the line in simulated time: who is told of it, and what is no sign of life."""

import asyncio
from pathlib import Path

import pytest

from alerting.directory import Directory, Route
from alerting.model import Address, Contact, Severity
from monitor.heartbeat import Heartbeat, Peer, Vitals, unwell
from monitor.model import Check, Rule
from monitor.peers import Peers
from monitor.views import IncidentFilter
from probes.model import Ask, Part, Target
from tests.alerting.fakes import SCHEMAS, FullDisk, Office, Provider
from tests.fakes import FakeClock
from tests.monitor.sim import Fault, Script, Simulation
from tests.monitor.test_heartbeat import until
from tests.monitor.worlds import VANTAGE, check, make_world

JM = Peer("jm", "a secret of two islands")


class Days(Script):
    """A peer that beats every minute but in ``silent``; its checks are answered by the ear."""

    peers: Peers
    silent: tuple[tuple[float, float], ...] = ()

    def answer(self, check: Check, seconds: float) -> tuple[Part, float]:
        if check.kind != Heartbeat.kind:
            return super().answer(check, seconds)
        ask = Ask(check.id, check.target, check.probe, check.timeout, self.clock.now())
        return self.peers.look(ask).parts[""], 0.0

    clock: FakeClock


def peer_check(grace: float = 180.0) -> Check:
    target = Target("peer:jm", "jm", 4)
    rule = Rule(fall=1, rise=1, silence_seconds=0.0, refusal_seconds=0.0)
    return Check(JM.check, "peer:jm", target, Heartbeat.kind, Heartbeat(grace), 5.0, 1.0, rule)


DIRECTORY = Directory(
    {"desk": Contact("desk", "CTU", addresses=(Address("sms", "+18685550100"),))},
    (Route("peers", ("desk",), kinds=("peer",)),),
    "",
    dict.fromkeys(Severity, 86400.0),
)


async def days(
    tmp_path: Path, minutes: int, *, silent: tuple[int, int] = (0, 0), cut: tuple[int, int] = (0, 0)
) -> Simulation:
    """Let a peer beat each minute, but from ``silent`` to ``silent``, and never while our own link is ``cut``."""
    networks = ("one", "two", "three", "four", "five")
    world = make_world([check("router:bon"), peer_check()], [], references=networks)
    script = Days([Fault(60 * cut[0] + 3.3, 60 * cut[1] + 3.3, lambda _: True)] if cut[1] else [])
    simulation = Simulation(world, DIRECTORY, script, tmp_path)
    await simulation.open()
    script.clock = simulation.clock
    script.peers = Peers([JM], world.checks.values(), VANTAGE, simulation.clock, simulation.pipeline.sees)
    for minute in range(minutes):
        if not any(first <= minute < last for first, last in (silent, cut)):
            script.peers.hear(JM, 0)
            simulation._again(JM.check, 0.0)
        await simulation.run(60)
    return simulation


async def told(simulation: Simulation) -> list[tuple[str, str]]:
    rows = await simulation.journal.read("SELECT contact, reason FROM notification ORDER BY id")
    return [(contact, reason) for contact, reason in rows]


async def test_a_peer_that_falls_silent_is_an_incident_that_its_contacts_are_told_of_and_its_return_closes(
    tmp_path: Path,
) -> None:
    simulation = await days(tmp_path, 30, silent=(10, 20))
    (incident,) = await simulation.ledger.incidents(IncidentFilter())
    assert incident.title == "Peer JM silent"
    assert incident.reason.startswith("no heartbeat for 18")
    assert (incident.opened - simulation.clock.start).total_seconds() == pytest.approx(9 * 60 + 180, abs=12)
    assert incident.closed is not None
    assert (incident.closed - simulation.clock.start).total_seconds() == pytest.approx(20 * 60, abs=5)
    assert await told(simulation) == [("desk", "first")], "the one message tells the end too: it has not left yet"
    await simulation.close()


async def test_while_our_own_link_is_cut_no_peer_is_silent(tmp_path: Path) -> None:
    simulation = await days(tmp_path, 40, cut=(10, 25))
    assert [one.asset for one in await simulation.ledger.incidents(IncidentFilter())] == [VANTAGE]
    assert simulation.phases()["peer:jm"] == "up"
    assert await told(simulation) == []
    await simulation.close()


async def test_a_peer_that_died_while_we_were_cut_off_is_told_of_after_its_grace(tmp_path: Path) -> None:
    simulation = await days(tmp_path, 40, cut=(10, 20), silent=(10, 40))
    (silent,) = await simulation.ledger.incidents(IncidentFilter(asset="peer:jm"))
    assert (silent.opened - simulation.clock.start).total_seconds() == pytest.approx(20 * 60 + 180, abs=20)
    assert await told(simulation) == [("desk", "first")]
    await simulation.close()


async def test_a_peer_that_was_never_heard_is_told_of_too(tmp_path: Path) -> None:
    simulation = await days(tmp_path, 10, silent=(0, 10))
    (incident,) = await simulation.ledger.incidents(IncidentFilter())
    assert "and never before, since this daemon began" in incident.reason
    await simulation.close()


async def test_while_the_journal_is_full_neither_the_line_nor_the_outbox_counts_as_alive(tmp_path: Path) -> None:
    journal = await FullDisk.open(tmp_path / "journal.sqlite", SCHEMAS)
    office = Office(journal, DIRECTORY, {"sms": Provider()})
    running = asyncio.create_task(office.outbox.run())
    await until(lambda: office.outbox.turned == 0.0)
    journal.full = True
    for _ in range(20):
        await office.clock.advance(10)
        await asyncio.sleep(0.01)
    assert office.outbox.turned is not None
    assert office.outbox.turned < 70
    assert unwell(Vitals(270, 270, office.outbox.turned), 5.0, 280).startswith("the outbox has not turned for 2")
    journal.full = False
    await office.clock.advance(10)
    await until(lambda: (office.outbox.turned or 0) >= 200)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await journal.close()


async def test_what_peers_say_of_themselves_is_no_sign_that_this_daemon_looks(tmp_path: Path) -> None:
    simulation = await days(tmp_path, 5)
    looked, written = simulation.pipeline.looked, simulation.pipeline.written
    assert looked is not None
    assert looked > 290
    assert written is not None
    assert written > 285
    simulation.clock.elapsed += 1000
    ask = Ask(JM.check, Target("peer:jm", "jm", 4), Heartbeat(180.0), 1.0, simulation.clock.now())
    await simulation.pipeline.take([simulation.script.peers.look(ask)])  # type: ignore[attr-defined] # this script has peers
    assert simulation.pipeline.looked == looked
    await simulation.close()
