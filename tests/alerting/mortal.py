"""The process that is killed: journal, outbox, channels, feeds and door as the daemon wires them, and a storm."""

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import web

from alerting.channels.kannel import Kannel
from alerting.channels.smtp import Smtp
from alerting.directory import Directory
from alerting.feeds import Feeds
from alerting.inbound import Inbox
from alerting.journal import Journal, Migration
from alerting.model import Address, Alert, Channel
from alerting.outbox import Outbox
from alerting.plan import plan
from alerting.runbooks import Runbooks
from monitor.web import callbacks
from probes.clock import SystemClock
from tests.alerting.fakes import OPEN, SCHEMAS, closed, contact, directory

SECRET = "a-secret-of-the-gateway"
BOOKS = Path(__file__).parents[2] / "runbooks"
OPENED, ENDED = 24, 8
STEP_SECONDS = 0.01
STEPS = Migration("what has happened", ("CREATE TABLE step (n INTEGER PRIMARY KEY) STRICT",))
WHO = directory(
    *(
        replace(contact(name), addresses=(Address("sms", number), Address("mail", f"{name}@operator.example")))
        for name, number in (("noc", "+12465550101"), ("ctu", "+18685550102"), ("ixp", "+17675550103"))
    )
)


@dataclass(frozen=True)
class Place:
    """Where it lives and whom it reaches."""

    folder: Path
    gateway: str
    mail: int
    door: int
    first: int = 1
    """The number of the storm's first incident."""

    @property
    def maildir(self) -> Path:
        return self.folder / "maildir"


def storm(first: int) -> list[Alert]:
    """Many incidents open; every third of the first ones ends meanwhile."""
    opened = [replace(OPEN, incident=str(first + n), what=f"Cable C{first + n} down") for n in range(OPENED)]
    ended = [replace(closed(5), incident=one.incident, what=one.what) for one in opened[: 3 * ENDED : 3]]
    half = OPENED // 2
    return [*opened[:half], *ended[: ENDED // 2], *opened[half:], *ended[ENDED // 2 :]]


class Life:
    """One life of it, on the journal that the last one left."""

    def __init__(self, place: Place, journal: Journal) -> None:
        self.place, self.journal, self.clock = place, journal, SystemClock()
        self.truths: dict[str, Alert] = {}
        callback = f"http://127.0.0.1:{place.door}"
        mail = Smtp("127.0.0.1", "lambi@watch.example", place.mail, "none", maildir=str(place.maildir))
        sms = Kannel(place.gateway, "lambi", "kannel-secret", smsc="FAKE", callback=callback, secret=SECRET)
        self.channels: dict[str, Channel] = {"sms": sms, "mail": mail}
        books, who = Runbooks.load(BOOKS), self._who
        self.outbox = Outbox(journal, self.channels, who, self.truths.get, books, self.clock, "Hub")
        self.inbox = Inbox(
            journal, who, self.truths.get, books, site="Hub", draw=lambda below: 7 % below, woken=self.outbox.wake
        )
        self.feeds = Feeds(self.channels, self.inbox, self.outbox.say, self.clock)

    @staticmethod
    def _who() -> Directory:
        return WHO

    async def live(self) -> None:
        """Go on where the last life ended, until everything has happened and everybody was told."""
        [(done,)] = await self.journal.read("SELECT count(*) FROM step")
        steps = storm(self.place.first)
        self.truths |= {alert.incident: alert for alert in steps[:done]}
        app = web.Application()
        callbacks.add_routes(app, self.channels, self.inbox.receive, self.inbox.hear, self.clock, self.outbox.say)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.place.door).start()
        running = [asyncio.create_task(self.outbox.run()), asyncio.create_task(self.feeds.run())]
        for n, alert in enumerate(steps[done:], done):
            async with self.journal.transaction() as tx:
                await tx.execute("INSERT INTO step VALUES (?)", (n,))
                self.truths[alert.incident] = alert
                await plan(tx, alert, WHO, self.clock.now())
            self.outbox.wake()
            await asyncio.sleep(STEP_SECONDS)
        while await self._waits() or not (self.place.folder / "over").exists():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await runner.cleanup()
        await self.outbox.close()
        await self.journal.close()

    async def _waits(self) -> bool:
        """Whether somebody is still to be told, or has written and is not heard."""
        [(count,)] = await self.journal.read("SELECT count(*) FROM notification WHERE ended_at IS NULL")
        return bool(count or list((self.place.maildir / "new").iterdir()))


class Deaf(Journal):
    """Dies like kill -9 around the first commit that holds what somebody has answered, if there is none yet."""

    before: bool

    def _commit(self) -> None:
        found = self._writing.execute("SELECT 1 FROM sqlite_master WHERE name = 'heard'").fetchall()
        told = bool(found and self._writing.execute("SELECT 1 FROM heard").fetchall())
        if told and self.before:
            os.kill(os.getpid(), signal.SIGKILL)
        super()._commit()
        if told:
            os.kill(os.getpid(), signal.SIGKILL)


class DeafBefore(Deaf):
    """The answer is lost with it."""

    before = True


class DeafAfter(Deaf):
    """The answer is on disk, and nobody has been told so."""

    before = False


async def _live(place: Place, kind: type[Journal]) -> None:
    journal = await kind.open(place.folder / "journal.sqlite", {**SCHEMAS, "storm": (STEPS,)})
    await Life(place, journal).live()


def live(place: Place, kind: type[Journal] = Journal) -> None:
    """Live in this process until the storm is over."""
    asyncio.run(_live(place, kind))
