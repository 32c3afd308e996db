"""What the series hold and how values become columns."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from probes.model import Outcome, Value

Columns = Mapping[str, Mapping[str, float | None]]
"""Probe kind -> value key -> scale (stored = round(value / scale)); None is text."""

OUTCOMES = (Outcome.OK, Outcome.FAILED, Outcome.UNKNOWN)
"""Stored as their position here."""

MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
"""Microseconds of a second."""
MILLISECOND = 1_000
"""The time of a look is kept to the millisecond: an archive is a fifth smaller, and nobody asks for more."""
INTEGER = range(-(2**63), 2**63)
"""What an SQLite integer can hold."""


class Row(NamedTuple):
    """One look at one part, read back; values are rounded to their column's scale."""

    check: str
    part: str
    kind: str
    vantage: str
    at: datetime
    outcome: Outcome
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Stats:
    """How the store does. Counts are rows since the start; a row is one part of one look."""

    queued: int
    written: int
    dropped: int
    error: str
    """One sentence while something is wrong, else empty."""
    bytes: int
    """What the day files take on the disk."""
    note: str = ""
    """One sentence on what this installation cannot do, once it matters."""


@lru_cache(maxsize=8)
def midnight(day: date) -> datetime:
    """Return the moment from which a day file counts."""
    return datetime.combine(day, time(), UTC)


def offset(at: datetime, day: date) -> int:
    """Microseconds from the day's midnight to ``at``: six bytes in SQLite instead of eight."""
    return (at - midnight(day)) // MICROSECOND


def pack(value: Value, scale: float | None) -> int | str | None:
    """Return what a column of this scale stores, or None where the value does not fit it."""
    if isinstance(value, str):
        return clean(value) if scale is None else None
    if scale is None or not math.isfinite(value):
        return None
    if isinstance(value, int) and scale == 1:
        return value if value in INTEGER else None
    stored = value / scale if abs(value) < 2**63 else math.inf
    return round(stored) if abs(stored) < 2**62 else None


def unpack(stored: int | str, scale: float | None) -> Value:
    """Undo `pack`."""
    if isinstance(stored, str) or scale is None or scale == 1:
        return stored
    parts = parts_of(scale)
    return stored / parts if parts >= 1 else stored * scale


def parts_of(scale: float) -> float:
    """Return how many stored units are one; dividing by a whole number gives 0.012, not 0.012000000000000002."""
    parts = float(round(1 / scale))
    return parts if parts and math.isclose(parts * scale, 1) else 1 / scale


def loose(value: Value) -> Value | None:
    """Return what the table of loose values stores; None for NaN, which is no value."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int):
        return value if value in INTEGER else str(value)
    return None if math.isnan(value) else value


def clean(text: str) -> str:
    """Replace what UTF-8 cannot carry, so that one odd byte from a device costs no row."""
    return text.encode("utf-8", "replace").decode()
