"""What falls if one thing alone fails (N-1), now and always, and how old and how sure what that rests on is. Pure.

Two kinds of knowledge are kept apart: what an operator has confirmed, and what the inventory only suggests.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor import vintage
from monitor.model import Asset, Dependency, World
from monitor.topology import Topology

KINDS = ("cable", "landing", "power", "router", "network", "site")
"""Kinds of assets whose failure is thought through."""
WORLD = "*"
"""The rest of the world, as a place that cables lead to."""
OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Cut:
    """What falls if one asset alone fails, beside what is down already."""

    asset: str
    territories: tuple[str, ...]
    """Left without a way to the rest of the world, as far as the inventory knows its cables."""
    confirmed: tuple[str, ...]
    """Assets that cannot work then; an operator has said so."""
    supposed: tuple[str, ...]
    """Assets that cannot work then by what is not confirmed."""
    people: int
    """Who lives in the territories."""
    always: bool
    """It would be so with nothing down too."""
    as_of: str
    """The oldest date of what this rests on, "" when nothing says one."""
    confidence: str
    """The least of what this rests on."""
    source: str
    sentence: str

    @property
    def hypothesis(self) -> bool:
        """Whether all of it rests on what nobody has confirmed."""
        return not self.confirmed


@dataclass(frozen=True, slots=True)
class Report:
    """Every single point of failure of the region."""

    at: datetime
    down: tuple[str, ...]
    """What is down at this moment and was counted as gone."""
    cuts: tuple[Cut, ...]
    """Those that are so because of what is down first; then by people, then by what falls."""
    cables: Mapping[str, tuple[str, ...]]
    """Territory -> the cables that are known to reach it."""


class Sea:
    """The territories and the cables between them and the rest of the world, as the inventory draws them."""

    def __init__(self, world: World) -> None:
        self.world = world
        cables = [one for one in world.assets.values() if one.kind == "cable" and in_service(one)]
        names = {cable.name: cable.id for cable in cables}
        ashore: dict[tuple[str, str], set[str]] = {}
        for landing in (one for one in world.assets.values() if one.kind == "landing"):
            for name in landing.facts.get("cables", "").split("; "):
                for code in landing.territories if name in names else ():
                    ashore.setdefault((names[name], code), set()).add(landing.id)
        self.ways: dict[str, tuple[tuple[str, frozenset[str]], ...]] = {}
        """Cable -> its places, each with the landings that are known there."""
        for cable in cables:
            places = [(code, frozenset(ashore.get((cable.id, code), ()))) for code in cable.territories]
            beyond = [(WORLD, frozenset[str]())] if "beyond_the_region" in cable.facts or _bare(cable) else []
            self.ways[cable.id] = (*places, *beyond)
        self.reached = self.cables({code for code in world.territories if code not in self.cut(())})

    def cables(self, codes: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the cables that come ashore in each of these territories."""
        return {code: tuple(c for c, ways in self.ways.items() if code in dict(ways)) for code in sorted(codes)}

    def cut(self, gone: Collection[str]) -> set[str]:
        """Return the territories that no cable connects with the rest of the world when these assets are gone."""
        left = [places for cable in self.ways if cable not in gone and len(places := self._places(cable, gone)) > 1]
        reached, before = {WORLD}, 0
        while len(reached) > before:
            before = len(reached)
            for places in left:
                if not reached.isdisjoint(places):
                    reached |= places
        return self.world.territories.keys() - reached

    def _places(self, cable: str, gone: Collection[str]) -> set[str]:
        return {code for code, landings in self.ways[cable] if not landings or any(one not in gone for one in landings)}


def in_service(cable: Asset) -> bool:
    """Whether a cable carries anything, as far as is known: one that an operator adds does."""
    return cable.facts.get("status", "in service").startswith("in service")


def _bare(cable: Asset) -> bool:
    """Whether nothing is known of where a cable comes ashore: it is believed to lead away."""
    return "landings" not in cable.facts


