"""How long trouble waits for the verdict on something else before it speaks for itself. Pure; time is an argument."""

from datetime import datetime, timedelta

from monitor.model import Phase
from monitor.outlook import Outlook, Presumption
from monitor.standing import Standing

PATIENCE = timedelta(seconds=30)
"""How long trouble may wait for the verdict on what it depends on, before it speaks for itself."""
DOUBTED = timedelta(seconds=60)
"""The same while what it depends on is itself in doubt: the look that decides may leave late."""
MANY = 2
"""So many more in doubt in one place speak for something that they all need: its verdict comes with theirs."""
COMPANY = timedelta(seconds=10)
"""The same while something else in its place is in doubt: what fell in one moment is told in one message."""
UNHEARD = timedelta(seconds=90)
"""The same while what it depends on has not been looked at since: it is asked at once, but its answer may be late."""


class Patience:
    """Answers for one turn, and remembers since when what waits does."""

    def __init__(
        self, view: Outlook, waiting: dict[str, datetime], recovered: dict[str, datetime], inferred: set[str]
    ) -> None:
        """``inferred``: assets of which something else tells whether they are lost."""
        self.view, self.topology, self.now = view, view.topology, view.now
        self.waiting, self.recovered, self.inferred = waiting, recovered, inferred
        self.company: dict[str, tuple[Standing, Presumption | None]] = {}
        """What waits for nothing else in this turn than what is in doubt beside it."""
        self.settle = timedelta(seconds=self.topology.world.settle_seconds)

    def must_wait(self, asset: str, standing: Standing, presumed: Presumption | None = None) -> bool:
        """Whether the verdict on something else decides first."""
        began = standing.since or self.now
        for part in (asset, *self.topology.servers.get(asset, ())):
            if self.view.follows(part, began, self.recovered, self.settle):
                self.waiting.setdefault(asset, self.now)
                return True
        if any(self.view.doubted(other, standing) for other in self.topology.parents(asset)):
            return self.now - self.waiting.setdefault(asset, self.now) < DOUBTED
        undecided = standing.undecided and standing.phase is Phase.DEGRADED
        undecided = undecided or any(self.view.standing(one).undecided for one in self.topology.servers.get(asset, ()))
        if undecided or self.shaken(asset) or self.doubtful(asset, standing, presumed.down[0] if presumed else ""):
            return self.now - self.waiting.setdefault(asset, self.now) < PATIENCE
        if any(self.view.not_looked_at_since(other, began) for other in self.topology.parents(asset)):
            return self.now - self.waiting.setdefault(asset, self.now) < UNHEARD
        if any(self.view.not_looked_at_since(other, began) for other in self.topology.siblings(asset)):
            return self.now - self.waiting.setdefault(asset, self.now) < PATIENCE
        if self.view.doubts(asset, standing) and self.now - self.waiting.setdefault(asset, self.now) < COMPANY:
            self.company[asset] = standing, presumed
            return True
        return False

    def shaken(self, asset: str) -> bool:
        """Whether something above it came back a moment ago: it may come and go, unseen by what stands between."""

        def lately(need: str) -> datetime | None:
            at = self.recovered.get(need)
            if at is not None and self.now - at < self.settle:
                return at
            above = self.view.blocked(need, lately)
            return lately(above) if above else None

        return self.view.blocked(asset, lately) is not None

    def doubtful(self, asset: str, standing: Standing, witness: str) -> bool:
        """Whether what it needs, what shares its risk, or what stands beside it is in doubt at this moment.

        ``witness`` went down with what is only presumed to be lost: what shares a risk with it may tell of more.
        """
        family = standing.family or self.topology.family_of(asset)
        needed = [*self.topology.parents(asset), *self.topology.served.get(asset, ()), *self.topology.siblings(asset)]
        needed += self.topology.siblings(witness)
        if any(self.view.doubted(other, standing, family) for other in needed):
            return True
        if asset in self.inferred:
            return self.view.doubts(asset, standing) > 0
        return bool(self.topology.needs.get(asset)) and self.view.doubts(asset, standing) >= MANY
