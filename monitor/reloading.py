"""Another config for a running daemon: read, checked, and gone by; or refused whole, and the old one goes on."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from alerting.journal import JournalError, can_pass
from monitor.config import ConfigError, Settings
from monitor.reload import difference, refusal, without_restart
from monitor.web.control import Command, Refused

log = logging.getLogger("lambi.reload")

Load = Callable[[], Settings]
"""Reads the files; raises ConfigError."""


class Reloading:
    """One reload at a time, by the command or by SIGHUP."""

    def __init__(
        self,
        load: Load | None,
        current: Callable[[], Settings],
        adopt: Callable[[Settings], Awaitable[None]],
        standing: Callable[[], Collection[str]],
    ) -> None:
        """``load``: None where there is nothing to read again; ``standing``: the numbers of the open incidents."""
        self._load, self._current, self._adopt, self._standing = load, current, adopt, standing
        self._turn = asyncio.Lock()
        self.trouble: tuple[str, ...] = ()
        """That the files of today cannot be used, while it is so."""

    def commands(self) -> Mapping[str, Command]:
        """Return what the control door understands."""
        return {"reload": self._asked}

    async def run(self, wanted: asyncio.Event) -> None:
        """Reload whenever it is wanted (SIGHUP), until cancelled; what is refused stands in the log."""
        while True:
            await wanted.wait()
            wanted.clear()
            try:
                await self.reload("SIGHUP")
            except Refused as refused:
                for line in str(refused).splitlines():
                    log.error("config refused: %s", line)

    async def _asked(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self.reload(str(asked["peer"]))

    async def reload(self, by: str) -> Mapping[str, Any]:
        """Go by the files as they are now; say what that changed. Raises Refused with every problem."""
        if self._load is None:
            raise Refused("a story is played: there is no config to read again")
        async with self._turn:
            old, new = self._current(), await self._read(self._load)
            if why := refusal(old, new):
                raise Refused(why)
            fresh, restart = without_restart(old, new)
            before, found = set(self._standing()), difference(old.world, fresh.world)
            await self._go_by(fresh)
            self.trouble = ()
            closed = sorted(before - set(self._standing()), key=int)
        counts = f"added={len(found.added)} removed={len(found.removed)} changed={len(found.changed)} kept={found.kept}"
        log.info("config reloaded by=%r %s closed=%s restart=%s", by, counts, ",".join(closed), ",".join(restart))
        return {
            "added": list(found.added),
            "removed": list(found.removed),
            "changed": list(found.changed),
            "kept": found.kept,
            "closed": closed,
            "restart": list(restart),
            "notes": [str(note) for note in fresh.notes],
        }

    async def _go_by(self, fresh: Settings) -> None:
        try:
            await self._adopt(fresh)
        except (JournalError, sqlite3.Error) as error:
            if not can_pass(error):
                raise
            why = f"the journal cannot be written: {error}"
            self.trouble = (f"the config of today waits for another lambi reload, the old one goes on: {why}",)
            raise Refused(f"{why}: the old config goes on") from None

    async def _read(self, load: Load) -> Settings:
        """Read the files beside the loop."""
        try:
            return await asyncio.to_thread(load)
        except ConfigError as error:
            count = len(error.problems)
            self.trouble = (
                f"the config of today cannot be used ({count} to put right: lambi config check), the old one goes on",
            )
            end = f"{count} to put right: the old config goes on"
            raise Refused("\n".join([*map(str, error.problems), end])) from None
