"""What an Alertmanager answers, on the operators' door: with the token, and not there without one."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from alerting.directory import Silence
from alerting.foreign_book import ForeignBook
from alerting.match import parse
from monitor.web.alertmanager import LONGEST_BODY, Alertmanager
from monitor.web.ops import make_app
from tests.alerting.fakes import OPEN, SCHEMAS, MortalJournal, at, contact, directory
from tests.fakes import FakeClock
from tests.monitor.web import worlds

TOKEN = "token-of-the-ops-door"
FIRES = [{"labels": {"alertname": "HighLoad", "instance": "db1"}, "annotations": {"summary": "Load is high"}}]
QUIET = {
    "matchers": [{"name": "alertname", "value": "HighLoad", "isRegex": False, "isEqual": True}],
    "startsAt": "2026-09-01T12:00:00Z",
    "endsAt": "2026-09-01T14:00:00Z",
    "createdBy": "ann",
    "comment": "known",
}


class Door:
    """The ops door with a book behind it."""

    def __init__(self, client: TestClient, journal: MortalJournal, book: ForeignBook) -> None:  # type: ignore[type-arg] # of any app
        self.client, self.journal, self.book, self.bugs, self.woken = client, journal, book, 0, 0

    async def ask(self, method: str, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}", **more.pop("headers", {})}
        if body is not None:
            more["data"], headers = json.dumps(body), {"Content-Type": "application/json", **headers}
        async with self.client.request(method, path, headers=headers, **more) as response:
            text = await response.text()
            assert response.status == status, text
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            return json.loads(text) if response.content_type == "application/json" else text


@asynccontextmanager
async def opened(folder: Path, token: str = TOKEN) -> AsyncIterator[Door]:
    journal = await MortalJournal.open(folder / "journal.sqlite", SCHEMAS)
    clock = FakeClock()
    listed = Silence("museum", (parse("asset=website:museum"),), at(0), at(60), "NOC", "moves")
    who = directory(contact("noc", "sms"))
    who = type(who)(who.contacts, who.routes, who.desk, who.deadlines, silences=(listed,))
    book = await ForeignBook(journal, lambda: who, places={}, planned=lambda: None).boot(clock.now())
    door: Door

    def wake() -> None:
        door.woken += 1

    def bug() -> None:
        door.bugs += 1

    served = Alertmanager(book, journal, lambda: who, lambda: [OPEN], wake, clock.now(), "1.0")
    snapshot = worlds.calm()
    app = make_app(
        snapshot=lambda: snapshot,
        token=token,
        clock=clock,
        count_bug=bug,
        more=lambda app: served.add_routes(app, token, clock),
    )
    async with TestClient(TestServer(app)) as client:
        door = Door(client, journal, book)
        yield door
        assert door.bugs == 0
    await journal.close()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with opened(tmp_path) as one:
        yield one


async def test_without_a_token_in_the_config_it_is_not_there(tmp_path: Path) -> None:
    async with opened(tmp_path, token="") as door:
        for method, path in (("POST", "alerts"), ("GET", "alerts"), ("POST", "silences"), ("DELETE", "silence/s1")):
            await door.ask(method, f"/api/v2/{path}", status=404)
        assert door.book.standing() == []


@pytest.mark.parametrize(
    "headers", [{"Authorization": ""}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}]
)
async def test_without_the_right_token_nothing_is_read_or_changed(door: Door, headers: dict[str, str]) -> None:
    for method, path, body in (
        ("POST", "alerts", FIRES),
        ("POST", "silences", QUIET),
        ("GET", "alerts", None),
        ("GET", "alerts/groups", None),
        ("GET", "receivers", None),
        ("GET", "silences", None),
        ("GET", "status", None),
        ("GET", "silence/museum", None),
        ("DELETE", "silence/s1", None),
    ):
        said = await door.ask(method, f"/api/v2/{path}", body, 401, headers=headers)
        assert "bearer token" in said
    assert door.book.standing() == []


async def test_an_alert_is_posted_shown_and_over(door: Door) -> None:
    assert await door.ask("POST", "/api/v2/alerts", FIRES) == ""
    await door.ask("POST", "/api/v2/alerts", FIRES)
    ours, theirs = sorted(
        await door.ask("GET", "/api/v2/alerts"), key=lambda one: one["labels"]["alertname"] != "cable"
    )
    assert ours["labels"]["asset"] == "cable:ecfs"
    assert theirs["labels"] == FIRES[0]["labels"]
    assert theirs["annotations"] == {"summary": "Load is high", "incident": "X1"}
    assert (theirs["startsAt"], theirs["endsAt"]) == ("2026-09-01T12:00:00.000Z", "2026-09-01T12:05:00.000Z")
    assert theirs["status"] == {"state": "active", "silencedBy": [], "inhibitedBy": []}
    over = [{**FIRES[0], "endsAt": "2026-09-01T12:00:00Z"}]
    await door.ask("POST", "/api/v2/alerts", over)
    assert [one["annotations"]["incident"] for one in await door.ask("GET", "/api/v2/alerts")] == ["4711"]


async def test_queries_choose_by_matcher_state_and_receiver(door: Door) -> None:
    await door.ask("POST", "/api/v2/alerts", FIRES)
    await door.ask("POST", "/api/v2/silences", QUIET)

    async def count(query: str) -> int:
        return len(await door.ask("GET", f"/api/v2/alerts?{query}"))

    assert await count('filter=alertname="HighLoad"') == 1
    assert await count("filter=alertname=~High.*&filter=instance=db2") == 0
    assert await count("silenced=false") == 1
    assert await count("active=false") == 1
    assert await count("receiver=all") == 2
    assert await count("receiver=none") == 0
    assert "bad matcher" in await door.ask("GET", "/api/v2/alerts?filter=foo", status=400)
    assert "bad matcher" in await door.ask("GET", "/api/v2/alerts?receiver=(a*)*", status=400)


async def test_groups_are_those_of_the_routes(door: Door) -> None:
    await door.ask("POST", "/api/v2/alerts", FIRES)
    groups = await door.ask("GET", "/api/v2/alerts/groups")
    assert [(one["receiver"], one["labels"], len(one["alerts"])) for one in groups] == [
        ({"name": "all"}, {"incident": "4711"}, 1),
        ({"name": "all"}, {"incident": "X1"}, 1),
    ]
    (ours,) = await door.ask("GET", '/api/v2/alerts/groups?filter=alertname="cable"&receiver=all')
    assert ours["alerts"][0]["labels"]["asset"] == "cable:ecfs"
    assert await door.ask("GET", "/api/v2/alerts/groups?receiver=none") == []
    assert await door.ask("GET", "/api/v2/alerts/groups?active=false") == []
    assert "bad matcher" in await door.ask("GET", "/api/v2/alerts/groups?filter=foo", status=400)
    assert await door.ask("GET", "/api/v2/receivers") == [{"name": "all"}]


async def test_a_silence_is_made_found_replaced_and_taken_back(door: Door) -> None:
    made = await door.ask("POST", "/api/v2/silences", QUIET)
    assert made == {"silenceID": "s1"}
    shown = await door.ask("GET", "/api/v2/silence/s1")
    assert (shown["createdBy"], shown["comment"], shown["status"]) == ("ann", "known", {"state": "active"})
    longer = {**QUIET, "id": "s1", "endsAt": "2026-09-01T18:00:00Z"}
    assert await door.ask("POST", "/api/v2/silences", longer) == {"silenceID": "s2"}
    states = {one["id"]: one["status"]["state"] for one in await door.ask("GET", "/api/v2/silences")}
    assert states == {"museum": "active", "s1": "expired", "s2": "active"}
    assert len(await door.ask("GET", '/api/v2/silences?filter=alertname="HighLoad"')) == 2
    await door.ask("DELETE", "/api/v2/silence/s2")
    assert "not found" in await door.ask("DELETE", "/api/v2/silence/s2", status=404)
    assert "not found" in await door.ask("GET", "/api/v2/silence/s9", status=404)
    assert "not found" in await door.ask("POST", "/api/v2/silences", {**QUIET, "id": "s9"}, status=404)
    assert "routes.yaml" in await door.ask("DELETE", "/api/v2/silence/museum", status=409)
    assert door.woken == 3


async def test_what_cannot_be_is_refused_with_the_status_and_form_of_alertmanager(door: Door) -> None:
    assert await door.ask("POST", "/api/v2/alerts", [{"labels": {}}], 400) == "at least one label pair required"
    assert (await door.ask("POST", "/api/v2/alerts", [{}], 422))["code"] == 602
    assert (await door.ask("POST", "/api/v2/alerts", {}, 400))["code"] == 400
    too_long = {**QUIET, "endsAt": "2027-09-01T14:00:00Z"}
    assert "longer than 31 days" in await door.ask("POST", "/api/v2/silences", too_long, 400)
    everything = {**QUIET, "matchers": [{"name": "a", "value": ".*", "isRegex": True}]}
    assert "silence everything" in await door.ask("POST", "/api/v2/silences", everything, 400)
    assert "say why" in await door.ask("POST", "/api/v2/silences", {**QUIET, "comment": " "}, 400)
    form = {"Content-Type": "text/plain"}
    assert "media type" in await door.ask("POST", "/api/v2/alerts", FIRES, 415, headers=form)
    huge = io.BytesIO(b"[" + b" " * LONGEST_BODY + b"]")
    json_ = {"Content-Type": "application/json"}
    assert "at most" in await door.ask("POST", "/api/v2/alerts", status=413, data=huge, headers=json_)
    assert "no body" in await door.ask("GET", "/metrics", FIRES, 413)
    assert [one.incident for one in door.book.standing()] == []


async def test_what_is_right_beside_what_is_wrong_is_taken(door: Door) -> None:
    said = await door.ask("POST", "/api/v2/alerts", [*FIRES, {"labels": {"a b": "x"}}], 400)
    assert said == 'invalid label set: invalid name "a b"'
    assert len(door.book.standing()) == 1


async def test_while_the_journal_cannot_be_written_its_source_is_to_try_again(door: Door) -> None:
    door.journal.left, door.journal.before = 1, True
    said = await door.ask("POST", "/api/v2/alerts", FIRES, 503)
    assert said == "the journal cannot be written now"
    door.journal.left = -1
    await door.ask("POST", "/api/v2/alerts", FIRES)
    assert len(door.book.standing()) == 1


async def test_two_that_post_at_once_make_one_alert(door: Door) -> None:
    await asyncio.gather(*(door.ask("POST", "/api/v2/alerts", FIRES) for _ in range(8)))
    assert [one.incident for one in door.book.standing()] == ["X1"]


async def test_the_status_shows_nothing_of_the_config(door: Door) -> None:
    said = await door.ask("GET", "/api/v2/status")
    assert said["cluster"] == {"status": "disabled", "peers": []}
    assert said["uptime"] == "2026-09-01T12:00:00.000Z"
    assert TOKEN not in json.dumps(said)
