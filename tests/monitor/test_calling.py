"""What an operator asks of a running daemon's alerting, through the commands of the control door."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerting.journal import Journal
from alerting.plan import plan
from monitor.calling import Calling
from monitor.config import Settings, load
from monitor.web.control import Refused
from tests.alerting.fakes import OPEN, contact, directory, open_journal
from tests.fakes import FakeClock


class Desk:
    """A daemon's alerting without the daemon."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self.settings = replace(settings, directory=directory(contact("noc", "sms"), contact("ctu", "mail")))
        self.journal, self.clock, self.truths, self.woken = journal, FakeClock(), {"4711": OPEN}, 0
        self.commands = Calling(
            self.settings,
            journal,
            self.clock,
            truth=self.truths.get,
            standing=lambda: [one for one in self.truths.values() if one.closed is None],
            wake=self.wake,
        ).commands()

    def wake(self) -> None:
        self.woken += 1

    async def ask(self, name: str, **asked: object) -> dict:  # type: ignore[type-arg] # a JSON object
        return dict(await self.commands[name]({**asked, "peer": "ops"}))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    journal = await open_journal(tmp_path)
    yield Desk(load(None, {}), journal)
    await journal.close()


QUIET = {"match": ["kind=cable"], "for": "2h", "reason": "new line card"}


async def test_a_silence_is_made_listed_and_taken_back(desk: Desk) -> None:
    made = await desk.ask("silence-add", **QUIET)
    assert made["silence"]["match"] == ['kind="cable"']
    assert (made["silence"]["author"], made["covers"]) == ("ops", ["4711"])
    assert [one["id"] for one in (await desk.ask("silence-list"))["silences"]] == ["s1"]
    assert await desk.ask("silence-end", id="s1") == {"ended": "s1"}
    assert desk.woken == 1
    assert (await desk.ask("silence-list"))["silences"] == []
    assert len((await desk.ask("silence-list", past=True))["silences"]) == 1
    with pytest.raises(Refused, match="no silence"):
        await desk.ask("silence-end", id="s1")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"match": []}, "everything"),
        ({"match": ["kind"]}, "no matcher"),
        ({"match": ["kind=~(a*)*"]}, "expression"),
        ({"for": "ever"}, "not a duration"),
        ({"reason": " "}, "say why"),
        ({"from": "yesterday"}, "not a moment"),
        ({"for": "60d"}, "longer than 31 days"),
    ],
)
async def test_a_silence_that_cannot_be_is_refused_with_a_sentence(
    desk: Desk, wrong: dict[str, Any], says: str
) -> None:
    with pytest.raises(Refused, match=says):
        await desk.ask("silence-add", **{**QUIET, **wrong})
    assert (await desk.ask("silence-list"))["silences"] == []


async def test_explain_tells_the_decision_and_what_came_of_it(desk: Desk) -> None:
    async with desk.journal.transaction() as tx:
        await plan(tx, OPEN, desk.settings.directory, desk.clock.now())
    await desk.ask("silence-add", **QUIET)
    told = await desk.ask("route-explain", incident="4711")
    assert told["labels"]["kind"] == "cable"
    assert told["routes"] == [{"route": "all", "takes": True, "why": ""}]
    assert "silenced by ops (s1): new line card" in told["people"][0]["why"]
    assert [(row["contact"], row["state"]) for row in told["rows"]] == [("noc", "planned"), ("ctu", "planned")]
    with pytest.raises(Refused, match="nothing is known"):
        await desk.ask("route-explain", incident="12")


async def test_forget_names_what_went_and_what_still_stands_in_the_config(desk: Desk) -> None:
    assert await desk.ask("contact-forget", contact="noc") == {
        "contact": "noc",
        "emptied": {"text": 0, "heard": 0, "proof": 0},
        "configured": True,
    }
    with pytest.raises(Refused, match="nothing is kept"):
        await desk.ask("contact-forget", contact="zoe")
