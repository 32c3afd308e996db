"""Out by a real Kannel and back: receipts, answers, the next step; over fakesmsc and over an SMPP link."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from alerting.catalogue import LANGUAGES, say
from alerting.channels.kannel import Kannel
from alerting.gsm import thrifty
from alerting.inbound import Inbox
from alerting.model import Address, Contact, Message
from alerting.runbooks import Runbooks
from monitor.web import callbacks
from monitor.web.ops import make_app
from tests.alerting.fakes import OPEN, Office, closed, contact, directory, open_journal
from tests.counts import soak
from tests.daemons import KannelBox, kannel
from tests.fakes import settle
from tests.monitor.web import worlds
from tests.ports import own_port
from tests.smsc import LINK, REFUSED, Centre

SECRET = "a-secret-of-the-gateway"
HANDSET = "+12465550100"
BOOKS = Path(__file__).parents[2] / "runbooks"
NOC = replace(contact("noc"), addresses=(Address("sms", HANDSET),))


@dataclass
class Desk:
    """Alerting with its operators' door, a gateway, and a carrier behind it."""

    office: Office
    gateway: KannelBox
    centre: Centre
    port: int

    async def until(self, holds: Callable[[], object], what: str) -> None:
        await asyncio.to_thread(self.gateway.until, holds, what)

    async def comes(self, state: str) -> None:
        """Wait until the last notification has come into a state."""
        for _ in range(600):
            rows = await self.office.states()
            if rows and rows[-1][3] == state:
                return
            await asyncio.sleep(0.05)
        pytest.fail(f"never {state}: {await self.office.states()}")


@asynccontextmanager
async def desk(folder: Path, *who: Contact, smsc: str = "CENTRE", books: Runbooks | None = None) -> AsyncIterator[Desk]:
    centre = Centre()
    server = await asyncio.start_server(centre.serve, "127.0.0.1", 0)
    port, ops = server.sockets[0].getsockname()[1], own_port()
    callback = f"http://127.0.0.1:{ops}"
    journal = await open_journal(folder)
    running = kannel(folder, f"{callback}/callback/{SECRET}", LINK.format(port=port))
    gateway = await asyncio.to_thread(running.__enter__)
    try:
        sms = Kannel(
            gateway.url, gateway.username, gateway.password, gateway.sender, smsc, callback=callback, secret=SECRET
        )
        office = Office(journal, directory(*(who or (NOC,))), {"sms": sms}, runbooks=books or Runbooks.load(BOOKS))
        inbox = Inbox(
            journal,
            lambda: office.directory,
            office.truths.get,
            office.runbooks,
            site="Hub",
            draw=lambda below: 7 % below,
        )
        app = make_app(
            snapshot=worlds.calm,
            token="",
            clock=office.clock,
            count_bug=lambda: pytest.fail("a bug"),
            more=lambda app: callbacks.add_routes(
                app, {"sms": sms}, inbox.receive, inbox.hear, office.clock, office.outbox.say
            ),
        )
        async with TestServer(app, host="127.0.0.1", port=ops):
            try:
                yield Desk(office, gateway, centre, ops)
            finally:  # before the door: it keeps its connections
                await asyncio.to_thread(running.__exit__, None, None, None)
                await settle()
    finally:
        server.close()
        await server.wait_closed()
        await journal.close()


async def test_out_and_back_over_fakesmsc(tmp_path: Path) -> None:
    """Alert out, acknowledged, next step, done, help, a wrong code; each answered in one SMS."""
    async with desk(tmp_path, smsc="FAKE") as here:
        await here.office.happen(OPEN)
        await here.office.pass_time(0)
        await here.until(here.gateway.received, "the SMS arrives")
        [got] = here.gateway.received()
        code = re.match(r"4711-([A-Z]{2}) MAJOR: ", got.text)
        assert code, got.text

        async def answer(text: str, sender: str = HANDSET) -> str:
            return await asyncio.to_thread(here.gateway.from_handset, sender, text)

        assert await answer(f"4711-{code[1]} A") == (
            f"4711-{code[1]}: thank you, your acknowledgement is noted. N: next step. H: help."
        )
        assert "already" in await answer(f"4711{code[1].lower()} ok")
        assert (await answer(f"4711 {code[1]} n")).startswith(f"4711-{code[1]} 1: ")
        assert (await answer(f"4711-{code[1]} N")).startswith(f"4711-{code[1]} 2: ")
        assert "step 2 is noted as done" in await answer(f"4711-{code[1]} D2")
        assert (await answer(f"4711-{code[1]} ?")).startswith(f"4711-{code[1]} MAJOR: ")
        assert "Nothing was changed" in await answer("4711-ZZ A")
        rows = await here.office.journal.read("SELECT what, step, via, agency FROM response ORDER BY id")
        assert rows == [
            ("ack", None, "sms", "agency of noc"),
            ("ack", None, "sms", "agency of noc"),
            ("next", None, "sms", "agency of noc"),
            ("next", None, "sms", "agency of noc"),
            ("done", 2, "sms", "agency of noc"),
            ("repeat", None, "sms", "agency of noc"),
        ]


