"""One DNS question over TCP (RFC 7766), for the answer that did not fit a datagram."""

import asyncio
import socket

from probes.local import AF
from probes.model import RemoteError


async def ask_tcp(message: bytes, host: str, port: int, family: int) -> bytes:
    """Return the reply to ``message``; raises OSError, RemoteError. The deadline is the caller's."""
    loop = asyncio.get_running_loop()
    with socket.socket(AF[family], socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, (host, port))
        await loop.sock_sendall(sock, len(message).to_bytes(2, "big") + message)
        return await _exactly(sock, int.from_bytes(await _exactly(sock, 2), "big"))


async def _exactly(sock: socket.socket, size: int) -> bytes:
    """Read ``size`` bytes, at most 65,535 by the length field."""
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < size:
        more = await loop.sock_recv(sock, size - len(data))
        if not more:
            raise RemoteError("it closes the connection before its answer is complete", refused=True)
        data += more
    return data
