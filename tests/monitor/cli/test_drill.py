"""`lambi drill`, and what `lambi contact list` says of old numbers, against a real control door and a real journal."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from alerting.drill import Drills
from alerting.journal import Journal
from alerting.outbox import Outbox
from alerting.runbooks import Runbooks
from monitor.app import SCHEMAS
from monitor.config import load
from monitor.data import shipped
from monitor.drilling import Drilling, Office
from monitor.freshness import Freshness
from monitor.topology import Topology
from monitor.web.control import serve
from tests.alerting.fakes import Provider
from tests.fakes import FakeClock
from tests.monitor.cli.conftest import Lambi

CONTACTS = """contacts:
  - {name: noc, agency: Net, language: nl, addresses: [{channel: sms, to: "+1 246 417 0001"}]}
  - {name: ctu, agency: CTU, addresses: [{channel: sms, to: "+1 868 417 0002"}]}
"""


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[tuple[Outbox, FakeClock, Provider]]:
    (folder / "contacts.yaml").write_text(CONTACTS)
    settings, clock, sms = load(folder, {}), FakeClock(), Provider()
    sms.answers = True
    settings = replace(settings, channels={"sms": sms})
    journal = await Journal.open(folder.parent / "journal.sqlite", SCHEMAS)
    drills, books, topology = Drills(), Runbooks.load(shipped("runbooks")), Topology(settings.world)
    outbox = Outbox(journal, {"sms": sms}, lambda: settings.directory, drills.truth, books, clock, "Hub", drills=drills)
    office = Office(lambda: topology, books, outbox.wake)
    commands = {
        **Drilling(settings, journal, clock, drills, office).commands(),
        **Freshness(settings, journal, clock, links=False).commands(),
    }
    runner = await serve(settings.control, commands, read=web.Application(), count_bug=lambda: pytest.fail("a bug"))
    yield outbox, clock, sms
    await runner.cleanup()
    await journal.close()


async def test_an_exercise_from_its_begin_to_its_score(lambi: Lambi, folder: Path) -> None:
    async with house(folder) as (outbox, clock, sms):
        said = await lambi("drill", "status", "--config", folder)
        assert (said.code, said.out) == (0, "no exercise is under way\n")
        said = await lambi("drill", "start", "cctld-down", "--contacts", "noc, ctu", "--for", "20m", "--config", folder)
        assert said.code == 0, said.err
        assert said.out.startswith("EXERCISE E1 has begun, for ctu, noc\n")
        await outbox.run_due(clock.now())
        assert min(text.partition(":")[0] for text in sms.bodies)[:12] == "EXERCISE E1-"
        assert any(text.startswith("OEFENING E1-") for text in sms.bodies)
        said = await lambi("drill", "status", "--config", folder)
        assert "told 2 of 2, received 0, acknowledged 0" in said.out
        clock.elapsed = 90
        said = await lambi("drill", "end", "--config", folder, "--json")
        ended = json.loads(said.out)["drill"]
        assert (ended["ending"], ended["runbook"][:5]) == ("ended", "cctld")
        said = await lambi("drill", "score", "E1", "--config", folder)
        assert "ended: " in said.out
        assert "noc\tNet\t0 s\t-\t-\t-\t-\t-\t" in said.out
        assert "CTU\t1\t1\t0\t0\t0 s\t-\t-\t-" in said.out
        said = await lambi("drill", "list", "--config", folder)
        assert "hurricane-cable\t" in said.out
        assert "E1\tcctld-down\t" in said.out
        said = await lambi("drill", "start", "no-such", "--contacts", "noc", "--config", folder)
        assert (said.code, said.out) == (1, "")
        assert 'there is no scenario "no-such"' in said.err


async def test_old_numbers_are_a_warning_and_without_a_daemon_nothing_is_known(lambi: Lambi, folder: Path) -> None:
    async with house(folder):
        said = await lambi("contact", "list", "--config", folder)
        assert "not been confirmed for 90 days; to have them confirmed: lambi contact verify NAME" in said.out
        assert "417" not in said.out
    said = await lambi("contact", "list", "--config", folder, "--json")
    assert {one["confirmed"] for one in json.loads(said.out)["contacts"]} == {None}
