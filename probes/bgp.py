"""BGP visibility: what a territory's networks look like from the world's routers, by a stream that keeps a table."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from probes.bgp_table import Figure, Table
from probes.clock import Clock
from probes.model import Ask, Observation, Outcome, Part, Value


@dataclass(frozen=True, slots=True)
class Bgp:
    """How visible a territory is over the family of its target; without a territory, how the stream itself does."""

    kind: ClassVar[str] = "bgp"
    columns: ClassVar[Mapping[str, float | None]] = {
        "prefixes_visible": 1.0,
        "prefixes_judged": 1.0,
        "prefixes_lost_ratio": 1e-4,
        "prefixes_young": 1.0,
        "prefixes_left_out": 1.0,
        "messages": 1.0,
    }
    territory: str = ""


class Stream(Protocol):
    """What the engine asks of a stream."""

    table: Table
    messages: int

    def blind(self, at: float) -> str:
        """Say why nothing can be known from it at a moment (monotonic), or ""."""
        ...

    def young(self, at: float) -> bool:
        """Whether it has had no time to connect yet."""
        ...


class BgpEngine:
    """Answers from the table; nothing is sent."""

    def __init__(self, stream: Stream, *, vantage: str, clock: Clock) -> None:
        self.capability = ""
        self.bugs = 0
        self._stream, self._vantage, self._clock = stream, vantage, clock

    async def ask(self, asks: Sequence[Ask]) -> AsyncIterator[list[Observation]]:
        """Yield each ask's observation once, all together."""
        at, now = self._clock.monotonic(), self._clock.now()
        yield [
            Observation(ask.check, ask.target, Bgp.kind, self._vantage, ask.at, now, 0.0, {"": self._part(ask, at)})
            for ask in asks
        ]

    async def close(self) -> None:
        """Nothing is held."""

    def _part(self, ask: Ask, at: float) -> Part:
        blind, territory = self._stream.blind(at), ask.probe.territory
        if blind and (territory or self._stream.young(at)):
            return Part(Outcome.UNKNOWN, f"cannot be known: {blind}" if territory else blind)
        if not territory:
            values: dict[str, Value] = {"messages": self._stream.messages}
            return Part(Outcome.FAILED if blind else Outcome.OK, blind, values)
        return judged(self._stream.table.figure(territory, ask.target.family, at))


def judged(figure: Figure) -> Part:
    """Say what a figure means: half of what is announced gone is an outage; less is graded by the rule's thresholds."""
    beside = f"{figure.young} more heard of too little" if figure.young else ""
    out = f"{figure.left_out} left out, of networks that are not known to serve it" if figure.left_out else ""
    values: dict[str, Value] = {"prefixes_young": figure.young, "prefixes_left_out": figure.left_out}
    if not figure.judged:
        rest = "; ".join(filter(None, (beside, out)))
        reason = f"not yet heard, of {figure.blocks} delegated blocks"
        return Part(Outcome.UNKNOWN, f"{reason}: {rest}" if rest else reason, values)
    values |= {
        "prefixes_judged": figure.judged,
        "prefixes_visible": figure.judged - figure.lost,
        "prefixes_lost_ratio": figure.lost / figure.judged,
    }
    if not figure.lost:
        return Part(Outcome.OK, out, values)
    reason = (
        f"{figure.lost} of {figure.judged} announced prefixes have left the world's table: {', '.join(figure.worst)}"
    )
    if figure.lost * 2 >= figure.judged:
        return Part(Outcome.FAILED, reason, values, refused=True)
    return Part(Outcome.OK, reason, values)
