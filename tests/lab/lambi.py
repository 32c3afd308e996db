"""Lambi in the lab: started as an operator starts it, asked over its control socket, killed, started again."""

import json
import os
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, TypeVar

from tests.lab.archipelago import Archipelago, namespace_of
from tests.lab.messages import Mail, Sms
from tests.lab.net import LabError
from tests.lab.overlay import lambi_overlay

ROOT = Path(__file__).parents[2]
DAEMON = ("-m", "monitor.cli", "run", "--config")
T = TypeVar("T")


class Lambi:
    """One daemon at a vantage; its state outlives its processes. ``number`` tells daemons side by side apart."""

    def __init__(self, lab: Archipelago, vantage: str, name: str, number: int = 0, *, region: bool = False) -> None:
        self.lab, self.where, self.name = lab, namespace_of(vantage), name
        self.config = lambi_overlay(lab, vantage, lab.folder / name, number, region=region)
        self._mail, self._sms = f"duty{number or ''}@noc.lab", f"+999123456{number:02}" if number else "+99912345678"
        self._before = len(lab.received_mail()), len(lab.received_sms())

    def start(self, program: Sequence[str] = DAEMON, *more: str) -> None:
        """Start a process on the state as it is."""
        argv = [sys.executable, *program, str(self.config), *more]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = self.lab.run_in(self.where, argv, name=self.name, env=env)

    def stop(self) -> None:
        """End it as an operator does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=15) == 0, self.log()
        assert "Traceback" not in self.log()

    def kill(self) -> None:
        """End it without a farewell, if it still runs."""
        self.process.kill()
        self.process.wait()

    def killed(self) -> bool:
        """Whether the process has been killed."""
        return self.process.poll() == -signal.SIGKILL

    def log(self) -> str:
        """Return what it has printed."""
        return "".join(self.lab.daemons.output(self.name, which).read_text() for which in ("out", "err"))

    def get(self, path: str) -> str:
        """GET from the public door's application, through the control socket; OSError while it does not run."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(str(self.config / "lambi.sock"))
            sock.sendall(f"GET {path} HTTP/1.0\r\nHost: public\r\n\r\n".encode())
            answer = HTTPResponse(sock)
            try:
                answer.begin()
                body = answer.read()
            except HTTPException as error:
                raise OSError(f"{path}: {error!r}") from error  # it died while it answered
        if answer.status != HTTPStatus.OK:
            raise OSError(f"{path}: {answer.status} {body[:60]!r}")
        return body.decode()

    def json(self, path: str) -> Any:
        """GET facts."""
        return json.loads(self.get(f"/api/v1/{path}"))

    def states(self) -> dict[str, str]:
        """Return the state of every watched asset."""
        return {
            asset["id"]: asset["state"] for asset in self.json("assets")["assets"] if asset["state"] != "not watched"
        }

    def incidents(self, **where: object) -> list[dict[str, Any]]:
        """Return the incidents with these facts, oldest first, each with its timeline and who was told."""
        found = [self.json(f"incident/{brief['id']}") for brief in self.json("incidents")["incidents"]]
        return [one for one in reversed(found) if all(one[key] == value for key, value in where.items())]

    def mails(self) -> list[Mail]:
        """Return the mails that its duty contact has got."""
        return [mail for mail in self.lab.received_mail()[self._before[0] :] if mail.to == self._mail]

    def texts(self) -> list[Sms]:
        """Return the short messages that its duty contact has got."""
        return [sms for sms in self.lab.received_sms()[self._before[1] :] if sms.to == self._sms]

    def read(self, query: str) -> list[tuple[Any, ...]]:
        """Query the journal's file."""
        with closing(sqlite3.connect(f"file:{self.config / 'var' / 'journal.sqlite'}?mode=ro", uri=True)) as journal:
            return journal.execute(query).fetchall()

    def planned(self) -> list[tuple[Any, ...]]:
        """Return every row that was ever planned: incident, reason, state."""
        return self.read("SELECT incident, reason, state FROM notification ORDER BY id")

    def pause(self) -> float:
        """Return in how many seconds the next try to send is due; 0 while one is under way or none has been made."""
        query = "SELECT count(*), sum(state = 'planned'), min(due_at) FROM notification WHERE ended_at IS NULL"
        ((rows, waiting, due),) = self.read(query)
        return due / 1e6 - time.time() if rows and rows == waiting else 0.0

    def now(self) -> datetime:
        """Return this machine's time, UTC."""
        return datetime.now(UTC)

    def told(self) -> tuple[int, int]:
        """Return how many mails and short messages have arrived."""
        return len(self.mails()), len(self.texts())

    def wait(self, what: str, condition: Callable[[], T], seconds: float) -> T:
        """Wait until the condition holds; LabError says what did not come about, and what the daemon printed."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if found := condition():
                    return found
            except OSError:
                pass  # it does not answer yet
            if time.monotonic() > deadline:
                raise LabError(f"{self.name}: after {seconds:g} s still not: {what}\n{self.log()[-3000:]}")
            time.sleep(0.05)

    def wait_for(self, expected: Mapping[str, str], seconds: float) -> None:
        """Wait until these assets stand so."""
        self.wait(f"{expected}", lambda: expected.items() <= self.states().items(), seconds)

    def wait_all_up(self) -> None:
        """Wait until everything is up."""
        self.wait("everything is up", self.whole, 30)

    def whole(self) -> bool:
        """Whether every watched asset is UP and every one of its checks has answered."""
        states = self.states()
        return set(states.values()) == {"up"} and all(check["state"] == "up" for check in self.checks(*states))

    def checks(self, *assets: str) -> list[dict[str, Any]]:
        """Return every check of these assets."""
        return [check for asset in assets for check in self.json(f"asset/{asset}")["checks"]]
