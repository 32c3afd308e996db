"""Spans as people write them: "22:00-06:00", "mon-fri", "1-7", "-1", "jun-nov". Each raises ValueError."""

import re
from calendar import day_abbr, day_name, month_abbr, month_name
from collections.abc import Callable

from alerting.interval import DAY, Span

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|(24):00", re.ASCII)
_WEEKDAYS = {name.lower(): number for names in (day_abbr, day_name) for number, name in enumerate(names)}
_MONTHS = {name.lower(): number for names in (month_abbr, month_name) for number, name in enumerate(names) if name}


def times(text: str) -> Span:
    """Read minutes of the day; 24:00 is the end of the day, and an end before the begin is over midnight."""
    first, _, last = (part.strip() for part in text.partition("-"))
    begin, end = _minute(first), _minute(last)
    if begin is None or end is None or begin in {end, DAY}:
        raise ValueError(
            f'"{text[:40]}" is no time of the day; expected like 08:00-17:00, or 22:00-06:00 over midnight'
        )
    return begin, end


def _minute(text: str) -> int | None:
    match = _CLOCK.fullmatch(text)
    if not match:
        return None
    return DAY if match[3] else int(match[1]) * 60 + int(match[2])


def weekdays(text: str) -> Span:
    """Read days of the week, 0 Monday; a span may go over Sunday."""
    return _span(text, lambda word: _WEEKDAYS.get(word.lower()), "like mon-fri, or sat")


def months(text: str) -> Span:
    """Read months by name or number; a span may go over the new year."""
    return _span(text, lambda word: _MONTHS.get(word.lower()) or _number(word, 1, 12), "like jun-nov, 6-11, or dec")


def years(text: str) -> Span:
    """Read years."""
    return _ordered(text, _span(text, lambda word: _number(word, 1970, 9000), "like 2026, or 2026-2028"))


def days(text: str) -> Span:
    """Read days of the month; negative from its end: -1 is the last day."""
    match = re.fullmatch(r"\s*(-?\d{1,2})\s*(?:(?:-|:)\s*(-?\d{1,2}))?\s*", text, re.ASCII)
    first = int(match[1]) if match else 0
    last = int(match[2]) if match and match[2] else first
    if not match or not 1 <= abs(first) <= 31 or not 1 <= abs(last) <= 31 or (first < 0 < last):
        raise ValueError(f'"{text[:40]}" is no day of the month; expected like 1-7, 15, or -1 for the last')
    return _ordered(text, (first, last)) if (first > 0) == (last > 0) else (first, last)


def _number(word: str, least: int, most: int) -> int | None:
    return int(word) if re.fullmatch(r"\d{1,4}", word, re.ASCII) and least <= int(word) <= most else None


def _span(text: str, read: Callable[[str], int | None], expected: str) -> Span:
    first, _, last = (part.strip() for part in text.partition("-"))
    begin, end = read(first), read(last or first)
    if begin is None or end is None:
        raise ValueError(f'"{text[:40]}" is not understood; expected {expected}')
    return begin, end


def _ordered(text: str, span: Span) -> Span:
    if span[0] > span[1]:
        raise ValueError(f'"{text[:40]}" ends before it begins')
    return span
