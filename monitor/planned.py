"""What planned work means for each asset: now, in the week to come, and in a history. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from monitor.maintenance import Calendar, Needs, by_end, occurrences, reached
from monitor.model import Dependency, Window
from monitor.views import Works

SOON = timedelta(days=7)
"""How long before its begin a window is shown at what it will touch."""
_FAR = timedelta(days=3660)

Stretch = tuple[datetime, datetime, str]
"""From, to, why."""


class Links:
    """Who needs whom, by confirmed dependencies alone; made once per world."""

    def __init__(self, dependencies: Iterable[Dependency]) -> None:
        self._needs: dict[str, list[Dependency]] = {}
        self._needed_by: dict[str, list[str]] = {}
        for dependency in dependencies:
            if dependency.confirmed:
                self._needs.setdefault(dependency.asset, []).append(dependency)
                for need in dependency.needs:
                    self._needed_by.setdefault(need, []).append(dependency.asset)

    def needs(self, asset: str) -> Sequence[Dependency]:
        """Return what the asset needs."""
        return self._needs.get(asset, ())

    def below(self, asset: str) -> set[str]:
        """Return the asset and all that may be touched when it is taken away."""
        return _walk(asset, lambda each: self._needed_by.get(each, ()))

    def above(self, asset: str) -> set[str]:
        """Return the asset and all that it rests on."""
        return _walk(asset, lambda each: (need for one in self.needs(each) for need in one.needs))


def _walk(asset: str, following: Callable[[str], Iterable[str]]) -> set[str]:
    found, stack = {asset}, [asset]
    while stack:
        fresh = set(following(stack.pop())) - found
        found |= fresh
        stack += fresh
    return found


def works(calendar: Calendar, links: Links, now: datetime) -> Works:
    """Return what the page shows of the calendar."""
    on, coming = tuple(calendar.on(now)), tuple(calendar.coming(now, _FAR))
    touched = _touched(on, calendar, links, now)
    soon: dict[str, Window] = {}
    for window in coming:
        if window.since - now > SOON:
            break
        for asset in _touched((window,), calendar, links, window.since):
            soon.setdefault(asset, window)
    return Works(on, coming, touched, soon)


def _touched(windows: Iterable[Window], calendar: Calendar, links: Links, at: datetime) -> dict[str, Window]:
    """Return the assets that windows touch at a moment, each with what is on for it then."""
    assets = {asset for window in windows for asset in (links.below(window.asset) if window.below else {window.asset})}
    found = {asset: calendar.over(asset, at, links.needs) for asset in assets}
    return {asset: window for asset, window in found.items() if window}


@dataclass(frozen=True, slots=True)
class Kept:
    """A window of the history: it counts from when it was announced until it was ended by hand."""

    window: Window
    added: datetime
    ended: datetime | None = None
    origin: str = "config"
    """config, hand, calendar"""
    uid: str = ""
    """What a calendar calls it."""
    added_by: str = ""
    ended_by: str = ""
    """Users of this machine, for its operators alone: ``author`` is what the page shows."""


def apart(asset: str, kept: Iterable[Kept], links: Links, since: datetime, until: datetime) -> tuple[Stretch, ...]:
    """Return when the asset was in maintenance, itself or by what it needs; the stretches do not overlap."""
    above = links.above(asset)
    spans = [
        span
        for one in kept
        if one.window.asset in above and (one.window.below or one.window.asset == asset)
        for span in _spans(one, since, until)
    ]
    return tuple(_joined(_pieces(asset, spans, links.needs)))


def _spans(one: Kept, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, Window]]:
    first, last = max(since, one.added), min(until, one.ended or until)
    for window in occurrences(one.window, first, last):
        yield max(window.since, first), min(window.until, last), window


def _pieces(asset: str, spans: Iterable[tuple[datetime, datetime, Window]], needs: Needs) -> Iterator[Stretch]:
    """Sweep over begins and ends; between two of them the same windows are on."""
    edges = sorted(
        ((at, begins, window) for begin, end, window in spans for at, begins in ((begin, True), (end, False))),
        key=lambda edge: edge[0],
    )
    on: list[Window] = []
    for (at, begins, window), (following, _, _) in pairwise(edges):  # the last edge ends the last window
        if begins:
            on.append(window)
        else:
            on.remove(window)
        if following > at and (why := _cause(asset, on, needs, at)):
            yield at, following, why.reason


def _cause(asset: str, on: Iterable[Window], needs: Needs, at: datetime) -> Window | None:
    ordered = sorted(on, key=by_end)
    own = [window for window in ordered if window.asset == asset]
    return own[-1] if own else reached(asset, {window.asset: window for window in ordered}, needs, at)


def _joined(pieces: Iterable[Stretch]) -> Iterator[Stretch]:
    """Join what touches and has one reason."""
    last: Stretch | None = None
    for since, until, why in pieces:
        if last and last[1] == since and last[2] == why:
            last = (last[0], until, why)
            continue
        if last:
            yield last
        last = (since, until, why)
    if last:
        yield last
