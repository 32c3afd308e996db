"""Nobody is forgotten where two things meet: a reminder and a call, a muted route and an open one, a defect and others.

Each of these once kept somebody from being told; seconds and minutes are simulated.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerting.directory import Budget, Cap, Directory, Ladder, Route, Step
from alerting.interval import Interval
from alerting.journal import Journal
from alerting.model import DeliveryError, Severity, UnansweredError
from alerting.paper import Press
from alerting.plan import plan
from alerting.runbooks import Runbooks
from alerting.told import hanging
from monitor.config import load
from tests.alerting.fakes import OPEN, Office, Provider, at, closed, contact, directory
from tests.alerting.test_outbox import Gate, until
from tests.fakes import FakeClock, settle

BOOKS = Runbooks.load(Path(__file__).parents[2] / "runbooks")
ALWAYS = {"always": Interval("always")}


def climbs(*steps: tuple[str, ...], names: tuple[str, ...], **route: object) -> Directory:
    """A route that tells ``names`` and enters a ladder whose steps wait ten minutes, gone through twice."""
    people = sorted({*names, *(name for step in steps for name in step)})
    who = directory(*(contact(name, "sms") for name in people))
    ladder = Ladder("up", "agency of noc", tuple(Step(step, 600) for step in steps), loops=2)
    main = Route("all", names, ladders=("up",), **route)  # type: ignore[arg-type] # a test gives what it is about: fields of Route
    return replace(who, routes=(main,), ladders={"up": ladder})


async def play(office: Office, minutes: float) -> None:
    for _ in range(round(minutes * 2)):
        await office.pass_time(0.5)


def told(sms: Provider) -> list[str]:
    return [address.to.partition("@")[0] for _, address in sms.taken]


async def test_worse_while_the_first_is_in_flight_is_told_before_the_reminder(journal: Journal) -> None:
    """The reminder is planned when the first has left, after the row that says worse, and says no more than that."""
    sms = Gate()
    office = Office(journal, directory(contact("noc", "sms"), repeat=14_400), {"sms": sms}, FakeClock())
    running = asyncio.create_task(office.outbox.run())
    await office.happen(OPEN)
    await sms.asked.wait()
    await office.happen(replace(OPEN, severity=Severity.CRITICAL, revision=2))
    await settle(200)
    sms.open.set()
    await until(lambda: len(sms.taken) == 2)
    assert sms.bodies[1].startswith("4711 NOW CRITICAL")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await office.outbox.close()


async def test_a_ladder_calls_whoever_only_waits_for_a_reminder(journal: Journal) -> None:
    office = Office(
        journal, climbs(("noc",), ("lead",), names=("noc", "lead"), repeat_seconds=14_400), {"sms": (sms := Provider())}
    )
    await office.happen(OPEN)
    await office.pass_time(0)
    assert told(sms) == ["noc", "lead"] or told(sms) == ["lead", "noc"]
    await play(office, 41)
    assert told(sms)[2:] == ["lead", "noc", "lead"], "at ten minutes, and in the second round"
    rows = await journal.read("SELECT count(*) FROM notification WHERE reason = 'repeat' AND state = 'planned'")
    assert rows == [(2,)], "each of them is reminded once, by the last of their messages"


async def test_a_muted_route_does_not_hide_one_that_speaks(journal: Journal) -> None:
    """As with Alertmanager's ``continue``: each route for itself."""
    office = Office(journal, directory(contact("noc", "sms")), {"sms": (sms := Provider())})
    quiet, loud = Route("quiet", ("noc",), mute=("always",), resolved=False), Route("loud", ("noc",))
    office.directory = replace(office.directory, routes=(quiet, loud), intervals=ALWAYS)
    await office.happen(OPEN)
    await office.pass_time(0)
    assert told(sms) == ["noc"]
    assert await journal.read("SELECT route FROM notification") == [("loud",)]
    await office.happen(closed(5))
    await office.pass_time(5)
    assert sms.bodies[1].startswith("4711 OVER"), "loud tells ends"


async def test_the_ladder_of_an_open_route_calls_whom_a_muted_one_would_tell_in_the_morning(journal: Journal) -> None:
    who = climbs(("noc",), names=())
    quiet = Route("quiet", ("noc",), mute=("always",))
    office = Office(journal, replace(who, routes=(quiet, *who.routes), intervals=ALWAYS), {"sms": (sms := Provider())})
    await office.happen(OPEN)
    await office.pass_time(0)
    assert told(sms) == ["noc"]


