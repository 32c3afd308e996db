"""The series store: takes observations from the event loop and never makes it wait."""

import asyncio
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path

from monitor.store import read
from monitor.store.day import DayFile, column, damaged, set_aside, table
from monitor.store.rows import Columns, Row, Stats
from probes.model import Observation

logger = logging.getLogger(__name__)

COMMIT_ROWS = 2_000
CLOSE_SECONDS = 0.8
"""How long `close` waits for what is still queued; what is left then is dropped and counted."""


class SeriesStore:
    """Day files in ``folder``. The newest ``retention_days`` of them are kept, whatever the machine's clock says.

    A crash costs the looks of the last ``commit_seconds`` at most.
    """

    def __init__(
        self,
        folder: Path,
        columns: Columns,
        *,
        retention_days: int = 30,
        queue_rows: int = 100_000,
        commit_seconds: float = 1.0,
    ) -> None:
        """Start the writer thread; opens nothing yet. ValueError when a kind or key cannot be a name in a table."""
        for kind, keys in columns.items():
            table(kind)
            for key in keys:
                column(key)
        self._folder = folder
        self._queue = _Queue(queue_rows, commit_seconds)
        self._writer = _Writer(folder, columns, retention_days, self._queue)
        self._thread = threading.Thread(target=self._writer.run, name="series", daemon=True)
        self._thread.start()

    def add(self, observations: Iterable[Observation]) -> None:
        """Queue them for the next commit; when the queue is full the oldest go."""
        self._queue.put(observations)

    async def latest(self) -> list[Row]:
        """Return the last committed look of every series that a kept day knows."""

        def look() -> list[Row]:
            newest: dict[tuple[str, str, str], Row] = {}
            for rows in self._each_day(read.day_files(self._folder)[::-1], read.latest):
                for row in rows:
                    newest.setdefault((row.check, row.part, row.vantage), row)
            return list(newest.values())

        return await asyncio.to_thread(look)

    async def range(self, check: str, part: str, since: datetime, until: datetime) -> list[Row]:
        """Return the committed looks with since <= at < until, oldest first, all vantages."""
        first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()

        def look() -> list[Row]:
            days = [(day, path) for day, path in read.day_files(self._folder) if first <= day <= last]
            found = self._each_day(days, lambda path, day: read.between(path, day, (check, part), since, until))
            return [row for rows in found for row in rows]

        return await asyncio.to_thread(look)

    def _each_day(
        self,
        days: Iterable[tuple[date, Path]],
        look: Callable[[Path, date], list[Row]],
    ) -> Iterable[list[Row]]:
        """Read day after day; a day that cannot be read is said and left out."""
        for day, path in days:
            try:
                yield look(path, day)
            except sqlite3.Error as error:
                if path.exists():  # else retention was faster
                    self._writer.say(f"series of {day} cannot be read: {error}")

    async def close(self) -> None:
        """Write what is queued and give the files back, within a second."""
        self._queue.close()
        await asyncio.to_thread(self._thread.join, CLOSE_SECONDS)
        if self._thread.is_alive():
            self._queue.clear()
            logger.error("series: the disk is too slow, what was queued at the end is dropped")

    def stats(self) -> Stats:
        """Return the figures of this moment."""
        return Stats(
            queued=self._queue.rows,
            written=self._writer.written,
            dropped=self._queue.dropped + self._writer.dropped,
            error=self._writer.error,
            bytes=self._writer.bytes,
        )


