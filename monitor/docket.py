"""The open incidents as one turn changes them: each change is an appended revision. Pure; it decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from alerting.model import Severity
from monitor.model import Entry, Incident, Phase
from monitor.standing import Standing
from monitor.topology import Topology


@dataclass(frozen=True, slots=True)
class Book:
    """The open incidents, and what waits."""

    open: Mapping[str, Incident] = field(default_factory=dict)
    next: int = 1
    waiting: Mapping[str, datetime] = field(default_factory=dict)
    """Asset in trouble -> since when it waits for another's verdict."""
    recovered: Mapping[str, datetime] = field(default_factory=dict)
    """Asset -> when it came back, as long as what stood behind it may need to follow."""
    excused: Mapping[str, datetime] = field(default_factory=dict)
    """Asset in trouble during announced work -> since when; it opens no incident before the work is over."""
    closed: Mapping[str, Incident] = field(default_factory=dict)
    """What closed so lately that it may open again."""

    def restless(self) -> bool:
        """Whether time alone may change something."""
        return bool(self.waiting or self.recovered or self.excused)


@dataclass(frozen=True, slots=True)
class Change:
    """One incident's new revision."""

    incident: Incident
    what: str
    """opened, reopened, worse, updated, closed"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of a cause when its incident opens."""

    asset: str
    standing: Standing
    severity: Severity
    left: str
    confidence: float
    evidence: tuple[str, ...]
    people: tuple[int, int]


