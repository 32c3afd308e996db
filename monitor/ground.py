"""What the verdict on one part of a check rests on, by which rule, and what would change it, in words. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.detect import TROUBLE_TAKES
from monitor.model import Check, Phase, Rule, State


class Ground(StrEnum):
    """Why a part is in the phase that it is in."""

    FIRST = "nobody has looked yet"
    BLIND = "the own link is cut"
    STALE = "no look has come in"
    COULD_NOT = "a look was not possible"
    HELD = "a failed look waits for the references"
    COUNTING = "failed looks are being counted"
    GRADING = "looks outside the limits are being counted"
    FAILED = "enough looks failed"
    REFUSED = "enough looks were refused"
    WRONG = "what it says was wrong in enough looks"
    FLAPPING = "it comes and goes"
    LIMIT = "outside a limit of the rule"
    UNUSUAL = "far from what is usual"
    RETURNING = "good looks are being counted"
    CONTESTED = "vantages disagree, not for long enough"
    SPLIT = "vantages disagree"
    ANSWERS = "it answers"


@dataclass(frozen=True, slots=True)
class Held:
    """One part of one check as it is believed."""

    check: Check
    part: str
    state: State
    now: datetime
    contested: bool = False

    @property
    def rule(self) -> Rule:
        """What a verdict on it takes."""
        return self.check.rule


_UNKNOWN = (
    ("not looked at yet", Ground.FIRST),
    ("cannot be known: this vantage does not see the world", Ground.BLIND),
    ("no look has come in for", Ground.STALE),
)
"""How a reason begins -> what it means."""
_PLAIN = {
    Phase.UP: Ground.ANSWERS,
    Phase.DOWN: Ground.FAILED,
    Phase.RECOVERING: Ground.RETURNING,
    Phase.PARTITIONED: Ground.SPLIT,
}


def ground(held: Held) -> Ground:
    """Say what the verdict rests on."""
    state = held.state
    if held.contested and state.phase in {Phase.SUSPECT, Phase.RECOVERING}:
        return Ground.CONTESTED
    if state.phase is Phase.UNKNOWN:
        return next((meant for begins, meant in _UNKNOWN if state.reason.startswith(begins)), Ground.COULD_NOT)
    if state.phase is Phase.SUSPECT:
        counting = Ground.GRADING if state.leaning is Phase.DEGRADED else Ground.COUNTING
        return counting if state.run else Ground.HELD
    if state.phase is Phase.DEGRADED:
        return Ground.FLAPPING if state.flapping else Ground.LIMIT if _beyond(held) else Ground.UNUSUAL
    if state.phase is Phase.DOWN and held.check.kind == "zone":
        return Ground.WRONG
    return Ground.REFUSED if state.phase is Phase.DOWN and state.refused else _PLAIN[state.phase]


def _beyond(held: Held) -> bool:
    """Whether the reason is that of a limit: "rtt_seconds 0.9 is above 0.8"."""
    words = held.state.reason.split()
    return any(words[:1] == [limit.key] and "is" in words for limit in held.rule.thresholds)


def rule(held: Held) -> str:
    """Say by which rule the verdict came about."""
    return RULES[ground(held)][0](held)


def change(held: Held) -> str:
    """Say what would change it."""
    return RULES[ground(held)][1](held)


def _first(held: Held) -> str:
    return f"it is looked at every {held.check.every:g} s, and nothing is claimed before"


def _blind(held: Held) -> str:
    before = "" if held.state.before is Phase.UNKNOWN else f"; before, it was {held.state.before}"
    return f"a look that fails while the own link is cut says nothing of what was asked{before}"


def _stale(held: Held) -> str:
    return f"after three cadences of {held.check.every:g} s without a look, and a minute at least, nothing is known"


def _could_not(held: Held) -> str:
    before = "" if held.state.before is Phase.UNKNOWN else f"; before, it was {held.state.before}"
    return f"a look that could not be made is neither up nor down: {held.state.reason}{before}"


def _held(_: Held) -> str:
    return "a failed look counts only once references, asked later, have shown that this vantage sees the world"


def _takes(held: Held) -> tuple[int, float]:
    """Return how many failed looks DOWN takes, over how many seconds."""
    times = TROUBLE_TAKES if held.state.flapping else 1
    seconds = held.rule.refusal_seconds if held.state.refused else held.rule.silence_seconds
    return times * held.rule.fall, times * seconds


def _counting(held: Held) -> str:
    state, (looks, seconds) = held.state, _takes(held)
    span = (state.seen - (state.run_since or state.seen)).total_seconds()
    how = "refused" if state.refused else "failed"
    more = f", {TROUBLE_TAKES} times the usual because it comes and goes" if state.flapping else ""
    return f"{state.run} of {looks} looks in a row {how}, over {span:.0f} of {seconds:g} s{more}"


def _grading(held: Held) -> str:
    return f"{held.state.run} of {held.rule.degraded_fall} looks in a row were outside the limits"


def _failed(held: Held) -> str:
    return f"down takes {held.rule.fall} failed looks in a row, over {held.rule.silence_seconds:g} s at least"


def _refused(held: Held) -> str:
    seconds = held.rule.refusal_seconds
    return f"down takes {held.rule.fall} refusals in a row, over {seconds:g} s at least: loss cannot cause them"


def _wrong(held: Held) -> str:
    looks, seconds = _takes(held)
    return f"{looks} looks in a row, over {seconds:g} s at least, must find it so; whether it answers is told elsewhere"


def _flapping(held: Held) -> str:
    return f"{held.rule.flap} changes within 64 looks are coming and going: degraded, whatever one look says"


def _limit(held: Held) -> str:
    limits = [
        f"{limit.key} {word} {value:g}"
        for limit in held.rule.thresholds
        for word, value in (("above", limit.above), ("below", limit.below))
        if value is not None
    ]
    return f"{held.rule.degraded_fall} looks in a row outside the limits ({', '.join(limits)}) are degraded"


def _unusual(held: Held) -> str:
    keys = ", ".join(one.key for one in held.rule.baselines) or "its limits"
    return f"{held.rule.degraded_fall} looks in a row far from what is usual at this hour ({keys}) are degraded"


def _good(held: Held) -> int:
    """Return how many good looks in a row UP takes."""
    if held.state.flapping:
        return held.rule.steady
    return held.rule.degraded_rise if held.state.settled is Phase.DEGRADED else held.rule.rise


def _returning(held: Held) -> str:
    return f"{held.state.run} of {_good(held)} looks in a row were good"


def _answers(held: Held) -> str:
    against = f"; {held.state.run} against it so far" if held.state.run else ""
    return f"the last look was good{against}"


def _contested(held: Held) -> str:
    return f"a disagreement must last {held.check.every:g} s and a little more: the others may only not have looked yet"


def _split(_: Held) -> str:
    return "vantages that see the world disagree, and have done so for more than a cadence"


def _next_look(held: Held) -> str:
    return f"the next look, within {held.check.every:g} s"


def _world_back(held: Held) -> str:
    return f"references that answer over IPv{held.check.target.family}; then it is looked at at once"


def _references(_: Held) -> str:
    return "the next round of references: it makes the look count, or shows that the own link is cut"


def _more_or_good(held: Held) -> str:
    looks, seconds = _takes(held)
    return f"down after {looks} failed looks in a row over {seconds:g} s; a good look ends the doubt"


def _more_outside(held: Held) -> str:
    return f"degraded after {held.rule.degraded_fall} such looks in a row; one inside the limits ends the doubt"


def _good_looks(held: Held) -> str:
    return f"up after {_good(held)} good {'look' if _good(held) == 1 else 'looks'} in a row"


def _good_or_failed(held: Held) -> str:
    return f"{_good_looks(held)}; a failed look begins anew"


def _worse(held: Held) -> str:
    rule_ = held.rule
    down = f"down after {rule_.fall} failed looks in a row, over {rule_.silence_seconds:g} s of silence"
    graded = f"; degraded after {rule_.degraded_fall} looks in a row outside the limits"
    return down + (graded if rule_.thresholds or rule_.baselines else "")


def _agreement(held: Held) -> str:
    need = f"{held.rule.agree} vantages" if held.rule.agree else "more than half of those that can say"
    return f"down when {need} say so; up when none does"


Words = Callable[[Held], str]
RULES: Mapping[Ground, tuple[Words, Words]] = {
    Ground.FIRST: (_first, _next_look),
    Ground.BLIND: (_blind, _world_back),
    Ground.STALE: (_stale, _next_look),
    Ground.COULD_NOT: (_could_not, _next_look),
    Ground.HELD: (_held, _references),
    Ground.COUNTING: (_counting, _more_or_good),
    Ground.GRADING: (_grading, _more_outside),
    Ground.FAILED: (_failed, _good_looks),
    Ground.REFUSED: (_refused, _good_looks),
    Ground.WRONG: (_wrong, _good_looks),
    Ground.FLAPPING: (_flapping, _good_looks),
    Ground.LIMIT: (_limit, _good_looks),
    Ground.UNUSUAL: (_unusual, _good_looks),
    Ground.RETURNING: (_returning, _good_or_failed),
    Ground.CONTESTED: (_contested, _agreement),
    Ground.SPLIT: (_split, _agreement),
    Ground.ANSWERS: (_answers, _worse),
}
"""Ground -> by which rule, and what would change it."""
