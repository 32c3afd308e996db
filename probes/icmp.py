"""ICMP echo: one engine, one socket per address family, kernel receive times."""

import asyncio
import logging
import secrets
import socket
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from probes.clock import Clock
from probes.flight import OUR_FAULT, STOPPED, Deadlines, Flight, Look, paced, silence
from probes.icmp_socket import RAW_THEN_DATAGRAM, Arrival, IcmpSocket, open_sockets
from probes.icmp_wire import Report, WireError, echo_request, parse
from probes.local import AF, canonical, local_fault
from probes.model import Ask, LocalError, Observation, Outcome, Part

log = logging.getLogger(__name__)

_AT_ONCE = 256
"""Packets taken in one turn of the loop; the rest waits for the next, so that others get theirs."""
_AT_ALL = 65_536
_LIFE = 4_096
"""Echoes per identifier: a firewall's stale entry for one identifier cannot blind us for long."""


@dataclass(frozen=True, slots=True)
class Icmp:
    """One echo request; OK when the reply carries its bytes back from the address that was asked."""

    kind: ClassVar[str] = "icmp"
    columns: ClassVar[Mapping[str, float | None]] = {"rtt_seconds": 1e-6, "ttl": 1.0}
    payload: int = 56
    """Bytes after the ICMP header, 16 to 1452."""

    def __post_init__(self) -> None:
        if not 16 <= self.payload <= 1452:
            raise ValueError(f"payload: {self.payload} bytes; 16 to 1452 expected")


def _cannot_look(family: int, why: str) -> str:
    return f"ICMP over IPv{family}: cannot look from here: {why}"


class Echo(Flight):
    """An echo request on its way."""

    __slots__ = ("body", "host", "key")

    def __init__(self, ask: Ask, look: Look, clock: Clock, *, host: str, key: int, body: bytes) -> None:
        self.host = host
        self.key = key
        self.body = body
        super().__init__(ask, look, clock)  # last: it leaves now


class Keys:
    """Identifier and sequence of the next request, as one number."""

    def __init__(self, fixed: int | None) -> None:
        self._fixed = fixed
        self._key = fixed << 16 if fixed is not None else secrets.randbits(16) << 16

    def next(self, pending: Mapping[int, object]) -> int:
        """Return one that nothing is pending under; raises LocalError when there is none."""
        if len(pending) >= _AT_ALL - _LIFE:
            raise LocalError("too many echoes are on their way")
        while True:
            self._key += 1
            if self._fixed is not None:
                self._key = self._fixed << 16 | self._key & 0xFFFF
            elif self._key & 0xFFFF == _LIFE:
                self._key = secrets.randbits(16) << 16
            if self._key not in pending:
                return self._key


