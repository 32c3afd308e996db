"""The read interface, answered by an InfluxDB through InfluxQL: a region's looks, whoever wrote them there."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from monitor.store.fold import FIVE_MINUTES, HOUR
from monitor.store.influx.lines import EPOCH, PREFIX, TAGS
from monitor.store.influx.server import RefusedError, Server
from monitor.store.overview import Hour, pivoted
from monitor.store.rows import MICROSECOND, Row
from monitor.store.schema import Identity
from monitor.store.sketch import rank
from monitor.store.steps import Availability, Figures, Step, Which, width
from probes.model import Outcome, Value

EVERY = Which()
FROM = f"/^{PREFIX}/"
GROUPED = ", ".join(f'"{tag}"' for tag in TAGS)
FIGURES = ("n", "sum", "min", "max", "last", "p50", "p95", "p99")


class InfluxHistory:
    """Answers as `LocalHistory` does. Quantiles are exact; text values are as they were written."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._proven = False

    async def _ask(self, influxql: str) -> list[dict[str, Any]]:
        if not self._proven:
            await self.prove()
        return await self._server.ask(influxql)

    async def prove(self) -> None:
        """Ask what has a known answer; RefusedError where the server only seems to understand InfluxQL."""
        found = await self._server.ask(f'SELECT count("up") FROM "{PREFIX}no_probe_is_called_so"')
        if found:
            raise RefusedError("this server answers InfluxQL with something else: it can be written to, not read from")
        self._proven = True

    async def close(self) -> None:
        """Give the connections back."""
        await self._server.close()

    async def latest(self) -> list[Row]:
        """Return the last look of every series."""
        found = await self._ask(f"SELECT * FROM {FROM} GROUP BY {GROUPED} ORDER BY time DESC LIMIT 1")
        newest: dict[Identity, Row] = {}
        for row in _rows(found):
            known = newest.get((row.check, row.part, row.vantage))
            if known is None or row.at > known.at:
                newest[row.check, row.part, row.vantage] = row
        return list(newest.values())

    async def range(self, check: str, part: str, since: datetime, until: datetime) -> list[Row]:
        """Return the looks with since <= at < until, oldest first, all vantages."""
        where = _where(since, until, Which(frozenset([check]), part))
        found = await self._ask(f"SELECT * FROM {FROM} WHERE {where} GROUP BY {GROUPED}")
        return sorted(_rows(found), key=lambda row: (row.at, row.vantage))

    async def downsample(
        self, key: str, since: datetime, until: datetime, step: timedelta, which: Which = EVERY
    ) -> list[Step]:
        """Return the steps in which somebody looked, by series and time; see `LocalHistory.downsample`."""
        begin, end = _widened(since, until, width(step))
        where, every = _where(begin, end, which), _span(step)
        grouped = f"GROUP BY time({every}, {_micros(begin)}u), {GROUPED} fill(none)"
        looks = _counts(
            await self._ask(f"SELECT count(unknown), sum(up), sum(unknown) FROM {FROM} WHERE {where} {grouped}")
        )
        inner = f"SELECT count(up) AS c FROM {FROM} WHERE {where} GROUP BY time({FIVE_MINUTES}s), {GROUPED} fill(none)"
        covered = _counts(await self._ask(f"SELECT count(c) FROM ({inner}) WHERE {_when(begin, end)} {grouped}"))
        figures = await self._figures(key, where, grouped) if key else {}
        return [
            Step(
                name,
                at,
                int(told[0]),
                int(told[1] or 0),
                int(told[2]),
                int(covered.get((name, at), [0])[0]),
                figures.get((name, at)),
            )
            for (name, at), told in sorted(looks.items())
            if told[0]
        ]

    async def _figures(self, key: str, where: str, grouped: str) -> dict[tuple[Identity, datetime], Figures]:
        named = _name(key)
        asked = [f"{each}({named})" for each in ("count", "sum", "min", "max", "last")]
        asked += [f"percentile({named}, {share})" for share in (50, 95, 99)]
        columns = ", ".join(f"{how} AS {name}" for how, name in zip(asked, FIGURES, strict=True))
        found = _counts(await self._ask(f"SELECT {columns} FROM {FROM} WHERE {where} {grouped}"))
        return {place: _figure(told) for place, told in found.items() if told[0]}

    async def availability(self, since: datetime, until: datetime, which: Which = EVERY) -> list[Availability]:
        """Return how often each series answered in a period; see `LocalHistory.availability`."""
        begin, end = _widened(since, until, FIVE_MINUTES)
        steps = await self.downsample("", begin, end, end - begin, which)
        stretches = (end - begin) / timedelta(seconds=FIVE_MINUTES)
        return [Availability(one.series, one.looks, one.up, one.unknown, one.covered / stretches) for one in steps]

    async def quantile(
        self, key: str, since: datetime, until: datetime, share: float, which: Which = EVERY
    ) -> float | None:
        """Return a quantile of all values of a key; None of none."""
        where = _where(*_widened(since, until, FIVE_MINUTES), which)
        inner = f"SELECT {_name(key)} AS v FROM {FROM} WHERE {where}"
        found = await self._ask(f"SELECT percentile(v, {100 * share:g}) FROM ({inner})")
        if len(found) == 1:
            return float(found[0]["values"][0][1])
        # each kind of probe answers for itself, and of few values none does: then the values themselves are ranked
        values = sorted(float(row[1]) for series in await self._ask(inner) for row in series["values"])
        return values[rank(len(values), share) - 1] if values else None

    async def overview(self, key: str, since: datetime, until: datetime) -> list[Hour]:
        """Return the hours of all series in columns; see `LocalHistory.overview`."""
        return list(pivoted(await self.downsample(key, since, until, timedelta(seconds=HOUR))))


