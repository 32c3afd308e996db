"""Moments and durations as people write them, on the clock of a zone. Pure."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86_400.0}
_LASTS = re.compile(r"(?:(\d{1,4})h\s*(?=\d))?(\d{1,5}(?:\.\d{1,2})?)\s*([dhm])", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?", re.ASCII)
EXPECTED = "like 2026-11-28 22:00, 22:00, or +2h"
EXPECTED_DAY = "like 2026-11-28 22:00 or 2026-11-29T02:00:00Z"
MOST = timedelta(days=366)


def lasting(text: str) -> timedelta:
    """Read ``45m``, ``2h``, ``1h30m``, ``1.5h``, ``2d``: more than nothing, at most a year; raises ValueError."""
    match = _LASTS.fullmatch(text.strip())
    if not match or (match[1] and match[3] != "m"):
        raise ValueError(f'"{text[:40]}" is not a duration; expected like 2h, 90m or 1h30m')
    seconds = float(match[1] or 0) * 3600.0 + float(match[2]) * _UNITS[match[3]]
    if not 0 < seconds <= MOST.total_seconds():
        raise ValueError(f'"{text[:40]}" is not a duration of more than nothing and at most a year')
    return timedelta(seconds=seconds)


def day(text: str, zone: str) -> datetime:
    """Read a date with a time, as UTC; without an offset it is on the zone's clock. Raises ValueError."""
    plain = text.strip()
    try:
        when = datetime.fromisoformat(plain) if _DAY.fullmatch(plain) and len(plain) > 10 else None
    except ValueError:
        when = None
    if when is None or not 1970 < when.year < 9000:
        raise ValueError(f'"{text[:40]}" is not a moment; expected {EXPECTED_DAY}')
    return (when if when.tzinfo else when.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def moment(text: str, zone: str, after: datetime) -> datetime:
    """Read also ``22:00``, the next after a moment, and ``+2h``, so long after it; raises ValueError."""
    plain = text.strip()
    if plain == "now":
        return after
    if plain.startswith("+"):
        return after + lasting(plain[1:])
    if match := _CLOCK.fullmatch(plain):
        today = after.astimezone(ZoneInfo(zone)).replace(
            hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0
        )
        days = (today.replace(tzinfo=None) + timedelta(days=each) for each in range(3))
        found = (each.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for each in days)
        return next(each for each in found if each > after)
    try:
        return day(plain, zone)
    except ValueError:
        raise ValueError(f'"{text[:40]}" is not a moment; expected {EXPECTED}') from None
