"""An iCalendar file (RFC 5545) -> windows of maintenance. Pure: text in, windows and sentences out."""

import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import icalendar

from monitor.maintenance import checked, occurrences
from monitor.model import Window

LARGEST = 2 << 20
MOST_EVENTS = 1_000
_ID = re.compile(r"[a-z]+:[a-z0-9][a-z0-9._-]*")
_TITLE = 200
_END = datetime(9000, 1, 1, tzinfo=UTC)
_AUTHOR = 80


class CalendarError(Exception):
    """The file cannot be used; each line says why."""


@dataclass(slots=True)
class Read:
    """What a file plans."""

    windows: dict[str, Window] = field(default_factory=dict)
    """By what the file calls them: UID, or UID and which of its times."""
    cancelled: set[str] = field(default_factory=set)
    """UIDs that the file takes back."""
    notes: list[str] = field(default_factory=list)
    """What was left out, and why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the file itself does not say."""

    assets: Collection[str]
    asset: str
    """For every event; empty: each names its own."""
    zone: str
    """The clock of times without a zone."""
    zones: Sequence[str]
    """Zones that a time zone of the file's own making may turn out to be."""
    author: str
    properties: tuple[str, ...] = ("X-LAMBI-ASSET", "LOCATION")
    """Which properties name what an event is about, the first before the second."""
    touching: bool = False
    """Whether each time of a rule may begin when the last ends."""


def read(data: bytes, frame: Frame, now: datetime) -> Read:
    """Return what the file plans from ``now`` on; raises CalendarError with every problem, and then nothing is used."""
    found = Read()
    _through(data, frame, lambda event: _take(event, found, now))
    return found


def plans(data: bytes, frame: Frame) -> list[tuple[str, Window]]:
    """Return what each event is about, and when, whenever that was; raises CalendarError like `read`."""
    found = Read()

    def take(event: "_Event") -> None:
        if not event.asset:
            raise ValueError(f"{' or '.join(frame.properties)} names nobody that is known here")
        _take(event, found, datetime(1970, 1, 1, tzinfo=UTC))

    _through(data, frame, take)
    return [(window.asset, window) for window in found.windows.values()]


def _through(data: bytes, frame: Frame, take: "Callable[[_Event], None]") -> None:
    """Take every event; raise CalendarError with the problems of all."""
    calendar = _parsed(data)
    floating = str(calendar.get("X-WR-TIMEZONE", ""))
    frame = replace(frame, zone=floating) if floating in available_timezones() else frame
    events = calendar.walk("VEVENT")
    if len(events) > MOST_EVENTS:
        raise CalendarError(f"the file holds {len(events)} events; at most {MOST_EVENTS} are read")
    problems = []
    for event in sorted(events, key=lambda each: "RECURRENCE-ID" in each):  # what is moved comes after its rule
        try:
            take(_Event(event, frame))
        except ValueError as error:
            problems.append(f"{_called(event)}: {error}")
    if problems:
        raise CalendarError("\n".join(problems))
    if not events:
        raise CalendarError("the file holds no event")


