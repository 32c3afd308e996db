"""A scripted world in simulated time, through the real line and the real journal."""

import heapq
import itertools
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from alerting import schema as alerting_schema
from alerting.journal import Journal
from alerting.model import Alert
from alerting.plan import Directory
from monitor.cadence import due, make_groups
from monitor.ledger import MIGRATIONS, Ledger
from monitor.model import Check, World
from monitor.pipeline import Doors, Pipeline
from probes.model import Observation, Outcome, Part
from tests.fakes import FakeClock

OK = Part(Outcome.OK, "", {"rtt_seconds": 0.05})
SILENT = Part(Outcome.FAILED, "no answer within 2.0 s")
REFUSED = Part(Outcome.FAILED, "connection refused", refused=True)
SCHEMAS = {"alerting": alerting_schema.MIGRATIONS, "monitor": MIGRATIONS}


@dataclass(frozen=True)
class Fault:
    """From, to (seconds since the start), and what it hits."""

    since: float
    until: float
    hits: Callable[[Check], bool]
    part: Part = SILENT


@dataclass
class Script:
    """What answers when; every look may be lost by chance, the same in each run."""

    faults: list[Fault] = field(default_factory=list)
    loss: float = 0.0

    def answer(self, check: Check, seconds: float) -> tuple[Part, float]:
        """Return what a look at that moment sees and how long it takes."""
        for fault in self.faults:
            if fault.since <= seconds < fault.until and fault.hits(check):
                return fault.part, 0.05 if fault.part.refused else check.timeout
        if self.loss and zlib.crc32(f"{check.id} {seconds:.3f}".encode()) / 2**32 < self.loss:
            return SILENT, check.timeout
        return OK, 0.05


class NoSeries:
    """Counts what the series store would keep."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, observations: Iterable[Observation]) -> None:
        self.count += sum(1 for _ in observations)


class Simulation:
    """Drives the line through time: what is due, what is looked at again, what answers."""

    def __init__(self, world: World, directory: Directory, script: Script, folder: Path, *, at: float = 0.0) -> None:
        self.world, self.directory, self.script, self.folder = world, directory, script, folder
        self.clock = FakeClock()
        self.clock.elapsed = at
        self.series = NoSeries()
        self.pins: list[str] = []
        self.planned = 0
        self.asked: Counter[str] = Counter()
        self._free: defaultdict[str, float] = defaultdict(float)
        """Check -> when its last question is answered."""
        self.restored: list[float] = []
        """When waiting messages were let go."""
        self._groups = make_groups(world.checks.values())
        self._order = itertools.count()
        self._events: list[tuple[float, int, str, object]] = []
        self._wanted: dict[str, float] = {}
        self._flying: set[str] = set()
        self._reached = self.clock.now()

    async def open(self, journal: type[Journal] = Journal) -> None:
        """Open the journal and boot the line from it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.journal = await journal.open(self.folder / "journal.sqlite", SCHEMAS)
        ledger = self.ledger = Ledger(self.journal, self.world.vantage)
        boot = await ledger.boot()
        await ledger.start(self.clock.now())
        self.pipeline = Pipeline(
            self.world,
            self.directory,
            journal=self.journal,
            ledger=ledger,
            series=self.series,
            clock=self.clock,
            doors=Doors(self._again, self._planned, self._restored, self._pin),
            boot=boot,
        )

    async def reload(self, world: World) -> None:
        """Go by another world between two turns, as the daemon does."""
        fresh = [name for name in world.checks if name not in self.world.checks]
        self.world = world
        self._groups = make_groups(world.checks.values())
        self._events = [event for event in self._events if event[2] != "tick"]
        heapq.heapify(self._events)
        await self.pipeline.reload(world, self.directory)
        for name in fresh:
            self._again(name, 0.0)

    async def close(self) -> None:
        await self.journal.close()

    def _planned(self) -> None:
        self.planned += 1

    def _restored(self) -> None:
        self.restored.append(self.clock.elapsed)

    def _pin(self, alert: Alert) -> str:
        self.pins.append(alert.what)
        return "book@0"

    def _again(self, check: str, delay: float) -> None:
        at = self.clock.elapsed + delay
        if at < self._wanted.get(check, float("inf")):
            self._wanted[check] = at
            self._push(at, "again", check)

    def _push(self, at: float, what: str, load: object) -> None:
        heapq.heappush(self._events, (at, next(self._order), what, load))

    async def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end = self.clock.elapsed + seconds
        while self.clock.elapsed < end:
            window = min(end, self.clock.elapsed + 60.0)
            until = self.clock.start + timedelta(seconds=window)
            for tick in due(self._groups, self.clock.start, self._reached, until):
                at = (tick.at - self.clock.start).total_seconds()
                self._push(at, "tick", self._groups[tick.group].slots[tick.slot])
            for second in range(int(self.clock.elapsed) + 1, int(window) + 1):
                self._push(second, "second", None)
            self._reached = until
            while self._events and self._events[0][0] <= window:
                at, _, what, load = heapq.heappop(self._events)
                self.clock.elapsed = max(self.clock.elapsed, at)
                await self._handle(what, load)
            self.clock.elapsed = window

    async def _handle(self, what: str, load: object) -> None:
        if what == "tick":
            self._ask(load)  # type: ignore[arg-type] # a tick's load is names of checks
        elif what == "again":
            ready = [str(load)]
            while self._events and self._events[0][0] <= self.clock.elapsed and self._events[0][2] == "again":
                ready.append(str(heapq.heappop(self._events)[3]))
            self._ask([name for name in ready if self._wanted.pop(name, None) is not None])
        elif what == "answers":
            looks: list[Observation] = load  # type: ignore[assignment] # the load of answers is looks
            self._flying.difference_update(look.check for look in looks)
            await self.pipeline.take(looks)
        else:
            await self.pipeline.tick()

    def _ask(self, checks: Iterable[str]) -> None:
        now, answers = self.clock.now(), dict[float, list[Observation]]()
        for name in checks:
            check = self.world.checks.get(name)
            if check is None:  # asked for before a change of config
                continue
            if name in self._flying and not check.reference:
                continue
            self._flying.add(name)
            self.asked[name] += 1
            leaves = max(self.clock.elapsed, self._free[name])  # one question at a time, as the DNS engine asks
            part, took = self.script.answer(check, leaves)
            self._free[name] = leaves + took
            at = now + timedelta(seconds=leaves - self.clock.elapsed)
            look = Observation(name, check.target, check.kind, self.world.vantage, now, at, took, {"": part})
            answers.setdefault(leaves + took, []).append(look)
        for ends, looks in answers.items():
            self._push(ends, "answers", looks)

    def phases(self) -> Mapping[str, str]:
        """Return how every asset that is watched stands."""
        topology = self.pipeline.topology
        return {a: topology.standing(a, self.pipeline.states).phase.value for a in sorted(topology.checks)}
