"""The SNMP engine: many devices at once, one question at a time to each, and rates from what they counted before."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from probes.clock import Clock
from probes.model import Ask, Observation, Outcome, Part, Value
from probes.run import Each

RATES = {"if_in_octets": "if_in_octets_per_second", "if_out_octets": "if_out_octets_per_second"}
SHORTEST = 1.0
"""Seconds between two looks from which a rate is worth something."""
AT_ONCE = 64
"""Devices that are asked at the same time: each is a socket."""

Counted = tuple[float, Mapping[str, Mapping[str, Value]]]
"""Uptime of the device in seconds, and part -> its values."""


class SnmpEngine:
    """Asks devices by ``Snmp.read``; remembers the last good look of each check."""

    def __init__(self, *, vantage: str, clock: Clock) -> None:
        self.capability = ""
        self._each = Each(vantage=vantage, clock=clock, limit=AT_ONCE)
        self._last: dict[str, Counted] = {}

    @property
    def bugs(self) -> int:
        """Exceptions caught at this boundary since the start."""
        return self._each.bugs

    async def ask(self, asks: Sequence[Ask]) -> AsyncIterator[list[Observation]]:
        """Yield each ask's observation once; never raises."""
        async with aclosing(self._each.ask(asks)) as batches:
            async for batch in batches:
                yield [self._rated(look) for look in batch]

    async def close(self) -> None:
        """End what is open as UNKNOWN."""
        await self._each.close()

    def _rated(self, look: Observation) -> Observation:
        uptime = look.parts[""].values.get("uptime_seconds") if "" in look.parts else None
        if not isinstance(uptime, int | float):
            return look
        before = self._last.get(look.check)
        self._last[look.check] = uptime, {name: part.values for name, part in look.parts.items() if name}
        if before is None:
            return look
        return replace(look, parts={name: rated(name, part, uptime, before) for name, part in look.parts.items()})


def rated(name: str, part: Part, uptime: float, before: Counted) -> Part:
    """Add what came and went per second since the last look, by the device's own clock; nothing after a restart."""
    earlier, seconds = before[1].get(name), uptime - before[0]
    if earlier is None or seconds < SHORTEST or part.outcome is not Outcome.OK:
        return part
    rates: dict[str, Value] = {}
    for key, rate in RATES.items():
        old, new = earlier.get(key), part.values.get(key)
        if isinstance(old, int) and isinstance(new, int) and new >= old:  # else counters were cleared
            rates[rate] = (new - old) / seconds
    return replace(part, values={**part.values, **rates})
