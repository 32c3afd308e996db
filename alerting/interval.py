"""Pure: times of the day, week, month and year on the clock of a zone, as Alertmanager's time intervals."""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = 24 * 60
_AHEAD = 400
"""Days that are looked through for an end."""
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Interval:
    """When it is; an empty tuple matches always. Each part as first and last, both included, but for the times."""

    name: str
    zone: str = "UTC"
    times: tuple[Span, ...] = ()
    """Minutes of the day, from and before; one that ends at or before its begin goes over midnight, into the day
    after: the other parts speak of the day on which it began."""
    weekdays: tuple[Span, ...] = ()
    """0 Monday to 6 Sunday; a span may go over Sunday."""
    days: tuple[Span, ...] = ()
    """Of the month; negative from its end: -1 is the last."""
    months: tuple[Span, ...] = ()
    years: tuple[Span, ...] = ()

    def contains(self, at: datetime) -> bool:
        """Whether the clock of the zone stands inside."""
        local = at.astimezone(ZoneInfo(self.zone))
        minute = local.hour * 60 + local.minute
        if not self.times:
            return self._day(local)
        for begin, end in self.times:
            if begin < end and begin <= minute < end and self._day(local):
                return True
            if begin >= end and ((minute >= begin and self._day(local)) or (minute < end and self._yesterday(local))):
                return True
        return False

    def _yesterday(self, local: datetime) -> bool:
        return self._day(local.replace(tzinfo=None) - timedelta(days=1))

    def _day(self, local: datetime) -> bool:
        return (
            _in(self.weekdays, local.weekday())
            and _in(self.months, local.month)
            and _in(self.years, local.year)
            and (not self.days or any(first <= local.day <= last for first, last in self._days(local)))
        )

    def _days(self, local: datetime) -> Iterator[Span]:
        """Bring days from the end of the month to days from its begin; what the month lacks is cut off."""
        most = monthrange(local.year, local.month)[1]
        for first, last in self.days:
            yield (first if first > 0 else most + 1 + first), min(most, last if last > 0 else most + 1 + last)

    def ends(self, at: datetime) -> datetime:
        """Return the first moment after ``at`` at which it is not inside; if there is none in a year, that far off."""
        return next(
            (one for one in self._edges(at) if one > at and not self.contains(one)), at + timedelta(days=_AHEAD)
        )

    def begins(self, at: datetime) -> datetime:
        """Return the first moment after ``at`` at which it is inside; if there is none in a year, that far off."""
        return next((one for one in self._edges(at) if one > at and self.contains(one)), at + timedelta(days=_AHEAD))

    def _edges(self, at: datetime) -> Iterator[datetime]:
        """Yield where it may begin or end: by the clock, and where the clock itself jumps."""
        zone = ZoneInfo(self.zone)
        midnight = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        minutes = sorted({0, *(minute % DAY for span in self.times for minute in span)})
        for each in range(_AHEAD):
            day = midnight + timedelta(days=each)
            clock = [(day + timedelta(minutes=minute)).replace(tzinfo=zone) for minute in minutes]
            both = {one.replace(fold=fold).astimezone(UTC) for one in clock for fold in (0, 1)}
            yield from sorted(both | set(_jumps(day, zone)))


def _jumps(day: datetime, zone: ZoneInfo) -> Iterable[datetime]:
    """Return the hours of a day at which the zone's offset has changed."""
    begin = day.replace(tzinfo=zone).astimezone(UTC)
    hours = [begin + timedelta(minutes=30 * each) for each in range(50)]
    offsets = [each.astimezone(zone).utcoffset() for each in hours]
    if offsets[0] == offsets[-1]:
        return ()
    return [hours[each] for each in range(1, len(hours)) if offsets[each] != offsets[each - 1]]


def _in(spans: tuple[Span, ...], value: int) -> bool:
    return not spans or any(
        first <= value <= last if first <= last else value >= first or value <= last for first, last in spans
    )
