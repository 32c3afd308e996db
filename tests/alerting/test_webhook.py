"""The webhook: Alertmanager's body, a signature that a receiver can check."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from alerting.channels.webhook import Webhook, payload
from alerting.model import Address, DeliveryError, Message, RefusedError, UnansweredError
from tests.alerting.fakes import OPEN, Office, closed, contact, directory, open_journal
from tests.ports import own_port

SECRET = "shared-with-the-receiver"


class Receiver:
    """A server that checks as it should."""

    def __init__(self) -> None:
        self.status, self.got = 200, list[dict[str, Any]]()
        self.keys: list[str] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        fields = dict(part.split("=", 1) for part in request.headers["X-Lambi-Signature"].split(","))
        right = hmac.new(SECRET.encode(), f"{fields['t']}.".encode() + body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(right, fields["v1"])
        self.got.append(json.loads(body))
        self.keys.append(request.headers["Idempotency-Key"])
        return web.Response(status=self.status)


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    one, app = Receiver(), web.Application()
    app.router.add_post("/hook", one.take)
    async with TestServer(app) as server:
        yield one, str(server.make_url("/hook"))


async def test_begin_and_end_as_alertmanager_tells_them(receiver: tuple[Receiver, str], tmp_path: Path) -> None:
    one, url = receiver
    journal = await open_journal(tmp_path)
    noc = replace(contact("noc"), addresses=(Address("hook", url),))
    office = Office(journal, directory(noc), {"hook": Webhook(SECRET)})
    await office.happen(OPEN)
    await office.pass_time(0)
    await office.happen(closed(5))
    await office.pass_time(5)
    first, last = one.got
    assert (first["version"], first["status"], last["status"]) == ("4", "firing", "resolved")
    assert first["groupKey"] == last["groupKey"]
    [alert], [ended] = first["alerts"], last["alerts"]
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-09-01T12:00:00Z", "0001-01-01T00:00:00Z")
    assert ended["endsAt"] == "2026-09-01T12:05:00Z"
    assert alert["fingerprint"] == ended["fingerprint"]
    assert alert["labels"]["severity"] == "major"
    assert len(set(one.keys)) == 2
    assert {row[3] for row in await office.states()} == {"accepted"}
    await journal.close()


@pytest.mark.parametrize(
    ("status", "kind", "permanent"),
    [
        (500, DeliveryError, False),
        (503, DeliveryError, False),
        (429, DeliveryError, False),
        (302, DeliveryError, False),
        (400, RefusedError, False),
        (401, RefusedError, False),
        (410, RefusedError, True),
    ],
)
async def test_what_a_receiver_refuses(
    receiver: tuple[Receiver, str], status: int, kind: type[DeliveryError], permanent: bool
) -> None:
    one, url = receiver
    one.status = status
    with pytest.raises(DeliveryError, match=f"the webhook answered {status}") as caught:
        await Webhook(SECRET).send(Message("1.1", "4711", "s", "b", at=OPEN.opened), Address("hook", url))
    assert (type(caught.value), caught.value.permanent) == (kind, permanent)


async def test_nobody_there_and_no_url() -> None:
    message = Message("1.1", "4711", "s", "b", at=OPEN.opened)
    with pytest.raises(DeliveryError, match="cannot connect") as caught:
        await Webhook(SECRET).send(message, Address("hook", f"http://127.0.0.1:{own_port()}/"))
    assert not isinstance(caught.value, UnansweredError)
    with pytest.raises(DeliveryError, match="no URL") as caught:
        await Webhook(SECRET).send(message, Address("hook", "nonsense"))
    assert caught.value.permanent


def test_a_message_of_no_incident_has_a_body_too_and_a_short_secret_is_refused() -> None:
    assert payload(Message("1.1", "TEST", "s", "b"))["alerts"] == []
    with pytest.raises(ValueError, match="secret: expected at least 16"):
        Webhook("short")
