"""What an Alertmanager answers, on the operators' door: a Prometheus posts its alerts, amtool asks and silences.

Only with the bearer token, and without one configured it is not there: whoever may silence may hide a disaster.
"""

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from alerting import alertmanager as v2
from alerting import silence
from alerting.alertmanager import Unfit
from alerting.directory import Directory, Silence
from alerting.foreign import Foreign
from alerting.foreign_book import ForeignBook
from alerting.gate import Rules
from alerting.journal import Journal, JournalError, can_pass
from alerting.match import Matcher, matches
from alerting.model import Alert
from monitor.web.shield import authorised
from probes.clock import Clock

log = logging.getLogger("lambi.alertmanager")

LONGEST_BODY = 4 << 20
"""Bytes."""
ALERTS, SILENCES = "/api/v2/alerts", "/api/v2/silences"
BODIES = frozenset({ALERTS, SILENCES})
"""Addresses that take a body."""
FLAGS = ("active", "silenced", "inhibited")

Handle = Callable[[web.Request, datetime], Awaitable[Any]]
"""Answer with JSON, or None for an empty answer; raises Unfit."""


class Alertmanager:
    """The addresses below /api/v2."""

    def __init__(  # noqa: PLR0917 - all that it is wired to, once
        self,
        book: ForeignBook,
        journal: Journal,
        directory: Callable[[], Directory],
        own: Callable[[], list[Alert]],
        wake: Callable[[], None],
        started: datetime,
        version: str,
    ) -> None:
        """``own``: the truth about every open incident; ``wake``: what a silence kept back may leave."""
        self._book, self._journal, self._directory = book, journal, directory
        self._own, self._wake, self._started, self._version = own, wake, started, version

    def add_routes(self, app: web.Application, token: str, clock: Clock) -> None:
        """Add them, if there is a token to ask for."""
        if not token:
            return
        for method, path, handle in (
            ("POST", ALERTS, self._post_alerts),
            ("GET", ALERTS, self._alerts),
            ("GET", f"{ALERTS}/groups", self._groups),
            ("GET", "/api/v2/receivers", self._receivers),
            ("GET", SILENCES, self._silences),
            ("POST", SILENCES, self._post_silence),
            ("GET", "/api/v2/silence/{id}", self._silence),
            ("DELETE", "/api/v2/silence/{id}", self._delete_silence),
            ("GET", "/api/v2/status", self._status),
        ):
            app.router.add_route(method, path, _guarded(handle, token, clock))

    async def _post_alerts(self, request: web.Request, now: datetime) -> None:
        """Take what is right beside what is wrong, and say what is wrong: as Alertmanager does."""
        posts, wrong = v2.postable_alerts(await _body(request), now)
        if refused := await self._book.take(posts, now):
            wrong.append(f"{refused} alerts refused: too many are open")
        if wrong:
            raise Unfit("; ".join(list(dict.fromkeys(wrong))[:20]))

    async def _alerts(self, request: web.Request, now: datetime) -> list[dict[str, Any]]:
        """Return every open alert: those that others reported, and our own incidents."""
        pairs, rules, flags = await self._asked(request, now)
        receiver = _receiver(request)
        return [
            one
            for one in v2.shown_alerts(pairs, rules, flags, now)
            if not receiver or any(matches(receiver, {"receiver": each["name"]}) for each in one["receivers"])
        ]

    async def _groups(self, request: web.Request, now: datetime) -> list[dict[str, Any]]:
        """Return the same by route and group."""
        pairs, rules, flags = await self._asked(request, now)
        receiver = _receiver(request)
        groups = v2.shown_groups(pairs, rules, flags, now)
        return [one for one in groups if matches(receiver, {"receiver": one["receiver"]["name"]})]

    async def _receivers(self, _request: web.Request, _now: datetime) -> list[dict[str, str]]:
        """Return the routes: who hears of what they take is said by `lambi route explain`."""
        return [{"name": name} for name in self._directory().by_name]

    async def _asked(
        self, request: web.Request, now: datetime
    ) -> tuple[list[tuple[Alert, Foreign | None]], Rules, dict[str, bool]]:
        """Return the open alerts that a query's matchers choose, the rules of now, and its flags."""
        rules, match = await self._rules(now), v2.filters(request.query.getall("filter", []))
        pairs: list[tuple[Alert, Foreign | None]] = [
            (alert, self._book.source(alert.incident)) for alert in rules.open if matches(match, v2.named(alert))
        ]
        return (
            pairs,
            rules,
            {name: request.query.get(name, "true").lower() not in {"false", "0", "f"} for name in FLAGS},
        )

    async def _rules(self, now: datetime) -> Rules:
        everything = (*self._own(), *self._book.standing())
        return Rules(self._directory(), await self._made(now), everything)

    async def _made(self, now: datetime) -> tuple[Silence, ...]:
        """Return every silence of the files and of people, those that are over too."""
        return (*self._directory().silences, *await silence.known(self._journal))

    async def _silences(self, request: web.Request, now: datetime) -> list[dict[str, Any]]:
        """Return the silences, as Alertmanager does also those that ended within five days."""
        match = v2.filters(request.query.getall("filter", []))
        found = [one for one in await self._made(now) if now - one.until < v2.KEEP]
        return [v2.gettable_silence(one, now) for one in found if matches(match, v2.silence_labels(one))]

    async def _post_silence(self, request: web.Request, now: datetime) -> dict[str, str]:
        """Make a silence; one that replaces another ends that: a silence is never changed."""
        old, wish = v2.postable_silence(await _body(request), now)
        if old:
            self._ours(old)
        try:
            async with self._journal.transaction() as tx:
                if old and not await silence.is_known(tx, old):
                    raise Unfit("silence not found", 404)
                name = await silence.add(tx, wish, now)
                if old:
                    await silence.end(tx, old, wish.author, now)
        except ValueError as error:
            raise error if isinstance(error, Unfit) else Unfit(f"silence invalid: {error}") from None
        log.info("silence added=%s until=%s by=%r", name, wish.until.isoformat(), wish.author)
        self._wake()
        return {"silenceID": name}

    async def _silence(self, request: web.Request, now: datetime) -> dict[str, Any]:
        for one in await self._made(now):
            if one.id == request.match_info["id"]:
                return v2.gettable_silence(one, now)
        raise Unfit("silence not found", 404)

    async def _delete_silence(self, request: web.Request, now: datetime) -> None:
        name = request.match_info["id"]
        self._ours(name)
        async with self._journal.transaction() as tx:
            if not await silence.end(tx, name, "api", now):
                raise Unfit("silence not found", 404)
        log.info("silence ended=%s by=api", name)
        self._wake()

    def _ours(self, name: str) -> None:
        if any(one.id == name for one in self._directory().silences):
            raise Unfit(f'silence "{name}" stands in routes.yaml: take it away there', 409)

    async def _status(self, _request: web.Request, _now: datetime) -> dict[str, Any]:
        return v2.status(self._version, self._started)


