"""The documented installation in a throw-away root: wheel, unit, an unprivileged user, ICMP, and no right besides."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.monitor.test_app import Daemon
from tests.monitor.test_faults import Manager

ROOT = Path(__file__).parents[1]
LIBRARIES = sysconfig.get_path("purelib")
UNIT = ROOT / "config" / "systemd" / "lambi.service"
USER = 64123
TOOLS = ("unshare", "setpriv", "systemd-analyze", "ip", "mount", "strace")
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, TOOLS)), reason=f"needs root and {', '.join(TOOLS)}"
)


def run(*words: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(words, cwd=cwd, env={**os.environ, **more}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def python() -> str:
    """Return the system's Python where it is of this version: this one may lie in somebody's home."""
    usual = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    return usual if Path(usual).exists() else sys.executable


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """Install the wheel into a venv that is nobody's home; its libraries are lent by this one."""
    with tempfile.TemporaryDirectory(prefix="lambi-root-") as made:  # pytest's own folders are closed to other users
        yield install(Path(made))


def install(folder: Path) -> Path:
    folder.chmod(0o755)
    built = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    run(*built, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    venv = folder / "opt" / "lambi"
    run(python(), "-m", "venv", "--without-pip", venv, cwd=folder)
    into = ("-m", "pip", "--python", venv / "bin" / "python", "install", "--no-deps", "--no-index", wheel)
    run(sys.executable, *into, cwd=folder)
    (site,) = venv.glob("lib/python3*/site-packages")
    (folder / "lent").mkdir()
    (site / "lent.pth").write_text(f"{LIBRARIES}\n{folder}/lent\n")
    return folder


def test_the_unit_that_is_written_starts_what_was_installed_and_systemd_takes_it(installed: Path) -> None:
    lambi = installed / "opt" / "lambi" / "bin" / "lambi"
    said = run(lambi, "install", "--systemd", "--root", installed, cwd=installed, PYTHONPATH="")
    unit = installed / "etc/systemd/system/lambi.service"
    assert f"written: {unit}" in said.stdout
    assert f"\nExecStart={lambi} run\n" in unit.read_text()
    assert (installed / "etc/sysusers.d/lambi.conf").read_text().count("\nu lambi -") == 1
    assert (installed / "etc/lambi/secrets").stat().st_mode & 0o077 == 0
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False, timeout=60
    )
    ours = [line for line in found.stderr.splitlines() if "lambi" in line]
    assert (found.returncode, ours) == (0, [])


@contextmanager
def service(installed: Path, name: str, *wrap: str | Path) -> Iterator[Daemon]:
    """Start it with namespaces in place of ProtectSystem=strict, and with the capabilities that systemd would set."""
    home = installed / name
    state, config = home / "state", home / "config"
    config.mkdir(parents=True)
    state.mkdir()
    os.chown(state, USER, USER)
    os.chown(home, USER, USER)
    rows = "assets: [{id: 'router:lo', name: Loopback router, territory: BB}]\ntargets: ['router:lo 127.0.0.1']\n"
    (config / "lambi.yaml").write_text(f"store: {{folder: {state}}}\n{rows}")
    rights = ("--reuid", str(USER), "--regid", str(USER), "--clear-groups", "--no-new-privs")
    caps = [f"--{kind}=-all,+net_raw" for kind in ("bounding-set", "inh-caps", "ambient-caps")]
    program = ("setpriv", *rights, *caps, *wrap, installed / "opt/lambi/bin/lambi", "run", "--config", config)
    lent = f"mount --bind {LIBRARIES} {installed}/lent"
    frozen = f"{lent} && mount --bind {home} {home} && mount -o remount,bind,ro /"
    inside = f"ip link set lo up && {frozen} && umask 077 && exec {' '.join(map(str, program))}"
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", inside],
            cwd="/", env={**os.environ, "PYTHONPATH": ""}, stdout=log, stderr=log, text=True,
        )  # fmt: skip # one call
    lambi = Daemon(process, state)
    try:
        yield lambi
    finally:
        if process.poll() is None:
            os.kill(int((state / "lock").read_text()), signal.SIGTERM)  # strace would end without it
        process.wait(10)


def test_as_the_unit_starts_it_icmp_works_and_nothing_else_may_be_done(installed: Path) -> None:
    with closing(Manager(installed)) as manager, service(installed, "life", *manager.wrap) as lambi:
        manager.path.chmod(0o777)
        lambi.wait("ready", lambda: any(one.startswith("READY=1") for one in manager.listen()))
        lambi.wait("an echo", lambda: lambi.json("/api/v1/asset/router:lo")["state"] == "up")
        said = Path(f"/proc/{lambi.process.pid}/status").read_text()
        assert re.search(rf"^Uid:\t{USER}\t{USER}\t{USER}", said, re.MULTILINE)
        assert re.findall(r"^Cap(?:Eff|Prm|Bnd|Amb):\t(\w+)$", said, re.MULTILINE) == ["0000000000002000"] * 4
        assert re.search(r"^NoNewPrivs:\t1$", said, re.MULTILINE)
        assert {path.stat().st_uid for path in lambi.state.iterdir()} == {USER}
        assert (lambi.state / "journal.sqlite").stat().st_mode & 0o077 == 0
        assert not any("cannot look from here" in one for one in lambi.json("/api/v1/status")["notes"])
        began = time.monotonic()
    assert time.monotonic() - began < 2.3
    assert lambi.process.returncode == 0
    assert "Traceback" not in lambi.log()


def calls(group: str) -> set[str]:
    """Return the system calls of a group of systemd's."""
    if not group.startswith("@"):
        return {group}
    listed = run("systemd-analyze", "syscall-filter", "--no-pager", group, cwd=ROOT).stdout.splitlines()[1:]
    names = [line.strip() for line in listed if line.strip() and not line.strip().startswith("#")]
    return set().union(*map(calls, names))


def allowed() -> set[str]:
    """Return what the unit's lines, one after the other, let through."""
    found: set[str] = set()
    for line in UNIT.read_text().splitlines():
        if line.startswith("SystemCallFilter="):
            words = line.partition("=")[2]
            named = set().union(*map(calls, words.removeprefix("~").split()))
            found = found - named if words.startswith("~") else found | named
    return found


def test_every_system_call_that_it_makes_is_one_that_the_unit_allows(installed: Path) -> None:
    trace = installed / "traced" / "calls"
    with service(installed, "traced", "strace", "-f", "-qq", "-o", trace) as lambi:
        lambi.wait("an echo", lambda: lambi.json("/api/v1/asset/router:lo")["state"] == "up", 60)
        lambi.wait("an incident", lambda: lambi.json("/api/v1/incidents")["incidents"], 60)
        assert lambi.get("/")[0] == 200, lambi.log()
    made = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(errors="replace"), re.MULTILINE))
    assert {"clock_adjtime", "recvmsg", "fdatasync"} <= made
    assert made - allowed() == set()
