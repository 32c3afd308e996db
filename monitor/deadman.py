"""The dead man's switch, wired: our heartbeat to those who wait for it, and the ear for that of our peers."""

import secrets
from collections.abc import Callable

from aiohttp import web

from monitor.config.settings import Settings
from monitor.heart import Heart
from monitor.heartbeat import Gatekeeper, Heartbeat, Peer, Vitals, stuck, unwell
from monitor.peers import Peers
from monitor.web.heartbeat import add_heartbeat
from probes.clock import Clock


class DeadMan:
    """``sees``: whether this vantage sees the world over a family; ``vitals``: when the daemon last did its work."""

    def __init__(
        self, settings: Settings, clock: Clock, sees: Callable[[int], bool], vitals: Callable[[], Vitals]
    ) -> None:
        self._beats, self._clock, self._vitals = settings.beats, clock, vitals
        self._began = clock.monotonic()
        checks, peers = settings.world.checks.values(), settings.beats.peers
        self._fastest = min((check.every for check in checks if check.kind != Heartbeat.kind), default=0.0)
        self.engine = Peers(peers, checks, settings.world.vantage, clock, sees)
        self.heart = Heart(settings.beats, self.unwell, clock, settings.user_agent)

    def unwell(self) -> str:
        """Say why this daemon must not claim to be alive, or ""."""
        return unwell(self._vitals(), self._fastest, self._clock.monotonic())

    def stuck(self, *, waits: bool) -> str:
        """Say why a service manager should start this daemon anew, or ""; ``waits``: the line waits for the disk."""
        return stuck(self._vitals(), self._fastest, self._clock.monotonic(), self._began, waits=waits)

    def open(self, app: web.Application, again: Callable[[str, float], None]) -> None:
        """Let peers tell the operators' door that they are alive; ``again`` has a check looked at."""

        def hear(peer: Peer, family: int) -> None:
            self.engine.hear(peer, family)
            again(peer.check, 0.0)  # whether that ends its silence is seen at once

        if self._beats.peers:
            add_heartbeat(app, Gatekeeper(self._beats, secrets.token_bytes(32)), hear, self._clock)
