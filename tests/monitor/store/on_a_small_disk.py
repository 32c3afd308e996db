"""A store on a disk of its own that fills up, empties, turns read-only and heals: `python -m ... FOLDER`, in a mount
namespace where FOLDER is a small tmpfs. Prints what the store said at each turn, as JSON."""

import asyncio
import json
import os
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from monitor.store import SeriesStore, desk
from tests.monitor.store.looks import COLUMNS, NOON, look, until


def _remount(how: str, folder: Path) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)


async def main(folder: Path) -> None:
    store = SeriesStore(folder / "series", COLUMNS, commit_seconds=0.01)
    told: list[dict[str, object]] = []
    count = 0

    async def work(turn: str, looks: int) -> None:
        """Store so many looks one by one: each commit ends well or is counted as lost."""
        nonlocal count
        for _ in range(looks):
            before = store.stats()
            store.add([look(count * 20, check=f"c{count % 40}/icmp/", values={"rtt_seconds": count / 1e6})])
            count += 1
            await until(
                lambda before=before: store.stats().written + store.stats().dropped > before.written + before.dropped
            )  # type: ignore[misc] # mypy does not see the default of a lambda
        stats = store.stats()
        told.append({"turn": turn, "written": stats.written, "dropped": stats.dropped, "error": stats.error})

    await work("at first", 100)
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    await work("full", 60)
    filler.unlink()
    await work("room again", 60)
    await store.close()
    store = SeriesStore(folder / "series", COLUMNS, commit_seconds=0.01)
    _remount("ro", folder)
    await work("read-only", 10)
    _remount("rw", folder)
    await work("healed", 60)
    await asyncio.sleep(0)
    await store.close()
    kept = [row for n in range(40) for row in await store.range(f"c{n}/icmp/", "", NOON, NOON + timedelta(days=1))]
    problems = desk.check(folder / "series", lambda *_: None)
    sys.stdout.write(json.dumps({"turns": told, "kept": len(kept), "problems": problems, "uid": os.getuid()}))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
