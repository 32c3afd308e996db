"""SNMP: a device's uptime and its interfaces, each a part (RFC 3418, RFC 2863), over v2c or v3."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import ClassVar

from probes.local import canonical
from probes.model import Outcome, Part, Reading, Target, Value

AUTH = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
PRIV = ("des", "aes128", "aes192", "aes256")
MOST = 200
"""Interfaces that one look reads; of more, those that are described come first."""
LATELY = 600.0
"""Seconds since its start for which a device is said to have just started."""
UP, DOWN, DORMANT, NOT_PRESENT, LOWER_LAYER_DOWN = 1, 2, 5, 6, 7
"""ifAdminStatus, ifOperStatus."""
WORDS = {DOWN: "down", NOT_PRESENT: "not present", LOWER_LAYER_DOWN: "down, as what it runs over is"}
LONGEST = 80
"""Characters of a name or description."""


@dataclass(frozen=True, slots=True)
class Snmp:
    """What a device says of itself; OK when it answers, and of an interface when it is up."""

    kind: ClassVar[str] = "snmp"
    columns: ClassVar[Mapping[str, float | None]] = {
        "rtt_seconds": 1e-6,
        "uptime_seconds": 0.01,
        "interfaces": 1.0,
        "if_speed_bps": 1.0,
        "if_in_octets": 1.0,
        "if_out_octets": 1.0,
        "if_in_octets_per_second": 1.0,
        "if_out_octets_per_second": 1.0,
        "if_in_errors": 1.0,
        "if_out_errors": 1.0,
        "if_in_discards": 1.0,
        "if_out_discards": 1.0,
    }
    community: str = field(default="", repr=False)
    """The read community of v2c; where it is given, v2c is spoken."""
    user: str = ""
    """The user of v3."""
    auth: str = field(default="", repr=False)
    """The password of that user, at least 8 characters."""
    auth_protocol: str = "sha1"
    """md5, sha1, sha224, sha256, sha384 or sha512."""
    priv: str = field(default="", repr=False)
    """The password that encrypts, at least 8 characters."""
    priv_protocol: str = "aes128"
    """des, aes128, aes192 or aes256."""
    interfaces: str = ""
    """Those to look at, separated by commas, by name or description, with * and ?; empty: those with a description."""
    port: int = 161

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65_535:
            raise ValueError(f"port: {self.port}; 1 to 65535 expected")
        if bool(self.community) == bool(self.user):
            raise ValueError("community or user: give one of them, v2c or v3")
        if self.auth_protocol not in AUTH:
            raise ValueError(f"auth_protocol: {self.auth_protocol!r}; one of {', '.join(AUTH)} expected")
        if self.priv_protocol not in PRIV:
            raise ValueError(f"priv_protocol: {self.priv_protocol!r}; one of {', '.join(PRIV)} expected")
        if self.priv and not self.auth:
            raise ValueError("priv: SNMPv3 encrypts only for a user with a password under auth")
        for key in ("auth", "priv"):
            if 0 < len(getattr(self, key)) < 8:
                raise ValueError(f"{key}: a password of SNMPv3 has at least 8 characters (RFC 3414)")

    async def read(self, target: Target) -> Reading:
        """Ask once; raises RemoteError (refused when it answered), LocalError."""
        from probes.snmp_session import ask  # noqa: PLC0415 - gufo-snmp is loaded only by who asks SNMP

        host = canonical(target.address, target.family)
        return Reading(parts(self, await ask(self, host)))


@dataclass(frozen=True, slots=True)
class Interface:
    """One row of ifTable and ifXTable; counters are None where the device has none."""

    index: int
    name: str
    alias: str
    admin: int
    oper: int
    counters: Mapping[str, Value] = field(default_factory=dict)

    def called(self, pattern: str) -> bool:
        """Whether a pattern means it, by its name or description; small and capital letters are the same."""
        return any(fnmatchcase(word.casefold(), pattern.casefold()) for word in (self.name, self.alias) if word)


@dataclass(frozen=True, slots=True)
class Device:
    """What one look has read."""

    rtt: float
    uptime: float | None
    """Seconds since its agent started."""
    known: int
    """Interfaces it has."""
    interfaces: tuple[Interface, ...]
    """Those that were chosen."""


def chosen(snmp: Snmp, interfaces: list[Interface]) -> list[Interface]:
    """Return the interfaces to look at: those that are named; else those described; else whatever is switched on."""
    patterns = [word.strip() for word in snmp.interfaces.split(",") if word.strip()]
    if patterns:
        return [one for one in interfaces if any(one.called(pattern) for pattern in patterns)][:MOST]
    on = [one for one in interfaces if one.admin == UP]  # what its operator has switched off is no trouble
    return ([one for one in on if one.alias] or on)[:MOST]


def parts(snmp: Snmp, device: Device) -> dict[str, Part]:
    """Say what a look at a device means; the part "" is the device itself."""
    values: dict[str, Value] = {"rtt_seconds": device.rtt, "interfaces": device.known}
    reason = ""
    if device.uptime is not None:
        values["uptime_seconds"] = device.uptime
        reason = f"its agent started {device.uptime / 60:.0f} min ago" if device.uptime < LATELY else ""
    found = {"": Part(Outcome.OK, reason, values)}
    named = bool(snmp.interfaces.strip())
    for name, one in _named(device.interfaces):
        found[name] = _interface(one, named=named)
    return found


def _named(interfaces: tuple[Interface, ...]) -> Iterator[tuple[str, Interface]]:
    """Yield each interface under a name of its own: two that are called alike are told apart by their index."""
    names = [one.name for one in interfaces]
    for one in interfaces:
        yield (one.name if names.count(one.name) == 1 else f"{one.name}#{one.index}"), one


def _interface(one: Interface, *, named: bool) -> Part:
    said = f'"{one.alias}"' if one.alias else ""
    if one.admin == UP and one.oper in {UP, DORMANT}:
        return Part(Outcome.OK, said, one.counters)
    if one.admin != UP:
        return Part(Outcome.FAILED, _and("switched off by its operator", said), one.counters, refused=True)
    if one.oper not in WORDS:
        return Part(Outcome.UNKNOWN, _and("its device does not know how it is", said))
    if not (named or one.alias):
        why = "it is down; it counts once it has a description there, or is named under interfaces"
        return Part(Outcome.UNKNOWN, why)
    return Part(Outcome.FAILED, _and(f"its device says {WORDS[one.oper]}", said), one.counters, refused=True)


def _and(reason: str, said: str) -> str:
    return f"{reason}: {said}" if said else reason
