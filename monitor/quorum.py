"""Several vantages, one verdict: how many must agree, what a disagreement is, and whom nobody confirms. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitor.detect import Settled
from monitor.model import Check, Phase, State, World
from monitor.sight import Sight, Turned
from monitor.standing import says_the_same

CAN_SAY = {Phase.UP, Phase.DEGRADED, Phase.DOWN}
LINGER = 15.0
"""Seconds beyond a cadence for which a disagreement must last: the others may only not have looked yet."""
ALONE = 3
"""A vantage that alone says of so many, and of half of what others see too, that they are down is not believed."""


@dataclass(slots=True)
class Quorum:
    """Folds what the vantages believe into what is believed."""

    world: World
    sights: Mapping[str, Sight]
    states: dict[str, dict[str, State]]
    contested: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """Where vantages disagree -> since when."""
    alone: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Vantage -> what it alone says is down."""
    distrusted: set[str] = field(default_factory=set)
    news: set[str] = field(default_factory=set)
    """Checks of which something else is believed than when this was last emptied."""

    def take(self, vantage: str, checks: Iterable[tuple[str, str]], now: datetime) -> list[Turned]:
        """Fold anew what one vantage has moved, and what is contested for long enough."""
        turned = []
        for check, part in checks:
            turned += self._fold(vantage, check, part, now)
        return turned + (self._weigh(now) if any(len(found) >= ALONE for found in self.alone.values()) else [])

    def tick(self, now: datetime) -> list[Turned]:
        """Let time decide what is contested."""
        return [one for check, part in list(self.contested) for one in self._fold("", check, part, now)]

    def _fold(self, vantage: str, check: str, part: str, now: datetime) -> list[Turned]:
        known = self.world.checks.get(check)
        if known is None:  # what a vantage believes of its own link is its own affair
            before, after = self.states.get(check, {}).get(part), self.sights[vantage].states[check][part]
            self._believe(check, part, before, after)
            if (before.settled if before else Phase.UNKNOWN) is after.settled:
                return []
            old = before.settled if before else Phase.UNKNOWN
            settled = Settled(old, after.settled, after.settled_since, after.reason)
            return [Turned(check, part, vantage, settled)]
        votes = {
            name: state
            for name, sight in self.sights.items()
            if (state := sight.states.get(check, {}).get(part)) is not None
        }
        self._note_alone(check, part, votes)
        before = self.states.get(check, {}).get(part)
        after, turned = self._verdict(known, part, votes, before, now)
        self._believe(check, part, before, after)
        return [Turned(check, part, known.asset, turned)] if turned else []

    def _believe(self, check: str, part: str, before: State | None, after: State) -> None:
        self.states.setdefault(check, {})[part] = after
        if before is None or not says_the_same(before, after):
            self.news.add(check)

    def _note_alone(self, check: str, part: str, votes: Mapping[str, State]) -> None:
        down = [name for name, state in votes.items() if state.settled is Phase.DOWN]
        up = [name for name, state in votes.items() if state.settled in {Phase.UP, Phase.DEGRADED}]
        for name in self.sights:
            found = self.alone.setdefault(name, set())
            if down == [name] and len(up) >= 2:
                found.add((check, part))
            else:
                found.discard((check, part))

    def _weigh(self, now: datetime) -> list[Turned]:
        """Decide whose word counts; when that changes, all is folded anew."""
        doubted = {name for name, found in self.alone.items() if self._not_believed(name, len(found))}
        if doubted == self.distrusted:
            return []
        self.distrusted = doubted
        every = [(check, part) for check, parts in self.states.items() if check in self.world.checks for part in parts]
        return [one for check, part in every for one in self._fold("", check, part, now)]

    def _not_believed(self, name: str, alone: int) -> bool:
        said = sum(
            state.settled in CAN_SAY
            for check, parts in self.sights[name].states.items()
            if check in self.world.checks
            for state in parts.values()
        )
        return alone >= ALONE and alone * (4 if name in self.distrusted else 2) >= said

    def _verdict(
        self, check: Check, part: str, votes: Mapping[str, State], before: State | None, now: datetime
    ) -> tuple[State, Settled | None]:
        """Return what follows from the votes of those that can say."""
        latest = max(votes.values(), key=lambda state: state.seen)
        heard = {name: state for name, state in votes.items() if name not in self.distrusted} or votes
        can = {name: state for name, state in heard.items() if state.settled in CAN_SAY}
        key = (check.id, part)
        if not can:
            self.contested.pop(key, None)
            return _moved(before, latest, Phase.UNKNOWN, latest.reason, latest.settled_since)
        down = sorted((state.settled_since, name) for name, state in can.items() if state.settled is Phase.DOWN)
        need = min(check.rule.agree or len(can) // 2 + 1, len(can))
        if down and len(down) < need:
            since = self.contested.setdefault(key, now)
            if now - since < timedelta(seconds=check.every + LINGER) and before is not None:
                shown = Phase.RECOVERING if before.settled is Phase.DOWN else Phase.SUSPECT
                return replace(before, phase=shown, seen=latest.seen), None
            return _moved(before, latest, Phase.PARTITIONED, self._split(can, down), since)
        self.contested.pop(key, None)
        if down:
            began, name = down[need - 1]
            reason = can[name].reason
            if len(down) < len(can):
                reason = f"{reason}; {self._split(can, down)}"
            return _moved(before, can[name], Phase.DOWN, reason, began)
        graded = [state for state in can.values() if state.settled is Phase.DEGRADED]
        chosen = (
            graded[0] if len(graded) >= need else latest if latest.settled is Phase.UP else next(iter(can.values()))
        )
        phase = Phase.DEGRADED if len(graded) >= need else Phase.UP
        return _moved(before, chosen, phase, chosen.reason, chosen.settled_since)

    def _split(self, can: Mapping[str, State], down: list[tuple[datetime, str]]) -> str:
        away = {name for _, name in down}
        return f"reachable from {self._names(set(can) - away)}, not from {self._names(away)}"

    def _names(self, vantages: set[str]) -> str:
        assets = self.world.assets
        return ", ".join(sorted(assets[name].name if name in assets else name for name in vantages))


def _moved(
    before: State | None, like: State, phase: Phase, reason: str, began: datetime
) -> tuple[State, Settled | None]:
    """Return the folded state: the verdict, with the looks and values of the one that stands for it."""
    old = before.settled if before else Phase.UNKNOWN
    same = before is not None and old is phase
    since = before.settled_since if before is not None and same else began
    doubt = like.phase if like.settled is phase else phase
    previous = phase if phase is not Phase.UNKNOWN else before.before if before else Phase.UNKNOWN
    after = replace(
        like, phase=doubt, since=since, reason=reason, settled=phase, settled_since=since, before=previous, run=0
    )
    return after, None if same else Settled(old, phase, began, reason)
