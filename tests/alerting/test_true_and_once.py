"""What was once told wrongly, twice or not at all: other files, an end by another way, an answer that came in between.
Seconds and minutes are simulated.
"""

from dataclasses import replace

import pytest

from alerting import failover, silence
from alerting.directory import Cap, Directory, Ladder, Route
from alerting.inbound import Inbox
from alerting.journal import Journal
from alerting.ladder import respond
from alerting.match import parse
from alerting.model import Act, DeliveryError, Fate, Receipt, Response, Severity
from alerting.plan import tell_newly_named
from alerting.receipts import receive
from alerting.replies import Asked
from alerting.runbooks import Runbooks
from alerting.told import hanging
from tests.alerting.fakes import OPEN, Office, Provider, at, closed, contact, directory
from tests.alerting.test_ladder import LADDER, answer, people, play
from tests.alerting.test_never_lost import told


async def files(office: Office, now: Directory) -> None:
    """Go by other files, as a reload does."""
    moved, office.directory = now.moved(office.directory), now
    standing = [one for one in office.truths.values() if one.closed is None]
    async with office.journal.transaction() as tx:
        await tell_newly_named(tx, standing, now, office.clock.now(), moved)


async def fate(office: Office, sms: Provider, which: Fate, number: int = -1) -> None:
    now = office.clock.now()
    async with office.journal.transaction() as tx:
        await receive(tx, Receipt(sms.taken[number][0].reference, which, now), now)


async def steps(journal: Journal) -> list[str]:
    return [str(why) for (why,) in await journal.read("SELECT why FROM escalation_event ORDER BY id")]


# other files


async def test_an_agency_that_is_called_otherwise_now_stops_its_ladder_all_the_same(journal: Journal) -> None:
    office = Office(journal, people(LADDER), {"sms": (sms := Provider())})
    await office.happen(OPEN)
    await play(office, 1)
    new = people(replace(LADDER, agency="IX Ltd"))
    named = {name: replace(one, agency=one.agency.replace("IX", "IX Ltd")) for name, one in new.contacts.items()}
    await files(office, replace(new, contacts=named))
    now = office.clock.now()
    async with journal.transaction() as tx:
        assert await respond(tx, Response("4711", "noc", "IX Ltd", Act.ACK, None, None, now, "cli"), now) == "acked"
    await play(office, 30)
    assert told(sms) == ["noc"]


async def test_one_agency_of_two_names_is_not_of_one_mind_with_itself(journal: Journal) -> None:
    office = Office(journal, people(LADDER), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 1)
    assert await answer(office, "noc", Act.RESOLVE) == "proposed"
    new = people(replace(LADDER, agency="IX Ltd"))
    await files(office, replace(new, contacts={n: replace(one, agency="IX Ltd") for n, one in new.contacts.items()}))
    now = office.clock.now()
    async with journal.transaction() as tx:
        assert (
            await respond(tx, Response("4711", "noc", "IX Ltd", Act.RESOLVE, None, None, now, "cli"), now) == "proposed"
        )


@pytest.mark.parametrize("was", ["off", "wrong"])
async def test_whose_address_is_put_right_hears_of_what_is_open_and_nobody_else_again(
    journal: Journal, was: str
) -> None:
    """It was switched off, or the carrier knew no such number; then somebody mends the file."""
    sms, mail = Provider(), Provider("mail")
    office = Office(journal, directory(contact("ctu", "sms"), contact("noc", "sms")), {"sms": sms, "mail": mail})
    sms.down = True
    await office.happen(OPEN)
    await office.pass_time(0)
    if was == "off":
        await files(office, directory(contact("ctu", "sms"), contact("noc")))
    else:
        sms.errors.extend([DeliveryError("no such number", permanent=True)])
    sms.down = False
    await play(office, 1)
    heard = told(sms)
    assert len(heard) == 1, "the other one"
    missing = ({"ctu", "noc"} - set(heard)).pop()
    for _ in range(2):
        now = [contact(name, "mail" if name == missing else "sms") for name in ("ctu", "noc")]
        await files(office, directory(*now))
        await play(office, 1)
    assert (told(sms), told(mail)) == (heard, [missing])


async def test_the_end_by_another_way_does_not_say_that_the_beginning_was_not_told(journal: Journal) -> None:
    sms, mail = Provider(), Provider("mail")
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms, "mail": mail})
    await office.happen(OPEN)
    await office.pass_time(0)
    office.directory = directory(contact("noc", "mail"))
    await office.happen(closed(5))
    await office.pass_time(6)
    await office.pass_time(0.1)
    assert "It was down 08:00 to 08:05 AST, now answers again.\n" in mail.bodies[0]


async def test_an_end_that_goes_on_to_the_next_channel_does_not_say_so_either(journal: Journal) -> None:
    sms, mail = Provider(), Provider("mail")
    sms.receipts = True
    office = Office(journal, directory(contact("noc", "sms", "mail", next_after=300)), {"sms": sms, "mail": mail})
    await office.happen(OPEN)
    await office.pass_time(0)
    await fate(office, sms, Fate.DELIVERED)
    async with journal.transaction() as tx:
        await failover.answered(tx, "4711", "noc", office.clock.now())
    await office.happen(closed(5))
    for _ in range(12):
        await office.pass_time(1)
    assert [body.splitlines()[1] for body in mail.bodies] == ["It was down 08:00 to 08:05 AST, now answers again."]


