"""A command line in this process, and a daemon's control door to talk to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from monitor.cli import main
from monitor.web.control import Refused, serve


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str


Lambi = Callable[..., Awaitable[Said]]


@pytest.fixture
def lambi(capsys: pytest.CaptureFixture[str]) -> Lambi:
    """Run `lambi` with these words beside the test's event loop."""

    def run(*words: str | Path) -> Said:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        return Said(int(ended.value.code or 0), captured.out, captured.err)

    async def call(*words: str | Path) -> Said:
        return await asyncio.to_thread(run, *words)

    return call


@dataclass
class Daemon:
    """What the control door answers; a test may change it."""

    folder: Path
    """A config folder that names the door's socket."""
    api: dict[str, Any] = field(default_factory=dict)
    """Path -> JSON."""
    queries: list[str] = field(default_factory=list)
    results: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "config"
    made.mkdir()
    (made / "lambi.yaml").write_text(f"web: {{control: {tmp_path / 's'}}}\n")
    return made


@pytest.fixture
async def daemon(folder: Path, tmp_path: Path) -> AsyncIterator[Daemon]:
    made = Daemon(folder)

    async def read(request: web.Request) -> web.Response:
        made.queries.append(request.query_string)
        if request.path not in made.api:
            return web.json_response({"error": "There is no such page here."}, status=404)
        return web.json_response(made.api[request.path])

    async def contact_test(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        if asked["contact"] == "nobody":
            raise Refused("there is no contact nobody")
        return {"contact": asked["contact"], "incident": "TEST", "results": made.results}

    public = web.Application()
    public.router.add_get("/{path:.*}", read)
    runner = await serve(tmp_path / "s", {"contact-test": contact_test}, read=public, count_bug=lambda: None)
    yield made
    await runner.cleanup()
