"""What others tell the operators' door. Of SMS gateways: reports and answers; the secret in the path says whose.

Whoever does not know a secret, or asks from elsewhere, learns nothing: the answer is that of any wrong address.
"""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from aiohttp import web

from alerting.channels.kannel import FATES, Kannel
from alerting.feeds import Say
from alerting.gsm import numbered, one_part
from alerting.inbound import Heard
from alerting.model import Act as What
from alerting.model import Address, Receipt, Reply
from alerting.replies import Asked
from monitor.web.shield import authorised
from probes.clock import Clock

Receive = Callable[[Receipt, datetime], Awaitable[None]]
Act = Callable[[str, Asked, str, datetime], Awaitable[Heard]]
WORDS = {one.value: one for one in What}
Hear = Callable[[Reply, datetime], Awaitable[str]]
NOWHERE = "There is no such page here."


def add_routes(  # noqa: PLR0917 - all that it is wired to, once
    app: web.Application, channels: Mapping[str, object], receive: Receive, hear: Hear, clock: Clock, say: Say
) -> None:
    """Let the gateways among ``channels`` that have a secret call back; ``say`` sends what no one answer can carry."""
    gateways = {name: one for name, one in channels.items() if isinstance(one, Kannel) and one.secret}

    async def receipt(request: web.Request) -> web.Response:
        _gateway(request, gateways)
        fate = FATES.get(_number(request.query.get("status", "")))
        if fate is None:
            raise web.HTTPBadRequest(text="status: expected 1, 2, 4, 8 or 16.")
        now, said = clock.now(), request.query.get("said", "")
        await receive(Receipt(request.query.get("reference", ""), fate, now, _words(said)), now)
        return web.Response(text="ok\n")

    async def reply(request: web.Request) -> web.Response:
        name = _gateway(request, gateways)
        asked, now = request.query, clock.now()
        one = Reply(name, asked.get("from", ""), asked.get("text", ""), now, asked.get("id", ""))
        answer = await hear(one, now)
        texts = numbered(answer) if answer else [""]
        if len(texts) == 1 and (not answer or one_part(texts[0])):
            return web.Response(text=texts[0], headers={"Cache-Control": "no-store"})
        await say(Address(name, one.sender), answer, "")  # the gateway would cut it, or lose its letters
        return web.Response(headers={"Cache-Control": "no-store"})

    app.router.add_get("/callback/{secret}/receipt", receipt)
    app.router.add_get("/callback/{secret}/reply", reply)


def add_answers(app: web.Application, act: Act, token: str, clock: Clock) -> None:
    """Let another system answer for a contact: ``POST /api/v1/incident/ID/ack?contact=NAME``, with the bearer token.

    Without a token it is not there: a page of anybody could else have a browser on this machine post.
    """

    async def answer(request: web.Request) -> web.Response:
        if not authorised(request, token):
            raise web.HTTPUnauthorized(text="This address asks for a bearer token.")
        what, number = WORDS.get(request.match_info["what"]), _number(request.query.get("number", ""))
        if what is None:
            raise web.HTTPNotFound(text=NOWHERE)
        step, minutes = (number or None if what is one else None for one in (What.DONE, What.WAIT))
        asked = Asked(request.match_info["id"], "", what, step, minutes)
        heard = await act(request.query.get("contact", ""), asked, "api", clock.now())
        if heard.verdict == "unknown":
            raise web.HTTPNotFound(text="There is no such contact, or nobody was told of such an incident.")
        return web.json_response({"verdict": heard.verdict, "answer": heard.answer})

    if token:
        app.router.add_post("/api/v1/incident/{id}/{what}", answer)


def _gateway(request: web.Request, gateways: Mapping[str, Kannel]) -> str:
    """Return the gateway that calls; every secret is compared, in constant time."""
    given = request.match_info["secret"].encode("utf-8", "surrogateescape")
    known = [name for name, one in gateways.items() if hmac.compare_digest(given, one.secret.encode())]
    if not known or not _may(request.remote or "", gateways[known[0]].sources):
        raise web.HTTPNotFound(text=NOWHERE)
    return known[0]


def _may(remote: str, sources: tuple[str, ...]) -> bool:
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in ipaddress.ip_network(source) for source in sources)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else 0


def _words(said: str) -> str:
    """Keep of the network's words what names an error, such as "err:001": no number of a telephone."""
    found = [word for word in said.split("/") if word.isascii() and word.isalnum() and not word.isdecimal()]
    return " ".join(found)[:60]