async def test_of_two_muted_routes_the_one_that_speaks_first_counts(journal: Journal) -> None:
    """It begins at noon UTC: one route is muted until three, the other until one."""
    late, soon = Interval("late", "UTC", ((0, 15 * 60),)), Interval("soon", "UTC", ((0, 13 * 60),))
    routes = Route("late", ("noc",), mute=("late",)), Route("soon", ("noc",), mute=("soon",))
    office = Office(journal, directory(contact("noc", "sms")), {"sms": (sms := Provider())})
    office.directory = replace(office.directory, routes=routes, intervals={"late": late, "soon": soon})
    await office.happen(OPEN)
    await play(office, 59)
    assert sms.taken == []
    await play(office, 2)
    assert told(sms) == ["noc"]


@pytest.mark.parametrize("hours", [1, 30])
async def test_a_clock_that_was_set_back_stops_no_ladder_and_no_next_channel(journal: Journal, hours: int) -> None:
    sms, mail = Provider(), Provider("mail")
    who = climbs(("noc",), ("lead",), names=(), repeat_seconds=1800)
    noc = contact("noc", "sms", "mail", next_after=300)
    office = Office(journal, replace(who, contacts={**who.contacts, "noc": noc}), {"sms": sms, "mail": mail})
    await office.happen(OPEN)
    await play(office, 2)
    office.clock.start -= timedelta(hours=hours)
    await play(office, 7.5)
    assert (told(sms), told(mail)) == (["noc"], ["noc"]), "the next channel of the same contact"
    await play(office, 1)
    assert told(sms) == ["noc", "lead"], "the next step"


async def test_a_machine_that_starts_in_the_past_goes_on_with_its_ladders(journal: Journal) -> None:
    office = Office(journal, climbs(("noc",), ("lead",), names=()), {"sms": (sms := Provider())})
    await office.happen(OPEN)
    await play(office, 5)
    office.clock.start -= timedelta(days=3)
    office.reborn()
    await play(office, 11)
    assert told(sms) == ["noc", "lead"]


async def test_a_reminder_keeps_its_distance_when_the_clock_was_set_back(journal: Journal) -> None:
    office = Office(journal, directory(contact("noc", "sms"), repeat=3600), {"sms": (sms := Provider())})
    await office.happen(OPEN)
    await play(office, 2)
    office.clock.start -= timedelta(days=1)
    await play(office, 57)
    assert len(sms.taken) == 1
    await play(office, 6)
    assert len(sms.taken) == 2


@pytest.mark.parametrize("severity", list(Severity))
async def test_after_a_day_without_a_way_out_an_outage_that_is_over_is_told_once(
    journal: Journal, severity: Severity
) -> None:
    """With the deadlines that are shipped; whoever could not be told is not told that it was too late."""
    sms, cut = Provider(), "this site is cut off"
    who = replace(directory(contact("noc", "sms")), deadlines=load(None, {}).directory.deadlines)
    office = Office(journal, who, {"sms": sms}, cut=lambda _: cut)
    sms.down = True
    await office.happen(replace(OPEN, severity=severity))
    await play(office, 180)
    await office.happen(replace(closed(180), severity=severity, blind=((at(0), None),)))
    for _ in range(21 * 4):
        await office.pass_time(15)
    sms.down, cut = False, ""
    await office.happen(replace(closed(180), severity=severity, revision=3, blind=((at(0), at(1440)),)))
    office.outbox.path_restored()
    await play(office, 90)
    (text,) = sms.bodies
    assert "was down 1 Sep 08:00 to 11:00 AST" in text
    assert "you were not told because this site was cut off" in text
    assert await hanging(journal, office.clock.now()) == []


@pytest.mark.parametrize("later", [("mail",), ("mail", "modem")])
@pytest.mark.parametrize("next_after", [0.0, 300.0])
async def test_whose_address_is_no_longer_there_is_told_by_the_one_that_is(
    journal: Journal, next_after: float, later: tuple[str, ...]
) -> None:
    """The files changed between plan and send: an address was switched off, another one came."""
    sms, mail, modem = Provider(), Provider("mail"), Provider()
    sms.down = True
    office = Office(
        journal, directory(contact("noc", "sms", next_after=next_after)), {"sms": sms, "mail": mail, "modem": modem}
    )
    await office.happen(OPEN)
    await office.pass_time(0)
    office.directory = directory(contact("noc", *later, next_after=next_after))
    await play(office, 1)
    taken = {name: len(one.taken) for name, one in (("mail", mail), ("modem", modem))}
    assert taken == {"mail": 1, "modem": int(len(later) > 1 and not next_after)}
    assert (await office.states())[0][3:] == ("refused", "the contact has no such address, or it is switched off")
    assert await hanging(journal, office.clock.now()) == []


