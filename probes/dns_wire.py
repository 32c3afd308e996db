"""DNS on the wire, pure: the query by dnspython, the reply by hand (RFC 1035, EDNS RFC 6891, NSID RFC 5001)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_TYPES = struct.Struct("!HH")
_SOA_NUMBERS = 20
SOA, OPT, NSID = 6, 41, 3
_AT_QUESTION = b"\xc0\x0c"
_NSID_CHARACTERS = 64
RCODES = {
    0: "NOERROR",
    1: "FORMERR",
    2: "SERVFAIL",
    3: "NXDOMAIN",
    4: "NOTIMP",
    5: "REFUSED",
    9: "NOTAUTH",
    16: "BADVERS",
}


class WireError(ValueError):
    """Bytes that are no reply to the question."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question ready to leave: two bytes of id go before ``tail``."""

    tail: bytes
    question: bytes
    """As on the wire, lower case."""
    rdtype: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reply says of the question."""

    rcode: int
    aa: bool
    tc: bool
    answered: bool
    """A record of the type and name asked for stands in the answer section."""
    soa_serial: int | None
    nsid: str


def build(name: str, rdtype: str, *, dnssec: bool, recursion: bool, udp_bytes: int = 1232) -> Query:
    """Build a query with EDNS and NSID; raises ValueError for a name or type that is none."""
    import dns.edns  # noqa: PLC0415 - 70 ms and 10 MB that only a process that asks DNS shall pay
    import dns.exception  # noqa: PLC0415 - likewise
    import dns.flags  # noqa: PLC0415 - likewise
    import dns.message  # noqa: PLC0415 - likewise

    nsid = dns.edns.GenericOption(dns.edns.OptionType.NSID, b"")
    try:
        message = dns.message.make_query(
            name,
            rdtype,
            use_edns=0,
            payload=udp_bytes,
            options=[nsid],
            want_dnssec=dnssec,
            flags=dns.flags.RD if recursion else 0,
        )
        wire = message.to_wire()
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(f"no question of DNS: {name!r} {rdtype!r}: {error}") from error
    end = skip_name(wire, 12) + 4
    return Query(wire[2:], wire[12:end].lower(), _TYPES.unpack_from(wire, end - 4)[0])


def parse(message: bytes, query: Query) -> Answer:
    """Read a reply to ``query``; raises WireError and nothing else. The id is the caller's to compare."""
    try:
        return _parse(message, query)
    except (struct.error, IndexError) as error:
        raise WireError("it ends too early") from error


def _parse(message: bytes, query: Query) -> Answer:
    _, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(message)
    if flags & 0xF800 != 0x8000:
        raise WireError("not a reply to a query")
    rcode, answered, serial, nsid = flags & 15, False, None, ""
    at = skip_question(message, questions, query, failed=rcode != 0)
    for index, (owner, rdtype, ttl, start, end) in enumerate(records(message, at, answers + authorities + additionals)):
        if index < answers and rdtype == query.rdtype and owned(message, owner, query.question):
            answered = True
            serial = _soa_serial(message, start, end) if rdtype == SOA else None
        elif rdtype == OPT and index >= answers + authorities:
            rcode |= ttl >> 24 << 4
            nsid = _nsid(message[start:end])
    return Answer(rcode, bool(flags & 0x400), bool(flags & 0x200), answered, serial, nsid)


def skip_question(message: bytes, questions: int, query: Query, *, failed: bool) -> int:
    """Return where the records start; only an error may leave the question out."""
    if questions == 0 and failed:
        return 12
    end = 12 + len(query.question)
    if questions != 1 or message[12:end].lower() != query.question:
        raise WireError("another question")
    return end


def records(message: bytes, at: int, count: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield (start of the owner's name, type, ttl, start and end of the data) of each record."""
    for _ in range(count):
        owner = at
        at = skip_name(message, at)
        rdtype, _, ttl, length = _RECORD.unpack_from(message, at)
        start = at + 10
        at = start + length
        if at > len(message):
            raise WireError("a record ends too early")
        yield owner, rdtype, ttl, start, at


def skip_name(message: bytes, at: int) -> int:
    """Return where the name that starts at ``at`` ends; follows no pointer."""
    while length := message[at]:
        if length >= 0xC0:
            return at + 2
        if length > 63:
            raise WireError("a label of unknown type")
        at += length + 1
    return at + 1


def owned(message: bytes, at: int, question: bytes) -> bool:
    """Whether the name at ``at`` is the one that was asked for."""
    return message[at : at + 2] == _AT_QUESTION or name_at(message, at) == question[:-4]


def name_at(message: bytes, at: int) -> bytes:
    """Expand a name, lower case; a pointer must go back (RFC 1035 4.1.4), so no loop can be written."""
    labels, floor = b"", at
    while length := message[at]:
        if length >= 0xC0:
            at = (length & 63) << 8 | message[at + 1]
            if at >= floor:
                raise WireError("a compression pointer that does not go back")
            floor = at
            continue
        if length > 63 or len(labels) + length > 253:
            raise WireError("no domain name")
        labels += message[at : at + length + 1]
        at += length + 1
    return labels.lower() + b"\0"


def _soa_serial(message: bytes, start: int, end: int) -> int:
    """RFC 1035 3.3.13: two names, then five numbers of which the serial is the first."""
    numbers = skip_name(message, skip_name(message, start))
    if numbers + _SOA_NUMBERS != end:
        raise WireError("no SOA")
    return int.from_bytes(message[numbers : numbers + 4], "big")


def _nsid(options: bytes) -> str:
    """Return the NSID as text of printable ASCII, else as hexadecimal; at most 64 characters."""
    at = 0
    while at < len(options):
        code, length = _TYPES.unpack_from(options, at)
        value = options[at + 4 : at + 4 + length]
        if len(value) != length:
            raise WireError("an EDNS option ends too early")
        if code == NSID:
            text = value.decode("latin-1")
            return (text if text.isascii() and text.isprintable() else value.hex())[:_NSID_CHARACTERS]
        at += 4 + length
    return ""
