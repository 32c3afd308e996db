"""The link in a mail: looking changes nothing, the button acts once, a wrong token is a wrong address."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from alerting.inbound import Inbox
from alerting.runbooks import Runbooks
from monitor.web.public import make_app
from tests.alerting.fakes import OPEN, Office, Provider, closed, contact, directory, open_journal
from tests.monitor.web import worlds


@dataclass
class Reader:
    """Somebody with a mail and a browser."""

    office: Office
    client: TestClient
    path: str

    async def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        async with self.client.request(method, path) as answer:
            if answer.status == 200:
                assert answer.headers["Cache-Control"] == "no-store"
            return answer.status, await answer.text()

    async def responses(self) -> list[tuple[str, str, str]]:
        return await self.office.journal.read("SELECT contact, what, via FROM response ORDER BY id")


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Reader]:
    journal, mail = await open_journal(tmp_path), Provider("mail")
    office = Office(journal, directory(contact("noc", "mail")), {"mail": mail}, answer_url="https://lambi.example")
    inbox = Inbox(journal, lambda: office.directory, office.truths.get, Runbooks({}), site="Hub", draw=lambda _: 0)
    await office.happen(OPEN)
    await office.pass_time(0)
    [word] = [word for word in mail.bodies[0].split() if word.startswith("https://lambi.example/answer/")]
    snapshot = worlds.calm()
    app = make_app(
        snapshot=lambda: snapshot,
        ledger=worlds.history(snapshot),
        runbook=lambda _: None,
        why=lambda _: pytest.fail("not asked"),
        clock=office.clock,
        base_url="https://lambi.example",
        count_bug=lambda: pytest.fail("a bug"),
        answers=inbox,
    )
    async with TestClient(TestServer(app)) as client:
        yield Reader(office, client, word.removeprefix("https://lambi.example"))
    await journal.close()


async def test_looking_changes_nothing_and_the_button_acts_once(reader: Reader) -> None:
    for _ in range(3):
        status, page = await reader.ask(reader.path)
        assert status == 200
        assert "Nothing has been done yet" in page
    assert await reader.responses() == []
    status, page = await reader.ask(f"{reader.path}/ack", "POST")
    assert "your acknowledgement is noted" in page
    assert await reader.responses() == [("noc", "ack", "link")]
    for what in ("ack", "wait"):
        status, page = await reader.ask(f"{reader.path}/{what}", "POST")
        assert "This link has been used" in page
    assert len(await reader.responses()) == 1
    assert "noc" not in page, "the page names nobody"


async def test_a_link_gets_old(reader: Reader) -> None:
    reader.office.clock.elapsed += 48 * 3600
    assert "too old" in (await reader.ask(reader.path))[1]
    assert "too old" in (await reader.ask(f"{reader.path}/ack", "POST"))[1]
    assert await reader.responses() == []


async def test_a_late_click_is_told_that_it_is_over(reader: Reader) -> None:
    await reader.office.happen(closed(5))
    await reader.office.pass_time(5)
    assert "is over" in (await reader.ask(f"{reader.path}/ack", "POST"))[1]


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/answer/" + "0" * 32 + "1", "GET"),
        ("/answer/" + "f" * 32, "GET"),
        ("/answer/" + "f" * 32 + "/ack", "POST"),
        ("/answer/%00/ack", "POST"),
        ("{0}/resolve", "POST"),
        ("{0}/ack", "GET"),
        ("{0}", "POST"),
    ],
)
async def test_anything_else_is_a_wrong_address(reader: Reader, path: str, method: str) -> None:
    status, page = await reader.ask(path.format(reader.path), method)
    assert status in {404, 405}
    assert OPEN.what not in page
    assert await reader.responses() == []


async def test_a_body_is_refused_and_no_token_is_kept(reader: Reader) -> None:
    async with reader.client.post(f"{reader.path}/ack", data={"what": "ack"}) as answer:
        assert answer.status == 413
    token = reader.path.rpartition("/")[2]
    [(digest,)] = await reader.office.journal.read("SELECT digest FROM link")
    assert digest != token
    assert len(token) == 32
