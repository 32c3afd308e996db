"""TCP: does the port accept a connection."""

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from probes.local import AF, canonical, local_fault, no_way_out
from probes.model import LocalError, Outcome, Part, Reading, RemoteError, Target

_TCP_INFO_BYTES = 104
_TCPI_RTT = struct.Struct("@I")
_TCPI_RTT_AT = 68
"""linux/tcp.h, struct tcp_info: tcpi_rtt in microseconds, after the handshake that of SYN to SYN-ACK."""
_UNREACHED = {errno.ENETUNREACH, errno.EHOSTUNREACH}


@dataclass(frozen=True, slots=True)
class Tcp:
    """Connect and close; OK when the handshake completes."""

    kind: ClassVar[str] = "tcp"
    columns: ClassVar[Mapping[str, float | None]] = {"rtt_seconds": 1e-6}
    port: int

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65_535:
            raise ValueError(f"port: {self.port}; 1 to 65535 expected")

    async def read(self, target: Target) -> Reading:
        """Connect once; raises RemoteError (refused when it answers RST), LocalError."""
        host = canonical(target.address, target.family)
        with socket.socket(AF[target.family], socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            failed = sock.connect_ex((host, self.port))
            if failed == errno.EINPROGRESS:
                await _writable(sock)
                failed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:
                raise connect_fault(failed, host, target.family, self.port)
            rtt = _TCPI_RTT.unpack_from(
                sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES), _TCPI_RTT_AT
            )
        return Reading({"": Part(Outcome.OK, values={"rtt_seconds": rtt[0] / 1e6})})


async def _writable(sock: socket.socket) -> None:
    """Wait for the end of a connect: one add_writer, half the cost of loop.sock_connect."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(sock, _done, ready)
    try:
        await ready
    finally:
        loop.remove_writer(sock)


def _done(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def connect_fault(number: int, host: str, family: int, port: int) -> RemoteError | LocalError:
    """Whose fault a failed connect is, and the sentence."""
    if number == errno.ECONNREFUSED:
        return RemoteError(f"refuses port {port}", refused=True)
    if number == errno.ECONNRESET:
        return RemoteError(f"resets connections to port {port}", refused=True)
    if number in _UNREACHED:
        ours = no_way_out(host, family)
        return LocalError(ours) if ours else RemoteError("no route to it, says the network")
    ours = local_fault(OSError(number, ""))
    return LocalError(ours) if ours else RemoteError(f"cannot connect to port {port}: {os.strerror(number)}")
