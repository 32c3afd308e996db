"""The DNS engine: many servers at once, at most one question on its way to each address."""

import asyncio
import logging
import secrets
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace

from probes.clock import Clock
from probes.dns import Dns, compiled, verdict
from probes.dns_tcp import ask_tcp
from probes.dns_udp import Arrival, Bounce, UdpSocket
from probes.dns_wire import Answer, Query, WireError, parse
from probes.flight import OUR_FAULT, STOPPED, Deadlines, Flight, Look, paced, silence
from probes.local import canonical, local_fault
from probes.model import Ask, LocalError, Observation, Outcome, Part, RemoteError
from probes.tcp import connect_fault

log = logging.getLogger(__name__)

_AT_ONCE = 256
"""Datagrams taken in one turn of the loop; the rest waits for the next, so that others get theirs."""
_AT_ALL = 65_536
_REST = 0.05
"""Seconds between two questions to one address: nobody's server gets more than twenty a second from here."""
_PORTS = 8
_REMEMBERED = 4_096
"""Answers that are known by their bytes: a server mostly says what it said a minute ago."""
_CHANCES = 512
"""So many random numbers are drawn at once: each draw is a call of the system."""
_LIFE = 2_048
"""Questions per source port: a firewall's stale entry for one port cannot blind us for long."""


class Question(Flight):
    """A DNS question that waits for its turn or is on its way."""

    __slots__ = ("host", "id", "over_tcp", "query", "reply", "sock")

    host: str
    query: Query
    sock: UdpSocket
    id: int

    def __init__(self, ask: Ask, look: Look, clock: Clock) -> None:
        super().__init__(ask, look, clock)
        self.over_tcp: asyncio.Task[None] | None = None
        self.reply = b""
        """The answer that its verdict rests on, as it came."""

    def message(self) -> bytes:
        """The query as it leaves."""
        return self.id.to_bytes(2, "big") + self.query.tail


