"""Hours of chance: nobody outside the list of an exercise ever hears of it, and everything ends."""

import random
import re
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerting.directory import Cap, Directory, Ladder, Route, Step
from alerting.drill import Drills
from alerting.journal import JournalError
from alerting.ladder import respond
from alerting.model import Act, Alert, Response, Severity
from alerting.rota import Rotation
from alerting.told import hanging
from tests.alerting.exercises import BOOKS
from tests.alerting.fakes import (
    OPEN,
    SCHEMAS,
    Died,
    MortalJournal,
    Office,
    Provider,
    contact,
    directory,
)
from tests.counts import soak
from tests.fakes import START, FakeClock


class Chance:
    """A directory, a list and a few hours of chance; a process that dies, answers, real incidents, broken ways."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.chance, self.folder = random.Random(seed), folder  # noqa: S311 - drawn by seed, no secrets
        self.names = [f"p{n}" for n in range(7)]
        self.clock, self.sms, self.mail = FakeClock(), Provider(), Provider("mail")
        self.sms.receipts = self.chance.random() < 0.5
        self.list = set(self.chance.sample(self.names, self.chance.randrange(1, 4)))
        self.truths: dict[str, Alert] = {}

    def some(self, *more: str) -> tuple[str, ...]:
        return tuple(self.chance.sample([*self.names, *more], self.chance.randrange(1, 4)))

    def directory(self) -> Directory:
        who = directory(
            *(
                replace(contact(name, "sms", "mail", next_after=self.chance.choice((0.0, 120.0))), agency="a")
                for name in self.names
            )
        )
        steps = tuple(Step(self.some("duty"), self.chance.choice((60.0, 300.0))) for _ in range(3))
        below = Route("below", self.some("duty"), kinds=("cable",), ladders=("up",), repeat_seconds=300)
        return replace(
            who,
            routes=(
                Route("all", self.some("duty"), repeat_seconds=200, ladders=("up",), routes=(below,)),
                Route("other", self.some(), group_by=("kind",), group_wait=30, proceed=True),
            ),
            ladders={"up": Ladder("up", "a", steps, 2, 600)},
            rotations={"duty": Rotation("duty", since=START, turn=timedelta(minutes=20), members=tuple(self.names))},
            caps={"sms": Cap(30, 4, 600, 10)},
        )

    async def open(self, who: Directory) -> None:
        self.journal = await MortalJournal.open(self.folder / "journal.sqlite", SCHEMAS)
        drills = await Drills.open(self.journal)
        channels = {"sms": self.sms, "mail": self.mail}
        self.office = Office(self.journal, who, channels, self.clock, self.truths, BOOKS, drills=drills)

    async def live(self) -> None:
        who = self.directory()
        await self.open(who)
        for turn in range(soak(ci=60, soak=300)):
            self.clock.elapsed += self.chance.choice((5, 30, 90, 200))
            if self.chance.random() < 0.05:
                self.journal.left, self.journal.before = self.chance.randrange(1, 5), self.chance.random() < 0.5
            try:
                await self._something(turn)
                await self.office.outbox.run_due(self.clock.now())
            except (Died, JournalError):
                await self.journal.close()
                await self.open(who)
        self.journal.left = -1

    async def _something(self, turn: int) -> None:
        what, now = (
            self.chance.choice(("drill", "drill", "real", "answer", "answer", "cut", "back", "none")),
            self.clock.now(),
        )
        if what == "drill" and self.office.drills.under_way is None:
            with suppress(ValueError):  # somebody is being called about something real
                await self.office.exercise(*self.list, minutes=self.chance.choice((5, 30)))
        elif what == "real" and self.chance.random() < 0.2:
            await self.office.happen(
                replace(OPEN, incident=str(turn), severity=self.chance.choice(list(Severity)), opened=now)
            )
        elif what == "answer" and self.office.drills.alerts:
            incident, act = self.chance.choice(list(self.office.drills.alerts)), self.chance.choice(list(Act))
            name = self.chance.choice(sorted(self.list))
            async with self.journal.transaction() as tx:
                await respond(tx, Response(incident, name, "a", act, 1, 5, now, "cli"), now)
        elif what in {"cut", "back"}:
            self.sms.down = self.mail.down = what == "cut"


@pytest.mark.parametrize("seed", range(soak(ci=4, soak=400)))
async def test_nobody_outside_the_list_ever_hears_of_it_and_everything_ends(seed: int, tmp_path: Path) -> None:
    day = Chance(seed, tmp_path)
    await day.live()
    day.sms.down = day.mail.down = False
    for one in list(day.truths.values()):
        await day.office.happen(replace(one, closed=day.clock.now(), revision=2, closing="up"))
    for _ in range(40):
        await day.office.pass_time(60)
    texts = [(message, to) for each in (day.sms, day.mail) for message, to in each.taken]
    marked = [(m, to) for m, to in texts if (m.alert and m.alert.exercise) or re.search(r"\bE\d", m.body + m.subject)]
    assert all(m.body.startswith("EXERCISE ") for m, _ in marked)
    assert all(m.subject.startswith("EXERCISE ") for m, to in marked if "mail" in to.to)
    assert {to.to.partition("@")[0] for _, to in marked} <= day.list
    real = [m for m, _ in texts if m not in [one for one, _ in marked]]
    assert not any("EXERCISE" in m.body + m.subject for m in real)
    for sql in ("notification", "attempt a JOIN notification n ON n.id = a.notification", "code", "progress"):
        rows = await day.journal.read(f"SELECT DISTINCT contact FROM {sql} WHERE incident LIKE 'E%'")  # noqa: S608 - constants
        assert {name for (name,) in rows} <= day.list
    assert await hanging(day.journal, day.clock.now() + timedelta(days=3)) == []
    assert await day.journal.read("SELECT count(*) FROM notification WHERE ended_at IS NULL") == [(0,)]
    await day.journal.close()
