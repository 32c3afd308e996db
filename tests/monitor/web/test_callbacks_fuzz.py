"""Whatever is sent to the doors where answers come in: nothing changes, nothing breaks, nobody is named."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from alerting.channels.kannel import Kannel
from alerting.inbound import Inbox
from alerting.runbooks import Runbooks
from monitor.web import callbacks
from monitor.web.ops import make_app
from tests.alerting.fakes import OPEN, Office, Provider, contact, directory, open_journal
from tests.counts import soak
from tests.monitor.web import worlds

SECRET, TOKEN = "a-secret-of-the-gateway", "of-ops"
GATEWAY = Kannel("http://127.0.0.1:1/", "u", "p", callback="http://127.0.0.1:2", secret=SECRET)
NAMES = ("id", "from", "text", "reference", "status", "said", "contact", "number")
NOBODY = "+19995550199"
TEXTS = st.text(max_size=40) | st.sampled_from(
    [
        "4711-ZZ A",
        "1",
        "1.1",
        "4711",
        "8",
        "16",
        NOBODY,
        "-1",
        "٣",
        "1e9",
        "9" * 40,
        "noc@sms.example",
        "\x00",
        "A' OR 1",
    ]
)
QUERIES = st.dictionaries(st.sampled_from(NAMES) | st.text(min_size=1, max_size=6), TEXTS, max_size=5)
PATHS = st.sampled_from(
    [
        f"/callback/{SECRET}/reply",
        f"/callback/{SECRET}/receipt",
        f"/callback/{SECRET[:-1]}/reply",
        "/callback/%00/receipt",
        f"/callback/{SECRET}/other",
        "/api/v1/incident/4711/ack",
        "/api/v1/incident/4711/done",
    ]
)
REQUESTS = st.tuples(PATHS, QUERIES, st.sampled_from(["GET", "POST", "PUT"]), st.sampled_from(["", "Bearer x", "x"]))


async def bring(requests: Sequence[tuple[str, dict[str, str], str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal, sms = await open_journal(Path(folder)), Provider()
        sms.answers = True
        office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
        inbox = Inbox(journal, lambda: office.directory, office.truths.get, Runbooks({}), site="Hub", draw=lambda _: 3)

        def more(app) -> None:  # type: ignore[no-untyped-def] # aiohttp's
            callbacks.add_routes(app, {"sms": GATEWAY}, inbox.receive, inbox.hear, office.clock, office.outbox.say)
            callbacks.add_answers(app, inbox.act, TOKEN, office.clock)

        app = make_app(
            snapshot=worlds.calm, token=TOKEN, clock=office.clock, count_bug=lambda: pytest.fail("a bug"), more=more
        )
        await office.happen(OPEN)
        await office.pass_time(0)
        before = await office.states()
        [(right,)] = await journal.read("SELECT letters FROM code")
        async with TestClient(TestServer(app)) as client:
            for path, query, method, login in requests:
                wrong = {key: text.replace("ZZ", "ZX" if right == "ZZ" else "ZZ") for key, text in query.items()}
                url = URL(path, encoded=True).with_query(wrong)
                headers = {"Authorization": login} if login else {}
                async with client.request(method, url, headers=headers) as answer:
                    assert answer.status in {200, 400, 401, 404, 405}, (path, query)
                    assert "noc" not in await answer.text()
        assert await office.states() == before
        assert await journal.read("SELECT * FROM response") == []
        await journal.close()


@settings(max_examples=soak(ci=25, soak=5_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(REQUESTS, min_size=4, max_size=16))
def test_whatever_a_stranger_sends_changes_nothing_and_names_nobody(
    requests: list[tuple[str, dict[str, str], str, str]],
) -> None:
    asyncio.run(bring(requests))
