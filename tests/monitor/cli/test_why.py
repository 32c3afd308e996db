"""`lambi why`: the daemon's explanation, line by line."""

import json

import pytest

from tests.monitor.cli.conftest import Daemon, Lambi

WHY = {
    "at": "2026-09-01T12:01:00Z",
    "asset": "router:r",
    "name": "R",
    "state": "down",
    "since": "2026-09-01T12:00:00Z",
    "verdict": "R is down since 12:00:00 UTC: no answer\x1b[2J",
    "because": [
        {"topic": "looks", "text": "icmp 192.0.2.1 over IPv4: down"},
        {"topic": "looks", "text": "icmp 2001:db8::1 over IPv6: down"},
        {"topic": "change", "text": "up after 2 good looks in a row"},
    ],
}


@pytest.mark.parametrize(("word", "path"), [("router:r", "router:r"), ("2001:db8::1", "2001:db8::1")])
async def test_each_topic_is_named_once_and_steers_no_terminal(
    lambi: Lambi, daemon: Daemon, word: str, path: str
) -> None:
    daemon.api[f"/api/v1/why/{path}"] = WHY
    said = await lambi("why", word, "--config", daemon.folder)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "R is down since 12:00:00 UTC: no answer\u241b[2J",
        "  looks        icmp 192.0.2.1 over IPv4: down",
        "               icmp 2001:db8::1 over IPv6: down",
        "  change       up after 2 good looks in a row",
    ]


async def test_the_json_is_what_the_api_says(lambi: Lambi, daemon: Daemon) -> None:
    daemon.api["/api/v1/why/router:r/192.0.2.1/icmp"] = WHY
    said = await lambi("why", "router:r/192.0.2.1/icmp", "--config", daemon.folder, "--json")
    assert json.loads(said.out) == WHY


async def test_what_is_not_known_is_the_daemons_sentence(lambi: Lambi, daemon: Daemon) -> None:
    said = await lambi("why", "router:x y?z#", "--config", daemon.folder)
    assert (said.code, said.out, said.err) == (2, "", "There is no such page here.\n")
