"""`python -m tests.journals NAME`: write a dump of a run of today's schema to NAME.sql beside this file.

Run it at the commit whose schema it is to keep; a dump is never made anew.
"""

import asyncio
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from tests.monitor.sim import Fault
from tests.monitor.test_crash import BON, STORIES, Daemon, Story
from tests.monitor.test_pipeline import everything, hits

AGAIN = Fault(130, 1000, hits("cable:ant1"))
STORY = Story((*STORIES["a cable"].faults, Fault(70, 95, everything), Fault(110, 1000, BON), AGAIN), 200, ())
"""A cable that fails and comes back, our own link cut, then two incidents that stay open."""


async def live(folder: Path) -> None:
    """Write the journal that a story leaves behind in a daemon that is killed."""
    daemon = Daemon(STORY, folder)
    await daemon.open()
    await daemon.run(STORY.seconds)
    await daemon.close()


def main() -> None:
    """Write the dump."""
    name = Path(__file__).parent / f"{sys.argv[1]}.sql"
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live(Path(folder)))
        with closing(sqlite3.connect(Path(folder) / "journal.sqlite")) as journal:
            text = "\n".join(journal.iterdump())
    with name.open("x", encoding="utf-8") as file:
        file.write(text + "\n")


main()