async def test_whoever_has_it_by_the_second_channel_is_not_told_again_with_each_change(journal: Journal) -> None:
    """The first channel refused it for good; the incident goes on, worse once."""
    sms, mail = Provider(answers=[DeliveryError("no such number", permanent=True)] * 9), Provider("mail")
    office = Office(journal, directory(contact("noc", "sms", "mail", next_after=300)), {"sms": sms, "mail": mail})
    for revision, severity in enumerate((Severity.WARNING, *[Severity.MAJOR] * 3), 1):
        await office.happen(replace(OPEN, severity=severity, revision=revision))
        await play(office, 12)
    assert [body.splitlines()[2].split()[-1] for body in mail.bodies] == ["warning", "major"]
    await office.happen(closed(50))
    await play(office, 12)
    assert len(mail.bodies) == 3


async def test_what_two_channels_are_told_is_not_handed_from_one_to_the_other(journal: Journal) -> None:
    sms, mail = Provider(), Provider("mail")
    sms.receipts = True
    office = Office(journal, directory(contact("noc", "sms", "mail", next_after=300)), {"sms": sms, "mail": mail})
    await office.happen(replace(OPEN, severity=Severity.WARNING))
    await play(office, 12)
    await office.happen(replace(OPEN, revision=2))
    await play(office, 12)
    assert (len(sms.taken), len(mail.taken)) == (2, 2)
    await office.happen(replace(closed(24), revision=3))
    await play(office, 12)
    assert (len(sms.taken), len(mail.taken)) == (3, 3)


async def test_the_whole_story_by_one_channel_is_not_followed_by_its_end_by_the_same(journal: Journal) -> None:
    """The first channel told of the beginning and gave no receipt, the second had no provider until all was over."""
    sms, mail = Provider(), Provider("mail")
    sms.receipts = mail.down = True
    office = Office(journal, directory(contact("noc", "sms", "mail", next_after=300)), {"sms": sms, "mail": mail})
    await office.happen(OPEN)
    await play(office, 12)
    await office.happen(closed(12))
    mail.down = False
    await play(office, 20)
    assert (len(sms.taken), len(mail.taken)) == (2, 1)


async def test_who_comes_on_duty_hears_of_the_whole_and_not_of_its_parts(journal: Journal) -> None:
    office = Office(journal, people(contacts=("duty",)), {"sms": (sms := Provider())})
    await office.happen(OPEN)
    await office.happen(replace(OPEN, incident="4712", what="Router down"))
    await play(office, 1)
    await office.happen(replace(OPEN, incident="4712", what="Router down", part_of="4711", revision=2))
    await play(office, 30)
    assert told(sms) == ["ann", "ann", "ben"]


@pytest.mark.parametrize("why", ["its group", "a cap"])
async def test_what_waited_for_its_group_or_a_cap_and_was_over_by_then_is_not_said_to_have_been_kept_back(
    journal: Journal, why: str
) -> None:
    who = directory(contact("noc", "sms"))
    if why == "its group":
        who = replace(who, routes=(Route("all", ("noc",), group_by=("kind",), group_wait=60),))
    else:
        who = replace(who, caps={"sms": Cap(gap=90)})
    office = Office(journal, who, {"sms": (sms := Provider())})
    if why == "a cap":
        await office.happen(replace(OPEN, incident="4710"))
        await office.pass_time(0)
    await office.happen(OPEN)
    await office.pass_time(0.5)
    await office.happen(closed(0.5))
    await play(office, 3)
    assert sms.bodies[-1].startswith(
        "4711 OVER: Cable ECFS down, Barbados, was down 08:00 to 08:00 AST, now answers again. "
    )


# a ladder whose people cannot be told


@pytest.mark.parametrize("cut", ["this site is cut off", ""])
async def test_a_ladder_does_not_run_out_while_nobody_can_be_told(journal: Journal, cut: str) -> None:
    """Most of a day without a way out, or without the provider: then step after step, each with its time to answer."""
    sms, why = Provider(), cut
    office = Office(journal, people(LADDER), {"sms": sms}, cut=lambda _: why)
    sms.down = True
    await office.happen(OPEN)
    await play(office, 8)
    for _ in range(23 * 4):
        await office.pass_time(15)
    assert await hanging(journal, office.clock.now()) == []
    assert len(await steps(journal)) < 5, "it does not write down each look"
    sms.down, why = False, ""
    office.outbox.path_restored()
    await play(office, 9)
    assert told(sms) == ["noc"]
    await play(office, 4)
    assert sorted(told(sms)[1:]) == ["ann", "lead"]


async def test_a_ladder_waits_for_no_way_that_works(journal: Journal) -> None:
    """The link to the world is cut, and the gateway of this island takes messages all the same."""
    office = Office(journal, people(LADDER), {"sms": (sms := Provider())}, cut=lambda _: "this site is cut off")
    await office.happen(OPEN)
    await play(office, 11)
    assert sorted(told(sms)) == ["ann", "lead", "noc"]


