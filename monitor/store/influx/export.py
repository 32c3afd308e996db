"""The local store is the outbox: a durable cursor runs over what was committed, and nothing waits for the server.

A batch that was not acknowledged is sent again; the same look at the same time replaces itself there. So whatever dies
in between, in the end the server has the same points.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from monitor.store import read
from monitor.store.files import SIDES, day_files, open_to_read
from monitor.store.influx.lines import line
from monitor.store.influx.server import AwayError, RefusedError, Server
from monitor.store.rows import SECOND
from probes.clock import Clock

logger = logging.getLogger(__name__)

FILE = "influx.json"
ROUND_SECONDS = 15.0
"""Between two looks at what is new. Ten seconds of looks that a round has cut are sent again by the next."""
LINES = 5_000
LONGEST_SECONDS = 60.0
STRETCH_SECONDS = 10


class Export:
    """Sends what is stored here. Lives in the event loop; files are read in threads."""

    def __init__(self, folder: Path, server: Server, clock: Clock) -> None:
        self._folder = folder
        self._server = server
        self._clock = clock
        self._to = f"{server.place.url} {server.place.bucket}"
        self._cursor = _load(folder / FILE, self._to)
        self._seen: dict[date, tuple[int, ...]] = {}
        """How the files of a day stood when nothing was left to send of it."""
        self._whole = clock.monotonic()
        """When the last round began that found nothing left to send."""
        self.error = ""
        """Why nothing arrives there, while nothing does."""
        self.sent = 0
        self.refused = 0
        """Lines that the server would not take even alone."""

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            while True:
                if not await self._guarded():
                    await self._clock.sleep_until(self._clock.monotonic() + ROUND_SECONDS)
        finally:
            await self._server.close()

    async def _guarded(self) -> bool:
        """Do a round; a defect of ours ends neither the export nor the daemon."""
        try:
            return await self.round()
        except OSError as error:
            self.error = f"nothing is exported to InfluxDB: {error}"
        except Exception:
            logger.exception("influx: a defect")
            self.error = "nothing is exported to InfluxDB: a defect of ours, see the log"
        return False

    async def round(self) -> bool:
        """Send a batch of each day that has something new; return whether there was one."""
        began, worked = self._clock.monotonic(), False
        for day, path in day_files(self._folder):
            stands = _stands(path)
            if self._seen.get(day) == stands:
                continue
            try:
                lines, upto = await asyncio.to_thread(_unsent, path, day, self._cursor.get(day, 0))
            except sqlite3.Error as error:
                logger.warning("influx: %s cannot be read: %s", path, error)
                self._seen[day] = stands
                continue
            if upto is None:
                self._seen[day] = stands
                continue
            for start in range(0, len(lines), LINES):
                await self._send(lines[start : start + LINES])
            self._cursor[day] = upto
            await asyncio.to_thread(self._save)
            worked = True
        if not worked:
            self._whole = began
        return worked

    @property
    def lag_seconds(self) -> float:
        """For how long something that is stored here is not there; up to a round where all is well."""
        return self._clock.monotonic() - self._whole

    def owes(self, day: date) -> bool:
        """Whether something of a day is not there yet; any thread."""
        try:
            with open_to_read(self._folder / f"{day}.sqlite") as db:
                (last,) = db.execute("SELECT max(seq) FROM touched").fetchone()
        except sqlite3.Error:
            return False
        return (last or 0) > self._cursor.get(day, 0)

    async def _send(self, lines: Sequence[str]) -> None:
        """Send until they are acknowledged; what the server refuses is halved until a line alone is refused twice."""
        delay, refused = 1.0, 0
        while True:
            try:
                await self._server.write("\n".join(lines).encode())
            except RefusedError as error:
                refused += 1
                if len(lines) > 1:
                    await self._send(lines[: len(lines) // 2])
                    await self._send(lines[len(lines) // 2 :])
                    return
                if refused > 1:
                    self.refused += 1
                    logger.error("influx: a line is refused: %s", error)
                    return
            except AwayError as error:
                self.error = f"nothing is exported to InfluxDB: {error}"
                await self._clock.sleep_until(self._clock.monotonic() + max(delay, error.after))
                delay = min(LONGEST_SECONDS, 2 * delay)
            else:
                self.error = ""
                self.sent += len(lines)
                return

    def _save(self) -> None:
        days = {day.isoformat(): seq for day, seq in self._cursor.items() if (self._folder / f"{day}.sqlite").exists()}
        made = self._folder / f".{FILE}.new"
        made.write_text(json.dumps({"to": self._to, "days": days}), "utf-8")
        made.replace(self._folder / FILE)


def _load(path: Path, to: str) -> dict[date, int]:
    """Read the cursor; another server, or a file that is gone, begins with the oldest day."""
    try:
        told = json.loads(path.read_text("utf-8"))
        return {date.fromisoformat(day): int(seq) for day, seq in told["days"].items()} if told["to"] == to else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _stands(path: Path) -> tuple[int, ...]:
    files = (path, path.with_name(path.name + SIDES[0]))
    return tuple(each.stat().st_mtime_ns for each in files if each.exists())


def _unsent(path: Path, day: date, after: int) -> tuple[list[str], int | None]:
    """Return lines that a cursor has not passed, and where it stands behind them; None where there is nothing new."""
    lines: list[str] = []
    upto: int | None = None
    with open_to_read(path) as db:
        done: set[int] = set()
        for seq, at in db.execute("SELECT seq, at FROM touched WHERE seq > ? ORDER BY seq", (after,)):
            if at not in done:
                if len(lines) >= LINES:
                    break
                done.add(at)
                lines += map(line, read.stretch(db, day, at * SECOND, (at + STRETCH_SECONDS) * SECOND))
            upto = seq
    return lines, upto
