"""Incidents that began together, though nothing is known to join them: one message names all, nobody is left out."""

from dataclasses import replace

from alerting.directory import Route, Silence
from alerting.gsm import one_part
from alerting.journal import Journal
from alerting.match import parse
from alerting.model import Alert, Severity
from tests.alerting.fakes import OPEN, Office, Provider, at, contact, directory


def office_of(journal: Journal, *names: str) -> tuple[Office, Provider, Provider]:
    sms, mail = Provider(), Provider("mail")
    people = directory(*(contact(name, "sms", "mail") for name in names))
    return Office(journal, people, {"sms": sms, "mail": mail}), sms, mail


def cable(**fields: object) -> Alert:
    return replace(OPEN, incident="1", event="1", what="Cable C down", **fields)  # type: ignore[arg-type] # fields of an alert


def router(**fields: object) -> Alert:
    facts = {"incident": "2", "event": "1", "kind": "router", "asset": "router:r", "what": "Router R down", **fields}
    return replace(OPEN, **facts)  # type: ignore[arg-type] # what an exercise or a cut changes in one


def over(alert: Alert) -> Alert:
    return replace(alert, closed=at(30), changed=at(30), revision=2, closing="answers again")


async def test_one_short_message_and_one_mail_tell_of_both_and_of_their_end(journal: Journal) -> None:
    office, sms, mail = office_of(journal, "noc")
    await office.happen(cable())
    await office.happen(router(severity=Severity.CRITICAL))
    await office.pass_time(0)
    assert sms.bodies == [
        "2 incidents: 1 critical, 1 major. 2 Router R down 08:00 AST; 1 Cable C down 08:00 AST. Desk +1 868 555 0100"
    ]
    [(letter, _)] = mail.taken
    assert letter.subject == "[1] MAJOR: Cable C down, Barbados; Router R down"
    assert "[2] CRITICAL: Router R down, Barbados" in letter.body
    assert letter.thread
    await office.happen(over(cable()))
    await office.happen(over(router()))
    await office.pass_time(30)
    assert sms.bodies[1].startswith("2 incidents: 2 over.")
    assert mail.taken[1][0].thread == letter.thread
    assert len(sms.taken) == len(mail.taken) == 2


async def test_three_long_names_find_room_in_one_short_message_and_a_fourth_leaves_in_the_next(
    journal: Journal,
) -> None:
    office, sms, _ = office_of(journal, "noc")
    sms.answers = True
    long = "Name server ns-secondary.example.islands down"
    await office.happen(cable())
    for number in range(1002, 1005):
        await office.happen(router(incident=str(number), what=long))
    await office.pass_time(0)
    assert len(sms.taken) == 2
    assert all(map(one_part, sms.bodies))
    assert all(any(f"{number}-" in text for text in sms.bodies) for number in ("1", "1002", "1003", "1004"))
    assert not any(" more" in text for text in sms.bodies)


async def test_whoever_hears_of_one_alone_is_told_of_it_alone(journal: Journal) -> None:
    office, sms, _ = office_of(journal, "noc", "routers")
    cables = Route("cables", ("noc",), kinds=("cable",))
    routers = Route("routers", ("routers",), kinds=("router",))
    office.directory = replace(office.directory, routes=(cables, routers))
    await office.happen(cable())
    await office.happen(router())
    await office.pass_time(0)
    told = {address.to.partition("@")[0]: message.body for message, address in sms.taken}
    assert told["noc"].startswith("1 MAJOR: Cable C down")
    assert told["routers"].startswith("2 MAJOR: Router R down")


async def test_what_is_known_when_the_first_has_left_leaves_at_once_by_itself(journal: Journal) -> None:
    office, sms, _ = office_of(journal, "noc")
    await office.happen(cable())
    await office.pass_time(0)
    await office.happen(router())
    await office.pass_time(0.1)
    assert [text.split(",")[0] for text in sms.bodies] == ["1 MAJOR: Cable C down", "2 MAJOR: Router R down"]


async def test_a_silence_about_the_first_keeps_nothing_back_of_the_other(journal: Journal) -> None:
    office, sms, _ = office_of(journal, "noc")
    quiet = Silence("s1", (parse("asset=cable:ecfs"),), at(-1), at(60), "noc", "known")
    office.directory = replace(office.directory, silences=(quiet,))
    await office.happen(cable())
    await office.happen(router())
    await office.pass_time(0)
    assert [text.split(",")[0] for text in sms.bodies] == ["2 MAJOR: Router R down"]
