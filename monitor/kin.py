"""Which open incident trouble belongs to: that of its cause, if both may have begun in one moment. Pure."""

from collections import defaultdict
from datetime import datetime, timedelta
from functools import cached_property

from monitor.docket import Docket
from monitor.model import Incident, Phase
from monitor.outlook import TROUBLE, Outlook, Presumption
from monitor.standing import MOMENT, Standing, at_once

YOUNG = timedelta(seconds=60)
"""So long after it has opened an incident may still turn out to be part of another."""
UPSTREAM = ("power", "landing", "cable", "site", "router", "ixp", "network", "nameserver", "cctld", "website")
"""Kinds in the order in which they carry one another: of what fell in one moment the first is named first."""


def young(incident: Incident, now: datetime) -> bool:
    """Whether an incident has opened so lately that what it belongs to may only now become plain."""
    return not incident.silent and now - incident.opened < YOUNG


class Kin:
    """Answers for one turn."""

    def __init__(self, view: Outlook, docket: Docket, recovered: dict[str, datetime]) -> None:
        self.view, self.docket, self.recovered = view, docket, recovered
        self.topology, self.now = view.topology, view.now

    def known(self, asset: str, incident: Incident) -> Standing:
        """Return how a cause stands, or stood when its incident began."""
        standing = self.view.standing(asset)
        if standing.since is not None and standing.phase in TROUBLE:
            return standing
        presumed = self.view.presumed(asset)
        return presumed.standing if presumed else Standing(Phase.DOWN, Phase.DOWN, incident.began, "")

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
                or own.silent
                or own.asset in self.recovered
                or (own.phase is not Phase.DOWN and standing.phase is Phase.DOWN)
            ):
                continue
            explained = self.explains(asset, child) or self._explains_all(asset, own)
            if explained and not self.before(self.known(child, own), standing):
                return own
        return None

    def _explains_all(self, asset: str, inferred: Incident) -> bool:
        """Whether an asset explains all that had another, which nobody sees, taken to be lost."""
        return inferred.confidence < 1 and all(self.explains(asset, child) for child in inferred.children)

    def left_over(self, presumed: Presumption) -> bool:
        """Whether what speaks for a loss is only what has not come back yet from one that is over."""
        homes = {home.id: home for name in presumed.down if (home := self.docket.home(name)) is not None}
        if len(homes) != 1 or not all(map(self.docket.home, presumed.down)):
            return False
        [home] = homes.values()
        return self.view.standing(home.asset).phase not in TROUBLE and self.view.presumed(home.asset) is None

    def company(self, incident: Incident, standing: Standing) -> Incident | None:
        """Return the open incident that began in the moment and place of this one, though no dependency joins them."""
        found = [self._first(one) for one in self.docket.open.values() if self._beside(one, incident, standing)]
        return min(found, key=self.upstream, default=None)

    def upstream(self, incident: Incident) -> tuple[bool, int, datetime, int]:
        """Order what began in one moment: the likeliest cause first, what belongs to no one territory before all."""
        kind = UPSTREAM.index(incident.kind) if incident.kind in UPSTREAM else len(UPSTREAM)
        return bool(incident.territories), kind, incident.opened, int(incident.id)

    def _first(self, incident: Incident) -> Incident:
        """Return the first of those that an incident fell with, or itself."""
        first = self.docket.open.get(incident.part_of) if incident.fellow else None
        return first or incident

    def _beside(self, other: Incident, incident: Incident, standing: Standing) -> bool:
        """Whether another incident began in the moment and place of this one."""
        over = other.silent or other.asset in self.recovered
        if other.id == incident.id or over or "vantage" in {other.kind, incident.kind}:
            return False
        return at_once(self.known(other.asset, other), standing, MOMENT) and self._near(other, incident)

    def _near(self, other: Incident, incident: Incident) -> bool:
        """Whether two incidents touch one territory, or one of them belongs to none; or a guess joins them."""
        here, there = self._places(incident), self._places(other)
        if not here or not there or here & there:
            return True
        guesses = self.topology.hypotheses
        pairs = ((incident.asset, other.asset), (other.asset, incident.asset))
        return any(need in guess.needs for asset, need in pairs for guess in guesses.get(asset, ()))

    def _places(self, incident: Incident) -> set[str]:
        """Return the territories of an incident and of what stands behind it; none if its cause belongs to none."""
        if not incident.territories:
            return set()
        return {code for asset in (incident.asset, *incident.children) for code in self.topology.territories(asset)}

    def fellows(self, own: Incident) -> list[Incident]:
        """Return those that began with an incident and are over too: their end is told in one message."""
        known = (self.docket.open.get(number) for number in self.events[own.part_of or own.id] if number != own.id)
        return [one for one in known if one and not one.silent and one.asset in self.recovered]

    @cached_property
    def events(self) -> dict[str, list[str]]:
        """The open incidents by what they began with, as it was when this was first asked for."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for one in self.docket.open.values():
            found[one.part_of or one.id].append(one.id)
        return found

    def explains(self, asset: str, child: str) -> bool:
        """Whether an asset that is about to speak explains another's trouble."""
        cause = self.view.cause(child)
        return cause is not None and self.root(cause) == asset
