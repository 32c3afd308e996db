"""When to look again, before the cadence does. Pure.

A failure is looked at again at once, then after a second, then so late that the failed looks span what the rule
asks for: a burst of loss shorter than that is no outage.
"""

from datetime import datetime

from monitor.model import Phase, Rule, State

MARGIN = 0.05
"""Seconds beyond the span, so that it is complete when the look leaves."""
SLOW = 2.0
"""Seconds between looks once the span should be complete, while the guard still holds them back."""


def again(state: State, failures: int, rule: Rule, now: datetime) -> float | None:
    """Return in how many seconds to look again, or None to wait for the cadence; ``failures`` in a row so far."""
    if state.phase is Phase.RECOVERING:
        if state.flapping:
            return None  # whether it stays is not seen in a moment
        return 0.0 if state.run <= 1 else 1.0
    if state.phase is not Phase.SUSPECT or failures == 0:
        return None
    if failures <= 2:
        return float(failures - 1)
    if state.run_since is None:
        return SLOW
    span = rule.refusal_seconds if state.refused else rule.silence_seconds
    left = span - (now - state.run_since).total_seconds()
    return left + MARGIN if left > 0 else SLOW if state.run >= rule.fall else 1.0
