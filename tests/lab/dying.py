"""The daemon with a journal that kills it: ``python -m tests.lab.dying CONFIG before|after COMMIT``.

COMMIT is a milestone, or a number: then commits are counted from when the file ``armed`` stands in the folder CONFIG.
Whoever removes that file decides: the journal, and it dies; or the test, and it never will.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from alerting.journal import Journal
from monitor import daemon
from monitor.config import load

MILESTONES = {
    "doubted": "SELECT 1 FROM state WHERE phase = 'suspect'",
    "opened": "SELECT 1 FROM incident",
    "claimed": "SELECT 1 FROM attempt",
    "answered": "SELECT 1 FROM attempt WHERE status = 'accepted'",
    "closed": "SELECT 1 FROM incident WHERE closed IS NOT NULL",
    "end-claimed": "SELECT 1 FROM attempt WHERE closed",
    "end-answered": "SELECT 1 FROM attempt WHERE closed AND status = 'accepted'",
}
"""The first commit that makes this true; every story of an outage has each."""


def dying(armed: Path, commit: str, *, before: bool) -> type[Journal]:
    """Return a journal that ends the process like kill -9, right before or right after that commit."""

    class Dying(Journal):
        commits = 0

        def _commit(self) -> None:
            fatal = armed.exists() and self._reached()
            if fatal and before:
                self._die()
            super()._commit()
            if fatal:
                self._die()

        def _reached(self) -> bool:
            self.commits += 1
            if commit in MILESTONES:
                return bool(self._writing.execute(f"{MILESTONES[commit]} LIMIT 1").fetchall())
            return self.commits == int(commit)

        def _die(self) -> None:
            try:
                armed.unlink()
            except FileNotFoundError:
                return  # the test was faster
            print(f"killed {'before' if before else 'after'} commit {self.commits} ({commit})", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    return Dying


if __name__ == "__main__":
    folder, when, which = sys.argv[1:]
    journal = dying(Path(folder) / "armed", which, before=when == "before")
    sys.exit(asyncio.run(daemon.run(load(Path(folder)), print, journal=journal)))
