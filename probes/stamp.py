"""Kernel receive times: a busy event loop does not lengthen what they measure."""

import socket
import struct
from collections.abc import Iterable

_TIMESPEC = struct.Struct("@qq")
SO_TIMESTAMPNS = 35  # asm-generic/socket.h; not in Python's socket module
SO_RCVBUFFORCE = 33
RECEIVE_BYTES = 4 << 20
ANCILLARY_BYTES = 128

Ancillary = Iterable[tuple[int, int, bytes]]


def prepare(sock: socket.socket) -> None:
    """Make it non-blocking, with kernel receive times and room for a burst."""
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)
    except PermissionError:  # without CAP_NET_ADMIN: as much as the system's limit gives
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)


def received_at(ancillary: Ancillary) -> float:
    """Unix time at which the kernel received it; 0.0 when it did not say."""
    for level, kind, data in ancillary:
        if kind == SO_TIMESTAMPNS and level == socket.SOL_SOCKET:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return float(seconds + nanoseconds * 1e-9)
    return 0.0
