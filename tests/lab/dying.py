"""The daemon with a journal that kills it: ``python -m tests.lab.dying CONFIG NUMBER before|after``.

Commits are counted from when the file ``armed`` stands in the configuration's folder.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from alerting.journal import Journal
from monitor import app
from monitor.config import load


def dying(armed: Path, number: int, *, before: bool) -> type[Journal]:
    """Return a journal that ends the process like kill -9, around its commit of that number."""

    class Dying(Journal):
        commits = 0

        def _commit(self) -> None:
            self.commits += armed.exists()
            if before and self.commits == number:
                os.kill(os.getpid(), signal.SIGKILL)
            super()._commit()
            if self.commits == number:
                os.kill(os.getpid(), signal.SIGKILL)

    return Dying


if __name__ == "__main__":
    folder, count, when = sys.argv[1:]
    journal = dying(Path(folder) / "armed", int(count), before=when == "before")
    sys.exit(asyncio.run(app.run(load(Path(folder)), print, journal=journal)))