def _figure(told: Sequence[Any]) -> Figures:
    n, *rest = told
    low = rest[1]
    # InfluxQL gives no percentile of so few values that its rank would be 0: the least is the nearest
    return Figures(int(n), *(float(low if each is None else each) for each in rest))


def _widened(since: datetime, until: datetime, seconds: int) -> tuple[datetime, datetime]:
    unit = timedelta(seconds=seconds)
    return EPOCH + (since - EPOCH) // unit * unit, EPOCH - (EPOCH - until) // unit * unit


def _micros(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def _span(step: timedelta) -> str:
    return f"{step // MICROSECOND}u"


def _when(since: datetime, until: datetime) -> str:
    return f"time >= {_micros(since)}u AND time < {_micros(until)}u"


def _where(since: datetime, until: datetime, which: Which) -> str:
    parts = [_when(since, until)]
    if which.checks is not None:
        parts.append("(" + " OR ".join(f'"check" = {_text(check)}' for check in sorted(which.checks)) + ")")
    for tag, want in (("part", which.part), ("vantage", which.vantage)):
        if want is not None:
            parts.append(f'"{tag}" = {_text(want)}')
    return " AND ".join(parts)


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _name(key: str) -> str:
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _identity(tags: dict[str, str]) -> Identity:
    return tags.get("check", ""), tags.get("part", ""), tags.get("vantage", "")


def _counts(found: Iterable[dict[str, Any]]) -> dict[tuple[Identity, datetime], list[Any]]:
    """Return the figures of each series and step; a series that two kinds share stands in the one that has looks."""
    told: dict[tuple[Identity, datetime], list[Any]] = {}
    for series in found:
        name = _identity(series["tags"])
        for micros, *values in series["values"]:
            told[name, EPOCH + micros * MICROSECOND] = values
    return told


def _rows(found: Iterable[dict[str, Any]]) -> Iterator[Row]:
    for series in found:
        check, part, vantage = _identity(series["tags"])
        kind = series["name"].removeprefix(PREFIX)
        keys = series["columns"][1:]
        for micros, *stored in series["values"]:
            told = {key: value for key, value in zip(keys, stored, strict=True) if value is not None}
            up, unknown = told.pop("up", None), told.pop("unknown", 0)
            outcome = Outcome.UNKNOWN if unknown or up is None else Outcome.OK if up else Outcome.FAILED
            values: dict[str, Value] = told
            yield Row(check, part, kind, vantage, EPOCH + micros * MICROSECOND, outcome, values)
