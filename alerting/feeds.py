"""Folders into which others put what comes back: a modem's inbox, a maildir. Looked into every few seconds.

A file goes when what it says is on disk: after a crash it is read again, and known by its id.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

from alerting.channels.gammu import Gammu
from alerting.channels.mailbox import Letter, read
from alerting.channels.smtp import Smtp
from alerting.inbound import Inbox
from alerting.model import Address, Receipt, Reply
from alerting.outbox import Clock

log = logging.getLogger("lambi.feeds")

EVERY = 2.0
"""Seconds between two looks."""

Say = Callable[[Address, str, str], Awaitable[object]]
"""Answer somebody: address, text, subject."""


class Feeds:
    """Looks into the folders of those channels that have one."""

    def __init__(self, channels: Mapping[str, object], inbox: Inbox, say: Say, clock: Clock) -> None:
        self._modems = {name: one for name, one in channels.items() if isinstance(one, Gammu)}
        self._mails = {name: one for name, one in channels.items() if isinstance(one, Smtp) and one.maildir}
        self._inbox, self._say, self._clock = inbox, say, clock
        self._ailing: set[str] = set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look(self._clock.now())
            await self._clock.sleep_until(self._clock.monotonic() + EVERY)

    async def look(self, now: datetime) -> None:
        """Take everything that is there; a folder that cannot be read is said once."""
        for name, look in (*((n, self._modem) for n in self._modems), *((n, self._mail) for n in self._mails)):
            try:
                await look(name, now)
                self._ailing.discard(name)
            except OSError as error:
                if name not in self._ailing:
                    log.error("channel=%s: its folder cannot be read: %s", name, error.strerror)
                self._ailing.add(name)

    async def _modem(self, name: str, now: datetime) -> None:
        modem = self._modems[name]
        for path, reference, fate in await asyncio.to_thread(lambda: list(modem.became())):
            await self._inbox.receive(Receipt(reference, fate, now, "by the modem"), now)
            await _drop([path])
        for files, sender, text in await asyncio.to_thread(lambda: list(modem.came())):
            answer = await self._inbox.hear(Reply(name, sender, text, now, files[0].name), now)
            if answer:
                await self._say(Address(name, sender), answer, "")
            await _drop(files)

    async def _mail(self, name: str, now: datetime) -> None:
        for path in await asyncio.to_thread(lambda: sorted((Path(self._mails[name].maildir) / "new").glob("*"))):
            letter = await asyncio.to_thread(read, path)
            await self._letter(name, letter, now)
            await _drop([path])

    async def _letter(self, name: str, letter: Letter, now: datetime) -> None:
        for reference, fate, detail in letter.fates:
            await self._inbox.receive(Receipt(reference, fate, now, detail), now)
        if letter.text:
            answer = await self._inbox.hear(Reply(name, letter.sender, letter.text, now, letter.id), now)
            if answer:
                again = letter.subject if letter.subject[:3].lower() == "re:" else f"Re: {letter.subject}"
                await self._say(Address(name, letter.sender), answer, again)


async def _drop(files: list[Path]) -> None:
    for path in files:
        await asyncio.to_thread(path.unlink, missing_ok=True)
