"""Pure: who is on duty. Hand-overs keep to the clock of the rotation's zone; the night the clocks change too."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

_AHEAD = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody is on duty from, until."""

    since: datetime
    until: datetime
    contact: str


@dataclass(frozen=True, slots=True)
class Rotation:
    """Contacts who take turns, or shifts of a calendar; overrides go before both."""

    name: str
    zone: str = "UTC"
    since: datetime | None = None
    """When the first of ``members`` begins."""
    turn: timedelta = timedelta(weeks=1)
    """Length of a turn by the clock: whole days end at the same hour of the day."""
    members: tuple[str, ...] = ()
    shifts: tuple[Shift, ...] = ()
    overrides: tuple[Shift, ...] = ()

    def on_duty(self, at: datetime) -> tuple[str, ...]:
        """Return who is on duty; several where shifts overlap, nobody in a gap."""
        for shifts in (self.overrides, self.shifts):
            if found := tuple(dict.fromkeys(one.contact for one in shifts if one.since <= at < one.until)):
                return found
        if not self.members or self.since is None or at < self.since:
            return ()
        return (self.members[self._turns(at) % len(self.members)],)

    def _turns(self, at: datetime) -> int:
        """Count the turns that have ended by then, on the zone's clock."""
        zone = ZoneInfo(self.zone)
        start = (self.since or at).astimezone(zone).replace(tzinfo=None)
        guess = int((at.astimezone(zone).replace(tzinfo=None) - start) / self.turn)
        later = next(number for number in (guess + 1, guess, guess - 1) if _utc(start + number * self.turn, zone) <= at)
        return max(0, later)

    def changes(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, tuple[str, ...]]]:
        """Yield each hand-over after ``since`` and before ``until``: when, and who is on duty from then on."""
        before = self.on_duty(since)
        for at in self._edges(since, until):
            if (now := self.on_duty(at)) != before:
                yield at, now
                before = now

    def next_change(self, after: datetime) -> datetime | None:
        """Return when the duty next changes, if within a year or so."""
        return next((at for at, _ in self.changes(after, after + _AHEAD)), None)

    def gaps(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """Return when nobody is on duty."""
        found: list[tuple[datetime, datetime]] = []
        stretch = [(since, self.on_duty(since)), *self.changes(since, until), (until, ("",))]
        for (at, who), (following, _) in pairwise(stretch):
            if not who:
                found.append((at, following))
        return found

    def _edges(self, since: datetime, until: datetime) -> list[datetime]:
        """Return every moment at which the duty may change, in order."""
        edges = {at for one in (*self.overrides, *self.shifts) for at in (one.since, one.until)}
        if self.members and self.since is not None:
            zone, start = ZoneInfo(self.zone), self.since.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
            number = self._turns(max(since, self.since))
            while (at := _utc(start + number * self.turn, zone)) < until:
                edges.add(at)
                number += 1
        return sorted(at for at in edges if since < at < until)


def _utc(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)
