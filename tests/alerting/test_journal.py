"""The journal: what it has acknowledged survives everything; what failed leaves no trace."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from alerting.journal import Journal, JournalError, Migration, can_pass, micros, moment
from tests.alerting.fakes import MortalJournal
from tests.counts import soak
from tests.fakes import START

NUMBERS = Migration("numbers", ("CREATE TABLE number (n INTEGER PRIMARY KEY) STRICT",))
SCHEMAS = {"test": (NUMBERS,)}
INSERT = "INSERT INTO number VALUES (?)"


async def numbers(journal: Journal) -> list[int]:
    return [n for (n,) in await journal.read("SELECT n FROM number ORDER BY n")]


class CountingJournal(Journal):
    commits = 0

    def _commit(self) -> None:
        self.commits += 1
        super()._commit()


async def test_what_a_transaction_wrote_is_read_and_survives(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "j.sqlite", SCHEMAS)
    async with journal.transaction() as tx:
        assert await tx.execute("INSERT INTO number VALUES (7) RETURNING n") == [(7,)]
        await tx.executemany(INSERT, [(8,), (9,)])
        assert await tx.execute("SELECT count(*) FROM number") == [(3,)]
        assert await numbers(journal) == []
    assert await numbers(journal) == [7, 8, 9]
    await journal.close()
    journal = await Journal.open(tmp_path / "j.sqlite", SCHEMAS)
    assert await numbers(journal) == [7, 8, 9]
    assert await journal.read("PRAGMA journal_mode") == [("wal",)]
    await journal.close()


async def test_a_failing_transaction_rolls_back_alone_and_a_commit_serves_many(tmp_path: Path) -> None:
    journal = await CountingJournal.open(tmp_path / "j.sqlite", SCHEMAS)
    journal.commits = 0

    async def write(n: int) -> None:
        async with journal.transaction() as tx:
            await tx.execute(INSERT, (n,))
            if n % 10 == 3:
                raise ValueError(n)

    results = await asyncio.gather(*(write(n) for n in range(100)), return_exceptions=True)
    assert [n for n, result in enumerate(results) if isinstance(result, ValueError)] == list(range(3, 100, 10))
    assert await numbers(journal) == [n for n in range(100) if n % 10 != 3]
    assert journal.commits < 10
    with pytest.raises(sqlite3.IntegrityError):
        await write(1)
    await journal.close()


async def test_a_cancelled_transaction_leaves_nothing_and_holds_nobody_up(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "j.sqlite", SCHEMAS)
    inside = asyncio.Event()

    async def stuck() -> None:
        async with journal.transaction() as tx:
            await tx.execute(INSERT, (1,))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(stuck())
    await inside.wait()
    task.cancel()
    async with journal.transaction() as tx:
        await tx.execute(INSERT, (2,))
    with pytest.raises(asyncio.CancelledError):
        await task
    for turns in range(12):  # cancelled at each of its waits, even while it begins
        async with asyncio.TaskGroup() as group:
            cancelled = group.create_task(stuck())
            for _ in range(turns):
                await asyncio.sleep(0)
            cancelled.cancel()
    async with journal.transaction() as tx:
        await tx.execute(INSERT, (3,))
    assert await numbers(journal) == [2, 3]
    await journal.close()


async def test_a_commit_that_fails_is_told_to_all_who_share_it(tmp_path: Path) -> None:
    journal = await MortalJournal.open(tmp_path / "j.sqlite", SCHEMAS)
    journal.left = 1

    async def write(n: int) -> None:
        async with journal.transaction() as tx:
            await tx.execute(INSERT, (n,))

    results = await asyncio.gather(*(write(n) for n in range(5)), return_exceptions=True)
    assert all(isinstance(result, JournalError) for result in results)
    journal.left = -1
    await write(9)
    assert await numbers(journal) == [9]
    await journal.close()


@pytest.mark.parametrize(
    ("statements", "passes"),
    [
        (("PRAGMA max_page_count = 1", "CREATE TABLE more (n INTEGER)"), True),  # the disk is full
        (("PRAGMA query_only = ON", "INSERT INTO number VALUES (2)"), True),  # cannot be written
        (("INSERT INTO number VALUES (1)",), False),
        (("INSERT INTO number VALUES ('x')",), False),
        (("INSERT INTO numbers VALUES (1)",), False),
        (("INSERT INTO number VALUES (?)",), False),
    ],
)
async def test_a_full_disk_may_pass_and_a_defect_of_ours_does_not(
    statements: tuple[str, ...], passes: bool, tmp_path: Path
) -> None:
    journal = await Journal.open(tmp_path / "j.sqlite", SCHEMAS)
    with pytest.raises(sqlite3.Error) as caught:  # noqa: PT012 - the last statement fails
        async with journal.transaction() as tx:
            await tx.execute(INSERT, (1,))
            for statement in statements:
                await tx.execute(statement)
    assert can_pass(caught.value) is passes
    await journal.close()


async def test_a_file_that_another_holds_may_pass_and_a_broken_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    journal = await Journal.open(path, SCHEMAS)
    async with journal.transaction() as tx:
        await tx.execute(INSERT, (1,))
    await journal.close()
    held, other = (sqlite3.connect(path, isolation_level=None, timeout=0) for _ in range(2))
    held.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.Error) as locked:
        other.execute("BEGIN IMMEDIATE")
    held.close()
    other.close()
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * (len(data) - 100))
    broken = sqlite3.connect(path)
    with pytest.raises(sqlite3.Error) as malformed:
        broken.execute("SELECT * FROM number")
    broken.close()
    assert can_pass(locked.value)
    assert not can_pass(malformed.value)
    assert can_pass(JournalError("not written: database or disk is full"))


async def test_a_commit_that_a_defect_broke_says_so_itself(tmp_path: Path) -> None:
    class Defect(Journal):
        broken = False

        def _commit(self) -> None:
            if self.broken:
                raise sqlite3.ProgrammingError("Cannot operate on a closed database.")
            super()._commit()

    journal = await Defect.open(tmp_path / "j.sqlite", SCHEMAS)
    journal.broken = True
    with pytest.raises(sqlite3.ProgrammingError):
        async with journal.transaction() as tx:
            await tx.execute(INSERT, (1,))
    journal.broken = False
    await journal.close()


async def test_a_newer_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    later = Migration("later", ("ALTER TABLE number ADD COLUMN name TEXT",))
    journal = await Journal.open(path, {"test": (NUMBERS, later)})
    await journal.close()
    with pytest.raises(JournalError, match=r"j\.sqlite: written by another version .*'later' is not known here"):
        await Journal.open(path, SCHEMAS)
    journal = await Journal.open(path, {"test": (NUMBERS, later), "other": (Migration("o", ("CREATE TABLE o (x)",)),)})
    assert await journal.read("SELECT owner, n, name FROM schema_version ORDER BY owner, n") == [
        ("other", 1, "o"),
        ("test", 1, "numbers"),
        ("test", 2, "later"),
    ]
    await journal.close()


async def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    broken = Migration("broken", ("CREATE TABLE half (x)", "CREATE NONSENSE"))
    with pytest.raises(JournalError, match="syntax error"):
        await Journal.open(path, {"test": (NUMBERS, broken)})
    journal = await Journal.open(path, SCHEMAS)
    assert await journal.read("SELECT name FROM sqlite_schema WHERE name = 'half'") == []
    await journal.close()


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, None])
async def test_what_cannot_be_opened_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "j.sqlite"
    if content is None:
        path = tmp_path / "missing" / "j.sqlite"
    else:
        path.write_bytes(content)
    with pytest.raises(JournalError, match=r"j\.sqlite: "):
        await Journal.open(path, SCHEMAS)


def test_moments_are_exact() -> None:
    assert moment(micros(START)) == START
    assert micros(START) == 1788264000000000


async def test_two_runs_give_equal_dumps(tmp_path: Path) -> None:
    dumps = []
    for name in ("a", "b"):
        journal = await Journal.open(tmp_path / name, SCHEMAS)
        for n in range(20):
            async with journal.transaction() as tx:
                await tx.execute(INSERT, (n,))
        await journal.close()
        with sqlite3.connect(tmp_path / name) as connection:
            dumps.append("\n".join(connection.iterdump()))
        connection.close()
    assert dumps[0] == dumps[1]


WRITER = """
import asyncio, pathlib, sys
from tests.alerting.test_journal import INSERT, SCHEMAS, Journal