class _Queue:
    """Observations between the event loop and the writer, counted in rows."""

    def __init__(self, limit: int, patience: float) -> None:
        self._limit = limit
        self._patience = patience
        self._looks: deque[Observation] = deque()
        self._lock = threading.Lock()
        self._some = threading.Event()
        self._enough = threading.Event()
        self.closed = False
        self.rows = 0
        self.dropped = 0

    def put(self, observations: Iterable[Observation]) -> None:
        with self._lock:
            for look in observations:
                self._looks.append(look)
                self.rows += len(look.parts)
            while self.rows > self._limit:
                self.dropped += self._pop()
            if self._looks and not self._some.is_set():
                self._some.set()
            if self.rows >= COMMIT_ROWS and not self._enough.is_set():
                self._enough.set()

    def take(self) -> list[Observation]:
        """Wait for work, then ``patience`` seconds for more of it; return up to COMMIT_ROWS, [] at the end."""
        self._some.wait()
        if not self.closed:
            self._enough.wait(self._patience)
        with self._lock:
            taken: list[Observation] = []
            rows = 0
            while self._looks and rows < COMMIT_ROWS:
                taken.append(self._looks[0])
                rows += self._pop()
            self._settle()
            return taken

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self.dropped += self.rows
            self.rows = 0
            self._looks.clear()

    def close(self) -> None:
        with self._lock:
            self.closed = True
            self._some.set()
            self._enough.set()

    def _pop(self) -> int:
        rows = len(self._looks.popleft().parts)
        self.rows -= rows
        return rows

    def _settle(self) -> None:
        if self.closed:
            return
        if not self._looks:
            self._some.clear()
        if self.rows < COMMIT_ROWS:
            self._enough.clear()


class _Writer:
    """The one thread that writes. A day file that gives an error is closed, and opened anew for the next batch."""

    def __init__(self, folder: Path, columns: Columns, retention_days: int, queue: _Queue) -> None:
        self._folder = folder
        self._columns = columns
        self._keep = retention_days
        self._queue = queue
        self._open: dict[date, DayFile] = {}
        self._trouble = ""
        self._lasting = ""
        self.written = 0
        self.dropped = 0
        self.bytes = 0

    @property
    def error(self) -> str:
        """What is wrong now, and what was lost for good since the start."""
        return "; ".join(filter(None, (self._trouble, self._lasting)))

    def run(self) -> None:
        while (batch := self._queue.take()) or not self._queue.closed:
            for day, looks in groupby(sorted(batch, key=_day), key=_day):
                self._store(day, list(looks))
            self.bytes = sum(_size(path) for path in self._folder.glob("*.sqlite*"))
        for file in self._open.values():
            file.close()

    def say(self, sentence: str) -> None:
        """Remember what is lost for good."""
        if sentence != self._lasting:
            logger.error("%s", sentence)
        self._lasting = sentence

    def _store(self, day: date, looks: list[Observation]) -> None:
        rows = sum(len(look.parts) for look in looks)
        try:
            try:
                self._write(day, looks)
            except sqlite3.DatabaseError as error:
                if not damaged(error):
                    raise
                self._set_aside(day)
                self._write(day, looks)
        except (sqlite3.Error, OSError) as error:
            self._give_up(day, rows, f"series are not stored: {self._folder}: {error}")
        except Exception:  # a boundary: one odd observation must not end the thread
            logger.exception("series: a defect")
            self._give_up(day, rows, "series are not stored: a defect of ours, see the log")
        else:
            self.written += rows
            self._trouble = ""

    def _write(self, day: date, looks: list[Observation]) -> None:
        file = self._open.get(day)
        if file is None or not file.path.exists():  # somebody removed it: what would be written is gone
            self._release(day)
            file = self._roll(day)
        file.write(looks)

    def _roll(self, day: date) -> DayFile:
        """Open one day more, let go of all but two, and unlink what is too old."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._open[day] = DayFile(self._folder / f"{day}.sqlite", day, self._columns)
        while len(self._open) > 2:
            self._release(min(other for other in self._open if other != day))
        for old, path in read.day_files(self._folder)[: -self._keep]:
            if old not in self._open:
                for each in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))):
                    each.unlink(missing_ok=True)
        return file

    def _set_aside(self, day: date) -> None:
        self._release(day)
        aside = set_aside(self._folder / f"{day}.sqlite")
        self.say(f"series of {day} were damaged and are set aside as {aside}")

    def _give_up(self, day: date, rows: int, sentence: str) -> None:
        self.dropped += rows
        if sentence != self._trouble:
            logger.error("%s", sentence)
        self._trouble = sentence
        self._release(day)

    def _release(self, day: date) -> None:
        if (file := self._open.pop(day, None)) is not None:
            file.close()


def _day(look: Observation) -> date:
    return look.at.date()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