class Docket:
    """A mutable copy of the open incidents, and what changed."""

    def __init__(self, book: Book, topology: Topology, now: datetime) -> None:
        # the machine's clock may have been set back: nothing has changed in a moment that is still to come
        self.open = {i: one if one.changed <= now else replace(one, changed=now) for i, one in book.open.items()}
        self.closed = dict(book.closed)
        self.next = book.next
        self.changes: dict[str, Change] = {}
        self._topology, self._now = topology, now
        self._own = {incident.asset: incident.id for incident in self.open.values()}
        self._home = {name: one.id for one in self.open.values() for name in one.children}

    def own(self, asset: str) -> Incident | None:
        """Return the open incident that an asset caused."""
        return self.open.get(self._own.get(asset, ""))

    def home(self, asset: str) -> Incident | None:
        """Return the open incident that an asset is a child of."""
        return self.open.get(self._home.get(asset, ""))

    def place(self, asset: str) -> Incident | None:
        """Return the incident in which trouble behind an asset stands: its own or its home, or what that is part of."""
        incident = self.own(asset) or self.home(asset)
        while incident is not None and incident.silent:
            incident = self.open.get(incident.part_of)
        return incident

    def begin(self, finding: Finding) -> Incident:
        """Open an incident."""
        asset, standing = finding.asset, finding.standing
        title = self._topology.title(asset, standing.phase)
        incident = Incident(
            id=str(self.next),
            asset=asset,
            kind=self._topology.kind(asset),
            territories=self._topology.territories(asset),
            severity=finding.severity,
            phase=standing.phase,
            began=standing.since or self._now,
            opened=self._now,
            changed=self._now,
            revision=1,
            reason=standing.reason,
            title=title,
            left=finding.left,
            confidence=finding.confidence,
            evidence=finding.evidence,
            people=finding.people,
            timeline=(Entry(self._now, "opened", f"{title}: {standing.reason}"),),
        )
        self.next += 1
        self.open[incident.id] = incident
        self._own[asset] = incident.id
        self.changes[incident.id] = Change(incident, "opened")
        return incident

    def reopen(self, incident: Incident, finding: Finding) -> Incident:
        """Open again what closed a moment ago: the same trouble has come back."""
        del self.closed[incident.id]
        self._own[incident.asset] = incident.id
        text = f"{self._topology.name(incident.asset)} is in trouble again: {finding.standing.reason}"
        return self.revise(
            incident,
            "reopened",
            Entry(self._now, "reopened", text),
            closed=None,
            closing="",
            part_of="",
            fellow=False,
            severity=finding.severity,
            phase=finding.standing.phase,
            title=self._topology.title(incident.asset, finding.standing.phase),
            reason=finding.standing.reason,
            gravest="",
            left=finding.left,
        )

    def take_over(self, incident: Incident, finding: Finding) -> Incident:
        """Name the cause that has now been found: the incident is the cause's, and what opened it stands behind it."""
        earlier, asset = incident.asset, finding.asset
        del self._own[earlier]
        self._home.pop(asset, None)
        self._own[asset] = incident.id
        self._home[earlier] = incident.id
        worse = finding.severity.rank > incident.severity.rank
        text = f"the cause is {self._topology.name(asset)}: {finding.standing.reason}"
        return self.revise(
            incident,
            "worse" if worse else "updated",
            Entry(self._now, "cause", text),
            asset=asset,
            kind=self._topology.kind(asset),
            territories=self._topology.territories(asset) or incident.territories,
            severity=finding.severity if worse else incident.severity,
            phase=finding.standing.phase,
            began=min(incident.began, finding.standing.since or incident.began),
            reason=finding.standing.reason,
            gravest="",
            title=self._topology.title(asset, finding.standing.phase),
            left=finding.left,
            confidence=finding.confidence,
            evidence=finding.evidence,
            people=finding.people,
            children=(earlier, *(child for child in incident.children if child != asset)),
        )

    def join(self, incident: Incident, asset: str, text: str) -> Incident:
        """Let an asset stand behind an incident's cause."""
        self._home[asset] = incident.id
        joined = Entry(self._now, "joined", text)
        return self.revise(incident, "updated", joined, children=(*incident.children, asset))

    def leave(self, incident: Incident, asset: str, how: str) -> Incident:
        """Take a child out of an incident."""
        self._home.pop(asset, None)
        return self.revise(
            incident,
            "updated",
            Entry(self._now, "left", f"{self._topology.name(asset)} {how}"),
            children=tuple(child for child in incident.children if child != asset),
        )

    def merge(self, incident: Incident, into: Incident) -> Incident:
        """Let an incident stand as part of another, which turned out to be its cause; return the other."""
        name = self._topology.name(incident.asset)
        text = f"is part of incident {into.id}: {into.title}"
        known = {*into.children, into.asset}
        behind = [name for name in incident.children if name not in known]
        part = Entry(self._now, "merged", text)
        self.revise(incident, "updated", part, part_of=into.id, fellow=False, children=())
        if incident.id in self._above(into):
            into = self.part(into, f"incident {incident.id} is part of this")
        own = [] if incident.asset in known else [incident.asset]
        for one in (*own, *behind):
            self._home[one] = into.id
        joined = Entry(self._now, "merged", f"incident {incident.id} ({name}) is part of this")
        return self.revise(into, "updated", joined, children=(*into.children, *own, *behind))

    def revive(self, incident: Incident, reason: str) -> None:
        """Let an incident that was part of another stand for itself again."""
        text = f"is no longer part of incident {incident.part_of}: {reason}"
        self.revise(incident, "updated", Entry(self._now, "evidence", text), part_of="")

    def accompany(self, incident: Incident, root: Incident) -> None:
        """Let an incident be told together with one that began in the same moment and place."""
        if root.fellow and root.part_of == incident.id:
            root = self.part(root, "it may be the cause of that")
        if incident.id in self._above(root):
            return
        how = "began in the same moment and place; nothing says that one explains the other"
        text = f"incident {root.id} ({root.title}) {how}"
        self.revise(incident, "updated", Entry(self._now, "joined", text), part_of=root.id, fellow=True)
        text = f"incident {incident.id} ({incident.title}) {how}"
        self.revise(self.open[root.id], "updated", Entry(self._now, "joined", text))

    def part(self, incident: Incident, why: str) -> Incident:
        """Let an incident that began in the moment of another stand alone."""
        text = f"is no longer part of incident {incident.part_of}: {why}"
        return self.revise(incident, "updated", Entry(self._now, "evidence", text), part_of="", fellow=False)

    def _above(self, incident: Incident) -> set[str]:
        """Return what an incident is part of, by whatever right, itself included."""
        found: set[str] = set()
        above: Incident | None = incident
        while above is not None and above.id not in found:
            found.add(above.id)
            above = self.open.get(above.part_of)
        return found

    def close(self, incident: Incident, how: str, at: datetime) -> None:
        """Close an incident: its last revision."""
        topology = self._topology
        known = incident.asset in topology.world.assets
        title = topology.title(incident.asset, incident.phase) if known else incident.title
        closed = max(at, incident.opened)  # the machine's clock may have been set back
        text = Entry(self._now, "closed", f"{topology.name(incident.asset)} {how}")
        seen = incident.gravest or incident.reason
        ended = self.revise(incident, "closed", text, closed=closed, closing=how, title=title, reason=seen)
        del self.open[incident.id]
        self._own.pop(incident.asset, None)
        for name in incident.children:
            self._home.pop(name, None)
        self.closed[incident.id] = ended

    def closed_lately(self, asset: str) -> Incident | None:
        """Return what closed for an asset a moment ago."""
        found = [incident for incident in self.closed.values() if incident.asset == asset]
        return max(found, key=lambda incident: incident.changed, default=None)

    def revise(self, incident: Incident, what: str, entry: Entry, **fields: object) -> Incident:
        """Append a revision; the strongest word of one turn stays."""
        earlier = self.changes.get(incident.id)
        revision = incident.revision if earlier else incident.revision + 1
        timeline = (*incident.timeline, entry)
        revised = replace(incident, changed=self._now, revision=revision, timeline=timeline, **fields)  # type: ignore[arg-type] # the fields' names are checked by replace
        self.open[incident.id] = revised
        if earlier and what == "updated":
            what = earlier.what
        self.changes[incident.id] = Change(revised, what)
        return revised


PHASES = {Phase.DOWN: 2, Phase.PARTITIONED: 1, Phase.DEGRADED: 0}


def worst(one: Phase, other: Phase) -> Phase:
    """Return the worse of two phases of trouble."""
    return max(one, other, key=lambda phase: PHASES.get(phase, -1))