class IcmpEngine:
    """Echoes to many at once; opens its sockets when made (before privileges are dropped)."""

    def __init__(self, *, vantage: str, clock: Clock, kinds: Sequence[int] = RAW_THEN_DATAGRAM) -> None:
        self.bugs = 0
        self.counts: Counter[str] = Counter()
        """Packets not taken: malformed, foreign (not ours), late (or twice), forged (address or bytes differ)."""
        self._vantage = vantage
        self._clock = clock
        self._sockets, self._missing = open_sockets(kinds)
        self._pending: dict[int, dict[int, Echo]] = {family: {} for family in self._sockets}
        self._keys = {family: Keys(None if sock.raw else sock.identifier) for family, sock in self._sockets.items()}
        self._secret = secrets.token_bytes(8)
        self._generation = 0
        self._deadlines = Deadlines(clock, self._drain, self._expire)
        self._reading = False
        self._closed = False

    @property
    def capability(self) -> str:
        """Empty, or why it cannot look over one family or both."""
        return "; ".join(_cannot_look(family, why) for family, why in self._missing.items())

    def ask(self, asks: Sequence[Ask]) -> AsyncIterator[list[Observation]]:
        """Yield each ask's observation once; never raises."""
        if not self._reading and not self._closed:
            self._reading = True
            loop = asyncio.get_running_loop()
            for sock in self._sockets.values():
                loop.add_reader(sock.sock, self._wake, sock)
        return paced(asks, self._start, self._clock)

    async def close(self) -> None:
        """Give back the sockets; open asks end UNKNOWN."""
        self._closed = True
        for sock in self._sockets.values():
            if self._reading:
                asyncio.get_running_loop().remove_reader(sock.sock)
            sock.sock.close()
        for flight in self._deadlines.close():
            self._land(flight, STOPPED)

    def _start(self, ask: Ask, look: Look) -> None:
        try:
            self._send(ask, look)
        except LocalError as error:
            self._land(Flight(ask, look, self._clock), Part(Outcome.UNKNOWN, str(error)))
        except Exception:
            log.exception("a fault in the ICMP engine")
            self.bugs += 1
            self._land(Flight(ask, look, self._clock), OUR_FAULT)

    def _send(self, ask: Ask, look: Look) -> None:
        family = ask.target.family
        sock = self._sockets.get(family)
        if self._closed:
            raise LocalError(STOPPED.reason)
        if sock is None:
            raise LocalError(_cannot_look(family, self._missing.get(family, "there is no such address family")))
        host = canonical(ask.target.address, family)
        pending = self._pending[family]
        key = self._keys[family].next(pending)
        self._generation += 1
        body = self._secret + self._generation.to_bytes(8, "big") + bytes(ask.probe.payload - 16)
        request = echo_request(family, key, body)
        echo = Echo(ask, look, self._clock, host=host, key=key, body=body)
        try:
            sock.send(request, host)
        except OSError as error:
            raise LocalError(local_fault(error) or f"this machine cannot send to it: {error.strerror}") from error
        pending[key] = echo
        self._deadlines.add(echo)

    def _wake(self, sock: IcmpSocket) -> None:
        self._receive(sock, _AT_ONCE)

    def _drain(self) -> None:
        for sock in self._sockets.values():
            self._receive(sock, _AT_ALL)

    def _receive(self, sock: IcmpSocket, limit: int) -> None:
        for _ in range(limit):
            try:
                self._arrived(sock.family, sock.receive())
            except BlockingIOError:
                return
            except (WireError, OSError):
                self.counts["malformed"] += 1
            except Exception:
                log.exception("a fault in the ICMP engine")
                self.bugs += 1

    def _arrived(self, family: int, arrival: Arrival) -> None:
        message = parse(family, arrival.packet, arrival.start)
        echo = self._pending[family].get(message.key)
        if isinstance(message, Report):
            self._reported(family, echo, message, arrival.host)
        elif message.body[:8] != self._secret:
            self.counts["foreign"] += 1
        elif echo is None:
            self.counts["late"] += 1
        elif echo.host != arrival.host or echo.body != message.body:
            self.counts["forged"] += 1
        else:
            del self._pending[family][echo.key]
            values = {"rtt_seconds": echo.rtt(arrival.stamp, self._clock), "ttl": arrival.ttl}
            self._land(echo, Part(Outcome.OK, values=values))

    def _reported(self, family: int, echo: Echo | None, report: Report, router: str) -> None:
        """Note it and look on: a router's report is rate limited and no proof about the target."""
        if echo is None or socket.inet_ntop(AF[family], report.destination) != echo.host.partition("%")[0]:
            self.counts["foreign"] += 1
        else:
            echo.note = f"{report.sentence}, says {router}"

    def _expire(self, flight: Flight) -> None:
        if isinstance(flight, Echo):
            self._pending[flight.ask.target.family].pop(flight.key, None)
        self._land(flight, silence(flight.ask.timeout, flight.note))

    def _land(self, flight: Flight, part: Part) -> None:
        flight.land(part, self._vantage, Icmp.kind, self._clock.monotonic())
