"""The page behind a mail's link, the public door's one exception: GET shows it, POST acts, once.

Nothing is shown of the contact, and a wrong token looks like any wrong address.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from aiohttp import web

from alerting.codes import Link
from alerting.inbound import Heard
from alerting.model import Act
from alerting.replies import WAIT_MINUTES, Asked
from monitor.model import Incident
from monitor.web import answer
from monitor.web.answer import Answer
from probes.clock import Clock

BUTTONS = {"ack": Asked(what=Act.ACK), "wait": Asked(what=Act.WAIT, minutes=WAIT_MINUTES)}
_TOKEN = re.compile(r"[0-9a-f]{32}")
Render = Callable[..., Answer]
Find = Callable[[str], Awaitable[Incident | None]]


class Answers(Protocol):
    """Where links lead: `alerting.inbound.Inbox`."""

    async def follow(self, token: str, now: datetime, /) -> Link | None:
        """Return what a link stands for."""
        ...

    async def click(self, token: str, asked: Asked, now: datetime, /) -> Heard | None:
        """Act, once."""
        ...


def add_routes(app: web.Application, answers: Answers, find: Find, render: Render, clock: Clock) -> None:
    """Add the two addresses; ``find`` gives an incident by its number, ``render`` makes a page."""

    async def show(request: web.Request) -> web.Response:
        link = await answers.follow(_token(request), clock.now())
        if link is None:
            raise web.HTTPNotFound
        return page(request, await find(link.incident), link=link, said="")

    async def act(request: web.Request) -> web.Response:
        token, asked, now = _token(request), BUTTONS.get(request.match_info["what"]), clock.now()
        link = await answers.follow(token, now)
        if link is None or asked is None:
            raise web.HTTPNotFound
        heard = await answers.click(token, asked, now)
        incident = await find(link.incident)
        return page(request, incident, link=link, said=heard.answer if heard else "")

    def page(request: web.Request, incident: Incident | None, *, link: Link, said: str) -> web.Response:
        here = f"/answer/{request.match_info['token']}"
        shown = render("answer.html", one=incident, link=link, said=said, minutes=WAIT_MINUTES, here=here)
        response = answer.respond(request, shown)
        response.headers["Cache-Control"] = "no-store"
        return response

    app.router.add_get("/answer/{token}", show)
    app.router.add_post("/answer/{token}/{what}", act)


def _token(request: web.Request) -> str:
    token = request.match_info["token"]
    if not _TOKEN.fullmatch(token):
        raise web.HTTPNotFound
    return token
