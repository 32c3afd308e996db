"""What messages and pages say of the machine's clock while nothing disciplines it."""

from datetime import timedelta

from probes.clock import Clock, discipline

EVERY = timedelta(seconds=10)
"""How often adjtimex is asked."""


class ClockNote:
    """Call it for the note of now; "" while the clock is synchronised."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._note, self._asked = "", clock.now() - EVERY

    def __call__(self) -> str:
        """Say that the clock is not disciplined, while it is not."""
        now = self._clock.now()
        if now - self._asked >= EVERY:
            found = discipline()
            self._note, self._asked = "" if found.synchronised else found.sentence, now
        return self._note