async def test_what_has_no_credits_left_goes_on_to_the_next_channel(journal: Journal) -> None:
    sms, mail = Provider(), Provider("mail")
    who = replace(directory(contact("noc", "sms", "mail", next_after=3600)), budgets={"sms": Budget(0)})
    office = Office(journal, who, {"sms": sms, "mail": mail})
    await office.happen(OPEN)
    await office.pass_time(0)
    await office.pass_time(0.1)
    assert (told(sms), told(mail)) == ([], ["noc"])


async def test_what_expires_before_it_was_ever_tried_goes_on_to_the_next_channel(journal: Journal) -> None:
    sms, mail = Provider(), Provider("mail")
    office = Office(
        journal, directory(contact("noc", "sms", "mail", next_after=7200), deadline=3600), {"sms": sms, "mail": mail}
    )
    known, office.truths = {"4711": OPEN}, {}
    await office.happen(OPEN)
    office.truths.clear()  # nothing can be said of it for as long as its deadline
    await play(office, 61)
    assert (await office.states())[0][3] == "expired"
    office.truths.update(known)
    await play(office, 1)
    assert told(mail) == ["noc"]


async def test_a_mail_whose_paper_cannot_even_be_begun_leaves(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    class NoThreads(Press):
        async def attach(self, book):  # type: ignore[no-untyped-def] # as its parent
            raise RuntimeError("can't start new thread")

    mail = Provider("mail")
    office = Office(journal, directory(contact("noc", "mail")), {"mail": mail}, runbooks=BOOKS)
    office.outbox._press = NoThreads()
    await office.happen(OPEN)
    await office.pass_time(0)
    assert len(mail.taken) == 1
    assert office.outbox.stats().bugs == 1
    assert "can't start new thread" in caplog.text


async def test_whoever_the_files_name_only_now_hears_of_what_is_open_and_nobody_else_again(journal: Journal) -> None:
    """Alertmanager after a reload: the same, for a receiver that it has never told."""
    sms = Provider(answers=[DeliveryError("no such number", permanent=True)])
    office = Office(journal, directory(contact("gone", "sms"), contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    await office.pass_time(0)
    office.directory = directory(contact("gone", "sms"), contact("noc", "sms"), contact("ctu", "sms"))
    office.reborn()
    for _ in range(2):
        async with journal.transaction() as tx:
            await plan(tx, OPEN, office.directory, office.clock.now(), newly_named=True)
        await office.pass_time(1)
    assert sorted(told(sms)) == ["ctu", "noc"]
    assert sms.tries == 3


async def test_a_ladder_that_is_newly_named_calls_its_first_step_and_waits(journal: Journal) -> None:
    who = climbs(("noc",), ("lead",), names=("noc",))
    before = replace(who, routes=(replace(who.routes[0], ladders=()),))
    office = Office(journal, before, {"sms": (sms := Provider())})
    await office.happen(OPEN)
    await play(office, 5)
    office.directory = who
    async with journal.transaction() as tx:
        await plan(tx, OPEN, who, office.clock.now(), newly_named=True)
    await play(office, 9)
    assert told(sms) == ["noc", "noc"], "its ladder asks for an acknowledgement"
    await play(office, 2)
    assert told(sms) == ["noc", "noc", "lead"]


async def test_one_alert_that_cannot_be_written_takes_no_other_down_with_it(journal: Journal) -> None:
    """Several share a message: it leaves with what needs no defect's leave, and can be repeated like any other."""
    sms = Provider(answers=[UnansweredError("left us")])
    who = replace(directory(contact("noc", "sms")), caps={"sms": Cap(merge=2)})
    office = Office(journal, who, {"sms": sms})
    for number in (1, 2, 3):
        broken = {"opened": None} if number == 2 else {}
        await office.happen(replace(OPEN, incident=str(number), what=f"Cable C{number} down", **broken))
    await office.pass_time(0)
    await play(office, 2)
    (text,) = sms.bodies
    assert text == "(repeat) 3 incidents: 1 MAJOR: Cable C1 down; 2 MAJOR: Cable C2 down; 3 MAJOR: Cable C3 down"
    assert await journal.read("SELECT DISTINCT state FROM notification") == [("accepted",)]
    assert await hanging(journal, office.clock.now()) == []


async def test_an_alert_of_which_nothing_can_be_said_keeps_no_other_back(journal: Journal) -> None:
    sms = Provider()
    who = replace(directory(contact("noc", "sms")), caps={"sms": Cap(merge=2)})
    office = Office(journal, who, {"sms": sms})
    for number in (1, 2, 3):
        await office.happen(replace(OPEN, incident=str(number)))
    office.truths["2"] = "no alert at all"  # type: ignore[assignment] # the defect
    await office.pass_time(0)
    (text,) = sms.bodies
    assert text.startswith("2 incidents: 2 major.")
