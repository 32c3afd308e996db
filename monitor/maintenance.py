"""Planned work: when an asset is in maintenance, now and in the days to come. Pure: every moment is an argument.

A rule keeps to the clock of its zone (RFC 5545, section 3.3.10): a window of Sundays 22:00 to 04:00 begins and ends so
on the night the clocks change too. A local time that does not exist or exists twice is read as section 3.3.5 says: as
before the change, and as the first of the two.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rruleset, rrulestr

from monitor.model import Dependency, Window

__all__ = ["Calendar", "Needs", "Window", "checked", "occurrences", "reached"]

Needs = Callable[[str], Iterable[Dependency]]
"""Asset -> what it needs, of confirmed dependencies."""

_PARTS = (
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH"),
    *("BYYEARDAY", "BYWEEKNO", "BYSETPOS", "BYHOUR", "WKST"),
)
_OFTEN = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_DAYS = {"DAILY": 1, "WEEKLY": 7}
_START = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
MOST = timedelta(days=366)
_COMPARED = 60
"""So many occurrences are compared when a window is checked: five years of months, a year of weeks."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of time in which a window is on, or off, throughout."""

    since: datetime
    until: datetime
    window: Window | None
    """The occurrence that is on."""


def checked(window: Window, *, touching: bool = False) -> Window:
    """Return the window, its rule in plain form; raises ValueError "field: sentence" when it can never be on.

    ``touching``: each time may begin when the last ends, as a turn of duty does.
    """
    if window.until <= window.since:
        raise ValueError("until: the end is not after the begin")
    if window.until - window.since > MOST:
        raise ValueError("until: longer than a year; work without an end is no maintenance")
    if not window.rule:
        return window
    plain = replace(window, rule=window.rule.upper().removeprefix("RRULE:").rstrip(";"))
    _sound(_parts(plain.rule))
    try:
        begins = list(islice(_begins(plain), _COMPARED)) if _names_a_day(plain) else []
    except ValueError as error:
        raise ValueError(f"rule: {error}") from None
    if not begins:
        raise ValueError("rule: it names no day, or none that is not skipped")
    for first, second in pairwise(begins):
        until = occurrence(plain, first).until
        if until > second or (until == second and not touching):
            raise ValueError("rule: it would never end: each time begins before the last has ended")
    return plain


def _parts(rule: str) -> dict[str, str]:
    """Read ``NAME=VALUE;...``; raises ValueError for parts that no maintenance needs."""
    parts: dict[str, str] = {}
    for word in " ".join(rule.split()).split(";"):
        name, _, value = word.partition("=")
        if name not in _PARTS:
            raise ValueError(f'rule: "{word[:40]}" is not understood; known: {", ".join(_PARTS)}')
        if name in parts or not re.fullmatch(r"[A-Z0-9,+-]{1,200}", value):
            raise ValueError(f'rule: "{word[:40]}" is written twice or holds what it must not')
        parts[name] = value
    return parts


def _sound(parts: Mapping[str, str]) -> None:
    """Raise ValueError for what no maintenance needs, no loop would ever leave, or dateutil reads in its own way."""
    if parts.get("FREQ") not in _OFTEN:
        raise ValueError(f"rule: FREQ is one of {', '.join(_OFTEN)}")
    for name in {"COUNT", "INTERVAL"} & parts.keys():
        if not re.fullmatch(r"[1-9]\d{0,3}", parts[name]):
            raise ValueError(f"rule: {name} is a number from 1 to 9999")
    if parts["FREQ"] in {"DAILY", "WEEKLY"} and re.search(r"\d", parts.get("BYDAY", "")):
        raise ValueError("rule: BYDAY with a number needs FREQ=MONTHLY or YEARLY")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("rule: COUNT and UNTIL exclude each other")


