"""One day of series in one SQLite file that describes itself: scales and series names stand in it."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

from monitor.store.rows import OUTCOMES, Columns, loose, offset, pack
from probes.model import Observation, Part

SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY,
    "check" TEXT NOT NULL,
    part TEXT NOT NULL,
    vantage TEXT NOT NULL,
    kind TEXT NOT NULL,
    UNIQUE ("check", part, vantage)
) STRICT;
CREATE TABLE IF NOT EXISTS scale (
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
LATEST = "INSERT INTO latest VALUES (?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)"
LOOSE = "INSERT OR REPLACE INTO loose VALUES (?, ?, ?, ?)"
SERIES = 'INSERT INTO series ("check", part, vantage, kind) VALUES (?, ?, ?, ?) RETURNING id'

Scales = Mapping[str, float | None]
Identity = tuple[str, str, str]
"""Check, part, vantage."""


def table(kind: str) -> str:
    """Return the quoted name of a probe kind's table; a kind is a slug, so nothing in it can end the quote."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", kind):
        raise ValueError(f"a probe kind is lower-case letters, digits, - and _, not {kind!r}")
    return f'"probe_{kind}"'


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


class DayFile:
    """The writer's hold on one day; lives in the writer thread alone."""

    def __init__(self, path: Path, day: date, columns: Columns) -> None:
        """Open or create; sqlite3.Error when that is not possible."""
        self.path = path
        self.day = day
        self._columns = columns
        self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        self._scales = scales_of(self._db)
        self._inserts: dict[str, str] = {}
        rows = self._db.execute('SELECT id, "check", part, vantage FROM series')
        self._ids: dict[Identity, int] = {(check, part, vantage): id_ for id_, check, part, vantage in rows}

    def write(self, observations: Iterable[Observation]) -> None:
        """Store all of them in one transaction, or none; a look that is there already is replaced."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._insert(observations)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _insert(self, observations: Iterable[Observation]) -> None:
        rows: dict[str, list[tuple[object, ...]]] = defaultdict(list)
        extra: list[tuple[object, ...]] = []
        for look in observations:
            at = offset(look.at, self.day)
            scales = self._prepare_kind(look.kind)
            for name, part in look.parts.items():
                id_ = self._id(look, name)
                rows[look.kind].append((id_, at, OUTCOMES.index(part.outcome), *_packed(part, scales)))
                extra.extend((id_, at, key, value) for key, value in _loose(part, scales))
        for kind, batch in rows.items():
            self._db.executemany(self._inserts[kind], batch)
            self._db.executemany(LATEST, [row[:2] for row in batch])
        self._db.executemany(LOOSE, extra)

    def _id(self, look: Observation, part: str) -> int:
        identity = (look.check, part, look.vantage)
        if (known := self._ids.get(identity)) is not None:
            return known
        (id_,) = self._db.execute(SERIES, (*identity, look.kind)).fetchone()
        self._ids[identity] = id_
        return int(id_)

    def _prepare_kind(self, kind: str) -> Scales:
        """Make the kind's table and columns; a column that this day knows keeps its scale."""
        if kind in self._inserts:
            return self._scales[kind]
        known = self._scales.setdefault(kind, {})
        name = table(kind)
        self._db.execute(
            f"CREATE TABLE IF NOT EXISTS {name} (series INTEGER NOT NULL, at INTEGER NOT NULL, "
            "outcome INTEGER NOT NULL, PRIMARY KEY (series, at)) STRICT, WITHOUT ROWID",
        )
        for key, scale in self._columns.get(kind, {}).items():
            if key not in known:
                affinity = "TEXT" if scale is None else "INTEGER"
                self._db.execute(f"ALTER TABLE {name} ADD COLUMN {column(key)} {affinity}")
                self._db.execute("INSERT INTO scale VALUES (?, ?, ?)", (kind, key, scale))
                known[key] = scale
        self._inserts[kind] = _insert_into(name, known)
        return known

    def close(self) -> None:
        """Give the file back; SQLite moves its WAL into it."""
        self._db.close()


def _insert_into(name: str, scales: Scales) -> str:
    columns = ", ".join(("series", "at", "outcome", *map(column, scales)))
    marks = ", ".join("?" * (3 + len(scales)))
    return f"INSERT OR REPLACE INTO {name} ({columns}) VALUES ({marks})"  # noqa: S608 - names are quoted above


def _packed(part: Part, scales: Scales) -> Sequence[int | str | None]:
    return [pack(part.values[key], scale) if key in part.values else None for key, scale in scales.items()]


def _loose(part: Part, scales: Scales) -> Iterator[tuple[str, object]]:
    """Yield what has no column, or does not fit the one it has."""
    for key, value in part.values.items():
        if key in scales and pack(value, scales[key]) is not None:
            continue
        if (stored := loose(value)) is not None:
            yield key, stored


def set_aside(path: Path) -> Path:
    """Rename a damaged file, and its WAL, out of the way; return its new name."""
    count = sum(1 for _ in path.parent.glob(f"{path.name}.corrupt*"))
    aside = path.with_name(f"{path.name}.corrupt" + (f"-{count}" if count else ""))
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        side = path.with_name(path.name + suffix)
        if side.exists():
            side.rename(aside.with_name(aside.name + suffix))
    return aside


def damaged(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file itself is broken."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def open_to_read(path: Path) -> closing[sqlite3.Connection]:
    """Open a day file for one reading; it sees what is committed."""
    return closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0))
