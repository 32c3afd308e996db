"""What leaves a door: bytes made once, packed, marked with an ETag; headers that keep a browser on the safe side."""

import gzip
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

HTML = "text/html"
JSON = "application/json"
CSV = "text/csv"
TEXT = "text/plain"

Moment = tuple[datetime, int]
"""The snapshot's time and the second of asking: what is made in one moment may be given to everybody in it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A body, plain and packed."""

    content_type: str
    plain: bytes
    packed: bytes
    etag: str
    headers: tuple[tuple[str, str], ...] = ()


def make(text: str, content_type: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Encode and pack a body once; the ETag is its SHA-256, weak because it names both forms."""
    plain = text.encode("utf-8", "replace")
    etag = f'W/"{hashlib.sha256(plain).hexdigest()[:24]}"'
    return Answer(content_type, plain, gzip.compress(plain, 6, mtime=0), etag, headers)


def respond(request: web.Request, answer: Answer, *, status: int = 200, max_age: int = 5) -> web.Response:
    """Answer with 200 and the form the client takes, or with 304 when it has this one (RFC 9110)."""
    headers = {
        "ETag": answer.etag,
        "Vary": "Accept-Encoding",
        "Cache-Control": f"public, max-age={max_age}" if status == 200 else "no-store",
        **dict(answer.headers),
    }
    if status == 200 and answer.etag in _tags(request):
        return web.Response(status=304, headers=headers)
    body = answer.plain
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body = answer.packed
        headers["Content-Encoding"] = "gzip"
    return web.Response(status=status, body=body, headers=headers, content_type=answer.content_type, charset="utf-8")


def _tags(request: web.Request) -> set[str]:
    return {tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")}


class Recent:
    """Answers of the present moment, bounded: a crowd that asks the same in one second costs one rendering."""

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._moment: Moment | None = None
        self._answers: dict[str, Answer] = {}

    async def get(self, moment: Moment, key: str, build: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer of this moment under `key`, building it when there is none."""
        if moment != self._moment:
            self._moment, self._answers = moment, {}
        answers = self._answers
        if key not in answers:
            answer = await build()
            if len(answers) >= self._limit:
                return answer
            answers[key] = answer
        return answers[key]