async def test_a_ladder_passes_somebody_who_cannot_be_told_for_somebody_who_can(journal: Journal) -> None:
    sms, modem = Provider(), Provider()
    sms.down = True
    who = people(LADDER)
    lead = replace(contact("lead", "modem"), agency="IX")
    office = Office(journal, replace(who, contacts={**who.contacts, "lead": lead}), {"sms": sms, "modem": modem})
    await office.happen(OPEN)
    await play(office, 11)
    assert told(modem) == ["lead"]


async def test_a_ladder_stands_still_while_a_silence_keeps_its_messages_back(journal: Journal) -> None:
    office = Office(journal, people(LADDER), {"sms": (sms := Provider())})
    async with journal.transaction() as tx:
        await silence.add(tx, silence.Wish((parse("kind=cable"),), at(0), at(120), "a", "b"), at(0))
    await office.happen(OPEN)
    await play(office, 119)
    assert sms.taken == []
    await play(office, 10)
    assert told(sms) == ["noc"]
    await play(office, 5)
    assert sorted(told(sms)[1:]) == ["ann", "lead"]
    assert await hanging(journal, office.clock.now()) == []


# an answer in between


def inbox(office: Office) -> Inbox:
    return Inbox(
        office.journal, lambda: office.directory, office.truth, Runbooks({}), site="Hub", draw=lambda most: 1 % most
    )


async def test_what_is_part_of_another_is_not_said_to_be_over(journal: Journal) -> None:
    office = Office(journal, people(LADDER), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 1)
    await office.happen(replace(OPEN, part_of="4712", revision=2))
    heard = await inbox(office).act("noc", Asked("4711", "", Act.ACK), "cli", office.clock.now())
    assert heard.verdict == "acked"


async def test_what_is_open_again_before_its_end_was_told_is_not_said_to_be_over(journal: Journal) -> None:
    office = Office(journal, people(contacts=("noc",), repeat=3600), {"sms": Provider()})
    await office.happen(OPEN)
    await play(office, 1)
    await office.happen(closed(1.1))
    await office.happen(replace(OPEN, revision=3))
    assert await answer(office, "noc") == "acked"


@pytest.mark.parametrize("meanwhile", [closed(1.1), replace(OPEN, part_of="4712", revision=2)])
async def test_an_acknowledgement_holds_for_what_opens_again_before_anybody_heard_of_an_end(
    journal: Journal, meanwhile: object
) -> None:
    office = Office(journal, people(LADDER), {"sms": (sms := Provider())})
    await office.happen(OPEN)
    await play(office, 1)
    await answer(office, "noc")
    sms.down = True
    await office.happen(meanwhile)  # type: ignore[arg-type] # an Alert
    await play(office, 1)
    await office.happen(replace(OPEN, revision=3))
    sms.down = False
    await play(office, 50)
    assert told(sms) == ["noc"]
    await play(office, 10)
    assert sorted(told(sms)[1:]) == ["ben", "lead"], "it expires in its time, and the ladder goes on where it stood"


async def test_what_people_ended_calls_again_when_it_has_ended_and_opens_again(journal: Journal) -> None:
    both = Ladder("power", "BLPC", LADDER.steps)
    office = Office(journal, people(LADDER, both), {"sms": (sms := Provider())})
    await office.happen(OPEN)
    await play(office, 1)
    await answer(office, "noc", Act.RESOLVE)
    assert await answer(office, "grid", Act.RESOLVE) == "agreed"
    await office.happen(closed(2))
    await play(office, 1)
    assert told(sms) == ["noc", "noc"], "the beginning and the end"
    await office.happen(replace(OPEN, revision=3))
    await play(office, 1)
    assert told(sms) == ["noc", "noc", "noc"]


@pytest.mark.parametrize("who", ["noc", "lead"])
async def test_a_message_that_came_back_calls_nobody_whose_agency_has_acknowledged(journal: Journal, who: str) -> None:
    sms = Provider()
    sms.receipts = True
    office = Office(journal, people(contacts=("noc",)), {"sms": sms})
    await office.happen(OPEN)
    await play(office, 1)
    await answer(office, who)
    await fate(office, sms, Fate.FAILED)
    await play(office, 10)
    assert len(sms.taken) == 1
    assert (await office.states())[0][3:] == ("acknowledged", f"{who} has acknowledged")


async def test_a_mail_does_not_say_that_nobody_has_acknowledged_when_somebody_had(journal: Journal) -> None:
    who = people(LADDER)
    mails = {name: replace(one, addresses=contact(name, "mail").addresses) for name, one in who.contacts.items()}
    office = Office(journal, replace(who, contacts=mails), {"mail": (mail := Provider("mail"))})
    await office.happen(OPEN)
    await play(office, 1)
    await answer(office, "noc")
    await play(office, 100)
    calls = [body for body in mail.bodies if "IX acknowledged 08:01" in body]
    assert calls
    assert not any("nobody" in body for body in calls)
