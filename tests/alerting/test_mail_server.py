"""Out by a real mail server and back: what it reports (RFC 3461, 3464), and what people answer to the mail itself."""

import asyncio
import smtplib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from alerting.channels.smtp import Smtp
from alerting.feeds import Feeds
from alerting.inbound import Inbox
from alerting.model import Address
from alerting.runbooks import Runbooks
from tests.alerting.fakes import OPEN, Office, contact, directory, open_journal
from tests.daemons import until
from tests.mta import MailServer, mail_server

BOOKS = Path(__file__).parents[2] / "runbooks"
WHAT = "Câble Curaçao–São Tomé coupé; кабель, ñandú è ò ü"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@dataclass
class Desk:
    """Alerting with a mail server that serves its people, and us."""

    office: Office
    feeds: Feeds
    server: MailServer

    async def until_said(self, fate: str) -> None:
        """Look into the maildir until the server has said this of the message."""

        async def said() -> bool:
            await self.feeds.look(self.office.clock.now())
            return (fate,) in await self.office.journal.read("SELECT fate FROM receipt")

        for _ in range(600):
            if await said():
                return
            await asyncio.sleep(0.05)
        pytest.fail(f"never {fate}: {self.server.log()}")


@asynccontextmanager
async def desk(folder: Path, server: MailServer, to: str) -> AsyncIterator[Desk]:
    journal = await open_journal(folder)
    who = replace(contact("noc"), addresses=(Address("mail", f"{to}@operator.example"),))
    maildir = str(server.maildir("lambi"))
    mail = Smtp("127.0.0.1", "lambi@watch.example", server.port, "none", maildir=maildir)
    office = Office(journal, directory(who), {"mail": mail}, runbooks=Runbooks.load(BOOKS))
    inbox = Inbox(journal, lambda: office.directory, office.truths.get, office.runbooks, site="Hub", draw=lambda _: 3)
    await office.happen(replace(OPEN, what=WHAT))
    await office.pass_time(0)
    try:
        yield Desk(office, Feeds({"mail": mail}, inbox, office.outbox.say, office.clock), server)
    finally:
        await journal.close()


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def test_a_mailbox_that_took_it_says_so(tmp_path: Path, server: MailServer) -> None:
    async with desk(tmp_path, server, "noc") as here:
        await here.until_said("delivered")
        assert [row[3] for row in await here.office.states()] == ["delivered"]
        [mail] = server.mails("noc")
        assert f"MAJOR: {WHAT}, Barbados" in str(mail["Subject"])
        assert text_of(mail).startswith(f"{WHAT}\n")
        assert list(server.maildir("lambi").glob("new/*")) == [], "what was read is gone"


async def test_a_mailbox_that_is_closed_gives_the_mail_back(tmp_path: Path, server: MailServer) -> None:
    async with desk(tmp_path, server, "gone") as here:
        await here.until_said("failed")
        [(detail,)] = await here.office.journal.read("SELECT detail FROM receipt")
        assert detail.startswith("status 5.")
        [row] = await here.office.states()
        assert row[3] == "planned", "nobody has it: it is due again"


async def test_a_mailbox_that_is_full_delays_it_and_that_is_no_failure(tmp_path: Path, server: MailServer) -> None:
    async with desk(tmp_path, server, "full") as here:
        await here.until_said("buffered")
        assert [row[3] for row in await here.office.states()] == ["accepted"]


async def test_nobody_of_that_name_is_refused_at_once(tmp_path: Path, server: MailServer) -> None:
    async with desk(tmp_path, server, "unknown") as here:
        assert [row[3:] for row in await here.office.states()] == [
            ("refused", "the mail server answered 550 5.1.1 no such user")
        ]


async def test_an_answer_to_the_mail_itself_is_answered_by_mail(tmp_path: Path, server: MailServer) -> None:
    async with desk(tmp_path, server, "ctu") as here:
        await asyncio.to_thread(until, lambda: server.mails("ctu"), "the alert arrives")
        [alert] = server.mails("ctu")

        def write(text: str, sender: str = "ctu@operator.example") -> None:
            mail = EmailMessage()
            mail["From"], mail["To"], mail["Subject"] = sender, "lambi@watch.example", f"Re: {alert['Subject']}"
            mail["In-Reply-To"] = str(alert["Message-ID"])
            mail.set_content(f"{text}\n\nOn Tue, Lambi wrote:\n> {text_of(alert)[:100]}")
            with smtplib.SMTP("127.0.0.1", server.port) as client:
                client.send_message(mail)

        async def answer(count: int) -> str:
            for _ in range(600):
                await here.feeds.look(here.office.clock.now())
                if len(server.mails("ctu")) == count:
                    return text_of(server.mails("ctu")[-1])
                await asyncio.sleep(0.05)
            pytest.fail(f"no answer: {server.log()}")

        await asyncio.to_thread(write, "A")
        assert "acknowledgement is noted" in await answer(2)
        await asyncio.to_thread(write, "N")
        assert " 1: " in await answer(3)
        await asyncio.to_thread(write, "R", "somebody@else.example")
        await asyncio.to_thread(write, "D1")
        assert "step 1 is noted as done" in await answer(4)
        assert await here.office.journal.read("SELECT what, via FROM response ORDER BY id") == [
            ("ack", "mail"),
            ("next", "mail"),
            ("done", "mail"),
        ]
