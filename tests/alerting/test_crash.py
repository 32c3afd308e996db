"""Death at any moment: nothing is lost, what was in flight is repeated once, with its reference, marked."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from alerting.journal import JournalError
from alerting.model import Message
from tests.alerting.fakes import (
    OPEN,
    SCHEMAS,
    Died,
    MortalJournal,
    Office,
    Provider,
    closed,
    contact,
    directory,
    open_journal,
)

WHO = directory(contact("noc", "sms"), contact("ctu", "mail"))


class Life:
    """What the world outside has seen over all lives of the process."""

    def __init__(self) -> None:
        self.channels = {"sms": Provider(), "mail": Provider("mail")}

    def messages(self) -> list[Message]:
        return [message for channel in self.channels.values() for message, _ in channel.taken]


async def story(office: Office) -> None:
    """An incident opens, is told, ends, is told; a second life goes on where the journal says."""
    for alert, minutes in ((OPEN, 1.0), (closed(2), 2.0)):
        if await planned(office, alert.revision + 1):
            continue
        office.truths["4711"] = alert
        if not await planned(office, alert.revision):
            await office.happen(alert)
        await office.pass_time(minutes)


async def planned(office: Office, revision: int) -> bool:
    return bool(await office.journal.read("SELECT 1 FROM notification WHERE revision >= ?", (revision,)))


async def commits(folder: Path) -> int:
    """Count the commits of the whole story."""

    class Counting(MortalJournal):
        count = 0

        def _commit(self) -> None:
            type(self).count += 1
            super()._commit()

    journal = await Counting.open(folder / "journal.sqlite", SCHEMAS)
    await story(Office(journal, WHO, Life().channels))
    await journal.close()
    return Counting.count - 1


@pytest.mark.parametrize("before", [True, False])
async def test_death_at_every_commit(tmp_path: Path, before: bool) -> None:
    total = await commits(tmp_path)
    assert total >= 6
    for n in range(1, total + 1):
        folder = tmp_path / f"{n}"
        folder.mkdir()
        life = Life()
        journal = await MortalJournal.open(folder / "journal.sqlite", SCHEMAS)
        journal.left, journal.before = n, before
        with pytest.raises((JournalError, Died)):
            await story(Office(journal, WHO, life.channels))
        await journal.close()
        journal = await MortalJournal.open(folder / "journal.sqlite", SCHEMAS)
        office = Office(journal, WHO, life.channels)
        office.clock.elapsed = 600.0
        await story(office)
        await office.pass_time(60)
        hanging = await journal.read("SELECT id FROM notification WHERE ended_at IS NULL")
        unknown = await journal.read("SELECT id FROM attempt WHERE status = 'unknown'")
        assert hanging == []
        check(life, len(unknown))
        await journal.close()


def check(life: Life, unknown: int) -> None:
    """Everybody knows that it is over; only a marked message may say what an earlier one has said."""
    messages = life.messages()
    for channel in life.channels.values():
        assert "was down" in channel.bodies[-1]
    marked = [message for message in messages if "(repeat)" in message.body]
    assert len(marked) <= unknown <= len(life.channels)  # one claim takes both
    plain = [message for message in messages if message not in marked]
    assert len({message.reference for message in plain}) == len(plain)
    assert len(messages) <= 4 + len(marked)


CHILD = """
import asyncio, pathlib, sys
from tests.alerting.fakes import OPEN, Hung, Office, contact, directory, open_journal

class Says(Hung):
    async def send(self, message, address):
        print(message.reference, flush=True)
        return await super().send(message, address)

async def main():
    journal = await open_journal(pathlib.Path(sys.argv[1]))
    office = Office(journal, directory(contact("noc", "sms")), {"sms": Says()})
    running = asyncio.create_task(office.outbox.run())
    await office.happen(OPEN)
    await running

asyncio.run(main())
"""


def killed_in_flight(folder: Path) -> str:
    """Kill -9 a process that is sending; return the reference of what it was sending."""
    argv = [sys.executable, "-c", CHILD, str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."}) as child:
        assert child.stdout is not None
        reference = child.stdout.readline().strip()
        child.send_signal(signal.SIGKILL)
    return reference


async def test_kill_9_between_intent_and_result_repeats_it_once_marked(tmp_path: Path) -> None:
    reference = await asyncio.to_thread(killed_in_flight, tmp_path)
    assert reference
    journal = await open_journal(tmp_path)
    sms = Provider()
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms}, truths={"4711": OPEN})
    await office.pass_time(1)
    office.reborn()
    await office.pass_time(60)
    [(message, _)] = sms.taken
    assert message.reference == reference
    assert message.body.startswith("4711 MAJOR (repeat): ")
    assert await journal.read("SELECT status, error FROM attempt WHERE id = 1") == [
        ("unknown", "the program ended before the answer came")
    ]
    await journal.close()


async def test_a_full_disk_between_try_and_record_is_waited_out(tmp_path: Path) -> None:
    """While the program lives it knows how the try ended: nothing is repeated."""

    class Full(MortalJournal):
        full = False

        def _commit(self) -> None:
            if self.full:
                raise sqlite3.OperationalError("database or disk is full")
            super()._commit()

    class Filling(Provider):
        async def send(self, message, address):  # type: ignore[no-untyped-def] # the types are those of Provider.send
            journal.full = True
            return await super().send(message, address)

    journal = await Full.open(tmp_path / "journal.sqlite", SCHEMAS)
    sms = Filling()
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    running = asyncio.create_task(office.outbox.run())
    await office.happen(OPEN)
    async with asyncio.timeout(20):
        while office.clock.elapsed < 10:
            await office.clock.advance(0.5)
            await asyncio.sleep(0.002)
        assert sms.tries == 1
        journal.full = False
        while (await office.states())[0][3] != "accepted":
            await office.clock.advance(0.5)
            await asyncio.sleep(0.002)
    assert sms.tries == 1
    running.cancel()
    await office.outbox.close()
    await journal.close()
