"""What detection costs: microseconds for each look, and memory for each check, as the checks grow.

Each count runs in a process of its own, which makes the world, then hears it through quiet, a storm, and its end:
half an hour under the shipped rule, with its baselines.
"""

import gc
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing import get_context
from random import Random

from bench.archipelago import FULL, VANTAGES, region
from bench.common import Progress, Report, rss_mb
from bench.histories import misconfigured
from bench.truth import OK, SILENT
from bench.watching import START, as_shipped
from monitor.belief import Belief
from monitor.config import load
from monitor.docket import Book
from monitor.model import Asset, World
from probes.model import Observation

COUNTS = (2_500, 5_000, 10_000)
ROUNDS = 64
STORM = range(20, 44)
"""In these rounds one check of fifty fails."""
EVERY = 30.0
LOSS = 0.005
BATCH = 50


def many(count: int) -> World:
    """Return a world of so many checks: archipelagos side by side, as configured by people."""
    rng = Random(f"cost {count}")
    world = region(rng, FULL, VANTAGES[:1], transit=False)
    assets, checks, dependencies = dict(world.assets), dict(world.checks), list(world.dependencies)
    territories = dict(world.territories)
    number = 0
    while len(checks) < count:
        number += 1
        more = region(rng, FULL, VANTAGES[:1], transit=False)
        names = {id_: id_ if id_.startswith("vantage:") else f"{id_}-{number}" for id_ in more.assets}
        assets |= {names[id_]: _moved(asset, names[id_], number) for id_, asset in more.assets.items()}
        for code, territory in more.territories.items():
            territories[_code(code, number)] = replace(territory, code=_code(code, number))
        for check in more.checks.values():
            if not check.reference and len(checks) < count:
                serves = tuple(names[zone] for zone in check.serves)
                id_ = f"{number}:{check.id}"
                checks[id_] = replace(check, id=id_, asset=names[check.asset], serves=serves)
        dependencies += [
            replace(each, asset=names[each.asset], needs=tuple(names[need] for need in each.needs))
            for each in more.dependencies
        ]
    whole = replace(world, assets=assets, checks=checks, dependencies=tuple(dependencies), territories=territories)
    believed = as_shipped(misconfigured(rng, whole), VANTAGES[:1])
    rule = next(check.rule for check in load(None, {}).world.checks.values() if check.asset.startswith("nameserver:"))
    return replace(
        believed,
        checks={id_: one if one.reference else replace(one, rule=rule) for id_, one in believed.checks.items()},
    )


def _moved(asset: Asset, name: str, number: int) -> Asset:
    """Return the asset under a name of its own, in the territory that its archipelago stands in."""
    return replace(asset, id=name, territories=tuple(_code(code, number) for code in asset.territories))


def _code(code: str, number: int) -> str:
    """Spread the archipelagos over some forty territories, as the region has them."""
    return f"{code}{number % 10}"


def measure(count: int) -> tuple[float, float]:
    """Return microseconds of CPU for each look and kilobytes of memory for each check; for a process of its own."""
    before = rss_mb([os.getpid()])
    world = many(count)
    belief = Belief(world, {}, Book(), frozenset(), START)
    rng, cpu, looks, now = Random(count), 0.0, 0, START
    ids = list(world.checks)
    dead = set(rng.sample(ids, count // 50))
    for turn in range(ROUNDS):
        for first in range(0, len(ids), BATCH):
            now += timedelta(seconds=EVERY * BATCH / len(ids))
            names = ids[first : first + BATCH]
            storm = turn in STORM
            batch = [_look(world, id_, now, good=rng.random() >= LOSS and not (storm and id_ in dead)) for id_ in names]
            begun = time.process_time()
            _turn(belief, batch, now)
            cpu += time.process_time() - begun
        looks += len(ids)
    gc.collect()
    return cpu / looks * 1e6, (rss_mb([os.getpid()]) - before) * 1000 / count


def _turn(belief: Belief, batch: list[Observation], now: datetime) -> None:
    """Do what the line does with a batch, but for the journal."""
    monotonic = (now - START).total_seconds()
    signals = belief.hear(batch, now, monotonic)
    belief.tick(now, monotonic)
    belief.take_wishes()
    step = belief.conclude(signals)
    if step:
        belief.adopt(step)


def _look(world: World, id_: str, now: datetime, *, good: bool) -> Observation:
    check = world.checks[id_]
    return Observation(id_, check.target, check.kind, world.vantage, now, now, 0.05, {"": OK if good else SILENT})


def cost(report: Report, say: Progress) -> None:
    """Add the figures."""
    kilobytes: dict[int, float] = {}
    for count in COUNTS:
        say.say(f"cost: {count} checks")
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            micro, kilobytes[count] = pool.submit(measure, count).result()
        report.add(f"us_per_look_{count}", "us CPU", {"lambi": micro})
        report.add(f"kb_per_check_{count}", "kB", {"lambi": kilobytes[count]})
    growth = kilobytes[COUNTS[-1]] / kilobytes[COUNTS[0]] if kilobytes[COUNTS[0]] else None
    report.add("memory_growth", f"kB per check, {COUNTS[-1]} : {COUNTS[0]}", {"lambi": growth})
