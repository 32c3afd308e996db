"""One process that asks: ours by its scheduler and engines, or dnspython; prints its CPU seconds as JSON.

python -m bench.asking NAME '{"kind": "dns", "port": 5353, "targets": ["127.1.0.1"], "seconds": 10}'
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import dns.asyncbackend
import dns.asyncquery
import dns.edns
import dns.message

from monitor.belief import Belief
from monitor.docket import Book
from monitor.measuring import COLUMNS
from monitor.model import Asset, Check, Rule, World
from monitor.schedule import Scheduler
from monitor.store import SeriesStore
from probes import PROBES
from probes.clock import SystemClock
from probes.engines import build, close
from probes.model import Observation, Outcome, Target

VANTAGE = "vantage:bench"
EVERY = 0.5
KEPT = 5_000
AT_ONCE = 50
"""What the peers have on their way at a time; it is ours that has a cadence."""


class Line:
    """Stands where the pipeline stands: counts, and hands on to what is believed, whose cost it tells apart."""

    def __init__(self, world: World) -> None:
        self.looks: list[Observation] = []
        """The first few thousand: what is kept costs the collector of garbage, which the line does not."""
        self.done = self.failed = 0
        self.belief = Belief(world, {}, Book(), frozenset(), SystemClock().now())
        self.believing = 0.0
        self.counts = False

    async def take(self, looks: Sequence[Observation]) -> None:
        if not self.counts:
            return
        self.looks += looks[: max(0, KEPT - len(self.looks))]
        self.done += len(looks)
        self.failed += sum(part.outcome is not Outcome.OK for look in looks for part in look.parts.values())
        began = time.thread_time()
        self.belief.hear(looks, SystemClock().now(), time.monotonic())
        self.believing += time.thread_time() - began

    async def tick(self) -> None:
        """Nothing: no incident is to come of this."""


def world(asked: Mapping[str, Any]) -> World:
    probe = PROBES[asked["kind"]](**asked["settings"])
    assets, checks = {VANTAGE: Asset(VANTAGE, "vantage", "bench")}, {}
    for number, address in enumerate(asked["targets"]):
        name = f"router:{number}"
        assets[name] = Asset(name, "router", address)
        target = Target(name, address, 4)
        identity = f"{name}/{probe.kind}"
        checks[identity] = Check(identity, name, target, probe.kind, probe, EVERY, 1.0, Rule())
    return World(VANTAGE, {}, assets, checks, (), ())


async def ours(asked: Mapping[str, Any]) -> dict[str, float]:
    """Ask every target on its cadence, by the scheduler: from its tick to the observation."""
    watched, clock = world(asked), SystemClock()
    engines = build(vantage=VANTAGE, clock=clock)
    scheduler, line = Scheduler(watched, engines, clock), Line(watched)
    scheduler.start()
    feeding = asyncio.create_task(scheduler.feed(line))  # type: ignore[arg-type] # it takes looks and ticks
    await asyncio.sleep(2 * EVERY)
    line.counts, began = True, time.process_time()
    await asyncio.sleep(asked["seconds"])
    line.counts, cpu = False, time.process_time() - began
    await scheduler.stop()
    feeding.cancel()
    await close(engines)
    assert not any(engine.bugs for engine in engines.values())
    storing = await keep(line.looks) / len(line.looks) * line.done
    found = {"count": line.done, "failed": line.failed, "believing": line.believing, "storing": storing}
    return {"cpu": cpu - line.believing, **found}


async def keep(looks: Sequence[Observation]) -> float:
    """Return the CPU seconds of the series store for these looks, its writer thread included."""
    with tempfile.TemporaryDirectory(prefix="lambi-bench-") as folder:
        series = SeriesStore(Path(folder), COLUMNS, retention_days=400, rollup_days=3660)
        began = time.process_time()
        for first in range(0, len(looks), 1000):
            series.add(looks[first : first + 1000])
            await asyncio.sleep(0.05)
        await series.close()
        return time.process_time() - began


async def dnspython(asked: Mapping[str, Any]) -> dict[str, float]:
    """Ask by dns.asyncquery: a socket for each of so many at once, used again; the query is made anew, for its id."""
    targets, port, turn = asked["targets"], asked["settings"]["port"], count()
    failed = done = 0
    end = time.monotonic() + asked["seconds"]
    nsid = dns.edns.GenericOption(dns.edns.OptionType.NSID, b"")

    async def ask() -> None:
        nonlocal done, failed
        backend = dns.asyncbackend.get_default_backend()
        async with await backend.make_socket(2, 2, 0, None) as sock:
            while time.monotonic() < end:
                target = targets[next(turn) % len(targets)]
                query = dns.message.make_query(asked["settings"]["query"], "SOA", use_edns=0, options=[nsid], flags=0)
                try:
                    reply = await dns.asyncquery.udp(query, target, port=port, timeout=1.0, sock=sock)
                    failed += not reply.answer
                except (OSError, dns.exception.DNSException):
                    failed += 1
                done += 1

    began = time.process_time()
    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    return {"cpu": time.process_time() - began, "count": done, "failed": failed}


ASKING: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[dict[str, float]]]] = {
    "lambi": ours,
    "asyncquery": dnspython,
}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ASKING[sys.argv[1]](json.loads(sys.stdin.read())))))  # type: ignore[arg-type] # a coroutine
