"""Maintenance of a running daemon: the windows of the files, those made by hand, and the commands that change them."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

from alerting.journal import Journal, moment
from monitor.config import Settings
from monitor.config.problems import did_you_mean
from monitor.ledger import Windows
from monitor.maintenance import Calendar, checked, occurrences
from monitor.model import Window
from monitor.moments import lasting
from monitor.moments import moment as read_moment
from monitor.planned import Kept, Links, works
from monitor.views import Works
from monitor.web.control import Command, Refused
from probes.clock import Clock

log = logging.getLogger("lambi.maintenance")

Asked = Mapping[str, Any]
Fact = dict[str, Any]
T = TypeVar("T")
_END = datetime.max.replace(tzinfo=UTC)


class Upkeep:
    """Keeps the calendar true to the files and the journal."""

    def __init__(self, settings: Settings, windows: Windows, clock: Clock, changed: Callable[[Calendar], None]) -> None:
        self.calendar = Calendar()
        self._settings, self._windows, self._clock, self._changed = settings, windows, clock, changed
        self._links = Links(settings.world.dependencies)
        self._kept: dict[str, Kept] = {}

    @classmethod
    async def open(
        cls, settings: Settings, journal: Journal, clock: Clock, changed: Callable[[Calendar], None]
    ) -> Self:
        """Take up what the files plan now and what earlier runs left; ``changed`` hears of every later calendar."""
        upkeep = cls(settings, Windows(journal), clock, changed)
        await upkeep._windows.follow(settings.maintenance, clock.now())
        await upkeep._renew()
        return upkeep

    async def renew(self, settings: Settings) -> None:
        """Follow other files."""
        self._settings, self._links = settings, Links(settings.world.dependencies)
        await self._windows.follow(settings.maintenance, self._clock.now())
        await self._renew()
        self._changed(self.calendar)

    def works(self, now: datetime) -> Works:
        """Return what the pages show."""
        return works(self.calendar, self._links, now)

    def commands(self) -> Mapping[str, Command]:
        """Return what the control door understands."""
        return {
            "maintenance-add": self._add,
            "maintenance-end": self._end,
            "maintenance-list": self._list,
            "maintenance-import": self._import,
        }

    async def _renew(self) -> None:
        now = self._clock.now()
        live = [one for one in await self._windows.live() if one.window.asset in self._settings.world.assets]
        self._kept = {one.window.id: one for one in live if _usable(one, now)}
        self.calendar = Calendar(one.window for one in self._kept.values())

    async def _add(self, asked: Asked) -> Fact:
        window = self._written(asked)
        (name,) = await self._change([window], {}, [], asked)
        return {"window": self._fact(self._kept[name])}

    def _written(self, asked: Asked) -> Window:
        """Read what somebody typed; raises Refused."""
        now, zone = self._clock.now(), self._settings.zone
        since = _read("--from", lambda: read_moment(str(asked.get("from") or "now"), zone, now))
        if bool(asked.get("until")) == bool(asked.get("for")):
            raise Refused("say when it ends: --until 04:00, or --for 2h")
        until = (
            _read("--until", lambda: read_moment(str(asked["until"]), zone, since))
            if asked.get("until")
            else since + _read("--for", lambda: lasting(str(asked["for"])))
        )
        window = Window(
            "",
            str(asked.get("asset", "")),
            since,
            until,
            _words("--reason", asked.get("reason"), 200),
            _words("--by", asked.get("author") or "operator", 80),
            below=not asked.get("only"),
            rule=str(asked.get("rule") or ""),
            zone=zone,
        )
        return self._sound(window, now)

    def _sound(self, window: Window, now: datetime) -> Window:
        """Return a window that can be kept; raises Refused."""
        assets = self._settings.world.assets
        if window.asset not in assets:
            raise Refused(f'unknown asset "{window.asset[:80]}"{did_you_mean(window.asset, assets)}')
        try:
            plain = checked(window)
        except (ValueError, KeyError) as error:  # KeyError: a zone that this machine does not know
            raise Refused(str(error)) from None
        if _next(plain, now) is None:
            raise Refused("it would be over already")
        return plain

    async def _end(self, asked: Asked) -> Fact:
        name = str(asked.get("id", ""))
        kept = self._kept.get(name)
        if kept is None:
            raise Refused(f'no window "{name[:80]}" is kept{did_you_mean(name, self._kept)}')
        if kept.origin == "config":
            raise Refused(f'"{name}" stands in maintenance.yaml: take it away there, then lambi reload')
        await self._change([], {}, [name], asked)
        return {"window": self._fact(replace(kept, ended=self._clock.now(), ended_by=str(asked["peer"])))}

    async def _list(self, asked: Asked) -> Fact:
        now = self._clock.now()
        past = bool(asked.get("past"))
        known = await self._windows.kept(_END) if past else list(self._kept.values())
        facts = [self._fact(one) for one in known]
        order = {"on": 0, "coming": 1, "over": 2, "ended": 3}
        facts.sort(key=lambda fact: (order[fact["state"]], fact["since"], fact["id"]))
        return {"at": now.isoformat(), "zone": self._settings.zone, "windows": facts}

    async def _import(self, asked: Asked) -> Fact:
        """Take windows that the command has read from a calendar file: known ones are kept, changed ones replaced."""
        now = self._clock.now()
        fresh = {str(uid): self._sound(_window(row), now) for uid, row in dict(asked.get("windows") or {}).items()}
        known = {one.uid: one.window for one in self._kept.values() if one.origin == "calendar"}
        same = {uid for uid, window in fresh.items() if uid in known and replace(known[uid], id="") == window}
        gone = {str(uid) for uid in asked.get("cancelled") or ()} | fresh.keys() - same
        ends = [known[uid].id for uid in sorted(gone & known.keys())]
        adds = {uid: window for uid, window in fresh.items() if uid not in same}
        await self._change([], adds, ends, asked)
        return {"added": len(adds), "kept": len(same), "ended": ends}

    async def _change(
        self, typed: Collection[Window], read: Mapping[str, Window], ends: Collection[str], asked: Asked
    ) -> list[str]:
        """Write, renew, and leave a line in the log."""
        now, peer = self._clock.now(), str(asked["peer"])
        adds = [Kept(window, now, None, "hand", "", peer) for window in typed]
        adds += [Kept(window, now, None, "calendar", uid, peer) for uid, window in read.items()]
        added = await self._windows.change(adds, ends, peer, now)
        await self._renew()
        self._changed(self.calendar)
        log.info("maintenance added=%s ended=%s by=%r", ",".join(added), ",".join(ends), peer)
        return added

    def _fact(self, one: Kept) -> Fact:
        now, window, world = self._clock.now(), one.window, self._settings.world
        shown = _next(window, now)
        state = "ended" if one.ended else "over" if shown is None else "on" if shown.since <= now else "coming"
        shown = shown or window
        zone = ZoneInfo(self._settings.zone)
        return {
            "id": window.id,
            "asset": window.asset,
            "name": world.assets[window.asset].name if window.asset in world.assets else "",
            "state": state,
            "since": shown.since.isoformat(),
            "until": shown.until.isoformat(),
            "since_local": f"{shown.since.astimezone(zone):%Y-%m-%d %H:%M}",
            "until_local": f"{shown.until.astimezone(zone):%Y-%m-%d %H:%M}",
            "zone": zone.key,
            "reason": window.reason,
            "author": window.author,
            "below": window.below,
            "rule": window.rule or None,
            "rule_zone": window.zone if window.rule else None,
            "skipped": [each.isoformat() for each in window.skipped],
            "origin": one.origin,
            "added": one.added.isoformat(),
            "added_by": one.added_by,
            "ended": one.ended.isoformat() if one.ended else None,
            "ended_by": one.ended_by or None,
        }


def _next(window: Window, now: datetime) -> Window | None:
    """Return the occurrence that is on or comes next."""
    return next(occurrences(window, now, _END), None)


def _read(option: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ValueError as error:
        raise Refused(f"{option}: {error}") from None


def _words(option: str, value: Any, most: int) -> str:
    text = " ".join(str(value or "").split())
    if not 0 < len(text) <= most:
        raise Refused(f"{option}: say it in 1 to {most} letters")
    return text


def _usable(one: Kept, now: datetime) -> bool:
    """Whether a window is not over. A zone that this machine does not know must not stop the daemon."""
    try:
        return _next(one.window, now) is not None
    except (ValueError, KeyError) as error:
        log.error("maintenance id=%s cannot be used: %r", one.window.id, str(error))
        return False


def _window(row: Any) -> Window:
    """Read a window that this version's own command has written; raises Refused."""
    try:
        return Window(
            "",
            str(row["asset"]),
            moment(int(row["since"])),
            moment(int(row["until"])),
            _words("reason", row["reason"], 200),
            _words("author", row["author"], 80),
            bool(row["below"]),
            str(row["rule"]),
            str(row["zone"]),
            tuple(moment(int(each)) for each in row["skipped"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Refused("the windows cannot be read: is the daemon another version than this command?") from None
