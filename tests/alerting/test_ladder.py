"""Ladders in simulated time: steps, rounds, rotations, each agency its own acknowledgement, which expires."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerting.directory import Directory, Ladder, Route, Step
from alerting.interval import Interval
from alerting.journal import Journal, micros
from alerting.ladder import respond
from alerting.model import Act, Contact, Response, Severity
from alerting.rota import Rotation
from alerting.told import hanging
from tests.alerting.fakes import OPEN, Office, Provider, closed, contact, directory
from tests.fakes import START

STEPS = (Step(("noc",), 600), Step(("lead", "duty"), 900), Step(("boss",), 300))
LADDER = Ladder("ix", "IX", STEPS, loops=2, holds=3600)
POWER = Ladder("power", "BLPC", (Step(("grid",), 1200), Step(("chief",), 1200)))
DUTY = Rotation("duty", since=START - timedelta(hours=1), turn=timedelta(minutes=90), members=("ann", "ben"))
NAMES = {"noc": "IX", "lead": "IX", "boss": "IX", "ann": "IX", "ben": "IX", "grid": "BLPC", "chief": "BLPC"}


def people(*ladders: Ladder, repeat: float = 0, contacts: tuple[str, ...] = ()) -> Directory:
    who: dict[str, Contact] = {name: replace(contact(name, "sms"), agency=agency) for name, agency in NAMES.items()}
    routes = (Route("all", contacts, repeat_seconds=repeat, ladders=tuple(ladder.name for ladder in ladders)),)
    known = {ladder.name: ladder for ladder in ladders}
    return replace(directory(*who.values()), routes=routes, ladders=known, rotations={"duty": DUTY})


async def play(office: Office, minutes: float) -> None:
    await office.pass_time(0)
    for _ in range(round(minutes * 4)):
        await office.pass_time(0.25)


async def answer(office: Office, who: str, what: Act = Act.ACK, **more: Any) -> str:
    now = office.clock.now()
    fields = {"step": None, "minutes": None, "incident": "4711", **more}
    response = Response(contact=who, agency=NAMES[who], what=what, at=now, via="cli", **fields)
    async with office.journal.transaction() as tx:
        return await respond(tx, response, now)


async def called(journal: Journal) -> list[tuple[float, str]]:
    """Return whom the provider was given, and how many minutes after the start."""
    rows = await journal.read(
        "SELECT a.intent_at, n.contact FROM attempt a JOIN notification n ON n.id = a.notification ORDER BY a.id"
    )
    return [(round((moment - micros(START)) / 60e6, 1), who) for moment, who in rows]


async def states(journal: Journal) -> list[tuple[Any, ...]]:
    return await journal.read("SELECT ladder, state, step, loop, why FROM escalation ORDER BY ladder")


async def test_nobody_answers_and_every_step_is_taken_in_every_round(journal: Journal) -> None:
    office = Office(journal, people(LADDER), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 90)
    assert await called(journal) == [
        (0, "noc"),
        (10, "lead"),
        (10, "ann"),
        (25, "boss"),
        (30, "noc"),
        (30, "ben"),  # on duty from now on
        (40, "lead"),
        (40, "ben"),
        (55, "boss"),
    ]
    assert (await states(journal))[0][1:] == (
        "exhausted", 0, 2, "every step was taken and nobody has acknowledged"
    )  # fmt: skip
    said = await journal.read("SELECT why FROM escalation_event WHERE state = 'running'")
    assert said[1] == ("begins: step 1, round 1 tells noc",)


async def test_an_acknowledgement_stops_the_ladder_of_its_own_agency_alone(journal: Journal) -> None:
    office = Office(journal, people(LADDER, POWER), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 5)
    assert await answer(office, "noc") == "acked"
    assert await answer(office, "noc") == "acked before"
    await play(office, 30)
    assert await called(journal) == [(0, "noc"), (0, "grid"), (20, "chief")]
    assert [row[1] for row in await states(journal)] == ["acknowledged", "running"]


async def test_an_acknowledgement_expires_and_the_ladder_goes_on_where_it_stood(journal: Journal) -> None:
    office = Office(journal, people(LADDER), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 5)
    await answer(office, "noc")
    await play(office, 61)
    assert (await called(journal))[1:] == [(65, "lead"), (65, "ben")]
    assert "the acknowledgement has expired" in (await states(journal))[0][4]
    assert await answer(office, "noc") == "acked"


async def test_wait_asks_for_minutes_within_reason(journal: Journal) -> None:
    office = Office(journal, people(LADDER), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 1)
    assert await answer(office, "noc", Act.WAIT, minutes=30) == "waiting"
    await play(office, 28)
    assert len(await called(journal)) == 1
    await play(office, 3)
    assert len(await called(journal)) == 3


async def test_the_end_ends_the_ladder_and_is_told_to_those_who_were_called(journal: Journal) -> None:
    office = Office(journal, people(LADDER), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 12)
    await office.happen(closed(12))
    await play(office, 60)
    assert [who for _, who in await called(journal)] == ["noc", "lead", "ann"] * 2
    assert (await states(journal))[0][1] == "over"
    assert await answer(office, "noc") == "acked over"
    await office.happen(replace(OPEN, revision=3))
    await play(office, 1)
    assert (await called(journal))[-1][1] == "noc"


async def test_those_called_by_a_ladder_hear_that_it_got_worse(journal: Journal) -> None:
    office = Office(journal, people(LADDER), {"sms": (sms := Provider())})
    await office.happen(OPEN)
    await play(office, 1)
    await answer(office, "noc")
    await office.happen(replace(OPEN, severity=type(OPEN.severity)("critical"), revision=2))
    await play(office, 1)
    assert sms.bodies[-1].startswith("4711 NOW CRITICAL")


async def test_a_step_that_reaches_nobody_is_passed_at_once(journal: Journal) -> None:
    gap = Ladder("gap", "IX", (Step(("empty",), 600), Step(("noc",), 600)))
    who = replace(people(gap), rotations={"empty": Rotation("empty")})
    office = Office(journal, who, {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 1)
    assert await called(journal) == [(0, "noc")]
    told = await journal.read("SELECT why FROM escalation_event ORDER BY id")
    assert "step 1 tells nobody" in told[1][0]


async def test_a_ladder_of_nobody_ends_and_hangs_nowhere(journal: Journal) -> None:
    office = Office(journal, replace(people(Ladder("x", "IX", (Step(("who",), 60),), 3))), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 10)
    assert (await states(journal))[0][1] == "exhausted"
    assert await hanging(journal, office.clock.now()) == []


async def test_timers_are_rows_and_a_restart_goes_on(journal: Journal) -> None:
    office = Office(journal, people(LADDER), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 5)
    office.reborn()
    await play(office, 6)
    assert (await called(journal))[1:] == [(10, "lead"), (10, "ann")]


async def test_a_changed_ladder_is_not_changed_for_an_incident_that_stands_on_it(journal: Journal) -> None:
    office = Office(journal, people(LADDER), {"sms": Provider()})
    await office.happen(OPEN)
    office.directory = people(replace(LADDER, steps=(Step(("boss",), 60),)))
    await play(office, 11)
    assert (await called(journal))[1:] == [(10, "lead"), (10, "ann")]


async def test_two_agencies_of_one_mind_end_the_ladders_but_not_the_incident(journal: Journal) -> None:
    office = Office(journal, people(LADDER, POWER), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 1)
    assert await answer(office, "noc", Act.RESOLVE) == "proposed"
    assert await answer(office, "lead", Act.RESOLVE) == "proposed"
    assert [row[1] for row in await states(journal)] == ["running", "running"]
    assert await answer(office, "grid", Act.RESOLVE) == "agreed"
    assert [row[1] for row in await states(journal)] == ["over", "over"]
    await office.happen(replace(OPEN, revision=2))
    await play(office, 60)
    assert len(await called(journal)) == 2


async def test_steps_done_are_told_once(journal: Journal) -> None:
    office = Office(journal, people(LADDER), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 1)
    assert await answer(office, "noc", Act.DONE, step=3) == "done"
    assert await answer(office, "noc", Act.DONE, step=3) == "done before"
    assert await answer(office, "noc", Act.DONE, step=4) == "done"
    assert await answer(office, "noc", Act.HELP) == "help"
    assert await answer(office, "noc", incident="9999") == "unknown"
    assert await journal.read("SELECT what, answer FROM response") == [
        ("done", "done"),
        ("done", "done before"),
        ("done", "done"),
        ("help", "help"),
        ("ack", "unknown"),
    ]


async def test_an_acknowledgement_puts_reminders_off_until_it_expires(journal: Journal) -> None:
    office = Office(journal, people(repeat=1800, contacts=("noc", "grid")), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 1)
    assert await answer(office, "noc") == "acked"
    await play(office, 130)
    assert [minute for minute, who in await called(journal) if who == "noc"] == [0, 121]
    assert [minute for minute, who in await called(journal) if who == "grid"] == [0, 30, 60, 90, 120]


async def test_what_waits_for_an_agency_that_has_acknowledged_ends_as_acknowledged(journal: Journal) -> None:
    sms = Provider()
    sms.down = True
    office = Office(journal, people(LADDER), {"sms": sms})
    await office.happen(OPEN)
    await play(office, 1)
    await answer(office, "noc")
    assert await office.states() == [("noc", "sms", "first", "acknowledged", "noc has acknowledged")]


async def test_the_mail_shows_the_answers_of_the_others(journal: Journal) -> None:
    who = people(LADDER, POWER)
    mails = {name: replace(one, addresses=contact(name, "mail").addresses) for name, one in who.contacts.items()}
    office = Office(journal, replace(who, contacts=mails), {"mail": (mail := Provider("mail"))})
    await office.happen(OPEN)
    await play(office, 5)
    await answer(office, "grid")
    await play(office, 26)
    assert "Answers:  BLPC acknowledged 08:05\n" in mail.bodies[2]
    assert mail.taken[2][1].to.startswith("lead@")
    assert any("nobody of those told before you has acknowledged" in body for body in mail.bodies)
    assert "you are on duty now" in mail.bodies[-1]


async def test_the_history_of_a_ladder_and_of_answers_cannot_be_changed(journal: Journal) -> None:
    office = Office(journal, people(LADDER), {"sms": Provider()})
    await office.happen(OPEN)
    await answer(office, "noc")
    for sql in (
        "DELETE FROM response",
        "UPDATE response SET agency = 'x'",
        "DELETE FROM escalation_event",
        "UPDATE escalation_event SET why = ''",
        "UPDATE escalation SET next_at = NULL",
    ):
        with pytest.raises(Exception, match=r"append-only|CHECK"):
            async with journal.transaction() as tx:
                await tx.execute(sql)


async def test_who_comes_on_duty_hears_of_what_is_open_and_nobody_else_again(journal: Journal) -> None:
    """DUTY hands over from ann to ben after thirty minutes, and back after two hours."""
    office = Office(journal, people(LADDER, contacts=("duty",)), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 5)
    await answer(office, "ann")
    await play(office, 20)
    office.reborn()
    await play(office, 10)
    assert [(minute, who) for minute, who in await called(journal) if who != "noc"] == [(0, "ann"), (30, "ben")]
    assert (await office.states())[-1][2:4] == ("handover", "accepted")
    await play(office, 26)
    await office.happen(closed(61))
    await play(office, 120)
    assert sorted(who for minute, who in await called(journal) if minute > 60) == ["ann", "ben", "noc"]


@pytest.mark.parametrize("resolved", [True, False])
async def test_a_hand_over_goes_by_the_rules_of_the_route_that_names_the_rotation(
    journal: Journal, resolved: bool
) -> None:
    who = people(LADDER, contacts=())
    quiet = Route("quiet", ("duty",), resolved=resolved, mute=("early",))
    early = Interval("early", "UTC", ((12 * 60 + 20, 12 * 60 + 50),))
    office = Office(journal, replace(who, routes=(quiet,), intervals={"early": early}), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 60)
    assert await called(journal) == [(0, "ann"), (50, "ben")]
    assert [route for (route,) in await journal.read("SELECT route FROM notification")] == ["quiet", "quiet"]
    await office.happen(closed(61))
    await play(office, 60)
    assert sorted(who for minute, who in await called(journal) if minute >= 60) == (["ann", "ben"] if resolved else [])


async def test_the_end_goes_by_the_route_that_told_of_it_not_by_one_that_only_meant_to(journal: Journal) -> None:
    """ANN is on duty and cannot be reached; off duty, she hears of worse by a route that also tells ends."""
    quiet = Route("quiet", ("duty",), resolved=False)
    grave = Route("grave", ("ann",), at_least=Severity.CRITICAL)
    sms = Provider()
    sms.down = True
    office = Office(journal, replace(people(LADDER), routes=(quiet, grave)), {"sms": sms})
    await office.happen(OPEN)
    await play(office, 35)
    sms.down = False
    await office.happen(replace(OPEN, severity=Severity.CRITICAL, revision=2))
    await play(office, 5)
    assert [to.to for _, to in sms.taken if to.to.startswith("ann")] == ["ann@sms.example"]
    await office.happen(replace(closed(41), severity=Severity.CRITICAL, revision=3))
    await play(office, 5)
    ends = await journal.read("SELECT contact, route, state FROM notification WHERE reason = 'resolved'")
    assert ends == [("ann", "grave", "accepted")]


async def test_who_comes_on_duty_before_the_ladder_has_called_the_rotation_is_not_called(journal: Journal) -> None:
    slow = replace(LADDER, steps=(Step(("noc",), 7200), Step(("duty",), 600)))
    office = Office(journal, people(slow), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 60)
    assert [who for _, who in await called(journal)] == ["noc"]
