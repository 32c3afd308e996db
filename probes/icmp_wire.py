"""ICMP on the wire, pure: RFC 792 (IPv4), RFC 4443 (IPv6), RFC 1071 (checksum)."""

import struct
from typing import NamedTuple

_HEADER = struct.Struct("!BBHI")
_WORD = struct.Struct("!I")

ECHO_REQUEST = {4: 8, 6: 128}
ECHO_REPLY = {4: 0, 6: 129}
_INNER_HEADER = {4: 20, 6: 40}
_PROTOCOL_AT = {4: 9, 6: 6}
_PROTOCOL = {4: 1, 6: 58}
_DESTINATION_AT = {4: slice(16, 20), 6: slice(24, 40)}

REPORTS = {
    (4, 3): {
        0: "no route to its network",
        1: "no route to it",
        9: "its network is closed to us",
        10: "it is closed to us",
        13: "a filter forbids to ask it",
    },
    (4, 11): {0: "the way to it loops or is too long"},
    (6, 1): {
        0: "no route to its network",
        1: "a filter forbids to ask it",
        3: "no route to it",
        5: "a filter forbids to ask it",
    },
    (6, 3): {0: "the way to it loops or is too long"},
}
"""(family, type) -> code -> what a router reports: RFC 792, RFC 1812 5.2.7.1, RFC 4443 3.1 and 3.3."""


class WireError(ValueError):
    """Bytes that are no ICMP message for us."""


class Reply(NamedTuple):
    """An echo reply: ``key`` is identifier << 16 | sequence."""

    key: int
    body: bytes


class Report(NamedTuple):
    """A router's report about an echo request of ours."""

    key: int
    destination: bytes
    """Whom the request was for, network order."""
    sentence: str


def checksum(data: bytes) -> int:
    """Internet checksum (RFC 1071): the one's complement sum is the number modulo 65535, as 2**16 is 1 there."""
    number = int.from_bytes(data if len(data) % 2 == 0 else data + b"\0", "big")
    return 0xFFFF - (number % 0xFFFF or (0xFFFF if number else 0))


def echo_request(family: int, key: int, body: bytes) -> bytes:
    """Build an echo request; over IPv6 the kernel fills in the checksum (RFC 3542 3.1)."""
    kind = ECHO_REQUEST[family]
    if family == 6:
        return _HEADER.pack(kind, 0, 0, key) + body
    return _HEADER.pack(kind, 0, checksum(_HEADER.pack(kind, 0, 0, key) + body), key) + body


def parse(family: int, packet: bytes, at: int = 0) -> Reply | Report:
    """Read the ICMP message that starts at byte ``at``; raises WireError."""
    if len(packet) < at + 8:
        raise WireError("shorter than an ICMP header")
    if packet[at] == ECHO_REPLY[family] and packet[at + 1] == 0:
        return Reply(_WORD.unpack_from(packet, at + 4)[0], packet[at + 8 :])
    return _report(family, packet, at)


def _report(family: int, packet: bytes, at: int) -> Report:
    sentences = REPORTS.get((family, packet[at]))
    if sentences is None:
        raise WireError("neither an echo reply nor a report")
    quoted = packet[at + 8 :]
    start = header_length(quoted) if family == 4 else _INNER_HEADER[6]
    if len(quoted) < start + 8 or quoted[_PROTOCOL_AT[family]] != _PROTOCOL[family]:
        raise WireError("the report quotes no ICMP message")
    if quoted[start] != ECHO_REQUEST[family]:
        raise WireError("the report quotes no echo request")
    sentence = sentences.get(packet[at + 1], "it cannot be reached")
    return Report(_WORD.unpack_from(quoted, start + 4)[0], quoted[_DESTINATION_AT[family]], sentence)


def header_length(packet: bytes) -> int:
    """Bytes of the IPv4 header (RFC 791 3.1); raises WireError."""
    if len(packet) < _INNER_HEADER[4] or packet[0] >> 4 != 4 or packet[0] & 15 < 5:
        raise WireError("no IPv4 header")
    return (packet[0] & 15) * 4
