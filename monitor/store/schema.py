"""The tables of a day file, and how a file of an earlier version comes to have them."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from monitor.store.files import Step
from monitor.store.fold import WIDTHS
from monitor.store.rows import SECOND

NAMED = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY,
    "check" TEXT NOT NULL,
    part TEXT NOT NULL,
    vantage TEXT NOT NULL,
    kind TEXT NOT NULL,
    UNIQUE ("check", part, vantage)
) STRICT;
"""
"""Which number stands for which series, in the file itself."""
SCHEMA = f"""{NAMED}CREATE TABLE IF NOT EXISTS scale (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    scale REAL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (series INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS loose (
    series INTEGER NOT NULL,
    at INTEGER NOT NULL,
    key TEXT NOT NULL,
    value ANY NOT NULL,
    PRIMARY KEY (series, at, key)
) STRICT, WITHOUT ROWID;
"""
PENDING = """
CREATE TABLE pending (
    width INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (width, at)
) STRICT, WITHOUT ROWID
"""
"""Which rollups the looks have outrun: (seconds it covers, second of the day)."""
TOUCHED = "CREATE TABLE touched (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT"
"""In which 10 seconds of the day there are new looks, in the order of their commits: what an exporter's cursor runs
over."""
STRETCH = 10 * SECOND
Scales = Mapping[str, float | None]
Identity = tuple[str, str, str]
"""Check, part, vantage."""
Bucket = tuple[int, int]
"""Seconds that it covers, second of the day at which it begins."""


def table(kind: str) -> str:
    """Return the quoted name of a probe kind's table; a kind is a slug, so nothing in it can end the quote."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", kind):
        raise ValueError(f"a probe kind is lower-case letters, digits, - and _, not {kind!r}")
    return f'"probe_{kind}"'


def newest(kind: str) -> str:
    """Return the quoted name of the table of a kind's last looks: one page for forty series, no seek for each."""
    return table(kind).replace("probe_", "latest_", 1)


def tail(kind: str) -> str:
    """Return the quoted name of the table of a kind's looks that are not sorted into its own table yet."""
    return table(kind).replace("probe_", "tail_", 1)


def column(key: str) -> str:
    """Return a value key as a quoted column name."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", key) or key in {"series", "at", "outcome"}:
        raise ValueError(f"a value key is lower-case letters, digits and _, and no word of the store, not {key!r}")
    return f'"{key}"'


def scales_of(db: sqlite3.Connection) -> dict[str, dict[str, float | None]]:
    """Return kind -> key -> scale as the file itself says; it is read as it was written."""
    found: dict[str, dict[str, float | None]] = defaultdict(dict)
    for kind, key, scale in db.execute("SELECT kind, key, scale FROM scale"):
        found[kind][key] = scale
    return found


def kinds_of(db: sqlite3.Connection) -> dict[str, dict[str, float | None]]:
    """Return kind -> key -> scale of every kind that there are looks of, also where it has no columns."""
    scales = scales_of(db)
    return {kind: scales[kind] for (kind,) in db.execute("SELECT DISTINCT kind FROM series").fetchall()}


def sources(db: sqlite3.Connection, kind: str) -> tuple[str, ...]:
    """Return the tables that hold a kind's looks: its own, and the tail, whose looks are later, series by series."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return (table(kind), tail(kind)) if version >= TAILED else (table(kind),)


def all_pending(db: sqlite3.Connection, widths: Iterable[int] = WIDTHS) -> None:
    """Note every stretch in which there are looks."""
    for name in [name for kind in kinds_of(db) for name in sources(db, kind)]:
        for width in widths:
            query = f"INSERT OR IGNORE INTO pending SELECT DISTINCT ?1, at / (?1 * {SECOND}) * ?1 FROM {name}"  # noqa: S608 - quoted
            db.execute(query, (width,))


def _all_touched(db: sqlite3.Connection) -> None:
    """Note every 10 seconds in which there are looks, for who exports them."""
    looks = " UNION ".join(f"SELECT at / {STRETCH} * 10 AS ten FROM {name}" for name in map(table, kinds_of(db)))  # noqa: S608 - quoted
    if looks:
        db.execute(f"INSERT INTO touched (at) SELECT ten FROM ({looks}) ORDER BY ten")  # noqa: S608 - of quoted names of tables


def make_tables(db: sqlite3.Connection, kind: str) -> None:
    """Make the tables of a kind's looks and of its last ones, without columns."""
    rest = "at INTEGER NOT NULL, outcome INTEGER NOT NULL"
    keyed = f"series INTEGER NOT NULL, {rest}, PRIMARY KEY (series, at)"
    db.execute(f"CREATE TABLE IF NOT EXISTS {table(kind)} ({keyed}) STRICT, WITHOUT ROWID")
    db.execute(f"CREATE TABLE IF NOT EXISTS {newest(kind)} (series INTEGER PRIMARY KEY, {rest}) STRICT")


def make_tail(db: sqlite3.Connection, kind: str, scales: Scales) -> None:
    """Make the tail of a kind, with its columns."""
    rest = "".join(f", {_declared(key, scale)}" for key, scale in scales.items())
    looks = f"series INTEGER NOT NULL, at INTEGER NOT NULL, outcome INTEGER NOT NULL{rest}"
    db.execute(f"CREATE TABLE IF NOT EXISTS {tail(kind)} (seq INTEGER PRIMARY KEY, {looks}) STRICT")


def add_column(db: sqlite3.Connection, name: str, key: str, scale: float | None) -> None:
    """Add a column to one of a kind's tables."""
    db.execute(f"ALTER TABLE {name} ADD COLUMN {_declared(key, scale)}")


def _declared(key: str, scale: float | None) -> str:
    return f"{column(key)} {'TEXT' if scale is None else 'INTEGER'}"


def told(scales: Scales) -> str:
    """Return the names of all columns, in the order in which a look is stored."""
    return ", ".join(("series", "at", "outcome", *map(column, scales)))


def _latest_by_kind(db: sqlite3.Connection) -> None:
    """Hold the last looks themselves, where an earlier version held their times."""
    for kind, scales in kinds_of(db).items():
        make_tables(db, kind)
        for key, scale in scales.items():
            add_column(db, newest(kind), key, scale)
        names, found = told(scales), f"latest CROSS JOIN {table(kind)} USING (series, at)"
        db.execute(f"INSERT INTO {newest(kind)} ({names}) SELECT {names} FROM {found}")  # noqa: S608 - quoted
    db.execute("DROP TABLE latest")


def _tails(db: sqlite3.Connection) -> None:
    """Let looks of a kind wait in a table of their own until many are sorted at once."""
    for kind, scales in kinds_of(db).items():
        make_tail(db, kind, scales)


STEPS: Sequence[Step] = (SCHEMA, PENDING, all_pending, TOUCHED, _all_touched, _latest_by_kind, _tails)
TAILED = 7
"""From this version on a kind has a tail."""
