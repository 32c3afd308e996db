"""Whose answer counts: forged, replayed, guessed and late ones change nothing, and teach nobody anything."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from alerting.channels.kannel import Kannel
from alerting.inbound import Inbox
from alerting.journal import JournalError
from alerting.model import Act, Address, Contact, Reply
from alerting.replies import LETTERS, Asked
from alerting.runbooks import Runbooks
from alerting.told import answered
from monitor.web import callbacks
from monitor.web.ops import make_app
from tests.alerting.fakes import OPEN, Office, Provider, closed, contact, directory, open_journal
from tests.monitor.web import worlds

BOOKS = Runbooks.load(Path(__file__).parents[2] / "runbooks")


def person(name: str, number: str, **fields: object) -> Contact:
    return replace(contact(name), addresses=(Address("sms", number),), **fields)  # type: ignore[arg-type] # a test gives what it is about: fields of Contact


NOC, CTU = person("noc", "+12465550101"), person("ctu", "+18685550102", language="es")


@dataclass
class Desk:
    """Alerting with somebody who answers."""

    office: Office
    inbox: Inbox
    sms: Provider
    count: int = 0

    async def says(self, text: str, sender: str = "12465550101", id_: str = "") -> str:
        self.count += 1
        now = self.office.clock.now()
        return await self.inbox.hear(Reply("sms", sender, text, now, id_ or f"m{self.count}"), now)

    async def code(self, name: str) -> str:
        rows = await self.office.journal.read("SELECT letters FROM code WHERE contact = ?", (name,))
        return str(rows[-1][0])

    async def changed(self) -> int:
        [(count,)] = await self.office.journal.read("SELECT count(*) FROM response")
        return int(count)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    journal, sms = await open_journal(tmp_path), Provider()
    sms.answers = sms.receipts = True
    office = Office(journal, directory(NOC, CTU), {"sms": sms}, runbooks=BOOKS)
    office.outbox._desk = replace(office.outbox._desk, draw=lambda _: 0)  # no letters of theirs are those guessed here
    drawn = iter(range(10_000))
    inbox = Inbox(
        journal, lambda: office.directory, office.truths.get, BOOKS, site="Hub", draw=lambda most: next(drawn) % most
    )
    await office.happen(OPEN)
    await office.pass_time(0)
    yield Desk(office, inbox, sms)
    await journal.close()


async def test_each_contact_has_letters_of_its_own_in_each_message(desk: Desk) -> None:
    noc, ctu = await desk.code("noc"), await desk.code("ctu")
    assert noc != ctu
    assert {body.split()[0] for body in desk.sms.bodies} == {f"4711-{noc}", f"4711-{ctu}"}
    assert set(noc + ctu) <= set(LETTERS)


async def test_an_answer_is_answered_in_the_language_of_the_contact(desk: Desk) -> None:
    assert "gracias" in await desk.says(f"4711-{await desk.code('ctu')} sí", "+1 868 555 0102")
    assert "ya lo había confirmado" in await desk.says(f"4711-{await desk.code('ctu')} a", "0018685550102")
    assert await desk.changed() == 2


async def test_steps_come_in_the_language_of_the_contact(desk: Desk) -> None:
    said = await desk.says(f"4711-{await desk.code('ctu')} siguiente", "+18685550102")
    assert said.startswith(f"4711-{await desk.code('ctu')} 1: Haga ping al otro extremo desde")


async def test_a_stranger_is_not_answered_and_nothing_of_it_is_kept(desk: Desk) -> None:
    for text in (f"4711-{await desk.code('noc')} A", "4711 A", "hello", "?"):
        assert await desk.says(text, "19995550199") == ""
    assert await desk.changed() == 0
    assert await desk.office.journal.read("SELECT * FROM heard") == []


async def test_the_letters_of_another_contact_are_wrong_letters(desk: Desk) -> None:
    said = await desk.says(f"4711-{await desk.code('ctu')} A")
    assert said == await desk.says("4711-ZZ A"), "no answer tells whether somebody else has these letters"
    assert await desk.changed() == 0


async def test_without_the_letters_it_asks_for_them_once_an_hour(desk: Desk) -> None:
    assert "such as 4711-KT A" in await desk.says("4711 A")
    assert await desk.says("A") == ""
    assert await desk.says("9999-BC A") == "", "a number that is nobody's incident is no way round"
    await desk.office.pass_time(61)
    assert "such as 4711-KT A" in await desk.says("OK")
    assert await desk.changed() == 0


async def test_three_wrong_codes_lock_the_number_for_this_incident_alone(desk: Desk) -> None:
    right = await desk.code("noc")
    assert "do not fit" in await desk.says("4711-ZZ A")
    assert "do not fit" in await desk.says("4711-ZX A")
    assert "no longer count" in await desk.says("4711-ZW A")
    assert await desk.says(f"4711-{right} A") == "", "even the right one now"
    assert await desk.changed() == 0
    other = replace(OPEN, incident="4712", asset="cable:other")
    await desk.office.happen(other)
    await desk.office.pass_time(0)
    assert "noted" in await desk.says(f"4712-{await desk.code('noc')} A")
    rows = await desk.office.journal.read("SELECT incident, contact, wrong, locked_at IS NOT NULL FROM guess")
    assert rows == [("4711", "noc", 3, 1)]


async def test_guessing_without_end_finds_nothing(desk: Desk) -> None:
    """Every pair of letters but the right one, then the right one: after three the door is shut."""
    right = await desk.code("noc")
    answers = [await desk.says(f"4711-{a}{b} A") for a in LETTERS[:8] for b in LETTERS if a + b != right] + [
        await desk.says(f"4711-{right} A")
    ]
    assert sum(bool(answer) for answer in answers) == 3
    assert await desk.changed() == 0


async def test_the_same_message_again_gets_the_same_answer_and_does_nothing(desk: Desk) -> None:
    first = await desk.says(f"4711-{await desk.code('noc')} A", id_="one")
    assert await desk.says(f"4711-{await desk.code('noc')} A", id_="one") == first
    assert await desk.says(f"4711-{await desk.code('noc')} R", id_="one") == first, "whatever it says now"
    assert await desk.changed() == 1


async def test_the_id_of_somebody_elses_message_teaches_nothing_and_hides_nothing(desk: Desk) -> None:
    """Whoever writes a mail chooses its id: neither does another's answer come back, nor is another's message lost."""
    code = await desk.code("noc")
    assert code in await desk.says(f"4711-{code} N", id_="one")
    assert code not in await desk.says("4711 A", "18685550102", id_="one")
    assert "1: " in await desk.says(f"4711-{code} N", id_="one"), "it is known as before"
    assert "gracias" in await desk.says(f"4711-{await desk.code('ctu')} A", "18685550102", id_="two")
    assert "noted" in await desk.says(f"4711-{code} A", id_="two")
    assert await desk.changed() == 3


async def test_late_and_double_answers_are_told_politely(desk: Desk) -> None:
    code = await desk.code("noc")
    await desk.says(f"4711-{code} A")
    assert "already" in await desk.says(f"4711-{code} A")
    await desk.office.happen(closed(5))
    await desk.office.pass_time(5)
    assert "is over" in await desk.says(f"4711-{code} A")
    assert "is over" in await desk.says(f"4711-{code} D1")
    assert "was down" in await desk.says(f"4711-{code} ?")


async def test_the_runbook_goes_step_by_step(desk: Desk) -> None:
    code, book = await desk.code("noc"), BOOKS.match(OPEN)
    assert book is not None
    assert "which step" in await desk.says(f"4711-{code} D")
    for n, step in enumerate(book.steps, 1):
        assert await desk.says(f"4711-{code} N") == f"4711-{code} {n}: {step}"
    assert "last step" in await desk.says(f"4711-{code} N")
    assert f"step {len(book.steps)} is noted as done" in await desk.says(f"4711-{code} done")
    assert "done already" in await desk.says(f"4711-{code} D{len(book.steps)}")
    assert len(await desk.office.journal.read("SELECT * FROM progress")) == len(book.steps) + 1
    assert "which step" in await desk.says(f"4711-{code} D{len(book.steps) + 1}"), "there is none of that number"


async def test_when_the_cause_is_found_the_steps_are_those_of_its_runbook_from_the_first(desk: Desk) -> None:
    office, code = desk.office, await desk.code("noc")
    for _ in range(2):
        await desk.says(f"4711-{code} N")
    found = replace(OPEN, kind="power", what="Power down", revision=2)
    before, after = BOOKS.match(OPEN), BOOKS.match(found)
    assert before is not None
    assert after is not None
    assert before.id != after.id
    await office.happen(found)
    assert await desk.says(f"4711-{code} N") == f"4711-{code} 1: {after.steps[0]}"
    assert "step 1 is noted" in await desk.says(f"4711-{code} D")
    assert await desk.says(f"4711-{code} N") == f"4711-{code} 2: {after.steps[1]}"


async def test_where_there_is_no_runbook_it_says_so_and_not_that_it_was_the_last_step(desk: Desk) -> None:
    await desk.office.happen(replace(OPEN, incident="X1", kind="lighthouse"))
    await desk.office.pass_time(1)
    assert "there is no runbook" in await desk.says(f"X1-{await desk.code('noc')} N")


async def test_r_only_proposes_and_nobody_silences(desk: Desk) -> None:
    assert "you think it is over" in await desk.says(f"4711-{await desk.code('noc')} R")
    assert "you think it is over" in await desk.says(f"4711-{await desk.code('noc')} R")
    said = await desk.says(f"4711-{await desk.code('ctu')} R", "18685550102")
    assert "dos agencias" in said
    assert "A acknowledge" in await desk.says(f"4711-{await desk.code('noc')} silence")


async def test_two_who_share_a_telephone_are_told_apart_by_their_letters(desk: Desk) -> None:
    office = desk.office
    office.directory = directory(NOC, replace(CTU, addresses=NOC.addresses, language="en"))
    assert "noted" in await desk.says(f"4711-{await desk.code('ctu')} A")
    assert await office.journal.read("SELECT contact FROM response") == [("ctu",)]
    for wrong in ("ZZ", "ZX", "ZW"):
        await desk.says(f"4711-{wrong} A")
    assert await desk.says(f"4711-{await desk.code('noc')} A") == "", "a guess counts for both"


async def test_an_address_is_confirmed_by_the_letters_that_were_sent_there(desk: Desk) -> None:
    sent: list[tuple[str, str]] = []

    async def send(to: str, text: str) -> None:
        sent.append((to, text))

    now = desk.office.clock.now()
    assert await desk.inbox.verify("noc", {"sms": send}, now) == 1
    [(to, text)] = sent
    assert to == "+12465550101"
    [(letters,)] = await desk.office.journal.read("SELECT letters FROM proof")
    assert letters in text
    assert await desk.says("ZZZZ") != "Thank you: this address is confirmed."
    assert await desk.says(letters, "18685550102") != "Thank you: this address is confirmed."
    assert await desk.says(f" {letters.lower()}.") == "Thank you: this address is confirmed."
    assert await desk.office.journal.read("SELECT confirmed_at IS NOT NULL, letters FROM proof") == [(1, "")]


async def test_who_is_known_otherwise_needs_no_letters(desk: Desk) -> None:
    now = desk.office.clock.now()
    heard = await desk.inbox.act("noc", Asked("4711", "", Act.ACK), "cli", now)
    assert heard.verdict == "acked"
    assert (await desk.inbox.act("nobody", Asked("4711", "", Act.ACK), "cli", now)).verdict == "unknown"
    assert (await desk.inbox.act("noc", Asked("9999", "", Act.ACK), "cli", now)).verdict == "unknown"


SECRET = "a-secret-of-the-gateway"
GATEWAY = Kannel("http://127.0.0.1:1/", "u", "p", callback="http://127.0.0.1:2", secret=SECRET)


@pytest.mark.parametrize(
    ("sources", "path", "status"),
    [
        (("127.0.0.1",), f"/callback/{SECRET}/reply", 200),
        (("192.0.2.0/24",), f"/callback/{SECRET}/reply", 404),
        (("127.0.0.1",), "/callback/another-secret-altogether/reply", 404),
        (("127.0.0.1",), "/callback//reply", 404),
        (("127.0.0.1",), f"/callback/{SECRET}/receipt?reference=1.1&status=1", 200),
        (("127.0.0.1",), f"/callback/{SECRET}/receipt?reference=1.1&status=3", 400),
        (("127.0.0.1",), f"/callback/{SECRET}/receipt?status=x", 400),
        (("127.0.0.1",), "/callback/another-secret-altogether/receipt?reference=1.1&status=1", 404),
    ],
)
async def test_a_callback_needs_its_secret_and_its_place(
    desk: Desk, sources: tuple[str, ...], path: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(
        snapshot=worlds.calm,
        token="of-prometheus",
        clock=desk.office.clock,
        count_bug=lambda: pytest.fail("a bug"),
        more=lambda app: callbacks.add_routes(
            app,
            {"sms": replace(GATEWAY, sources=sources)},
            desk.inbox.receive,
            desk.inbox.hear,
            desk.office.clock,
            desk.office.outbox.say,
        ),
    )
    code = await desk.code("noc")
    async with TestClient(TestServer(app)) as client:
        query = {"id": "m1", "from": "+12465550101", "text": f"4711-{code} A"} if "reply" in path else {}
        async with client.get(path, params=query or None) as answer:
            text = await answer.text()
            assert answer.status == status
        if status == 404:
            async with client.get("/nothing/here") as nothing:
                assert text == await nothing.text(), "it looks like any wrong address"
    assert await desk.changed() == (1 if status == 200 and "reply" in path else 0)
    assert SECRET not in caplog.text


async def test_while_the_journal_is_full_a_gateway_is_asked_to_come_again(desk: Desk) -> None:
    async def full(_reply: Reply, _now: datetime) -> str:
        raise JournalError("database or disk is full")

    app = make_app(
        snapshot=worlds.calm,
        token="",
        clock=desk.office.clock,
        count_bug=lambda: pytest.fail("it is no bug"),
        more=lambda app: callbacks.add_routes(
            app, {"sms": GATEWAY}, desk.inbox.receive, full, desk.office.clock, desk.office.outbox.say
        ),
    )
    async with (
        TestClient(TestServer(app)) as client,
        client.get(f"/callback/{SECRET}/reply", params={"from": "+12465550101", "text": "A"}) as answer,
    ):
        assert (answer.status, await answer.text()) == (
            503, "The journal cannot be written just now: please try again in a minute.\n"
        )  # fmt: skip


async def test_the_page_tells_what_agencies_answered_and_whose_address_is_locked(desk: Desk) -> None:
    await desk.says(f"4711-{await desk.code('ctu')} A", "18685550102")
    for wrong in ("ZZ", "ZX", "ZW"):
        await desk.says(f"4711-{wrong} A")
    assert [text for _, text in await answered(desk.office.journal, "4711")] == [
        "agency of ctu has acknowledged",
        "answers by sms from an address of agency of noc no longer count: three times the wrong letters",
    ]


@pytest.mark.parametrize(
    ("token", "headers", "path", "status"),
    [
        ("", {}, "/api/v1/incident/4711/ack?contact=noc", 404),
        ("of-ops", {}, "/api/v1/incident/4711/ack?contact=noc", 401),
        ("of-ops", {"Authorization": "Bearer other"}, "/api/v1/incident/4711/ack?contact=noc", 401),
        ("of-ops", {"Authorization": "Bearer of-ops"}, "/api/v1/incident/4711/ack?contact=nobody", 404),
        ("of-ops", {"Authorization": "Bearer of-ops"}, "/api/v1/incident/9999/ack?contact=noc", 404),
        ("of-ops", {"Authorization": "Bearer of-ops"}, "/api/v1/incident/4711/silence?contact=noc", 404),
        ("of-ops", {"Authorization": "Bearer of-ops"}, "/api/v1/incident/4711/ack?contact=noc", 200),
        ("of-ops", {"Authorization": "Bearer of-ops"}, "/api/v1/incident/4711/done?contact=noc&number=2", 200),
    ],
)
async def test_another_system_answers_with_the_token_alone(
    desk: Desk, token: str, headers: dict[str, str], path: str, status: int
) -> None:
    app = make_app(
        snapshot=worlds.calm,
        token=token,
        clock=desk.office.clock,
        count_bug=lambda: pytest.fail("a bug"),
        more=lambda app: callbacks.add_answers(app, desk.inbox.act, token, desk.office.clock),
    )
    async with TestClient(TestServer(app)) as client, client.post(path, headers=headers) as answer:
        assert answer.status == status
    rows = await desk.office.journal.read("SELECT what, step, via FROM response WHERE answer <> 'unknown'")
    assert rows == ([] if status != 200 else [("done", 2, "api")] if "done" in path else [("ack", None, "api")])
