"""Reading and writing a day as Parquet. Only the helper process and the command line import this: pyarrow is 100 MB."""

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from monitor.store.archive import FOLDER, LOOSE, MANIFEST, ArchiveError, File, Manifest, checksum, manifest
from monitor.store.files import open_to_read
from monitor.store.rows import MICROSECOND, MILLISECOND, OUTCOMES, Row, midnight, unpack
from monitor.store.schema import Scales, column, kinds_of, sources, table
from probes.model import Outcome, Value

GROUP_ROWS = 120_000
"""Rows of a row group: some series, so that a question about one reads little."""
BATCH_ROWS = 20_000
NAMES = ("check", "part", "vantage")
MICROSECONDS = pa.timestamp("us", "UTC")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WORDS = pa.array([outcome.value for outcome in OUTCOMES])


def write(folder: Path, day: date) -> Manifest:
    """Archive a day file: all of it in the end, or nothing. Raises ArchiveError, OSError, sqlite3.Error."""
    home = folder / FOLDER
    made = home / f".{day}.partial"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    with open_to_read(folder / f"{day}.sqlite") as db:
        files = [file for kind, scales in kinds_of(db).items() if (file := _write_kind(db, day, made, kind, scales))]
        files += [file] if (file := _write_loose(db, day, made)) else []
        told = Manifest(day, tuple(files))
        _compare(db, told)
    (made / MANIFEST).write_text(told.dump(), "utf-8")
    for path in made.iterdir():
        _sync(path)
    _sync(made)
    made.rename(home / day.isoformat())
    _sync(home)
    return told


def _compare(db: sqlite3.Connection, told: Manifest) -> None:
    """Raise ArchiveError unless every row is there."""
    for name in [name for kind in kinds_of(db) for name in sources(db, kind)[1:]]:
        if db.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone():  # noqa: S608 - the name is quoted
            raise ArchiveError(f"{told.day} has looks that are not sorted in yet")
    for file in told.files:
        source = LOOSE if file.kind == LOOSE else table(file.kind)
        (rows,) = db.execute(f"SELECT count(*) FROM {source}").fetchone()  # noqa: S608 - the name is quoted
        if rows != file.rows:
            raise ArchiveError(f"{file.name} has {file.rows} of {rows} rows")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _named(db: sqlite3.Connection, source: str, columns: str, *more: str) -> sqlite3.Cursor:
    """Select rows of every series, in order of name and time."""
    order = ", ".join(('s."check"', "s.part", "s.vantage", "t.at", *more))
    return db.execute(
        f'SELECT s."check", s.part, s.vantage, t.at{columns} FROM series s JOIN {source} t ON t.series = s.id '  # noqa: S608 - names are quoted
        f"ORDER BY {order}"
    )


def _time(db: sqlite3.Connection, source: str) -> pa.DataType:
    """Return milliseconds, or microseconds where an earlier version has kept them."""
    query = f"SELECT 1 FROM {source} WHERE at % {MILLISECOND} != 0 LIMIT 1"  # noqa: S608 - the name is quoted
    return pa.timestamp("us" if db.execute(query).fetchone() else "ms", "UTC")


def _write_kind(db: sqlite3.Connection, day: date, made: Path, kind: str, scales: Scales) -> File | None:
    fields = [pa.field(name, pa.string(), nullable=False) for name in NAMES]
    fields += [pa.field("at", _time(db, table(kind)), nullable=False), pa.field("outcome", pa.string(), nullable=False)]
    for key, scale in scales.items():
        said = None if scale is None else {"scale": repr(scale)}
        fields.append(pa.field(key, pa.string() if scale is None else pa.int64(), metadata=said))
    cursor = _named(db, table(kind), ", t.outcome" + "".join(f", t.{column(key)}" for key in scales))
    path = made / f"{kind}.parquet"
    rows = _write_file(path, pa.schema(fields), cursor, day)
    known = {key: scale for key, scale in scales.items() if scale is not None}
    return File(path.name, kind, rows, path.stat().st_size, checksum(path), list(scales), known) if rows else None