async def main():
    journal = await Journal.open(pathlib.Path(sys.argv[1]), SCHEMAS)
    async def write(n):
        async with journal.transaction() as tx:
            await tx.execute(INSERT, (n,))
        print(n, flush=True)
    for n in range(0, 10**6, 5):
        await asyncio.gather(*(write(n + i) for i in range(5)))

asyncio.run(main())
"""


def killed_writer(path: Path, after: int) -> set[int]:
    """Run a writer, kill it after so many acknowledgements; return all that it acknowledged."""
    argv = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."}) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(after)]
        child.send_signal(signal.SIGKILL)
        said += child.stdout.readlines()
    return {int(line) for line in said if line.endswith("\n")}


async def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    for round_ in range(soak(ci=3, soak=100)):
        path = tmp_path / f"{round_}.sqlite"
        acknowledged = killed_writer(path, after=20 + 17 * (round_ % 7))
        journal = await Journal.open(path, SCHEMAS)
        assert acknowledged <= set(await numbers(journal))
        await journal.close()


def stands(words: bytes, folder: Path) -> bool:
    return any(words in file.read_bytes() for file in folder.iterdir())


async def test_what_was_deleted_stands_in_no_file_any_more_while_others_write(tmp_path: Path) -> None:
    words = Migration("notes", ("CREATE TABLE note (n INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT",))
    journal = await Journal.open(tmp_path / "j.sqlite", {"test": (words,)})
    async with journal.transaction() as tx:
        await tx.execute("INSERT INTO note VALUES (1, 'what a person wrote')")

    async def write(number: int) -> None:
        async with journal.transaction() as tx:
            await tx.execute("INSERT INTO note VALUES (?, 'another')", (number,))

    writers = [asyncio.create_task(write(number)) for number in range(2, 40)]
    async with journal.transaction() as tx:
        await tx.execute("DELETE FROM note WHERE text = 'what a person wrote'")
    assert await journal.shred()
    assert not stands(b"what a person wrote", tmp_path)
    await asyncio.gather(*writers)
    assert await journal.read("SELECT count(*) FROM note") == [(38,)]
    await journal.close()
