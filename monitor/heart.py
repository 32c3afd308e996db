"""Our own heartbeat: it leaves for each who waits for it while this daemon does what it is there for, and only then."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping

import aiohttp

from monitor.heartbeat import CHALLENGE, SIGNATURE, Beats, Peer, Watcher, sign
from probes.clock import Clock

log = logging.getLogger("lambi.heart")

TRIES = 3
"""Of one heartbeat."""
PAUSE_SECONDS = 2.0
"""Between two tries, and before it is asked again whether this daemon is well."""
LONGEST_CHALLENGE = 128


class Heart:
    """Beats until cancelled. ``unwell``: why this daemon must not claim to be alive, or ""."""

    def __init__(self, beats: Beats, unwell: Callable[[], str], clock: Clock, agent: str = "lambi") -> None:
        self._beats, self._unwell, self._clock, self._agent = beats, unwell, clock, agent
        self._ways: Mapping[str, Watcher | Peer] = {
            **{one.id: one for one in beats.watchers},
            **{f"peer {one.id}": one for one in beats.peers if one.url},
        }
        self._said: dict[str, str] = {}
        """Who waits for our heartbeat -> why it does not get there, or ""."""

    def __bool__(self) -> bool:
        """Whether anybody waits for it."""
        return bool(self._ways)

    def trouble(self) -> tuple[str, ...]:
        """Say which heartbeats do not get through, and why."""
        return tuple(f"no heartbeat reaches {name}: {why}" for name, why in self._said.items() if why)

    async def run(self) -> None:
        """Beat for each in a task of its own, so that one who hangs delays no other."""
        timeout = aiohttp.ClientTimeout(total=self._beats.timeout)
        headers = {"User-Agent": self._agent or "lambi"}
        jar = aiohttp.DummyCookieJar()
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers, cookie_jar=jar) as session,
            asyncio.TaskGroup() as tasks,
        ):
            for name, way in self._ways.items():
                tasks.create_task(self._keep(session, name, way))

    async def _keep(self, session: aiohttp.ClientSession, name: str, way: Watcher | Peer) -> None:
        while True:
            began = self._clock.monotonic()
            why = self._unwell()
            if why:
                self._note(name, f"this daemon holds it back, for {why}")
                await self._clock.sleep_until(began + PAUSE_SECONDS)
                continue
            self._note(name, await self._beat(session, way, began + self._beats.every))
            await self._clock.sleep_until(began + self._beats.every)

    async def _beat(self, session: aiohttp.ClientSession, way: Watcher | Peer, until: float) -> str:
        """Try a few times before the next is due; return why it did not get there, or ""."""
        why = ""
        for number in range(TRIES):
            if number:
                await self._clock.sleep_until(self._clock.monotonic() + PAUSE_SECONDS * number)
                if self._clock.monotonic() >= until or self._unwell():
                    break
            why = await self._once(session, way)
            if not why:
                break
        return why

    async def _once(self, session: aiohttp.ClientSession, way: Watcher | Peer) -> str:
        try:
            if isinstance(way, Peer):
                return await knock(session, way, self._beats.name)
            async with session.request(way.method, way.url, allow_redirects=False) as response:
                return "" if 200 <= response.status < 300 else f"it answered {response.status}"
        except TimeoutError:
            return f"no answer within {self._beats.timeout:g} s"
        except aiohttp.ClientConnectorError as error:
            number = error.os_error.errno or 0  # a resolver's are negative
            return f"cannot connect: {os.strerror(number)}" if number > 0 else "its name is not known"
        except (aiohttp.ClientError, OSError, ValueError) as error:  # an address may stand in the error's own words
            return f"no answer that can be understood ({type(error).__name__})"

    def _note(self, name: str, why: str) -> None:
        before = self._said.get(name)
        self._said[name] = why
        if why and not before:
            log.warning("no heartbeat reaches %s: %s", name, why)
        elif before and not why:
            log.info("the heartbeat reaches %s again", name)


async def knock(session: aiohttp.ClientSession, peer: Peer, name: str) -> str:
    """Ask a peer for a challenge and answer it; return why it did not take our heartbeat, or ""."""
    challenge, url, asked = "", f"{peer.url}/heartbeat", {"from": name, "to": peer.id}
    for _ in range(3):  # the challenge may have run out on the way
        signed = {CHALLENGE: challenge, SIGNATURE: sign(peer.secret, name, peer.id, challenge)} if challenge else {}
        async with session.post(url, params=asked, headers=signed, allow_redirects=False) as response:
            if response.status == 204:
                return ""
            given = response.headers.get(CHALLENGE, "")
            if response.status != 401 or not 0 < len(given) <= LONGEST_CHALLENGE:
                return f"it answered {response.status}, and is perhaps no Lambi"
            if given == challenge:
                break
            challenge = given
    return "it does not take our signature: both sides need the same secret, and the names they give each other"
