"""One ICMP socket per address family: raw where allowed, datagram (ping) sockets else."""

import socket
import struct
from collections.abc import Sequence
from typing import NamedTuple

from probes import stamp
from probes.icmp_wire import header_length
from probes.local import AF

_ICMP_FILTER = 1  # linux/icmp.h; level SOL_RAW = 255
_IP_RECVTTL = 12  # linux/in.h
_ICMP6_FILTER = 1  # linux/icmpv6.h; level IPPROTO_ICMPV6
_NO_PERMISSION = "no permission for raw sockets (CAP_NET_RAW) or ICMP sockets (net.ipv4.ping_group_range)"
_INT = struct.Struct("@i")
_PASS = {4: (0, 3, 11), 6: (129, 1, 3)}
"""Echo reply, destination unreachable, time exceeded."""
_PROTOCOL = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
RAW_THEN_DATAGRAM = (socket.SOCK_RAW, socket.SOCK_DGRAM)


class Arrival(NamedTuple):
    """One packet: its ICMP message starts at ``start``; ``stamp`` is the kernel's receive time (Unix time)."""

    packet: bytes
    start: int
    host: str
    ttl: int
    stamp: float


class IcmpSocket:
    """A non-blocking socket that sends and receives ICMP of one family; raises OSError when it may not be opened."""

    def __init__(self, family: int, kind: int) -> None:
        self.family = family
        self.raw = kind == socket.SOCK_RAW
        self.sock = socket.socket(AF[family], kind, _PROTOCOL[family])
        self.identifier = 0
        """Of a datagram socket: the kernel writes it into every request."""
        try:
            self._prepare()
        except OSError:
            self.sock.close()
            raise

    def _prepare(self) -> None:
        stamp.prepare(self.sock)
        if self.family == 6:
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        elif not self.raw:
            self.sock.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)
        if self.raw:
            self._filter()
        else:
            self.sock.bind(("::" if self.family == 6 else "0.0.0.0", 0))  # noqa: S104 - an echo may leave by any interface
            self.identifier = self.sock.getsockname()[1]

    def _filter(self) -> None:
        if self.family == 4:
            mask = 0xFFFFFFFF & ~sum(1 << kind for kind in _PASS[4])
            self.sock.setsockopt(255, _ICMP_FILTER, struct.pack("@I", mask))
            return
        words = [0xFFFFFFFF] * 8
        for kind in _PASS[6]:
            words[kind >> 5] &= ~(1 << (kind & 31))
        self.sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("@8I", *words))

    def send(self, request: bytes, host: str) -> None:
        """Send one request; raises OSError."""
        self.sock.sendto(request, (host, 0))

    def receive(self) -> Arrival:
        """Take one packet; raises BlockingIOError when there is none, WireError when it is no packet."""
        packet, ancillary, _, sender = self.sock.recvmsg(2048, stamp.ANCILLARY_BYTES)
        if self.raw and self.family == 4:  # only here the IP header comes along
            start = header_length(packet)
            return Arrival(packet, start, sender[0], packet[8], stamp.received_at(ancillary))
        return Arrival(packet, 0, sender[0], _hops(ancillary), stamp.received_at(ancillary))


def _hops(ancillary: stamp.Ancillary) -> int:
    for level, kind, data in ancillary:
        if (level, kind) in {(socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)}:
            return int(_INT.unpack_from(data)[0])
    return 0


def open_sockets(kinds: Sequence[int]) -> tuple[dict[int, IcmpSocket], dict[int, str]]:
    """Open what this process may: family -> socket, and family -> the sentence why there is none."""
    sockets: dict[int, IcmpSocket] = {}
    missing: dict[int, str] = {}
    for family in (4, 6):
        for kind in kinds:
            try:
                sockets[family] = IcmpSocket(family, kind)
                break
            except PermissionError:
                missing[family] = _NO_PERMISSION
            except OSError as error:
                missing[family] = f"this system has no IPv{family} ({error.strerror})"
    return sockets, {family: why for family, why in missing.items() if family not in sockets}
