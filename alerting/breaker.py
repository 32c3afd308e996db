"""Pure: when a provider that does not take messages is left alone, and asked again with one message."""

from dataclasses import dataclass, replace
from enum import StrEnum

FAILURES = 3
"""So many tries in a row that found no provider open the circuit."""
PAUSE_SECONDS = (2.0, 15.0)
"""First pause and ceiling: a way that is back is used within the half minute that the outbox promises."""


class Circuit(StrEnum):
    """How a provider is used."""

    CLOSED = "closed"
    """It takes messages: every slot is used."""
    OPEN = "open"
    """It is left alone until the pause is over."""
    TRYING = "trying"
    """One message asks whether it is back."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """The circuit of one provider. Times are monotonic seconds."""

    circuit: Circuit = Circuit.CLOSED
    failures: int = 0
    """In a row."""
    until: float = 0.0
    """While open: when it is asked again."""

    @property
    def broken(self) -> bool:
        """Whether the provider is known not to take messages now."""
        return self.circuit is not Circuit.CLOSED


def room(breaker: Breaker, slots: int, busy: int, at: float) -> int:
    """Say how many more tries may leave now."""
    if breaker.circuit is Circuit.CLOSED:
        return max(0, slots - busy)
    asks = breaker.circuit is Circuit.TRYING or at >= breaker.until
    return 1 if asks and busy == 0 else 0


def left(breaker: Breaker) -> Breaker:
    """Return the circuit after a try has left: of an open one it is the question."""
    return replace(breaker, circuit=Circuit.TRYING) if breaker.broken else breaker


def after(breaker: Breaker, *, answered: bool, at: float) -> Breaker:
    """Return the circuit after a try ended; ``answered``: the provider spoke to us, whatever it said."""
    if answered:
        return Breaker()
    if breaker.circuit is Circuit.OPEN:
        return breaker  # it left before the circuit opened
    failures = breaker.failures + 1
    if breaker.circuit is Circuit.CLOSED and failures < FAILURES:
        return replace(breaker, failures=failures)
    first, ceiling = PAUSE_SECONDS
    pause = min(ceiling, first * 2.0 ** min(max(0, failures - FAILURES), 16))
    return Breaker(Circuit.OPEN, failures, at + pause)


def ask_now(breaker: Breaker, at: float) -> Breaker:
    """Return the circuit when a way may be back: an open one is asked at once."""
    return replace(breaker, until=min(breaker.until, at))