def _write_loose(db: sqlite3.Connection, day: date, made: Path) -> File | None:
    fields = [pa.field(name, pa.string()) for name in NAMES]
    fields += [pa.field("at", _time(db, LOOSE)), pa.field("key", pa.string())]
    fields += [pa.field("integer", pa.int64()), pa.field("real", pa.float64()), pa.field("text", pa.string())]
    split = "".join(f", iif(typeof(t.value) = '{kind}', t.value, NULL)" for kind in ("integer", "real", "text"))
    path = made / f"{LOOSE}.parquet"
    rows = _write_file(path, pa.schema(fields), _named(db, LOOSE, f", t.key{split}", "t.key"), day)
    keys = [key for (key,) in db.execute("SELECT DISTINCT key FROM loose")]
    return File(path.name, LOOSE, rows, path.stat().st_size, checksum(path), keys, {}) if rows else None


def _write_file(path: Path, schema: pa.Schema, cursor: sqlite3.Cursor, day: date) -> int:
    """Write all rows; return how many. Names repeat and are written once; numbers as the step from one to the next."""
    words = [field.name for field in schema if field.type == pa.string()]
    steps = [field.name for field in schema if field.type == pa.int64() or field.name == "at"]
    how = {
        "compression": "zstd",
        "use_dictionary": words,
        "column_encoding": dict.fromkeys(steps, "DELTA_BINARY_PACKED"),
    }
    rows = 0
    writer = None
    try:
        while block := cursor.fetchmany(GROUP_ROWS):
            writer = writer or pq.ParquetWriter(path, schema, **how)
            writer.write_table(_block(block, schema, day))
            rows += len(block)
    finally:
        if writer is not None:
            writer.close()
    return rows


def _block(block: Sequence[tuple[Any, ...]], schema: pa.Schema, day: date) -> pa.Table:
    start = (midnight(day) - EPOCH) // MICROSECOND
    arrays = []
    for field, column_ in zip(schema, zip(*block, strict=True), strict=True):
        if field.name == "at":
            arrays.append(pc.add(pa.array(column_, pa.int64()), start).cast(MICROSECONDS).cast(field.type))
        elif field.name == "outcome":
            arrays.append(WORDS.take(pa.array(column_)))
        else:
            arrays.append(pa.array(column_, field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def read(folder: Path, day: date, name: tuple[str, str] | None, since: datetime, until: datetime) -> Iterator[Row]:
    """Yield the looks of an archived day, of one (check, part) or of all, by series and time; raises ArchiveError."""
    told = manifest(folder, day)
    home = folder / FOLDER / day.isoformat()
    wanted = (pc.field("at") >= pa.scalar(since)) & (pc.field("at") < pa.scalar(until))
    if name is not None:
        wanted &= (pc.field("check") == name[0]) & (pc.field("part") == name[1])
    try:
        loose: dict[Key, dict[str, Value]] = {}
        for file in sorted(told.files, key=lambda file: file.kind != LOOSE):
            for batch in ds.dataset(home / file.name).scanner(filter=wanted, batch_size=BATCH_ROWS).to_batches():
                if file.kind == LOOSE:
                    _add_loose(batch, loose)
                else:
                    yield from _rows(batch, file, loose)
    except (OSError, pa.ArrowException) as error:
        raise ArchiveError(f"{home} cannot be read: {error}") from error


Key = tuple[str, str, str, datetime]


def _add_loose(batch: pa.RecordBatch, loose: dict[Key, dict[str, Value]]) -> None:
    for row in batch.to_pylist():
        value = next(row[each] for each in ("integer", "real", "text") if row[each] is not None)
        loose.setdefault((row["check"], row["part"], row["vantage"], row["at"]), {})[row["key"]] = value


def _rows(found: pa.RecordBatch, file: File, loose: dict[Key, dict[str, Value]]) -> Iterator[Row]:
    keys = found.schema.names[5:]
    for check, part, vantage, at, outcome, *stored in zip(
        *(column_.to_pylist() for column_ in found.columns), strict=True
    ):
        values: dict[str, Value] = {
            key: unpack(value, file.scales.get(key))
            for key, value in zip(keys, stored, strict=True)
            if value is not None
        }
        values.update(loose.get((check, part, vantage, at), {}))
        yield Row(check, part, file.kind, vantage, at, Outcome(outcome), values)
