"""Which series there are, with what is known of their targets; a damaged one is made again as looks come."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from monitor.store.files import damaged, open_to_read, open_to_write, set_aside, transaction
from monitor.store.schema import Identity
from probes.model import Target

FILE = "catalogue.db"
SCHEMA = """
CREATE TABLE series (
    "check" TEXT NOT NULL,
    part TEXT NOT NULL,
    vantage TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    address TEXT NOT NULL,
    family INTEGER NOT NULL,
    labels TEXT NOT NULL,
    first TEXT NOT NULL,
    last TEXT NOT NULL,
    PRIMARY KEY ("check", part, vantage)
) STRICT, WITHOUT ROWID
"""
LEARN = """
INSERT INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?10, ?9)
ON CONFLICT DO UPDATE SET kind = excluded.kind, target = excluded.target,
    address = iif(excluded.address = '', address, excluded.address),
    family = iif(excluded.address = '', family, excluded.family),
    labels = iif(excluded.address = '', labels, excluded.labels),
    last = max(last, excluded.last), first = min(first, excluded.first)
"""


@dataclass(frozen=True, slots=True)
class Series:
    """One series: labels as the target had them last; the first and last day on which there are looks."""

    check: str
    part: str
    vantage: str
    kind: str
    target: Target
    first: date
    last: date


def learn(folder: Path, day: date, found: Sequence[tuple[Identity, str, Target]]) -> None:
    """Write down series that were seen on a day; a damaged catalogue is made anew. Raises sqlite3.Error, OSError."""
    try:
        _learn(folder / FILE, day, found)
    except sqlite3.DatabaseError as error:
        if not damaged(error):
            raise
        set_aside(folder / FILE)
        _learn(folder / FILE, day, found)


def _learn(path: Path, day: date, found: Sequence[tuple[Identity, str, Target]]) -> None:
    rows = [
        (*name, kind, target.id, target.address, target.family, _labels(target), day.isoformat(), day.isoformat())
        for name, kind, target in found
    ]
    db = open_to_write(path, (SCHEMA,))
    try:
        with transaction(db):
            db.executemany(LEARN, rows)
    finally:
        db.close()


def _labels(target: Target) -> str:
    return json.dumps(dict(target.labels), sort_keys=True)


def series(folder: Path) -> list[Series]:
    """Return all that is known, in order of check, part and vantage; nothing where there is no catalogue yet."""
    if not (folder / FILE).exists():
        return []
    query = 'SELECT "check", part, vantage, kind, target, address, family, labels, first, last FROM series'
    with open_to_read(folder / FILE) as db:
        return [_series(row) for row in db.execute(query)]


def _series(row: tuple[Any, ...]) -> Series:
    check, part, vantage, kind, target, address, family, labels, first, last = row
    known = Target(target, address, family, json.loads(labels))
    return Series(check, part, vantage, kind, known, date.fromisoformat(first), date.fromisoformat(last))