class Ties:
    """Who falls with whom, by dependencies and by what things are made of."""

    def __init__(self, topology: Topology, now: datetime) -> None:
        self._topology, self._now = topology, now
        self._hypotheses: dict[str, list[Dependency]] = {}
        for dependency in topology.world.dependencies:
            for need in dependency.needs:
                self._hypotheses.setdefault(need, []).append(dependency)

    def fallen(self, gone: Iterable[str], *, guesses: bool) -> set[str]:
        """Return what cannot work without what is gone, by confirmed dependencies or with the ``guesses`` too."""
        lost = set(gone)
        links = self._hypotheses if guesses else self._topology.needed_by
        stack = [*lost]
        while stack:
            need = stack.pop()
            broken = [d.asset for d in links.get(need, ()) if d.holds(self._now) and d.blocked(lost)]
            broken += [w for w in self._topology.served.get(need, ()) if lost.issuperset(self._topology.servers[w])]
            fresh = [name for name in dict.fromkeys(broken) if name not in lost]
            lost |= set(fresh)
            stack += fresh
        return lost

    def matters(self, asset: str) -> bool:
        """Whether anything may fall with an asset."""
        return asset in self._hypotheses or asset in self._topology.served

    def behind(self, assets: Collection[str], *, guesses: bool) -> list[Dependency]:
        """Return the dependencies by which these assets fall."""
        found = (d for d in self._topology.world.dependencies if d.asset in assets and d.holds(self._now))
        return [d for d in found if guesses or d.confirmed]


def report(topology: Topology, now: datetime, down: Iterable[str] = ()) -> Report:
    """Think through the failure of each asset alone; ``down`` is gone already."""
    study = _Study(topology, now, down)
    thought = (asset.id for asset in topology.world.assets.values() if asset.kind in KINDS and study.matters(asset.id))
    cuts = [cut for asset in thought if (cut := study.cut(asset))]
    cuts.sort(key=lambda cut: (cut.always, -cut.people, -len(cut.confirmed), -len(cut.supposed), cut.asset))
    return Report(now, tuple(sorted(study.down)), tuple(cuts), study.sea.reached)


@dataclass(frozen=True, slots=True)
class _Fall:
    """What is gone in the end."""

    territories: frozenset[str]
    confirmed: frozenset[str]
    supposed: frozenset[str]

    def beside(self, other: "_Fall") -> "_Fall":
        """Return what is gone here and not there."""
        confirmed = self.confirmed - other.confirmed
        supposed = self.supposed - other.supposed - self.confirmed
        return _Fall(self.territories - other.territories, confirmed, supposed)


