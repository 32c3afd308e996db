"""Another config for a running daemon: what stays, what goes, what is refused."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.journal import JournalError
from alerting.model import Severity
from monitor.config import ConfigError, Problem, Settings, Where, load
from monitor.model import Phase, Rule, SeverityRow, World
from monitor.reload import difference, refusal, without_restart
from monitor.reloading import Reloading
from monitor.views import IncidentFilter
from monitor.web.control import Refused
from tests.counts import soak
from tests.monitor.sim import Fault
from tests.monitor.test_app import ROOT, daemon, overlay
from tests.monitor.test_pipeline import everything, hits, planned, story
from tests.monitor.worlds import check, islands, make_world


def without(world: World, *assets: str) -> World:
    checks = {name: one for name, one in world.checks.items() if one.asset not in assets}
    needs = [one for one in world.dependencies if one.asset not in assets]
    return replace(world, checks=checks, dependencies=tuple(needs))


async def test_what_stays_goes_on_and_what_went_is_closed_as_no_longer_watched(tmp_path: Path) -> None:
    world = make_world([check("router:ant"), check("router:bon"), check("router:cur")], [])
    simulation = await story(tmp_path, world, 150, Fault(100, 260, hits("router:ant", "router:bon")))
    assert {one.asset for one in simulation.pipeline.book.open.values()} == {"router:ant", "router:bon"}
    await simulation.reload(without(simulation.world, "router:bon"))
    gone, stays = sorted(await simulation.ledger.incidents(IncidentFilter()), key=lambda one: one.asset != "router:bon")
    assert (gone.asset, gone.closing) == ("router:bon", "no longer watched")
    assert (stays.asset, stays.closed) == ("router:ant", None)
    assert simulation.phases()["router:ant"] == "down", "nothing has to be found out again"
    await simulation.run(250)
    (after,) = [one for one in await simulation.ledger.incidents(IncidentFilter()) if one.asset == "router:ant"]
    assert (after.id, after.closing) == (stays.id, "answers again")
    assert {incident for incident, reason in await planned(simulation) if reason == "first"} == {"1", "2"}
    await simulation.close()


async def test_the_same_config_again_changes_nothing(tmp_path: Path) -> None:
    simulation = await story(tmp_path, islands(), 150, Fault(100, 1000, hits("cable:bon1", "router:bon")))
    before = await planned(simulation), dict(simulation.pipeline.book.open), simulation.phases()
    await simulation.reload(simulation.world)
    await simulation.run(100)
    assert (await planned(simulation), dict(simulation.pipeline.book.open), simulation.phases()) == before
    await simulation.close()


async def test_reload_after_reload_under_load_keeps_what_is_open(tmp_path: Path) -> None:
    """Every few seconds another config, in the middle of doubts, while cables are cut and half the looks are lost."""
    faults = [Fault(60, 400, hits("cable:bon1", "router:bon", "nameserver:ns.bon"))]
    simulation = await story(tmp_path, islands(), 10, *faults, loss=0.05)
    whole = simulation.world
    for turn in range(soak(ci=60, soak=600)):
        await simulation.run(5.3)
        await simulation.reload(without(whole, "nameserver:ns.ant") if turn % 2 else whole)
    incidents = await simulation.ledger.incidents(IncidentFilter())
    assert [one.asset for one in incidents] == ["cable:bon1"]
    assert [reason for _, reason in await planned(simulation)].count("first") == 1
    await simulation.close()


async def test_a_doubt_that_a_reload_meets_is_looked_at_at_once(tmp_path: Path) -> None:
    simulation = await story(tmp_path, make_world([check("router:bon")], []), 100, Fault(100, 1000, hits("router:bon")))
    while simulation.phases()["router:bon"] == "up" and not any(
        state.phase is Phase.SUSPECT for parts in simulation.pipeline.states.values() for state in parts.values()
    ):
        await simulation.run(1.0)
    await simulation.reload(simulation.world)
    await simulation.run(20)
    assert [one.asset for one in simulation.pipeline.book.open.values()] == ["router:bon"]
    await simulation.close()


async def test_another_rule_is_gone_by_from_the_next_look_on(tmp_path: Path) -> None:
    simulation = await story(tmp_path, make_world([check("router:bon")], []), 100, Fault(100, 1000, hits("router:bon")))
    slow = Rule(fall=50, rise=2, silence_seconds=3000.0)
    world = simulation.world
    patient = {name: one if one.reference else replace(one, rule=slow) for name, one in world.checks.items()}
    await simulation.reload(replace(world, checks=patient))
    await simulation.run(200)
    assert simulation.pipeline.book.open == {}
    await simulation.close()


async def test_a_graver_severity_makes_an_open_incident_graver(tmp_path: Path) -> None:
    simulation = await story(tmp_path, make_world([check("router:bon")], []), 150, Fault(100, 1000, hits("router:bon")))
    rows = (SeverityRow("router", Phase.DOWN, Severity.CRITICAL), *simulation.world.severities)
    await simulation.reload(replace(simulation.world, severities=rows))
    (incident,) = simulation.pipeline.book.open.values()
    assert incident.severity is Severity.CRITICAL
    await simulation.close()


async def test_while_the_own_link_is_cut_a_reload_calls_nothing_down(tmp_path: Path) -> None:
    simulation = await story(tmp_path, islands(), 160, Fault(100, 300, everything))
    await simulation.reload(simulation.world)
    await simulation.run(250)
    assert {one.kind for one in await simulation.ledger.incidents(IncidentFilter())} == {"vantage"}
    assert set(simulation.phases().values()) == {"up"}
    await simulation.close()


def settings(tmp_path: Path, text: str = "") -> Settings:
    (tmp_path / "lambi.yaml").write_text(f"store: {{folder: {tmp_path / 'var'}}}\n{text}")
    return load(tmp_path, {})


def test_what_takes_a_restart_is_named_and_stays_as_it_was(tmp_path: Path) -> None:
    old = settings(tmp_path)
    new = settings(
        tmp_path, "web: {public: {port: 8099}}\nvantage: {name: Bridgetown}\nalerts: {desk: '+1 246 417 0000'}\n"
    )
    fresh, named = without_restart(old, new)
    assert named == ("web.public", "web.base_url", "vantage.name")
    assert fresh.public == old.public
    assert fresh.directory.desk == "+1 246 417 0000"
    assert refusal(old, new) == ""
    moved = settings(tmp_path, "vantage: {id: elsewhere}\n")
    assert refusal(old, moved).startswith('vantage.id: "elsewhere" is another place that looks')


def test_checks_are_told_apart_by_their_identity(tmp_path: Path) -> None:
    old = settings(tmp_path, "targets: ['ixp:grex 192.0.2.1', {asset: 'ixp:ttix1', name: rs1, address: 192.0.2.2}]\n")
    new = settings(tmp_path, "targets: [{asset: 'ixp:ttix1', name: rs1, address: 192.0.2.3}, 'ixp:barix 192.0.2.4']\n")
    found = difference(old.world, new.world)
    assert found.added == ("ixp:barix/192.0.2.4/icmp",)
    assert found.removed == ("ixp:grex/192.0.2.1/icmp",)
    assert found.changed == ("ixp:ttix1/rs1/icmp",), "a new address under the same name is the same target"
    assert found.kept == len(new.world.checks) - 2


async def test_a_bad_config_is_refused_whole_with_every_problem_and_said_until_it_is_good(tmp_path: Path) -> None:
    good = settings(tmp_path)
    problems = [Problem(Where("lambi.yaml", 3), "a", "wrong"), Problem(Where("routes.yaml", 4), "b", "wrong too")]
    answers: list[Settings | ConfigError] = [ConfigError(problems), good]
    adopted: list[Settings] = []

    def read() -> Settings:
        answer = answers.pop(0)
        if isinstance(answer, ConfigError):
            raise answer
        return answer

    async def adopt(fresh: Settings) -> None:
        adopted.append(fresh)

    reloading = Reloading(read, lambda: good, adopt, list)
    with pytest.raises(Refused) as refused:
        await reloading.reload("root")
    assert str(refused.value).splitlines() == [
        "lambi.yaml:3: a: wrong",
        "routes.yaml:4: b: wrong too",
        "2 to put right: the old config goes on",
    ]
    assert adopted == []
    assert "the old one goes on" in reloading.trouble[0]
    assert (await reloading.reload("root"))["kept"] == len(good.world.checks)
    assert (adopted, reloading.trouble) == ([good], ())


async def test_while_the_journal_cannot_be_written_the_old_config_goes_on(tmp_path: Path) -> None:
    good = settings(tmp_path)
    full = [True]

    async def adopt(_: Settings) -> None:
        if full:
            raise JournalError("not written: database or disk is full")

    reloading = Reloading(lambda: good, lambda: good, adopt, list)
    with pytest.raises(Refused) as refused:
        await reloading.reload("root")
    why = "the journal cannot be written: not written: database or disk is full"
    assert str(refused.value) == f"{why}: the old config goes on"
    assert reloading.trouble == (f"the config of today waits for another lambi reload, the old one goes on: {why}",)
    full.clear()
    await reloading.reload("root")
    assert reloading.trouble == ()


async def test_a_played_story_has_no_config_to_read_again(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="a story is played"):
        await Reloading(None, lambda: settings(tmp_path), lambda _: asyncio.sleep(0), list).reload("root")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs a network namespace of its own")
def test_the_daemon_reloads_by_command_and_by_signal(tmp_path: Path) -> None:
    one = "assets: [{id: 'router:lo', name: Loopback, territory: BB}]\ntargets: ['router:lo 127.0.0.1']\n"

    def lambi_reload() -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "monitor.cli",
            "reload",
            "--json",
            "--socket",
            str(tmp_path / "var/control.sock"),
        ]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    def noted() -> bool:
        return any("the old one goes on" in note for note in lambi.json("/api/v1/status")["notes"])

    with daemon(tmp_path, config=one) as lambi:
        lambi.wait("the page", lambda: lambi.get("/")[0] == 200)
        lambi.wait("a look", lambda: lambi.json("/api/v1/asset/router:lo")["seen"])
        overlay(tmp_path, one.replace("BB", "BX"))
        said = lambi_reload()
        assert said.returncode == 1
        assert 'unknown territory "BX"' in said.stderr
        assert "1 to put right: the old config goes on" in said.stderr
        lambi.wait("the page says so", noted)
        overlay(tmp_path, one.replace("'router:lo 127.0.0.1'", "'router:lo 127.0.0.1', 'ixp:grex 127.0.0.1'"))
        found = json.loads(lambi_reload().stdout)
        assert found["added"] == ["ixp:grex/127.0.0.1/icmp"]
        lambi.wait("it is no longer said", lambda: not noted())
        lambi.wait("the new target is asked", lambda: lambi.json("/api/v1/asset/ixp:grex")["seen"])
        overlay(tmp_path)
        lambi.process.send_signal(signal.SIGHUP)  # `exec` has made the shell the daemon
        lambi.wait("it is gone", lambda: lambi.get("/api/v1/asset/router:lo")[0] == 404)
        assert "Traceback" not in lambi.log()