class DnsEngine:
    """Asks many DNS servers at once."""

    def __init__(self, *, vantage: str, clock: Clock) -> None:
        self.capability = ""
        self.bugs = 0
        self.counts: Counter[str] = Counter()
        """Datagrams that were not taken: malformed (or another question), late (or twice), forged (wrong sender)."""
        self._vantage = vantage
        self._clock = clock
        self._pending: dict[UdpSocket, dict[int, Question]] = {}
        self._sockets: dict[int, list[UdpSocket]] = {4: [], 6: []}
        self._busy: dict[str, deque[Question]] = {}
        """Address with a question on its way -> those that wait for it."""
        self._free: deque[str] = deque()
        """Addresses whose question has just ended."""
        self._deadlines = Deadlines(clock, self._drain, self._expire)
        self._asked: dict[str, float] = {}
        """Address -> when a question last left for it, monotonic."""
        self._resting: deque[tuple[float, str]] = deque()
        """Addresses that were asked a moment ago, and when they may be asked again."""
        self._pacer: asyncio.Task[None] | None = None
        self._known: dict[tuple[bytes, bytes], Answer] = {}
        """The bytes of an answer but for its id, and the question -> what it says."""
        self._chances: list[int] = []
        self._closed = False

    def ask(self, asks: Sequence[Ask]) -> AsyncIterator[list[Observation]]:
        """Yield each ask's observation once; a deadline starts when the question leaves; never raises."""
        return paced(asks, self._start, self._clock)

    async def fetch(self, ask: Ask) -> tuple[Part, bytes]:
        """Ask one question in its turn; return the verdict and the answer as it came, b"" if none did."""
        look = Look()
        look.open = 1
        try:
            question = self._start(ask, look)
            await look.some()
            [seen] = look.take()
            return seen.parts[""], question.reply
        finally:
            look.abandoned = True

    async def close(self) -> None:
        """Give back the sockets; open asks end UNKNOWN."""
        self._closed = True
        for question in [flight for queue in self._busy.values() for flight in queue]:
            self._land(question, STOPPED)
        for flight in self._deadlines.close():
            self._finish(flight, STOPPED)
        self._busy.clear()
        self._free.clear()
        self._resting.clear()
        if self._pacer is not None:
            self._pacer.cancel()
        for sock in list(self._pending):
            self._shut(sock)

    # -- leaving

    def _start(self, ask: Ask, look: Look) -> Question:
        question = Question(ask, look, self._clock)
        try:
            question.host = canonical(ask.target.address, ask.target.family)
            question.query = compiled(ask.probe)
        except LocalError as error:
            self._land(question, Part(Outcome.UNKNOWN, str(error)))
            return question
        except Exception:
            log.exception("a fault in the DNS engine")
            self._bug(question)
            return question
        if question.host in self._busy:
            self._busy[question.host].append(question)
        else:
            self._busy[question.host] = deque([question])
            self._free.append(question.host)
            self._depart()
        return question

    def _depart(self) -> None:
        """Send the next question to every address that has become free."""
        while self._free:
            host = self._free.popleft()
            waiting = self._busy[host]
            due = self._asked.get(host, -_REST) + _REST
            if waiting and due > self._clock.monotonic():
                self._rest(due, host)
                continue
            while waiting:
                if self._left(waiting.popleft()):
                    break
            else:
                del self._busy[host]

    def _rest(self, due: float, host: str) -> None:
        """Leave an address alone for a moment."""
        self._resting.append((due, host))
        if self._pacer is None:
            self._pacer = asyncio.get_running_loop().create_task(self._pace())

    async def _pace(self) -> None:
        while self._resting:
            await self._clock.sleep_until(self._resting[0][0])
            now = self._clock.monotonic()
            while self._resting and self._resting[0][0] <= now:
                self._free.append(self._resting.popleft()[1])
            self._depart()
        self._pacer = None

    def _left(self, question: Question) -> bool:
        """Send it; False when it could not leave (and has its verdict) or nobody waits for it any more."""
        if question.look.abandoned:
            return False
        try:
            self._send(question)
        except LocalError as error:
            self._land(question, Part(Outcome.UNKNOWN, str(error)))
            return False
        except Exception:
            log.exception("a fault in the DNS engine")
            self._bug(question)
            return False
        self._asked[question.host] = question.sent
        self._deadlines.add(question)
        return True

    def _send(self, question: Question) -> None:
        if self._closed:
            raise LocalError(STOPPED.reason)
        try:
            question.sock = self._socket(question.ask.target.family, self._chance())
            pending = self._pending[question.sock]
            question.id = self._chance()
            while question.id in pending:
                question.id = self._chance()
            question.leave(self._clock)
            if question.ask.probe.transport == "tcp":
                question.over_tcp = asyncio.get_running_loop().create_task(self._over_tcp(question, ""))
                return
            self._hand_over(question)
        except OSError as error:
            raise LocalError(local_fault(error) or f"this machine cannot send to it: {error.strerror}") from error
        pending[question.id] = question

    def _chance(self) -> int:
        """Return 16 bits that nobody can foresee."""
        if not self._chances:
            drawn = secrets.token_bytes(2 * _CHANCES)
            self._chances = [drawn[at] << 8 | drawn[at + 1] for at in range(0, len(drawn), 2)]
        return self._chances.pop()

    def _hand_over(self, question: Question) -> None:
        """Give it to the kernel; an error that belongs to an earlier question of this socket is taken off first."""
        sock, port = question.sock, question.ask.probe.port
        for _ in range(4):
            try:
                sock.send(question.message(), question.host, port)
                return
            except OSError:
                self._take_bounces(sock)
        sock.send(question.message(), question.host, port)

    def _socket(self, family: int, chance: int) -> UdpSocket:
        """Choose a source port by a random number; raises OSError."""
        sockets = self._sockets[family]
        place = chance % _PORTS
        if place >= len(sockets):
            sockets.append(self._open(family))
            return sockets[-1]
        if sockets[place].sent >= _LIFE and not self._pending[sockets[place]]:
            self._shut(sockets[place])
            sockets[place] = self._open(family)
        return sockets[place]

    def _open(self, family: int) -> UdpSocket:
        sock = UdpSocket(family)
        self._pending[sock] = {}
        asyncio.get_running_loop().add_reader(sock.sock, self._wake, sock)
        return sock

    def _shut(self, sock: UdpSocket) -> None:
        asyncio.get_running_loop().remove_reader(sock.sock)
        sock.sock.close()
        del self._pending[sock]

    # -- arriving

    def _wake(self, sock: UdpSocket) -> None:
        self._receive(sock, _AT_ONCE)
        self._depart()

    def _drain(self) -> None:
        for sock in list(self._pending):
            self._receive(sock, _AT_ALL)
        self._depart()

    def _receive(self, sock: UdpSocket, limit: int) -> None:
        for taken in range(limit):
            try:
                self._arrived(sock, sock.receive())
            except BlockingIOError:
                if not taken:
                    self._take_bounces(sock)
                return
            except OSError:
                self._take_bounces(sock)
            except Exception:
                log.exception("a fault in the DNS engine")
                self.bugs += 1

    def _arrived(self, sock: UdpSocket, arrival: Arrival) -> None:
        question = self._pending[sock].get(int.from_bytes(arrival.payload[:2], "big"))
        if question is None:
            self.counts["late"] += 1
        elif (arrival.host, arrival.port) != (question.host, question.ask.probe.port):
            self.counts["forged"] += 1
            self._misplaced(question, arrival)
        else:
            try:
                answer = self._parse(arrival.payload, question.query)
            except WireError as error:
                self.counts["malformed"] += 1
                question.note = f"what it sent is no answer ({error})"
            else:
                question.reply = arrival.payload
                self._answered(question, answer, question.rtt(arrival.stamp, self._clock))

    def _parse(self, message: bytes, query: Query) -> Answer:
        """Read an answer; raises WireError."""
        key = message[2:], query.question
        answer = self._known.get(key)
        if answer is None:
            answer = parse(message, query)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = answer
        return answer

    def _misplaced(self, question: Question, arrival: Arrival) -> None:
        """Note where an answer came from that was not asked; it is never taken, for anybody may have sent it."""
        with suppress(WireError):
            parse(arrival.payload, question.query)
            place = arrival.host if arrival.host != question.host else f"its port {arrival.port}"
            question.note = f"an answer came from {place}, which was not asked"

    def _answered(self, question: Question, answer: Answer, rtt: float) -> None:
        if answer.tc:
            del self._pending[question.sock][question.id]
            truncated = "truncated over UDP"
            question.over_tcp = asyncio.get_running_loop().create_task(self._over_tcp(question, truncated))
        else:
            self._finish(question, verdict(question.ask.probe, answer, rtt))

    async def _over_tcp(self, question: Question, before: str) -> None:
        """Ask over TCP; ``before``: what UDP said, if it was asked."""
        target, dns = question.ask.target, question.ask.probe
        over = f"{before}; over TCP " if before else "over TCP "
        try:
            part = await self._part_over_tcp(question)
            if before and not part.reason:
                part = replace(part, reason=f"{before}, answers over TCP")
        except RemoteError as error:
            part = Part(Outcome.FAILED, f"{over}{error}", refused=error.refused)
        except WireError as error:
            part = Part(Outcome.FAILED, f"its answer over TCP cannot be read ({error})", refused=True)
        except OSError as error:
            fault = connect_fault(error.errno or 0, question.host, target.family, dns.port)
            part = _part(fault, f"{over}it ")
        except Exception:
            log.exception("a fault in the DNS engine")
            self.bugs += 1
            part = OUR_FAULT
        question.over_tcp = None
        self._finish(question, part)
        self._depart()

    async def _part_over_tcp(self, question: Question) -> Part:
        target, dns = question.ask.target, question.ask.probe
        reply = await ask_tcp(question.message(), question.host, dns.port, target.family)
        if reply[:2] != question.message()[:2]:
            raise WireError("another id")
        question.reply = reply
        return verdict(dns, parse(reply, question.query), self._clock.monotonic() - question.sent)

    def _take_bounces(self, sock: UdpSocket) -> None:
        """Read the error queue: port unreachable from the target itself is its answer, the rest is only noted."""
        for _ in range(_AT_ONCE):
            try:
                bounce = sock.bounced()
            except OSError:
                return
            if bounce is not None:
                self._bounced(sock, bounce)

    def _bounced(self, sock: UdpSocket, bounce: Bounce) -> None:
        question = self._pending[sock].get(int.from_bytes(bounce.payload[:2], "big"))
        if question is None or bounce.host != question.host:
            self.counts["late"] += 1
        elif bounce.refused:
            reason = f"nothing listens on port {question.ask.probe.port}"
            self._finish(question, Part(Outcome.FAILED, reason, refused=True))
        else:
            question.note = f"it cannot be reached, says {bounce.router}"

    # -- ending

    def _expire(self, flight: Flight) -> None:
        self._finish(flight, silence(flight.ask.timeout, flight.note))
        self._depart()

    def _finish(self, flight: Flight, part: Part) -> None:
        """Give the verdict of a question that had left, and free its address; `_depart` sends the next."""
        if flight.done or not isinstance(flight, Question):
            return
        self._land(flight, part)
        pending = self._pending.get(flight.sock, {})
        if pending.get(flight.id) is flight:  # over TCP the id may be another's
            del pending[flight.id]
        if flight.over_tcp is not None:
            flight.over_tcp.cancel()
        self._free.append(flight.host)

    def _bug(self, question: Question) -> None:
        self.bugs += 1
        self._land(question, OUR_FAULT)

    def _land(self, flight: Flight, part: Part) -> None:
        flight.land(part, self._vantage, Dns.kind, self._clock.monotonic())


def _part(fault: RemoteError | LocalError, prefix: str) -> Part:
    if isinstance(fault, RemoteError):
        return Part(Outcome.FAILED, f"{prefix}{fault}", refused=fault.refused)
    return Part(Outcome.UNKNOWN, str(fault))
