"""A copy of the journal: consistent whatever is written meanwhile, and nobody is told twice without being told so."""

import asyncio
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.backup import copy, doubt, versions
from alerting.directory import Route
from alerting.journal import Journal, JournalError, Migration
from tests.alerting.fakes import OPEN, SCHEMAS, Office, Provider, at, contact, directory, open_journal
from tests.counts import soak

PAIR = Migration("pairs", ("CREATE TABLE a (n INTEGER, text TEXT) STRICT", "CREATE TABLE b (n INTEGER) STRICT"))


async def restored(journal: Journal, folder: Path, minutes: float) -> tuple[Journal, int]:
    """Copy a journal that is open, and open the copy as `lambi restore` does."""
    await asyncio.to_thread(folder.mkdir)
    await asyncio.to_thread(copy, folder.parent / "journal.sqlite", folder / "journal.sqlite")
    other = await open_journal(folder)
    async with other.transaction() as tx:
        return other, await doubt(tx, at(minutes))


async def test_a_copy_made_while_the_journal_is_written_holds_whole_transactions(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = await Journal.open(path, {"test": (PAIR,)})

    async def write() -> None:
        for n in range(1_000_000):
            async with journal.transaction() as tx:
                await tx.execute("INSERT INTO a VALUES (?, ?)", (n, "x" * 2000))
                await tx.execute("INSERT INTO b VALUES (?)", (n,))

    writers = [asyncio.create_task(write()) for _ in range(4)]
    counts = []
    for n in range(soak(ci=4, soak=100)):
        copied = tmp_path / f"copy-{n}"
        before = await journal.read("SELECT count(*) FROM a")
        while counts and before[0][0] <= counts[-1]:  # a machine that is busy lets the writers wait
            before = await journal.read("SELECT count(*) FROM a")
        await asyncio.to_thread(copy, path, copied)
        with closing(sqlite3.connect(copied)) as found:
            a, b = found.execute("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)").fetchone()
        assert a == b >= before[0][0]
        counts.append(a)
        copied.unlink()
    assert counts == sorted(set(counts)), "the writers went on meanwhile"
    for one in writers:
        one.cancel()
        with suppress(asyncio.CancelledError):
            await one
    await journal.close()


def test_what_is_no_journal_or_is_damaged_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal"):
        copy(tmp_path / "nothing", tmp_path / "copy")
    (tmp_path / "text").write_text("this is text, and long enough to be looked at as if it were a file of SQLite's" * 9)
    with pytest.raises(JournalError, match="not a database"):
        copy(tmp_path / "text", tmp_path / "copy")
    with pytest.raises(JournalError, match="this is no journal"):
        versions(tmp_path / "text")


async def test_what_waited_when_the_copy_was_made_leaves_marked_as_a_repetition(tmp_path: Path) -> None:
    sms = Provider()
    sms.down = True
    office = Office(await open_journal(tmp_path), directory(contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    await office.pass_time(0)
    other, doubtful = await restored(office.journal, tmp_path / "other", 5)
    assert doubtful == 1
    sms.down = False
    await office.pass_time(1)  # the one that was copied lives on, and sends it
    again = Office(other, office.directory, {"sms": (second := Provider())}, truths=office.truths)
    await again.pass_time(5)
    assert "(repeat)" not in sms.bodies[0]
    assert [body.count("(repeat)") for body in second.bodies] == [1]
    assert await again.states() == [("noc", "sms", "first", "accepted", "")]
    await other.close()
    await office.journal.close()


async def test_a_storm_that_waited_is_one_repetition_for_each_contact_and_channel(tmp_path: Path) -> None:
    ways = {"sms": Provider(), "mail": Provider("mail")}
    who = directory(contact("noc", "sms", "mail"), contact("ctu", "sms"))
    office = Office(await open_journal(tmp_path), who, ways)
    for provider in ways.values():
        provider.down = True
    for n in range(30):
        await office.happen(replace(OPEN, incident=str(n + 1), what=f"Cable C{n + 1} down"))
    other, doubtful = await restored(office.journal, tmp_path / "other", 1)
    assert doubtful == 90
    fresh = {"sms": Provider(), "mail": Provider("mail")}
    await Office(other, who, fresh, truths=office.truths).pass_time(1)
    assert [len(fresh[name].taken) for name in ("sms", "mail")] == [2, 1]
    assert all("(repeat)" in body for body in fresh["sms"].bodies)
    assert await other.read("SELECT DISTINCT state FROM notification") == [("accepted",)]
    await other.close()
    await office.journal.close()


async def test_what_was_taken_before_is_not_said_again_and_what_comes_later_is_not_marked(tmp_path: Path) -> None:
    sms = Provider()
    who = replace(directory(contact("noc", "sms")), routes=(Route("all", ("noc",), repeat_seconds=3600),))
    office = Office(await open_journal(tmp_path), who, {"sms": sms})
    await office.happen(OPEN)
    await office.pass_time(0)
    assert len(sms.taken) == 1
    other, doubtful = await restored(office.journal, tmp_path / "other", 10)
    assert doubtful == 0, "the reminder of the hour is still to come"
    again = Office(other, who, {"sms": (second := Provider())}, truths=office.truths)
    await again.pass_time(10)
    assert second.taken == []
    await again.pass_time(60)
    assert [body.count("(repeat)") for body in second.bodies] == [0]
    await other.close()
    await office.journal.close()


def test_the_steps_of_the_schema_are_read_from_the_file(tmp_path: Path) -> None:
    async def make() -> None:
        await (await open_journal(tmp_path)).close()

    asyncio.run(make())
    assert versions(tmp_path / "journal.sqlite") == {"alerting": [one.name for one in SCHEMAS["alerting"]]}
