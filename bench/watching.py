"""Runs a history through the belief that the daemon holds, and reads its claims from the record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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


@dataclass(slots=True)
class _Span:
    """An incident from its opening, or re-opening, to its end."""

    incident: Incident
    opened: float
    closed: float | None = None
    assets: set[str] = field(default_factory=set)

    def take(self, seconds: float, incident: Incident) -> None:
        """Take a revision."""
        self.incident = incident
        self.closed = seconds if incident.closed else None
        self.assets |= {incident.asset, *incident.children}


def claims_of(record: Record, world: World) -> list[Claim]:
    """Return each time an incident was open as a claim; one that became part of another shares its session.

    Of an asset that nobody watches it is the things that need it that are claimed to be hurt.
    """
    spans: dict[str, list[_Span]] = {}
    for seconds, change in record.changes:
        known = spans.setdefault(change.incident.id, [])
        if not known or known[-1].closed is not None:
            known.append(_Span(change.incident, seconds))
        known[-1].take(seconds, change.incident)
    needing = _needing(world)
    told = [(message.incident, message.seconds) for message in record.told if message.reason in BEGINNINGS]
    return [
        Claim(
            span.incident.asset,
            frozenset(span.assets | needing.get(span.incident.asset, set())),
            span.opened,
            span.closed,
            sum(id_ == other and span.opened <= at <= (span.closed or at) for other, at in told),
            f'incident {id_} "{span.incident.title}" {_times(span)}',
            session=_whole(id_, spans),
            rank=int(bool(span.incident.part_of)),
            alone=id_,
        )
        for id_, known in spans.items()
        for span in known
    ]


def _times(span: _Span) -> str:
    return f"{span.opened:.0f}-{'open' if span.closed is None else f'{span.closed:.0f}'} s"


def _whole(id_: str, spans: Mapping[str, Sequence[_Span]]) -> str:
    """Return the incident that this one is part of in the end, or itself."""
    seen: set[str] = set()
    while id_ not in seen and spans[id_][-1].incident.part_of in spans:
        seen.add(id_)
        id_ = spans[id_][-1].incident.part_of
    return id_


def _needing(world: World) -> dict[str, set[str]]:
    """Return what needs each asset that nobody watches."""
    watched = {asset for check in world.checks.values() for asset in (check.asset, *check.serves)}
    needing: dict[str, set[str]] = {}
    for dependency in world.dependencies:
        for need in dependency.needs:
            if need not in watched:
                needing.setdefault(need, set()).add(dependency.asset)
    return needing


def judge(history: History) -> Score:
    """Let the history pass and score what was claimed."""
    record = watch(history)
    beginnings = sum(message.reason in BEGINNINGS for message in record.told)
    ends = sum(message.reason is Reason.RESOLVED for message in record.told)
    return score(history, claims_of(record, history.configured), beginnings, ends)
