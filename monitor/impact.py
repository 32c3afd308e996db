"""How much a trouble touches: people, as an interval that claims no more than is known. Pure."""

from collections.abc import Iterable

from monitor.topology import Topology

CARRIES = {"cable", "landing", "power", "router", "network", "site", "ixp", "territory"}
"""Kinds of assets that people's connections run through; a name server or a web site carries none."""

SURE = ((1.0, "certain"), (0.95, "nearly certain"), (0.8, "very likely"), (0.6, "likely"), (0.0, "possible"))
"""From so much confidence on, a cause is called this."""


def people(topology: Topology, assets: Iterable[str], *, nothing_left: bool) -> tuple[int, int]:
    """Return how many people trouble of these assets touches, at least and at most.

    At least: those whose share an asset is known to serve (its fact ``people_share``: "0.4", or "0.3-0.5"). At most:
    these, or everybody in the territories, when nothing else is known to be left there.
    """
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for name in assets:
        asset = topology.world.assets.get(name)
        if asset is None or asset.kind not in CARRIES:
            continue
        least, most = _share(asset.facts.get("people_share", ""))
        for code in asset.territories:
            low[code] = min(1.0, low.get(code, 0.0) + least)
            high[code] = min(1.0, high.get(code, 0.0) + most) if most or not nothing_left else 1.0
    return _count(topology, low), _count(topology, high)


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


def _share(text: str) -> tuple[float, float]:
    """Read "0.4" or "0.3-0.5"; what cannot be read is not known."""
    words = [word.strip() for word in text.split("-", 1)] if text else []
    try:
        values = [min(1.0, max(0.0, float(word))) for word in words]
    except ValueError:
        return 0.0, 0.0
    return (min(values), max(values)) if values else (0.0, 0.0)


def _count(topology: Topology, shares: dict[str, float]) -> int:
    territories = topology.world.territories
    return round(sum(territories[code].population * share for code, share in shares.items() if code in territories))
