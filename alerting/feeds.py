"""Folders into which others put what comes back: a modem's inbox, a maildir. Looked into every few seconds.

A file goes when what it says is on disk: after a crash it is read again, and known by its id.
"""

import asyncio
import logging
import sqlite3
import traceback
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

from alerting.channels.gammu import Gammu
from alerting.channels.mailbox import read
from alerting.channels.smtp import Smtp
from alerting.inbound import Inbox
from alerting.journal import JournalError, can_pass
from alerting.model import Address, Fate, Receipt, Reply
from alerting.outbox import Clock

log = logging.getLogger("lambi.feeds")

EVERY = 2.0
"""Seconds between two looks."""

STUCK_SECONDS = 300.0
"""A modem that has sent nothing for so long, while something waits, hangs."""

Say = Callable[[Address, str, str], Awaitable[object]]
"""Answer somebody: address, text, subject."""


class Feeds:
    """Looks into the folders of those channels that have one."""

    def __init__(
        self,
        channels: Mapping[str, object],
        inbox: Inbox,
        say: Say,
        clock: Clock,
        count_bug: Callable[[], None] = lambda: None,
    ) -> None:
        self._modems = {name: one for name, one in channels.items() if isinstance(one, Gammu)}
        self._mails = {name: one for name, one in channels.items() if isinstance(one, Smtp) and one.maildir}
        self._inbox, self._say, self._clock, self._count_bug = inbox, say, clock, count_bug
        self._ailing: set[str] = set()
        self._unread: set[Path] = set()
        """What a defect of ours kept from being understood: it is left where it is, for it would be met for ever."""
        self._moved: dict[str, float] = {}
        """When a modem last sent something or had nothing to send, monotonic."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look(self._clock.now())
            await self._clock.sleep_until(self._clock.monotonic() + EVERY)

    async def look(self, now: datetime) -> None:
        """Take everything that is there; a folder that cannot be read is said once, a full journal waited out."""
        for name, look in (*((n, self._modem) for n in self._modems), *((n, self._mail) for n in self._mails)):
            try:
                await look(name, now)
                self._ailing.discard(name)
            except OSError as error:
                if name not in self._ailing:
                    log.error("channel=%s: its folder cannot be read: %s", name, error.strerror)
                self._ailing.add(name)
            except (JournalError, sqlite3.Error) as error:
                if not can_pass(error):
                    raise
                log.error("journal error=%r: what came back waits in its folder", str(error))

    async def _take(self, files: list[Path], work: Awaitable[object]) -> None:
        """Do what a file asks, then let the file go; one that breaks us is left where it is and not read again."""
        try:
            await work
        except (OSError, JournalError, sqlite3.Error):
            raise
        except Exception as error:  # noqa: BLE001 - whoever may write to us must not be able to end the daemon
            self._unread.update(files)
            self._count_bug()
            log.error(
                "bug: %s: %s", files[0].parent, "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
            )
            return
        await _drop(files)

    async def _modem(self, name: str, now: datetime) -> None:
        modem = self._modems[name]
        for path, reference, fate in await asyncio.to_thread(lambda: list(modem.became())):
            if path not in self._unread:
                await self._take([path], self._inbox.receive(Receipt(reference, fate, now, "by the modem"), now))
                self._moved.pop(name, None)
        await self._take_back(name, now)
        for files, sender, text in await asyncio.to_thread(lambda: list(modem.came())):
            if files[0] not in self._unread:
                id_ = f"{files[0].name} {text}"  # the name has the second and no more: another message may have it too
                await self._take(files, self._answer(Reply(name, sender, text, now, id_), "", now))

    async def _take_back(self, name: str, now: datetime) -> None:
        """Take back what a modem that hangs has not sent: it leaves later with the truth of then, or by another way."""
        waits, at = await asyncio.to_thread(self._modems[name].waits), self._clock.monotonic()
        if not waits:
            self._moved[name] = at
        if at - self._moved.setdefault(name, at) < STUCK_SECONDS:
            return
        log.error("channel=%s: the modem has sent nothing for %g s; taken back=%d", name, STUCK_SECONDS, len(waits))
        for path, reference in waits:
            await self._inbox.receive(Receipt(reference, Fate.FAILED, now, "the modem takes nothing"), now)
            await _drop([path])
        self._moved[name] = at

    async def _mail(self, name: str, now: datetime) -> None:
        for path in await asyncio.to_thread(lambda: sorted((Path(self._mails[name].maildir) / "new").glob("*"))):
            if path not in self._unread:
                await self._take([path], self._letter(name, path, now))

    async def _letter(self, name: str, path: Path, now: datetime) -> None:
        letter = await asyncio.to_thread(read, path)
        for reference, fate, detail in letter.fates:
            await self._inbox.receive(Receipt(reference, fate, now, detail), now)
        if letter.text:
            again = letter.subject if letter.subject[:3].lower() == "re:" else f"Re: {letter.subject}"
            await self._answer(Reply(name, letter.sender, letter.text, now, letter.id), again, now)

    async def _answer(self, reply: Reply, subject: str, now: datetime) -> None:
        if answer := await self._inbox.hear(reply, now):
            await self._say(Address(reply.channel, reply.sender), answer, subject)


async def _drop(files: list[Path]) -> None:
    for path in files:
        await asyncio.to_thread(path.unlink, missing_ok=True)
