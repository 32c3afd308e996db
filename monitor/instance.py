"""One daemon for one state folder, and no more rights than it needs."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self


class TakenError(Exception):
    """The state folder cannot be used; one sentence says why and who holds it."""


class Instance:
    """Holds the state folder while the daemon runs (flock on ``lock``, which names the holder's process)."""

    def __init__(self, state: Path) -> None:
        self._path = state / "lock"
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Take the folder; raise TakenError."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # it will hold what people were sent
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise TakenError(f"{self._path.parent}: the state folder cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise TakenError(f"{self._path.parent}: another Lambi runs here, process {holder}") from None
        os.truncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give the folder back."""
        with suppress(OSError):  # a disk that has turned read-only keeps our number; the lock itself ends all the same
            os.truncate(self._descriptor, 0)
        os.close(self._descriptor)


def drop_root(state: Path) -> str:
    """Become the owner of the state folder when started as root; return a sentence if root stays."""
    if os.geteuid() != 0:
        return ""
    owner = state.stat()
    if owner.st_uid == 0:
        return f"runs as root, because {state} belongs to root; give that folder to a user to run with fewer rights"
    give_to_owner(state)
    os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
    return ""


def give_to_owner(state: Path) -> None:
    """Give what root has left in the state folder to the user whom the folder belongs to."""
    if os.geteuid() != 0:
        return
    owner = state.stat()
    for path in state.rglob("*"):
        with suppress(OSError):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
