"""What an asset needs and what needs it, as a tree, in text and as plain facts. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.model import Dependency
from monitor.resilience import Cut, cut_fact, report
from monitor.topology import Topology

DEEPEST = 12
"""So far a tree is followed."""


@dataclass(frozen=True, slots=True)
class Tie:
    """Why assets stand below another in the tree."""

    words: str
    """ "any of", "needs it or ARCOS", "answers for it"."""
    confirmed: bool
    facts: tuple[str, ...] = ()
    """When it holds, whence it is known and how old that is."""

    def __str__(self) -> str:
        """Return it in one phrase."""
        return f"{self.words} ({'; '.join(('confirmed' if self.confirmed else 'hypothesis', *self.facts))})"


@dataclass(frozen=True, slots=True)
class Branch:
    """An asset in the tree, and by which ties others hang on it."""

    asset: str
    ties: tuple[tuple[Tie, tuple["Branch", ...]], ...] = ()
    again: bool = False
    """It stands further up, with all that hangs on it."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that is known of how one asset hangs together with others."""

    asset: str
    needs: Branch
    needed_by: Branch
    left: tuple[str, ...]
    """What is left when something fails, one sentence each."""
    cut: Cut | None
    """What falls when the asset alone fails."""


Ties = Sequence[tuple[Tie, Sequence[str]]]


def draw(topology: Topology, asset: str, now: datetime) -> Drawing:
    """Draw how an asset hangs together with others; nothing is down."""
    cut = next((cut for cut in report(topology, now).cuts if cut.asset == asset), None)
    needs = _grow(asset, lambda name: _down(topology, name, now), set())
    needed_by = _grow(asset, lambda name: _up(topology, name, now), set())
    return Drawing(asset, needs, needed_by, tuple(_left(topology, asset, now)), cut)


def _grow(asset: str, ties: Callable[[str], Ties], passed: set[str], depth: int = 0) -> Branch:
    found = ties(asset) if depth < DEEPEST else ()
    if not found or asset in passed:
        return Branch(asset, again=bool(found))
    passed.add(asset)
    return Branch(
        asset, tuple((tie, tuple(_grow(name, ties, passed, depth + 1) for name in names)) for tie, names in found)
    )


def _down(topology: Topology, asset: str, now: datetime) -> Ties:
    known = (*topology.needs.get(asset, ()), *topology.hypotheses.get(asset, ()))
    ties: list[tuple[Tie, Sequence[str]]] = [
        (Tie(how_much(one), one.confirmed, facts(one, now)), one.needs) for one in known
    ]
    if servers := topology.servers.get(asset):
        ties.append((Tie("answered for by", confirmed=True), servers))
    return ties


def how_much(one: Dependency) -> str:
    """Say how much of its needs an asset needs, to stand before their names."""
    if one.mode == "weight":
        weights = ", ".join(f"{weight:g}" for weight in one.weights)
        return f"together at least {one.at_least:g} of {sum(one.weights):g} ({weights})"
    return "all of" if one.mode == "all" else "any of"


def _up(topology: Topology, asset: str, now: datetime) -> Ties:
    known = (*topology.needed_by.get(asset, ()), *topology.suggested_by(asset))
    ties: list[tuple[Tie, Sequence[str]]] = [
        (Tie(_how_needed(topology, one, asset), one.confirmed, facts(one, now)), (one.asset,)) for one in known
    ]
    if served := topology.served.get(asset):
        ties.append((Tie("it answers for", confirmed=True), served))
    return ties


def _how_needed(topology: Topology, one: Dependency, asset: str) -> str:
    others = topology.names(name for name in one.needs if name != asset)
    if one.mode == "all" or not others:
        return "cannot do without it"
    if one.mode == "any":
        return f"needs it or {'one of ' if len(one.needs) > 2 else ''}{others}"
    own = sum(weight for name, weight in zip(one.needs, one.weights, strict=True) if name == asset)
    return f"needs {one.at_least:g} of {sum(one.weights):g}, {own:g} of them from it; the rest from {others}"


def facts(one: Dependency, now: datetime) -> tuple[str, ...]:
    """Say what there is to know of a dependency."""
    found = [
        f"from {_when(one.since)}" if one.since else "",
        f"until {_when(one.until)}" if one.until else "",
        "" if one.holds(now) else "not in force now",
        f"source: {one.source}" if one.source and one.source != "operator" else "",
        f"as of {one.as_of}" if one.as_of else "",
        f"confidence {one.confidence}" if one.confidence else "",
    ]
    return tuple(one for one in found if one)


