"""What an asset's page draws of its checks: the last day's answer times, the last month's answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from markupsafe import Markup

from monitor.store.steps import HistoryError, Step, Which
from monitor.views import CheckView
from monitor.web import chart
from monitor.web.chart import Period

DAY = timedelta(days=1)
MOST = 6
"""So many checks of an asset are drawn."""
LINES = {
    "bgp": (("", "prefixes_visible"),),
    "snmp": (("in ", "if_in_octets_per_second"), ("out ", "if_out_octets_per_second")),
}
"""Kind of probe -> what of its values is drawn, and what it is called beside another."""
KEPT_SECONDS = 60
KEPT = 200
"""Assets whose charts are kept for so long, so that a page that many look at is drawn once."""


class History(Protocol):
    """What this needs of the store's read interface."""

    async def downsample(
        self, key: str, since: datetime, until: datetime, step: timedelta, which: Which = ...
    ) -> list[Step]:
        """See monitor/store/history.py."""
        ...


@dataclass(frozen=True, slots=True)
class Drawn:
    """The charts of one part of a check."""

    check: CheckView
    day: Markup | None
    """Answer times; None where it has none."""
    line: Markup | None
    """What else is measured: traffic, or how much of a territory the world sees."""
    month: Markup


class Charts:
    """Draws, and keeps what it has drawn for a minute."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._kept: dict[str, tuple[datetime, list[Drawn]]] = {}
        self.trouble = ""
        """Why nothing can be drawn, while nothing can."""

    async def of(self, asset: str, checks: Sequence[CheckView], now: datetime) -> list[Drawn]:
        """Return the charts of an asset's first checks; none where nothing was stored."""
        kept = self._kept.get(asset)
        if kept and timedelta() <= now - kept[0] < timedelta(seconds=KEPT_SECONDS):
            return kept[1]
        if not checks:
            return []
        if len(self._kept) >= KEPT:
            self._kept.pop(next(iter(self._kept)))
        try:
            drawn, self.trouble = await self._draw(checks[:MOST], now), ""
        except HistoryError as error:
            drawn, self.trouble = [], str(error)
        if drawn or self.trouble:  # else the first look may be under way
            self._kept[asset] = (now, drawn)
        return drawn

    async def _draw(self, checks: Sequence[CheckView], now: datetime) -> list[Drawn]:
        which = Which(checks=frozenset(check.check for check in checks))
        midnight = datetime.combine(now.date(), datetime.min.time(), UTC)
        day = Period(_floor(now) - DAY, _floor(now), timedelta(minutes=15))
        month = Period(midnight - 29 * DAY, midnight + DAY, DAY)
        times = await self._history.downsample("rtt_seconds", day.since, day.until, day.step, which)
        answers = await self._history.downsample("", month.since, month.until, month.step, which)
        values = {key: await self._values(kind, key, checks, day) for kind, keys in LINES.items() for _, key in keys}
        found = [(check, _own(times, check), _own(answers, check)) for check in checks]
        return [
            Drawn(check, _latency(check, own, day), _line(check, values, day), chart.bars(_name(check), looks, month))
            for check, own, looks in found
            if looks
        ]

    async def _values(self, kind: str, key: str, checks: Sequence[CheckView], day: Period) -> list[Step]:
        """Ask for a value of the checks that have it."""
        which = frozenset(check.check for check in checks if check.kind == kind)
        if not which:
            return []
        return await self._history.downsample(key, day.since, day.until, day.step, Which(checks=which))


def _floor(now: datetime) -> datetime:
    """Return the end of the quarter of an hour that is under way."""
    quarter = timedelta(minutes=15)
    return datetime.min.replace(tzinfo=UTC) + ((now - datetime.min.replace(tzinfo=UTC)) // quarter + 1) * quarter


def _own(steps: Sequence[Step], check: CheckView) -> list[Step]:
    return [step for step in steps if step.series[:2] == (check.check, check.part)]


def _line(check: CheckView, values: Mapping[str, Sequence[Step]], day: Period) -> Markup | None:
    told = [(label, key, _own(values[key], check)) for label, key in LINES.get(check.kind, ())]
    if not any(step.figures for _, _, steps in told for step in steps):
        return None
    return chart.lines(_name(check), told[0][1], [(label, steps) for label, _, steps in told], day)


def _name(check: CheckView) -> str:
    return f"{check.kind} {check.address}{f' {check.part}' if check.part else ''}"


def _latency(check: CheckView, times: Sequence[Step], day: Period) -> Markup | None:
    return chart.latency(_name(check), times, day) if any(step.figures for step in times) else None
