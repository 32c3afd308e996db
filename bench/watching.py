"""Runs a history through the belief that the daemon holds, and reads its claims from the record."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from alerting.model import Reason
from bench.scoring import Claim, Score, score
from bench.truth import History
from monitor.config import load
from monitor.model import Incident, World
from monitor.replay import Record, Replay

START = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
SHIPPED = ("settle_seconds", "hold_seconds", "reopen_seconds", "severities")
BEGINNINGS = {Reason.FIRST, Reason.WORSE}


@cache
def _shipped() -> World:
    return load(None).world


def as_shipped(world: World, vantages: tuple[str, ...]) -> World:
    """Return the world under the shipped policy, looked at from these vantages."""
    policy = {name: getattr(_shipped(), name) for name in SHIPPED}
    return replace(world, vantage=vantages[0], vantages=vantages[1:], **policy)


def watch(history: History) -> Record:
    """Let the history pass; return all that came of it."""
    world = as_shipped(history.configured, history.vantages)
    replay = Replay(
        world,
        history,
        start=START,
        vantages=history.vantages,
        steps=history.chance.steps,
        delays=history.delay,
    )
    replay.run(history.seconds)
    return replay.record


def claims_of(record: Record, world: World) -> list[Claim]:
    """Return each incident as a claim, with those that became part of another folded into it.

    Of an asset that nobody watches it is the things that need it that are claimed to be hurt.
    """
    watched = {asset for check in world.checks.values() for asset in (check.asset, *check.serves)}
    needing: dict[str, set[str]] = {}
    for dependency in world.dependencies:
        for need in dependency.needs:
            needing.setdefault(need, set()).add(dependency.asset)
    opened: dict[str, float] = {}
    closed: dict[str, float | None] = {}
    last: dict[str, Incident] = {}
    assets: dict[str, set[str]] = {}
    for seconds, change in record.changes:
        incident = change.incident
        opened.setdefault(incident.id, seconds)
        closed[incident.id] = seconds if incident.closed else None
        last[incident.id] = incident
        claimed = assets.setdefault(incident.id, set())
        claimed.update((incident.asset, *incident.children, *incident.members))
        if incident.asset not in watched:
            claimed.update(needing.get(incident.asset, ()))
    told = Counter(message.incident for message in record.told if message.reason in BEGINNINGS)
    for id_ in [id_ for id_, incident in last.items() if incident.part_of in last]:
        whole = last[id_].part_of
        assets[whole] |= assets[id_]
        told[whole] += told[id_]
        opened[whole] = min(opened[whole], opened[id_])
    found = []
    for id_, incident in last.items():
        if incident.part_of not in last:
            end = closed[id_]
            name = f'incident {id_} "{incident.title}" {opened[id_]:.0f}-{"open" if end is None else f"{end:.0f}"} s'
            found.append(Claim(incident.asset, frozenset(assets[id_]), opened[id_], end, told[id_], name))
    return found


def judge(history: History) -> Score:
    """Let the history pass and score what was claimed."""
    record = watch(history)
    beginnings = sum(message.reason in BEGINNINGS for message in record.told)
    ends = sum(message.reason is Reason.RESOLVED for message in record.told)
    return score(history, claims_of(record, history.configured), beginnings, ends)