class _Study:
    """One report under way."""

    def __init__(self, topology: Topology, now: datetime, down: Iterable[str]) -> None:
        self.topology = topology
        self.sea, self.ties = Sea(topology.world), Ties(topology, now)
        self.down = {name for name in down if self.matters(name)}
        self._before, self._calm = self._fall(self.down), self._fall(set())

    def matters(self, asset: str) -> bool:
        """Whether anything may fall with an asset."""
        return asset.startswith(("cable:", "landing:")) or self.ties.matters(asset)

    def _fall(self, gone: set[str]) -> _Fall:
        confirmed = self.ties.fallen(gone, guesses=False)
        supposed = self.ties.fallen(gone, guesses=True)
        return _Fall(frozenset(self.sea.cut(confirmed)), frozenset(confirmed), frozenset(supposed))

    def cut(self, asset: str) -> Cut | None:
        """Return what falls with an asset, or None when nothing does."""
        if asset in self._before.confirmed:
            return None
        found = self._with(asset, self.down)
        if not (found.territories or found.confirmed or found.supposed):
            return None
        always = not self.down or found == self._with(asset, set())
        as_of, confidence, source = self._grounds(found)
        territories = tuple(sorted(found.territories))
        known = self.topology.world.territories
        return Cut(
            asset,
            territories,
            tuple(sorted(found.confirmed)),
            tuple(sorted(found.supposed)),
            sum(known[code].population for code in territories),
            always,
            as_of,
            confidence,
            source,
            self._sentence(asset, found, as_of, [] if always else self._because(asset, found)),
        )

    def _with(self, asset: str, gone: set[str]) -> _Fall:
        """Return what falls with an asset beside what is gone."""
        own = _Fall(frozenset(), frozenset({asset}), frozenset({asset}))
        before = self._before if gone == self.down else self._fall(gone)
        return self._fall(gone | {asset}).beside(before if gone else self._calm).beside(own)

    def _because(self, asset: str, found: _Fall) -> list[str]:
        """Return what of all that is down makes the difference."""
        return sorted(name for name in self.down if self._with(asset, self.down - {name}) != found)

    def _grounds(self, found: _Fall) -> tuple[str, str, str]:
        """Return the oldest date, the least confidence, and the sources of what a cut rests on."""
        assets = self.topology.world.assets
        cables = {name for code in found.territories for name in self.sea.reached.get(code, ())}
        rows = [assets[name].provenance for name in sorted(cables)]
        ties = self.ties.behind(found.confirmed, guesses=False) + self.ties.behind(found.supposed, guesses=True)
        as_of = vintage.oldest([*(row.as_of for row in rows), *(tie.as_of for tie in ties)])
        confidence = vintage.least([*(row.confidence for row in rows), *(tie.confidence for tie in ties)])
        drawn = ["the inventory's cables"] if cables else []
        return as_of, confidence, "; ".join(dict.fromkeys([*drawn, *(tie.source for tie in ties if tie.source)]))

    def _sentence(self, asset: str, found: _Fall, as_of: str, because: list[str]) -> str:
        name, names = self.topology.name(asset), self.topology.names
        name = f"the landing at {name}" if self.topology.kind(asset) == "landing" else name
        meanwhile = f"while {names(because)} {_is(because)} down, " if because else ""
        places = sorted(self.topology.world.territories[code].name for code in found.territories)
        parts = [_depends([names(sorted(found.confirmed))], len(found.confirmed), name)] if found.confirmed else []
        if places or found.supposed:
            data = f"on {as_of[:4]} data" if as_of else "by what nobody has confirmed"
            who, count = (places, len(places)) if places else ([names(sorted(found.supposed))], len(found.supposed))
            parts.append(f"{data}, {_depends(who, count, name)}")
        return meanwhile + "; ".join(parts)


def _depends(who: list[str], count: int, name: str) -> str:
    return f"{_listed(who)} {'depend' if count > 1 else 'depends'} on {name} alone"


def _is(names: Collection[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def fact(found: Report) -> dict[str, object]:
    """Return the report as the API gives it."""
    return {
        "at": found.at.isoformat().replace("+00:00", "Z"),
        "down": list(found.down),
        "cuts": [cut_fact(cut) for cut in found.cuts],
        "territories": [{"code": code, "cables": list(cables)} for code, cables in found.cables.items()],
    }


def cut_fact(cut: Cut) -> dict[str, object]:
    """Return one row of the report."""
    return {
        "asset": cut.asset,
        "sentence": cut.sentence,
        "territories": list(cut.territories),
        "people": cut.people,
        "confirmed": list(cut.confirmed),
        "supposed": list(cut.supposed),
        "hypothesis": cut.hypothesis,
        "always": cut.always,
        "as_of": cut.as_of or None,
        "confidence": cut.confidence or None,
        "source": cut.source,
    }


COLUMNS = ("asset", "sentence", "territories", "people", "confirmed", "supposed", "hypothesis", "always", "as_of",
           "confidence", "source")  # fmt: skip # the head of a table
"""Of the report as CSV; lists are separated by blanks."""


def rows(cuts: Iterable[Mapping[str, object]]) -> Iterable[list[str]]:
    """Return the report's cuts, as the API gives them, as the rows of a table, in the order of COLUMNS."""
    for cut in cuts:
        yield [_cell(cut.get(name)) for name in COLUMNS]


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
