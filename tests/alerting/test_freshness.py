"""An address that its contact has not confirmed for 90 days is a warning; no address stands in it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerting import codes
from alerting.freshness import Way, ways
from alerting.inbound import Inbox
from alerting.model import Address, Fate, Receipt, Reply
from alerting.replies import Asked
from alerting.runbooks import Runbooks
from monitor.config import load
from monitor.freshness import Freshness
from tests.alerting.fakes import OPEN, Office, Provider, contact, directory, open_journal


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    journal = await open_journal(tmp_path)
    sms, mail, hook = Provider(), Provider("mail"), Provider("mail")
    sms.answers = sms.receipts = True
    who = directory(contact("noc", "sms", "mail"), contact("lead", "sms"))
    yield Office(journal, who, {"sms": sms, "mail": mail, "hook": hook}, answer_url="https://x.example")
    await journal.close()


def inbox(office: Office) -> Inbox:
    return Inbox(
        office.journal, lambda: office.directory, office.truth, Runbooks({}), site="Hub", draw=lambda below: 7 % below
    )


async def found(office: Office, *, links: bool = True) -> dict[tuple[str, str], Way]:
    rows = await ways(office.journal, office.directory, office.channels, links=links)
    return {(one.contact, one.channel): one for one in rows}


async def test_an_answer_confirms_for_ninety_days_and_a_receipt_does_not(office: Office) -> None:
    now = office.clock.now()
    assert all(one.stale(now) and one.confirmed is None for one in (await found(office)).values())
    await office.happen(OPEN)
    await office.pass_time(0)
    sms = office.channels["sms"]
    assert isinstance(sms, Provider)
    async with office.journal.transaction() as tx:
        letters = await codes.code(tx, "4711", "noc", lambda below: 7 % below, now)
    for message, _ in sms.taken:
        await inbox(office).receive(Receipt(message.reference, Fate.DELIVERED, now), now)
    assert (await found(office))["noc", "sms"].stale(now)
    await inbox(office).hear(Reply("sms", "noc@sms.example", f"4711-{letters} A", now, "1"), now)
    way = (await found(office))["noc", "sms"]
    assert (way.confirmed, way.by) == (now, "answer")
    assert not way.stale(now + timedelta(days=90))
    assert way.stale(now + timedelta(days=91))
    assert (await found(office))["lead", "sms"].stale(now)


async def test_the_button_behind_a_link_confirms_the_mail(office: Office) -> None:
    await office.happen(OPEN)
    await office.pass_time(0)
    mail, now = office.channels["mail"], office.clock.now()
    assert isinstance(mail, Provider)
    [text] = [body for body in mail.bodies if "/answer/" in body]
    token = text.partition("/answer/")[2][:32]
    assert await inbox(office).follow(token, now)
    assert (await found(office))["noc", "mail"].confirmed is None  # scanners open links too
    await inbox(office).click(token, Asked(what=None), now)
    assert (await found(office))["noc", "mail"].confirmed == now


async def test_letters_sent_back_confirm_and_a_new_address_is_not_confirmed(office: Office) -> None:
    now, sent = office.clock.now(), dict[str, str]()

    async def send(to: str, text: str) -> None:
        sent[to] = text

    await inbox(office).verify("lead", {"sms": send}, now)
    letters = sent["lead@sms.example"].partition("answer ")[2][:4]
    await inbox(office).hear(Reply("sms", "lead@sms.example", letters, now, "2"), now)
    assert (await found(office))["lead", "sms"].confirmed == now
    moved = replace(office.directory.contacts["lead"], addresses=(Address("sms", "+12465550199"),))
    office.directory = replace(office.directory, contacts={**office.directory.contacts, "lead": moved})
    assert (await found(office))["lead", "sms"].confirmed is None


async def test_a_receipt_counts_where_no_answer_can_come_and_nothing_where_nothing_comes_back(office: Office) -> None:
    sms, now = office.channels["sms"], office.clock.now()
    assert isinstance(sms, Provider)
    sms.answers = False
    await office.happen(OPEN)
    await office.pass_time(0)
    for message, _ in sms.taken:
        await inbox(office).receive(Receipt(message.reference, Fate.DELIVERED, now), now)
    got = await found(office, links=False)
    assert (got["noc", "sms"].by, got["noc", "sms"].confirmed) == ("receipt", now)
    assert (got["noc", "mail"].by, got["noc", "mail"].stale(now)) == ("", False)


async def test_the_warning_counts_and_names_no_address(office: Office) -> None:
    settings = replace(load(None, {}), directory=office.directory, channels=office.channels)
    fresh = Freshness(settings, office.journal, office.clock, links=True)
    assert fresh.warning() == ()
    told = await fresh.commands()["contact-freshness"]({})
    assert told["warning"] == "3 addresses of contacts have not been confirmed for 90 days: lambi contact list"
    assert fresh.stale == 3
    assert "example" not in str(told)
