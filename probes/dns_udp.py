"""UDP sockets for DNS: random source ports, kernel receive times, and the error queue (ip(7), IP_RECVERR)."""

import errno
import socket
import struct
from typing import NamedTuple

from probes import stamp
from probes.local import AF

_RECVERR = {4: (socket.IPPROTO_IP, 11), 6: (socket.IPPROTO_IPV6, 25)}  # linux/in.h, linux/in6.h
_EXTENDED_ERROR = struct.Struct("@IBBBBII")  # linux/errqueue.h, struct sock_extended_err
_BY_ICMP = {2, 3}  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6
_OFFENDER_AT = {4: slice(20, 24), 6: slice(24, 40)}
"""The address inside the sockaddr that follows the error."""
_LARGEST = 4_096


class Arrival(NamedTuple):
    """One datagram; ``stamp`` is the kernel's receive time (Unix time)."""

    payload: bytes
    host: str
    port: int
    stamp: float


class Bounce(NamedTuple):
    """An ICMP error about a datagram of ours: ``payload`` is what was sent to ``host`` and ``port``."""

    payload: bytes
    host: str
    port: int
    refused: bool
    """The target itself says that nothing listens."""
    router: str


class UdpSocket:
    """A non-blocking, unconnected socket on a source port that the kernel chose at random; raises OSError."""

    def __init__(self, family: int) -> None:
        self.family = family
        self.sent = 0
        self.sock = socket.socket(AF[family], socket.SOCK_DGRAM)
        try:
            stamp.prepare(self.sock)
            self.sock.setsockopt(*_RECVERR[family], 1)
        except OSError:
            self.sock.close()
            raise

    def send(self, payload: bytes, host: str, port: int) -> None:
        """Send one datagram; raises OSError, also for an earlier datagram's ICMP error, which it clears."""
        self.sent += 1
        self.sock.sendto(payload, (host, port))

    def receive(self) -> Arrival:
        """Take one datagram; raises BlockingIOError when there is none, OSError for an ICMP error, which it clears."""
        payload, ancillary, _, sender = self.sock.recvmsg(_LARGEST, stamp.ANCILLARY_BYTES)
        return Arrival(payload, sender[0], sender[1], stamp.received_at(ancillary))

    def bounced(self) -> Bounce | None:
        """Take one ICMP error; raises BlockingIOError when there is none."""
        payload, ancillary, _, target = self.sock.recvmsg(_LARGEST, 512, socket.MSG_ERRQUEUE)
        for level, kind, data in ancillary:
            if (level, kind) == _RECVERR[self.family] and len(data) >= _OFFENDER_AT[self.family].stop:
                number, origin = _EXTENDED_ERROR.unpack_from(data)[:2]
                if origin in _BY_ICMP:
                    router = socket.inet_ntop(AF[self.family], data[_OFFENDER_AT[self.family]])
                    refused = number == errno.ECONNREFUSED and router == target[0].partition("%")[0]
                    return Bounce(payload, target[0], target[1], refused, router)
        return None
