"""From a backup to folders in which Lambi goes on: the same incidents, the same ladders, no message twice unmarked."""

import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

from alerting.backup import doubt
from alerting.journal import Journal
from monitor.backup import CONFIG, JOURNAL, LONGEST_MANIFEST, MANIFEST, NAME, BackupError, Manifest
from monitor.instance import Instance, give_to_owner
from monitor.ledger import SCHEMAS
from monitor.store.archive import kept

_BROKEN = (EOFError, gzip.BadGzipFile, tarfile.TarError, zlib.error)
LONGEST_CONFIG = 16 << 20
"""Bytes of all config files together."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What goes on."""

    incidents: int
    """Open ones."""
    ladders: int
    """Those that are under way."""
    waiting: int
    """Messages that have not left."""
    doubtful: int
    """Of these, those that may have left since the backup was made: they will be marked as repetitions."""
    series_missing: int
    """Days of measurements that are not in this state folder."""


class Archive:
    """A backup that is read; every method raises BackupError."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._tar = tarfile.open(file, "r:gz")  # noqa: SIM115 - closed by `close`
        except (OSError, *_BROKEN) as error:
            why = (isinstance(error, OSError) and error.strerror) or "this is no backup of Lambi"
            raise BackupError(f"{file}: {why}") from error
        try:
            self.manifest = Manifest.read(self._whole(MANIFEST, LONGEST_MANIFEST), file)
        except BackupError:
            self.close()
            raise

    def close(self) -> None:
        """Give the file back."""
        self._tar.close()

    def config(self) -> dict[PurePosixPath, bytes]:
        """Return the config files by their path in the folder."""
        names = [name for name in self.manifest.files if name != JOURNAL]
        if not all(NAME.fullmatch(name) for name in names):
            raise self._damaged("it names files outside the config folder")
        return {PurePosixPath(name.removeprefix(CONFIG)): self._whole(name, LONGEST_CONFIG) for name in names}

    def unpack_journal(self, target: Path) -> None:
        """Write the journal to a file that only its owner can read; raises OSError too."""
        digest = hashlib.sha256()
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            try:
                with self._member(JOURNAL) as packed:
                    while block := packed.read(1 << 20):
                        digest.update(block)
                        out.write(block)
            except _BROKEN as error:
                raise self._damaged("it ends too early") from error
            out.flush()
            os.fsync(out.fileno())
        self._compare(JOURNAL, digest.hexdigest())

    def _whole(self, name: str, most: int) -> bytes:
        try:
            with self._member(name) as member:
                found = member.read(most + 1)
        except (OSError, *_BROKEN) as error:
            raise self._damaged(f"{name} cannot be read") from error
        if len(found) > most:
            raise self._damaged(f"{name} is too long")
        if name != MANIFEST:
            self._compare(name, hashlib.sha256(found).hexdigest())
        return found

    def _member(self, name: str) -> IO[bytes]:
        try:
            found = self._tar.extractfile(name)
        except KeyError:
            found = None
        if found is None:
            raise self._damaged(f"{name} is not in it")
        return found

    def _compare(self, name: str, digest: str) -> None:
        if self.manifest.files.get(name, {}).get("sha256") != digest:
            raise self._damaged(f"{name} is not what was packed")

    def _damaged(self, why: str) -> BackupError:
        return BackupError(f"{self._file}: this is no backup of Lambi, or it is damaged: {why}")


def restore_config(files: Mapping[PurePosixPath, bytes], folder: Path) -> int:
    """Write what is not there yet; refuse, before anything is written, to replace what says something else."""
    fresh = {}
    for name, text in files.items():
        path = folder / name
        if not path.exists():
            fresh[path] = text
        elif path.read_bytes() != text:
            raise BackupError(
                f"{path}: is there already and differs from the backup's; nothing was written: set it aside, or name "
                "an empty folder with --config"
            )
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in fresh.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return len(fresh)


async def restore_journal(archive: Archive, state: Path, now: datetime) -> Restored:
    """Put the journal into an empty state folder, in the form of this version; raises BackupError, JournalError,
    TakenError, OSError."""
    _refuse_newer(archive.manifest)
    with Instance(state):  # no daemon runs here meanwhile
        final, part = state / JOURNAL, state / f"{JOURNAL}.restored"
        if final.exists():
            raise BackupError(f"{final}: a journal is there already; nothing was restored: set it aside first")
        _clear(part)
        try:
            archive.unpack_journal(part)
            found = await _ready(part, now)
            part.rename(final)
        finally:
            _clear(part)
        there = {day.isoformat() for day in kept(state / "series")}
    give_to_owner(state)
    return Restored(*found, len(archive.manifest.series.keys() - there))


def _refuse_newer(manifest: Manifest) -> None:
    for owner, steps in manifest.schema.items():
        known = [migration.name for migration in SCHEMAS.get(owner, ())]
        if steps != known[: len(steps)]:
            raise BackupError(
                f"its journal was written by Lambi {manifest.lambi}, which went further than this one: install that "
                f"version or a newer one ({owner}: {steps[-1]!r} is not known here)"
            )


async def _ready(path: Path, now: datetime) -> tuple[int, int, int, int]:
    """Bring it to this version's schema and mark what may have left; return what waits in it."""
    journal = await Journal.open(path, SCHEMAS)
    try:
        async with journal.transaction() as tx:
            doubtful = await doubt(tx, now)
        [(incidents, ladders, waiting)] = await journal.read(
            "SELECT (SELECT count(*) FROM incident WHERE closed IS NULL), "
            "(SELECT count(*) FROM escalation WHERE state IN ('running', 'acknowledged')), "
            "(SELECT count(*) FROM notification WHERE ended_at IS NULL)"
        )
    finally:
        await journal.close()
    return incidents, ladders, waiting, doubtful


def _clear(part: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            part.with_name(part.name + suffix).unlink()
