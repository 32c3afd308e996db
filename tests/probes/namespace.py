"""Run a look in a network namespace of its own, where packets may be dropped without harm to anyone."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.probes.servers import needed

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_RAW = ("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", "--")


def look_inside(*setup: str, order: dict[str, Any], through: tuple[str, ...] = ()) -> dict[str, Any]:
    """Ask by tests/probes/asks.py, started by the command ``through``, after the shell lines of ``setup``."""
    if os.geteuid() != 0:
        pytest.skip("a namespace of one's own needs root")
    needed("unshare", "ip", "nft", "setpriv")
    command = shlex.join([*through, sys.executable, "-m", "tests.probes.asks", json.dumps(order)])
    script = "\n".join(["set -e", "ip link set lo up", *setup, command])
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["bugs"] == 0, done.stderr
    return result
