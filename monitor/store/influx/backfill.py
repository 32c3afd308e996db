"""All that is stored, sent by hand: hot and archived days alike."""

from datetime import datetime
from itertools import islice
from pathlib import Path

from monitor.config.settings import Influx
from monitor.store import desk
from monitor.store.desk import Progress
from monitor.store.influx.export import LINES
from monitor.store.influx.lines import line
from monitor.store.influx.server import Server


async def backfill(folder: Path, place: Influx, period: tuple[datetime, datetime], progress: Progress) -> int:
    """Send the looks of a period; return how many. Raises HistoryError, ArchiveError, sqlite3.Error: begin again."""
    server = Server(place)
    count = 0
    lines = map(line, desk.rows(folder, *period, progress))
    try:
        while batch := list(islice(lines, LINES)):
            await server.write("\n".join(batch).encode())
            count += len(batch)
    finally:
        await server.close()
    return count
