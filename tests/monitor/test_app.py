"""The daemon itself, started as an operator starts it, in a network namespace where there is nothing but loopback."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root, to make a network namespace of its own"
)

HOLDER = (
    'import socket, subprocess, sys; held = socket.create_server(("127.0.0.1", 9101)); '
    "sys.exit(subprocess.call(sys.argv[1:]))"
)
"""Keeps a port while the command behind it runs."""


class Daemon:
    """A running daemon, asked over its control socket, which reaches into the namespace."""

    def __init__(self, process: subprocess.Popen[str], state: Path) -> None:
        self.process, self.state = process, state

    def get(self, path: str) -> tuple[int, str]:
        """Ask the public door's application through the control socket (HTTP/1.0, so that it closes)."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(str(self.state / "control.sock"))
            sock.sendall(f"GET {path} HTTP/1.0\r\nHost: public\r\n\r\n".encode())
            data = b""
            while more := sock.recv(65536):
                data += more
        head, _, body = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()

    def json(self, path: str) -> Any:
        status, body = self.get(path)
        assert status == 200, body
        return json.loads(body)

    def wait(self, what: str, until: Callable[[], Any], seconds: float = 30.0) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the daemon has ended: {self.log()}"
            try:
                if found := until():
                    return found
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{what}: not within {seconds} s\n{self.log()}")

    def log(self) -> str:
        return (self.state.parent / "log").read_text()


def overlay(folder: Path, text: str = "") -> Path:
    config = folder / "config"
    config.mkdir(exist_ok=True)
    (config / "lambi.yaml").write_text(f"store: {{folder: {folder / 'var'}}}\n{text}")
    return config


@contextmanager
def daemon(folder: Path, *wrap: str, config: str = "") -> Iterator[Daemon]:
    command = [*wrap, sys.executable, "-m", "monitor.cli", "run", "--config", str(overlay(folder, config))]
    inside = f"ip link set lo up && exec {' '.join(command)}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", inside], cwd=ROOT, text=True, stdout=log, stderr=log
        )
        try:
            yield Daemon(process, folder / "var")
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def test_cut_off_from_everything_it_says_so_and_calls_nothing_down(tmp_path: Path) -> None:
    with daemon(tmp_path) as lambi:
        lambi.wait("the page", lambda: lambi.get("/")[0] == 200)
        (incident,) = lambi.wait("the vantage's incident", lambda: lambi.json("/api/v1/incidents")["incidents"])
        status = lambi.json("/api/v1/status")
        assert incident["asset"] == "vantage:here"
        assert "cut off" in incident["title"]
        assert "cannot see the world" in status["headline"]
        assert status["watched"].get("down", 0) == 0
        assert "cannot see the world" in lambi.get("/")[1]
    assert lambi.process.returncode == 0
    assert "Traceback" not in lambi.log()
    assert "http://127.0.0.1:8080/" in lambi.log()
    assert "packets a minute" in lambi.log()
    with sqlite3.connect(tmp_path / "var" / "journal.sqlite") as journal:
        assert journal.execute("SELECT count(*) FROM incident").fetchone() == (1,)
        assert journal.execute("SELECT count(*) FROM notification").fetchone() == (0,), "a fresh run reaches nobody"
        assert journal.execute("SELECT ended IS NOT NULL FROM watch").fetchone() == (1,)


def test_references_and_one_check_of_every_kind_are_asked_at_once(tmp_path: Path) -> None:
    with daemon(tmp_path) as lambi:
        lambi.wait("the page", lambda: lambi.get("/")[0] == 200)

        def asked() -> set[str]:
            days = list((tmp_path / "var" / "series").glob("*.sqlite"))
            if not days:
                return set()
            try:
                with sqlite3.connect(f"file:{days[0]}?mode=ro", uri=True) as day:
                    return {kind for (kind,) in day.execute("SELECT DISTINCT kind FROM series")}
            except sqlite3.OperationalError:  # the file is there a moment before its tables
                return set()

        lambi.wait("looks of every kind in the series", lambda: {"dns", "http"} <= asked(), 10)


