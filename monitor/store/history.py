"""Answers from day files and their rollups. Where a rollup is behind its looks, the looks themselves are folded."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

from monitor.store import archive, catalogue, newest, overview, read
from monitor.store.archive import ArchiveError
from monitor.store.catalogue import Series
from monitor.store.files import day_files, open_to_read
from monitor.store.fold import FIVE_MINUTES, HOUR, Values
from monitor.store.overview import Hour
from monitor.store.rollup import folded, path_of
from monitor.store.rows import MICROSECOND, Row, midnight, parts_of
from monitor.store.schema import Identity
from monitor.store.steps import Availability, Cell, Step, Which, availability, share_of, steps, width

DAY = 86_400
SCALES = 'SELECT kind, scale FROM scale WHERE "key" = ?'
TICKS = "WITH RECURSIVE tick (at) AS (VALUES (?1) UNION ALL SELECT at + ?2 FROM tick WHERE at + ?2 < ?3)"
"""From ?1 to ?3 in steps of ?2."""
EVERY = Which()

Pair = tuple[int, int]


class Span:
    """A period, widened to whole rollups of a width; ``days`` are its parts, in seconds of each day."""

    def __init__(self, since: datetime, until: datetime, width: int) -> None:
        unit = timedelta(seconds=width)
        start = midnight(since.astimezone(UTC).date())
        self.width = width
        self.since = start + (since - start) // unit * unit
        self.until = start - (start - until) // unit * unit

    def days(self) -> Iterator[tuple[date, Pair]]:
        """Yield each day with the seconds of it that count."""
        day = self.since.date()
        while (start := midnight(day)) < self.until:
            ends = (self.since - start, self.until - start)
            low, high = (round(end.total_seconds()) for end in ends)
            yield day, (max(0, low), min(DAY, high))
            day += timedelta(days=1)


class LocalHistory:
    """The series of one folder; any thread, any process. ``say`` hears of what cannot be read."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say

    async def series(self) -> list[Series]:
        """Return the catalogue."""
        return await asyncio.to_thread(catalogue.series, self._folder)

    async def latest(self) -> list[Row]:
        """Return the last committed look of every series that a kept day knows."""

        def look() -> list[Row]:
            found: dict[Identity, Row] = {}
            for day, path in reversed(day_files(self._folder)):
                with self._readable(path, day):
                    found = newest.latest(path, day, found) | found
            return list(found.values())

        return await asyncio.to_thread(look)

    async def range(self, check: str, part: str, since: datetime, until: datetime) -> list[Row]:
        """Return the committed looks with since <= at < until, oldest first, all vantages."""
        first, last = since.astimezone(UTC).date(), (until - MICROSECOND).astimezone(UTC).date()

        def look() -> list[Row]:
            days = [(day, path) for day, path in day_files(self._folder) if first <= day <= last]
            found: list[Row] = []
            for day, path in days:
                with self._readable(path, day):
                    found += read.between(path, day, (check, part), since, until)
            hot = {day for day, _ in days}
            old = [day for day in archive.days(self._folder) if first <= day <= last and day not in hot]
            return [*self._archived(old, (check, part), since, until), *found]

        return await asyncio.to_thread(look)

    async def downsample(
        self, key: str, since: datetime, until: datetime, step: timedelta, which: Which = EVERY
    ) -> list[Step]:
        """Return the steps in which somebody looked, by series and time; what nobody looked at is not there.

        A step is a multiple of 5 minutes; the period is widened to whole ones. A key of "" asks for the looks alone.
        """
        span = Span(since, until, width(step))
        return await asyncio.to_thread(lambda: steps(self._cells(key, span, which), span.since, step))

    async def overview(self, key: str, since: datetime, until: datetime) -> list[Hour]:
        """Return the hours of all series in columns, the earliest first; the period is widened to whole hours."""
        span = Span(since, until, HOUR)
        return await asyncio.to_thread(lambda: [hour for day in span.days() for hour in self._hours(key, *day)])

    async def availability(self, since: datetime, until: datetime, which: Which = EVERY) -> list[Availability]:
        """Return how often each series answered in a period, which is widened to whole rollups."""
        span = self._fitting(since, until)
        return await asyncio.to_thread(lambda: availability(self._cells("", span, which), span.until - span.since))

    async def quantile(
        self, key: str, since: datetime, until: datetime, share: float, which: Which = EVERY
    ) -> float | None:
        """Return a quantile of all values of a key, at most 1 % of the ranks off; None of none."""
        span = self._fitting(since, until)
        return await asyncio.to_thread(lambda: share_of(self._cells(key, span, which), share))

    @contextmanager
    def _readable(self, path: Path, day: date) -> Iterator[None]:
        """Say that a day cannot be read, and leave it out."""
        try:
            yield
        except sqlite3.Error as error:
            self._unreadable(day, path, error)

    def _archived(self, days: list[date], name: tuple[str, str], since: datetime, until: datetime) -> list[Row]:
        try:
            return archive.rows(self._folder, days, name, since, until)
        except ArchiveError as error:
            self._say(f"archived series cannot be read: {error}")
            return []

    def _cells(self, key: str, span: Span, which: Which) -> list[Cell]:
        found: list[Cell] = []
        for day, seconds in span.days():
            try:
                found += _of_day(self._folder, day, seconds, width=span.width, key=key, which=which)
            except sqlite3.Error as error:
                self._unreadable(day, self._folder / f"{day}.sqlite", error)
        return found

    def _hours(self, key: str, day: date, seconds: Pair) -> list[Hour]:
        """Read the hours of a day; what is not folded yet is added up."""
        behind: set[int] = set()
        found: list[Hour] = []
        try:
            if (looks := self._folder / f"{day}.sqlite").exists():
                with open_to_read(looks) as db:
                    behind = set(_behind(db, HOUR, seconds))
            if (rollups := path_of(self._folder, HOUR, day)).exists():
                with open_to_read(rollups) as db:
                    found = list(overview.hours(db, day, seconds, key))
        except sqlite3.Error as error:
            self._unreadable(day, self._folder / f"{day}.sqlite", error)
        start = midnight(day)
        late = [start + timedelta(seconds=at) for at in sorted(behind)]
        fresh = [cell for at in late for cell in self._cells(key, Span(at, at + overview.STEP, HOUR), EVERY)]
        kept = [hour for hour in found if hour.at not in set(late)]
        return sorted([*kept, *overview.pivoted(steps(fresh, start, overview.STEP))], key=itemgetter(0))

    def _fitting(self, since: datetime, until: datetime) -> Span:
        """Return the period in hours where it is whole hours, or where 5 minutes are no longer kept; else in those."""
        hours, fine = Span(since, until, HOUR), Span(since, until, FIVE_MINUTES)
        coarse = (hours.since, hours.until) == (since, until) or any(
            path_of(self._folder, HOUR, day).exists() and not path_of(self._folder, FIVE_MINUTES, day).exists()
            for day, _ in fine.days()
        )
        return hours if coarse else fine

    def _unreadable(self, day: date, path: Path, error: sqlite3.Error) -> None:
        if path.exists():  # else retention was faster
            self._say(f"series of {day} cannot be read: {error}")


