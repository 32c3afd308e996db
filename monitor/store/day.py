"""One day of series in one SQLite file that describes itself: scales and series names stand in it.

A look is appended to the tail of its kind, a page or two for each commit. Where it is looked for stands a page for each
series: there ten looks of it go together.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from monitor.store.files import open_to_write, transaction
from monitor.store.fold import WIDTHS
from monitor.store.rows import MILLISECOND, OUTCOMES, SECOND, Columns, loose, midnight, pack
from monitor.store.schema import (
    STEPS,
    STRETCH,
    Bucket,
    Identity,
    Scales,
    add_column,
    all_pending,
    column,
    kinds_of,
    make_tables,
    make_tail,
    newest,
    scales_of,
    table,
    tail,
    told,
)
from probes.model import Observation, Part, Target, Value

TAIL_ROWS, TAIL_LOOKS = 20_000, 20
"""How much waits in the tails at most: so many rows, or of many series so many each. Mostly folding asks earlier."""
EVERY = 2**62
SLICE = 1_000
"""Series whose looks are sorted in with one commit: some 20 ms of work."""
PLAIN = 2.0**62
"""What `pack` takes; NaN and infinity are neither above nor below."""
STORED = {outcome: number for number, outcome in enumerate(OUTCOMES)}
LOOSE = "INSERT OR REPLACE INTO loose VALUES (?, ?, ?, ?)"
TOUCH = "UPDATE touched SET seq = seq + 1 WHERE seq = (SELECT max(seq) FROM touched) AND at = ?"
SERIES = 'INSERT INTO series ("check", part, vantage, kind) VALUES (?, ?, ?, ?) RETURNING id'

Stored = tuple[Any, ...]
"""Series, microsecond, outcome, then what each column stores."""


class _Statements:
    """How the looks of one kind are written."""

    def __init__(self, kind: str, scales: Scales) -> None:
        names, place = told(scales), newest(kind)
        marks = ", ".join("?" * (3 + len(scales)))
        new = ", ".join(f"{each} = excluded.{each}" for each in ("at", "outcome", *map(column, scales)))
        become = f"ON CONFLICT DO UPDATE SET {new} WHERE excluded.at >= at"
        some = f"FROM {tail(kind)} WHERE series > ? AND series <= ?"
        last = ", ".join(("series", "max(at)", "outcome", *map(column, scales)))
        self.append = f"INSERT INTO {tail(kind)} ({names}) VALUES ({marks})"  # noqa: S608 - names are quoted above
        self.insert = f"INSERT OR REPLACE INTO {table(kind)} ({names}) VALUES ({marks})"  # noqa: S608 - quoted
        self.upsert = f"INSERT INTO {place} ({names}) VALUES ({marks}) {become}"  # noqa: S608 - quoted
        self.move = (
            f"INSERT OR REPLACE INTO {table(kind)} ({names}) SELECT {names} {some} ORDER BY series, at, seq",
            f"INSERT INTO {place} ({names}) SELECT {last} {some} GROUP BY series {become}",
            f"DELETE {some}",
        )


class DayFile:
    """The writer's hold on one day; lives in the writer thread alone."""

    def __init__(self, path: Path, day: date, columns: Columns) -> None:
        """Open or create; sqlite3.Error when that is not possible."""
        self.path = path
        self.day = day
        self._columns = columns
        self.db = open_to_write(path, STEPS)
        kinds = kinds_of(self.db)
        self.scales = scales_of(self.db) | kinds
        self._kinds = {kind: _Statements(kind, scales) for kind, scales in kinds.items()}
        self._prepared: set[str] = set()
        """Kinds that have every column that is asked for now."""
        rows = self.db.execute('SELECT id, "check", part, vantage FROM series')
        self._stored: dict[Identity, int] = {(check, part, vantage): id_ for id_, check, part, vantage in rows}
        self._ids: dict[Identity, int] = {}
        """Of `_stored`, what has been seen since the file was opened."""
        self.names = {id_: name for name, id_ in self._stored.items()}
        self._last: dict[int, int] = {}
        """When each series was looked at last; who comes later joins the tail."""
        for name in [name for kind in kinds for name in (newest(kind), tail(kind))]:
            self._last |= dict(self.db.execute(f"SELECT series, max(at) FROM {name} GROUP BY series"))  # noqa: S608 - quoted
        self._waiting = self._count_waiting()
        """Rows in all tails."""
        self._sorted = 0
        """The last series whose looks this round has sorted in; 0 between two rounds."""
        self.pending = dict.fromkeys(self.db.execute("SELECT width, at FROM pending"), 0)
        """What is to be folded, each with the last series that is done already."""
        self.fresh: list[tuple[Identity, str, Target]] = []
        """Series with their kind, seen for the first time since somebody emptied this list."""

    def write(self, observations: Iterable[Observation]) -> None:
        """Store all of them in one transaction, or none; a look that is there already is replaced."""
        with transaction(self.db):
            tens = self._insert(observations)
            buckets = {(width, ten // width * width) for ten in tens for width in WIDTHS}
            if new := buckets - self.pending.keys():
                self.db.executemany("INSERT INTO pending VALUES (?, ?)", new)
            for ten in sorted(tens):
                self._touch(ten)
            if self._waiting >= max(TAIL_ROWS, TAIL_LOOKS * len(self.names)):
                self._sort_in()
        self.pending.update(dict.fromkeys(buckets, 0))

    def _touch(self, ten: int) -> None:
        """Note that an exporter has to read these ten seconds again: its cursor has passed what stands there."""
        if not self.db.execute(TOUCH, (ten,)).rowcount:
            self.db.execute("INSERT INTO touched (at) VALUES (?)", (ten,))

    def _insert(self, observations: Iterable[Observation]) -> set[int]:
        """Return in which ten seconds of the day the looks were."""
        tens: set[int] = set()
        start = midnight(self.day)
        rows: dict[str, list[Stored]] = defaultdict(list)
        late: dict[str, list[Stored]] = defaultdict(list)
        extra: list[tuple[object, ...]] = []
        last = self._last
        for look in observations:
            since = look.at - start
            at = since.seconds * SECOND + since.microseconds // MILLISECOND * MILLISECOND
            scales = self._prepare_kind(look.kind)
            tens.add(at // STRETCH * 10)
            for name, part in look.parts.items():
                id_ = self._id(look, name)
                packed = _packed(part.values, scales)
                if at > last.get(id_, -1):
                    last[id_] = at
                    rows[look.kind].append((id_, at, STORED[part.outcome], *packed))
                else:
                    late[look.kind].append((id_, at, STORED[part.outcome], *packed))
                if len(packed) - packed.count(None) < len(part.values):
                    extra.extend((id_, at, key, value) for key, value in _loose(part, scales))
        for kind, batch in rows.items():
            self.db.executemany(self._kinds[kind].append, batch)
            self._waiting += len(batch)
        for kind, batch in late.items():
            self._replace(kind, batch)
        if extra:
            self.db.executemany(LOOSE, extra)
        return tens

    def _replace(self, kind: str, batch: Sequence[Stored]) -> None:
        """Store looks that are not the last of their series, or are told again."""
        ids = {id_ for id_, *_ in batch}
        if self._waiting:
            self._move(kind, min(ids) - 1, max(ids))
        for statement in (self._kinds[kind].insert, self._kinds[kind].upsert):
            self.db.executemany(statement, batch)

    @property
    def unfinished(self) -> bool:
        """Whether something is to be folded or sorted in."""
        return bool(self.pending or self._waiting)

    def holds(self, bucket: Bucket) -> bool:
        """Whether looks of a stretch, or of one before it, wait to be sorted in."""
        end = sum(bucket) * SECOND
        queries = (f"SELECT 1 FROM {tail(kind)} WHERE at < ? LIMIT 1" for kind in self._kinds)  # noqa: S608 - quoted
        return self._waiting > 0 and any(self.db.execute(query, (end,)).fetchone() for query in queries)

    def settle(self) -> bool:
        """Sort a slice of what waits into its place, in one transaction; return whether there was one."""
        if not self._waiting:
            return False
        with transaction(self.db):
            self._sort_in()
        return True

    def _sort_in(self) -> None:
        first, self._sorted = self._sorted, self._sorted + SLICE
        if self._sorted >= len(self.names):
            self._sorted = 0
        for kind in self._kinds:
            self._move(kind, first, self._sorted or EVERY)
        if not self._sorted:
            self._waiting = self._count_waiting()

    def _count_waiting(self) -> int:
        counts = (self.db.execute(f"SELECT count(*) FROM {tail(kind)}").fetchone() for kind in self._kinds)  # noqa: S608 - quoted
        return sum(count for (count,) in counts)

    def _move(self, kind: str, after: int, last: int) -> None:
        """Move what waits of the series with after < id <= last to where it is looked for."""
        for statement in self._kinds[kind].move:
            self.db.execute(statement, (after, last))

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
        if kind in self._prepared:
            return self.scales[kind]
        known = self.scales.setdefault(kind, {})
        make_tables(self.db, kind)
        make_tail(self.db, kind, known)
        for key, scale in self._columns.get(kind, {}).items():
            if key not in known:
                for name in (table(kind), newest(kind), tail(kind)):
                    add_column(self.db, name, key, scale)
                self.db.execute("INSERT INTO scale VALUES (?, ?, ?)", (kind, key, scale))
                known[key] = scale
        self._kinds[kind] = _Statements(kind, known)
        self._prepared.add(kind)
        return known

    def folded(self, bucket: Bucket) -> None:
        """Note that a rollup holds all that is here."""
        self.db.execute("DELETE FROM pending WHERE width = ? AND at = ?", bucket)
        self.pending.pop(bucket, None)

    def fold_again(self, width: int) -> None:
        """Note that the rollups of a width are gone."""
        with transaction(self.db):
            all_pending(self.db, (width,))
        self.pending |= dict.fromkeys(self.db.execute("SELECT width, at FROM pending WHERE width = ?", (width,)), 0)

    def close(self) -> None:
        """Give the file back; SQLite moves its WAL into it."""
        self.db.close()


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
