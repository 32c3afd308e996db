"""A port that a test has chosen stays its own until a daemon listens on it."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports import own_port, own_ports

ROOT = Path(__file__).parents[1]


def test_nobody_else_gets_a_port_that_is_held() -> None:
    mine = own_ports(3)
    script = "from tests.ports import own_ports; print(*own_ports(3))"
    theirs = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert len({*mine, *map(int, theirs.split())}) == 6
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", mine[0]))


def test_it_refuses_until_a_daemon_listens_there() -> None:
    port = own_port()
    with socket.socket() as early, pytest.raises(ConnectionRefusedError):
        early.connect(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):
        pass
