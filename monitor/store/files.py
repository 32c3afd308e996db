"""What every SQLite file of the store has in common: opening, schema versions, damage."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

Step = str | Callable[[sqlite3.Connection], None]
"""One change of a schema: statements, or what makes them."""

SIDES = ("-wal", "-shm")
WAL_PAGES = 4_000
"""16 MB: a page that every second's looks touch goes to the file itself once in four, a sixth of the CPU of a look."""


class TooNewError(sqlite3.OperationalError):
    """A later Lambi has written the file: it is read and not written."""


def open_to_write(path: Path, steps: Sequence[Step]) -> sqlite3.Connection:
    """Open or create, and bring the schema up to date; sqlite3.Error when that is not possible."""
    db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
        _migrate(db, path, steps)
    except BaseException:
        db.close()
        raise
    return db


def _migrate(db: sqlite3.Connection, path: Path, steps: Sequence[Step]) -> None:
    """Take the steps that the file has not taken, each in a transaction with its number: whoever is killed goes on."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(steps):
        raise TooNewError(f"{path} was written by a later version of Lambi")
    for number, step in enumerate(steps[version:], start=version + 1):
        with transaction(db):
            if callable(step):
                step(db)
            else:
                for statement in filter(str.strip, step.split(";")):
                    db.execute(statement)
            db.execute(f"PRAGMA user_version={number}")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit all of it, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def open_to_read(path: Path) -> closing[sqlite3.Connection]:
    """Open a file for one reading; it sees what is committed when that begins."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)
    db.execute("BEGIN")
    return closing(db)


def day_files(folder: Path) -> list[tuple[date, Path]]:
    """Return the day files, oldest first; nothing else in the folder counts."""
    found = []
    for path in folder.glob("????-??-??.sqlite"):
        try:
            found.append((date.fromisoformat(path.stem), path))
        except ValueError:
            continue
    return sorted(found)


def damaged(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file itself is broken."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def set_aside(path: Path) -> Path:
    """Rename a damaged file, and its WAL, out of the way; return its new name."""
    count = sum(1 for _ in path.parent.glob(f"{path.name}.corrupt*"))
    aside = path.with_name(f"{path.name}.corrupt" + (f"-{count}" if count else ""))
    path.rename(aside)
    for suffix in SIDES:
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.rename(aside.with_name(aside.name + suffix))
    return aside


def remove(path: Path) -> None:
    """Unlink a file and its WAL."""
    for each in (path, *(path.with_name(path.name + suffix) for suffix in SIDES)):
        each.unlink(missing_ok=True)
