"""A Debian that holds nothing but what docs/operating.md names, with a systemd that runs, and loopback alone.

What it needs is fetched before it starts; in it nothing leaves the machine.
"""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.monitor.test_app import Daemon

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "operating.md").read_text("utf-8")
TOOLS = ("debootstrap", "systemd-nspawn", "nsenter", "unshare", "chroot")
SYSTEM = ("systemd-sysv", "dbus", "sudo")
"""What every Debian that was installed has, and a bare one does not."""
BOOT = """
mount --make-rprivate /
[ -e /sys/fs/cgroup/cgroup.controllers ] || { umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; }
exec systemd-nspawn --quiet --boot --register=no --keep-unit --private-network --console=pipe -D "$0"
"""
"""systemd of Debian 13 wants the one hierarchy of control groups, wherever the machine itself is."""
ENVIRON = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
CHECKOUT = "/srv/lambi"


def section(title: str) -> str:
    """Return what the guide says under a heading."""
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def commands(title: str) -> list[str]:
    """Return the lines that a reader of the guide would type."""
    blocks = re.findall(r"```sh\n(.*?)```", section(title), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def run(*words: str | Path) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


def bare(suite: str, root: Path) -> None:
    """Make the root: Debian's smallest, the packages of the guide, and a checkout with its wheel and libraries."""
    packages = [word for line in commands("Install") if "apt install" in line for word in shlex.split(line)[3:]]
    assert "python3-venv" in packages
    run("debootstrap", "--variant=minbase", f"--include={','.join((*SYSTEM, *packages))}", suite, root)
    checkout, wheels = root / CHECKOUT[1:], root / "srv" / "wheels"
    checkout.mkdir()
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", checkout / "dist", ROOT)
    lock = checkout / "requirements.lock"
    lock.write_text((ROOT / "requirements.lock").read_text())
    version = run("chroot", root, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    only = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "--python-version", version)
    run(sys.executable, "-m", "pip", "download", "-q", *only, "-d", wheels, "-r", lock)
    (root / "etc" / "hostname").write_text("bare\n")
    (root / "etc" / "hosts").write_text("127.0.0.1 localhost bare\n")
    (root / "etc" / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /srv/wheels\n")


class Machine(Daemon):
    """A system that runs in such a root, and the Lambi in it."""

    def __init__(self, process: subprocess.Popen[str], root: Path) -> None:
        self.root = root
        super().__init__(process, root)
        deadline = time.monotonic() + 120
        while not self._started():
            assert process.poll() is None, "systemd-nspawn has ended"
            assert time.monotonic() < deadline, "systemd does not come up"
            time.sleep(0.2)
        self.state = Path(f"/proc/{self.leader}/root/var/lib/lambi")

    def _started(self) -> bool:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.leader = children[0] if children else "0"
        said = self.tried("systemctl is-system-running").stdout if children else ""
        return said.strip() in {"running", "degraded"}

    def tried(self, line: str) -> subprocess.CompletedProcess[str]:
        """Type a line as root, in the checkout."""
        inside = ("nsenter", "--all", "--target", self.leader, "--", "sh", "-euc", f"cd {CHECKOUT}\n{line}")
        return subprocess.run(inside, env=ENVIRON, capture_output=True, text=True, check=False, timeout=300)

    def type(self, line: str) -> str:
        """Type a line that has to do."""
        done = self.tried(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}\n{self.log()[-4000:]}"
        return done.stdout

    def log(self) -> str:
        return self.tried("journalctl -u lambi --no-pager").stdout

    def shown(self, key: str) -> str:
        """Return what systemd says of the service."""
        return self.type(f"systemctl show --value -p {key} lambi").strip()

    def write(self, name: str, text: str) -> None:
        (self.root / "etc" / "lambi" / name).write_text(text)


@contextmanager
def booted(suite: str, root: Path) -> Iterator[Machine]:
    """Let it run, with nothing but loopback."""
    bare(suite, root)
    with (root.parent / f"{suite}.log").open("w") as log:
        command = ["unshare", "--mount", "sh", "-euc", BOOT, root]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True)
    try:
        yield Machine(process, root)
    finally:
        process.terminate()
        process.wait(30)


def missing() -> str:
    """Say what keeps such a root from being made here."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    lacking = [name for name in TOOLS if not any((Path(each) / name).exists() for each in path.split(":"))]
    return "needs root" if os.geteuid() else f"needs {', '.join(lacking)}" if lacking else ""
