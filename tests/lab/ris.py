"""A server that speaks as RIS Live does, fed from a router's routes: ``python -m tests.lab.ris NAMESPACE GATE``.

It is silent until there is a file GATE. It plays the peers of a collector that all have their routes from the hub: who
subscribes is told what there is, then each announcement and withdrawal as the routes come and go, by every peer.
"""

import asyncio
import json
import sys
from collections.abc import Iterable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from tests.lab.net import Namespace
from tests.lab.topology import HUB_ASN, ISLANDS, RIS

PEERS = 10
TRANSIT = 65550
"""The network by which every peer reaches the hub."""
LOOK_SECONDS = 0.2
ORIGINS = {network: island.asn for island in ISLANDS.values() for network in island.networks}


class Collector:
    """What the peers see, and who listens."""

    def __init__(self, router: Namespace, gate: Path) -> None:
        self._router, self._gate = router, gate
        self._seen: frozenset[str] = frozenset()
        self._listeners: dict[web.WebSocketResponse, list[Any]] = {}
        """Socket -> the blocks that it has asked for."""

    async def serve(self) -> None:
        """Listen, then look at the routes until cancelled."""
        app = web.Application()
        app.router.add_get("/v1/ws/", self._listen)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, *RIS).start()
        while True:
            routes = await asyncio.to_thread(self._router.routes) if self._gate.exists() else set()
            now = frozenset(network for network, _ in routes if network in ORIGINS)
            gone, new, self._seen = self._seen - now, now - self._seen, now
            for socket, blocks in list(self._listeners.items()):
                await _tell(socket, blocks, new, gone)
            await asyncio.sleep(LOOK_SECONDS)

    async def _listen(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        blocks = self._listeners[socket] = []
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                wish = json.loads(message.data)["data"]
                if wish["type"] == "UPDATE":
                    assert wish["moreSpecific"]
                    asked = [ip_network(prefix) for prefix in wish["prefix"]]
                    blocks += asked
                    await _tell(socket, asked, self._seen, ())
        del self._listeners[socket]
        return socket


async def _tell(socket: web.WebSocketResponse, blocks: list[Any], new: Iterable[str], gone: Iterable[str]) -> None:
    """Say what has come and what has gone of these blocks, as every peer says it."""

    def wanted(prefixes: Iterable[str]) -> list[str]:
        return [one for one in sorted(prefixes) if any(_within(one, block) for block in blocks)]

    updates = [{"withdrawals": wanted(gone)}]
    for network in wanted(new):
        told = [{"next_hop": "198.18.0.1", "prefixes": [network]}]
        updates.append({"path": [TRANSIT, HUB_ASN, ORIGINS[network]], "announcements": told})
    for update in updates:
        for number in range(PEERS if update.get("withdrawals", True) else 0):
            peer = {"host": "rrc-lab", "peer": f"203.0.113.{number + 1}", "peer_asn": str(TRANSIT), "type": "UPDATE"}
            await socket.send_str(json.dumps({"type": "ris_message", "data": peer | update}))


def _within(prefix: str, block: Any) -> bool:
    network = ip_network(prefix)
    return bool(network.version == block.version and network.subnet_of(block))


if __name__ == "__main__":
    asyncio.run(Collector(Namespace(sys.argv[1]), Path(sys.argv[2])).serve())
