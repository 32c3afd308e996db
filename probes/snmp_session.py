"""One look at a device over gufo-snmp: one question on its way at a time, each asked again when it is lost."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from gufo import snmp as gufo
from gufo.snmp.aio import SnmpSession

from probes.local import local_fault
from probes.model import LocalError, RemoteError, Value
from probes.snmp import LONGEST, Device, Interface, Snmp, chosen

T = TypeVar("T")

TRIES = 3
REPLY_SECONDS = 1.5
REPETITIONS = 20
"""Rows of one answer, so that it fits a datagram."""
AT_ONCE = 18
"""Values of one question."""
ROWS = 4_096
"""Interfaces of one device, at most: a table that never ends is no table."""

UPTIME, ENGINE_TIME = "1.3.6.1.2.1.1.3.0", "1.3.6.1.6.3.10.2.1.3.0"
"""sysUpTime.0 (hundredths of a second; starts anew after 497 days), snmpEngineTime.0 (seconds; it does not)."""
DESCR, ADMIN, OPER = "1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.2.2.1.7", "1.3.6.1.2.1.2.2.1.8"
NAME, ALIAS = "1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.31.1.1.1.18"
COUNTERS = {
    "if_speed_mbps": "1.3.6.1.2.1.31.1.1.1.15",  # ifHighSpeed
    "if_in_octets": "1.3.6.1.2.1.31.1.1.1.6",  # ifHCInOctets
    "if_out_octets": "1.3.6.1.2.1.31.1.1.1.10",  # ifHCOutOctets
    "if_in_discards": "1.3.6.1.2.1.2.2.1.13",
    "if_in_errors": "1.3.6.1.2.1.2.2.1.14",
    "if_out_discards": "1.3.6.1.2.1.2.2.1.19",
    "if_out_errors": "1.3.6.1.2.1.2.2.1.20",
}
"""RFC 2863. Octets of 32 bits are left out: at 1 Gbit/s they come round in half a minute."""
_AUTH = {
    "md5": gufo.Md5Key,
    "sha1": gufo.Sha1Key,
    "sha224": gufo.Sha224Key,
    "sha256": gufo.Sha256Key,
    "sha384": gufo.Sha384Key,
    "sha512": gufo.Sha512Key,
}
_PRIV = {"des": gufo.DesKey, "aes128": gufo.Aes128Key, "aes192": gufo.Aes192Key, "aes256": gufo.Aes256Key}


async def ask(snmp: Snmp, host: str) -> Device:
    """Read a device; raises RemoteError (refused when it answered), LocalError."""
    try:
        return await _read(snmp, _open(snmp, host))
    except gufo.SnmpAuthError as error:
        raise RemoteError("it refuses the user or the password (SNMPv3)", refused=True) from error
    except gufo.SnmpError as error:
        raise RemoteError(f"what it sends is no answer ({type(error).__name__})", refused=True) from error
    except OSError as error:
        raise LocalError(local_fault(error) or f"this machine cannot ask it: {error.strerror or error}") from error


def _open(snmp: Snmp, host: str) -> SnmpSession:
    address = f"[{host}]" if ":" in host else host
    if snmp.community:
        return SnmpSession(address, snmp.port, community=snmp.community, timeout=REPLY_SECONDS)
    return SnmpSession(address, snmp.port, user=_user(snmp), timeout=REPLY_SECONDS)


def _user(snmp: Snmp) -> gufo.User:
    auth = _AUTH[snmp.auth_protocol](snmp.auth.encode()) if snmp.auth else None
    priv = _PRIV[snmp.priv_protocol](snmp.priv.encode()) if snmp.priv else None
    return gufo.User(snmp.user, auth_key=auth, priv_key=priv)


async def _read(snmp: Snmp, session: SnmpSession) -> Device:
    await _again(session.refresh)
    clock = asyncio.get_running_loop().time
    began = clock()
    system = await _again(lambda: session.get_many([UPTIME, ENGINE_TIME]))
    rtt = clock() - began
    rows = await _interfaces(session)
    wanted = chosen(snmp, rows)
    counters = await _counters(session, [one.index for one in wanted])
    seen = tuple(
        Interface(one.index, one.name, one.alias, one.admin, one.oper, counters.get(one.index, {})) for one in wanted
    )
    return Device(rtt, _uptime(system), len(rows), seen)


def _uptime(system: dict[str, gufo.ValueType]) -> float | None:
    engine, ticks = system.get(ENGINE_TIME), system.get(UPTIME)
    if isinstance(engine, int):
        return float(engine)
    return ticks / 100 if isinstance(ticks, int) else None


async def _interfaces(session: SnmpSession) -> list[Interface]:
    """Read who they are and how they stand, in order of their index."""
    oper, admin = await _column(session, OPER), await _column(session, ADMIN)
    names, descriptions, aliases = [await _column(session, oid) for oid in (NAME, DESCR, ALIAS)]
    return [
        Interface(
            index,
            _text(names.get(index)) or _text(descriptions.get(index)) or f"if{index}",
            _text(aliases.get(index)),
            _number(admin.get(index)),
            _number(state),
        )
        for index, state in sorted(oper.items())
    ]


async def _column(session: SnmpSession, oid: str) -> dict[int, gufo.ValueType]:
    """Read one column of a table by index."""
    rows, found = session.getbulk(oid, REPETITIONS), dict[int, gufo.ValueType]()
    try:
        while len(found) < ROWS:
            name, value = await _again(rows.__anext__)
            index = name.removeprefix(f"{oid}.")
            if not index.isdecimal() or int(index) in found:  # it has left the table, or goes in circles
                break
            found[int(index)] = value
    except StopAsyncIteration:
        pass
    return found


async def _counters(session: SnmpSession, indexes: Iterable[int]) -> dict[int, dict[str, Value]]:
    """Read the counters of some interfaces; what a device does not have is left out."""
    wanted = [(f"{oid}.{index}", index, key) for index in indexes for key, oid in COUNTERS.items()]
    found: dict[int, dict[str, Value]] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = {oid: (index, key) for oid, index, key in wanted[start : start + AT_ONCE]}
        answer = await _again(lambda some=some: session.get_many(list(some)))  # type: ignore[misc] # a default of a lambda
        for oid, (index, key) in some.items():
            if isinstance(value := answer.get(oid), int):
                name, number = ("if_speed_bps", value * 1_000_000) if key == "if_speed_mbps" else (key, value)
                found.setdefault(index, {})[name] = number
    return found


async def _again(ask_once: Callable[[], Awaitable[T]]) -> T:
    """Ask up to TRIES times; raises RemoteError for silence."""
    clock = asyncio.get_running_loop().time
    began = clock()
    for _ in range(TRIES):
        try:
            return await ask_once()
        except TimeoutError as late:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # gufo-snmp says so of a cancelled wait too
                raise asyncio.CancelledError from late
    if clock() - began < REPLY_SECONDS:  # gufo-snmp says the same of a port that is closed
        raise RemoteError("nothing listens for SNMP there, says the network")
    raise RemoteError(
        f"no answer to SNMP in {TRIES} tries of {REPLY_SECONDS:g} s: silent, filtered, or another community"
    )


def _text(value: gufo.ValueType | None) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return " ".join(value.replace("\0", " ").split())[:LONGEST] if isinstance(value, str) else ""


def _number(value: gufo.ValueType | None) -> int:
    return value if isinstance(value, int) else 0
