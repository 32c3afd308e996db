"""A backup: one file with the journal, the operator's config and the list of the series, made while Lambi runs."""

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from alerting import backup
from monitor.config.places import config_files, secret_places
from monitor.config.settings import Settings
from monitor.data import version

FORMAT = 1
MANIFEST, JOURNAL, CONFIG = "manifest.json", "journal.sqlite", "config/"
LONGEST_MANIFEST = 4 << 20
NAME = re.compile(r"config/(?!\.)[^/\0]+(?:/(?!\.)[^/\0]+){0,3}")
"""A config file in the archive: nothing that leaves its folder, nothing hidden."""


class BackupError(Exception):
    """A backup cannot be made or used; one sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds, and what it does not."""

    lambi: str
    """Version that made it."""
    made: str
    """RFC 3339."""
    vantage: str
    state: str
    """The state folder it was made of."""
    schema: Mapping[str, list[str]]
    """Steps of the journal's schema, by owner."""
    files: Mapping[str, Mapping[str, Any]]
    """Name in the archive -> bytes, sha256."""
    series: Mapping[str, int]
    """Files of measurements, which stay where they are -> bytes."""
    secrets: list[str] = field(default_factory=list)
    """Where the config finds secrets; none of them is in a backup."""
    left_out: list[str] = field(default_factory=list)
    """Files of the config folder that are neither config nor secret."""
    format: int = FORMAT

    @classmethod
    def read(cls, text: bytes, file: Path) -> Self:
        """Read a manifest; raise BackupError."""
        try:
            known = json.loads(text)
            if known["format"] > FORMAT:
                raise BackupError(
                    f"{file}: made by Lambi {known['lambi']}, which this version ({version()}) is too old for: "
                    "install that version or a newer one"
                )
            return cls(**{key: known[key] for key in cls.__dataclass_fields__})
        except (ValueError, KeyError, TypeError) as error:
            raise BackupError(f"{file}: this is no backup of Lambi, or it is damaged") from error


def back_up(settings: Settings, overlay: Path | None, file: Path, now: datetime) -> Manifest:
    """Write a backup; raise BackupError, JournalError, OSError. Nobody else may read it: it names persons."""
    if file.exists():
        raise BackupError(f"{file}: exists already, and no backup is written over anything")
    part = file.with_name(f"{file.name}.part")
    with tempfile.TemporaryDirectory(prefix=".lambi-backup-", dir=file.absolute().parent) as scratch:
        journal = Path(scratch) / JOURNAL
        backup.copy(settings.state / JOURNAL, journal)
        read = _members(overlay)
        members = {JOURNAL: journal, **_copied(read, Path(scratch))}
        manifest = Manifest(
            lambi=version(),
            made=now.isoformat(timespec="seconds"),
            vantage=settings.world.vantage,
            state=str(settings.state),
            schema=backup.versions(journal),
            files={name: {"bytes": path.stat().st_size, "sha256": _digest(path)} for name, path in members.items()},
            series=series(settings.state / "series"),
            secrets=[str(place) for place in secret_places(overlay)],
            left_out=_left_out(overlay, read),
        )
        try:
            _write(part, manifest, members)
            part.rename(file)
        finally:
            part.unlink(missing_ok=True)
    return manifest


def series(folder: Path) -> dict[str, int]:
    """Return every file of measurements by its path in the folder, with its size."""
    found = (path for path in sorted(folder.rglob("*")) if path.suffix in {".sqlite", ".parquet", ".json"})
    return {str(path.relative_to(folder)): path.stat().st_size for path in found}


def _members(overlay: Path | None) -> dict[str, Path]:
    """Return what the config reads of the operator's folder, by its name in the archive."""
    named = {f"{CONFIG}{path.relative_to(overlay)}": path for path in config_files(overlay)} if overlay else {}
    return {name: path for name, path in named.items() if NAME.fullmatch(name)}


def _copied(files: Mapping[str, Path], scratch: Path) -> dict[str, Path]:
    """Copy them as they are now: somebody may be writing them."""
    return {name: Path(shutil.copyfile(path, scratch / str(n))) for n, (name, path) in enumerate(files.items())}


def _left_out(overlay: Path | None, read: Mapping[str, Path]) -> list[str]:
    """Return the other files of the folder; what they hold is none of ours."""
    if overlay is None or not overlay.is_dir():
        return []
    kept = {*read.values(), *(Path(place.name) for place in secret_places(overlay))}
    return [
        str(path.relative_to(overlay)) for path in sorted(overlay.rglob("*")) if path.is_file() and path not in kept
    ]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(part: Path, manifest: Manifest, members: Mapping[str, Path]) -> None:
    """Write the archive, for its owner's eyes alone, and see it onto the disk."""
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            text = json.dumps(asdict(manifest), indent=2).encode()
            head = tarfile.TarInfo(MANIFEST)
            head.size, head.mode = len(text), 0o600
            archive.addfile(head, io.BytesIO(text))
            for name, path in members.items():
                archive.add(path, name, recursive=False, filter=_nobody)
        file.flush()
        os.fsync(file.fileno())


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Keep no user's name."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member
