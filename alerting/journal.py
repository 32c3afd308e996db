"""The durable memory: one SQLite file that many owners share, each with its own tables."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
VERSIONS = """CREATE TABLE IF NOT EXISTS schema_version (
    owner TEXT NOT NULL, n INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (owner, n)
) STRICT, WITHOUT ROWID"""


class JournalError(Exception):
    """The journal cannot be opened or has lost a transaction; one sentence says why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of an owner's schema; never changed once released."""

    name: str
    statements: tuple[str, ...]


def can_pass(error: JournalError | sqlite3.Error) -> bool:
    """Whether trying again may help: busy, a full disk, an I/O error; no wrong row or statement, no broken file."""
    if isinstance(error, JournalError):
        return True
    return isinstance(error, sqlite3.OperationalError) and getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_ERROR


def micros(at: datetime) -> int:
    """Integer microseconds since 1970 UTC: how every owner stores a moment."""
    return (at - EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """Give the UTC datetime of `micros`."""
    return EPOCH + timedelta(microseconds=at)


class Transaction:
    """Statements of one logical transaction, in order."""

    def __init__(self, run: Callable[..., Any], connection: sqlite3.Connection) -> None:
        self._run = run
        self._connection = connection

    async def execute(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Run one statement; return its rows (RETURNING works); raises sqlite3.Error."""
        rows: list[Row] = await self._run(_fetch, self._connection, sql, params)
        return rows

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row; raises sqlite3.Error."""
        await self._run(self._connection.executemany, sql, list(rows))


class Journal:
    """SQLite in WAL mode with synchronous=FULL: what `transaction` has left is on disk.

    One thread writes, one reads. Logical transactions run one after the other as savepoints of one SQLite
    transaction; those that wait while a commit is under way share the next one, so one fsync serves many.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = ThreadPoolExecutor(1, "journal-writer")
        self._reader = ThreadPoolExecutor(1, "journal-reader")
        self._writing: sqlite3.Connection
        self._reading: sqlite3.Connection
        self._inside = False
        self._turn = asyncio.Lock()
        self._group: asyncio.Future[None] | None = None
        self._committing: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, path: Path, schemas: Mapping[str, Sequence[Migration]]) -> Self:
        """Open or create; apply each owner's missing migrations; raise JournalError."""
        journal = cls(path)
        try:
            await _in(journal._writer, journal._connect, schemas)
            journal._reading = await _in(journal._reader, _open, path)
            await _in(journal._reader, journal._reading.execute, "PRAGMA query_only=ON")
        except BaseException as error:
            journal._writer.shutdown()
            journal._reader.shutdown()
            if isinstance(error, sqlite3.Error | OSError):
                raise JournalError(f"{path}: {error}") from error
            raise
        return journal

    def _connect(self, schemas: Mapping[str, Sequence[Migration]]) -> None:
        """Open the writer's connection and migrate; in the writer thread."""
        self._writing = _open(self._path)
        try:
            self._writing.execute("BEGIN IMMEDIATE")
            self._writing.execute(VERSIONS)
            _refuse_strangers(self._writing, self._path, schemas)
            for owner, migrations in schemas.items():
                _migrate(self._writing, self._path, owner, migrations)
            self._commit()
        except BaseException:
            self._writing.close()
            raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Write all or nothing; leaves when it is on disk. Cancelled while it waits for the disk, it is written."""
        async with self._turn:
            try:
                await self._in_writer(self._begin)
                yield Transaction(self._in_writer, self._writing)
            except BaseException:
                await self._undo()
                raise
            released = self._submit(self._release)
            group = self._join()
            await released
        await asyncio.shield(group)

    async def read(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Return the rows of a query over what is committed."""
        return await _in(self._reader, _fetch, self._reading, sql, params)

    async def shred(self) -> bool:
        """Let what was deleted stand nowhere any more, nor in the file beside this one; False: not just now."""
        for _ in range(10):
            async with self.transaction():
                pass  # whatever is under way is committed when this is left
            async with self._turn:
                if await self._in_writer(self._checkpoint):
                    return True
        return False

    def _checkpoint(self) -> bool:
        """Bring the write-ahead log into the file and empty it; in the writer thread."""
        if self._writing.in_transaction:
            return False
        [(busy, *_)] = self._writing.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return not busy

    async def close(self) -> None:
        """Commit what is finished and close; later calls fail."""
        async with self._turn:
            pass
        if self._group is not None:
            with suppress(JournalError):
                await asyncio.shield(self._group)
        await asyncio.gather(*self._committing)
        await _in(self._reader, self._reading.close)
        await _in(self._writer, self._writing.close)
        self._reader.shutdown()
        self._writer.shutdown()

    def _commit(self) -> None:
        """Make everything released so far durable; in the writer thread. Tests override it to die here."""
        self._writing.execute("COMMIT")

    def _begin(self) -> None:
        """Open a savepoint, and the SQLite transaction around it if none is open."""
        if not self._writing.in_transaction:
            self._writing.execute("BEGIN IMMEDIATE")
        self._writing.execute("SAVEPOINT logical")
        self._inside = True

    def _release(self) -> None:
        """End the savepoint; what it holds waits for the commit."""
        self._writing.execute("RELEASE logical")
        self._inside = False

    async def _undo(self) -> None:
        """Roll back the open savepoint alone; if SQLite gave up the whole transaction, those who wait are told."""
        kept = self._submit(self._roll_back)
        self._join()
        if not await kept:
            self._fail(JournalError(f"{self._path}: SQLite rolled back the transaction"))

    def _roll_back(self) -> bool:
        """Return False if what earlier transactions released is lost too."""
        inside, self._inside = self._inside, False
        if inside and self._writing.in_transaction:
            self._writing.execute("ROLLBACK TO logical")
            self._writing.execute("RELEASE logical")
        return self._writing.in_transaction or not inside

    def _join(self) -> "asyncio.Future[None]":
        """Return the commit that those who finish now share; ask for it if nobody has."""
        if self._group is None:
            self._group = asyncio.get_running_loop().create_future()
            self._group.add_done_callback(_retrieve)
            task = asyncio.create_task(self._commit_group())
            self._committing.add(task)
            task.add_done_callback(self._committing.discard)
        return self._group

    async def _commit_group(self) -> None:
        """Wait for the turn behind all who already wait, commit once, and tell them all."""
        async with self._turn:
            group = self._group
            try:
                await self._in_writer(self._end)
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear it
                defect = isinstance(error, sqlite3.Error) and not can_pass(error)
                self._fail(error if defect else JournalError(f"{self._path}: not written: {error}"))
            else:
                if group is not None and not group.done():
                    group.set_result(None)
                self._group = None

    def _end(self) -> None:
        """Commit, or leave no transaction open."""
        if not self._writing.in_transaction:
            return
        try:
            self._commit()
        except BaseException:
            if self._writing.in_transaction:
                self._writing.execute("ROLLBACK")
            raise

    def _fail(self, error: Exception) -> None:
        if self._group is not None and not self._group.done():
            self._group.set_exception(error)
        self._group = None

    def _submit(self, do: Callable[..., T], *args: Any) -> "asyncio.Future[T]":
        """Queue work for the writer; it runs in order even if nobody waits for it any more."""
        return asyncio.get_running_loop().run_in_executor(self._writer, do, *args)

    async def _in_writer(self, do: Callable[..., T], *args: Any) -> T:
        return await self._submit(do, *args)


def _retrieve(group: "asyncio.Future[None]") -> None:
    """Mark a failure as seen: a group whose members were all cancelled has nobody else to hear it."""
    group.exception()


async def _in(thread: ThreadPoolExecutor, do: Callable[..., T], *args: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(thread, do, *args)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _fetch(connection: sqlite3.Connection, sql: str, params: Sequence[Any]) -> list[Row]:
    return connection.execute(sql, params).fetchall()


def _migrate(connection: sqlite3.Connection, path: Path, owner: str, migrations: Sequence[Migration]) -> None:
    """Apply what is missing; refuse a file that knows steps this program does not."""
    rows = connection.execute("SELECT name FROM schema_version WHERE owner = ? ORDER BY n", (owner,)).fetchall()
    done = [name for (name,) in rows]
    if done != [migration.name for migration in migrations[: len(done)]]:
        raise _stranger(path, owner, done[-1])
    for n, migration in enumerate(migrations[len(done) :], len(done) + 1):
        for statement in migration.statements:
            connection.execute(statement)
        connection.execute("INSERT INTO schema_version VALUES (?, ?, ?)", (owner, n, migration.name))


def _refuse_strangers(connection: sqlite3.Connection, path: Path, schemas: Mapping[str, Sequence[Migration]]) -> None:
    """Refuse a file with tables of an owner that this program does not know, before anything is changed in it."""
    for owner, name in connection.execute("SELECT owner, name FROM schema_version ORDER BY n DESC").fetchall():
        if owner not in schemas:
            raise _stranger(path, owner, name)


def _stranger(path: Path, owner: str, name: str) -> JournalError:
    return JournalError(
        f"{path}: written by another version of this program ({owner}: {name!r} is not known here), and none goes "
        "back: start that version, restore a backup that was made before it, or set this file aside"
    )
