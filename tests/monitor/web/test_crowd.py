"""Five hundred open pages of a daemon that looks two hundred times a second: each hears in time, no look is late."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from monitor.cli.client import Client
from tests.monitor.test_app import Daemon, daemon

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root, for a network of its own"),
]
READERS, CHANGES = 500, 20
ROWS = "".join(f"  - {{id: 'router:r{n}', name: R{n}}}\n" for n in range(200))
LOOKS = "".join(
    f"  - {{asset: 'router:r{n}', address: 127.0.1.{n + 1}, every: 1s, timeout: 500ms}}\n" for n in range(200)
)


@contextmanager
def crowd(door: Path) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        readers = []
        for _ in range(READERS):
            one = stack.enter_context(socket.socket(socket.AF_UNIX))
            one.settimeout(10)
            one.connect(str(door))
            one.sendall(b"GET /events HTTP/1.1\r\nHost: public\r\n\r\n")
            assert one.recv(4096).startswith(b"HTTP/1.1 200")
            readers.append(one)
        yield readers


def drained(reader: socket.socket) -> None:
    reader.setblocking(False)
    try:
        while reader.recv(65536):
            pass
    except BlockingIOError:
        reader.settimeout(10)


def heard(reader: socket.socket) -> None:
    said = b""
    while b"event: change" not in said:
        said += reader.recv(65536)


def change(lambi: Daemon, number: int) -> None:
    """Announce a work: what is committed shows on every page."""
    asked = {"asset": f"router:r{number}", "from": "now", "until": None, "for": "2h", "reason": "a new line card"}
    client = Client(lambi.state / "control.sock")
    client.run("maintenance-add", {**asked, "author": "noc", "rule": "", "only": False})


def late(pid: int) -> float:
    """Ask the operators' door, in its own network, how late looks are."""
    ask = "import urllib.request as web; print(web.urlopen('http://127.0.0.1:9115/metrics').read().decode())"
    words = ["nsenter", "--net", "--target", str(pid), sys.executable, "-c", ask]
    said = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout
    found = re.search(r"^lambi_lateness_p99_seconds (\S+)$", said, re.MULTILINE)
    assert found, said
    return float(found[1])


@pytest.mark.timeout(0)
def test_each_page_hears_within_a_second_of_a_commit_and_no_look_is_late(tmp_path: Path) -> None:
    first = ("nice", "-n", "-15")  # what else this machine does is not what is measured
    with daemon(tmp_path, *first, config=f"assets:\n{ROWS}targets:\n{LOOKS}") as lambi:
        lambi.wait("the cut", lambda: lambi.json("/api/v1/incidents")["incidents"])
        took = []
        with crowd(lambi.state / "control.sock") as readers:
            for number in range(CHANGES):
                for one in readers:
                    drained(one)
                began = time.monotonic()  # before it is committed
                change(lambi, number)
                for one in readers:
                    heard(one)
                took.append(time.monotonic() - began)
                assert lambi.get("/")[0] == 200
                time.sleep(0.5)  # each is news of its own
            lateness = late(lambi.process.pid)
    print(f"the last of {READERS} heard after {max(took):.2f} s at most; lateness p99 {lateness * 1000:.1f} ms")
    assert max(took) < 1.0
    assert lateness <= 0.1
