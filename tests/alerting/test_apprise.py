"""One adapter for many providers: apprise in threads of this channel alone."""

import asyncio
import time

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from alerting.channels.apprise import SLOTS, Apprise
from alerting.model import Address, DeliveryError, Message, UnansweredError
from tests.daemons import hung_server
from tests.ports import own_port

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # of a library that apprise loads

TEXT = Message("1.1", "4711", "", "4711 MAJOR: Línea caída")
TO = Address("push", "+1 246/5550100?x")


async def test_one_text_to_one_recipient_by_one_url() -> None:
    got: list[tuple[str, dict[str, str]]] = []

    async def take(request: web.Request) -> web.Response:
        got.append((request.path, await request.json()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/{tail:.*}", take)
    async with TestServer(app) as server:
        channel = Apprise(f"json://127.0.0.1:{server.port}/sms/{{to}}")
        began = time.monotonic()
        for _ in range(3):
            await channel.send(TEXT, TO)
        assert time.monotonic() - began < 5, "no object waits for its own last use"
        await channel.close()
    assert len(got) == 3
    assert got[0][1]["message"] == TEXT.body
    assert got[0][0].startswith("/sms/"), "an address cannot leave its place in the URL"


async def test_what_is_not_taken_is_of_unknown_end() -> None:
    channel = Apprise(f"json://127.0.0.1:{own_port()}/{{to}}")
    with pytest.raises(UnansweredError, match="did not take it"):
        await channel.send(TEXT, TO)
    with pytest.raises(DeliveryError, match="does not understand") as caught:
        await Apprise("nonsense://{to}").send(TEXT, TO)
    assert caught.value.permanent


async def test_a_service_that_hangs_keeps_its_own_threads_and_no_more() -> None:
    async with hung_server() as port:
        hung = Apprise(f"json://127.0.0.1:{port}/{{to}}", answer_seconds=1.0)
        tries = [asyncio.create_task(hung.send(TEXT, TO)) for _ in range(SLOTS)]
        await asyncio.sleep(0.05)
        with pytest.raises(DeliveryError, match="the service hangs"):
            await hung.send(TEXT, TO)
        assert all(isinstance(end, UnansweredError) for end in await asyncio.gather(*tries, return_exceptions=True))
        await hung.close()


def test_the_url_is_a_secret_and_holds_the_recipient() -> None:
    assert "json" not in repr(Apprise("json://u:p@h/{to}"))
    with pytest.raises(ValueError, match="secret: expected a URL of apprise"):
        Apprise("json://127.0.0.1/")
