"""What alerting is told of an incident: plain facts, made anew each time from what is believed now. Pure."""

from collections.abc import Iterable
from datetime import datetime

from alerting.model import Alert
from monitor.impact import in_words, sure, unseen
from monitor.model import Incident, Phase
from monitor.topology import States, Topology

REGION = 5
"""So many territories are more than a few islands."""
Blind = tuple[tuple[datetime, datetime | None], ...]


def to_alert(
    incident: Incident, topology: Topology, blind: Blind, base_url: str, note: str, *, beside: str = ""
) -> Alert:
    """Say the truth about one incident; ``beside``: the name of what it began with, if no dependency joins them."""
    territories = topology.world.territories
    named = [territories[code].name for code in incident.territories if code in territories]
    return Alert(
        incident=incident.id,
        severity=incident.severity,
        kind=incident.kind,
        asset=incident.asset,
        what=incident.title,
        territory=incident.territories[0] if len(incident.territories) == 1 else "",
        where=", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else ""),
        opened=incident.began,
        closed=incident.closed,
        changed=incident.changed,
        revision=incident.revision,
        reason=incident.reason,
        effects=(*effects(incident, topology), *([f"Down since the same moment: {beside}"] if beside else ())),
        closing=incident.closing,
        part_of=incident.part_of if incident.silent else "",
        event=incident.part_of or incident.id,
        blind=blind,
        labels={"territories": ",".join(incident.territories), "phase": incident.phase.value},
        url=f"{base_url}/incidents/{incident.id}" if base_url else "",
        note=note,
        name=topology.name(incident.asset),
    )


def signs(incident: Incident, topology: Topology, states: States) -> dict[str, str]:
    """Say by which signs a runbook may be chosen: the ``probe`` that fails, ``answers`` wrongly, ``extent`` region."""
    failing: set[str] = set()
    refused: list[bool] = []
    for check in topology.checks.get(incident.asset, ()):
        known = topology.world.checks.get(check)
        for state in topology.verdicts(incident.asset, check, states).values():
            if state.settled in {Phase.DOWN, Phase.DEGRADED} and known is not None:
                failing.add(known.kind)
                refused += [state.refused] if state.settled is Phase.DOWN else []
    found = {"probe": ",".join(sorted(failing))} if failing else {}
    if incident.kind == "zone" or (refused and all(refused)):  # of a zone, only what was answered is judged
        found["answers"] = "yes"
    if len(_touched(incident, topology)) >= REGION:
        found["extent"] = "region"
    return found


def _touched(incident: Incident, topology: Topology) -> set[str]:
    """Return the territories in which something is out of reach: a cable lies in many that still have another."""
    assets = topology.world.assets
    own = () if incident.kind in {"cable", "landing"} else (incident.asset,)
    return {code for name in (*own, *incident.children) if name in assets for code in topology.territories(name)}


def effects(incident: Incident, topology: Topology) -> Iterable[str]:
    """Say what follows: what is unreachable, what is left, and what the inventory only suggests."""
    if incident.children and not incident.closed:
        yield f"Unreachable behind it: {topology.names(incident.children, most=8)}"
    if incident.phase is Phase.DOWN and not incident.closed:
        hidden = unseen(topology, (incident.asset, *incident.children), incident.changed)
        if hidden:
            yield f"Cannot work without it, not watched: {topology.names(hidden, most=8)}"
    if incident.confidence < 1:
        yield f"The cause is inferred from what went down at once: {sure(incident.confidence)}"
    if people := in_words(incident.people):
        yield f"People touched: {people}"
    if incident.left and not incident.closed:
        yield f"What is left: {incident.left}"
    for dependency in topology.suggested_by(incident.asset):
        others = topology.names(need for need in dependency.needs if need != incident.asset)
        rest = f"besides it only {others}" if others else "nothing else"
        yield f"Not confirmed ({dependency.source}): {topology.name(dependency.asset)} may have {rest}"


def overlapping(vantage: Iterable[Incident], since: datetime, but: str = "") -> Blind:
    """Return when this site was cut off since a moment; ``but``: an incident that does not count."""
    return tuple(
        (max(cut.began, since), cut.closed)
        for cut in vantage
        if cut.id != but and (cut.closed is None or cut.closed > since)
    )
