"""Commands that ask the daemon, against a real control door."""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.monitor.cli.conftest import Daemon, Lambi

INCIDENT: dict[str, Any] = {
    "id": "4711",
    "url": "http://127.0.0.1:8080/incidents/4711",
    "open": True,
    "severity": "critical",
    "state": "down",
    "kind": "cable",
    "asset": "cable:ecfs",
    "territories": ["BB", "LC"],
    "title": "Cable ECFS is down",
    "reason": "no answer since 12:00\x1b[2J",
    "left": "",
    "unreachable": [],
    "began": "2026-09-01T12:00:00Z",
    "opened": "2026-09-01T12:00:10Z",
    "changed": "2026-09-01T12:00:10Z",
    "closed": None,
    "closing": "",
    "revision": 1,
    "runbook": None,
}


def status(**changes: Any) -> dict[str, Any]:
    return {
        "at": "2026-09-01T12:01:00Z",
        "site": "",
        "headline": "Everything that is watched is up",
        "vantage": {"asset": "vantage:here", "cannot_see_the_world": []},
        "watched": {"up": 3, "down": 0},
        "watched_total": 3,
        "not_watched_total": 40,
        "oldest_look": "2026-09-01T12:00:30Z",
        "notes": [],
        "incidents": [],
        **changes,
    }


async def test_a_calm_region_ends_with_0(lambi: Lambi, daemon: Daemon) -> None:
    daemon.api["/api/v1/status"] = status()
    said = await lambi("status", "--config", daemon.folder)
    assert (said.code, said.err) == (0, "")
    assert "Everything that is watched is up" in said.out
    assert "watched: 3 (3 up); not watched: 40" in said.out


async def test_an_open_incident_ends_with_1_and_steers_no_terminal(lambi: Lambi, daemon: Daemon) -> None:
    daemon.api["/api/v1/status"] = status(incidents=[INCIDENT])
    said = await lambi("status", "--config", daemon.folder)
    assert said.code == 1
    assert "4711\tdown\tcritical\tBB,LC\tCable ECFS is down" in said.out
    assert "\x1b" not in said.out
    assert "\u241b[2J" in said.out


async def test_a_blind_vantage_ends_with_4(lambi: Lambi, daemon: Daemon) -> None:
    blind = [{"family": 4, "since": None, "reason": "no reference answers"}]
    daemon.api["/api/v1/status"] = status(vantage={"asset": "v", "cannot_see_the_world": blind}, watched={"unknown": 3})
    said = await lambi("status", "--config", daemon.folder)
    assert said.code == 4
    assert "cannot see the world over IPv4: no reference answers" in said.out


@pytest.mark.parametrize("state", ["unknown", "suspect"])
async def test_before_the_first_verdict_nothing_is_well(lambi: Lambi, daemon: Daemon, state: str) -> None:
    daemon.api["/api/v1/status"] = status(watched={state: 3})
    assert (await lambi("status", "--config", daemon.folder)).code == 4


@pytest.mark.parametrize("command", [["status"], ["incidents"], ["contact", "test", "noc"]])
async def test_an_invalid_config_is_said_and_no_other_daemon_is_asked(
    lambi: Lambi, daemon: Daemon, tmp_path: Path, command: list[str]
) -> None:
    (daemon.folder / "lambi.yaml").write_text(f"web: {{control: {tmp_path / 's'}}}\nvantag: {{}}\n")
    said = await lambi(*command, "--config", daemon.folder)
    assert (said.code, said.out, daemon.queries) == (2, "", [])
    assert "lambi.yaml:2: vantag: unknown key" in said.err
    assert "nothing was done; a daemon that runs is asked with --socket PATH" in said.err


async def test_a_named_socket_is_asked_whatever_the_config_says(lambi: Lambi, daemon: Daemon, tmp_path: Path) -> None:
    daemon.api["/api/v1/status"] = status()
    (daemon.folder / "lambi.yaml").write_text("vantag: {}\n")
    assert (await lambi("status", "--config", daemon.folder, "--socket", tmp_path / "s")).code == 0


async def test_a_blind_family_alone_is_no_blind_vantage(lambi: Lambi, daemon: Daemon) -> None:
    blind = [{"family": 6, "since": None, "reason": "no reference answers"}]
    daemon.api["/api/v1/status"] = status(vantage={"asset": "v", "cannot_see_the_world": blind}, incidents=[INCIDENT])
    assert (await lambi("status", "--config", daemon.folder)).code == 1


