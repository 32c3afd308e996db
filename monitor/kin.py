"""Which open incident trouble belongs to: by its cause, or by time and place alone where no dependency tells. Pure."""

from datetime import datetime, timedelta

from monitor.docket import Docket
from monitor.model import Incident, Phase
from monitor.outlook import MOMENT, TROUBLE, Outlook, at_once
from monitor.standing import Standing

YOUNG = timedelta(seconds=60)
APART = {"vantage", "nameserver", "cctld", "website"}
"""Kinds of assets whose trouble says nothing of the place they are named after."""
MANY = 2
"""So many more in one place must be in doubt, or down, at one moment for them to be taken as one event."""
WAVE = 4
"""With so many that fell together an incident is an event that may go on"""
LASTS = timedelta(minutes=10)
"""as long as every so often another asset of the same territory falls."""
REGION = 5
"""So many incidents that began in one moment in different places are one."""


def young(incident: Incident, now: datetime) -> bool:
    """Whether an incident has opened so lately that what it belongs to may only now become plain."""
    return not incident.part_of and now - incident.opened < YOUNG


class Kin:
    """Answers for one turn."""

    def __init__(self, view: Outlook, docket: Docket, recovered: dict[str, datetime]) -> None:
        self.view, self.docket, self.recovered = view, docket, recovered
        self.topology, self.now = view.topology, view.now

    def find(self, asset: str, standing: Standing) -> Incident | None:
        """Return the open incident that this trouble belongs to, by one time and one place, where many fell at once."""
        if self.topology.kind(asset) == "vantage" or standing.phase is not Phase.DOWN:
            return None
        here = set(self.topology.territories(asset))
        others = [one for one in self.docket.open.values() if one.asset != asset]
        together = [one for one in others if self.at_once(one, standing)]
        near = [one for one in together if here & self.place(one) and one.kind not in APART]
        apart = self.topology.kind(asset) in APART
        found = [one for one in near if self.crowd(one) > (MANY if apart else 1)]
        found += [one for one in near if not apart and self.wave(one, asset, standing) >= MANY]
        found += [one for one in others if self.goes_on(one, here)]
        if not found and len({one.territories for one in together}) >= REGION:
            found = together
        return min(found, key=lambda one: (one.opened, int(one.id)), default=None)

    def place(self, incident: Incident) -> set[str]:
        """Return the territories that an incident touches by what stands there."""
        assets = (incident.asset, *incident.children, *incident.members)
        return {t for name in assets if self.topology.kind(name) not in APART for t in self.topology.territories(name)}

    def crowd(self, incident: Incident) -> int:
        """Return how many of an incident's assets stand in its place."""
        assets = (incident.asset, *incident.children, *incident.members)
        return sum(self.topology.kind(name) not in APART for name in assets)

    def wave(self, incident: Incident, asset: str, standing: Standing) -> int:
        """Return how many fell in the moment in which an asset did, in its place, and are explained by nothing else."""
        fell = 0
        for name in self.topology.neighbours(asset):
            other, place = self.view.standing(name), self.docket.place(name)
            if self.topology.kind(name) in APART or (place is not None and place.id != incident.id):
                continue
            fell += name not in incident.children and other.phase is Phase.DOWN and at_once(other, standing, MOMENT)
        return fell

    def goes_on(self, incident: Incident, here: set[str]) -> bool:
        """Whether an incident is an event that takes one asset of a territory after the other."""
        many = len(incident.members) >= WAVE and not incident.part_of and bool(here & set(incident.territories))
        return many and self.now - incident.changed < LASTS and incident.asset not in self.recovered

    def at_once(self, incident: Incident, standing: Standing) -> bool:
        """Whether an incident may have begun in the moment in which this trouble did."""
        over = incident.part_of or incident.asset in self.recovered
        if over or incident.kind == "vantage" or incident.phase is not Phase.DOWN:
            return False
        return at_once(self.known(incident.asset, incident), standing, MOMENT)

    def known(self, asset: str, incident: Incident) -> Standing:
        """Return how a cause stands, or stood when its incident began."""
        standing = self.view.standing(asset)
        if standing.since is not None and standing.phase in TROUBLE:
            return standing
        presumed = self.view.presumed(asset)
        return presumed.standing if presumed else Standing(Phase.DOWN, Phase.DOWN, incident.began, "", None)

    def before(self, one: Standing, other: Standing) -> bool:
        """Whether one trouble had begun for certain before another can have."""
        return not at_once(one, other) and (one.since or self.now) < (other.since or self.now)

    def root(self, cause: str) -> str:
        """Go up from a cause that is in no incident to the one that is in trouble itself."""
        while self.view.standing(cause).phase not in TROUBLE and not self.docket.home(cause):
            above = self.view.blocked(cause, self.view.lost)
            if above is None:
                break
            cause = above
        return cause

    def heir(self, asset: str, standing: Standing) -> Incident | None:
        """Return an open incident of something that this asset explains and that began with it."""
        for child in self.topology.below(asset):
            own = self.docket.own(child)
            if (
                own is None
                or own.part_of
                or own.asset in self.recovered
                or (own.phase is not Phase.DOWN and standing.phase is Phase.DOWN)
            ):
                continue
            if self.explains(asset, child) and not self.before(self.view.standing(child), standing):
                return own
        return None

    def explains(self, asset: str, child: str) -> bool:
        """Whether an asset that is about to speak explains another's trouble."""
        cause = self.view.cause(child)
        return cause is not None and self.root(cause) == asset
