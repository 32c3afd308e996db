"""Pure: a Snapshot arranged as the pages show it; troubles first, watched and not watched counted apart."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor import vintage
from monitor.impact import CARRIES, unseen
from monitor.model import Dependency, Entry, Incident, Phase
from monitor.topology import Topology
from monitor.views import AssetView, Snapshot
from monitor.web import words

WORST_FIRST = (
    Phase.DOWN,
    Phase.UNREACHABLE,
    Phase.PARTITIONED,
    Phase.DEGRADED,
    Phase.SUSPECT,
    Phase.RECOVERING,
    Phase.UNKNOWN,
    Phase.UP,
    Phase.NOT_WATCHED,
)
TROUBLE = frozenset(WORST_FIRST[:6])
NO_ASSETS = frozenset({"vantage"})
"""Kinds that stand on the page by themselves and in no count."""

MOST_LISTED = 12

Tally = Mapping[Phase, int]
"""Assets by phase, worst first, without empty phases."""


@dataclass(frozen=True, slots=True)
class Group:
    """Assets of one territory, or of one kind that belongs to no territory."""

    code: str
    name: str
    query: str
    """What narrows the list of assets to this group: ``territory=BB``, ``kind=nameserver``."""
    tally: Tally
    """Of the watched."""
    watched: tuple[AssetView, ...]
    unwatched: Mapping[str, int]
    """Kind -> how many nobody looks at."""

    @property
    def listed(self) -> tuple[AssetView, ...]:
        """What the first page names: all of a few; of many only what is not up, worst first."""
        if len(self.watched) <= MOST_LISTED:
            return self.watched
        return tuple(view for view in self.watched if view.phase is not Phase.UP)[:MOST_LISTED]

    @property
    def troubled(self) -> bool:
        """Whether something in it is not as it should be."""
        return any(phase in TROUBLE for phase in self.tally)


@dataclass(frozen=True, slots=True)
class Region:
    """All that the first page counts and lists."""

    watched: tuple[AssetView, ...]
    tally: Tally
    unwatched: int
    territories: tuple[Group, ...]
    shared: tuple[Group, ...]
    oldest: datetime | None
    """The oldest look that the page relies on."""


def order(view: AssetView) -> tuple[int, str, str]:
    """Sort key: worst first, then by kind and name."""
    return WORST_FIRST.index(view.phase), view.asset.kind, view.asset.name.casefold()


def assets(snapshot: Snapshot) -> list[AssetView]:
    """All that can be watched, worst first."""
    return sorted((view for view in snapshot.assets.values() if view.asset.kind not in NO_ASSETS), key=order)


def tally(views: Iterable[AssetView]) -> Tally:
    """Count by phase, worst first."""
    counts = Counter(view.phase for view in views)
    return {phase: counts[phase] for phase in WORST_FIRST if counts[phase]}


def region(snapshot: Snapshot) -> Region:
    """Arrange the snapshot for the first page."""
    views = assets(snapshot)
    watched = tuple(view for view in views if view.phase is not Phase.NOT_WATCHED)
    by_code: dict[str, list[AssetView]] = {code: [] for code in snapshot.world.territories}
    by_kind: dict[str, list[AssetView]] = {}
    for view in views:
        homes = [code for code in view.asset.territories if code in by_code]
        for code in homes:
            by_code[code].append(view)
        if not homes:
            by_kind.setdefault(view.asset.kind, []).append(view)
    names = {code: territory.name for code, territory in snapshot.world.territories.items()}
    territories = [_group(code, names[code], f"territory={code}", found) for code, found in by_code.items()]
    shared = [
        _group(kind, words.kind_name(kind, many=True).capitalize(), f"kind={kind}", found)
        for kind, found in by_kind.items()
    ]
    return Region(
        watched=watched,
        tally=tally(watched),
        unwatched=len(views) - len(watched),
        territories=tuple(sorted(territories, key=_worst_group)),
        shared=tuple(sorted(shared, key=_worst_group)),
        oldest=min((view.seen for view in watched if view.seen), default=None),
    )


def _group(code: str, name: str, query: str, views: list[AssetView]) -> Group:
    watched = tuple(view for view in views if view.phase is not Phase.NOT_WATCHED)
    unwatched = Counter(view.asset.kind for view in views if view.phase is Phase.NOT_WATCHED)
    return Group(code, name, query, tally(watched), watched, dict(sorted(unwatched.items())))


def _worst_group(group: Group) -> tuple[int, str]:
    trouble = [WORST_FIRST.index(phase) for phase in group.tally if phase in TROUBLE]
    return min(trouble, default=len(WORST_FIRST)), group.name.casefold()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list of assets is narrowed to; None does not narrow."""

    territory: str | None = None
    kind: str | None = None
    phase: Phase | None = None
    page: int = 1


