"""RIS Live (RIPE NCC): a websocket that tells what the collectors' peers announce and withdraw. It keeps the table."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from probes.bgp_table import Table
from probes.clock import Clock

log = logging.getLogger(__name__)

URL = "wss://ris-live.ripe.net/v1/ws/"
AT_ONCE = 200
"""Prefixes in one subscription."""
PING_SECONDS = 20.0
"""Between two pings of the websocket; an answer that stays away ends the connection."""
CONNECT_SECONDS = 15.0
FIRST, LONGEST = 1.0, 60.0
"""Seconds before it is tried again: doubled each time, up to the longest."""
START_SECONDS = 60.0
"""So long may the first connection take before the stream is called blind."""
QUIET_SECONDS = 600.0
QUIET_TIMES = 20.0
"""No message for longer than both this and so many times the usual: it is blind, whatever the connection says."""
MOST_BYTES = 4 << 20


class RisLive:
    """A `Feed`: runs until cancelled, reconnects by itself, says when it is blind."""

    def __init__(self, table: Table, clock: Clock, *, url: str = URL, agent: str = "lambi") -> None:
        self.table = table
        self.messages = 0
        self.malformed = 0
        """Messages that could not be read."""
        self.gaps = 0
        """Times that the stream broke off."""
        self._clock, self._url, self._agent = clock, url, agent
        self._host = urlsplit(url).hostname or url
        self._began = clock.monotonic()
        self._since: float | None = None
        """Since when it is connected."""
        self._last = 0.0
        """When the last message came."""
        self._mean = 0.0
        """Seconds between two messages, as they have come of late."""
        self._why = "no connection yet"

    def young(self, at: float) -> bool:
        """Whether it has had no time to connect yet."""
        return self._since is None and not self.gaps and at - self._began < START_SECONDS

    def blind(self, at: float) -> str:
        """Say why nothing can be known from it, or ""."""
        if self._since is None:
            return f"the stream of {self._host} is not there: {self._why}"
        silent = at - max(self._last, self._since)
        if silent > max(QUIET_SECONDS, QUIET_TIMES * self._mean):
            return f"the stream of {self._host} has told nothing for {silent:.0f} s"
        return ""

    async def run(self, nudge: Callable[[str], None]) -> None:
        """Keep the table; ``nudge`` hears ``TERRITORY/FAMILY`` when a prefix of it is lost or comes back."""
        pause = FIRST
        while True:
            try:
                await self._stream(nudge)
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                self._why = f"{type(error).__name__}: {error}"[:200] if str(error) else type(error).__name__
            if self._since is not None:
                self.gaps += 1
                pause = FIRST
                self._since = None
            self.table.clear()
            log.warning("ris live gap: %s; again in %.0f s", self._why, pause)
            await self._clock.sleep_until(self._clock.monotonic() + pause)
            pause = min(LONGEST, 2 * pause)

    async def _stream(self, nudge: Callable[[str], None]) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        headers = {"User-Agent": self._agent}
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.ws_connect(self._url, heartbeat=PING_SECONDS, max_msg_size=MOST_BYTES) as socket,
        ):
            for wish in subscriptions(tuple(self.table.blocks)):
                await socket.send_str(json.dumps({"type": "ris_subscribe", "data": wish}))
            self._since = self._last = self._clock.monotonic()
            self._mean = 0.0
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data, nudge)
            self._why = f"closed by the other side ({socket.close_code})"

    def _take(self, text: str, nudge: Callable[[str], None]) -> None:
        """Take one message; what cannot be read is counted."""
        try:
            whole = json.loads(text)
            if whole["type"] == "ris_error":
                log.warning("ris live error: %.200s", whole["data"])
            elif whole["type"] == "ris_message":
                self._heard(whole["data"], nudge)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.malformed += 1

    def _heard(self, data: Mapping[str, Any], nudge: Callable[[str], None]) -> None:
        now = self._clock.monotonic()
        for territory, family in self.table.hear(data, now):
            nudge(f"{territory}/{family}")
        self._mean += (now - self._last - self._mean) / min(self.messages + 1, 100)
        self._last = now
        self.messages += 1


def subscriptions(blocks: Sequence[str]) -> list[dict[str, Any]]:
    """Return what to subscribe to: every block with all that is announced of it, and the state of the peers."""
    wishes: list[dict[str, Any]] = [{"type": "RIS_PEER_STATE"}]
    for start in range(0, len(blocks), AT_ONCE):
        some = list(blocks[start : start + AT_ONCE])
        wishes.append({"type": "UPDATE", "prefix": some, "moreSpecific": True, "socketOptions": {"includeRaw": False}})
    return wishes
