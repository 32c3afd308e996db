"""The only module that asks the machine what time it is, or sleeps."""

import asyncio
import ctypes
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

UNSYNCHRONISED = "this machine's clock is not synchronised: times may be wrong"
UNREADABLE = "this system cannot say whether its clock is right"


class Clock(Protocol):
    """Where time comes from. Wall time is UTC-aware, monotonic time is seconds."""

    def now(self) -> datetime:
        """Wall time, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep_until(self, deadline: float) -> None:
        """Wait until ``monotonic()`` reaches ``deadline``."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Wall time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since an arbitrary point (CLOCK_MONOTONIC)."""
        return time.monotonic()

    async def sleep_until(self, deadline: float) -> None:
        """Wait until ``monotonic()`` reaches ``deadline``."""
        await asyncio.sleep(max(0.0, deadline - time.monotonic()))


@dataclass(frozen=True, slots=True)
class Discipline:
    """Whether something steers the machine's clock, and how far off it may be."""

    synchronised: bool
    error_seconds: float
    sentence: str


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), as far as it is read here."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def discipline() -> Discipline:
    """Read adjtimex(2) without changing anything: STA_UNSYNC (0x40) or TIME_ERROR (5) mean that nobody steers."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return Discipline(synchronised=False, error_seconds=0.0, sentence=UNREADABLE)
    if state == -1:  # what keeps programs from setting the clock may keep them from reading this too
        return Discipline(synchronised=False, error_seconds=0.0, sentence=UNREADABLE)
    error = timex.maxerror / 1e6
    if state == 5 or timex.status & 0x40:
        return Discipline(
            synchronised=False,
            error_seconds=error,
            sentence=UNSYNCHRONISED,
        )
    return Discipline(synchronised=True, error_seconds=error, sentence=f"clock synchronised, within {error:.3f} s")
