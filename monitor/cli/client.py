"""Talks to the daemon over its control socket."""

import http.client
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from monitor.cli.say import EXIT_NO_DAEMON, EXIT_USAGE, EXIT_WRONG, CommandError

LONGEST_ANSWER = 16 * 1024 * 1024


class Client:
    """One daemon, by its socket. Every method raises CommandError with a sentence."""

    def __init__(self, path: Path, *, timeout: float = 10.0) -> None:
        self._path = path
        self._timeout = timeout

    def read(self, path: str, query: Mapping[str, str | None] | None = None) -> dict[str, Any]:
        """Return what the public door's API answers: ``/api/v1/status``."""
        asked = urlencode({key: value for key, value in (query or {}).items() if value is not None})
        return self._ask("GET", "public", f"{path}?{asked}" if asked else path)

    def run(self, command: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Have the daemon run a command."""
        return self._ask("POST", "control", f"/{command}", json.dumps(arguments).encode())

    def _ask(self, method: str, host: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        connection = _Connection(self._path, self._timeout)
        try:
            connection.request(method, path, body, {"Host": host, "Connection": "close"})
            answer = connection.getresponse()
            text = answer.read(LONGEST_ANSWER)
        except OSError as error:
            raise self._fault(error) from error
        except http.client.HTTPException as error:
            raise CommandError(f"what answers at {self._path} is not Lambi", EXIT_NO_DAEMON) from error
        finally:
            connection.close()
        return _checked(answer.status, text)

    def _fault(self, error: OSError) -> CommandError:
        if isinstance(error, FileNotFoundError | ConnectionRefusedError | NotADirectoryError):
            return CommandError(
                f"no Lambi daemon runs here: nothing answers at {self._path}; start it with: lambi run",
                EXIT_NO_DAEMON,
            )
        if isinstance(error, PermissionError):
            return CommandError(f"{self._path} belongs to another user: ask as root, or as who runs Lambi", EXIT_USAGE)
        if isinstance(error, TimeoutError):
            return CommandError(f"the daemon gives no answer within {self._timeout:g} s", EXIT_NO_DAEMON)
        return CommandError(f"{self._path}: {error.strerror or error}", EXIT_NO_DAEMON)


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("lambi", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect the socket that http.client then speaks over."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.fspath(self._path))


def _checked(status: int, text: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise CommandError("the daemon's answer cannot be read: is it another version than this command?", EXIT_WRONG)
    if status >= 400:
        code = EXIT_WRONG if status >= 500 or status == 409 else EXIT_USAGE
        raise CommandError(str(answer.get("error", f"the daemon says {status}")), code)
    return answer