def _until(word: str, zone: ZoneInfo) -> datetime:
    """Read UNTIL as UTC: a bare date means the whole day, a bare time the zone's clock."""
    match = _UNTIL.fullmatch(word)
    try:
        day = datetime.strptime(match[1] + (match[2] or "235959") + "+0000", "%Y%m%d%H%M%S%z") if match else None
    except ValueError:
        day = None
    if not match or not day:
        raise ValueError("UNTIL is a date, like 20261231 or 20261231T235959Z")
    return day if match[3] else day.replace(tzinfo=zone).astimezone(UTC)


def _rule(parts: Mapping[str, str], start: datetime) -> "rrule | rruleset":
    """Return the rule of its parts; raises ValueError."""
    try:
        return rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=start)
    except (ValueError, KeyError, IndexError, TypeError):  # what dateutil raises for "BYDAY=XX", "BYMONTH=,"
        raise ValueError("not understood; like FREQ=WEEKLY;BYDAY=SU") from None


def _names_a_day(window: Window) -> bool:
    """Say whether the rule ever names a day. One that does not ("30 February") is sought until the year 9999."""
    parts = {name: value for name, value in _parts(window.rule).items() if name not in {"UNTIL", "COUNT"}}
    start = window.since.astimezone(ZoneInfo(window.zone))
    # So it is asked close to that year: the calendar repeats every 400 years, to the day of the week.
    late = start.replace(year=start.year + 400 * ((9_999 - start.year) // 400))
    return next(iter(_rule(parts, late)), None) is not None


def _begins(window: Window, near: datetime = _START) -> Iterator[datetime]:
    """Yield the begins, UTC, at least from those on that may still be on at a moment."""
    zone, parts = ZoneInfo(window.zone), _parts(window.rule)
    if "UNTIL" in parts:
        parts["UNTIL"] = f"{_until(parts['UNTIL'], zone):%Y%m%dT%H%M%SZ}"
    skipped = frozenset(window.skipped)
    begins = (local.astimezone(UTC) for local in _rule(parts, _start(window, parts, near)))
    return (at for at in begins if at not in skipped)


def _start(window: Window, parts: Mapping[str, str], near: datetime) -> datetime:
    """Return where to begin, on the zone's clock: of a rule by days or weeks, which may be old, whole turns later."""
    start = window.since.astimezone(ZoneInfo(window.zone))
    step = timedelta(days=_DAYS.get(parts["FREQ"], 0) * int(parts.get("INTERVAL", "1")))
    past = near - window.since - (window.until - window.since) - step if near > window.since else timedelta()
    if not step or "COUNT" in parts or past < step:
        return start
    return start + past // step * step  # the clock's hour stays, also where it is skipped that day


def occurrence(window: Window, begin: datetime) -> Window:
    """Return the occurrence that begins then and ends by the clock as the first does."""
    if begin == window.since:
        return window
    zone = ZoneInfo(window.zone)
    span = window.until.astimezone(zone).replace(tzinfo=None) - window.since.astimezone(zone).replace(tzinfo=None)
    end = (begin.astimezone(zone).replace(tzinfo=None) + span).replace(tzinfo=zone).astimezone(UTC)
    if end <= begin:  # the clock skips all of it
        end = begin + (window.until - window.since)
    return replace(window, since=begin, until=end)


class _Course:
    """The occurrences of one window, reckoned as far as anybody asked."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._since = _END
        """What is known begins here."""
        self._known: list[datetime] = []
        self._rest: Iterator[datetime] = iter(())

    def piece(self, now: datetime) -> Piece:
        """Return the stretch around ``now``."""
        if now < self._since:
            self._begin_at(now)
        while not self._known or self._known[-1] <= now:
            following = next(self._rest, None)
            if following is None:
                break
            self._known.append(following)
        number = bisect_right(self._known, now)
        until = self._known[number] if number < len(self._known) else _END
        if number == 0:
            return Piece(self._since, until, None)
        last = occurrence(self.window, self._known[number - 1])
        return Piece(last.since, last.until, last) if now < last.until else Piece(last.until, until, None)

    def _begin_at(self, now: datetime) -> None:
        window = self.window
        self._known, self._rest = [], _begins(window, now) if window.rule else iter((window.since,))
        self._since = now if window.rule and now > window.since else _START

    def next(self, piece: Piece) -> Window | None:
        """Return the occurrence that follows a stretch."""
        off = piece if piece.window is None else self.piece(piece.until)
        return off.window or (None if off.until == _END else occurrence(self.window, off.until))


def occurrences(window: Window, since: datetime, until: datetime) -> Iterator[Window]:
    """Yield when the window is on between two moments, each occurrence whole."""
    for begin in _begins(window, since) if window.rule else (window.since,):
        if begin >= until:
            return
        on = occurrence(window, begin)
        if on.until > since:
            yield on


def reached(asset: str, on: Mapping[str, Window], needs: Needs, now: datetime) -> Window | None:
    """Return what is on for the asset by what it needs; ``on``: of each asset what also explains what is below it.

    Of alternatives so many must be in maintenance that what is left is not enough.
    """
    return _above(asset, on, needs, now, {}) if on else None


def _above(
    asset: str, on: Mapping[str, Window], needs: Needs, now: datetime, known: dict[str, Window | None]
) -> Window | None:
    if asset in known:
        return known[asset]
    known[asset] = None
    for dependency in needs(asset):
        if not dependency.holds(now):
            continue
        above = {need: on.get(need) or _above(need, on, needs, now, known) for need in dependency.needs}
        gone = {need: window for need, window in above.items() if window}
        if gone and dependency.blocked(gone):
            windows = sorted(gone.values(), key=by_end)
            known[asset] = windows[-1 if dependency.mode == "all" else 0]  # until then something is missing
            break
    return known[asset]


def by_end(window: Window) -> tuple[datetime, str]:
    """Sort key."""
    return window.until, window.id


class Calendar:
    """All windows, each checked. It remembers where it was last asked; its answers are those of the windows alone."""

    def __init__(self, windows: Iterable[Window] = ()) -> None:
        self.windows = tuple(windows)
        self._courses = [_Course(window) for window in self.windows]
        self._pieces = [Piece(_END, _START, None)] * len(self.windows)
        self._on: dict[str, Window] = {}
        self._wide: dict[str, Window] = {}
        self._since, self._until = _END, _START

    def active(self, asset: str, now: datetime) -> Window | None:
        """Return the occurrence that is on for the asset itself; of several, the one that ends last."""
        self._turn(now)
        return self._on.get(asset)

    def over(self, asset: str, now: datetime, needs: Needs) -> Window | None:
        """Return what is on for the asset itself or, with ``below``, for what it needs."""
        self._turn(now)
        return self._on.get(asset) or reached(asset, self._wide, needs, now)

    def on(self, now: datetime) -> list[Window]:
        """Return every occurrence that is on, by its end."""
        self._turn(now)
        return sorted((piece.window for piece in self._pieces if piece.window), key=by_end)

    def coming(self, now: datetime, within: timedelta) -> list[Window]:
        """Return the next occurrence of each window that begins after ``now`` and at most ``within`` later."""
        self._turn(now)
        following = (course.next(piece) for course, piece in zip(self._courses, self._pieces, strict=True))
        soon = (window for window in following if window and window.since - now <= within)
        return sorted(soon, key=lambda window: (window.since, window.id))

    def boundary(self, after: datetime) -> datetime | None:
        """Return the next moment at which a window begins or ends: what is believed must be looked over then."""
        self._turn(after)
        return None if self._until == _END else self._until

    def _turn(self, now: datetime) -> None:
        """Stand on the stretch around ``now``; only windows that have turned since are reckoned anew."""
        if self._since <= now < self._until:
            return
        self._pieces = [
            piece if piece.since <= now < piece.until else course.piece(now)
            for course, piece in zip(self._courses, self._pieces, strict=True)
        ]
        self._since = max((piece.since for piece in self._pieces), default=_START)
        self._until = min((piece.until for piece in self._pieces), default=_END)
        on = self.on(now)
        self._on = {window.asset: window for window in on}
        self._wide = {window.asset: window for window in on if window.below}
