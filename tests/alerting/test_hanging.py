"""No row hangs: days of chance, of alerts, outages, silences, answers, receipts and deaths; each row ends, says why.

Every (incident, contact, reason) ends accepted, delivered, acknowledged, superseded, expired with its reason, or
refused by the operator's rule; whoever was told of a beginning is told of the end, or a row says why not.
"""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerting import silence
from alerting.directory import Cap, Directory, Inhibition, Ladder, Route, Step
from alerting.interval import Interval
from alerting.journal import JournalError
from alerting.ladder import respond
from alerting.match import parse
from alerting.model import Act, Alert, DeliveryError, Fate, Receipt, Response, Severity, UnansweredError
from alerting.plan import plan
from alerting.receipts import receive
from alerting.rota import Rotation
from alerting.told import hanging
from tests.alerting.fakes import OPEN, SCHEMAS, Died, MortalJournal, Office, Provider, contact, directory
from tests.counts import soak
from tests.fakes import START, FakeClock

NAMES = ("noc", "lead", "ctu", "grid", "web")
KINDS = ("cable", "power", "website")
FINAL = {"accepted", "delivered", "acknowledged", "superseded", "expired", "refused"}


def people() -> Directory:
    tree = Route(
        "all",
        ("noc",),
        repeat_seconds=3600,
        ladders=("up",),
        group_by=("kind",),
        group_wait=30,
        group_interval=300,
        routes=(
            Route("power", ("grid",), kinds=("power",), ladders=("up",), proceed=True),
            Route("web", ("web", "duty"), kinds=("website",), mute=("nights",), resolved=False),
        ),
    )
    ladder = Ladder("up", "agency of lead", (Step(("lead",), 600), Step(("ctu", "duty"), 900)), 2, 1800)
    order = {"ctu": 600.0, "web": 300.0}
    who = directory(
        *(contact(name, "sms", "mail", next_after=order.get(name, 0.0)) for name in NAMES), deadline=6 * 3600
    )
    return replace(
        who,
        routes=(tree, Route("grave", ("ctu",), at_least=Severity.CRITICAL)),
        ladders={"up": ladder},
        rotations={"duty": Rotation("duty", since=START, turn=timedelta(hours=5), members=("lead", "ctu"))},
        intervals={"nights": Interval("nights", "America/Barbados", ((1320, 360),))},
        inhibitions=(Inhibition("p", (parse("kind=power"),), (parse("kind=website"),)),),
        caps={"sms": Cap(90, 6, 3600, 10), "mail": Cap(30, 30, 3600, 20, 3)},
    )


