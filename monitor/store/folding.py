"""Days of the past sorted to the end, and rollups out of day files; a slice at a time, so that no commit waits long."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from monitor.store.day import DayFile
from monitor.store.files import damaged, day_files, open_to_read, set_aside
from monitor.store.fold import FIVE_MINUTES, HOUR, WIDTHS
from monitor.store.rollup import RollupFile, folded, path_of
from monitor.store.rows import Columns, midnight
from monitor.store.schema import Bucket, kinds_of, sources

logger = logging.getLogger(__name__)

GRACE = timedelta(seconds=30)
"""How long after its end a stretch is folded: looks come in when they are over. A later one has it folded again."""
SLICE = {FIVE_MINUTES: 400, HOUR: 40}
"""Series that are folded between two commits: some 20 ms of work."""


class Folding:
    """Owns the rollup files; lives in the writer thread alone."""

    def __init__(self, folder: Path, columns: Columns, say: Callable[[str], None]) -> None:
        """``say`` takes a sentence about what is lost for good."""
        self._folder = folder
        self._columns = columns
        self._say = say
        self._rollups: dict[tuple[date, int], RollupFile] = {}
        self._left: list[date] | None = None
        """Days that nobody writes to and that have something to fold; None before somebody has looked."""
        self._past: DayFile | None = None
        """The one of them that is being folded."""

    def step(self, files: Sequence[DayFile], now: datetime) -> bool:
        """Fold a slice of what is over at ``now``, of the days that are written to first; return whether there was one.

        Raises sqlite3.Error, OSError; nothing is lost then, the next step tries again.
        """
        for file in files:
            if due := _due(file, now):
                if not file.pending[due] and file.holds(due):
                    file.settle()
                else:
                    self._fold(file, due)
                return True
        past = self._next({file.day for file in files})
        if past is None:
            return False
        if past.settle():
            return True
        self._fold(past, min(past.pending, key=_end))
        return True

    @property
    def unfinished(self) -> list[date]:
        """Days of the past with something to do; none before the first step."""
        return [*(self._left or ()), *((self._past.day,) if self._past else ())]

    def open(self, day: date) -> None:
        """Hear that a day is written to again."""
        if self._left and day in self._left:
            self._left.remove(day)
        if self._past and self._past.day == day:
            self._let_go()

    def leave(self, file: DayFile) -> None:
        """Hear that a day is written to no more."""
        if file.unfinished and self._left is not None:
            self._left.append(file.day)
        self._close(file.day)

    def close(self) -> None:
        """Give every file back."""
        self._let_go()
        for day, _ in list(self._rollups):
            self._close(day)

    def _next(self, open_days: set[date]) -> DayFile | None:
        """Return a day of the past with something to do."""
        if self._left is None:
            self._left = [day for day, path in day_files(self._folder) if day not in open_days and _unfinished(path)]
        while self._past is None or not self._past.unfinished:
            self._let_go()
            if not self._left:
                return None
            day = self._left.pop(0)
            if (path := self._folder / f"{day}.sqlite").exists():
                self._past = DayFile(path, day, self._columns)
        return self._past

    def _let_go(self) -> None:
        if self._past is not None:
            past, self._past = self._past, None
            past.close()
            self._close(past.day)

    def _fold(self, file: DayFile, bucket: Bucket) -> None:
        """Fold the next slice of a stretch; with the last one it is done."""
        rollup = self._rollup(file, bucket[0])
        done = file.pending[bucket]
        last = done + SLICE[bucket[0]]
        try:
            cells = list(folded(file.db, bucket, (done, last), settled=True))
        except sqlite3.DatabaseError as error:
            if damaged(error):
                self._say(f"series of {file.day} are damaged in part: what is there is not rolled up")
                del file.pending[bucket]
                return
            raise
        try:
            if not done:
                rollup.begin(bucket)
            rollup.write(bucket, cells, file.names, file.scales)
        except sqlite3.DatabaseError as error:
            self._close(file.day)
            if not damaged(error):
                raise
            self._again(file, bucket[0])
            return
        if last >= len(file.names):
            file.folded(bucket)
        else:
            file.pending[bucket] = last

    def _rollup(self, file: DayFile, width: int) -> RollupFile:
        known = self._rollups.get((file.day, width))
        if known is not None and known.path.exists():
            return known
        if known is not None:  # somebody removed it
            known.close()
        path = path_of(self._folder, width, file.day)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            file.fold_again(width)
        try:
            made = RollupFile(path, file.day)
        except sqlite3.DatabaseError as error:
            if not damaged(error):
                raise
            self._again(file, width)
            made = RollupFile(path, file.day)
        self._rollups[file.day, width] = made
        return made

    def _again(self, file: DayFile, width: int) -> None:
        aside = set_aside(path_of(self._folder, width, file.day))
        self._say(f"rollups of {file.day} were damaged, are set aside as {aside} and made again")
        file.fold_again(width)

    def _close(self, day: date) -> None:
        for width in WIDTHS:
            if (rollup := self._rollups.pop((day, width), None)) is not None:
                rollup.close()


def _end(bucket: Bucket) -> tuple[int, int]:
    width, at = bucket
    return at + width, width


def _due(file: DayFile, now: datetime) -> Bucket | None:
    """Return the earliest stretch that is over."""
    over = (now - GRACE - midnight(file.day)).total_seconds()
    return min((bucket for bucket in file.pending if _end(bucket)[0] <= over), key=_end, default=None)


def _unfinished(path: Path) -> bool:
    try:
        with open_to_read(path) as db:
            tails = [name for kind in kinds_of(db) for name in sources(db, kind)[1:]]
            return any(db.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() for name in ("pending", *tails))  # noqa: S608 - quoted
    except sqlite3.Error as error:
        return "no such table" in str(error)  # written before there were rollups
