"""Our store at the work of `bench/store.py`: `python -m bench.storing FOLDER`, asked on stdin, figures on stdout."""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from bench.measurements import FIELDS, STEP, batches
from monitor.store import archive as archives
from monitor.store import parquet
from monitor.store.day import DayFile
from monitor.store.fold import WIDTHS
from monitor.store.history import LocalHistory
from monitor.store.keeper import Keeper
from monitor.store.rollup import path_of
from monitor.store.steps import Which
from probes.model import Observation, Outcome, Part, Target

COLUMNS = {"bench": {"rtt_ms": 0.01, "jitter_ms": 0.01, "state": 1.0, "counter": 1.0}}
"""The fifth field, up, is the outcome of a look."""
KEYS = tuple(COLUMNS["bench"])
WEEK_COLUMNS = KEYS[:2]
"""With the outcome they are three fields."""
WEEK_DAYS = 7
START = datetime(2026, 11, 23, tzinfo=UTC)
ASKED = 10
"""Times that each question is asked, as a peer is in bench/store.py; the best counts."""
VALUES = len(FIELDS)


def looks(batch: Sequence[tuple[Any, ...]], targets: list[Target], keys: Sequence[str] = KEYS) -> list[Observation]:
    found = []
    for target, at, rtt, jitter, up, state, counter in batch:
        when = START + timedelta(microseconds=at)
        values = dict(zip(keys, (rtt, jitter, state, counter), strict=False))
        part = Part(Outcome.OK if up else Outcome.FAILED, values=values)
        found.append(Observation(targets[target].id, targets[target], "bench", "v", when, when, 0.0, {"": part}))
    return found


def ingest(folder: Path, asked: dict[str, Any]) -> dict[str, float]:
    """Store everything; first the looks alone, then all of it again with rollups, as the daemon does."""
    targets = made(asked["targets"])
    raw = folder / "raw"
    raw.mkdir()
    file = DayFile(raw / f"{START.date()}.sqlite", START.date(), COLUMNS)
    cpu = slowest = whole = 0.0
    values = 0
    for batch in batches(asked["targets"], asked["seconds"]):
        given = looks(batch, targets)
        values += VALUES * len(given)
        began = time.process_time()
        file.write(given)
        cpu += time.process_time() - began
    began = time.process_time()
    while file.settle():
        pass
    file.close()
    cpu += time.process_time() - began
    keeper = Keeper(folder / "whole", COLUMNS, retention_days=30, rollup_days=30, archives=False)
    for batch in batches(asked["targets"], asked["seconds"]):
        given = looks(batch, targets)
        began, wall = time.process_time(), time.perf_counter()
        keeper.store(given)
        keeper.tend()
        whole += time.process_time() - began
        slowest = max(slowest, time.perf_counter() - wall)
    began = time.process_time()
    keeper.store(looks([(0, asked["seconds"] * 1_000_000 + 60_000_000, 1.0, 1.0, 1, 0, 0)], targets))
    while keeper.tend():
        pass
    keeper.close()
    whole += time.process_time() - began
    found = {"raw_cpu": cpu, "whole_cpu": whole, "values": values, "slowest_ms": 1000 * slowest}
    found["raw_bytes"] = (raw / f"{START.date()}.sqlite").stat().st_size / values
    found |= {
        f"rollup_{width}_bytes": path_of(folder / "whole", width, START.date()).stat().st_size / values
        for width in WIDTHS
    }
    return found


def made(count: int) -> list[Target]:
    return [Target(f"t{n}/bench/", "192.0.2.1", 4) for n in range(count)]


def week(folder: Path, asked: dict[str, Any]) -> dict[str, float]:
    """Keep seven days of many targets, with retention and archive, a commit a second; how long does each take?

    Of each day the first ``seconds`` happen, at the pace of a whole one: the same rows a commit, fewer commits.
    """
    targets = made(asked["targets"])
    columns = {"bench": dict.fromkeys(WEEK_COLUMNS, 0.01)}
    keeper = Keeper(folder, columns, retention_days=5, rollup_days=30)
    delays = []
    for second, batch in enumerate(batches(asked["targets"], WEEK_DAYS * asked["seconds"])):
        skipped = second // asked["seconds"] * (86_400 - asked["seconds"]) * 1_000_000
        given = looks([(target, at + skipped, *values) for target, at, *values in batch], targets, WEEK_COLUMNS)
        began = time.perf_counter()
        keeper.store(given)
        keeper.tend()
        delays.append(time.perf_counter() - began)
    keeper.close()
    assert keeper.error == "", keeper.error
    delays.sort()
    return {
        "delay_p50_ms": 1000 * median(delays),
        "delay_p99_ms": 1000 * delays[int(len(delays) * 0.99)],
        "delay_most_ms": 1000 * delays[-1],
        "lost": keeper.dropped,
        "archived_days": len(archives.days(folder)),
        "helper_rss_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6,
    }


def archive(folder: Path, values: int) -> dict[str, float]:
    began = time.process_time()
    told = parquet.write(folder / "raw", START.date())
    return {
        "archive_bytes": sum(file.bytes for file in told.files) / values,
        "archive_cpu": time.process_time() - began,
    }


async def ask(folder: Path, asked: dict[str, Any]) -> dict[str, float]:
    def complain(sentence: str) -> None:
        raise RuntimeError(sentence)

    history = LocalHistory(folder / "whole", complain)
    until = START + timedelta(seconds=asked["seconds"])
    one = Which(checks=frozenset(["t7/bench/"]))

    async def timed(question: Callable[[], Any]) -> float:
        times = []
        for _ in range(ASKED):
            began = time.perf_counter()
            answer = await question()
            times.append(time.perf_counter() - began)
            assert answer
        return 1000 * min(times)

    return {
        "latest_ms": await timed(history.latest),
        "one_ms": await timed(lambda: history.range("t7/bench/", "", START, until)),
        "hourly_ms": await timed(lambda: history.overview("rtt_ms", START, until)),
        "availability_ms": await timed(lambda: history.availability(START, until)),
        "smoke_ms": await timed(
            lambda: history.downsample("rtt_ms", START, until, 3 * timedelta(seconds=STEP * 10), one)
        ),
    }


def main() -> None:
    folder = Path(sys.argv[1])
    asked = json.loads(sys.stdin.read())
    found = week(folder, asked) if asked["what"] == "week" else ingest(folder, asked)
    found["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    if asked["what"] == "day":
        found |= asyncio.run(ask(folder, asked))
        found |= archive(folder, int(found["values"]))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