def _of_day(folder: Path, day: date, seconds: Pair, *, width: int, key: str, which: Which) -> list[Cell]:
    """Read what is folded; of what is not, an hour from its 5 minutes, and 5 minutes from the looks.

    What is not folded is asked for first: folding writes the rollup before it says so.
    """
    looks, rollups = folder / f"{day}.sqlite", path_of(folder, width, day)
    behind: list[int] = []
    found: list[Cell] = []
    if looks.exists():
        with open_to_read(looks) as db:
            behind = _behind(db, width, seconds)
            if not behind and not rollups.exists():  # too old, or somebody has removed them
                behind = list(range(*seconds, width))
            if width == FIVE_MINUTES:
                found += _folded(db, day, behind, key, which)
    if width == HOUR:
        for at in behind:
            found += _of_day(folder, day, (at, at + HOUR), width=FIVE_MINUTES, key=key, which=which)
    if rollups.exists():
        with open_to_read(rollups) as db:
            found += _Rollups(db, day, which).cells(width, seconds, key, but=set(behind))
    return found


def _behind(db: sqlite3.Connection, width: int, seconds: Pair) -> list[int]:
    """Return which stretches of a day file its rollups do not hold yet."""
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'pending'").fetchone():
        return list(range(*seconds, width))  # written before there were rollups
    query = "SELECT at FROM pending WHERE width = ? AND at >= ? AND at < ?"
    return [at for (at,) in db.execute(query, (width, *seconds))]


