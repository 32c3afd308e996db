"""Each run of the lab has a name and a folder of its own; what a dead run left behind is swept away."""

import fcntl
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tests.lab.net import NAMED, Namespace, remove

ROOT = Path("/run/lambi-lab")  # short: a Unix socket's path has at most 107 bytes


@dataclass(frozen=True, slots=True)
class Run:
    """A live run: the prefix of its namespaces, its folder, and the lock that says that its process lives."""

    prefix: str
    folder: Path
    lock: TextIO

    def namespace(self, name: str) -> Namespace:
        """Name a namespace of this run."""
        return Namespace(f"{self.prefix}-{name}")

    def end(self) -> None:
        """Remove everything that bears this run's name."""
        remove(_namespaces(self.prefix))
        shutil.rmtree(self.folder)
        self.lock.close()


def begin() -> Run:
    """Sweep, then take a name that no other run has."""
    with _registry():
        _sweep()
        for number in itertools.count():
            prefix = f"lb{_letters(os.getpid())}{number}"
            folder = ROOT / prefix
            if not folder.exists():
                folder.mkdir()
                return Run(prefix, folder, _locked(folder / "lock"))
    raise AssertionError("itertools.count never ends")


def clean() -> list[str]:
    """Remove what dead runs left, and return their prefixes."""
    with _registry():
        return _sweep()


def _sweep() -> list[str]:
    dead = []
    for folder in sorted(ROOT.glob("lb*")):
        try:
            lock = _locked(folder / "lock")
        except BlockingIOError:
            continue  # its process lives
        Run(folder.name, folder, lock).end()
        dead.append(folder.name)
    return dead


def _namespaces(prefix: str) -> list[Namespace]:
    return [Namespace(path.name) for path in NAMED.glob(f"{prefix}-*")]


@contextmanager
def _registry() -> Iterator[None]:
    """Only one process at a time begins or sweeps."""
    ROOT.mkdir(exist_ok=True)
    with (ROOT / "registry").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _locked(path: Path) -> TextIO:
    """Lock a file as long as this process lives; BlockingIOError when another one does."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise
    return file


def _letters(number: int) -> str:
    return (_letters(number // 26) if number >= 26 else "") + chr(ord("a") + number % 26)