def _when(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y %H:%M} UTC"


def _left(topology: Topology, asset: str, now: datetime) -> Iterator[str]:
    """Say what is left when one of its needs fails, and what others have left when it fails."""
    own = (*topology.needs.get(asset, ()), *topology.hypotheses.get(asset, ()))
    for one in (one for one in own if one.holds(now)):
        for need in one.needs:
            yield f"if {topology.name(need)} fails, {_rest(topology, one, need)}{_doubt(one)}"
    others = (*topology.needed_by.get(asset, ()), *topology.suggested_by(asset))
    for one in (one for one in others if one.holds(now)):
        yield f"if {topology.name(asset)} fails, {_rest(topology, one, asset)}{_doubt(one)}"


def _doubt(one: Dependency) -> str:
    return "" if one.confirmed else " (not confirmed)"


def _rest(topology: Topology, one: Dependency, gone: str) -> str:
    name = topology.name(one.asset)
    others = [need for need in one.needs if need != gone]
    if one.mode == "weight":
        left = sum(weight for need, weight in zip(one.needs, one.weights, strict=True) if need != gone)
        verdict = "cannot work" if one.blocked([gone]) else "still works"
        return f"{name} {verdict}: {left:g} are left of the {one.at_least:g} that it needs"
    if one.blocked([gone]):
        return f"{name} cannot work: nothing else is left"
    return f"{name} still has {topology.names(others)}"


def text(topology: Topology, drawing: Drawing) -> Iterator[str]:
    """Yield the lines of a drawing."""
    yield _named(topology, drawing.asset)
    for title, branch in (("it needs", drawing.needs), ("what needs it", drawing.needed_by)):
        yield ""
        yield title if branch.ties else f"{title}: nothing that is known"
        yield from _lines(topology, branch)
    yield ""
    yield "what is left" if drawing.left else "what is left: nobody has said what hangs on it"
    yield from (f"- {one}" for one in drawing.left)
    if drawing.cut:
        yield f"- if it alone fails: {drawing.cut.sentence}"


def _lines(topology: Topology, branch: Branch) -> Iterator[str]:
    for number, (tie, below) in enumerate(branch.ties):
        last = number == len(branch.ties) - 1
        yield f"{'└─' if last else '├─'} {tie}"
        for place, one in enumerate(below):
            end = place == len(below) - 1
            margin = ("   " if last else "│  ") + ("└─ " if end else "├─ ")
            follow = ("   " if last else "│  ") + ("   " if end else "│  ")
            yield margin + _named(topology, one.asset) + (", as above" if one.again else "")
            yield from (follow + line for line in _lines(topology, one))


def _named(topology: Topology, asset: str) -> str:
    territories = topology.world.territories
    places = [territories[code].name for code in topology.territories(asset) if code in territories]
    where = f" in {', '.join(places[:3])}" + (f" and {len(places) - 3} more" if len(places) > 3 else "")
    return f"{topology.name(asset)} [{asset}]{where if places else ''}"


def fact(topology: Topology, drawing: Drawing) -> dict[str, object]:
    """Return a drawing as plain facts."""
    return {
        "asset": drawing.asset,
        "name": topology.name(drawing.asset),
        "needs": _tie_facts(drawing.needs),
        "needed_by": _tie_facts(drawing.needed_by),
        "left": list(drawing.left),
        "alone": cut_fact(drawing.cut) if drawing.cut else None,
    }


def _tie_facts(branch: Branch) -> list[dict[str, object]]:
    return [
        {
            "tie": tie.words,
            "confirmed": tie.confirmed,
            "facts": list(tie.facts),
            "assets": [{"asset": one.asset, "ties": _tie_facts(one), "again": one.again} for one in below],
        }
        for tie, below in branch.ties
    ]


def assets(branch: Branch) -> Iterable[tuple[str, str, bool, int]]:
    """Yield each tie of the tree as (upper asset, lower asset, confirmed, depth of the lower), the nearest first."""
    level, depth = [branch], 1
    while level:
        below = []
        for one in level:
            for tie, branches in one.ties:
                for each in branches:
                    yield one.asset, each.asset, tie.confirmed, depth
                    below.append(each)
        level, depth = below, depth + 1
