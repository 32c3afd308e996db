"""Network namespaces by iproute2: enter them, look through their sockets, end what runs in them."""

import ctypes
import os
import re
import signal
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWNET = 0x40000000
NAMED = Path("/run/netns")


class LabError(Exception):
    """The archipelago could not do what was asked; one sentence, with what the tool said."""


def run(*argv: str, stdin: str = "") -> str:
    """Run a tool to its end and return what it printed."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


START_SECONDS = 60.0
"""A daemon may take so long to answer: the limit is for what never comes, not for a machine that is busy."""


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until the condition holds; LabError says what did not come about."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"after {seconds:g} s still not: {what}")
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Namespace:
    """A named network namespace."""

    name: str

    @property
    def path(self) -> Path:
        """The file that names it."""
        return NAMED / self.name

    def enter(self, *argv: str) -> list[str]:
        """Return the command that runs `argv` inside; nsenter execs, so its pid is the program's."""
        return ["nsenter", f"--net={self.path}", "--", *argv]

    def run(self, *argv: str, stdin: str = "") -> str:
        """Run a tool inside to its end."""
        return run(*self.enter(*argv), stdin=stdin)

    def ip(self, *lines: str) -> None:
        """Run lines of `ip -batch` inside."""
        run("ip", "-n", self.name, "-batch", "-", stdin="\n".join(lines))

    def routes(self) -> set[tuple[str, str]]:
        """Return the routes through a gateway of its main tables, both families: destination, gateway."""
        lines = run("ip", "-n", self.name, "-4", "route") + run("ip", "-n", self.name, "-6", "route")
        return set(re.findall(r"^(\S+) .*?via (\S+) ", lines, re.MULTILINE))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets that this thread opens in the block belong to this namespace. Never await in the block."""
        libc = ctypes.CDLL(None, use_errno=True)
        with Path("/proc/thread-self/ns/net").open() as home, self.path.open() as there:
            _setns(libc, there.fileno())
            try:
                yield
            finally:
                _setns(libc, home.fileno())

    def fetch(self, url: str, timeout: float = 2.0, authority: Path | None = None) -> bytes:
        """GET a URL from inside, trusting `authority` alone if one is given; OSError when it cannot be had."""
        trust = [urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authority))] if authority else []
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *trust)
        with self.inside(), opener.open(url, timeout=timeout) as answer:
            return bytes(answer.read())


def _setns(libc: ctypes.CDLL, descriptor: int) -> None:
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def pids_in(namespaces: Iterable[Namespace]) -> set[int]:
    """Return the processes that live in any of the namespaces."""
    inodes = {namespace.path.stat().st_ino for namespace in namespaces if namespace.path.exists()}
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):  # it ended meanwhile
                if (entry / "ns/net").stat().st_ino in inodes:
                    found.add(int(entry.name))
    return found


def remove(namespaces: Iterable[Namespace]) -> None:
    """Kill what runs in the namespaces and delete them: a process left inside would keep them and their links alive."""
    named = [namespace for namespace in namespaces if namespace.path.exists()]

    def emptied() -> bool:
        remaining = pids_in(named)
        for pid in remaining:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not remaining

    until(emptied, 5, "every process of the archipelago has ended")
    for namespace in named:
        run("ip", "netns", "del", namespace.name)