def test_without_raw_sockets_icmp_cannot_look_and_nothing_is_down(tmp_path: Path) -> None:
    config = "assets: [{id: 'router:lo', name: Loopback router, territory: BB}]\ntargets: ['router:lo 127.0.0.1']\n"
    with daemon(tmp_path, "setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", config=config) as lambi:
        lambi.wait("the page", lambda: lambi.get("/")[0] == 200)
        status = lambi.json("/api/v1/status")
        assert any("cannot look from here" in note for note in status["notes"]), status["notes"]
        lambi.wait("the first look", lambda: "cannot look from here" in lambi.get("/api/v1/asset/router:lo")[1])
        assert lambi.json("/api/v1/asset/router:lo")["state"] == "unknown"


def test_a_second_daemon_says_who_holds_the_folder(tmp_path: Path) -> None:
    with daemon(tmp_path) as lambi:
        lambi.wait("the page", lambda: lambi.get("/")[0] == 200)
        second = subprocess.run(
            [sys.executable, "-m", "monitor.cli", "run", "--config", str(tmp_path / "config")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert second.returncode == 1
        assert "another Lambi runs here, process" in second.stdout + second.stderr
        assert "Traceback" not in second.stderr


def refused(folder: Path, config: str, before: str = "") -> str:
    """Start a daemon that cannot start; return what it said."""
    command = f"{sys.executable} -m monitor.cli run --config {overlay(folder, config)}"
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", f"ip link set lo up && {before} {command}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.parametrize("door", ["public", "ops"])
def test_a_port_that_is_taken_names_its_key_and_file(tmp_path: Path, door: str) -> None:
    other = {"public": "", "ops": "public: {port: 9100}, "}[door]
    said = refused(tmp_path, f"web: {{{other}{door}: {{port: 9101}}}}\n", before=f"{sys.executable} -c '{HOLDER}'")
    assert f"127.0.0.1:9101 cannot be listened on: Address already in use; to change that, set web.{door} in " in said
    assert f"{tmp_path / 'config'}/lambi.yaml" in said


def test_a_state_folder_or_socket_that_cannot_be_names_its_key_and_file(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file")
    set_in = f"in {tmp_path / 'config'}/lambi.yaml"
    said = refused(tmp_path, "")
    assert "var: the state folder cannot be written: " in said
    assert f"; to change that, set store.folder {set_in}" in said
    (tmp_path / "var").unlink()
    assert f"; to change that, set web.control {set_in}" in refused(tmp_path, f"web: {{control: {tmp_path}}}\n")


def test_notes_on_the_config_are_said_at_the_start_and_counted(tmp_path: Path) -> None:
    rows = "".join(f"  - {{id: 'router:r{n}', name: R{n}}}\n" for n in range(5))
    with daemon(tmp_path, config=f"assets:\n{rows}") as lambi:
        lambi.wait("the page", lambda: lambi.get("/")[0] == 200)
        lambi.wait("the greeting", lambda: "2 more on the config: lambi config check" in lambi.log())
        assert f"note: {tmp_path}/config/lambi.yaml:3: assets[0].id: nothing asks" in lambi.log()
        assert lambi.log().count("note: /") == 3


def test_kill_nine_and_the_incident_and_the_announced_work_go_on(tmp_path: Path) -> None:
    with daemon(tmp_path) as lambi:
        lambi.wait("the incident", lambda: lambi.json("/api/v1/incidents")["incidents"])
        words = ("maintenance", "add", "ixp:grex", "--for", "2h", "--reason", "new switch")
        command = [sys.executable, "-m", "monitor.cli", *words, "--config", str(tmp_path / "config")]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
        assert said.stdout.startswith("m1: GREX is in maintenance from ")
        lambi.process.send_signal(signal.SIGKILL)
        lambi.process.wait()
    with daemon(tmp_path) as again:
        again.wait("the page", lambda: again.get("/")[0] == 200)
        (incident,) = again.json("/api/v1/incidents")["incidents"]
        assert incident["id"] == "1"
        assert incident["open"] is True
        assert [one["asset"] for one in again.json("/api/v1/maintenance")["on"]] == ["ixp:grex"]
        assert "In maintenance until" in again.get("/asset/ixp:grex")[1]
