"""From looks to verdicts: fall and rise, with reasons. Pure; time is an argument."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from monitor.baseline import Word
from monitor.model import Phase, Rule, State
from probes.model import Outcome, Part, Value


class Evidence(StrEnum):
    """What one look says once the rule's thresholds and the own-link guard have spoken."""

    GOOD = "good"
    GRADED = "graded"
    """It answers, outside the limits."""
    FAILED = "failed"
    HELD = "held"
    """It failed, and it is not known yet whether our own link did."""
    BLIND = "blind"
    """We could not look."""


HISTORY = (1 << 64) - 1
"""So many looks back durable changes are remembered."""
TROUBLE_TAKES = 3
"""While a part comes and goes, DOWN takes so many times the usual evidence."""
VERDICT = {Evidence.GOOD: Phase.UP, Evidence.GRADED: Phase.DEGRADED, Evidence.FAILED: Phase.DOWN}
WORSE = {Phase.UP: 0, Phase.DEGRADED: 1, Phase.DOWN: 2}


@dataclass(frozen=True, slots=True)
class Settled:
    """A durable verdict that changed."""

    old: Phase
    new: Phase
    began: datetime
    reason: str


def grade(part: Part, rule: Rule, word: Word | None = None) -> tuple[Evidence, str]:
    """Say what a look is evidence for, and why; ``word`` is what the baselines say of it."""
    if part.outcome is Outcome.UNKNOWN:
        return Evidence.BLIND, part.reason
    if part.outcome is Outcome.FAILED:
        return Evidence.FAILED, part.reason
    for limit in rule.thresholds:
        value = part.values.get(limit.key)
        if not isinstance(value, int | float):
            continue
        if limit.above is not None and value > limit.above:
            return Evidence.GRADED, f"{limit.key} {value:g} is above {limit.above:g}"
        if limit.below is not None and value < limit.below:
            return Evidence.GRADED, f"{limit.key} {value:g} is below {limit.below:g}"
    if word:
        return Evidence.GRADED if word.graded else Evidence.GOOD, word.reason
    return Evidence.GOOD, part.reason


class _Look(NamedTuple):
    """A look that counts, graded."""

    verdict: Phase
    reason: str
    at: datetime
    refused: bool
    values: Mapping[str, Value]


def fresh(at: datetime, reason: str = "not looked at yet") -> State:
    """Return the state of a part nobody has looked at."""
    return State(Phase.UNKNOWN, at, reason, Phase.UNKNOWN, at, Phase.UNKNOWN, at)


def hold(state: State | None, part: Part, at: datetime) -> State:
    """Take a failed look that does not count yet: SUSPECT, until a later round of references has spoken."""
    state = state or fresh(at)
    if state.phase in {Phase.DOWN, Phase.SUSPECT}:
        return replace(state, seen=at)
    quiet = state.seen if state.settled is Phase.UP else state.quiet
    return replace(state, phase=Phase.SUSPECT, since=at, reason=part.reason, seen=at, quiet=quiet)


def step(
    state: State | None, part: Part, rule: Rule, at: datetime, word: Word | None = None
) -> tuple[State, Settled | None]:
    """Take one look, made at ``at``, that counts; ``word`` is what the baselines say of it."""
    state = state or fresh(at)
    evidence, reason = grade(part, rule, word)
    if evidence is Evidence.BLIND:
        return _blind(state, reason, at)
    values = part.values if evidence is not Evidence.FAILED else state.values
    look = _Look(VERDICT[evidence], reason, at, part.refused, values)
    if look.verdict is state.settled:
        return _confirm(state, look), None
    return _lean(state, look, rule)


def _blind(state: State, reason: str, at: datetime) -> tuple[State, Settled | None]:
    """We could not look: nothing is claimed, what was confirmed before is remembered, the run is broken."""
    since = state.since if state.phase is Phase.UNKNOWN else at
    after = replace(state, phase=Phase.UNKNOWN, since=since, reason=reason, seen=at, run=0, run_since=None)
    if state.settled is Phase.UNKNOWN:
        return after, None
    return replace(after, settled=Phase.UNKNOWN, settled_since=at), Settled(state.settled, Phase.UNKNOWN, at, reason)


def forget(state: State, reason: str, at: datetime) -> tuple[State, Settled | None]:
    """Take note that no look has come in for long: nothing is known any more. The last look stays the last."""
    after, settled = _blind(state, reason, at)
    return replace(after, seen=state.seen), settled


def gone(state: State, at: datetime) -> tuple[State, Settled | None]:
    """Take note that a part is not there any more: what it was in is forgotten."""
    if state.phase is Phase.UNKNOWN and state.before is Phase.UNKNOWN:
        return state, None
    reason = "it is switched off or gone: its device does not name it"
    settled = Settled(state.settled, Phase.UNKNOWN, at, reason) if state.settled is not Phase.UNKNOWN else None
    return fresh(at, reason), settled


