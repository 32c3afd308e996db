"""The experiments: what is done to the worlds of all contenders at the same moments, and what came of it."""

import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

from bench.common import Number, Progress, Report, cpu_seconds, rss_mb
from bench.contender import Contender
from bench.targets import Thing, leaves, storm, victims

SETTLE_LIMIT = 120.0
BURSTS = (3.0, 5.0, 8.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long is measured and watched, seconds."""

    warm: float = 20.0
    window: float = 120.0
    each: int = 5
    """Deaths per kind where the delay is measured."""
    spread: float = 30.0
    """They happen at random moments within so long."""
    cut: float = 90.0
    after_cut: float = 150.0
    after_crash: float = 120.0
    down: float = 10.0
    """How long a killed process stays away."""


QUICK = Plan(warm=5, window=30, each=1, spread=10, cut=40, after_cut=80, after_crash=45)


@dataclass(slots=True)
class Bench:
    """The contenders that run, each with a world of its own. What fails is noted and is left out from then on."""

    contenders: list[Contender]
    plan: Plan
    say: Progress
    report: Report
    phases: random.Random = field(default_factory=lambda: random.Random(1))

    @contextmanager
    def running(self, what: str) -> Iterator[list[Contender]]:
        """Start every contender with an empty state; all of them see every target answer before this goes on."""
        with ExitStack() as stack:
            for contender in self.contenders:
                stack.enter_context(contender.fresh())
            ready = [contender for contender in self.contenders if self._settles(contender, what)]
            if ready:
                self.say.wait(self.plan.warm, f"{what}: all targets answer, settling")
            yield ready

    def _settles(self, contender: Contender, what: str) -> bool:
        try:
            if self.say.wait(SETTLE_LIMIT, f"{what}: waiting for {contender.name}", contender.settled):
                return True
            why = f"knew {contender.answering()} of {len(contender.world.things)} targets to be up after a while"
            why = f"{why}; its last words: {contender.last_words()}"
        except RuntimeError as error:
            why = str(error)
        self.report.notes.append(f"{what}: {contender.name} gave no figures: {why}")
        return False

    def add(self, name: str, unit: str, found: Mapping[str, Number | None]) -> None:
        """Add a row; a contender that gave nothing has None."""
        self.report.add(name, unit, {contender.name: found.get(contender.name) for contender in self.contenders})

    def at(self, events: Sequence[tuple[float, str, Callable[[], object]]]) -> None:
        """Do each at its second from now."""
        begun = time.monotonic()
        for second, text, do in sorted(events, key=lambda event: event[0]):
            self.say.wait(begun + second - time.monotonic(), text)
            do()


def cost(bench: Bench) -> None:
    """CPU and memory of all contenders in the same window."""
    with bench.running("cost") as ready:
        stored = {c.name: c.stored() for c in ready}
        before = {c.name: (time.monotonic(), cpu_seconds(c.pids())) for c in ready}
        bench.say.wait(bench.plan.window, "cost: measuring")
        used, share = {}, {}
        for c in ready:
            began, cpu = before[c.name]
            used[c.name] = cpu_seconds(c.pids()) - cpu
            share[c.name] = 100 * used[c.name] / (time.monotonic() - began)
        bench.add("looks_stored", f"in {bench.plan.window:.0f} s", {c.name: c.stored() - stored[c.name] for c in ready})
        bench.add("cpu_seconds", f"s in {bench.plan.window:.0f} s", used)
        bench.add("cpu_percent", "% of a core", share)
        bench.add("rss_mb", "MB", {c.name: rss_mb(c.pids()) for c in ready})
        lateness = {c.name: late for c in ready if (late := c.lateness()) is not None}
        bench.add("lateness_p99_ms", "ms", lateness)


def delay(bench: Bench) -> None:
    """From the death of one target to the first message that names it."""
    with bench.running("delay") as ready:
        dead = victims(bench.contenders[0].world.things, bench.plan.each)
        died: dict[tuple[str, str], float] = {}

        def die(victim: Thing) -> None:
            died.update({(c.name, victim.name): c.world.kill([victim]) for c in ready})

        moments = [bench.phases.uniform(0, bench.plan.spread) for _ in dead]
        bench.at([(at, f"delay: {v.name} dies", partial(die, v)) for at, v in zip(moments, dead, strict=True)])
        _until_told(bench, ready, dead, min(died.values(), default=0.0))
        delays: dict[str, list[float]] = {}
        for c in ready:
            first = _first_told(c, min(died.values()))
            delays[c.name] = [first[v.name] - died[c.name, v.name] for v in dead if v.name in first]
            c.world.heal(dead)
        untold = {name: len(dead) - len(found) for name, found in delays.items()}
        bench.add("delay_never_told", f"of {len(dead)}", untold)
        bench.add("delay_min_s", "s", {name: min(found, default=None) for name, found in delays.items()})
        bench.add("delay_p50_s", "s", {n: statistics.median(found) if found else None for n, found in delays.items()})
        bench.add("delay_max_s", "s", {name: max(found, default=None) for name, found in delays.items()})


def _first_told(contender: Contender, since: float) -> dict[str, float]:
    """When each target was first called down."""
    first: dict[str, float] = {}
    for message in contender.handed(since):
        for name in message.down:
            first.setdefault(name, message.at)
    return first


def _until_told(bench: Bench, ready: Sequence[Contender], dead: Sequence[Thing], since: float) -> None:
    """Wait until every contender has told of every death, or until the slowest should have."""
    names = {thing.name for thing in dead}
    limit = max((contender.told_within for contender in ready), default=0)
    bench.say.wait(limit, "waiting for messages", lambda: all(names <= set(_first_told(c, since)) for c in ready))


def storm_of_300(bench: Bench) -> None:
    """300 targets die at once of eight causes: messages, bytes, and how long until every cause is told."""
    with bench.running("storm") as ready:
        causes = storm(bench.contenders[0].world.things)
        dead = [thing for cause in causes for thing in cause]
        died = {c.name: c.world.kill(dead) for c in ready}
        bench.say.wait(max((c.told_within for c in ready), default=0), f"storm: {len(dead)} targets died")
        told = {c.name: c.handed(died[c.name]) for c in ready}
        first = {c.name: _first_told(c, died[c.name]) for c in ready}
        named = {c.name: [_cause_told(cause, first[c.name]) for cause in causes] for c in ready}
        bench.add(
            "storm_causes_told", f"of {len(causes)}", {n: sum(x is not None for x in f) for n, f in named.items()}
        )
        bench.add("storm_messages", "messages", {name: len(messages) for name, messages in told.items()})
        bench.add("storm_bytes", "bytes", {name: sum(m.size for m in messages) for name, messages in told.items()})
        bench.add(
            "storm_last_cause_s",
            "s",
            {n: max((at - died[n] for at in found if at is not None), default=None) for n, found in named.items()},
        )
        for c in ready:
            c.world.heal(dead)


def _cause_told(cause: Sequence[Thing], first: Mapping[str, float]) -> float | None:
    """When something of this cause was first called down."""
    return min((first[thing.name] for thing in cause if thing.name in first), default=None)


def link(bench: Bench) -> None:
    """The watcher's own link is lost and comes back; messages still leave. Nothing that is watched has died."""
    with bench.running("link") as ready:
        cut = {c.name: c.world.cut() for c in ready}
        bench.say.wait(bench.plan.cut, "link: lost")
        for c in ready:
            c.world.mend()
        bench.say.wait(bench.plan.after_cut, "link: back")
        told = {c.name: c.handed(cut[c.name]) for c in ready}
        bench.add("link_messages", "messages", {name: len(messages) for name, messages in told.items()})
        bench.add("link_falsely_down", "targets", {c.name: len(_first_told(c, cut[c.name])) for c in ready})
        bench.add("link_bytes", "bytes", {name: sum(m.size for m in messages) for name, messages in told.items()})


def burst(bench: Bench) -> None:
    """All packets to 400 ICMP targets are lost for 3, 5 and 8 seconds, which is no outage."""
    with bench.running("burst") as ready:
        lost = leaves(bench.contenders[0].world.things, "icmp")
        for seconds in BURSTS:
            begun = {c.name: c.world.kill(lost) for c in ready}
            bench.say.wait(seconds, f"burst: {len(lost)} targets lose everything")
            for c in ready:
                c.world.heal(lost)
            bench.say.wait(45, f"burst of {seconds:.0f} s is over")
            called = {c.name: len(_first_told(c, begun[c.name])) for c in ready}
            bench.add(f"burst_{seconds:.0f}s_outages", f"of {len(lost)}", called)


def crash(bench: Bench) -> None:
    """Kill -9 of all the contender's processes: after outages were told, and while one is seen but not yet told."""
    _crash_after_telling(bench)
    _crash_while_pending(bench)


def _crash_after_telling(bench: Bench) -> None:
    with bench.running("crash") as ready:
        dead = victims(bench.contenders[0].world.things, bench.plan.each)
        died = min((c.world.kill(dead) for c in ready), default=0.0)
        _until_told(bench, ready, dead, died)
        bench.say.wait(12, "crash: all is told")
        for c in ready:
            c.crash()
        crashed = time.monotonic()
        bench.say.wait(bench.plan.down, "crash: all are dead")
        for c in ready:
            c.start()
        bench.say.wait(bench.plan.after_crash, "crash: back, nothing has changed")
        again = {c.name: len(c.handed(crashed)) for c in ready}
        bench.add("crash_repeated_messages", f"of {len(dead)} outages", again)
        for c in ready:
            c.world.heal(dead)


def _crash_while_pending(bench: Bench) -> None:
    with bench.running("crash") as ready:
        dead = victims(bench.contenders[0].world.things, bench.plan.each)
        died = {c.name: c.world.kill(dead) for c in ready}
        early = {}
        events: list[tuple[float, str, Callable[[], object]]] = []

        def die(c: Contender) -> None:
            early[c.name] = set(_first_told(c, died[c.name]))
            c.crash()

        for c in ready:
            events.append((c.pending_after, f"crash: {c.name} dies while outages are pending", partial(die, c)))
            events.append((c.pending_after + bench.plan.down, f"crash: {c.name} is back", c.start))
        bench.at(events)
        _until_told(bench, ready, dead, min(died.values(), default=0.0))
        first = {c.name: _first_told(c, died[c.name]) for c in ready}
        late = {c.name: [at - died[c.name] for n, at in first[c.name].items() if n not in early[c.name]] for c in ready}
        bench.add("crash_pending_lost", f"of {len(dead)}", {n: len(dead) - len(told) for n, told in first.items()})
        bench.add("crash_pending_told_max_s", "s", {name: max(found, default=None) for name, found in late.items()})
        for c in ready:
            c.world.heal(dead)


EXPERIMENTS: dict[str, Callable[[Bench], None]] = {
    "cost": cost,
    "delay": delay,
    "storm": storm_of_300,
    "link": link,
    "burst": burst,
    "crash": crash,
}
