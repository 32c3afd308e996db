"""All engines of a process, by the kind of probe they run."""

from collections.abc import Mapping

from probes.clock import Clock
from probes.dns import Dns
from probes.dns_engine import DnsEngine
from probes.http import Http
from probes.icmp import Icmp, IcmpEngine
from probes.model import Engine
from probes.run import Each
from probes.snmp import Snmp
from probes.snmp_engine import SnmpEngine
from probes.tcp import Tcp
from probes.zone import Zone
from probes.zone_engine import ZoneEngine


def build(*, vantage: str, clock: Clock) -> dict[str, Engine]:
    """Make one engine for each kind; raw sockets are opened here, before privileges are dropped."""
    dns = DnsEngine(vantage=vantage, clock=clock)
    return {
        Icmp.kind: IcmpEngine(vantage=vantage, clock=clock),
        Dns.kind: dns,
        Tcp.kind: Each(vantage=vantage, clock=clock),
        Http.kind: Each(vantage=vantage, clock=clock, limit=64),
        Snmp.kind: SnmpEngine(vantage=vantage, clock=clock),
        Zone.kind: ZoneEngine(dns, vantage=vantage, clock=clock),
    }


def capabilities(engines: Mapping[str, Engine]) -> tuple[str, ...]:
    """One sentence for each engine that cannot do everything here."""
    return tuple(engine.capability for engine in engines.values() if engine.capability)


async def close(engines: Mapping[str, Engine]) -> None:
    """Close every engine; open asks end UNKNOWN."""
    for engine in engines.values():
        await engine.close()
