"""Alerting's fakes: channels that do what a test says, a journal that dies, and the facts of one incident."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from alerting.directory import Directory, Route
from alerting.drill import Drills, Wish
from alerting.journal import Journal
from alerting.model import Accepted, Address, Alert, Channel, Contact, Message, Severity, UnreachableError
from alerting.outbox import Outbox
from alerting.plan import plan
from alerting.runbooks import Runbooks
from alerting.schema import MIGRATIONS
from alerting.sender import Limits
from tests.fakes import START, FakeClock

DESK = "+1 868 555 0100"
SCHEMAS = {"alerting": MIGRATIONS}
OPEN = Alert(
    incident="4711",
    severity=Severity.MAJOR,
    kind="cable",
    asset="cable:ecfs",
    what="Cable ECFS down",
    territory="BB",
    where="Barbados",
    opened=START,
    closed=None,
    changed=START,
    revision=1,
    reason="3 of 3 looks got no answer",
    effects=("Unreachable behind it: router bgi-1",),
    labels={"phase": "down"},
)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def closed(minutes: float, **fields: Any) -> Alert:
    end = at(minutes)
    return replace(OPEN, closed=end, changed=end, revision=OPEN.revision + 1, closing="answers again", **fields)


def contact(name: str, *channels: str, **fields: Any) -> Contact:
    reach = tuple(Address(channel, f"{name}@{channel}.example") for channel in channels)
    return Contact(name, f"agency of {name}", zone="America/Barbados", addresses=reach, **fields)


def directory(*contacts: Contact, repeat: float = 0.0, deadline: float = 86_400.0) -> Directory:
    names = tuple(one.name for one in contacts)
    return Directory(
        {one.name: one for one in contacts},
        (Route("all", names, repeat_seconds=repeat),),
        DESK,
        dict.fromkeys(Severity, deadline),
    )


class Provider:
    """A channel that answers as it is told, then accepts; keeps what it took."""

    def __init__(self, form: str = "sms", answers: Iterable[Exception] = ()) -> None:
        self.form = form
        self.receipts = self.answers = False
        self.errors = deque(answers)
        self.down = False
        self.tries = 0
        self.taken: list[tuple[Message, Address]] = []

    async def send(self, message: Message, address: Address) -> Accepted:
        self.tries += 1
        if self.down:
            raise UnreachableError("no route to host")
        if self.errors:
            raise self.errors.popleft()
        self.taken.append((message, address))
        return Accepted(f"id-{len(self.taken)}", "0: Accepted")

    async def close(self) -> None:
        pass

    @property
    def bodies(self) -> list[str]:
        return [message.body for message, _ in self.taken]


class Hung:
    """A channel that never answers."""

    form = "sms"
    receipts = answers = False

    def __init__(self) -> None:
        self.tries = 0

    async def send(self, message: Message, address: Address) -> Accepted:
        self.tries += 1
        await asyncio.Event().wait()
        return Accepted("never")

    async def close(self) -> None:
        pass


class Died(Exception):  # noqa: N818 - it is the end, not an error
    """The process is dead from here on."""


class MortalJournal(Journal):
    """Dies at its n-th commit, before or after it is on disk; nothing is written afterwards."""

    left = -1
    before = True

    def _commit(self) -> None:
        if self.left == 0:
            raise Died
        self.left -= 1
        if self.left == 0 and self.before:
            raise Died
        super()._commit()
        if self.left == 0:
            raise Died


@dataclass
class Office:
    """Alerting as a whole in simulated time: one journal, one directory, one truth."""

    journal: Journal
    directory: Directory
    channels: Mapping[str, Channel]
    clock: FakeClock = field(default_factory=FakeClock)
    truths: dict[str, Alert] = field(default_factory=dict)
    runbooks: Runbooks = field(default_factory=lambda: Runbooks({}))
    limits: Limits = field(default_factory=Limits)
    answer_url: str = ""
    drills: Drills = field(default_factory=Drills)
    cut: Callable[[str], str] = lambda _: ""

    def __post_init__(self) -> None:
        self.outbox = self.reborn()

    def reborn(self) -> Outbox:
        """Start anew, as after a crash."""
        self.outbox = Outbox(
            self.journal,
            self.channels,
            lambda: self.directory,
            self.truth,
            self.runbooks,
            self.clock,
            "Hub",
            self.limits,
            lambda: [alert for alert in self.truths.values() if alert.closed is None],
            self.answer_url,
            self.drills,
            self.cut,
        )
        return self.outbox

    def truth(self, incident: str) -> Alert | None:
        return self.truths.get(incident) or self.drills.truth(incident)

    async def exercise(self, *names: str, minutes: float = 45, **facts: Any) -> Alert:
        """Begin an exercise about what `OPEN` says, or as told."""
        people = tuple(self.directory.contacts[name] for name in names)
        alert = replace(OPEN, **facts)
        wish = Wish("test", alert, people, timedelta(minutes=minutes), "lead", self.runbooks.match(alert))
        begun = await self.drills.begin(self.journal, wish, self.directory, self.clock.now())
        self.outbox.wake()
        return begun

    async def happen(self, alert: Alert) -> None:
        """Let an alert become true: plan its rows and commit."""
        self.truths[alert.incident] = alert
        async with self.journal.transaction() as tx:
            await plan(tx, alert, self.directory, self.clock.now())
        self.outbox.wake()

    async def pass_time(self, minutes: float) -> None:
        """Move on, sending what is due every second of it at most."""
        self.clock.elapsed += minutes * 60
        await self.outbox.run_due(self.clock.now())

    async def states(self) -> list[tuple[Any, ...]]:
        return await self.journal.read("SELECT contact, channel, reason, state, why FROM notification ORDER BY id")


async def open_journal(folder: Path, kind: type[Journal] = Journal) -> Journal:
    return await kind.open(folder / "journal.sqlite", SCHEMAS)


class FullDisk(Journal):
    """A journal whose disk can be full."""

    full = False

    def _commit(self) -> None:
        if self.full:
            raise sqlite3.OperationalError("database or disk is full")
        super()._commit()
