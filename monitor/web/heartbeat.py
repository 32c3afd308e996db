"""Peers tell the operators' door that they are alive: a heartbeat is taken when it answers the challenge of now.

Whoever cannot sign learns nothing: any name is given a challenge, and every refusal is the same.
"""

import ipaddress
from collections.abc import Callable

from aiohttp import web

from monitor.heartbeat import CHALLENGE, SIGNATURE, Gatekeeper, Peer
from probes.clock import Clock

LONGEST_NAME = 63


def add_heartbeat(app: web.Application, gate: Gatekeeper, hear: Callable[[Peer, int], None], clock: Clock) -> None:
    """Take ``POST /heartbeat?from=THEM&to=US``; ``hear(peer, address family or 0)`` for each that is true."""

    async def heartbeat(request: web.Request) -> web.Response:
        at, peer = clock.monotonic(), request.query.get("from", "")[:LONGEST_NAME]
        given, signature = request.headers.get(CHALLENGE, ""), request.headers.get(SIGNATURE, "")
        if (known := gate.take(peer, request.query.get("to", ""), given, signature, at)) is not None:
            hear(known, _family(request.remote or ""))
            return web.Response(status=204)
        headers = {CHALLENGE: gate.challenge(peer, at), "Cache-Control": "no-store"}
        return web.Response(status=401, text="Sign the challenge.\n", headers=headers)

    app.router.add_post("/heartbeat", heartbeat)


def _family(remote: str) -> int:
    """Return the address family; 0 behind a proxy on this machine, where nobody can say."""
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return 0
    mapped = getattr(address, "ipv4_mapped", None) or address
    return 0 if mapped.is_loopback else int(mapped.version)
