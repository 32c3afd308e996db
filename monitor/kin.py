"""Which open incident trouble belongs to: that of its cause, if both may have begun in one moment. Pure."""

from datetime import datetime, timedelta

from monitor.docket import Docket
from monitor.model import Incident, Phase
from monitor.outlook import TROUBLE, Outlook
from monitor.standing import Standing, at_once

YOUNG = timedelta(seconds=60)
"""So long after it has opened an incident may still turn out to be part of another."""


def young(incident: Incident, now: datetime) -> bool:
    """Whether an incident has opened so lately that what it belongs to may only now become plain."""
    return not incident.part_of and now - incident.opened < YOUNG


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