async def test_json_is_what_the_api_says(lambi: Lambi, daemon: Daemon) -> None:
    daemon.api["/api/v1/status"] = status(incidents=[INCIDENT])
    said = await lambi("status", "--config", daemon.folder, "--json")
    assert said.code == 1
    assert json.loads(said.out) == daemon.api["/api/v1/status"]
    assert "\x1b" not in said.out


async def test_incidents_hands_its_filters_on(lambi: Lambi, daemon: Daemon) -> None:
    daemon.api["/api/v1/incidents"] = {
        "since": "2026-08-01T00:00:00Z",
        "until": "2026-09-01T00:00:00Z",
        "more": True,
        "coverage": {"looked_seconds": 50.0, "period_seconds": 100.0, "gaps": []},
        "incidents": [INCIDENT],
    }
    said = await lambi("incidents", "--config", daemon.folder, "--territory", "BB", "--since", "2026-08-01")
    assert said.code == 0
    assert daemon.queries == ["territory=BB&since=2026-08-01&page=1&per=50"]
    assert "there are more: --page 2" in said.out
    assert "looking for 50.0% of" in said.out


async def test_one_incident_tells_its_story(lambi: Lambi, daemon: Daemon) -> None:
    told = {"agency": "CTU", "channel": "sms", "reason": "first", "state": "sent", "at": "2026-09-01T12:00:11Z"}
    entry = {"at": "2026-09-01T12:00:10Z", "what": "opened", "text": "no answer"}
    daemon.api["/api/v1/incident/4711"] = {**INCIDENT, "timeline": [entry], "told": [told]}
    said = await lambi("incidents", "4711", "--config", daemon.folder)
    assert said.code == 0
    assert "opened: no answer" in said.out
    assert "told CTU by sms (first): sent" in said.out


@pytest.mark.parametrize("number", ["../status", "47 11", "a/b"])
async def test_an_odd_number_goes_nowhere(lambi: Lambi, daemon: Daemon, number: str) -> None:
    said = await lambi("incidents", number, "--config", daemon.folder)
    assert (said.code, daemon.queries) == (2, [])


async def test_an_unknown_incident_is_a_sentence(lambi: Lambi, daemon: Daemon) -> None:
    said = await lambi("incidents", "99", "--config", daemon.folder)
    assert (said.code, said.out, said.err) == (2, "", "There is no such page here.\n")


def result(answer: str, **more: str) -> dict[str, str]:
    return {"channel": "sms", "state": "sent", "answer": answer, "id": "", "said": "", **more}


async def test_a_test_message_says_what_the_provider_said(lambi: Lambi, daemon: Daemon) -> None:
    daemon.results = [result("accepted", id="0: Accepted for delivery")]
    said = await lambi("contact", "test", "bb-regulator", "--config", daemon.folder)
    assert (said.code, said.out) == (0, "sms: accepted, 0: Accepted for delivery\n")


@pytest.mark.parametrize("answer", ["failed", "unknown", "nothing yet"])
async def test_a_test_message_that_was_not_taken_ends_with_1(lambi: Lambi, daemon: Daemon, answer: str) -> None:
    daemon.results = [result("accepted"), result(answer, said="nothing listens")]
    said = await lambi("contact", "test", "bb-regulator", "--config", daemon.folder)
    assert said.code == 1
    assert f"sms: {answer}, nothing listens" in said.out


async def test_a_refusal_is_the_daemons_sentence(lambi: Lambi, daemon: Daemon) -> None:
    said = await lambi("contact", "test", "nobody", "--config", daemon.folder, "--json")
    assert (said.code, said.out, said.err) == (1, "", "there is no contact nobody\n")


async def test_without_a_daemon_it_says_how_to_start_one(lambi: Lambi, folder: Path) -> None:
    said = await lambi("status", "--config", folder)
    assert (said.code, said.out) == (3, "")
    assert "no Lambi daemon runs here" in said.err
    assert "lambi run" in said.err


async def test_a_socket_left_by_a_crash_is_no_daemon(lambi: Lambi, folder: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(os.fspath(tmp_path / "s"))
    assert (await lambi("status", "--config", folder)).code == 3


async def test_a_secret_that_only_the_service_can_read_keeps_nobody_from_asking(lambi: Lambi, daemon: Daemon) -> None:
    daemon.api["/api/v1/status"] = status()
    with (daemon.folder / "lambi.yaml").open("a") as file:
        file.write(
            "channels: {mail: {enabled: true, host: h.net, sender: a@h.net, username: l, password: {env: LAMBI_NO}}}\n"
        )
    assert (await lambi("config", "check", "--config", daemon.folder)).code == 1
    assert (await lambi("status", "--config", daemon.folder)).code == 0
