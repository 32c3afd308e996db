"""The process that reads and writes Parquet, so that the daemon never carries pyarrow: it starts, works and ends."""

import json
import os
import sqlite3
import sys
from datetime import date, datetime
from pathlib import Path

from monitor.store.archive import ArchiveError


def main(words: list[str]) -> int:
    """``write FOLDER DAY``, or ``read FOLDER CHECK PART SINCE UNTIL DAY...``; one sentence on stderr where it fails."""
    os.nice(10)  # nobody waits for an archive
    try:
        _do(*words)
    except (ArchiveError, OSError, sqlite3.Error, ImportError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except MemoryError:
        sys.stderr.write("not enough memory for it\n")
        return 1
    return 0


def _do(what: str, folder: str, *more: str) -> None:
    from monitor.store import parquet  # noqa: PLC0415 - where pyarrow is missing, a sentence says so

    if what == "write":
        parquet.write(Path(folder), date.fromisoformat(more[0]))
        return
    check, part, since, until, *days = more
    for day in days:
        span = (datetime.fromisoformat(since), datetime.fromisoformat(until))
        for row in parquet.read(Path(folder), date.fromisoformat(day), (check, part), *span):
            told = [row.check, row.part, row.kind, row.vantage, row.at.isoformat(), row.outcome, dict(row.values)]
            sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
