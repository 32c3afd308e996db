"""Days of looks as Parquet: what stands in a day's folder, and the process that makes it. Needs no pyarrow itself."""

import hashlib
import importlib.util
import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from monitor.store import files
from monitor.store.files import day_files
from monitor.store.rows import Row
from probes.model import Outcome

logger = logging.getLogger(__name__)

FOLDER = "archive"
"""Under the folder of the day files: a folder for each day, which is there whole or not at all."""
MANIFEST = "manifest.json"
LOOSE = "loose"
"""The kind of a file of values that have no column; no probe is called so."""
FORMAT = 1
HOT_DAYS = 3
"""The newest days stay SQLite files: late looks and today's questions are theirs."""
MISSING = "looks older than 3 days stay SQLite files: the extra `archive` (pyarrow) is not installed"


class ArchiveError(Exception):
    """A day cannot be archived or read; one sentence says why."""


@dataclass(frozen=True, slots=True)
class File:
    """One Parquet file of a day, of a kind of probe or of loose values.

    ``scales``: by what a stored integer of a key is to be multiplied; a key that is not there is text.
    """

    name: str
    kind: str
    rows: int
    bytes: int
    sha256: str
    keys: list[str]
    scales: dict[str, float]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a day's folder holds."""

    day: date
    files: tuple[File, ...]

    def dump(self) -> str:
        """Write it as JSON."""
        files = [asdict(file) for file in self.files]
        return json.dumps({"format": FORMAT, "day": self.day.isoformat(), "files": files}, indent=1) + "\n"


def available() -> bool:
    """Whether this installation can read and write Parquet."""
    return importlib.util.find_spec("pyarrow") is not None


def days(folder: Path) -> list[date]:
    """Return the days that are archived, oldest first."""
    return sorted(date.fromisoformat(path.parent.name) for path in (folder / FOLDER).glob(f"????-??-??/{MANIFEST}"))


def manifest(folder: Path, day: date) -> Manifest:
    """Read a day's manifest; raises ArchiveError."""
    path = folder / FOLDER / day.isoformat() / MANIFEST
    try:
        told = json.loads(path.read_text("utf-8"))
        if told["format"] != FORMAT:
            raise ArchiveError(f"{path} was written by a later version of Lambi")
        return Manifest(day, tuple(File(**file) for file in told["files"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArchiveError(f"{path} cannot be read: {error}") from error


def remove(folder: Path, day: date) -> None:
    """Let go of an archived day, if it is one; the manifest goes first, and with it the day."""
    home = folder / FOLDER / day.isoformat()
    (home / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(home, ignore_errors=True)


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def wrong(folder: Path, day: date) -> list[str]:
    """Compare a day's files with its manifest; return a sentence for each that differs."""
    try:
        told = manifest(folder, day)
    except ArchiveError as error:
        return [str(error)]
    home = folder / FOLDER / day.isoformat()
    gone = [file for file in told.files if not (home / file.name).exists()]
    spoilt = [file for file in told.files if file not in gone and checksum(home / file.name) != file.sha256]
    return [f"{home / file.name} is missing" for file in gone] + [
        f"{home / file.name} is not what was written: its checksum differs" for file in spoilt
    ]


def command(*words: str) -> list[str]:
    """Return how the helper process is started, which alone loads pyarrow."""
    return [sys.executable, "-P", "-m", "monitor.store.helper", *words]


def rows(folder: Path, wanted: Iterable[date], name: tuple[str, str], since: datetime, until: datetime) -> list[Row]:
    """Read looks at (check, part) of archived days with since <= at < until, oldest first; raises ArchiveError."""
    asked = [day.isoformat() for day in wanted]
    if not asked:
        return []
    words = command("read", str(folder), *name, since.isoformat(), until.isoformat(), *asked)
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    except OSError as error:
        raise ArchiveError(f"the helper cannot be started: {error.strerror}") from error
    if done.returncode:
        raise ArchiveError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the helper was killed")
    return sorted(map(_row, map(json.loads, done.stdout.splitlines())), key=lambda row: (row.at, row.vantage))


def _row(told: list[object]) -> Row:
    check, part, kind, vantage, at, outcome, values = told
    when = datetime.fromisoformat(str(at))
    return Row(str(check), str(part), str(kind), str(vantage), when, Outcome(str(outcome)), dict(values))  # type: ignore[call-overload]  # JSON of our own helper


class Archiver:
    """Has days of the past archived, one at a time, then lets go of their SQLite files; lives in the writer thread."""

    def __init__(self, folder: Path, say: Callable[[str], None], owes: Callable[[date], bool]) -> None:
        """``say`` hears what goes wrong, and "" when it is well again; a day that ``owes`` names has to wait."""
        self._owes = owes
        self._folder = folder
        self._say = say
        self._able = available()
        self._running: subprocess.Popen[bytes] | None = None
        self._day: date | None = None
        """The day that is being archived."""
        self._sealed = set(days(folder))
        self._failed: set[date] = set()
        self.note = ""
        """What this installation cannot do, once it matters."""

    def refuses(self, day: date) -> bool:
        """Whether a day takes no more looks."""
        return day == self._day or day in self._sealed

    def turn(self) -> None:
        """Hear that a day has begun: what failed is tried again."""
        self._failed.clear()

    def step(self, busy: Collection[date]) -> None:
        """Look how the helper does; start it for the next day. ``busy``: days in which there is work left."""
        if self._running is not None:
            if (code := self._running.poll()) is None:
                return
            self._ended(code)
        old = day_files(self._folder)[:-HOT_DAYS]
        self.note = MISSING if old and not self._able else ""
        for day, path in old if self._able else ():
            if day in self._sealed and day not in busy:
                files.remove(path)  # the helper ended and the daemon did, before this
            elif day not in busy and day not in self._failed and not self._owes(day):
                self._begin(day)
                return

    def _begin(self, day: date) -> None:
        words = command("write", str(self._folder), day.isoformat())
        try:
            self._running = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)  # noqa: S603 - our own module
        except OSError as error:  # no memory or no process for it
            self._fail(day, f"the helper cannot be started: {error.strerror}")
        else:
            self._day = day

    def _fail(self, day: date, why: str) -> None:
        self._failed.add(day)
        self._say(f"{day} cannot be archived, and stays a SQLite file: {why}")

    def _ended(self, code: int) -> None:
        running, day = self._running, self._day
        self._running = self._day = None
        assert running is not None  # noqa: S101 - it has just ended
        assert day is not None  # noqa: S101 - it was started for one
        said = (running.stderr.read() if running.stderr else b"").decode("utf-8", "replace").strip()
        if running.stderr:
            running.stderr.close()
        if code == 0:
            self._sealed.add(day)
            files.remove(self._folder / f"{day}.sqlite")
            self._say("")
            return
        self._fail(day, said.splitlines()[-1] if said else f"the helper ended with {code}")

    def close(self) -> None:
        """End the helper; what it had begun is begun again."""
        if self._running is not None:
            self._running.kill()
            self._running.communicate()
            self._running = None
