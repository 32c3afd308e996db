"""One day of series in one SQLite file that describes itself: scales and series names stand in it."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from monitor.store.files import Step, open_to_write, transaction
from monitor.store.fold import WIDTHS
from monitor.store.rows import MILLISECOND, OUTCOMES, SECOND, Columns, loose, midnight, pack
from probes.model import Observation, Part, Target, Value

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
PLAIN = 2.0**62
"""What `pack` takes; NaN and infinity are neither above nor below."""
STORED = {outcome: number for number, outcome in enumerate(OUTCOMES)}
LOOSE = "INSERT OR REPLACE INTO loose VALUES (?, ?, ?, ?)"
SERIES = 'INSERT INTO series ("check", part, vantage, kind) VALUES (?, ?, ?, ?) RETURNING id'

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


def _all_pending(db: sqlite3.Connection, widths: Iterable[int] = WIDTHS) -> None:
    """Note every stretch in which there are looks."""
    for name in map(table, kinds_of(db)):
        for width in widths:
            query = f"INSERT OR IGNORE INTO pending SELECT DISTINCT ?1, at / (?1 * {SECOND}) * ?1 FROM {name}"  # noqa: S608 - quoted
            db.execute(query, (width,))


def _all_touched(db: sqlite3.Connection) -> None:
    """Note every 10 seconds in which there are looks, for who exports them."""
    looks = " UNION ".join(f"SELECT at / {STRETCH} * 10 AS ten FROM {name}" for name in map(table, kinds_of(db)))  # noqa: S608 - quoted
    if looks:
        db.execute(f"INSERT INTO touched (at) SELECT ten FROM ({looks}) ORDER BY ten")  # noqa: S608 - of quoted names of tables


def _make_tables(db: sqlite3.Connection, kind: str) -> None:
    rest = "at INTEGER NOT NULL, outcome INTEGER NOT NULL"
    keyed = f"series INTEGER NOT NULL, {rest}, PRIMARY KEY (series, at)"
    db.execute(f"CREATE TABLE IF NOT EXISTS {table(kind)} ({keyed}) STRICT, WITHOUT ROWID")
    db.execute(f"CREATE TABLE IF NOT EXISTS {newest(kind)} (series INTEGER PRIMARY KEY, {rest}) STRICT")


def _add_column(db: sqlite3.Connection, name: str, key: str, scale: float | None) -> None:
    db.execute(f"ALTER TABLE {name} ADD COLUMN {column(key)} {'TEXT' if scale is None else 'INTEGER'}")


def _columns(scales: Scales) -> str:
    return ", ".join(("series", "at", "outcome", *map(column, scales)))


def _latest_by_kind(db: sqlite3.Connection) -> None:
    """Hold the last looks themselves, where an earlier version held their times."""
    for kind, scales in kinds_of(db).items():
        _make_tables(db, kind)
        for key, scale in scales.items():
            _add_column(db, newest(kind), key, scale)
        names, found = _columns(scales), f"latest CROSS JOIN {table(kind)} USING (series, at)"
        db.execute(f"INSERT INTO {newest(kind)} ({names}) SELECT {names} FROM {found}")  # noqa: S608 - quoted
    db.execute("DROP TABLE latest")


STEPS: Sequence[Step] = (SCHEMA, PENDING, _all_pending, TOUCHED, _all_touched, _latest_by_kind)


class DayFile:
    """The writer's hold on one day; lives in the writer thread alone."""

    def __init__(self, path: Path, day: date, columns: Columns) -> None:
        """Open or create; sqlite3.Error when that is not possible."""
        self.path = path
        self.day = day
        self._columns = columns
        self.db = open_to_write(path, STEPS)
        self.scales = scales_of(self.db)
        self._inserts: dict[str, tuple[str, str]] = {}
        """Kind -> how a look is written, and how it becomes the last one."""
        rows = self.db.execute('SELECT id, "check", part, vantage FROM series')
        self._stored: dict[Identity, int] = {(check, part, vantage): id_ for id_, check, part, vantage in rows}
        self._ids: dict[Identity, int] = {}
        """Of `_stored`, what has been seen since the file was opened."""
        self.names = {id_: name for name, id_ in self._stored.items()}
        self.pending = dict.fromkeys(self.db.execute("SELECT width, at FROM pending"), 0)
        """What is to be folded, each with the last series that is done already."""
        self.fresh: list[tuple[Identity, str, Target]] = []
        """Series with their kind, seen for the first time since somebody emptied this list."""

    def write(self, observations: Iterable[Observation]) -> None:
        """Store all of them in one transaction, or none; a look that is there already is replaced."""
        with transaction(self.db):
            times = self._insert(observations)
            buckets = {(width, at // (width * SECOND) * width) for at in times for width in WIDTHS}
            if new := buckets - self.pending.keys():
                self.db.executemany("INSERT INTO pending VALUES (?, ?)", new)
            self.db.executemany("INSERT INTO touched (at) VALUES (?)", sorted({(at // STRETCH * 10,) for at in times}))
        self.pending.update(dict.fromkeys(buckets, 0))

    def _insert(self, observations: Iterable[Observation]) -> set[int]:
        """Return the times of the looks."""
        times: set[int] = set()
        start = midnight(self.day)
        rows: dict[str, list[tuple[object, ...]]] = defaultdict(list)
        extra: list[tuple[object, ...]] = []
        for look in observations:
            since = look.at - start
            at = since.seconds * SECOND + since.microseconds // MILLISECOND * MILLISECOND
            scales = self._prepare_kind(look.kind)
            times.add(at)
            for name, part in look.parts.items():
                id_ = self._id(look, name)
                packed = _packed(part.values, scales)
                rows[look.kind].append((id_, at, STORED[part.outcome], *packed))
                if len(packed) - packed.count(None) < len(part.values):
                    extra.extend((id_, at, key, value) for key, value in _loose(part, scales))
        for kind, batch in rows.items():
            for statement in self._inserts[kind]:
                self.db.executemany(statement, batch)
        if extra:
            self.db.executemany(LOOSE, extra)
        return times

    def _id(self, look: Observation, part: str) -> int:
        identity = (look.check, part, look.vantage)
        if (known := self._ids.get(identity)) is not None:
            return known
        if (id_ := self._stored.get(identity)) is None:
            (id_,) = self.db.execute(SERIES, (*identity, look.kind)).fetchone()
            self.names[int(id_)] = identity
        self._ids[identity] = int(id_)
        self.fresh.append((identity, look.kind, look.target))
        return int(id_)

    def _prepare_kind(self, kind: str) -> Scales:
        """Make the kind's table and columns; a column that this day knows keeps its scale."""
        if kind in self._inserts:
            return self.scales[kind]
        known = self.scales.setdefault(kind, {})
        _make_tables(self.db, kind)
        for key, scale in self._columns.get(kind, {}).items():
            if key not in known:
                for name in (table(kind), newest(kind)):
                    _add_column(self.db, name, key, scale)
                self.db.execute("INSERT INTO scale VALUES (?, ?, ?)", (kind, key, scale))
                known[key] = scale
        self._inserts[kind] = _insert_into(table(kind), known), _upsert_into(newest(kind), known)
        return known

    def folded(self, bucket: Bucket) -> None:
        """Note that a rollup holds all that is here."""
        self.db.execute("DELETE FROM pending WHERE width = ? AND at = ?", bucket)
        self.pending.pop(bucket, None)

    def fold_again(self, width: int) -> None:
        """Note that the rollups of a width are gone."""
        with transaction(self.db):
            _all_pending(self.db, (width,))
        self.pending |= dict.fromkeys(self.db.execute("SELECT width, at FROM pending WHERE width = ?", (width,)), 0)

    def close(self) -> None:
        """Give the file back; SQLite moves its WAL into it."""
        self.db.close()


def _insert_into(name: str, scales: Scales) -> str:
    marks = ", ".join("?" * (3 + len(scales)))
    return f"INSERT OR REPLACE INTO {name} ({_columns(scales)}) VALUES ({marks})"  # noqa: S608 - names are quoted above


def _upsert_into(name: str, scales: Scales) -> str:
    marks = ", ".join("?" * (3 + len(scales)))
    new = ", ".join(f"{each} = excluded.{each}" for each in ("at", "outcome", *map(column, scales)))
    return (
        f"INSERT INTO {name} ({_columns(scales)}) VALUES ({marks}) "  # noqa: S608 - names are quoted above
        f"ON CONFLICT DO UPDATE SET {new} WHERE excluded.at >= at"
    )


def _packed(values: Mapping[str, Value], scales: Scales) -> list[int | str | None]:
    """`pack` for each column; what most values are is done here, without a call."""
    packed: list[int | str | None] = []
    for key, scale in scales.items():
        value = values.get(key)
        if type(value) is float and scale and -PLAIN < (stored := value / scale) < PLAIN:
            packed.append(round(stored))
        elif type(value) is int and scale == 1 and -PLAIN < value < PLAIN:
            packed.append(value)
        elif value is None:
            packed.append(None)
        else:
            packed.append(pack(value, scale))
    return packed


def _loose(part: Part, scales: Scales) -> Iterator[tuple[str, object]]:
    """Yield what has no column, or does not fit the one it has."""
    for key, value in part.values.items():
        if key in scales and pack(value, scales[key]) is not None:
            continue
        if (stored := loose(value)) is not None:
            yield key, stored
