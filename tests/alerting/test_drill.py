"""Exercises: kept to their list, overtaken by what is real, ended and scored."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from alerting import gate, silence
from alerting.directory import Budget, Cap, Directory, Ladder, Route, Step
from alerting.drill import Drills
from alerting.explain import explain
from alerting.gsm import one_part
from alerting.journal import Journal
from alerting.match import parse
from alerting.model import Act, Contact, Fate, Reason, Receipt, Severity
from alerting.receipts import receive
from alerting.replies import Asked
from alerting.rota import Rotation
from alerting.rows import write
from alerting.score import agencies, score
from alerting.sender import Limits
from alerting.told import hanging, told
from tests.alerting.exercises import EXERCISE, inbox_of, office_of
from tests.alerting.fakes import (
    OPEN,
    Hung,
    Office,
    Provider,
    closed,
    contact,
    directory,
)
from tests.fakes import START


def people(*names: str) -> Directory:
    """A ladder whose first step tells noc, the second lead and whoever is on duty."""
    who = directory(*(contact(name, "sms") for name in names))
    ladder = Ladder("up", "agency of noc", (Step(("noc",), 600), Step(("lead", "duty"), 600)), 2)
    return replace(
        who,
        routes=(Route("all", ("ctu",), repeat_seconds=1200, ladders=("up",)),),
        ladders={"up": ladder},
        rotations={"duty": Rotation("duty", since=START, turn=timedelta(hours=1), members=("ann", "ben"))},
    )


ALL = ("noc", "lead", "ctu", "ann", "ben", "web")


def reached(sms_: Provider) -> list[str]:
    return [to.to.partition("@")[0] for _, to in sms_.taken]


async def test_an_exercise_goes_the_real_way_within_its_list_and_ends_by_itself(journal: Journal) -> None:
    """ctu by its route, noc by the ladder, lead by the next step; web because it is on the list; ann, ben are not."""
    office, sms_ = office_of(journal, people(*ALL))
    begun = await office.exercise("noc", "lead", "ctu", "web")
    assert begun.incident == "E1"
    for _ in range(50):
        await office.pass_time(1)
    assert set(reached(sms_)) == {"noc", "lead", "ctu", "web"}
    assert all(text.startswith("EXERCISE E1") for text in sms_.bodies)
    assert all(one_part(text) for text in sms_.bodies)
    ends = [text for text in sms_.bodies if " OVER: " in text]
    assert ends == ["EXERCISE E1 OVER: Cable ECFS down. The exercise is over; nothing was really down. Thank you."] * 4
    count = len(sms_.taken)
    for _ in range(20):
        await office.pass_time(60)
    assert len(sms_.taken) == count
    assert await hanging(journal, office.clock.now()) == []
    assert await journal.read("SELECT count(*) FROM notification WHERE ended_at IS NULL") == [(0,)]
    assert await journal.read("SELECT ending, why FROM drill") == [("over", "its time was over")]


async def test_what_is_real_breaks_it_off_and_leaves_first(journal: Journal) -> None:
    office, sms_ = office_of(journal, people("noc", "lead", "ctu"))
    await office.exercise("noc", "lead")
    await office.pass_time(1)
    await office.pass_time(8)
    assert reached(sms_) == ["noc"]
    office.clock.elapsed += 70  # the second step of the exercise is due when the real one comes
    await office.happen(OPEN)
    await office.pass_time(0)
    heads = [re.sub(r"-[A-Z]{2}", "", text.split(":")[0]) for text in sms_.bodies]
    assert heads[1:] == ["4711 MAJOR", "4711 MAJOR", "EXERCISE E1 OVER"]
    assert "broken off: there is a real incident" in sms_.bodies[-1]
    assert reached(sms_)[-1] == "noc"
    assert await journal.read("SELECT ending, why FROM drill") == [("broken off", "a real incident: 4711")]
    for _ in range(120):
        await office.pass_time(10)
    later = [text for text in sms_.bodies[4:] if text.startswith("EXERCISE")]
    assert later == []
    assert "lead" in reached(sms_)  # by the real ladder


@pytest.mark.parametrize(
    ("facts", "breaks"),
    [
        ({"severity": Severity.WARNING}, False),  # of others, and mild
        ({"severity": Severity.WARNING, "kind": "ixp"}, True),  # tells somebody on the list
        ({"severity": Severity.CRITICAL}, True),  # grave, whoever is told
    ],
)
async def test_which_real_incident_breaks_it_off(facts: dict[str, object], breaks: bool, journal: Journal) -> None:
    who = replace(
        directory(contact("noc", "sms"), contact("ctu", "sms")),
        routes=(Route("all", ("ctu",)), Route("ixps", ("noc",), kinds=("ixp",))),
    )
    office, _ = office_of(journal, who)
    await office.exercise("noc")
    await office.pass_time(1)
    await office.happen(replace(OPEN, **facts))  # type: ignore[arg-type] # fields of the case
    await office.pass_time(1)
    assert (office.drills.under_way is None) == breaks


async def test_an_incident_that_a_rule_keeps_back_calls_nobody_away(journal: Journal) -> None:
    office, _ = office_of(journal, people("noc", "ctu"))
    now = office.clock.now()
    async with journal.transaction() as tx:
        await silence.add(tx, silence.Wish((parse("asset=other"),), now, now + timedelta(hours=2), "a", "b"), now)
    await office.exercise("noc")
    await office.pass_time(1)
    await office.happen(replace(OPEN, asset="other"))
    await office.pass_time(1)
    assert office.drills.under_way


async def test_after_a_restart_it_goes_on_and_ends_in_time(journal: Journal) -> None:
    office, sms_ = office_of(journal, people("noc", "ctu"))
    await office.exercise("noc", minutes=30)
    await office.pass_time(1)
    before = office.drills.under_way
    office.drills = await Drills.open(journal)
    assert office.drills.under_way == before
    office.reborn()
    await office.pass_time(30)
    assert sms_.bodies[-1].startswith("EXERCISE E1 OVER")
    assert (await Drills.open(journal)).truth("E1") == office.drills.truth("E1")


async def test_two_at_once_are_refused(journal: Journal) -> None:
    office, _ = office_of(journal, people("noc"))
    await office.exercise("noc")
    with pytest.raises(ValueError, match="another exercise is under way"):
        await office.exercise("noc")


async def test_it_never_keeps_back_what_is_real_by_caps_or_credits(journal: Journal) -> None:
    who = replace(
        directory(contact("noc", "sms")),
        caps={"sms": Cap(600, 1, 3600, 5)},
        budgets={
            "sms": Budget(10, {Severity.INFO: 0.1, Severity.WARNING: 0.5, Severity.MAJOR: 0.8, Severity.CRITICAL: 1.0})
        },
    )
    office, sms_ = office_of(journal, who)
    await office.exercise("noc", severity=Severity.CRITICAL)
    await office.pass_time(0)
    await office.happen(OPEN)
    await office.pass_time(0)
    assert [text.startswith("EXERCISE") for text in sms_.bodies] == [True, False]
    await office.happen(replace(OPEN, incident="4712", severity=Severity.CRITICAL))
    await office.pass_time(11)
    assert len(sms_.taken) == 3
    assert not sms_.bodies[2].startswith("EXERCISE")
    await office.pass_time(70)
    assert "broken off" in sms_.bodies[3]  # at the pace of the channel; the word of its end is worth a credit


async def test_it_pays_as_what_is_mildest_pays(journal: Journal) -> None:
    shares = {Severity.INFO: 0.1, Severity.WARNING: 0.5, Severity.MAJOR: 0.8, Severity.CRITICAL: 1.0}
    names = tuple(f"p{n}" for n in range(9))
    who = replace(directory(*(contact(name, "sms") for name in names)), budgets={"sms": Budget(30, shares)})
    office, sms_ = office_of(journal, who)
    await office.exercise(*names, severity=Severity.CRITICAL)
    await office.pass_time(1)
    assert len(sms_.taken) == 3
    await office.happen(OPEN)
    await office.pass_time(1)
    assert len([text for text in sms_.bodies if not text.startswith("EXERCISE")]) == 9


async def test_a_row_for_somebody_outside_the_list_is_refused_at_the_claim_and_at_the_gate(journal: Journal) -> None:
    office, sms_ = office_of(journal, people(*ALL))
    await office.exercise("noc")
    async with journal.transaction() as tx:  # as a defect of ours would
        await tx.execute("INSERT INTO contact VALUES ('lead', 'x')")
        await write(tx, ("E1", "lead", "sms", Reason.ESCALATE, Severity.MAJOR, 1), (600, office.clock.now()))
    await office.pass_time(1)
    assert reached(sms_) == ["noc"]
    assert ("lead", "sms", "escalate", "refused", "not on the list of the exercise") in await office.states()
    office.drills.alerts["E1"] = replace(office.drills.alerts["E1"], exercise=("ctu",))  # the other list is wrong
    async with journal.transaction() as tx:
        await write(tx, ("E1", "noc", "sms", Reason.ESCALATE, Severity.MAJOR, 1), (600, office.clock.now()))
    await office.pass_time(1)
    assert reached(sms_) == ["noc"]
    office.drills.alerts["E1"] = replace(OPEN, incident="E1")  # an exercise that would be told as real
    async with journal.transaction() as tx:
        await write(tx, ("E1", "noc", "sms", Reason.ESCALATE, Severity.MAJOR, 1), (600, office.clock.now()))
    await office.pass_time(1)
    assert reached(sms_) == ["noc"]
    assert (await office.states())[-1][4] == "an exercise and what is real do not mix"


async def test_the_score_says_who_received_acknowledged_and_did_what_and_when(journal: Journal) -> None:
    office, sms_ = office_of(journal, people("noc", "lead", "ctu", "web"))
    inbox = inbox_of(office)
    await office.exercise("noc", "lead", "ctu", "web")
    await office.pass_time(0)
    for message, to in sms_.taken:
        if to.to.startswith("ctu"):
            async with journal.transaction() as tx:
                now = office.clock.now() + timedelta(seconds=20)
                await receive(tx, Receipt(message.reference, Fate.DELIVERED, now), now)
    await office.pass_time(2)
    await inbox.act("noc", Asked("E1", "", Act.ACK), "sms", office.clock.now())
    await office.pass_time(3)
    await inbox.act("noc", Asked("E1", "", Act.DONE, step=1), "sms", office.clock.now())
    await inbox.act("noc", Asked("E1", "", Act.DONE, step=2), "sms", office.clock.now())
    for _ in range(10):
        await office.pass_time(5)
    got = await score(journal, "E1")
    assert got
    assert (got.ending, got.scenario, got.steps, got.runbook[:10]) == ("over", "test", 15, "cable-cut@")
    marks = {one.contact: one for one in got.contacts}
    noc, ctu, lead, web = (marks[name] for name in ("noc", "ctu", "lead", "web"))
    assert (noc.told, noc.received, noc.acknowledged, noc.done, noc.finished, noc.via) == (
        0,
        120,
        120,
        (1, 2),
        300,
        "sms",
    )
    assert (ctu.told, ctu.received, ctu.acknowledged, ctu.done) == (0, 20, None, ())
    assert (lead.told, lead.note) == (None, "nobody's turn had come to them")
    assert (web.told, web.received) == (0, None)
    by_name = {one.agency: one for one in agencies(got.contacts)}
    assert by_name["agency of noc"].first_acknowledged == 120
    assert await score(journal, "E2") is None
    assert await told(journal, "4711") == []


def test_the_gate_knows_both_ways() -> None:
    class Row:
        route = held = ""
        told_before = True
        contact = "noc"
        drill = True

    rules = gate.Rules(directory(contact("noc", "sms")))
    assert gate.verdict(EXERCISE, Row(), rules, START) == gate.GO
    assert gate.verdict(replace(EXERCISE, exercise=("ctu",)), Row(), rules, START).why
    assert gate.verdict(OPEN, Row(), rules, START).why
    Row.drill = False
    assert gate.verdict(EXERCISE, Row(), rules, START).why
    assert gate.verdict(closed(3), Row(), rules, START) == gate.GO
    assert isinstance(rules.directory.within(EXERCISE).contacts["noc"], Contact)


async def test_it_leaves_half_of_a_channel_to_what_may_come(journal: Journal) -> None:
    hung = Hung()
    who = directory(*(contact(f"p{n}", "sms") for n in range(9)))
    office = Office(journal, who, {"sms": hung}, limits=Limits(slots=4, seconds=60))
    running = asyncio.create_task(office.outbox.run())
    await office.exercise(*who.contacts)
    await comes(lambda: hung.tries, 2)
    await office.happen(OPEN)
    await comes(lambda: hung.tries, 4)
    assert await journal.read(
        "SELECT incident, count(*) FROM attempt a JOIN notification n ON n.id = a.notification "
        "GROUP BY incident ORDER BY 1"
    ) == [("4711", 2), ("E1", 2)]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    for task in office.outbox._flying:
        task.cancel()


async def comes(value: Callable[[], int], wanted: int) -> None:
    for _ in range(400):
        if value() == wanted:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert value() == wanted


async def test_it_is_explained_as_what_is_real(journal: Journal) -> None:
    who = people("noc", "lead", "ctu", "web")
    alert = replace(EXERCISE, exercise=("noc", "lead", "web"))
    lines = {one.contact: one for one in explain(alert, gate.Rules(who.within(alert)), START)}
    assert {name: one.told for name, one in lines.items()} == {"noc": "now", "lead": "later", "web": "now"}
    assert lines["web"].why == "the list of the exercise"
