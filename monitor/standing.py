"""How an asset stands, folded from the states of what looks at it. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from monitor.model import Phase, State

AT_ONCE = timedelta(seconds=12)
"""Looks that are so far apart may still have seen one event."""
MOMENT = timedelta(seconds=2)
"""The same, where nothing but the moment speaks for one event."""
UNQUIET = timedelta(seconds=60)
"""So much earlier may trouble have begun whose last good look is not remembered."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an asset stands by its checks."""

    phase: Phase
    """The durable verdict: UP, DEGRADED, DOWN, UNKNOWN, or NOT WATCHED."""
    shown: Phase
    """What the page says now: also SUSPECT and RECOVERING."""
    since: datetime | None
    reason: str
    undecided: bool = False
    """Some of its checks are between two verdicts."""
    quiet: datetime | None = None
    """The last look before the trouble began, if it is remembered."""
    family: int = 0
    """The one address family it is worse over; 0: no one family."""
    flapping: bool = False
    """Its trouble is that it comes and goes."""
    refused: bool = False
    """It answers, and refuses: no lost way can be the cause."""
    remembered: bool = False
    """Nothing of it is seen to be in trouble: some of it was, before that became invisible."""

    def behind(self, cause: str, how: str = "is down") -> "Standing":
        """Return how it stands when something else explains its trouble."""
        if self.phase is not Phase.DOWN:
            return replace(self, reason=f"{self.reason}; {cause} is the cause")
        reason = f"behind {cause}, which {how}"
        return replace(self, phase=Phase.UNREACHABLE, shown=Phase.UNREACHABLE, reason=reason)


NOT_WATCHED = Standing(Phase.NOT_WATCHED, Phase.NOT_WATCHED, None, "no check watches it")


def interval(standing: Standing) -> tuple[datetime, datetime]:
    """Return between which looks an asset's trouble began."""
    until = standing.since or datetime.max.replace(tzinfo=UTC)
    return min(standing.quiet or until - UNQUIET, until), until


def at_once(one: Standing, other: Standing, slack: timedelta = AT_ONCE) -> bool:
    """Whether two troubles may have begun in the same moment, as far as the looks can tell."""
    if one.since is None or other.since is None:
        return False
    (a, b), (c, d) = interval(one), interval(other)
    return a <= d + slack and c <= b + slack


def fell_together(down: Mapping[str, Standing]) -> list[str]:
    """Return the largest group that may have gone in one moment with one of them."""
    spans = {name: interval(standing) for name, standing in down.items() if standing.since}
    begins = sorted(since for since, _ in spans.values())
    ends = sorted(until for _, until in spans.values())

    def company(name: str) -> int:
        since, until = spans[name]
        return bisect_right(begins, until + AT_ONCE) - bisect_left(ends, since - AT_ONCE)

    chosen = max(spans, key=company, default="")
    return [name for name, standing in down.items() if at_once(down[chosen], standing)] if chosen else []


def stand(states: list[State]) -> Standing:
    """Fold the states of one asset's checks: what is not known counts neither way, but a failure is remembered."""
    known = [state for state in states if state.settled is not Phase.UNKNOWN]
    undecided = any(state.phase in {Phase.SUSPECT, Phase.RECOVERING} for state in states)
    if not known:
        shown = Phase.SUSPECT if undecided else Phase.UNKNOWN
        reason = states[0].reason if states else "not looked at yet"
        since = min((state.since for state in states), default=None)
        return Standing(Phase.UNKNOWN, shown, since, reason, undecided)
    remembered = [state for state in states if state.settled is Phase.UNKNOWN and state.before is Phase.DOWN]
    down = [state for state in known if state.settled is Phase.DOWN] + remembered
    graded = [state for state in known if state.settled in {Phase.DEGRADED, Phase.PARTITIONED}]
    if len(down) == len(known) + len(remembered) and not _darkened(states, down):
        shown = Phase.RECOVERING if any(state.phase is Phase.RECOVERING for state in down) else Phase.DOWN
        last = max(down, key=lambda state: state.settled_since)
        reason = _reason(down, len(states))
        refused = all(state.refused for state in down)
        since = last.settled_since
        return Standing(Phase.DOWN, shown, since, reason, undecided, last.quiet, refused=refused)
    doubted = all(state.phase in {Phase.SUSPECT, Phase.DOWN} for state in known)
    if down or graded:
        first = min(down + graded, key=lambda state: state.settled_since)
        reason = _reason(down or graded, len(states))
        parted = any(state.settled is Phase.PARTITIONED for state in graded)
        phase = Phase.PARTITIONED if parted else Phase.DEGRADED
        shown = Phase.SUSPECT if doubted else phase
        comes = all(state.flapping for state in down + graded)
        unseen = not graded and len(down) == len(remembered)
        since, quiet = first.settled_since, first.quiet
        return Standing(phase, shown, since, reason, undecided, quiet, flapping=comes, remembered=unseen)
    since = max(state.settled_since for state in known)
    suspects = [state for state in known if state.phase is Phase.SUSPECT]
    reason = _reason(suspects, len(states)) if suspects else ""
    return Standing(Phase.UP, Phase.SUSPECT if doubted else Phase.UP, since, reason, undecided)


def says_the_same(one: State, other: State) -> bool:
    """Whether two states differ in nothing that `stand` reads: the last look, and what is only leant to, are not."""
    return (
        one.phase is other.phase
        and one.settled is other.settled
        and one.before is other.before
        and one.reason == other.reason
        and one.since == other.since
        and one.settled_since == other.settled_since
        and one.quiet == other.quiet
        and one.refused is other.refused
        and one.flapping is other.flapping
    )


def works(state: State) -> bool:
    """Whether a part answers, or did when it was last seen."""
    last = state.before if state.settled is Phase.UNKNOWN else state.settled
    return last in {Phase.UP, Phase.DEGRADED}


def _darkened(states: list[State], down: list[State]) -> bool:
    """Whether something that worked while the rest was down already has only become invisible: it may still work."""
    seen_down = [state.settled_since for state in down if state.settled is Phase.DOWN]
    return any(
        state.settled is Phase.UNKNOWN
        and state.before in {Phase.UP, Phase.DEGRADED}
        and all(state.settled_since > since for since in seen_down)
        for state in states
    )


def _reason(states: list[State], total: int) -> str:
    """Return the reason most of them share, and how many of all they are."""
    reasons = [state.reason for state in states]
    common = max(dict.fromkeys(reasons), key=reasons.count)
    return common if total == 1 else f"{len(states)} of {total} checks: {common}"
