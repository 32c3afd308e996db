"""The engine of zones: asks each server through the DNS engine, so that no address has two questions on its way."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Any

from probes.clock import Clock
from probes.dns import Dns, compiled
from probes.dns_engine import DnsEngine
from probes.dns_records import Records, read
from probes.dns_wire import WireError
from probes.model import Ask, Observation, Outcome, Part, Reading, Target
from probes.run import Each
from probes.zone import Case, Serials, Server, Zone, pairs, parts

QUESTION_SECONDS = 2.0
"""How long one question may take."""
AT_ONCE = 4
"""Zones that are looked at at the same time."""
PARENT_SECONDS = 3_600.0
"""Between two questions to the parent about one zone."""


class ZoneEngine:
    """Looks at zones; remembers since when each serial is out, and what the parent said."""

    def __init__(self, dns: DnsEngine, *, vantage: str, clock: Clock) -> None:
        self.capability = ""
        self._dns, self._clock = dns, clock
        self._each = Each(vantage=vantage, clock=clock, limit=AT_ONCE)
        self._serials: dict[str, Serials] = {}
        self._parents: dict[tuple[str, int], tuple[float, int, Records | None]] = {}
        """Zone and family -> when its parent was last asked, how often, and what it last said."""

    @property
    def bugs(self) -> int:
        """Exceptions caught at this boundary since the start."""
        return self._each.bugs

    async def ask(self, asks: Sequence[Ask]) -> AsyncIterator[list[Observation]]:
        """Yield each ask's observation once; never raises."""
        bound = [replace(ask, probe=_Bound(ask.probe, self, ask)) for ask in asks]
        async with aclosing(self._each.ask(bound)) as batches:
            async for batch in batches:
                yield batch

    async def close(self) -> None:
        """End what is open as UNKNOWN; the DNS engine is closed by its owner."""
        await self._each.close()

    async def read(self, zone: Zone, ask: Ask) -> Reading:
        """Look once."""
        named = pairs(zone.servers) or [(ask.target.address, ask.target.address)]
        try:
            parent = await self._parent(zone, ask)
            seen = await asyncio.gather(*(self._server(zone, ask, address) for _, address in named))
        except asyncio.CancelledError as error:
            error.add_note("not all of its servers could be asked")
            raise
        serials = self._serials.setdefault(zone.query, Serials())
        servers = dict(zip(_distinct([name for name, _ in named]), seen, strict=True))
        now, at = self._clock.now().timestamp(), self._clock.monotonic()
        return Reading(parts(Case(zone, servers, parent, serials, at, now)))

    async def _fetch(self, ask: Ask, address: str, dns: Dns) -> tuple[Part, bytes]:
        target = Target(ask.target.id, address, ask.target.family)
        return await self._dns.fetch(Ask(ask.check, target, dns, QUESTION_SECONDS, ask.at))

    async def _parent(self, zone: Zone, ask: Ask) -> Records | None:
        """Return what the parent says of the zone, as it was last asked: at most once an hour."""
        parents = pairs(zone.parents)
        if not parents:
            return None
        key, now = (zone.query, ask.target.family), self._clock.monotonic()
        asked, turn, known = self._parents.get(key, (now - PARENT_SECONDS, 0, None))
        if now - asked < PARENT_SECONDS:
            return known
        self._parents[key] = (now, turn + 1, known)
        dns = Dns(query=zone.query, rdtype="NS", dnssec=True, port=zone.port)
        said = _given(*await self._fetch(ask, parents[turn % len(parents)][1], dns), dns)
        if said is not None and said.servers:
            self._parents[key] = (now, turn + 1, said)
        return self._parents[key][2]

    async def _server(self, zone: Zone, ask: Ask, address: str) -> Server:
        """Ask one server: the SOA signed, the SOA over TCP, the keys, the name servers; one after the other."""
        soa = Dns(query=zone.query, dnssec=True, port=zone.port)
        part, message = await self._fetch(ask, address, soa)
        faults: list[str] = []
        if part.outcome is Outcome.FAILED and "rcode" not in part.values and (not part.refused or message):
            soa = replace(soa, dnssec=False)
            small, message = await self._fetch(ask, address, soa)
            faults = ["its signed answer is lost over UDP, the small one comes"]
            part = small if small.outcome is Outcome.OK else part
        records = _given(part, message, soa)
        if part.outcome is not Outcome.OK or records is None:
            return Server(silent=part.reason or "what it sent cannot be read")
        values = {key: part.values[key] for key in ("rtt_seconds", "soa_serial", "nsid") if key in part.values}
        values |= {"answer_bytes": len(message), "edns_bytes": records.edns_bytes}
        server = Server(soa=records, values=values, faults=faults)
        await self._over_tcp(ask, address, replace(soa, transport="tcp", dnssec=True), server)
        await self._keys(ask, address, replace(soa, rdtype="DNSKEY", dnssec=True), server)
        ns = replace(soa, rdtype="NS", dnssec=False)
        names = _given(*await self._fetch(ask, address, ns), ns)
        server.names = names.servers if names else frozenset()
        return server

    async def _over_tcp(self, ask: Ask, address: str, soa: Dns, server: Server) -> None:
        part, message = await self._fetch(ask, address, soa)
        if part.outcome is Outcome.OK:
            server.values["tcp_rtt_seconds"] = part.values["rtt_seconds"]
            if server.faults:  # only TCP brings the signatures
                server.soa = _given(part, message, soa) or server.soa
        elif part.outcome is Outcome.FAILED:
            reason = part.reason.removeprefix("over TCP ")
            server.faults.append(f"over TCP: {reason}")

    async def _keys(self, ask: Ask, address: str, dns: Dns, server: Server) -> None:
        part, message = await self._fetch(ask, address, dns)
        if not message and not part.refused and "tcp_rtt_seconds" in server.values:
            part, message = await self._fetch(ask, address, replace(dns, transport="tcp"))
            if part.outcome is Outcome.OK and not server.faults:
                server.faults.append(
                    f"large answers are lost over UDP: its keys ({len(message)} bytes) come over TCP alone"
                )
        elif part.reason.startswith("truncated over UDP; over TCP"):
            server.faults.append(part.reason)
        server.keys = _given(part, message, dns)
        if server.keys is not None:
            server.values["answer_bytes"] = max(len(message), int(server.values["answer_bytes"]))


@dataclass(frozen=True, slots=True)
class _Bound:
    """A zone with the engine that reads it."""

    zone: Zone
    engine: ZoneEngine
    ask: Ask
    kind: str = Zone.kind

    async def read(self, _: Any) -> Reading:
        """Look once."""
        return await self.engine.read(self.zone, self.ask)


def _given(part: Part, message: bytes, dns: Dns) -> Records | None:
    """Return what an answer says, or None when it is an error, or none that can be read."""
    if part.values.get("rcode") != 0:
        return None
    with suppress(WireError):
        return read(message, compiled(dns))
    return None


def _distinct(names: Sequence[str]) -> list[str]:
    """Return each name once: a server with a second address is told apart by a number."""
    return [name if (turn := names[:at].count(name)) == 0 else f"{name} {turn + 1}" for at, name in enumerate(names)]
