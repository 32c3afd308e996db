"""The series store: takes observations from the event loop and never makes it wait."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from monitor.store.history import LocalHistory
from monitor.store.keeper import Keeper
from monitor.store.rows import Columns, Stats
from monitor.store.schema import column, table
from probes.model import Observation

logger = logging.getLogger(__name__)

COMMIT_ROWS = 2_000
CLOSE_SECONDS = 0.8
"""How long `close` waits for what is still queued; what is left then is dropped and counted."""
BREATH_SECONDS = 0.1
"""Between two slices of folding while there are no looks: past days take a fifth of a core at most."""


class SeriesStore(LocalHistory):
    """Day files in ``folder``. The newest ``retention_days`` of them are kept, whatever the machine's clock says.

    Rollups stand beside them, ``rollup_days`` of them.
    A crash costs the looks of the last ``commit_seconds`` at most.
    """

    def __init__(
        self,
        folder: Path,
        columns: Columns,
        *,
        retention_days: int = 30,
        rollup_days: int = 3_660,
        queue_rows: int = 100_000,
        commit_seconds: float = 1.0,
        owes: Callable[[date], bool] | None = None,
    ) -> None:
        """Start the writer thread; opens nothing yet. ValueError when a kind or key cannot be a name in a table.

        ``owes``: whether somebody still has to read a day's looks, so that it is not archived; called in that thread.
        """
        for kind, keys in columns.items():
            table(kind)
            for key in keys:
                column(key)
        self._queue = _Queue(queue_rows, commit_seconds)
        self._keeper = Keeper(folder, columns, retention_days=retention_days, rollup_days=rollup_days, owes=owes)
        super().__init__(folder, self._keeper.say)
        self._thread = threading.Thread(target=self._write, name="series", daemon=True)
        self._thread.start()

    def _write(self) -> None:
        """Work in the writer thread until the queue is closed and empty."""
        busy = False
        while (batch := self._queue.take(idle=not busy)) or not self._queue.closed:
            self._keeper.store(batch)
            busy = self._keeper.tend()
        self._keeper.close()

    def add(self, observations: Iterable[Observation]) -> None:
        """Queue them for the next commit; when the queue is full the oldest go."""
        self._queue.put(observations)

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
            written=self._keeper.written,
            dropped=self._queue.dropped + self._keeper.dropped,
            error=self._keeper.error,
            bytes=self._keeper.bytes,
            note=self._keeper.archiver.note,
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

    def take(self, *, idle: bool) -> list[Observation]:
        """Wait for work, then ``patience`` seconds for more of it; return up to COMMIT_ROWS, [] at the end.

        Who is not ``idle`` has other work and does not wait long for the first look.
        """
        if not self._some.wait(None if idle else BREATH_SECONDS):
            return []
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
