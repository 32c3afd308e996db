"""All that a page needs, at one moment. Built when somebody looks, at most once a second or at once on a change."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from monitor.incidents import standings
from monitor.model import Incident, Phase, State
from monitor.pipeline import Pipeline
from monitor.posture import Posture
from monitor.standing import Standing
from monitor.topology import references
from monitor.views import AssetView, CheckView, Health, Snapshot, Works
from probes.clock import Clock

FRESH = 1.0
"""Seconds that a snapshot may be shown."""


class Snapshots:
    """Keeps the last snapshot while it is fresh."""

    def __init__(
        self,
        pipeline: Pipeline,
        clock: Clock,
        site: str,
        health: Callable[[], Health],
        works: Callable[[datetime], Works] = lambda _: Works(),
        *,
        postures: Callable[[], tuple[Posture, ...]] = tuple,
    ) -> None:
        self._pipeline, self._clock, self._site, self._health = pipeline, clock, site, health
        self._works, self._postures = works, postures
        self._last: Snapshot | None = None
        self._key = (-1, 0.0)

    def __call__(self) -> Snapshot:
        """Return a snapshot that is at most a second old and knows of every change."""
        version, made = self._key
        now = self._clock.monotonic()
        if self._last is None or version != self._pipeline.version or now - made >= FRESH:
            fresh = build(self._pipeline, self._clock, self._site, self._health())
            self._last = replace(fresh, works=self._works(self._clock.now()), postures=self._postures())
            self._key = (self._pipeline.version, now)
        return self._last


def build(pipeline: Pipeline, clock: Clock, site: str, health: Health) -> Snapshot:
    """Fold what the line believes into views."""
    world, book = pipeline.world, pipeline.book
    now = clock.now()
    all_standings = standings(world.assets, book, pipeline.belief.outlook(now))
    owner = {name: one.id for one in book.open.values() for name in (one.asset, *one.children)}
    owner |= {one.asset: top(one, book.open).id for one in book.open.values()}
    assets = {
        asset: _asset_view(pipeline, asset, standing, owner.get(asset, "")) for asset, standing in all_standings.items()
    }
    worst_first = sorted(book.open.values(), key=lambda i: (-i.severity.rank, i.opened, int(i.id)))
    parts: dict[str, tuple[Incident, ...]] = {}
    for one in worst_first:
        home = top(one, book.open).id
        parts[home] = parts.get(home, ()) + ((one,) if home != one.id else ())
    alone = tuple(one for one in worst_first if one.id in parts)
    return Snapshot(pipeline.passed, site, world, assets, alone, health, parts=parts)


def top(incident: Incident, known: Mapping[str, Incident]) -> Incident:
    """Return the incident that speaks for one in the end, or itself."""
    while incident.silent and incident.part_of in known:
        incident = known[incident.part_of]
    return incident


def _asset_view(pipeline: Pipeline, asset: str, standing: Standing, incident: str) -> AssetView:
    topology = pipeline.topology
    views = tuple(view for check in topology.checks.get(asset, ()) for view in _check_views(pipeline, asset, check))
    needs = (*topology.needs.get(asset, ()), *topology.hypotheses.get(asset, ()))
    return AssetView(
        pipeline.world.assets[asset],
        standing.shown,
        standing.since,
        standing.reason,
        topology.looked_at(asset, pipeline.states),
        views,
        needs,
        incident,
    )


def _check_views(pipeline: Pipeline, asset: str, name: str) -> list[CheckView]:
    check = pipeline.world.checks.get(name)
    states = pipeline.topology.parts(asset, name, pipeline.states)
    if check is None:
        return [_guard_view(pipeline, name, state) for state in states.values()]
    target = check.target
    if not states:
        return [
            CheckView(
                name,
                "",
                check.kind,
                target.address,
                target.family,
                Phase.UNKNOWN,
                None,
                "not looked at yet",
                None,
                every=check.every,
            )
        ]
    return [
        CheckView(
            name,
            part,
            check.kind,
            target.address,
            target.family,
            state.phase,
            state.since,
            state.reason,
            state.seen,
            state.values,
            check.every,
            pipeline.belief.usual.usual((pipeline.world.vantage, name, part), pipeline.passed),
        )
        for part, state in states.items()
    ]


def _guard_view(pipeline: Pipeline, name: str, state: State) -> CheckView:
    """View the check that stands for all references of one family."""
    family = next(number for number in (4, 6) if references(pipeline.world.vantage, number) == name)
    return CheckView(
        name, "", "references", "", family, state.phase, state.since, state.reason, state.seen, state.values
    )
