"""A zone as a set: what each of its servers says of it; whether that agrees, in time and with the parent. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, ClassVar

from probes.dns import Dns, compiled
from probes.dns_records import DNSKEY, Records, Signature, ahead, fits, newer, tag
from probes.dns_wire import SOA
from probes.model import Outcome, Part, Value

SOON = 12 * 3600.0
"""Seconds before the end of a signature from which on it is trouble: signers that work have renewed it by then."""
LEAST_PATIENCE = 60.0
DOUBT = "the parent's signatures do not hold by this machine's clock either: it may be wrong"
COVERED = {SOA: "SOA", DNSKEY: "DNSKEY"}


@dataclass(frozen=True, slots=True)
class Zone:
    """What the servers of a zone say of it over one family: serials, signatures, TCP, size; DS and NS of the parent."""

    kind: ClassVar[str] = "zone"
    columns: ClassVar[Mapping[str, float | None]] = {
        "rtt_seconds": 1e-6,
        "tcp_rtt_seconds": 1e-6,
        "soa_serial": 1.0,
        "serials": 1.0,
        "lag_seconds": 1.0,
        "signature_seconds": 1.0,
        "answer_bytes": 1.0,
        "edns_bytes": 1.0,
        "keys": 1.0,
        "ds": 1.0,
        "servers": 1.0,
        "servers_answering": 1.0,
        "nsid": None,
    }
    query: str = "."
    servers: str = ""
    """Its servers, as NAME=ADDRESS, separated by commas; empty: the target alone."""
    parents: str = ""
    """Addresses of the parent's servers, separated by commas; one is asked for NS and DS, once an hour; empty: none."""
    port: int = 53

    def __post_init__(self) -> None:
        for name in ("servers", "parents"):
            for _, address in pairs(getattr(self, name)):
                if not _literal(address):
                    raise ValueError(f"{name}: {address!r:.80}; an IP address expected")
        compiled(Dns(query=self.query, port=self.port))

    async def read(self, target: Any) -> Any:
        """It keeps what it has seen before, so only its engine reads it."""
        raise NotImplementedError


def _literal(address: str) -> bool:
    try:
        ip_address(address)
    except ValueError:
        return False
    return True


def pairs(text: str) -> list[tuple[str, str]]:
    """Read "NAME=ADDRESS, ADDRESS" as names and addresses; one without a name is called by its address."""
    found = []
    for word in filter(None, (word.strip() for word in text.split(","))):
        name, equals, address = word.partition("=")
        found.append((name.strip(), address.strip()) if equals else (word, word))
    return found


@dataclass(slots=True)
class Server:
    """What one server said."""

    silent: str = ""
    """Why nothing of the zone is known from it: that is told by whoever watches the server."""
    soa: Records = field(default_factory=Records)
    keys: Records | None = None
    """None when its keys are not known."""
    names: frozenset[str] = frozenset()
    values: dict[str, Value] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    """What the transport showed: TCP, large answers."""


@dataclass(slots=True)
class Serials:
    """When each serial of a zone was first seen, in seconds of a clock that is not set; the newest few hundred."""

    first: dict[int, float] = field(default_factory=dict)
    most: int = 512

    def note(self, serial: int, at: float) -> None:
        """Take note of a serial that some server gives."""
        self.first.setdefault(serial, at)
        if len(self.first) > self.most:
            del self.first[min(self.first, key=self.first.__getitem__)]

    def behind(self, serial: int, among: Sequence[int], at: float) -> float:
        """Return for how long a newer serial than this has been out, of those that are out now; 0: there is none."""
        if not any(newer(other, serial) for other in among):
            return 0.0
        return max(at - first for other, first in self.first.items() if newer(other, serial))


@dataclass(frozen=True, slots=True)
class Case:
    """All that one look at a zone has found."""

    zone: Zone
    servers: Mapping[str, Server]
    parent: Records | None
    """What the parent says of it; None: it has not been asked, or did not answer."""
    serials: Serials
    at: float
    """Seconds of the clock of ``serials``."""
    now: float
    """Unix time."""


def parts(case: Case) -> dict[str, Part]:
    """Say what a look means: a part for each server, and "" for the zone as a whole."""
    known = {name: server for name, server in case.servers.items() if not server.silent}
    serials = [server.soa.serial for server in known.values() if server.soa.serial is not None]
    for serial in serials:
        case.serials.note(serial, case.at)
    unusable: list[str] = []
    found: dict[str, Part] = {}
    for name, server in case.servers.items():
        if server.silent:
            found[name] = Part(Outcome.UNKNOWN, server.silent)
            continue
        if server.soa.signatures and _clock_doubted(case):
            found[name] = Part(Outcome.UNKNOWN, DOUBT)
            continue
        broken = _broken(case, server)
        unusable += broken[:1]
        said = [*broken, *_lag(case, server, serials), *_delegation(case, server)]
        faults = [*said, *server.faults]
        outcome = Outcome.FAILED if faults else Outcome.OK
        found[name] = Part(outcome, "; ".join(faults), server.values, refused=bool(said))
    return {"": _whole(case, known, unusable), **found}


