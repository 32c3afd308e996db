"""`lambi posture` and `lambi reload` against a real control door."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from alerting.journal import Journal
from monitor.app import SCHEMAS
from monitor.config import load
from monitor.posturing import Posturing
from monitor.web.control import Refused, serve
from tests.fakes import FakeClock
from tests.monitor.cli.conftest import Lambi

WHY = ("--territory", "DM", "--reason", "Hurricane Erin")


@pytest.fixture
async def door(folder: Path) -> AsyncIterator[Path]:
    settings = load(folder, {})
    journal = await Journal.open(folder.parent / "journal.sqlite", SCHEMAS)
    posturing = await Posturing(lambda: settings, journal, FakeClock(), changed=dict, planned=dict, note=str).boot()
    answers: list[Any] = [
        {
            "added": ["a"],
            "removed": [],
            "changed": ["b", "c"],
            "kept": 7,
            "closed": ["12"],
            "restart": ["web.public"],
            "notes": ["n"],
        },
        Refused("lambi.yaml:3: a: wrong\n1 to put right: the old config goes on"),
    ]

    async def reload(_asked: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = answers.pop(0)
        if isinstance(answer, Refused):
            raise answer
        return dict(answer)

    commands = {**posturing.commands(), "reload": reload}
    runner = await serve(settings.control, commands, read=web.Application(), count_bug=lambda: pytest.fail("bug"))
    yield folder
    await runner.cleanup()
    await journal.close()


async def test_it_is_set_listed_and_ended(lambi: Lambi, door: Path) -> None:
    said = await lambi("posture", "list", "--config", door)
    assert (said.code, said.out) == (0, "calm: no posture is in force\n")
    said = await lambi("posture", "set", "prepare", *WHY, "--for", "36h", "--by", "ODM", "--config", door)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "P1: posture prepare for DM until 2026-09-03 00:00 UTC",
        "what is watched there is looked at 2 times as often",
        "take it back with: lambi posture end P1",
    ]
    said = await lambi("posture", "set", "imminent", *WHY, "--until", "18:00", "--config", door)
    assert "P1 is over: another posture is set\n" in said.out
    assert "until 2026-09-01 22:00 UTC" in said.out, "18:00 on the clock of Dominica"
    (one,) = json.loads((await lambi("posture", "list", "--config", door, "--json")).out)["postures"]
    assert (one["id"], one["level"], one["severity"], one["reason"]) == ("P2", "imminent", "major", "Hurricane Erin")
    said = await lambi("posture", "end", "DM", "--config", door)
    assert said.out == "P2: ended\n"
    said = await lambi("posture", "list", "--all", "--config", door)
    assert [line.split("\t")[0] for line in said.out.splitlines()] == ["id", "P1", "P2"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("set", "calm", *WHY, "--for", "1h"), 2, "calm"),
        (("set", "prepare", *WHY), 1, "say until when"),
        (("set", "prepare", "--territory", "XX", "--reason", "r", "--for", "1h"), 1, 'unknown territory "XX"'),
        (("end", "P9"), 1, 'no posture "P9" is in force'),
    ],
)
async def test_what_cannot_be_meant_is_a_sentence(
    lambi: Lambi, door: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    said = await lambi("posture", *words, "--config", door)
    assert said.code == code
    assert says in said.err
    assert "Traceback" not in said.err


async def test_a_reload_says_what_it_changed_and_a_refused_one_every_problem(lambi: Lambi, door: Path) -> None:
    said = await lambi("reload", "--config", door)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "reloaded; checks: 1 new, 2 asked otherwise, 7 as before",
        "closed, as nothing watches it any more: 12",
        "goes on as it was until a restart: web.public",
        "note: n",
    ]
    said = await lambi("reload", "--config", door)
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines() == ["lambi.yaml:3: a: wrong", "1 to put right: the old config goes on"]
