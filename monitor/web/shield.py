"""Around every handler: bounds before it, safety headers after it, and a plain sentence when something goes wrong."""

import base64
import hashlib
import hmac
import logging
import sqlite3
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from alerting.journal import JournalError, can_pass

log = logging.getLogger(__name__)

LONGEST_URL = 2048

Refuse = Callable[[web.Request, int, str], web.Response]
"""Say no: (request, status, sentence) -> a page, or JSON."""

SENTENCES = {
    404: "There is no such page here.",
    405: "This door only lets you read: GET and HEAD.",
}


class BadQueryError(ValueError):
    """The URL asks for something that cannot be; the text says what was expected."""


def headers(style: str, script: str = "") -> dict[str, str]:
    """Headers of every answer: nothing from elsewhere, the one inline style and the one script by their hashes."""
    live = f"script-src {_hash(script)}; connect-src 'self'; " if script else ""
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src {_hash(style)}; {live}img-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
        "Server": "lambi",
    }


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def authorised(request: web.Request, token: str) -> bool:
    """Whether a request carries ``Authorization: Bearer TOKEN``; compared in constant time."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    told = given.strip().encode("utf-8", "surrogateescape")
    return scheme.lower() == "bearer" and hmac.compare_digest(told, token.encode())


def shield(
    safety: dict[str, str], refuse: Refuse, count_bug: Callable[[], None], bodies: frozenset[str] = frozenset()
) -> Middleware:
    """Make the middleware. `count_bug` is called once for each exception that nobody expected.

    ``bodies``: addresses that take a body, and bound it themselves.
    """

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await _attempt(request, handler, refuse, count_bug, bodies)
        response.headers.update(safety)
        return response

    return around


async def _attempt(
    request: web.Request, handler: Handler, refuse: Refuse, count_bug: Callable[[], None], bodies: frozenset[str]
) -> web.StreamResponse:
    try:
        _bound(request, bodies)
        return await handler(request)
    except BadQueryError as error:
        return refuse(request, 400, str(error))
    except web.HTTPException as error:
        response = refuse(request, error.status, _sentence(error))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except Exception as error:  # the web boundary: a bug costs one page, never the daemon; a path may hold a secret
        if isinstance(error, JournalError | sqlite3.Error) and can_pass(error):
            log.error("journal error=%r: a request was refused", str(error))
            return refuse(request, 503, "The journal cannot be written just now: please try again in a minute.")
        resource = request.match_info.route.resource
        log.exception("bug while answering %s", resource.canonical if resource else "a wrong address")
        count_bug()
        return refuse(request, 500, "Something in Lambi itself went wrong; it has been logged and counted.")


def _sentence(error: web.HTTPException) -> str:
    """Ours where a handler gave one; aiohttp's own text is "404: Not Found"."""
    if error.text and not error.text.startswith(str(error.status)):
        return error.text
    return SENTENCES.get(error.status, error.reason)


def _bound(request: web.Request, bodies: frozenset[str]) -> None:
    if len(request.raw_path) > LONGEST_URL:
        raise web.HTTPRequestURITooLong(text=f"An address here has at most {LONGEST_URL} characters.")
    if request.can_read_body and request.path not in bodies:
        raise web.HTTPRequestEntityTooLarge(0, 0, text="This door takes no body.")
