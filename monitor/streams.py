"""The streams that keep a table, and the engines that answer from it."""

import asyncio
from collections.abc import Callable, Mapping

from monitor.config.settings import Settings
from probes.bgp import Bgp, BgpEngine
from probes.bgp_feed import RisLive
from probes.bgp_table import Table
from probes.clock import Clock
from probes.model import Engine


class Streams:
    """Those that the config switches on."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.engines: Mapping[str, Engine] = {}
        self._bgp: RisLive | None = None
        if (wanted := settings.bgp) is not None:
            table = Table(wanted.blocks, wanted.serving.__contains__, wanted.ripe_seconds)
            self._bgp = RisLive(table, clock, url=wanted.url, agent=settings.user_agent or "lambi")
            self.engines = {Bgp.kind: BgpEngine(self._bgp, vantage=settings.world.vantage, clock=clock)}

    async def run(self, again: Callable[[str, float], None]) -> None:
        """Keep the tables until cancelled; ``again`` has a check look at what has just changed."""
        if self._bgp is None:
            await asyncio.Event().wait()
        else:
            await self._bgp.run(lambda place: again(f"territory:{place}/{Bgp.kind}", 0.0))
