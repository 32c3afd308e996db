"""The rollups of one day: what was folded from its looks, by 5 minutes or by the hour, in a file that outlives them.

Rows stand in order of time, so that folding appends. Folding the same stretch again replaces its rows: nothing is ever
added to what is there.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from monitor.store.files import open_to_write, transaction
from monitor.store.fold import FIVE_MINUTES, HOUR, Looks, Values, fold
from monitor.store.rows import SECOND
from monitor.store.schema import NAMED, Bucket, Identity, column, kinds_of, sources

SCHEMA = f"""{NAMED}CREATE TABLE quantity (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    "key" TEXT NOT NULL,
    scale REAL NOT NULL,
    UNIQUE (kind, "key", scale)
) STRICT;
CREATE TABLE looks (
    at INTEGER NOT NULL,
    series INTEGER NOT NULL,
    n INTEGER NOT NULL,
    up INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    covered INTEGER NOT NULL,
    PRIMARY KEY (at, series)
) STRICT, WITHOUT ROWID;
CREATE TABLE value (
    at INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    series INTEGER NOT NULL,
    n INTEGER NOT NULL,
    sum ANY NOT NULL,
    min INTEGER NOT NULL,
    max INTEGER NOT NULL,
    last INTEGER NOT NULL,
    p50 INTEGER,
    p95 INTEGER,
    p99 INTEGER,
    points BLOB,
    PRIMARY KEY (at, quantity, series)
) STRICT, WITHOUT ROWID
"""
"""``at`` is seconds from the day's midnight; numbers are integers times the quantity's scale."""
FOLDERS = {FIVE_MINUTES: "rollup/5m", HOUR: "rollup/1h"}
"""Under the folder of the day files; each rollup is called as its day is. Hours are kept for longer than 5 minutes."""
JOIN = "series s CROSS JOIN {} t ON t.series = s.id AND t.at >= ?1 AND t.at < ?2"

Folded = Iterable[tuple[Looks, str, Sequence[Values]]]
"""Looks, kind, values; series by the ids of the file that they were read from."""


def folded(
    db: sqlite3.Connection, bucket: Bucket, ids: tuple[int, int], *, settled: bool = False
) -> Iterator[tuple[Looks, str, Sequence[Values]]]:
    """Fold one stretch of a day file, for the series with first < id <= last; ``settled``: no look of it waits."""
    width, at = bucket
    window = (at * SECOND, (at + width) * SECOND)
    for kind, scales in kinds_of(db).items():
        wanted = "".join(f", t.{column(key)}" for key in scales)
        found = [
            f"SELECT t.series, t.at, t.outcome{wanted} FROM {join} WHERE s.kind = ?3 AND s.id > ?4 AND s.id <= ?5"  # noqa: S608 - names are quoted
            for join in map(JOIN.format, sources(db, kind)[: 1 if settled else None])
        ]
        query = " UNION ALL ".join(found) + " ORDER BY 1, 2"
        keys = [None if scale is None else key for key, scale in scales.items()]
        for looks, values in fold(db.execute(query, (*window, kind, *ids)), keys, shares=width == HOUR):
            yield looks, kind, values


def path_of(folder: Path, width: int, day: date) -> Path:
    """Return where the rollups of a day are."""
    return folder / FOLDERS[width] / f"{day}.sqlite"


class RollupFile:
    """The writer's hold on the rollups of one day and width; lives in the writer thread alone."""

    def __init__(self, path: Path, day: date) -> None:
        """Open or create; sqlite3.Error when that is not possible."""
        self.path = path
        self.day = day
        self.db = open_to_write(path, (SCHEMA,))
        rows = self.db.execute('SELECT "check", part, vantage, id FROM series')
        self._series: dict[Identity, int] = {(check, part, vantage): id_ for check, part, vantage, id_ in rows}
        found = self.db.execute('SELECT kind, "key", scale, id FROM quantity')
        self._quantities: dict[tuple[str, str, float], int] = {
            (kind, key, scale): id_ for kind, key, scale, id_ in found
        }

    def write(
        self, bucket: Bucket, cells: Folded, names: dict[int, Identity], scales: dict[str, dict[str, float | None]]
    ) -> None:
        """Write a slice of a stretch, in one transaction; `begin` comes before the first."""
        at = bucket[1]
        looks, values = [], []
        with transaction(self.db):
            for counted, kind, measured in cells:
                series = self._series_id(names[counted.series], kind)
                looks.append((at, series, *counted[1:]))
                for one in measured:
                    quantity = self._quantity(kind, one.key, scales[kind][one.key] or 1.0)
                    values.append((at, quantity, series, *one[2:]))
            self.db.executemany("INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?, ?, ?)", looks)
            self.db.executemany("INSERT OR REPLACE INTO value VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def begin(self, bucket: Bucket) -> None:
        """Let go of what a stretch was folded to before: a look that was replaced may have had other values."""
        with transaction(self.db):
            for source in ("looks", "value"):
                self.db.execute(f"DELETE FROM {source} WHERE at = ?", bucket[1:])  # noqa: S608 - one of two names

    def _series_id(self, name: Identity, kind: str) -> int:
        if (known := self._series.get(name)) is None:
            query = 'INSERT INTO series ("check", part, vantage, kind) VALUES (?, ?, ?, ?) RETURNING id'
            (known,) = self.db.execute(query, (*name, kind)).fetchone()
            self._series[name] = known
        return known

    def _quantity(self, kind: str, key: str, scale: float) -> int:
        if (known := self._quantities.get((kind, key, scale))) is None:
            query = 'INSERT INTO quantity (kind, "key", scale) VALUES (?, ?, ?) RETURNING id'
            (known,) = self.db.execute(query, (kind, key, scale)).fetchone()
            self._quantities[kind, key, scale] = known
        return known

    def close(self) -> None:
        """Give the file back."""
        self.db.close()
