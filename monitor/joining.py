"""Which incidents are one, which began together, and when they part again. Pure."""

from datetime import datetime

from alerting.model import Severity
from monitor.docket import Docket, Finding, worst
from monitor.impact import people, stranded
from monitor.kin import Kin, young
from monitor.model import Incident
from monitor.outlook import TROUBLE, Outlook, Presumption
from monitor.standing import Standing


class Joining:
    """What it makes of the open incidents of one turn."""

    def __init__(self, view: Outlook, docket: Docket, kin: Kin, recovered: dict[str, datetime]) -> None:
        self.view, self.topology, self.now = view, view.topology, view.now
        self.docket, self.kin, self.recovered = docket, kin, recovered

    def finding(self, asset: str, standing: Standing, severity: Severity, presumed: Presumption | None) -> Finding:
        """Gather what is known of a cause."""
        left = self.view.left(asset)
        touched = [asset, *(presumed.down if presumed else ())]
        return Finding(
            asset,
            standing,
            severity,
            left[1] if left else "",
            presumed.confidence if presumed else 1.0,
            tuple(self.view.evidence(asset, presumed)),
            people(self.topology, touched, stranded(self.topology, asset, self.view.lost, self.now)),
        )

    def gather(self) -> None:
        """Let young incidents be part of what they turn out to belong to."""
        for number in [one.id for one in self.docket.open.values() if young(one, self.now)]:
            own = self.docket.open[number]
            standing = self.view.standing(own.asset)
            if standing.phase in TROUBLE and not own.silent:
                self.merged(own, standing)

    def merged(self, own: Incident, standing: Standing) -> bool:
        """Let an incident be part of another that turned out to be its cause, if both began at once."""
        cause = self.view.cause(own.asset)
        root = self.kin.root(cause) if cause else ""
        into = self.docket.place(root) if root else None
        if into is None or worst(own.phase, standing.phase) is not standing.phase:
            return False  # it was in other trouble before
        if into.id == own.id:
            return self.renamed(own, root)
        if root in own.children or self.kin.before(standing, self.kin.known(root, into)):
            return False
        self.docket.merge(own, into)
        return True

    def renamed(self, own: Incident, root: str) -> bool:
        """Give an incident its true name: what stood behind it turns out to be its cause, and began with it."""
        standing = self.view.standing(root)
        severity = self.view.severity(root, standing.phase)
        late = not young(own, self.now) or self.kin.before(self.kin.known(own.asset, own), standing)
        if severity is None or root == own.asset or late:
            return False
        self.docket.take_over(own, self.finding(root, standing, severity, None))
        return True

    def take_back(self, number: str, cause: Incident) -> None:
        """Let a guess be part of what turned out to be the cause of all that spoke for it."""
        guess = self.docket.open.get(number)
        if guess is None or guess.confidence == 1 or guess.children or not young(guess, self.now):
            return
        if self.view.presumed(guess.asset) is None:
            self.docket.merge(guess, cause)

    def told_by_another(self, own: Incident, standing: Standing) -> bool:
        """Whether it matters more for the loss of what stood beside it alone: of that another incident tells."""
        if worst(own.phase, standing.phase) is not own.phase:
            return False
        for other in filter(self.view.lost, self.topology.beside(own.asset)):
            place = self.docket.place(other)
            if (place is None or place.id != own.id) and self.view.excuse(other) is None:
                return True
        return False

    def accompany(self, own: Incident, standing: Standing) -> None:
        """Have what began in one moment and place told together; the likeliest cause stands first."""
        other = self.kin.company(own, standing)
        if other is None:
            return
        first, second = sorted((own, other), key=self.kin.upstream)
        for one in [one for one in self.docket.open.values() if one.fellow and one.part_of == second.id]:
            self.docket.accompany(one, first)
        self.docket.accompany(self.docket.open[second.id], self.docket.open[first.id])

    def part(self) -> None:
        """Let stand alone what began with another that is over, while it is not."""
        for own in [one for one in self.docket.open.values() if one.fellow and one.part_of not in self.docket.open]:
            if own.asset not in self.recovered:
                self.docket.part(own, "that is over, and this is not")

    def alone(self, own: Incident) -> Incident:
        """Let an incident that is over stand alone if the one that it began with is not."""
        first = self.docket.open.get(own.part_of) if own.fellow else None
        if first is None or first.asset in self.recovered:
            return own
        return self.docket.part(own, "this is over, and that is not")
