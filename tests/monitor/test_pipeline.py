"""The whole line in simulated time, on a real journal: what is found, when, and what is planned to be told."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.directory import Directory, Route
from alerting.model import Address, Contact, Severity
from monitor.model import Check, World
from monitor.views import IncidentFilter
from tests.monitor.sim import REFUSED, SILENT, Fault, Script, Simulation
from tests.monitor.worlds import VANTAGE, check, islands, make_world, reference

NETWORKS = ("one", "two", "three", "four", "five")
DIRECTORY = Directory(
    {"desk": Contact("desk", "CTU", addresses=(Address("sms", "+18685550100"),))},
    (Route("all", ("desk",)),),
    "+1 868 555 0100",
    dict.fromkeys(Severity, 86400.0),
)


def with_references(world: World) -> World:
    return make_world(
        list(world.checks.values()), list(world.dependencies), *world.assets.values(), references=NETWORKS
    )


def hits(*assets: str):  # type: ignore[no-untyped-def] # a predicate
    return lambda check: check.asset in assets


def everything(_check: Check) -> bool:
    return True


async def story(tmp_path: Path, world: World, seconds: float, *faults: Fault, loss: float = 0.0) -> Simulation:
    simulation = Simulation(with_references(world), DIRECTORY, Script(list(faults), loss), tmp_path)
    await simulation.open()
    await simulation.run(seconds)
    return simulation


async def planned(simulation: Simulation) -> list[tuple[str, str]]:
    rows = await simulation.journal.read("SELECT incident, reason FROM notification ORDER BY id")
    return [(incident, reason) for incident, reason in rows]


async def test_a_cut_cable_is_one_incident_told_once_and_closed(tmp_path: Path) -> None:
    bon = hits("cable:bon1", "router:bon", "nameserver:ns.bon")
    simulation = await story(tmp_path, islands(), 400, Fault(100, 200, bon))
    (incident,) = await simulation.ledger.incidents(IncidentFilter())
    assert incident.title == "Cable BON1 down"
    assert incident.closed is not None
    assert (incident.began - simulation.clock.start).total_seconds() == pytest.approx(105, abs=5)
    assert (incident.opened - simulation.clock.start).total_seconds() <= 100 + 3 * 10 + 2
    assert await planned(simulation) == [("1", "first")], "the one message tells the end too: it has not left yet"
    assert simulation.pins == ["Cable BON1 down"]
    await simulation.close()


@pytest.mark.parametrize("burst", [3.0, 5.0, 8.0])
async def test_a_burst_of_loss_makes_no_outage(tmp_path: Path, burst: float) -> None:
    faults = [Fault(30 + 60 * n, 30 + 60 * n + burst, lambda c: not c.reference) for n in range(5)]
    simulation = await story(tmp_path, islands(), 400, *faults)
    assert await simulation.ledger.incidents(IncidentFilter()) == []
    await simulation.close()


async def test_random_loss_makes_no_outage(tmp_path: Path) -> None:
    simulation = await story(tmp_path, islands(), 7200, loss=0.02)
    assert await simulation.ledger.incidents(IncidentFilter()) == []
    await simulation.close()


async def test_a_refusal_is_believed_sooner_than_silence(tmp_path: Path) -> None:
    world = make_world([check("router:bon")], [])
    simulation = await story(tmp_path / "a", world, 200, Fault(100, 200, hits("router:bon"), REFUSED))
    silent = await story(tmp_path / "b", world, 200, Fault(100, 200, hits("router:bon"), SILENT))
    (sooner,) = await simulation.ledger.incidents(IncidentFilter())
    (later,) = await silent.ledger.incidents(IncidentFilter())
    assert (sooner.opened - sooner.began).total_seconds() < 3.5
    assert 8 <= (later.opened - later.began).total_seconds() < 11
    await simulation.close()
    await silent.close()


async def test_the_own_link_cut_is_the_only_incident(tmp_path: Path) -> None:
    simulation = await story(tmp_path, islands(), 400, Fault(103.3, 201.7, everything))
    (incident,) = await simulation.ledger.incidents(IncidentFilter())
    assert incident.asset == VANTAGE
    assert incident.title == "Vantage HUB cut off"
    assert incident.closed is not None
    assert set(simulation.phases().values()) == {"up"}
    coverage = await simulation.ledger.coverage(simulation.clock.start, simulation.clock.now())
    assert coverage.looked_seconds == pytest.approx(300, abs=20)
    await simulation.close()


async def test_what_answers_on_the_own_island_stays_up_while_the_world_is_gone(tmp_path: Path) -> None:
    near = hits("router:ant", "nameserver:ns.ant")
    simulation = await story(tmp_path, islands(), 300, Fault(100, 1000, lambda c: not near(c)))
    phases = simulation.phases()
    assert phases["router:ant"] == "up"
    assert phases["cctld:ant"] == "up"
    assert phases["router:bon"] == "unknown"
    assert phases[VANTAGE] == "down"
    await simulation.close()


async def test_an_outage_that_was_open_when_the_link_went_is_neither_closed_nor_told_again(tmp_path: Path) -> None:
    faults = [Fault(50, 300, hits("router:bon")), Fault(100, 200, everything)]
    simulation = await story(tmp_path, make_world([check("router:bon")], []), 260, *faults)
    bon, vantage = sorted(await simulation.ledger.incidents(IncidentFilter()), key=lambda i: int(i.id))
    assert (bon.asset, bon.closed) == ("router:bon", None)
    assert vantage.closed is not None
    assert await planned(simulation) == [("1", "first"), ("2", "first")]
    await simulation.close()


async def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    first = await story(tmp_path, islands(), 150, Fault(100, 1000, hits("cable:bon1", "router:bon")))
    await first.close()
    second = Simulation(first.world, DIRECTORY, Script([Fault(0, 60, hits("cable:bon1", "router:bon"))]), tmp_path)
    second.clock.start = first.clock.now()
    second._reached = second.clock.start
    await second.open()
    assert list(second.pipeline.book.open) == ["1"]
    await second.run(200)
    (incident,) = await second.ledger.incidents(IncidentFilter())
    assert incident.closed is not None
    assert await planned(second) == [("1", "first")]
    await second.close()


async def test_a_doubt_survives_a_restart(tmp_path: Path) -> None:
    first = await story(tmp_path, make_world([check("router:bon")], []), 112, Fault(100, 1000, everything))
    await first.close()
    world = with_references(make_world([check("router:bon")], []))
    second = Simulation(world, DIRECTORY, Script([Fault(0, 60, hits("router:bon"))]), tmp_path)
    second.clock.start = first.clock.now()
    second._reached = second.clock.start
    await second.open()
    await second.run(30)
    (incident,) = await second.ledger.incidents(IncidentFilter(asset="router:bon"))
    assert incident.closed is None
    await second.close()


async def test_when_the_link_is_back_what_was_unknown_is_looked_at_before_its_cadence(tmp_path: Path) -> None:
    world = make_world([check(f"router:r{n}", every=300.0) for n in range(50)], [])
    simulation = await story(tmp_path, world, 660, Fault(290, 640, everything))
    phases = simulation.phases()
    assert {phase for asset, phase in phases.items() if asset != VANTAGE} == {"up"}
    await simulation.close()


@pytest.mark.parametrize(("later", "restored"), [(3.0, [155.05]), (90.0, [160.05, 240.05])])
async def test_messages_leave_when_the_link_is_whole_again_or_some_time_after_a_part_of_it_is(
    tmp_path: Path, later: float, restored: list[float]
) -> None:
    world = make_world([check("router:bon"), *(reference(network, 6) for network in NETWORKS)], [])
    faults = (
        Fault(100, 148, lambda check: check.target.family == 4),
        Fault(100, 148 + later, lambda check: check.target.family == 6),
    )
    simulation = await story(tmp_path, world, 300, *faults)
    assert simulation.restored[1:] == restored, "the first is the start"
    await simulation.close()


async def test_a_silent_reference_is_not_asked_faster_than_it_can_fail(tmp_path: Path) -> None:
    """Its questions wait in line, each for its time: a line that grows would keep every round undecided."""
    world = make_world([check(f"router:r{n}", every=30.0) for n in range(60)], [])
    dead = Fault(0, 1e9, lambda c: c.reference == "five")
    lame = Fault(60, 1e9, lambda c: not c.reference, REFUSED)
    simulation = await story(tmp_path, world, 300, dead, lame)
    assert len(simulation.pipeline.book.open) == 60
    simulation.script.faults.append(Fault(300, 1e9, everything))
    await simulation.run(30)
    assert simulation.phases()[VANTAGE] == "down", "every reference has spoken"
    await simulation.close()


async def test_an_incident_can_be_spoken_of_while_its_commit_is_under_way(tmp_path: Path) -> None:
    """The outbox claims rows in the same group commit, before the line has heard that they are on disk."""
    faults = [Fault(60 + 20 * n, 1e9, hits(f"router:r{n}")) for n in range(10)]
    world = make_world([check(f"router:r{n}") for n in range(10)], [])
    simulation = Simulation(with_references(world), DIRECTORY, Script(faults), tmp_path)
    await simulation.open()
    running = asyncio.create_task(simulation.run(400))
    seen: set[str] = set()
    silent: list[str] = []

    async def claim() -> None:
        while not running.done():
            async with simulation.journal.transaction() as tx:
                rows = [incident for (incident,) in await tx.execute("SELECT incident FROM notification")]
                silent.extend(incident for incident in rows if simulation.pipeline.truth(incident) is None)
                seen.update(rows)

    await asyncio.gather(running, *(claim() for _ in range(4)))
    assert len(seen) == 10
    assert silent == []
    await simulation.close()


async def test_a_doubt_is_on_disk_before_the_next_look(tmp_path: Path) -> None:
    world = make_world([check("router:bon")], [])
    simulation = await story(tmp_path, world, 108, Fault(100, 1000, hits("router:bon")))
    rows = await simulation.journal.read("SELECT phase, run FROM state WHERE check_id LIKE 'router:bon%'")
    assert rows[0][0] == "suspect"
    await simulation.close()


async def test_after_a_start_with_other_files_whoever_is_newly_named_hears_of_what_is_open(tmp_path: Path) -> None:
    world = with_references(islands())
    simulation = await story(tmp_path, islands(), 300, Fault(100, 10_000, hits("router:bon", "nameserver:ns.bon")))
    before = await planned(simulation)
    assert before
    await simulation.close()
    noc = Contact("noc", "NOC", addresses=(Address("sms", "+18685550101"),))
    wider = replace(DIRECTORY, contacts={**DIRECTORY.contacts, "noc": noc}, routes=(Route("all", ("desk", "noc")),))
    for _ in range(2):
        again = Simulation(world, wider, Script([]), tmp_path, at=400)
        await again.open()
        await again.pipeline.resume([])
        rows = await again.journal.read("SELECT contact, reason FROM notification ORDER BY id")
        assert rows[len(before) :] == [("noc", "first")] * len(again.pipeline.book.open)
        assert again.pipeline.book.open
        await again.close()


async def test_after_a_reload_whose_number_was_put_right_hears_of_what_is_open(tmp_path: Path) -> None:
    simulation = await story(tmp_path, islands(), 300, Fault(100, 10_000, hits("router:bon", "nameserver:ns.bon")))
    async with simulation.journal.transaction() as tx:
        await tx.execute(
            "UPDATE notification SET state = 'refused', ended_at = changed_at, why = 'no such number' "
            "WHERE id = (SELECT max(id) FROM notification)"
        )
    before = await planned(simulation)
    right = replace(DIRECTORY.contacts["desk"], addresses=(Address("sms", "+18685550109"),))
    for _ in range(2):
        known = {**DIRECTORY.contacts, "desk": right}
        await simulation.pipeline.reload(simulation.pipeline.world, replace(DIRECTORY, contacts=known))
    rows = await simulation.journal.read("SELECT contact, reason FROM notification ORDER BY id")
    assert rows[len(before) :] == [("desk", "first")]
    await simulation.close()
