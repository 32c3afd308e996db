"""`python -m tests.monitor.mute CONFIG`: the daemon with engines that never answer, in a time thirty times as fast."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from monitor import daemon
from monitor.config import load
from probes import PROBES
from probes.clock import SystemClock
from probes.model import Ask, Observation

SPEED = 30.0


class Fast(SystemClock):
    """Monotonic time runs ahead; what is slept is as much shorter."""

    def monotonic(self) -> float:
        return time.monotonic() * SPEED

    async def sleep_until(self, deadline: float) -> None:
        await asyncio.sleep(max(0.0, deadline - self.monotonic()) / SPEED)


class Mute:
    """An engine that hangs."""

    capability = ""
    bugs = 0

    async def ask(self, asks: Sequence[Ask]) -> AsyncIterator[list[Observation]]:
        await asyncio.Event().wait()
        yield []

    async def close(self) -> None:
        """Nothing to give back."""


settings = load(Path(sys.argv[1]), {})
sys.exit(asyncio.run(daemon.run(settings, print, clock=Fast(), engines={kind: Mute() for kind in PROBES})))
