"""DNS: does one server answer for one name, and with authority."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from probes.dns_wire import RCODES, Answer, Query, build
from probes.model import Outcome, Part, Value

_MEANING = {
    2: ": it cannot serve {name} now",
    3: ": it says that {name} does not exist",
    5: ": it does not serve {name}",
    9: ": it does not serve {name}",
}


@dataclass(frozen=True, slots=True)
class Dns:
    """One query to one server; OK when it answers NOERROR with the record, and (unless a resolver) with authority."""

    kind: ClassVar[str] = "dns"
    columns: ClassVar[Mapping[str, float | None]] = {
        "rtt_seconds": 1e-6,
        "rcode": 1.0,
        "aa": 1.0,
        "soa_serial": 1.0,
        "nsid": None,
    }
    query: str = "."
    rdtype: str = "SOA"
    authoritative: bool = True
    """False asks a resolver: recursion is desired, and authority is not."""
    dnssec: bool = False
    """Signatures are asked for too."""
    transport: str = "udp"
    """udp, where an answer that is truncated is fetched over TCP; or tcp."""
    udp_bytes: int = 1232
    """The largest answer over UDP that is asked for (EDNS)."""
    port: int = 53

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65_535:
            raise ValueError(f"port: {self.port}; 1 to 65535 expected")
        if self.transport not in {"udp", "tcp"}:
            raise ValueError(f"transport: {self.transport!r}; udp or tcp expected")
        if not 512 <= self.udp_bytes <= 4_096:
            raise ValueError(f"udp_bytes: {self.udp_bytes}; 512 to 4096 expected")
        compiled(self)


@lru_cache(maxsize=4_096)
def compiled(dns: Dns) -> Query:
    """Build the query once for each setting; raises ValueError."""
    recursion = not dns.authoritative
    return build(dns.query, dns.rdtype, dnssec=dns.dnssec, recursion=recursion, udp_bytes=dns.udp_bytes)


def verdict(dns: Dns, answer: Answer, rtt: float) -> Part:
    """Say what a readable answer means; every failure here is an answer, so ``refused`` is set."""
    values: dict[str, Value] = {"rtt_seconds": rtt, "rcode": answer.rcode, "aa": int(answer.aa)}
    if answer.soa_serial is not None:
        values["soa_serial"] = answer.soa_serial
    if answer.nsid:
        values["nsid"] = answer.nsid
    reason = _fault(dns, answer)
    return Part(Outcome.FAILED if reason else Outcome.OK, reason, values, refused=bool(reason))


def _fault(dns: Dns, answer: Answer) -> str:
    if answer.rcode:
        word = RCODES.get(answer.rcode, f"RCODE{answer.rcode}")
        return f"answers {word}{_MEANING.get(answer.rcode, '').format(name=dns.query)}"
    if dns.authoritative and not answer.aa:
        return f"lame: it answers for {dns.query} without authority"
    if not answer.answered:
        return f"answers without the {dns.rdtype} of {dns.query}"
    return ""
