"""What the writer thread does: looks into day files, rollups from them, what is too old away."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path

from monitor.store import archive, catalogue
from monitor.store.archive import Archiver
from monitor.store.day import DayFile
from monitor.store.files import damaged, day_files, remove, set_aside
from monitor.store.fold import FIVE_MINUTES, HOUR
from monitor.store.folding import Folding
from monitor.store.rollup import FOLDERS
from monitor.store.rows import Columns
from probes.model import Observation

logger = logging.getLogger(__name__)


FINE_DAYS = 90
"""Rollups of 5 minutes take four times what the archive of the looks takes: so many days of them are kept at most."""


class Keeper:
    """Lives in the writer thread alone. A day file that gives an error is closed, and opened anew by the next batch."""

    def __init__(
        self,
        folder: Path,
        columns: Columns,
        *,
        retention_days: int,
        rollup_days: int,
        archives: bool = True,
        owes: Callable[[date], bool] | None = None,
    ) -> None:
        """``archives``: days of the past become Parquet where that is possible, and where nobody ``owes`` a day."""
        self._folder = folder
        self._columns = columns
        self._keep, self._keep_rollups = retention_days, rollup_days
        self._open: dict[date, DayFile] = {}
        self._folding = Folding(folder, columns, self.say)
        self._now: datetime | None = None
        """The newest look of the last batch: folding goes by it, and a clock that was wrong leaves no trace."""
        self._trouble = {"looks": "", "rollups": "", "catalogue": "", "archive": "", "days": ""}
        self.archiver = Archiver(folder, lambda sentence: self._tell("archive", sentence), owes or (lambda _: False))
        self._archives = archives
        self._lasting = ""
        self.written = 0
        self.dropped = 0
        self.bytes = 0

    @property
    def error(self) -> str:
        """What is wrong now, and what was lost for good since the start."""
        return "; ".join(filter(None, (*self._trouble.values(), self._lasting)))

    def say(self, sentence: str) -> None:
        """Remember what is lost for good."""
        if sentence != self._lasting:
            logger.error("%s", sentence)
        self._lasting = sentence

    def store(self, batch: list[Observation]) -> None:
        """Commit a batch; what cannot be is counted and said."""
        days: dict[date, list[Observation]] = {}
        for look in batch:
            days.setdefault(look.at.date(), []).append(look)
        for day, looks in sorted(days.items()):
            self._store(day, looks)
        self._now = max((look.at for look in batch), default=self._now)

    def tend(self) -> bool:
        """Fold a slice of what is due; return whether there was one, else see to the archive. Measures the files."""
        worked = True
        with self._guarded("rollups", f"rollups are not written: {self._folder}"):
            worked = self._now is not None and self._folding.step(list(self._open.values()), self._now)
        if self._archives and not worked and self._now is not None:
            with self._guarded("days", f"days that are over stay as they are: {self._folder}"):
                self.archiver.step({*self._open, *self._folding.unfinished})
        self.bytes = _bytes(self._folder)
        return worked

    def close(self) -> None:
        """Give every file back."""
        for day in list(self._open):
            self._release(day)
        self._folding.close()
        self.archiver.close()

    @contextmanager
    def _guarded(self, part: str, sentence: str) -> Iterator[None]:
        """Say what goes wrong in what is not the looks themselves."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self._tell(part, f"{sentence}: {error}")
        except Exception:  # a boundary: one odd row must not end the thread
            logger.exception("series: a defect")
            self._tell(part, f"{sentence}: a defect of ours, see the log")
        else:
            self._tell(part, "")

    def _tell(self, part: str, sentence: str) -> None:
        if sentence and sentence != self._trouble[part]:
            logger.error("%s", sentence)
        self._trouble[part] = sentence

    def _store(self, day: date, looks: list[Observation]) -> None:
        rows = sum(len(look.parts) for look in looks)
        if self.archiver.refuses(day):
            self._give_up(day, rows, f"looks of {day} came when that day was archived already: the clock may be wrong")
            return
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
            self._trouble["looks"] = ""

    def _write(self, day: date, looks: list[Observation]) -> None:
        file = self._open.get(day)
        if file is None or not file.path.exists():  # somebody removed it: what would be written is gone
            self._release(day)
            file = self._roll(day)
        file.write(looks)
        if file.fresh:
            with self._guarded("catalogue", f"the catalogue of series is not written: {self._folder / catalogue.FILE}"):
                catalogue.learn(self._folder, day, file.fresh)
                file.fresh.clear()

    def _roll(self, day: date) -> DayFile:
        """Open one day more, let go of all but two, and unlink what is too old."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folding.open(day)
        file = self._open[day] = DayFile(self._folder / f"{day}.sqlite", day, self._columns)
        while len(self._open) > 2:
            self._release(min(other for other in self._open if other != day))
        self._forget()
        self.archiver.turn()
        return file

    def _forget(self) -> None:
        """Unlink what is too old: looks, as they were written or archived, and rollups."""
        days = {day for day, _ in day_files(self._folder)} | set(archive.days(self._folder))
        for old in {*sorted(days)[: -self._keep]} - self._open.keys():
            remove(self._folder / f"{old}.sqlite")
            archive.remove(self._folder, old)
        for width, keep in ((FIVE_MINUTES, min(self._keep, FINE_DAYS)), (HOUR, self._keep_rollups)):
            rollups = dict(day_files(self._folder / FOLDERS[width]))
            for old in {*sorted(days | rollups.keys())[:-keep]} & rollups.keys() - self._open.keys():
                remove(rollups[old])

    def _set_aside(self, day: date) -> None:
        self._release(day)
        aside = set_aside(self._folder / f"{day}.sqlite")
        self.say(f"series of {day} were damaged and are set aside as {aside}")

    def _give_up(self, day: date, rows: int, sentence: str) -> None:
        self.dropped += rows
        self._tell("looks", sentence)
        self._release(day)

    def _release(self, day: date) -> None:
        if (file := self._open.pop(day, None)) is not None:
            self._folding.leave(file)
            file.close()


def _bytes(folder: Path) -> int:
    """Add up the day files; once a second, so without `Path.glob`, which takes four times as long."""
    total = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if ".sqlite" in entry.name:
                with suppress(FileNotFoundError):  # SQLite removes a WAL when it is done
                    total += entry.stat().st_size
    return total