def _confirm(state: State, look: _Look) -> State:
    """Take a look that agrees with what is settled: any run against it is over. Nearly every look comes here."""
    # dataclasses.replace would cost three times as much
    return State(
        state.settled,
        state.settled_since,
        look.reason or (state.reason if state.flapping else ""),
        state.settled,
        state.settled_since,
        state.before,
        look.at,
        refused=state.refused and look.refused,
        quiet=state.quiet,
        changes=state.changes << 1 & HISTORY,
        flapping=state.flapping,
        values=look.values,
    )


def _lean(state: State, look: _Look, rule: Rule) -> tuple[State, Settled | None]:
    """Take a look against what is settled: count it, and settle when the rule's evidence is complete."""
    base = state.settled if state.settled in WORSE else state.before
    began, leant = _count(state, look, base)
    if _enough(leant, base, rule, look.at - began):
        return _settle(state, leant, look, rule, began)
    phase = _passing(base, leant.leaning)
    since = state.since if state.phase is phase else look.at
    reason = look.reason or state.reason  # a good look does not wipe out why the part is still held to be down
    changes = state.changes << 1 & HISTORY
    return replace(
        leant, phase=phase, since=since, reason=reason, seen=look.at, values=look.values, changes=changes
    ), None


def _settle(state: State, leant: State, look: _Look, rule: Rule, began: datetime) -> tuple[State, Settled]:
    """Settle on what the run leans to; on DEGRADED when it comes and goes, until it has been good for long."""
    new, reason, flapping = leant.leaning, look.reason, state.flapping
    turned = state.settled in WORSE and (Phase.DOWN in {state.settled, new})
    changes = (state.changes << 1 | turned) & HISTORY
    comes = f"comes and goes: {changes.bit_count()} changes in the last {HISTORY.bit_length()} looks"
    if flapping and new is Phase.UP and leant.run >= rule.steady:
        flapping, changes = False, 0
    elif flapping and new is Phase.UP:  # it answers, and has not stayed yet
        new, reason = Phase.DEGRADED, comes
    elif rule.flap and changes.bit_count() >= rule.flap and new is not Phase.DOWN:
        flapping, new, reason = True, Phase.DEGRADED, comes
    after = State(
        new, began, reason, new, began, new, look.at,
        refused=new is Phase.DOWN and leant.refused, quiet=leant.quiet, changes=changes, flapping=flapping,
        values=look.values,
    )  # fmt: skip # a column of fourteen lines would hide the rest
    return after, Settled(state.settled, new, began, reason)


def _count(state: State, look: _Look, base: Phase) -> tuple[datetime, State]:
    """Add a look to the run against ``base``, or begin a new run; return when the run began, and the state."""
    # one look outside the limits and then silence is silence: only the failed looks are evidence of it
    alone = state.run == 1 and state.leaning is Phase.DEGRADED and look.verdict is Phase.DOWN
    began = state.run_since if state.run and not alone else None
    if began and _direction(base, look.verdict) == _direction(base, state.leaning):
        leaning = _nearest(base, state.leaning, look.verdict)
        refused = state.refused and look.refused
        since = min(began, look.at)  # the machine's clock may have been set back
        return since, replace(state, run=state.run + 1, run_since=since, leaning=leaning, refused=refused)
    held = state.phase is Phase.SUSPECT and state.settled is Phase.UP and not state.run  # it, or one after it, waited
    quiet = state.quiet if held else state.seen if state.settled in WORSE else None
    return look.at, replace(state, run=1, run_since=look.at, leaning=look.verdict, refused=look.refused, quiet=quiet)


def _direction(base: Phase, verdict: Phase) -> int:
    """-1 better, 0 the same, 1 worse than ``base``; from nothing known, everything but UP is worse."""
    reference = WORSE.get(base, 0)
    return (WORSE[verdict] > reference) - (WORSE[verdict] < reference)


def _nearest(base: Phase, one: Phase, other: Phase) -> Phase:
    """Of two verdicts in one direction, the one that claims less."""
    reference = WORSE.get(base, 0)
    return min(one, other, key=lambda phase: abs(WORSE[phase] - reference))


def _enough(leant: State, base: Phase, rule: Rule, span: timedelta) -> bool:
    """Whether the rule's evidence is complete."""
    direction = _direction(base, leant.leaning)
    if direction == 0:
        return True  # after blindness the first look that agrees with what was confirmed before confirms it
    if direction < 0:
        usual = rule.degraded_rise if base is Phase.DEGRADED else rule.rise
        return leant.run >= (rule.steady if leant.flapping and base is not Phase.DOWN else usual)
    if leant.leaning is Phase.DOWN:
        takes = TROUBLE_TAKES if leant.flapping else 1
        needed = rule.refusal_seconds if leant.refused else rule.silence_seconds
        return leant.run >= takes * rule.fall and span >= timedelta(seconds=takes * needed)
    return leant.run >= rule.degraded_fall


def _passing(base: Phase, leaning: Phase) -> Phase:
    """Name the phase between two verdicts."""
    if _direction(base, leaning) > 0:
        return Phase.SUSPECT
    return Phase.RECOVERING if base is Phase.DOWN else base
