"""The link in a mail: looking changes nothing, the button acts once, a wrong token is a wrong address."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import async_playwright

from alerting.inbound import Inbox
from alerting.runbooks import Runbooks
from monitor.web.public import make_app
from tests.alerting.fakes import OPEN, Office, Provider, closed, contact, directory, open_journal
from tests.monitor.web import worlds
from tests.monitor.web.browser import CHROMIUM, browser


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
    inbox = Inbox(journal, lambda: office.directory, office.truth, Runbooks({}), site="Hub", draw=lambda _: 0)
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


@pytest.mark.parametrize("script", [True, False])
async def test_in_a_real_browser_opening_does_nothing_and_the_button_acts_once(reader: Reader, script: bool) -> None:
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed: make test-deps")
    async with async_playwright() as driver, browser(driver) as chromium:
        context = await chromium.new_context(java_script_enabled=script)
        page = await context.new_page()
        url = str(reader.client.make_url(reader.path))
        for _ in range(2):
            await page.goto(url)
        assert await reader.responses() == []
        await page.get_by_role("button", name="I acknowledge").click()
        assert "your acknowledgement is noted" in await page.get_by_role("status").inner_text()
        assert await reader.responses() == [("noc", "ack", "link")]
        await page.reload()  # the browser posts again
        assert "This link has been used" in await page.get_by_role("status").inner_text()
        await page.goto(url)
        assert await page.get_by_role("button").count() == 0
        assert len(await reader.responses()) == 1


async def test_a_wrong_token_looks_like_any_wrong_address(reader: Reader) -> None:
    """Neither the page nor its status tells whether somebody has such a link."""

    async def seen(path: str, method: str = "GET") -> tuple[int, str]:
        status, page = await reader.ask(path, method)
        return status, page.replace(path, "PATH")

    nowhere = await seen("/answer/" + "a" * 31 + "g")
    assert nowhere[0] == 404
    assert await seen("/answer/" + "f" * 32) == nowhere == await seen("/nothing")
    assert await seen("/answer/" + "f" * 32 + "/ack", "POST") == nowhere
    assert await seen("/answer/" + "f" * 32, "POST") == await seen(reader.path, "POST")


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


async def test_the_page_of_an_exercise_says_that_it_is_one(reader: Reader) -> None:
    mail = reader.office.channels["mail"]
    assert isinstance(mail, Provider)
    await reader.office.pass_time(60)
    await reader.office.happen(closed(61))
    await reader.office.exercise("noc")
    await reader.office.pass_time(2)
    [word] = [word for word in mail.bodies[-1].split() if word.startswith("https://lambi.example/answer/")]
    path = word.removeprefix("https://lambi.example")
    _, page = await reader.ask(path)
    assert "EXERCISE #E1" in page
    assert "nothing is really down" in page
    assert "/incidents/E1" not in page
    _, page = await reader.ask(f"{path}/ack", "POST")
    assert "EXERCISE E1: thank you" in page


async def test_the_page_of_a_posture_says_that_nothing_is_down(reader: Reader) -> None:
    mail = reader.office.channels["mail"]
    assert isinstance(mail, Provider)
    await reader.office.happen(replace(OPEN, incident="P3", kind="posture", labels={"posture": "prepare"}))
    await reader.office.pass_time(0)
    words = (word for body in mail.bodies for word in body.split())
    links = [word for word in words if word.startswith("https://lambi.example/answer/")]
    _, page = await reader.ask(links[-1].removeprefix("https://lambi.example"))
    assert "Posture #P3" in page
    assert "people are asked to prepare" in page
