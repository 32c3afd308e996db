"""What an answer says of a zone, pure: signatures, keys, name servers, DS (RFC 1035, RFC 4034), read by hand."""

import hashlib
import struct
from dataclasses import dataclass, field

from probes.dns_wire import OPT, SOA, Query, WireError, name_at, owned, records, skip_name, skip_question

NS, DS, RRSIG, DNSKEY = 2, 43, 46, 48
_HEADER = struct.Struct("!HHHHHH")
_TIMERS = struct.Struct("!IIIII")
_SIGNATURE = struct.Struct("!HBBIIIH")
_HALF = 1 << 31
DIGESTS = {1: "sha1", 2: "sha256", 4: "sha384"}
"""RFC 8624, by the number of the digest; one that is not listed cannot be compared."""


@dataclass(frozen=True, slots=True)
class Signature:
    """An RRSIG: what it covers, between which moments it holds (seconds, see `ahead`), and by which key."""

    covers: int
    begins: int
    ends: int
    tag: int


@dataclass(frozen=True, slots=True)
class Records:
    """What one answer says of the name that was asked for."""

    serial: int | None = None
    patience: int = 0
    """Seconds that the zone grants a secondary before it asks again after a failure: refresh and retry."""
    signatures: tuple[Signature, ...] = ()
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    """DNSKEY data."""
    ds: tuple[bytes, ...] = ()
    servers: frozenset[str] = frozenset()
    """NS, lower case, without the last dot."""
    edns_bytes: int = 0
    """The largest UDP message that the server takes; 0: it knows no EDNS."""


def read(message: bytes, query: Query) -> Records:
    """Read a reply to ``query``, also what a referral says of its name; raises WireError and nothing else."""
    try:
        return _read(message, query)
    except (struct.error, IndexError) as error:
        raise WireError("it ends too early") from error


def _read(message: bytes, query: Query) -> Records:
    _, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(message)
    at = skip_question(message, questions, query, failed=flags & 15 != 0)
    serial, patience, edns = None, 0, 0
    signatures: list[Signature] = []
    found: dict[int, list[bytes]] = {DNSKEY: [], DS: []}
    servers: set[str] = set()
    for index, (owner, rdtype, _, start, end) in enumerate(records(message, at, answers + authorities + additionals)):
        if rdtype == OPT and index >= answers + authorities:
            edns = int.from_bytes(message[start - 8 : start - 6], "big")
        if index >= answers + authorities or not owned(message, owner, query.question):
            continue
        if rdtype == RRSIG:
            signatures.append(_signature(message, start, end))
        elif rdtype == NS:
            servers.add(_text(name_at(message, start)))
        elif rdtype in found:
            found[rdtype].append(message[start:end])
        elif rdtype == SOA and index < answers:
            serial, patience = _soa(message, start, end)
    keys, ds = tuple(found[DNSKEY]), tuple(found[DS])
    return Records(serial, patience, tuple(signatures), keys, ds, frozenset(servers), edns)


def _soa(message: bytes, start: int, end: int) -> tuple[int, int]:
    """RFC 1035 3.3.13: the serial, and refresh plus retry."""
    numbers = skip_name(message, skip_name(message, start))
    if numbers + _TIMERS.size != end:
        raise WireError("no SOA")
    serial, refresh, retry, _, _ = _TIMERS.unpack_from(message, numbers)
    return serial, refresh + retry


def _signature(message: bytes, start: int, end: int) -> Signature:
    """RFC 4034 3.1."""
    if end - start <= _SIGNATURE.size:
        raise WireError("no signature")
    covers, _, _, _, ends, begins, tag = _SIGNATURE.unpack_from(message, start)
    return Signature(covers, begins, ends, tag)


def _text(name: bytes) -> str:
    """Return a name of the wire as people write it; what is not printable ASCII is escaped."""
    labels, at = [], 0
    while length := name[at]:
        label = name[at + 1 : at + 1 + length].decode("latin-1")
        labels.append("".join(c if "!" <= c <= "~" and c not in ".\\" else f"\\{ord(c):03d}" for c in label))
        at += length + 1
    return ".".join(labels)


def ahead(moment: int, now: float) -> float:
    """Return how many seconds a signature's moment lies ahead of ``now``, a Unix time (RFC 4034 3.1.5, by RFC 1982)."""
    return float((moment - int(now) + _HALF) % (1 << 32) - _HALF)


def newer(one: int, other: int) -> bool:
    """Whether a serial is newer than another (RFC 1982)."""
    return one != other and (one - other) % (1 << 32) < _HALF


def tag(key: bytes) -> int:
    """Return the key tag of a DNSKEY's data (RFC 4034 appendix B)."""
    total = sum(byte if place & 1 else byte << 8 for place, byte in enumerate(key))
    return (total + (total >> 16)) & 0xFFFF


def fits(ds: bytes, key: bytes, owner: bytes) -> bool | None:
    """Whether a DS stands for a key of ``owner`` (wire form); None when its digest is of a kind that is not known."""
    if len(ds) < 5 or len(key) < 5:
        return False
    digest = DIGESTS.get(ds[3])
    if digest is None:
        return None
    if int.from_bytes(ds[:2], "big") != tag(key) or ds[2] != key[3]:
        return False
    return hashlib.new(digest, owner + key, usedforsecurity=False).digest() == ds[4:]
