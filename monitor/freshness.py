"""Whether the addresses of contacts are still theirs, as a standing warning; no address stands in it."""

import logging
import sqlite3
from collections.abc import Mapping
from typing import Any

from alerting.freshness import LASTS, Way, ways
from alerting.journal import Journal, can_pass
from monitor.config.settings import Settings
from monitor.web.control import Command
from probes.clock import Clock

log = logging.getLogger("lambi.freshness")

EVERY = 600.0
"""Seconds between two looks: it is about days."""


class Freshness:
    """Looks now and then; what it found last is at hand."""

    def __init__(self, settings: Settings, journal: Journal, clock: Clock, *, links: bool) -> None:
        """``links``: mails carry links by which they are answered."""
        self._settings, self._journal, self._clock, self._links = settings, journal, clock, links
        self._ways: list[Way] = []

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except sqlite3.Error as error:
                if not can_pass(error):
                    raise
                log.error("journal error=%r: what was found before stands", str(error))
            await self._clock.sleep_until(self._clock.monotonic() + EVERY)

    async def renew(self, settings: Settings) -> None:
        """Follow other files."""
        self._settings = settings
        await self.look()

    async def look(self) -> None:
        """Read once."""
        settings = self._settings
        self._ways = await ways(self._journal, settings.directory, settings.channels, links=self._links)

    @property
    def stale(self) -> int:
        """How many ways somebody should have confirmed."""
        now = self._clock.now()
        return sum(one.stale(now) for one in self._ways)

    def warning(self) -> tuple[str, ...]:
        """Say so in a sentence that names nobody."""
        count = self.stale
        if not count:
            return ()
        number = "1 address of a contact has" if count == 1 else f"{count} addresses of contacts have"
        return (f"{number} not been confirmed for {LASTS.days} days: lambi contact list",)

    def commands(self) -> Mapping[str, Command]:
        """Return what the control door understands."""
        return {"contact-freshness": self._tell}

    async def _tell(self, _asked: Mapping[str, Any]) -> Mapping[str, Any]:
        await self.look()
        now = self._clock.now()
        facts = [
            {
                "contact": one.contact,
                "channel": one.channel,
                "confirmed": one.confirmed.isoformat() if one.confirmed else None,
                "by": one.by or None,
                "stale": one.stale(now),
            }
            for one in self._ways
        ]
        return {"days": LASTS.days, "ways": facts, "warning": next(iter(self.warning()), None)}
