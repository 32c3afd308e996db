"""The journal as a file: copied as of one moment while it is written, and made ready to go on elsewhere."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from alerting.journal import JournalError, Transaction, micros

DOUBT = "restored from a backup: whether it has left since is not known"
"""The error of a try that nobody has seen: its message leaves once more, marked as a repetition."""

# Whatever was due when the journal goes on, and waited when it was copied: the daemon that was copied may have sent it.
_MAY_HAVE_LEFT = """
INSERT INTO attempt (notification, number, channel, repeats, revision, severity, closed, intent_at, ended_at, status,
    error, parts)
SELECT n.id, (SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE notification = n.id), n.channel, NULL, n.revision,
    n.severity, n.reason = 'resolved', ?1, ?1, 'unknown', ?2, 0
FROM notification n WHERE n.state = 'planned' AND n.due_at <= ?1 AND n.reason <> 'test'
    AND NOT EXISTS (SELECT 1 FROM attempt WHERE notification = n.id AND status = 'unknown')
ORDER BY n.id
RETURNING id"""
# As one message for each contact and channel: a storm that waited must not leave as a flood of repetitions.
_AS_ONE = """
UPDATE attempt SET bundle = fresh.lead FROM (
    SELECT a.id, min(a.id) OVER who AS lead, count(*) OVER who AS many
    FROM attempt a JOIN notification n ON n.id = a.notification WHERE a.id >= ?
    WINDOW who AS (PARTITION BY n.contact, n.channel, EXISTS (SELECT 1 FROM drill WHERE id = n.incident))
) fresh WHERE fresh.id = attempt.id AND fresh.many > 1"""

_NO_DAMAGE = ("ok", "NULL value in ")
"""SQLite before 3.41 finds NULL in each WITHOUT ROWID table whose key has its columns in another order; none can be."""


def copy(source: Path, target: Path) -> None:
    """Copy a journal as it stands at one moment, also while a daemon writes it; raise JournalError."""
    if not source.is_file():
        raise JournalError(f"{source}: there is no journal")
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=10.0)) as here,
            closing(sqlite3.connect(target, isolation_level=None)) as there,
        ):
            here.backup(there)  # all pages in one read transaction: in WAL mode no writer waits for it
            there.execute("PRAGMA journal_mode=DELETE")  # one file, without another beside it
            found = [word for (word,) in there.execute("PRAGMA quick_check(20)") if not word.startswith(_NO_DAMAGE)]
    except sqlite3.Error as error:
        raise JournalError(f"{source}: cannot be copied: {error}") from error
    if found:
        raise JournalError(f"{source}: the journal is damaged: {found[0]}")


def versions(path: Path) -> dict[str, list[str]]:
    """Return the steps of each owner's schema that a journal has gone; raise JournalError."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as found:
            rows = found.execute("SELECT owner, name FROM schema_version ORDER BY owner, n").fetchall()
    except sqlite3.Error as error:
        raise JournalError(f"{path}: this is no journal: {error}") from error
    steps: dict[str, list[str]] = {}
    for owner, name in rows:
        steps.setdefault(owner, []).append(name)
    return steps


async def doubt(tx: Transaction, now: datetime) -> int:
    """Mark what may have left since the copy was made, so that it is said to be a repetition; return how many rows."""
    marked = await tx.execute(_MAY_HAVE_LEFT, (micros(now), DOUBT))
    if marked:
        await tx.execute(_AS_ONE, (min(id_ for (id_,) in marked),))
    return len(marked)
