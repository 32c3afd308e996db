"""A mail that came back: an answer, a report, a machine, a forgery."""

from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.channels.mailbox import Letter, understand
from alerting.channels.smtp import Smtp
from alerting.feeds import Feeds
from alerting.inbound import Inbox
from alerting.model import Address, Fate, Reply
from alerting.runbooks import Runbooks
from tests.alerting.fakes import OPEN, SCHEMAS, MortalJournal, Office, closed, contact, directory, open_journal
from tests.daemons import smtp_sink

WHERE = "noc@operator.example"
REPORT = """From: mailer-daemon@mx.example
To: lambi@watch.example
Subject: Delivery report
Content-Type: multipart/report; report-type=delivery-status; boundary=x

--x
Content-Type: text/plain

Hello
--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Original-Envelope-Id: {reference}

Final-Recipient: rfc822; noc@operator.example
Action: {action}
Status: 5.1.1

--x--
"""


def answer(subject: str, text: str, sender: str = f"The NOC <{WHERE.upper()}>", **headers: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Message-ID"] = sender, subject, f"<{abs(hash(text + subject))}@x.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


@pytest.mark.parametrize(
    ("subject", "text", "said"),
    [
        ("Re: [4711-KT] MAJOR: Cable down", "A\n\n> old", "4711-KT A"),
        ("Antw: Re: [4711-KT] MAJOR", "\n\n  klaar 3\nmvg", "4711-KT klaar 3"),
        ("something else", "4711-KT OK", "4711-KT OK"),
        ("Re: [4711-KT] MAJOR", "> quoted only", ""),
        ("Re: [4711-KT] MAJOR", "On Tue, Lambi wrote:\n> x", ""),
        ("hello", "hello", "hello"),
    ],
)
def test_what_an_answer_by_mail_says(subject: str, text: str, said: str) -> None:
    letter = understand(answer(subject, text), "file")
    assert letter.text == said
    assert letter.sender.lower() == WHERE


def test_a_machine_is_no_person() -> None:
    assert understand(answer("Re: [4711-KT] x", "A", Auto_Submitted="auto-replied"), "f") == Letter()
    assert understand(answer("Re: [4711-KT] x", "A", Precedence="bulk"), "f") == Letter()


@pytest.mark.parametrize(
    ("action", "fate"),
    [("delivered", Fate.DELIVERED), ("relayed", Fate.BUFFERED), ("delayed", Fate.BUFFERED), ("failed", Fate.FAILED)],
)
def test_a_report_of_delivery(action: str, fate: Fate) -> None:
    letter = understand(REPORT.format(reference="17.65a", action=action).encode(), "f")
    assert letter.fates == (("17.65a", fate, "status 5.1.1"),)
    assert letter.text == ""


@given(st.binary(max_size=400))
def test_no_mail_breaks_the_reader(raw: bytes) -> None:
    for head in (b"", b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n"):
        letter = understand(head + raw, "f")
        assert len(letter.id) <= 200


async def test_out_by_mail_and_back_through_a_maildir(tmp_path: Path) -> None:
    (tmp_path / "mail" / "new").mkdir(parents=True)
    journal = await open_journal(tmp_path)
    noc = replace(contact("noc"), addresses=(Address("mail", WHERE),))
    with smtp_sink() as sink:
        mail = Smtp("127.0.0.1", "lambi@watch.example", sink.port, "none", maildir=str(tmp_path / "mail"))
        office = Office(journal, directory(noc), {"mail": mail})
        inbox = Inbox(journal, lambda: office.directory, office.truths.get, Runbooks({}), site="Hub", draw=lambda _: 3)
        feeds = Feeds({"mail": mail}, inbox, office.outbox.say, office.clock)

        async def arrives(raw: bytes) -> None:
            (tmp_path / "mail" / "new" / "1").write_bytes(raw)
            await feeds.look(office.clock.now())
            assert list((tmp_path / "mail" / "new").glob("*")) == []

        await office.happen(OPEN)
        await office.pass_time(0)
        subject = str(sink.received()[0].message["Subject"])
        assert "answer this mail" in sink.received()[0].text
        await arrives(answer(f"Re: {subject}", "A"))
        assert await journal.read("SELECT contact, what, via FROM response") == [("noc", "ack", "mail")]
        assert "acknowledgement is noted" in sink.received()[1].text
        assert sink.received()[1].message["Subject"] == f"Re: {subject}"
        await arrives(answer(f"Re: {subject}", "A"))  # the same Message-ID
        await arrives(answer("Re: [4711-ZZ] x", "R"))  # forged: the address is public, the letters are not
        await arrives(answer(f"Re: {subject}", "R", sender="somebody@else.example"))
        assert len(await journal.read("SELECT * FROM response")) == 1

        await office.happen(closed(5))
        await office.pass_time(5)
        reference = str(sink.received()[-1].message["Message-ID"])[len("<lambi.") :].partition("@")[0]
        await arrives(REPORT.format(reference=reference, action="delivered").encode())
        assert [row[3] for row in await office.states()] == ["accepted", "delivered"]
    await journal.close()


class Fragile(Inbox):
    """A defect of ours: it breaks on one sender."""

    async def hear(self, reply: Reply, now: datetime) -> str:
        if reply.sender.startswith("breaks"):
            raise KeyError(reply.text)
        return await super().hear(reply, now)


async def test_a_mail_that_breaks_us_neither_ends_the_daemon_nor_keeps_the_next_one_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    new = tmp_path / "mail" / "new"
    new.mkdir(parents=True)
    journal = await open_journal(tmp_path)
    noc = replace(contact("noc"), addresses=(Address("mail", WHERE),))
    mail = Smtp("127.0.0.1", "lambi@watch.example", 1, "none", maildir=str(tmp_path / "mail"))
    office = Office(journal, directory(noc), {"mail": mail})
    inbox = Fragile(journal, lambda: office.directory, office.truths.get, Runbooks({}), site="Hub", draw=lambda _: 3)
    bugs: list[int] = []
    feeds = Feeds({"mail": mail}, inbox, office.outbox.say, office.clock, lambda: bugs.append(1))
    (new / "1").write_bytes(answer("Re: [4711-KT] x", "secret words", sender="breaks@else.example"))
    (new / "2").write_bytes(answer("Re: [4711-KT] x", "A"))
    for _ in range(3):
        await feeds.look(office.clock.now())
    assert [one.name for one in new.iterdir()] == ["1"]
    assert bugs == [1]
    assert "KeyError" in caplog.text
    assert "secret words" not in caplog.text
    assert await journal.read("SELECT count(*) FROM heard") == [(1,)]
    await journal.close()


async def test_while_the_journal_is_full_a_mail_waits_in_its_folder(tmp_path: Path) -> None:
    new = tmp_path / "mail" / "new"
    new.mkdir(parents=True)
    journal = await MortalJournal.open(tmp_path / "journal.sqlite", SCHEMAS)
    noc = replace(contact("noc"), addresses=(Address("mail", WHERE),))
    mail = Smtp("127.0.0.1", "lambi@watch.example", 1, "none", maildir=str(tmp_path / "mail"))
    office = Office(journal, directory(noc), {"mail": mail})
    inbox = Inbox(journal, lambda: office.directory, office.truths.get, Runbooks({}), site="Hub", draw=lambda _: 3)
    feeds = Feeds({"mail": mail}, inbox, office.outbox.say, office.clock)
    (new / "1").write_bytes(answer("Re: [4711-KT] x", "A"))
    journal.left, journal.before = 1, True
    await feeds.look(office.clock.now())
    assert len(list(new.iterdir())) == 1
    journal.left = -1
    await feeds.look(office.clock.now())
    assert list(new.iterdir()) == []
    assert await journal.read("SELECT count(*) FROM heard") == [(1,)]
    await journal.close()
