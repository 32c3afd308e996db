"""From standings to incidents: one for each cause, its children silent behind it. Pure; time is an argument."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from alerting.model import Severity
from monitor.model import Entry, Incident, Phase
from monitor.topology import Standing, States, Topology

PATIENCE = timedelta(seconds=30)
"""How long trouble may wait for the verdict on what it depends on, before it speaks for itself."""
TROUBLE = {Phase.DOWN, Phase.DEGRADED}


@dataclass(frozen=True, slots=True)
class Book:
    """The open incidents, and what waits."""

    open: Mapping[str, Incident] = field(default_factory=dict)
    next: int = 1
    waiting: Mapping[str, datetime] = field(default_factory=dict)
    """Asset in trouble -> since when it waits for another's verdict."""
    recovered: Mapping[str, datetime] = field(default_factory=dict)
    """Asset -> when it came back, as long as what stood behind it may need to follow."""

    def restless(self) -> bool:
        """Whether time alone may change something."""
        return bool(self.waiting or self.recovered)


@dataclass(frozen=True, slots=True)
class Change:
    """One incident's new revision."""

    incident: Incident
    what: str
    """opened, worse, updated, closed"""


def apply(
    book: Book, touched: Iterable[str], states: States, topology: Topology, now: datetime
) -> tuple[Book, list[Change]]:
    """Draw the consequences of a change in the touched assets, and of the time that has passed."""
    turn = _Turn(book, states, topology, now)
    for asset in turn.concerned(touched):
        turn.consider(asset)
    return turn.result()


def standings(
    assets: Iterable[str], book: Book, states: States, topology: Topology, now: datetime
) -> dict[str, Standing]:
    """Say how assets stand, UNREACHABLE where something they need is down; for the page."""
    turn = _Turn(book, states, topology, now)
    return {asset: turn.seen_from_outside(asset) for asset in assets}


def no_longer_watched(book: Book, topology: Topology, now: datetime) -> tuple[Book, list[Change]]:
    """Close the incidents of assets that nothing watches any more (after a change of config)."""
    turn = _Turn(book, {}, topology, now)
    for incident in list(book.open.values()):
        for child in incident.children:
            if child not in topology.checks:
                turn.leave(turn.open[incident.id], child, "is no longer watched")
        if incident.id in turn.open and incident.asset not in topology.checks:
            turn.close(turn.open[incident.id], "no longer watched")
    turn.waiting = {asset: at for asset, at in turn.waiting.items() if asset in topology.checks}
    return turn.result()


