"""One GET with aiohttp on a connection of its own: family forced, body bounded, phases timed, faults sorted."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from probes.local import AF
from probes.model import LocalError, RemoteError
from probes.tcp import connect_fault

_BODY_BYTES = 64 << 10
_GOODBYE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Page:
    """What came back; seconds are by the event loop's clock, ``connect`` includes TLS."""

    status: int
    connect: float
    first_byte: float
    total: float
    certificate_expires: int | None
    """Unix time."""


class _Resolver(AbstractResolver):
    """The system's resolver for one family; knows whether it is being waited for, and what it found."""

    def __init__(self, pinned: Mapping[str, str], family: int) -> None:
        self._family = AF[family]
        self.waiting = False
        self.addresses = dict(pinned)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host not in self.addresses:
            self.addresses[host] = await self._look_up(host, port)
        return [
            ResolveResult(
                hostname=host,
                host=self.addresses[host],
                port=port,
                family=self._family,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def _look_up(self, host: str, port: int) -> str:
        self.waiting = True
        found = await asyncio.get_running_loop().getaddrinfo(host, port, family=self._family, type=socket.SOCK_STREAM)
        self.waiting = False
        return str(found[0][4][0])

    async def close(self) -> None:
        pass


class _Connector(aiohttp.TCPConnector):
    """Measures the last connect, keeps the certificate's end, and leaves no connection behind."""

    def __init__(self, resolver: _Resolver, family: int, trust: ssl.SSLContext) -> None:
        super().__init__(family=AF[family], resolver=resolver, ssl=trust, force_close=True, use_dns_cache=False)
        self.connect_seconds = 0.0
        self.certificate_expires: int | None = None
        self._opened: list[tuple[asyncio.Transport, asyncio.Future[None] | None]] = []

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        began = self._loop.time()
        connection = await super().connect(req, traces, timeout)
        self.connect_seconds = self._loop.time() - began
        if connection.transport is not None and connection.protocol is not None:
            self._opened.append((connection.transport, connection.protocol.closed))
            certificate = connection.transport.get_extra_info("peercert")
            if certificate:
                self.certificate_expires = int(ssl.cert_time_to_seconds(certificate["notAfter"]))
        return connection

    async def drop(self) -> None:
        """Cut what is still saying goodbye: a peer that never ends TLS would keep the socket for 30 s."""
        pending = [(transport, closed) for transport, closed in self._opened if closed and not closed.done()]
        for transport, _ in pending:
            with suppress(AttributeError):  # Python 3.11.2: TLS that was closed twice has nothing left to abort
                transport.abort()
        if pending:
            await asyncio.wait([closed for _, closed in pending], timeout=_GOODBYE_SECONDS)


@lru_cache(maxsize=16)
def _trust(ca: str) -> ssl.SSLContext:
    """Certificates are read once for each file; raises LocalError."""
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise LocalError(f"the certificates to trust cannot be read from {ca}: {error.strerror}") from error


async def fetch(url: str, pinned: Mapping[str, str], *, family: int, agent: str, redirects: int, ca: str) -> Page:
    """GET ``url``; hosts in ``pinned`` are not resolved. Raises RemoteError, LocalError."""
    resolver = _Resolver(pinned, family)
    connector = _Connector(resolver, family, _trust(ca))
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": agent},
        timeout=aiohttp.ClientTimeout(total=None),  # the deadline is the caller's
        auto_decompress=False,
        read_bufsize=_BODY_BYTES,
    )
    try:
        async with session:
            return await _get(session, connector, url, redirects)
    except asyncio.CancelledError as cut:
        if resolver.waiting:
            cut.add_note("no answer of our own resolver")  # observe() reads it: not the target's silence
        raise
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise _fault(error, resolver.addresses, family) from error
    finally:
        await connector.drop()


async def _get(session: aiohttp.ClientSession, connector: _Connector, url: str, redirects: int) -> Page:
    clock = asyncio.get_running_loop().time
    began = clock()
    # aiohttp counts the answer that would be one redirect too many, so one more is allowed here
    async with session.get(url, allow_redirects=redirects > 0, max_redirects=redirects + 1) as response:
        first_byte = clock() - began
        size = 0
        while size < _BODY_BYTES and (chunk := await response.content.readany()):
            size += len(chunk)
        return Page(
            response.status, connector.connect_seconds, first_byte, clock() - began, connector.certificate_expires
        )


def _fault(error: Exception, addresses: Mapping[str, str], family: int) -> RemoteError | LocalError:
    """Whose fault it is, and the sentence; whatever came from the target is an answer."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return LocalError(f"our resolver knows no IPv{family} address of it: {error.os_error.strerror}")
        case aiohttp.ClientConnectorCertificateError():
            return RemoteError(f"its certificate is not valid: {_why(error.certificate_error)}", refused=True)
        case aiohttp.ClientConnectorSSLError():
            return RemoteError(f"TLS fails: {error.os_error.strerror or 'no handshake'}", refused=True)
        case aiohttp.ClientConnectorError():
            address = addresses.get(error.host, error.host)
            return connect_fault(error.os_error.errno or 0, address, family, error.port or 0)
        case aiohttp.TooManyRedirects():
            return RemoteError("redirects too often", refused=True)
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return RemoteError("redirects to what is no URL of http or https", refused=True)
        case _:
            return RemoteError(f"breaks off its answer ({type(error).__name__})", refused=True)


def _why(error: Exception) -> str:
    return str(getattr(error, "verify_message", "") or getattr(error, "reason", "") or "it does not verify")