def _parsed(data: bytes) -> icalendar.Component:
    if len(data) > LARGEST:
        raise CalendarError("the file is too big; at most 2 MiB are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of properties that do not concern us
            calendar = icalendar.Calendar.from_ical(data)
    except Exception:  # noqa: BLE001 - for a broken file icalendar raises whatever its parser stumbles over
        raise CalendarError(
            "not an iCalendar file: it begins with BEGIN:VCALENDAR and ends with END:VCALENDAR"
        ) from None
    if isinstance(calendar, list) or calendar.name != "VCALENDAR":
        raise CalendarError("not an iCalendar file: it begins with BEGIN:VCALENDAR and ends with END:VCALENDAR")
    return calendar


def _called(event: icalendar.Component) -> str:
    return f'event "{_text(event, "SUMMARY", 60) or _text(event, "UID", 60) or "without a name"}"'


def _text(event: icalendar.Component, name: str, most: int) -> str:
    value = event.get(name, "")
    return " ".join(str(value[0] if isinstance(value, list) and value else value).split())[:most]


class _Event:
    """One VEVENT; every reading raises ValueError with a sentence."""

    def __init__(self, event: icalendar.Component, frame: Frame) -> None:
        self.event, self.frame = event, frame
        for name, why in getattr(event, "errors", ()):
            if name in {"DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "RECURRENCE-ID"}:
                raise ValueError(f"{name} cannot be read: {why}")
        self.uid = _text(event, "UID", 200)
        if not self.uid:
            raise ValueError("UID is missing: without it an import cannot be repeated")
        if "EXRULE" in event or isinstance(event.get("RRULE"), list):
            raise ValueError("it has more than one rule; one RRULE is read")

    @property
    def asset(self) -> str:
        """Name the asset; empty when the event names none."""
        texts = (_text(self.event, name, 200) for name in self.frame.properties)
        named = self.frame.asset or next(filter(None, texts), "")
        return named if named in self.frame.assets or _ID.fullmatch(named) else ""

    def times(self, name: str) -> Iterator[datetime]:
        """Yield the moments of a property that may stand several times, UTC."""
        values = self.event.get(name, [])
        for each in values if isinstance(values, list) else [values]:
            for one in each.dts:
                yield self.utc(one.dt[0] if isinstance(one.dt, tuple) else one.dt, each)

    def utc(self, when: Any, prop: Any) -> datetime:
        """Return a moment: a day begins at midnight, a time without a zone is on the frame's clock."""
        at = when if isinstance(when, datetime) else datetime.combine(when, time()) if isinstance(when, date) else None
        if at is None:
            raise ValueError("a time of day alone is no moment")
        if at.tzinfo is None and (named := getattr(prop, "params", {}).get("TZID")):
            raise ValueError(f'the file does not define the time zone "{str(named)[:60]}", and nobody knows it')
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(self.frame.zone))).astimezone(UTC)

    def window(self) -> Window:
        """Return the event's first occurrence and its rule."""
        start = self.event.get("DTSTART")
        if start is None or not isinstance(start.dt, date):
            raise ValueError("DTSTART is missing")
        since = self.utc(start.dt, start)
        rule = self.event.get("RRULE")
        return Window(
            "",
            self.asset,
            since,
            self._until(start, since),
            _text(self.event, "SUMMARY", _TITLE) or "planned work",
            self.frame.author[:_AUTHOR],
            rule=rule.to_ical().decode() if rule is not None else "",
            zone=self._zone(start.dt) if rule is not None else "UTC",
            skipped=tuple(sorted(set(self.times("EXDATE")))),
        )

    def _until(self, start: Any, since: datetime) -> datetime:
        end, lasts = self.event.get("DTEND"), self.event.get("DURATION")
        if end is not None:
            return self.utc(end.dt, end)
        if lasts is not None:
            return since + lasts.dt if isinstance(lasts.dt, timedelta) else since
        lasts_a_day = not isinstance(start.dt, datetime)
        if not lasts_a_day:
            raise ValueError("it has no end: DTEND or DURATION is missing")
        return self.utc(start.dt + timedelta(days=1), start)

    def _zone(self, when: Any) -> str:
        zone = when.tzinfo if isinstance(when, datetime) else None
        if zone is None:
            return self.frame.zone
        if zone is UTC or isinstance(zone, ZoneInfo):
            return getattr(zone, "key", "UTC")
        return _same(zone, self.frame.zones, when.year)


def _same(zone: tzinfo, zones: Iterable[str], year: int) -> str:
    """Return a zone of the IANA database whose clock agrees, noon by noon, for three years (VTIMEZONE of a file)."""
    noons = [datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=each) for each in range(3 * 366)]
    offsets = [each.astimezone(zone).utcoffset() for each in noons]
    for name in zones:
        other = ZoneInfo(name)
        if all(each.astimezone(other).utcoffset() == offset for each, offset in zip(noons, offsets, strict=True)):
            return name
    raise ValueError(f'the clock of its rule, "{str(zone)[:60]}", is none of the IANA database that this region keeps')


def _take(event: _Event, found: Read, now: datetime) -> None:
    """Put one event where it belongs."""
    moved = event.event.get("RECURRENCE-ID")
    uid = event.uid
    if moved is not None:
        if "RANGE" in moved.params:
            raise ValueError("RECURRENCE-ID with RANGE is not read: give the event a rule of its own")
        at = event.utc(moved.dt, moved)
        if uid in found.windows:
            _skip(found, uid, at, touching=event.frame.touching)
        uid = f"{uid}/{at:%Y%m%dT%H%M%SZ}"
    if _text(event.event, "STATUS", 20).upper() == "CANCELLED":
        found.cancelled.add(uid)
        return
    if not event.asset:
        found.notes.append(f"{_called(event.event)} names no asset: left out")
        return
    if event.asset not in event.frame.assets:
        raise ValueError(f'unknown asset "{event.asset[:80]}"')
    window = checked(event.window(), touching=event.frame.touching)
    _add(found, uid, window, now)
    for extra in event.times("RDATE"):
        once = replace(window, since=extra, until=extra + (window.until - window.since), rule="", skipped=())
        _add(found, f"{uid}/{extra:%Y%m%dT%H%M%SZ}", once, now)


def _add(found: Read, uid: str, window: Window, now: datetime) -> None:
    """Keep what is not over."""
    if next(occurrences(window, now, _END), None):
        found.windows[uid] = window
    else:
        found.notes.append(f'"{window.reason[:60]}" is over: left out')


def _skip(found: Read, uid: str, at: datetime, *, touching: bool) -> None:
    window = found.windows[uid]
    try:
        found.windows[uid] = checked(replace(window, skipped=tuple(sorted({*window.skipped, at}))), touching=touching)
    except ValueError:  # it was the only one left
        del found.windows[uid]