class Week:
    """A few days of chance."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - drawn by seed, no secrets
        self.folder, self.clock, self.truths = folder, FakeClock(), dict[str, Alert]()
        self.channels = {"sms": Provider(), "mail": Provider("mail")}
        self.channels["sms"].receipts = True
        self.number = 0

    async def open(self) -> None:
        self.journal = await MortalJournal.open(self.folder / "journal.sqlite", SCHEMAS)
        self.office = Office(self.journal, people(), self.channels, self.clock, self.truths)

    async def live(self, hours: int) -> None:
        """Let things happen; when the process dies, a new one goes on."""
        await self.open()
        for _ in range(hours * 4):
            self.clock.elapsed += self.chance.choice((20, 300, 900, 1800))
            if self.chance.random() < 0.05:
                self.journal.left, self.journal.before = self.chance.randrange(1, 6), self.chance.random() < 0.5
            try:
                await self._something()
                await self.office.outbox.run_due(self.clock.now())
            except (Died, JournalError):
                await self.journal.close()
                await self.open()
                await self._again()

    async def _again(self) -> None:
        """After a start the line plans again what it had not committed."""
        for alert in list(self.truths.values()):
            await self.office.happen(alert)

    async def _something(self) -> None:
        what = self.chance.choice(
            ("begin", "begin", "end", "worse", "answer", "silence", "cut", "back", "fault", "receipt", "files", "clock")
        )
        standing = [one for one in self.truths.values() if one.closed is None]
        now = self.clock.now()
        if what == "begin":
            for _ in range(self.chance.choice((1, 1, 2, 15))):
                self.number += 1
                kind = self.chance.choice(KINDS)
                severity = self.chance.choice(list(Severity))
                fresh = replace(OPEN, incident=str(self.number), kind=kind, severity=severity, opened=now, changed=now)
                await self.office.happen(fresh)
        elif what == "end" and standing:
            one = self.chance.choice(standing)
            await self.office.happen(replace(one, closed=now, revision=one.revision + 1, closing="answers again"))
        elif what == "worse" and standing:
            one = self.chance.choice(standing)
            await self.office.happen(replace(one, severity=Severity.CRITICAL, revision=one.revision + 1))
        elif what in {"cut", "back"}:
            for channel in self.channels.values():
                channel.down = what == "cut"
        elif what == "fault":
            faults = [UnansweredError("hung up"), DeliveryError("no such user", permanent=True), DeliveryError("busy")]
            self.channels["sms"].errors.append(self.chance.choice(faults))
        elif what == "files":
            await self._reload(now)
        elif what == "clock":
            self.clock.start += timedelta(hours=self.chance.choice((-5, -1, 1, 5)))
        elif what == "receipt" and self.channels["sms"].taken:
            message, _ = self.chance.choice(self.channels["sms"].taken[-20:])
            async with self.journal.transaction() as tx:
                await receive(tx, Receipt(message.reference, self.chance.choice(list(Fate)), now), now)
        else:
            await self._people(what, now)

    async def _reload(self, now: datetime) -> None:
        """Somebody writes other files: an address is switched off, or on again."""
        off = self.chance.choice((*NAMES, ""))
        who = people()
        known = dict(who.contacts)
        if off:
            known[off] = replace(known[off], addresses=known[off].addresses[: self.chance.choice((0, 1))])
        self.office.directory = replace(who, contacts=known)
        async with self.journal.transaction() as tx:
            for alert in [one for one in self.truths.values() if one.closed is None]:
                await plan(tx, alert, self.office.directory, now, newly_named=True)

    async def _people(self, what: str, now) -> None:  # type: ignore[no-untyped-def] # a moment
        incident, name = str(self.chance.randrange(1, self.number + 2)), self.chance.choice(NAMES)
        async with self.journal.transaction() as tx:
            if what == "answer":
                act = self.chance.choice(list(Act))
                await respond(tx, Response(incident, name, f"agency of {name}", act, 1, 15, now, "cli"), now)
            elif what == "silence":
                wish = silence.Wish(
                    (parse(f"kind={self.chance.choice(KINDS)}"),), now, now + timedelta(hours=2), "a", "b"
                )
                await silence.add(tx, wish, now)

    async def calm(self) -> None:
        """Everything is mended; days pass."""
        self.journal.left = -1
        self.channels["sms"].errors.clear()
        for channel in self.channels.values():
            channel.down = False
        self.office.outbox.path_restored()
        for one in [one for one in self.truths.values() if one.closed is None]:
            self.clock.elapsed += 5
            await self.office.happen(replace(one, closed=self.clock.now(), revision=one.revision + 1, closing="up"))
        for _ in range(110):
            self.clock.elapsed += 1800
            await self.office.outbox.run_due(self.clock.now())


@pytest.mark.parametrize("seed", range(soak(ci=4, soak=300)))
async def test_every_row_ends_and_says_why(seed: int, tmp_path: Path) -> None:
    week = Week(seed, tmp_path)
    await week.live(hours=soak(ci=14, soak=48))
    week.journal.left = -1
    await week.office.outbox.run_due(week.clock.now())  # the last turn may have been a death
    assert await hanging(week.journal, week.clock.now()) == []
    await week.calm()
    rows = await week.journal.read("SELECT id, state, why, incident, contact, channel FROM notification")
    assert {state for _, state, *_ in rows} <= FINAL
    assert all(why for _, state, why, *_ in rows if state not in {"accepted", "delivered"})
    assert await hanging(week.journal, week.clock.now() + timedelta(days=30)) == []
    assert await week.journal.read("SELECT DISTINCT state FROM escalation") in ([("over",)], [])
    assert await week.journal.read("SELECT count(*) FROM attempt WHERE status = 'intent'") == [(0,)]
    told_open = await week.journal.read(
        "SELECT n.incident, n.contact, n.channel FROM notification n JOIN attempt a ON a.notification = n.id "
        "WHERE a.status <> 'failed' AND n.reason <> 'test' AND NOT EXISTS (SELECT 1 FROM notification o "
        "JOIN attempt b ON b.notification = o.id WHERE o.incident = n.incident AND o.contact = n.contact "
        "AND o.channel = n.channel AND b.status <> 'failed' AND b.closed = 1) "
        "AND NOT EXISTS (SELECT 1 FROM notification o WHERE o.incident = n.incident AND o.contact = n.contact "
        "AND o.channel = n.channel AND o.reason = 'resolved' AND o.state IN ('refused', 'expired')) "
        "AND n.route <> 'web'"
    )
    assert told_open == []  # whoever was told of a beginning was told of the end, or a row says why not
    await week.journal.close()
