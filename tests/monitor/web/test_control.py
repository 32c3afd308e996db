import json
import os
import pwd
import socket
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, UnixConnector, web

from monitor.web.control import ControlError, Refused, may, serve


class Bugs:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


async def echo(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"asked": dict(asked)}


async def no(_: Mapping[str, Any]) -> Mapping[str, Any]:
    raise Refused("there is no contact nobody")


async def bug(_: Mapping[str, Any]) -> Mapping[str, Any]:
    raise KeyError("secret")


def reading() -> web.Application:
    async def status(_: web.Request) -> web.Response:
        return web.json_response({"headline": "calm"})

    app = web.Application()
    app.router.add_get("/api/v1/status", status)
    return app


COMMANDS = {"echo": echo, "no": no, "bug": bug}


@pytest.fixture
def bugs() -> Bugs:
    return Bugs()


@pytest.fixture
async def door(tmp_path: Path, bugs: Bugs) -> AsyncIterator[Path]:
    path = tmp_path / "var" / "control.sock"
    runner = await serve(path, COMMANDS, read=reading(), count_bug=bugs)
    yield path
    await runner.cleanup()


async def ask(path: Path, url: str, body: bytes | None = None) -> tuple[int, Any]:
    async with (
        ClientSession(connector=UnixConnector(str(path))) as session,
        session.request("GET" if body is None else "POST", url, data=body) as answer,
    ):
        return answer.status, json.loads(await answer.text())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_command_takes_and_gives_an_object(door: Path) -> None:
    asked = {"a": 1, "peer": pwd.getpwuid(os.geteuid()).pw_name}
    assert await ask(door, "http://control/echo", b'{"a": 1}') == (200, {"asked": asked})


async def test_the_door_says_who_asks_and_believes_nobody_else(door: Path) -> None:
    _, said = await ask(door, "http://control/echo", b'{"peer": "somebody else"}')
    assert said == {"asked": {"peer": pwd.getpwuid(os.geteuid()).pw_name}}


async def test_the_public_api_is_read_through_the_same_socket(door: Path) -> None:
    assert await ask(door, "http://public/api/v1/status") == (200, {"headline": "calm"})


@pytest.mark.parametrize("body", [b"[1]", b"{", b"\xff", b"[" * 60_000])
async def test_what_is_no_object_is_refused(door: Path, bugs: Bugs, body: bytes) -> None:
    status, answer = await ask(door, "http://control/echo", body)
    assert (status, bugs.count) == (400, 0)
    assert answer == {"error": "a command takes one JSON object"}


async def test_a_body_without_end_is_cut(door: Path) -> None:
    status, answer = await ask(door, "http://control/echo", b" " * 70_000)
    assert status == 413
    assert "error" in answer


async def test_a_refusal_is_a_sentence(door: Path, bugs: Bugs) -> None:
    assert await ask(door, "http://control/no", b"{}") == (409, {"error": "there is no contact nobody"})
    assert bugs.count == 0


async def test_a_bug_is_counted_and_says_nothing_of_itself(door: Path, bugs: Bugs) -> None:
    status, answer = await ask(door, "http://control/bug", b"{}")
    assert (status, bugs.count) == (500, 1)
    assert "secret" not in answer["error"]


async def test_an_unknown_command_asks_about_versions(door: Path) -> None:
    status, answer = await ask(door, "http://control/nonsense", b"{}")
    assert status == 404
    assert "older" in answer["error"]


async def test_the_socket_is_its_owners_alone(door: Path) -> None:
    assert mode(door) == 0o600


def test_root_and_the_owner_may() -> None:
    assert [may(uid, 1000) for uid in (0, 1000, 1001, -1)] == [True, True, False, False]


async def test_the_socket_goes_with_the_daemon(tmp_path: Path) -> None:
    runner = await serve(tmp_path / "s", {}, read=reading(), count_bug=Bugs())
    await runner.cleanup()
    assert not (tmp_path / "s").exists()


async def test_a_socket_left_by_a_crash_is_replaced(tmp_path: Path, door: Path) -> None:
    stale = tmp_path / "stale"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(stale))
    runner = await serve(stale, COMMANDS, read=reading(), count_bug=Bugs())
    assert (await ask(stale, "http://control/echo", b"{}"))[0] == 200
    await runner.cleanup()


async def test_a_second_daemon_is_told_of_the_first(door: Path) -> None:
    with pytest.raises(ControlError, match="another Lambi daemon answers here"):
        await serve(door, {}, read=reading(), count_bug=Bugs())
    assert (await ask(door, "http://control/echo", b"{}"))[0] == 200


async def test_a_file_in_its_place_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("mine")
    with pytest.raises(ControlError, match="something else does"):
        await serve(tmp_path / "s", {}, read=reading(), count_bug=Bugs())
    assert (tmp_path / "s").read_text() == "mine"


async def test_a_path_that_linux_cannot_take_is_said(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="Linux takes 107"):
        await serve(tmp_path / ("x" * 120), {}, read=reading(), count_bug=Bugs())


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ControlError, match=r"cannot be opened: (Not a directory|File exists)"):
        await serve(tmp_path / "file" / "s", {}, read=reading(), count_bug=Bugs())


async def test_no_umask_opens_it_to_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        runner = await serve(tmp_path / "s", {}, read=reading(), count_bug=Bugs())
    finally:
        os.umask(before)
    assert mode(tmp_path / "s") == 0o600
    await runner.cleanup()