def _whole(case: Case, known: Mapping[str, Server], unusable: Sequence[str]) -> Part:
    total = len(case.servers)
    if not known:
        return Part(Outcome.UNKNOWN, f"none of its {total} servers answers with authority")
    values: dict[str, Value] = {"servers": total, "servers_answering": len(known)}
    values["serials"] = len({server.soa.serial for server in known.values()})
    for key, pick in (("signature_seconds", min), ("lag_seconds", max)):
        given = [value for one in known.values() if isinstance(value := one.values.get(key), int | float)]
        if given:
            values[key] = pick(given)
    if case.parent is not None:
        values["ds"] = len(case.parent.ds)
    if _clock_doubted(case) and any(server.soa.signatures for server in known.values()):
        return Part(Outcome.UNKNOWN, DOUBT)
    if len(unusable) < len(known):
        return Part(Outcome.OK, "", values)
    common = Counter(unusable).most_common(1)[0][0]
    return Part(Outcome.FAILED, f"whoever validates finds nothing: {common}", values, refused=True)


def _clock_doubted(case: Case) -> bool:
    """Whether what the parent signed is out of its dates too: then it is our clock, before it is everybody else."""
    signatures = case.parent.signatures if case.parent else ()
    return bool(signatures) and not any(
        ahead(one.begins, case.now) <= 0 < ahead(one.ends, case.now) for one in signatures
    )


def _broken(case: Case, server: Server) -> list[str]:
    """Say why whoever validates cannot use what it answers; notes how long its signatures last."""
    keys = server.keys.keys if server.keys else ()
    delegated = case.parent.ds if case.parent else ()
    if server.keys is not None:
        server.values["keys"] = len(keys)
    if not (keys or server.soa.signatures):
        return ["the parent has a DS for it, and it is not signed"] if delegated and server.keys is not None else []
    found = [*_signed(case, server, SOA, server.soa), *_signed(case, server, DNSKEY, server.keys)]
    if keys and delegated and not _fitting(case, keys):
        here, there = _tags(map(tag, keys)), _tags(int.from_bytes(ds[:2], "big") for ds in delegated)
        found.append(f"none of its keys ({here}) fits the DS at the parent ({there})")
    return found


def _fitting(case: Case, keys: Sequence[bytes]) -> bool:
    owner = compiled(Dns(query=case.zone.query)).question[:-4]
    delegated = case.parent.ds if case.parent else ()
    return any(fits(ds, key, owner) is not False for ds in delegated for key in keys)


def _tags(tags: Any) -> str:
    return ", ".join(str(one) for one in sorted(set(tags)))


def _signed(case: Case, server: Server, covered: int, records: Records | None) -> list[str]:
    """Say what is wrong with the signatures over one type; of several, one that holds is enough."""
    if records is None or (covered == DNSKEY and not records.keys):
        return []
    name = COVERED[covered]
    over = [one for one in records.signatures if one.covers == covered]
    if not over:
        return [f"its {name} comes without a signature, and it has keys"]
    begun = [one for one in over if ahead(one.begins, case.now) <= 0]
    if not begun:
        wait = min(ahead(one.begins, case.now) for one in over)
        return [f"the signature over its {name} begins only in {span(wait)}"]
    last = max(begun, key=lambda one: ahead(one.ends, case.now))
    left = ahead(last.ends, case.now)
    before = server.values.get("signature_seconds", left)
    server.values["signature_seconds"] = min(left, before) if isinstance(before, int | float) else left
    if left <= 0:
        return [f"the signature over its {name} ended {span(-left)} ago"]
    return _by_whom(server, begun, name)


def _by_whom(server: Server, signatures: Sequence[Signature], name: str) -> list[str]:
    keys = {tag(key) for key in server.keys.keys} if server.keys else set()
    signers = {one.tag for one in signatures}
    if not keys or keys & signers:
        return []
    return [f"its {name} is signed by a key that it does not give ({_tags(signers)})"]


def _lag(case: Case, server: Server, serials: Sequence[int]) -> list[str]:
    """Say that it keeps an old serial for longer than the zone itself grants: not a change that is on its way."""
    serial = server.soa.serial
    if serial is None:
        return []
    late = server.values["lag_seconds"] = case.serials.behind(serial, serials, case.at)
    patience = max((one.soa.patience for one in case.servers.values()), default=0)
    if late <= max(float(patience), LEAST_PATIENCE):
        return []
    newest = max((one for one in serials if newer(one, serial)), key=lambda one: (one - serial) % (1 << 32))
    return [f"it lags: serial {serial}; newer ones, now {newest}, have been out for {span(late)}"]


def _delegation(case: Case, server: Server) -> list[str]:
    """Say what is in trouble, or will be, though whoever validates still can."""
    found = []
    left = server.values.get("signature_seconds")
    if isinstance(left, int | float) and 0 < left < SOON:
        found.append(f"its first signature ends in {span(left)}")
    if case.parent is None or not case.parent.servers or not server.names:
        return found
    missing, more = sorted(case.parent.servers - server.names), sorted(server.names - case.parent.servers)
    if missing:
        found.append(f"only the parent names {', '.join(missing)}")
    if more:
        found.append(f"the parent does not name {', '.join(more)}")
    return found


def span(seconds: float) -> str:
    """ "40 s", "12 min", "5 h", "3 d"."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"