async def test_over_an_smpp_link_a_carrier_says_what_became_of_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        await here.office.happen(OPEN)
        await here.office.pass_time(0)
        await here.comes("delivered")
        [got] = here.centre.got
        assert (got.to, got.wants_report) == (HANDSET[1:], True)
        code = got.letters[5:7]
        here.centre.deliver(HANDSET, f"4711-{code} A".encode())
        await here.until(lambda: len(here.centre.got) == 2, "the answer is answered")
        assert "acknowledgement is noted" in here.centre.got[1].letters


async def test_what_a_carrier_refuses_or_gives_up_is_sent_again(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        here.centre.status = REFUSED
        await here.office.happen(OPEN)
        await here.office.pass_time(0)
        await here.comes("planned")
        here.centre.status, here.centre.reports = 0, ("UNDELIV", "UNDELIV")
        await here.office.pass_time(2)
        await here.until(lambda: len(here.centre.got) == 2, "it is sent again")
        await here.comes("planned")
        here.centre.reports = ("DELIVRD", "DELIVRD")
        await here.office.happen(closed(3))
        await here.office.pass_time(60)
        await here.comes("delivered")
        assert "was down" in here.centre.got[-1].letters
        assert "could not be delivered earlier" in here.centre.got[-1].letters


@pytest.mark.parametrize("fault", ["early", "lost", "silent"])
async def test_where_no_report_comes_the_next_channel_is_tried(tmp_path: Path, fault: str) -> None:
    """A report that overtakes the carrier's answer is lost in Kannel, which knows no such message yet; or it gets lost
    with the carrier; or the carrier takes the message and says nothing at all. Nobody is told that it has arrived."""
    who = replace(NOC, next_after=300, addresses=(*NOC.addresses, Address("mail", "n@o.p")))
    async with desk(tmp_path, who) as here:
        here.centre.early, here.centre.silent = fault == "early", fault == "silent"
        here.centre.reports = () if fault == "lost" else here.centre.reports
        await here.office.happen(OPEN)
        await here.office.pass_time(0)
        await here.until(lambda: here.centre.got, "it is sent")
        await here.office.pass_time(6)
        assert [row[:2] for row in await here.office.states()] == [("noc", "sms"), ("noc", "mail")]
        assert await here.office.journal.read("SELECT why FROM turn LIMIT 1") == [("no receipt came: on to mail",)]


class Brief(Kannel):
    """A gateway that keeps nothing for longer than a minute."""

    validity_minutes = 1


if soak(ci=0, soak=1):  # it takes more than a minute

    async def test_what_waits_for_a_carrier_whose_link_is_down_leaves_with_the_truth_of_then(tmp_path: Path) -> None:
        """The gateway takes it and keeps it: without an end to that it would send yesterday's news."""
        async with desk(tmp_path) as here:
            sms = here.office.channels["sms"]
            assert isinstance(sms, Kannel)
            here.office.channels = {"sms": Brief(**{field.name: getattr(sms, field.name) for field in fields(sms)})}
            here.office.reborn()
            here.centre.leave()
            await here.until(lambda: "re-connecting" in here.gateway.status(), "the link is down")
            await here.office.happen(OPEN)
            await here.office.pass_time(0)
            assert await here.office.journal.read("SELECT answer FROM attempt") == [("3: Queued for later delivery",)]
            for _ in range(3):
                if (await here.office.states())[-1][3] == "accepted":
                    with suppress(pytest.fail.Exception):
                        await here.comes("planned")
            await here.office.happen(closed(3))
            here.centre.absent = False
            await here.until(lambda: "re-connecting" not in here.gateway.status(), "the link is up")
            await here.office.pass_time(5)
            await here.comes("delivered")
            assert ["was down" in got.letters for got in here.centre.got] == [True]


@pytest.mark.parametrize("text", ["Línea caída, Curaçao: ê ó á", "Kab la koupe; rele sant lan: è ò", "Chaîne coupée À"])
async def test_letters_arrive_as_they_were_written(tmp_path: Path, text: str) -> None:
    async with desk(tmp_path) as here:
        sms = here.office.channels["sms"]
        await sms.send(Message("1.1", "4711", "", text), Address("sms", HANDSET))
        await here.until(lambda: here.centre.got, "it arrives")
        assert "".join(got.letters for got in here.centre.got) == text


async def test_a_step_that_needs_two_messages_comes_numbered_and_whole(tmp_path: Path) -> None:
    """The runbook is not there in Dutch: the step comes as it was written, which is said, and that makes it longer."""
    books = Runbooks({one.id: replace(one, translations={}) for one in Runbooks.load(BOOKS)})
    async with desk(tmp_path, replace(NOC, language="nl"), books=books) as here:
        await here.office.happen(replace(OPEN, incident="47110"))
        await here.office.pass_time(0)
        await here.until(lambda: here.centre.got, "the alert arrives")
        code = here.centre.got[0].letters[6:8]
        for asked in range(1, 4):
            here.centre.deliver(HANDSET, f"47110-{code} volgende".encode())
            await here.until(lambda asked=asked: len(here.centre.got) > asked, "a step comes")  # type: ignore[misc] # mypy does not see the default of a lambda
        await here.until(lambda: len(here.centre.got) == 5, "the third in two messages")
        book = here.office.runbooks.match(OPEN)
        assert book is not None
        *_, first, second = (got.letters for got in here.centre.got)
        assert first.startswith(f"1/2 47110-{code} 3: (in het Engels) ")
        assert second.startswith("2/2 ")
        assert first[4:] + second[4:] == f"47110-{code} 3: (in het Engels) {book.steps[2]}"


async def test_in_six_languages_out_and_back_with_their_letters(tmp_path: Path) -> None:
    """Each is told in its own language and answered in it; what left is what arrives, letter for letter."""
    people = {f"+1246555010{n}": contact(f"c{n}", language=lang) for n, lang in enumerate(LANGUAGES)}
    who = [replace(one, addresses=(Address("sms", number),)) for number, one in people.items()]
    async with desk(tmp_path, *who) as here:

        def got(number: str, since: int = 0) -> str:
            return "".join(one.letters for one in here.centre.got[since:] if one.to == number[1:])

        for number, what in enumerate(("Câble Curaçao–São Tomé coupé, mañana", "Кабель Ñuñoa è ò ü")):
            incident, since = str(4711 + number), len(here.centre.got)
            await here.office.happen(replace(OPEN, incident=incident, what=what))
            await here.office.pass_time(0)
            await here.until(lambda since=since: len(here.centre.got) == since + len(people), "all are told")
            sent = dict(
                await here.office.journal.read(
                    "SELECT n.contact, t.body FROM text t JOIN attempt a ON a.id = t.attempt "
                    "JOIN notification n ON n.id = a.notification WHERE n.incident = ?",
                    (incident,),
                )
            )
            assert {one.name: got(to, since) for to, one in people.items()} == sent
            assert len(set(sent.values())) == len(people), "no two languages say the same"
        assert all("Кабель Ñuñoa" in text for text in sent.values())
        letters = dict(await here.office.journal.read("SELECT contact, letters FROM code WHERE incident = '4711'"))
        since = len(here.centre.got)
        for to, one in people.items():
            here.centre.deliver(to, f"4711-{letters[one.name]} A".encode())
        await here.until(lambda: len(here.centre.got) == since + len(people), "all are answered")
        for to, one in people.items():
            assert got(to, since) == thrifty(say("acked", one.language, ref=f"4711-{letters[one.name]}"))
