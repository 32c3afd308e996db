"""Two real daemons that watch each other, and a real name server for their world, alone in a network namespace."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.monitor.test_app import ROOT, Daemon
from tests.probes.servers import needed, running

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("nsenter"), reason="needs root, to make a network namespace of its own"
)

KNOT = """
server:
    listen: [{listen}]
    rundir: {folder}
database:
    storage: {folder}
zone:
  - domain: .
    file: {folder}/root.zone
"""
ZONE = ". 60 SOA a.example. b.example. 1 60 60 60 60\n. 60 NS a.example.\na.example. 60 A 192.0.2.1\n"
SHIPPED = ("a-root", "b-root", "c-root", "g-root", "h-root", "m-root")
LAMBI = """
store: {{folder: {folder}/var}}
vantage: {{id: {me}, name: Lambi {me}, families: 4}}
guard:
  every: 1s
  timeout: 500ms
  references:
{references}
checks: {{nameserver: {{dns: {{every: 1d}}}}, website: {{http: {{every: 1d}}}}}}
incidents: {{hold: 0s}}
heartbeat: {{name: {me}, every: 2s, timeout: 1s}}
peers:
  - {{id: {you}, url: "http://127.0.0.1:{port}", secret: {{file: {secret}}}, grace: 15s}}
web: {{public: {{port: {public}}}, ops: {{port: {ops}}}}}
channels: {{hook: {{enabled: true, secret: {{file: {secret}}}}}}}
"""
CONTACTS = 'contacts: [{name: desk, agency: CTU, addresses: [{channel: hook, to: "http://127.0.0.1:9/"}]}]\n'
ROUTES = "routes: [{name: peers, contacts: [desk], kinds: [peer]}]\n"


@contextmanager
def alone() -> Iterator[list[str]]:
    """Yield the words that start a program in a namespace with loopback alone."""
    inside = "ip link set lo up && echo up && exec sleep 600"
    holder = subprocess.Popen(["unshare", "--net", "sh", "-c", inside], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "up\n"
        yield ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
    finally:
        holder.kill()
        holder.wait()
        if holder.stdout:
            holder.stdout.close()


@contextmanager
def lambi(folder: Path, inside: list[str], me: str, you: str, ports: tuple[int, int, int]) -> Iterator[Daemon]:
    home = folder / me
    config = home / "config"
    config.mkdir(parents=True)
    secret = folder / "secret"
    secret.write_text("a secret of two islands\n")
    rows = [f"    - {{id: {name}, remove: true}}" for name in SHIPPED]
    rows += [f"    - {{id: r{n}, network: net{n}, addresses: [127.0.0.{n}]}}" for n in range(11, 16)]
    public, ops, port = ports
    text = LAMBI.format(
        folder=home, me=me, you=you, references="\n".join(rows), port=port, secret=secret, public=public, ops=ops
    )
    (config / "lambi.yaml").write_text(text)
    (config / "contacts.yaml").write_text(CONTACTS)
    (config / "routes.yaml").write_text(ROUTES)
    command = [*inside, sys.executable, "-m", "monitor.cli", "run", "--config", str(config)]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=log, stderr=log)
        try:
            yield Daemon(process, home / "var")
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def phase(one: Daemon, peer: str) -> str:
    found = one.json(f"/api/v1/asset/peer:{peer}")
    return str(found["state"])


def told(one: Daemon) -> list[tuple[str, str]]:
    with sqlite3.connect(f"file:{one.state / 'journal.sqlite'}?mode=ro", uri=True) as journal:
        return journal.execute("SELECT contact, reason FROM notification ORDER BY id").fetchall()


def test_a_daemon_that_is_stuck_is_silent_and_its_peer_tells_until_it_is_back(tmp_path: Path) -> None:
    needed("knotd", "nsenter")
    listen = ", ".join(f"127.0.0.{n}@53" for n in range(11, 16))
    (tmp_path / "root.zone").write_text(ZONE)
    (tmp_path / "knot.conf").write_text(KNOT.format(folder=tmp_path, listen=listen))
    knot = ["/usr/sbin/knotd", "-c", str(tmp_path / "knot.conf")]
    with (
        alone() as inside,
        running([*inside, *knot], tmp_path / "knot.log"),
        lambi(tmp_path, inside, "bb", "jm", (8081, 9116, 9117)) as bb,
        lambi(tmp_path, inside, "jm", "bb", (8082, 9117, 9116)) as jm,
    ):
        bb.wait("JM is heard in BB", lambda: phase(bb, "jm") == "up")
        jm.wait("BB is heard in JM", lambda: phase(jm, "bb") == "up")
        began = time.monotonic()
        jm.process.send_signal(signal.SIGSTOP)
        (incident,) = bb.wait("JM's silence in BB", lambda: bb.json("/api/v1/incidents")["incidents"])
        assert 12 < time.monotonic() - began < 25
        assert incident["title"] == "Peer Lambi jm silent"
        assert told(bb) == [("desk", "first")]
        jm.process.send_signal(signal.SIGCONT)
        bb.wait("JM's return in BB", lambda: phase(bb, "jm") == "up", 10)
        bb.wait("the end of the incident", lambda: not bb.json("/api/v1/incident/1")["open"], 10)
    for one in (bb, jm):
        assert "Traceback" not in one.log()