def _folded(db: sqlite3.Connection, day: date, behind: Iterable[int], key: str, which: Which) -> Iterator[Cell]:
    names = {id_: name for id_, name in _names(db).items() if which.takes(name)}
    ids = (min(names) - 1, max(names)) if names else (0, 0)
    parts = {kind: parts_of(scale or 1.0) for kind, scale in db.execute(SCALES, (key,))}
    for at in behind:
        begun = midnight(day) + timedelta(seconds=at)
        for (series, looks, up, unknown, covered), kind, measured in folded(db, (FIVE_MINUTES, at), ids):
            if (name := names.get(series)) is not None:
                told = next((values for values in measured if values.key == key), None)
                yield Cell(name, begun, looks, up, unknown, covered, told, parts.get(kind, 1.0))


def _names(db: sqlite3.Connection) -> dict[int, Identity]:
    rows = db.execute('SELECT id, "check", part, vantage FROM series')
    return {id_: (check, part, vantage) for id_, check, part, vantage in rows}


class _Rollups:
    """Reads one rollup file."""

    def __init__(self, db: sqlite3.Connection, day: date, which: Which) -> None:
        self._db = db
        self._start = midnight(day)
        names = _names(db)
        self._names = {id_: name for id_, name in names.items() if which.takes(name)}
        self._some = f"AND series IN ({','.join(map(str, self._names))})" if len(self._names) < len(names) else ""

    def cells(self, width: int, seconds: Pair, key: str, but: set[int]) -> Iterator[Cell]:
        values = self._values(width, seconds, key) if key else {}
        times = {at: self._start + timedelta(seconds=at) for at in range(0, DAY, width)}
        rows = self._select("looks", "series, n, up, unknown, covered", width, seconds)
        for at, series, looks, up, unknown, covered in rows:
            if at not in but:
                told, parts = values.get((at, series), (None, 1.0))
                yield Cell(self._names[series], times[at], looks, up, unknown, covered, told, parts)

    def _values(self, width: int, seconds: Pair, key: str) -> dict[Pair, tuple[Values, float]]:
        found: dict[Pair, tuple[Values, float]] = {}
        columns = "series, n, sum, min, max, last, p50, p95, p99, points"
        for id_, scale in self._db.execute('SELECT id, scale FROM quantity WHERE "key" = ?', (key,)).fetchall():
            parts = parts_of(scale)
            for at, *row in self._select("value", columns, width, seconds, f"AND quantity = {id_}"):
                found[at, row[0]] = Values(key, *row), parts
        return found

    def _select(
        self, source: str, columns: str, width: int, seconds: Pair, more: str = ""
    ) -> Iterator[tuple[Any, ...]]:
        """Seek each stretch: within it the rows stand by quantity and series."""
        query = (
            f"{TICKS} "  # noqa: S608 - all ours
            f"SELECT tick.at, {columns} FROM tick CROSS JOIN {source} ON {source}.at = tick.at "
            f"{more} {self._some}"
        )
        return self._db.execute(query, (seconds[0], width, seconds[1]))
