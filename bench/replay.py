"""What detection costs: 5,000 checks every 60 s for ten simulated hours, and how cost and memory grow with the checks.

`quiet`: all is well. `lively`: half a percent of all looks is lost, and every ten minutes a router with 199 sites
behind it goes for five. `grow`: 2,500, 5,000 and 10,000 checks. No peer lives ten hours in a minute: Lambi is
alone here. Needs no root; takes about three minutes (--quick: about 20 s).
"""

import argparse
import gc
import sys
import time
import tracemalloc
from pathlib import Path

if not __package__:  # started as a file: python bench/replay.py
    sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.common import Goal, Progress, Report, finish, parser
from monitor.config import load
from monitor.replay import Replay
from monitor.replay.stage import Stage
from monitor.replay.story import Story
from monitor.replay.world import START, build

HOURS = 10.0
BEHIND = 199
"""Sites behind each router."""
GOALS = (
    Goal("quiet_s", 60),
    Goal("lively_s", 60),
    Goal("lively_false", 0, exact=True),
    Goal("grow_us_10000", 20),
    Goal("grow_ratio", 1.25),
    Goal("grow_memory_ratio", 1.25),
)


def story(checks: int, *, hours: float, lively: bool) -> Story:
    """`checks` in groups of a router and what stands behind it."""
    groups = checks // (BEHIND + 1)
    watch: dict[str, str] = {}
    for number in range(groups):
        watch[f"router:r{number}"] = "in JM"
        watch[f"site:g{number}-{{1..{BEHIND}}}"] = f"in JM; needs router:r{number}"
    faults = range(int(hours * 6) if lively else 0)
    events = [f"{600 * n + 60}s cut router:r{n % groups} for 5m" for n in faults]
    if lively:
        events.append("0s lose 0.5% of router:*, site:*")
    return Story.model_validate({"story": "bench", "every": "60s", "watch": watch, "events": events})


def run(told: Story, hours: float) -> tuple[Replay, float]:
    """Replay it; return what came and how many seconds of this process that took."""
    replay = Replay(build(told, load(None, {}).world), Stage(told), start=START)
    gc.collect()
    begun = time.process_time()
    replay.run(hours * 3600)
    return replay, time.process_time() - begun


def measure(report: Report, name: str, *, hours: float) -> None:
    """One of `quiet` and `lively`."""
    lively = name == "lively"
    replay, took = run(story(5000, hours=hours, lively=lively), hours)
    looks = replay.record.looks
    report.add(f"{name}_looks", "looks", {"lambi": looks})
    report.add(f"{name}_s", "s", {"lambi": took * HOURS / hours})
    report.add(f"{name}_us", "us/look", {"lambi": took / looks * 1e6})
    opened = [change.incident.asset for _, change in replay.record.changes if change.what == "opened"]
    report.add(f"{name}_false", "incidents", {"lambi": sum(not asset.startswith("router:") for asset in opened)})
    report.add(f"{name}_incidents", "incidents", {"lambi": len(opened)})


def grow(report: Report, *, minutes: float) -> None:
    """How cost and memory grow with the number of checks."""
    cost: dict[int, float] = {}
    memory: dict[int, float] = {}
    for checks in (2500, 5000, 10_000):
        replay, _ = run(story(checks, hours=1.0, lively=True), 2 / 60)
        begun, before = time.process_time(), replay.record.looks
        replay.run(minutes * 60)
        cost[checks] = (time.process_time() - begun) / (replay.record.looks - before) * 1e6
        del replay
        memory[checks] = held(checks)
        report.add(f"grow_us_{checks}", "us/look", {"lambi": cost[checks]})
        report.add(f"grow_kb_{checks}", "KB/check", {"lambi": memory[checks]})
    report.add("grow_ratio", "10,000 : 2,500", {"lambi": cost[10_000] / cost[2500]})
    report.add("grow_memory_ratio", "10,000 : 2,500", {"lambi": memory[10_000] / memory[2500]})


def held(checks: int) -> float:
    """Kilobytes that what is believed of a check takes, after it was looked at."""
    told = story(checks, hours=1.0, lively=False)
    world, stage = build(told, load(None, {}).world), Stage(told)
    tracemalloc.start()
    replay = Replay(world, stage, start=START)
    replay.run(61)
    replay.record.signals.clear()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / 1000 / checks


def main() -> int:
    """Run what was asked."""
    options = _options()
    report = Report("replay", {"lambi": "belief and replay"})
    with Progress() as say:
        for name in options.only or ("quiet", "lively", "grow"):
            say.say(name)
            if name == "grow":
                grow(report, minutes=3 if options.quick else 15)
            else:
                measure(report, name, hours=0.5 if options.quick else HOURS)
    if options.quick:
        report.notes.append("quick: half an hour was replayed; seconds are those of ten hours by the rule of three")
    return finish(report, GOALS, options)


def _options() -> argparse.Namespace:
    return parser(__doc__, ("quiet", "lively", "grow"), ("lambi",)).parse_args()


if __name__ == "__main__":
    sys.exit(main())