def narrowed(snapshot: Snapshot, asked: Asked) -> list[AssetView]:
    """Select the assets that match everything that is asked for, worst first."""
    return [
        view
        for view in assets(snapshot)
        if (asked.territory is None or asked.territory in view.asset.territories)
        and (asked.kind is None or view.asset.kind == asked.kind)
        and (asked.phase is None or view.phase is asked.phase)
    ]


def to_confirm(snapshot: Snapshot) -> list[tuple[AssetView, str]]:
    """List the assets of which somebody on the spot should confirm what is known, by place, each with why."""
    found = [(one, why) for one in snapshot.assets.values() if (why := vintage.unsure(one.asset.provenance))]
    return sorted(
        found, key=lambda each: (each[0].asset.territories, each[0].asset.kind, each[0].asset.name.casefold())
    )


def gone(snapshot: Snapshot) -> list[str]:
    """List what cannot be reached now, and that is confirmed."""
    return [name for name, one in snapshot.assets.items() if one.phase in {Phase.DOWN, Phase.UNREACHABLE}]


def served(snapshot: Snapshot, asset: str) -> list[tuple[str, Dependency | None]]:
    """List what an asset serves: (asset id, the dependency that says so, or None where a check is the evidence)."""
    by_need = {d.asset: d for d in snapshot.world.dependencies if asset in d.needs}
    view = snapshot.assets[asset]
    own = [known for check in view.checks if (known := snapshot.world.checks.get(check.check)) and known.asset == asset]
    by_check = {other for check in own for other in check.tells_of if other != asset}
    evidence: list[tuple[str, Dependency | None]] = [(other, None) for other in sorted(by_check - by_need.keys())]
    return [*sorted(by_need.items()), *evidence]


@dataclass(frozen=True, slots=True)
class Blindness:
    """Where this vantage cannot see the world: (family, since, reason) each."""

    whole: bool
    """No address family sees it: nothing here can be judged."""
    families: tuple[tuple[int, datetime | None, str], ...]


def blindness(snapshot: Snapshot) -> Blindness:
    """Read the vantage's own state; family 0 stands for the vantage as a whole when it has no checks to show."""
    vantage = snapshot.assets.get(snapshot.world.vantage)
    if vantage is None:
        return Blindness(whole=False, families=())
    cut = tuple((c.family, c.since, c.reason) for c in vantage.checks if c.phase is Phase.DOWN)
    if not cut and vantage.phase is Phase.DOWN:
        return Blindness(whole=True, families=((0, vantage.since, vantage.reason),))
    seeing = any(check.phase not in {Phase.DOWN, Phase.UNKNOWN} for check in vantage.checks)
    return Blindness(whole=bool(cut) and not seeing, families=cut)


def notes(snapshot: Snapshot) -> tuple[str, ...]:
    """What a reader must know of how Lambi itself does, one sentence each."""
    health = snapshot.health
    bugs = f"Lambi has caught {health.bugs} of its own errors since it started" if health.bugs else ""
    series = f"measurements are not being stored: {health.series_error}" if health.series_error else ""
    return tuple(note for note in (health.clock, *health.capabilities, series, health.series_note, bugs) if note)


@dataclass(frozen=True, slots=True)
class Touched:
    """What an incident touches, as far as its assets tell."""

    territories: tuple[str, ...]
    cctlds: tuple[str, ...]
    ixps: tuple[str, ...]
    unseen: tuple[str, ...]
    """What nobody watches and cannot work without it."""
    carries: bool
    """People's connections run through some of it."""


def touched(incident: Incident, topology: Topology) -> Touched:
    """Gather what the cause, what is behind it and what nobody watches but needs them stand for."""
    world = topology.world
    down = incident.phase is Phase.DOWN
    seen = (incident.asset, *incident.children)
    hidden = unseen(topology, seen, incident.changed) if down else []
    names = (*seen, *hidden)
    known = [world.assets[name] for name in names if name in world.assets]
    codes = (*incident.territories, *(code for asset in known for code in asset.territories))
    kinds = [(asset.kind, asset.id) for asset in known]
    return Touched(
        tuple(dict.fromkeys(codes)),
        tuple(name for kind, name in kinds if kind == "cctld"),
        tuple(name for kind, name in kinds if kind == "ixp"),
        tuple(hidden),
        any(kind in CARRIES for kind, _ in kinds),
    )


def returns(incident: Incident) -> list[datetime]:
    """When the trouble came back after it had been gone, oldest first."""
    return [entry.at for entry in incident.timeline if entry.what in {"again", "reopened"}]


def timeline(incident: Incident) -> list[Entry]:
    """What happened, oldest first; who was told stands in a list of its own, which names agencies only."""
    return [entry for entry in incident.timeline if entry.what not in {"told", "told-failed"}]
