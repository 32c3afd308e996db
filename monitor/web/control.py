"""The control door: a unix socket for the `lambi` command, for root and the daemon's own user alone."""

import json
import logging
import os
import pwd
import socket
import stat
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

log = logging.getLogger(__name__)

LONGEST_PATH = 107
"""Bytes; sun_path of unix(7) without its closing NUL."""
LONGEST_BODY = 64 * 1024
_PEER = struct.Struct("3i")
"""struct ucred: pid, uid, gid."""

Command = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""What a command is asked and what it answers, as JSON objects; raises Refused.

Under ``peer`` the door puts the unix user who asks.
"""


class ControlError(Exception):
    """The door cannot be opened; the text says why and what to do."""


class Refused(Exception):  # noqa: N818 - it is an answer, not an accident
    """A command says no; the text is for the operator."""


async def serve(
    path: Path,
    commands: Mapping[str, Command],
    *,
    read: web.Application,
    count_bug: Callable[[], None],
) -> web.AppRunner:
    """Open the door; ControlError. ``POST http://control/NAME`` runs a command, ``http://public/...`` is `read`'s.

    `read` is an instance of the public door's application. ``await runner.cleanup()`` closes the door.
    """
    sock = _listen(path)
    app = web.Application(middlewares=[_guard(os.geteuid(), count_bug)], client_max_size=LONGEST_BODY)
    app.add_domain("public", read)
    app.router.add_post("/{name}", _run(commands))
    app.on_cleanup.append(_remove(path))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, sock).start()
    return runner


def _listen(path: Path) -> socket.socket:
    """Bind with mode 0600 from the first moment; a socket that nobody answers is left over from a crash."""
    if (length := len(os.fsencode(path))) > LONGEST_PATH:
        raise ControlError(
            f"{path}: the control socket's path has {length} bytes and Linux takes {LONGEST_PATH}",
        )
    sock = socket.socket(socket.AF_UNIX)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _clear(path)
        os.fchmod(sock.fileno(), 0o600)  # before bind, Linux gives the file this mode
        sock.bind(os.fspath(path))
        sock.listen(16)
    except OSError as error:
        sock.close()
        raise ControlError(f"{path}: the control socket cannot be opened: {error.strerror}") from error
    except ControlError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def _remove(path: Path) -> Callable[[web.Application], Awaitable[None]]:
    async def remove(_: web.Application) -> None:
        with suppress(OSError):  # a disk that has turned read-only keeps it; the next start clears it away
            path.unlink(missing_ok=True)  # noqa: ASYNC240 - one unlink at the end of the process

    return remove


def _clear(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ControlError(f"{path}: the control socket would stand here, and something else does")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise ControlError(f"{path}: another Lambi daemon answers here")


def may(uid: int, owner: int) -> bool:
    """Whether a peer may use the door: root, or who runs the daemon."""
    return uid in {0, owner}


def _guard(owner: int, count_bug: Callable[[], None]) -> Middleware:
    """Let only the right peers in (SO_PEERCRED, unix(7)), and let no bug out."""

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not may(_uid(request), owner):
            return _say(403, "this socket is for root and for the user who runs the daemon")
        try:
            return await handler(request)
        except Refused as refusal:
            return _say(409, str(refusal))
        except web.HTTPException as error:
            return _say(error.status, error.text or error.reason)
        except Exception:  # a boundary: a bug costs one command, never the daemon
            log.exception("bug in a command: %s", request.path)
            count_bug()
            return _say(500, "something in Lambi itself went wrong; it has been logged and counted")

    return around


def _uid(request: web.Request) -> int:
    sock = request.get_extra_info("socket")
    if sock is None:
        return -1
    _, uid, _ = _PEER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return int(uid)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _run(commands: Mapping[str, Command]) -> Handler:
    async def run(request: web.Request) -> web.Response:
        if (command := commands.get(request.match_info["name"])) is None:
            raise web.HTTPNotFound(text="this daemon does not know that command: is it older than the `lambi` you run?")
        try:
            asked = json.loads(await request.read() or b"{}")
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            raise web.HTTPBadRequest(text="a command takes one JSON object")
        return web.json_response(await command({**asked, "peer": _user(_uid(request))}))

    return run


def _say(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)