def _receiver(request: web.Request) -> list[Matcher]:
    """Return what a query asks of a receiver's name: Alertmanager's anchored expression, or nothing."""
    asked = request.query.get("receiver", "")
    return v2.filters([f'receiver=~"{asked}"']) if asked else []


def _guarded(handle: Handle, token: str, clock: Clock) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Ask for the token first, before anything is read; give refusals the form of Alertmanager's."""

    async def answer(request: web.Request) -> web.Response:
        if not authorised(request, token):
            raise web.HTTPUnauthorized(text="This address asks for a bearer token.")
        try:
            said = await handle(request, clock.now())
        except Unfit as error:
            return web.json_response(error.said, status=error.status)
        except (JournalError, sqlite3.Error) as error:
            if not can_pass(error):
                raise
            log.error("journal error=%r: a request was refused", str(error))
            return web.json_response("the journal cannot be written now", status=503)
        return web.Response() if said is None else web.json_response(said, headers={"Cache-Control": "no-store"})

    return answer


async def _body(request: web.Request) -> bytes:
    """Read a bounded body of JSON; a form, which any page could have a browser send, is none."""
    if request.content_type != "application/json":
        raise Unfit(f'unsupported media type "{request.content_type[:60]}", only [application/json] are allowed', 415)
    found = bytearray()
    async for chunk in request.content.iter_chunked(1 << 16):
        found += chunk
        if len(found) > LONGEST_BODY:
            raise Unfit(f"a body here has at most {LONGEST_BODY} bytes", 413)
    return bytes(found)
