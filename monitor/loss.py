"""Loss: which share of the last looks at a check got no answer. Pure; time is an argument."""

from datetime import datetime

LOSS = "loss_ratio"
"""Under this name rules and pages know it; no probe measures it, for a look asks once."""
LOOKS = 60
"""So many looks back it is counted."""
FEWEST = 30
"""Before so many it is not said."""


class Loss:
    """One check's looks, answered or not. What is asked again out of turn, because a look failed, does not count."""

    __slots__ = ("_asked", "_every", "_last", "_lost")

    def __init__(self, every: float) -> None:
        """``every``: seconds between two looks."""
        self._every = every
        self._last: datetime | None = None
        self.clear()

    def clear(self) -> None:
        """Begin anew: while something is down nothing is lost on the way."""
        self._asked, self._lost = 0, 0

    def take(self, at: datetime, *, lost: bool) -> None:
        """Take one look."""
        gap = (at - self._last).total_seconds() if self._last else self._every
        if 0.0 <= gap < self._every / 2:
            return  # asked again; a gap below zero is a clock that was set back
        self._last = at
        self._asked = min(self._asked + 1, LOOKS)
        self._lost = (self._lost << 1 | lost) & (1 << LOOKS) - 1

    @property
    def ratio(self) -> float | None:
        """The share that was lost; None before enough looks."""
        return self._lost.bit_count() / self._asked if self._asked >= FEWEST else None
