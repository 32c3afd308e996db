"""What a probe is asked, what it may say, and whose fault a failure is."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

Value = float | int | str
"""A measured value; the unit is in the key (``rtt_seconds``, ``soa_serial``)."""


class RemoteError(Exception):
    """The target is at fault: the look failed. ``refused`` says that it was an answer, not silence."""

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused


class LocalError(Exception):
    """We are at fault (permission, no route, no resolver): we could not look."""


class Outcome(StrEnum):
    """What one look can say of one part, and no more."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Target:
    """One address that can be asked. ``address`` is an IP literal, or a host name or URL where a probe takes one."""

    id: str
    address: str
    family: int
    """4 or 6: every result belongs to one address family."""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """The outcome of one part of a look: an interface, a BGP peer, a prefix; a simple probe has the part ""."""

    outcome: Outcome
    reason: str = ""
    """One plain sentence without a full stop; empty when OK and nothing is remarkable."""
    values: Mapping[str, Value] = field(default_factory=dict)
    refused: bool = False
    """FAILED by an answer (RST, port unreachable, REFUSED), not by silence: loss cannot have caused it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What `Probe.read` returns: its parts by name."""

    parts: Mapping[str, Part]


class Probe(Protocol):
    """One question. Its dataclass fields are its settings; it knows nothing of deadlines, retries or clocks."""

    @property
    def kind(self) -> str:
        """The registry's name of this probe: icmp, tcp, dns, http, snmp."""
        ...

    async def read(self, target: Target) -> Reading:
        """Ask once; raise RemoteError or LocalError."""
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to one target, due at ``at``. ``probe`` is the probe's dataclass: its settings."""

    check: str
    """The check's identity: ``target/probe/name``."""
    target: Target
    probe: Any
    timeout: float
    at: datetime
    """When the look was due; lateness is the observation's ``at`` minus this."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at one check."""

    check: str
    target: Target
    kind: str
    vantage: str
    due: datetime
    at: datetime
    """When the question left, UTC."""
    took: float
    """Seconds from the question to the verdict."""
    parts: Mapping[str, Part]

    def failed(self) -> bool:
        """Whether some part did."""
        for part in self.parts.values():  # noqa: SIM110 - asked of every look: any() costs twice as much
            if part.outcome is Outcome.FAILED:
                return True
        return False


class Engine(Protocol):
    """Asks many at once and owns the shared sockets, sessions, pacing, deadlines and retries."""

    @property
    def capability(self) -> str:
        """Empty, or one sentence: what this engine cannot do here."""
        ...

    @property
    def bugs(self) -> int:
        """Exceptions caught at this boundary since the start: each is a defect of ours."""
        ...

    def ask(self, asks: Sequence[Ask]) -> AsyncIterator[list[Observation]]:
        """Yield each ask's observation once, in batches, as they come; never raises."""
        ...

    async def close(self) -> None:
        """Give back sockets and sessions; open asks end UNKNOWN."""
        ...


class Feed(Protocol):
    """A stream that keeps a table (RIS Live, BMP, traps)."""

    async def run(self, nudge: Callable[[str], None]) -> None:
        """Run until cancelled; reconnect alone; ``nudge(check)`` asks for a look now."""
        ...
