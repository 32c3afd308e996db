"""How much a trouble touches: people, as an interval that claims no more than is known. Pure."""

from collections.abc import Iterable
from datetime import datetime

from monitor.topology import Lost, Topology

CARRIES = {"cable", "landing", "power", "router", "network", "site", "ixp", "territory"}
"""Kinds of assets that people's connections run through; a name server or a web site carries none."""
WAYS = {"cable", "landing"}
"""Of these the kinds that others run over."""

SURE = ((1.0, "certain"), (0.95, "nearly certain"), (0.8, "very likely"), (0.6, "likely"), (0.0, "possible"))
"""From so much confidence on, a cause is called this."""


def people(topology: Topology, assets: Iterable[str], stranded: Iterable[str]) -> tuple[int, int]:
    """Return how many people trouble of these assets touches, at least and at most.

    At least: those whose share an asset is known to serve. At most: these, and everybody in the territories
    ``stranded``, in which something that needs the assets has nothing left, where no share is known.
    """
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for name in assets:
        asset = topology.world.assets.get(name)
        if asset is None or asset.kind not in CARRIES:
            continue
        least, most = _share(topology, name)
        for code in asset.territories:
            low[code] = min(1.0, low.get(code, 0.0) + least)
            high[code] = min(1.0, high.get(code, 0.0) + most)
    high |= {code: 1.0 for code in stranded if not high.get(code)}
    return _count(topology, low), _count(topology, high)


def served(topology: Topology, asset: str) -> int:
    """Return how many people an asset serves at most: its share of its territories, or all who live there."""
    known = topology.world.assets.get(asset)
    most = _share(topology, asset)[1] or 1.0
    return _count(topology, dict.fromkeys(known.territories, most)) if known else 0


def stranded(topology: Topology, asset: str, lost: Lost, now: datetime) -> set[str]:
    """Return the territories of what carries people's connections, needs an asset, and has nothing left without it."""
    found: set[str] = set()
    gone, stack = {asset}, [asset]
    while stack:
        for dependency in topology.needed_by.get(stack.pop(), ()):
            name = dependency.asset
            without = [need for need in dependency.needs if need in gone or lost(need)]
            carries = topology.kind(name) in CARRIES and dependency.holds(now)
            if not carries or name in gone or not dependency.blocked(without):
                continue
            gone.add(name)
            if topology.kind(name) in WAYS and topology.needed_by.get(name):
                stack.append(name)  # whoever runs over it may have another way
            else:
                found.update(topology.territories(name))
    return found


def unseen(topology: Topology, lost: Iterable[str], now: datetime) -> list[str]:
    """Return what nobody watches and cannot work, by confirmed dependencies, while these are lost; nearest first."""
    gone = set(lost)
    found: list[str] = []
    stack = list(gone)
    while stack:
        for dependency in topology.needed_by.get(stack.pop(0), ()):
            name = dependency.asset
            if name not in gone and name not in topology.checks and dependency.holds(now) and dependency.blocked(gone):
                gone.add(name)
                stack.append(name)
                found.append(name)
    return found


def in_words(people: tuple[int, int]) -> str:
    """ "up to 74,700; not known more exactly", in three digits that matter; "" when nothing is known."""
    least, most = (f"{_rounded(count):,}" for count in people)
    if not people[1]:
        return ""
    if not people[0]:
        return f"up to {most}; not known more exactly"
    return f"about {most}" if least == most else f"{least} to {most}"


def _rounded(count: int) -> int:
    return round(count, min(0, 3 - len(str(count))))


def sure(confidence: float) -> str:
    """Say in words how sure it is that something is the cause; 0 to 1."""
    return next(words for least, words in SURE if confidence >= least)


def _share(topology: Topology, asset: str) -> tuple[float, float]:
    """Return which share of its territories' people an asset is known to serve, from and to; 0, 0: not known."""
    known = topology.world.assets.get(asset)
    ends = [float(end) for end in known.facts.get("people_share", "").split("-") if end] if known else []
    return (min(ends), max(ends)) if ends else (0.0, 0.0)


def _count(topology: Topology, shares: dict[str, float]) -> int:
    territories = topology.world.territories
    return round(sum(territories[code].population * share for code, share in shares.items() if code in territories))
