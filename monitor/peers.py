"""The ear for other Lambis: keeps when each was last heard, and answers the checks that ask whether one is silent."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace

from monitor.heartbeat import Ear, Heartbeat, Peer, heard, listen
from monitor.model import Check
from probes.clock import Clock
from probes.model import Ask, Observation


class Peers:
    """An engine that sends nothing. ``sees``: whether this vantage sees the world over an address family."""

    capability = ""
    bugs = 0

    def __init__(
        self,
        peers: Iterable[Peer],
        checks: Iterable[Check],
        vantage: str,
        clock: Clock,
        sees: Callable[[int], bool],
    ) -> None:
        self._vantage, self._clock, self._sees = vantage, clock, sees
        families = {check.id: check.target.family for check in checks if check.kind == Heartbeat.kind}
        began = clock.monotonic()
        self._ears = {peer.check: Ear(began, families[peer.check]) for peer in peers}

    def hear(self, peer: Peer, family: int) -> None:
        """Take note of a heartbeat; ``family`` 0 when nobody can say over which it came."""
        self._ears[peer.check] = heard(self._ears[peer.check], family, self._clock.monotonic())

    async def ask(self, asks: Sequence[Ask]) -> AsyncIterator[list[Observation]]:
        """Say of each peer whether it is silent; never raises."""
        yield [self.look(ask) for ask in asks]

    def look(self, ask: Ask) -> Observation:
        """Say whether one peer is silent; the look counts for the family over which it is heard."""
        now, ear = self._clock.now(), self._ears[ask.check]
        after, part = listen(ear, ask.probe.grace, self._clock.monotonic(), sees=self._sees(ear.family))
        self._ears[ask.check] = after
        target = replace(ask.target, family=ear.family)
        return Observation(ask.check, target, Heartbeat.kind, self._vantage, ask.at, now, 0.0, {"": part})

    async def close(self) -> None:
        """Nothing is open."""
