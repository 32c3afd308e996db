"""Hours at ten times the shipped cadence: memory, descriptors and threads stay what they were (make soak)."""

import os
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

from monitor.config import load
from tests.monitor.test_app import Daemon, daemon

HOURS = 2.0
pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root, for a network of its own"),
]


def faster() -> str:
    """Return the shipped cadences, ten times as fast, for what can answer here: echoes from loopback."""
    rows = "".join(f"  - {{id: 'router:r{n}', name: R{n}}}\n" for n in range(100))
    targets = "".join(f"  - {{asset: 'router:r{n}', address: 127.0.1.{n + 1}, every: 3s}}\n" for n in range(100))
    checks = "checks: {any: {dns: {every: 6s, timeout: 2s}, http: {every: 30s, timeout: 15s}}}\n"
    guard = "guard: {every: 500ms, timeout: 200ms}\n"
    return f"{checks}{guard}assets:\n{rows}targets:\n{targets}"


def grown(pid: int) -> tuple[float, int, int]:
    """Return resident MB, open files, threads."""
    said = Path(f"/proc/{pid}/status").read_text()
    resident = int(re.findall(r"^VmRSS:\s+(\d+)", said, re.MULTILINE)[0]) / 1024
    return resident, len(list(Path(f"/proc/{pid}/fd").iterdir())), len(list(Path(f"/proc/{pid}/task").iterdir()))


def pass_time(lambi: Daemon, seconds: float) -> tuple[float, int, int]:
    """Look at the page now and then, as people do, and return how large it is in the end."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert lambi.get("/")[0] == 200
        assert lambi.get("/api/v1/status")[0] == 200
        time.sleep(5)
    return grown(lambi.process.pid)


@pytest.mark.timeout(0)
def test_in_the_second_hour_it_has_stopped_growing(tmp_path: Path) -> None:
    with daemon(tmp_path, config=faster()) as lambi:
        lambi.wait("the page", lambda: lambi.get("/")[0] == 200)
        assert load(tmp_path / "config").packets_per_minute > 2000
        first = pass_time(lambi, HOURS / 2 * 3600)
        second = pass_time(lambi, HOURS / 2 * 3600)
        print(f"after one hour {first}, after two {second} (MB, files, threads)")
        assert second[0] - first[0] <= 2.0
        assert second[1] <= first[1] + 2
        assert second[2] <= first[2]
        lambi.process.send_signal(signal.SIGTERM)
        lambi.process.wait(10)
    assert "Traceback" not in lambi.log()
