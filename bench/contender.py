"""Who is compared: something that watches a world, is started and killed, and hands messages to the world's sink."""

import json
import os
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.common import with_children
from bench.targets import World


@dataclass(frozen=True, slots=True)
class Handed:
    """One message as it arrived. `down` and `up` name the targets that it calls so."""

    at: float
    size: int
    down: frozenset[str]
    up: frozenset[str]


class Contender(ABC):
    """A watcher of one world. Its state lives in `state` and is emptied by `fresh`, not by `crash`."""

    name: str
    pending_after: float
    """Seconds after a death in which an outage is seen but certainly not yet told: the moment for kill -9."""
    told_within: float
    """Seconds after a death in which it certainly has been told."""

    def __init__(self, world: World, period: float) -> None:
        self.world = world
        self.period = period
        self.state = world.folder / "state"
        self.processes: list[subprocess.Popen[bytes]] = []

    @classmethod
    @abstractmethod
    def missing(cls) -> str:
        """Why it cannot run here, in one sentence; "" when it can."""

    @classmethod
    @abstractmethod
    def version(cls) -> str: ...

    @abstractmethod
    def configure(self) -> None:
        """Write its configuration into the world's folder."""

    @abstractmethod
    def commands(self) -> dict[str, Sequence[str | Path]]:
        """Its programs by name, as they are started."""

    @abstractmethod
    def answering(self) -> int:
        """How many targets it believes to be up."""

    @abstractmethod
    def stored(self) -> int:
        """How many looks at targets it has stored since it was started with an empty state."""

    @abstractmethod
    def read(self, line: dict[str, object]) -> tuple[frozenset[str], frozenset[str]]:
        """Read from a line of the sink's log which targets are called down and up."""

    def lateness(self) -> float | None:
        """Milliseconds by which 1 of 100 looks starts late, where it says so itself."""
        return None

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def start(self) -> None:
        self.processes = [
            self.world.start(name, argv, env=self.environment()) for name, argv in self.commands().items()
        ]

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []

    def crash(self) -> None:
        """Kill -9 all its processes at once."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
        self.processes = []

    def pids(self) -> list[int]:
        return with_children(process.pid for process in self.processes)

    @contextmanager
    def fresh(self) -> Iterator[None]:
        """Run with an empty state."""
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir()
        self.configure()
        self.start()
        try:
            yield
        finally:
            self.stop()

    def settled(self) -> bool:
        """Whether it knows every target and believes all of them up; raises when it has died."""
        for process in self.processes:
            if process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {process.returncode}: {self.last_words()}")
        return self.answering() >= len(self.world.things)

    def last_words(self) -> str:
        """The last line that each of its programs wrote."""
        logs = [self.world.folder / f"{name}.log" for name in self.commands()]
        return "; ".join((log.read_text().strip().splitlines() or ["nothing"])[-1][-300:] for log in logs)

    def handed(self, since: float, until: float | None = None) -> list[Handed]:
        """The messages that arrived in that time (monotonic)."""
        end = time.monotonic() if until is None else until
        lines = [json.loads(line) for line in self.world.log.read_text().splitlines()]
        return [Handed(line["at"], line["bytes"], *self.read(line)) for line in lines if since <= line["at"] <= end]