class _Turn:
    """One application: a mutable copy of the book, and what changed."""

    def __init__(self, book: Book, states: States, topology: Topology, now: datetime) -> None:
        self.open = dict(book.open)
        self.next = book.next
        # the machine's clock may have been set back: nothing waits for a moment that was still to come
        self.waiting = {asset: min(at, now) for asset, at in book.waiting.items()}
        self.recovered = {asset: min(at, now) for asset, at in book.recovered.items()}
        self.states = states
        self.topology = topology
        self.now = now
        self.settle = timedelta(seconds=topology.world.settle_seconds)
        self.changes: dict[str, Change] = {}
        self._standings: dict[str, Standing] = {}
        self._lost: dict[str, datetime | None] = {}

    def result(self) -> tuple[Book, list[Change]]:
        """Freeze the turn."""
        involved = {incident.asset for incident in self.open.values()}
        recovered = {a: at for a, at in self.recovered.items() if self.now - at < self.settle or a in involved}
        return Book(self.open, self.next, self.waiting, recovered), list(self.changes.values())

    def concerned(self, touched: Iterable[str]) -> list[str]:
        """Return the assets to consider, parents before children: the touched, what hangs on them, what waits."""
        found: dict[str, None] = {}
        stack = [*touched, *self.waiting]
        for incident in self.open.values():
            if incident.asset in self.recovered:
                stack += (incident.asset, *incident.children)
        while stack:
            asset = stack.pop()
            if asset not in found:
                found[asset] = None
                stack += self.topology.children(asset)
                stack += self.topology.served.get(asset, ())
        return sorted(found, key=lambda asset: (self.topology.depth(asset), asset))

    def standing(self, asset: str) -> Standing:
        """Return how an asset stands by its own checks."""
        known = self._standings.get(asset)
        if known is None:
            known = self._standings[asset] = self.topology.standing(asset, self.states)
        return known

    def lost(self, asset: str) -> datetime | None:
        """Return since when an asset is down, or unreachable because of another."""
        if asset not in self._lost:
            self._lost[asset] = None  # bounds the walk should a cycle ever get past the config
            own = self.standing(asset)
            if own.phase is Phase.DOWN:
                self._lost[asset] = own.since
            elif own.phase in {Phase.UNKNOWN, Phase.NOT_WATCHED}:
                above = self.topology.blocked(asset, self.lost)
                self._lost[asset] = self.lost(above) if above else None
        return self._lost[asset]

    def cause(self, asset: str) -> str | None:
        """Return the asset that explains this one's trouble: what it needs, or what it is made of or part of."""
        needed = self.topology.blocked(asset, self.lost)
        if needed is not None:
            return needed
        servers = [name for name in self.topology.servers.get(asset, ()) if self.standing(name).phase is Phase.DOWN]
        behind = [self.topology.blocked(name, self.lost) for name in servers]
        if servers and all(behind):
            return min(name for name in behind if name)
        if self.standing(asset).phase is Phase.DOWN:
            for whole in sorted(self.topology.served.get(asset, ())):
                own = self.own(whole)
                if own is not None and self.standing(whole).phase is Phase.DOWN:
                    return whole
        return None

    def own(self, asset: str) -> Incident | None:
        """Return the open incident that an asset caused."""
        return next((incident for incident in self.open.values() if incident.asset == asset), None)

    def home(self, asset: str) -> Incident | None:
        """Return the open incident that an asset is a child of."""
        return next((incident for incident in self.open.values() if asset in incident.children), None)

    def seen_from_outside(self, asset: str) -> Standing:
        """Return how an asset stands, with the reason that lies behind it."""
        own = self.standing(asset)
        cause = self.cause(asset) if own.phase in TROUBLE and self.own(asset) is None else None
        if cause is None or asset in self.topology.servers.get(cause, ()):
            return own
        reason = f"behind {self.topology.name(cause)}, which is down"
        return replace(own, phase=Phase.UNREACHABLE, shown=Phase.UNREACHABLE, reason=reason)

    def consider(self, asset: str) -> None:
        """Draw the consequences for one asset."""
        standing = self.standing(asset)
        if standing.phase in TROUBLE:
            self.trouble(asset, standing)
        elif standing.phase is Phase.UP:
            self.back(asset, "answers again")
        else:
            self.unseen(asset)

    def trouble(self, asset: str, standing: Standing) -> None:
        """Take up an asset in trouble: its own incident, another's, a wait, or a new one."""
        own, home = self.own(asset), self.home(asset)
        severity = self.severity(asset, standing.phase)
        if own is not None:
            self.go_on(own, standing, severity)
            return
        cause = self.cause(asset)
        if cause is not None and self.follow(asset, cause, home):
            return
        if home is not None and not self.abandoned(home, asset):
            return
        if severity is None:
            self.waiting.pop(asset, None)
        elif not self.must_wait(asset, standing):
            self.begin(asset, standing, severity)

    def go_on(self, own: Incident, standing: Standing, severity: Severity | None) -> None:
        """Bring an asset's own incident up to date."""
        if severity is None:
            left = self.left(own.asset)
            self.back(own.asset, f"is no longer down: {left[1]}" if left else "is no longer down")
            return
        self.recovered.pop(own.asset, None)
        worse = severity.rank > own.severity.rank
        title = self.topology.title(own.asset, standing.phase)
        if not worse and title == own.title:
            return
        text = f"{title}: {standing.reason}"
        self.revise(
            own,
            "worse" if worse else "updated",
            Entry(self.now, "severity" if worse else "evidence", text),
            severity=severity if worse else own.severity,
            phase=Phase.DOWN if Phase.DOWN in {own.phase, standing.phase} else standing.phase,
            title=title,
            reason=standing.reason,
        )

    def follow(self, asset: str, cause: str, home: Incident | None) -> bool:
        """Stand silently behind what explains it; False when that has no incident and waits for none."""
        cause = self.root(cause)
        incident = self.own(cause) or self.home(cause)
        if incident is None:
            if home is None and cause in self.waiting:
                self.waiting.setdefault(asset, self.now)
            return home is not None or cause in self.waiting
        self.waiting.pop(asset, None)
        if home is not None and home.id == incident.id:
            return True
        if home is not None:
            self.leave(home, asset, "is now behind another cause")
        text = f"{self.topology.name(asset)} is unreachable behind {self.topology.name(cause)}"
        children = (*incident.children, asset)
        self.revise(incident, "updated", Entry(self.now, "joined", text), children=children)
        return True

    def root(self, cause: str) -> str:
        """Go up from a cause that nobody can see to the one that is in trouble itself."""
        while self.standing(cause).phase not in TROUBLE and not self.home(cause):
            above = self.topology.blocked(cause, self.lost)
            if above is None:
                break
            cause = above
        return cause

    def unseen(self, asset: str) -> None:
        """Let a child go that cannot be seen, when its cause has been seen to work for the time it had to come back."""
        home = self.home(asset)
        if home is None or home.asset not in self.recovered:
            return
        cause = self.standing(home.asset)
        if cause.phase is Phase.UP and cause.since and self.now - cause.since >= self.settle:
            self.leave(home, asset, "cannot be seen")

    def abandoned(self, home: Incident, asset: str) -> bool:
        """Whether a child whose cause is gone has had its time to come back; then it leaves and speaks for itself."""
        since = self.recovered.get(home.asset)
        if since is None and self.standing(home.asset).phase in TROUBLE:  # it has another way now
            since = self.waiting.setdefault(asset, self.now)
        if asset in self.topology.servers.get(home.asset, ()):
            self.leave(home, asset, "is still down")
            return True
        if since is None or self.now - since < self.settle:
            return False
        self.leave(home, asset, f"is still down {self.settle.total_seconds():.0f} s after the cause was gone")
        return True

    def must_wait(self, asset: str, standing: Standing) -> bool:
        """Whether the verdict on something else decides first."""
        above = [*self.topology.parents(asset), *self.topology.served.get(asset, ())]
        began = standing.since or self.now
        if any(self.follows(part, began) for part in (asset, *self.topology.servers.get(asset, ()))):
            self.waiting.setdefault(asset, self.now)
            return True
        doubtful = any(self.standing(other).shown is Phase.SUSPECT for other in above) or any(
            self.not_looked_at_since(parent, began) for parent in self.topology.parents(asset)
        )
        if doubtful or (standing.undecided and standing.phase is Phase.DEGRADED):
            return self.now - self.waiting.setdefault(asset, self.now) < PATIENCE
        return False

    def not_looked_at_since(self, asset: str, began: datetime) -> bool:
        """Whether an asset that is watched has not been looked at since another's trouble began."""
        standing = self.standing(asset)
        return standing.phase is not Phase.DOWN and standing.seen is not None and standing.seen < began

    def follows(self, asset: str, began: datetime) -> bool:
        """Whether what came back a moment ago explains trouble that began before."""
        lost = partial(self.lately, began=began)
        return self.topology.blocked(asset, lost) is not None and self.topology.blocked(asset, self.lost) is None

    def lately(self, asset: str, began: datetime) -> datetime | None:
        """Return since when an asset is lost, or when it came back if trouble that began earlier may still follow."""
        back = self.recovered.get(asset)
        if back is not None and began <= back and self.now - back < self.settle:
            return back
        if self.standing(asset).phase in {Phase.UNKNOWN, Phase.NOT_WATCHED}:
            above = self.topology.blocked(asset, partial(self.lately, began=began))
            return self.lately(above, began) if above else None
        return self.lost(asset)

    def begin(self, asset: str, standing: Standing, severity: Severity) -> None:
        """Open an incident."""
        self.waiting.pop(asset, None)
        self.recovered.pop(asset, None)
        left = self.left(asset)
        title = self.topology.title(asset, standing.phase)
        number = str(self.next)
        self.next += 1
        incident = Incident(
            id=number,
            asset=asset,
            kind=self.topology.kind(asset),
            territories=self.topology.territories(asset),
            severity=severity,
            phase=standing.phase,
            began=standing.since or self.now,
            opened=self.now,
            changed=self.now,
            revision=1,
            reason=standing.reason,
            title=title,
            left=left[1] if left else "",
            timeline=(Entry(self.now, "opened", f"{title}: {standing.reason}"),),
        )
        self.open[number] = incident
        self.changes[number] = Change(incident, "opened")

    def back(self, asset: str, how: str) -> None:
        """Take note that an asset is in no trouble any more."""
        self.waiting.pop(asset, None)
        home = self.home(asset)
        if home is not None:
            self.leave(home, asset, how)
        own = self.own(asset)
        if own is None:
            return
        first = asset not in self.recovered
        self.recovered.setdefault(asset, self.now)
        if not own.children:
            self.close(own, how)
        elif first:
            behind = self.topology.names(own.children)
            self.revise(own, "updated", Entry(self.now, "recovered", f"{how}; waiting for {behind}"))

    def leave(self, home: Incident, asset: str, how: str) -> None:
        """Take a child out of an incident; the last one out closes it when its cause is gone."""
        children = tuple(child for child in home.children if child != asset)
        text = f"{self.topology.name(asset)} {how}"
        home = self.revise(home, "updated", Entry(self.now, "left", text), children=children)
        if home.asset in self.recovered and not children:
            self.close(home, "answers again")

    def close(self, incident: Incident, how: str) -> None:
        """Close an incident: its last revision."""
        text = f"{self.topology.name(incident.asset)} {how}"
        known = incident.asset in self.topology.world.assets
        title = self.topology.title(incident.asset, incident.phase) if known else incident.title
        closed = max(self.now, incident.opened)  # the machine's clock may have been set back
        self.revise(incident, "closed", Entry(self.now, "closed", text), closed=closed, closing=how, title=title)
        del self.open[incident.id]

    def revise(self, incident: Incident, what: str, entry: Entry, **fields: object) -> Incident:
        """Append a revision; the strongest word of one turn stays."""
        earlier = self.changes.get(incident.id)
        revision = incident.revision if earlier else incident.revision + 1
        timeline = (*incident.timeline, entry)
        revised = replace(incident, changed=self.now, revision=revision, timeline=timeline, **fields)  # type: ignore[arg-type] # the fields' names are checked by replace
        self.open[incident.id] = revised
        if earlier and what == "updated":
            what = earlier.what
        self.changes[incident.id] = Change(revised, what)
        return revised

    def severity(self, asset: str, phase: Phase) -> Severity | None:
        """Look the severity up: asset kind x phase x redundancy left x people served."""
        kind, people = self.topology.kind(asset), self.topology.people(asset)
        left = self.left(asset)
        for row in self.topology.world.severities:
            if row.kind not in {"*", kind} or row.phase is not phase:
                continue
            if row.left is not None and (left is None or left[0] > row.left):
                continue
            if row.people is None or people >= row.people:
                return row.severity
        return None

    def left(self, asset: str) -> tuple[int, str] | None:
        """Say what redundancy is left beside an asset."""
        return self.topology.servers_left(asset, self.states) or self.topology.left(asset, self.lost)
