"""What may be wrong where Lambi runs or shall run: each finding says what is, and what mends it."""

import os
import resource
import socket
import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from monitor.config import Problem, Settings
from monitor.config.doors import loopback
from monitor.config.places import Place
from monitor.config.settings import Door
from probes.clock import UNREADABLE, Discipline
from probes.icmp_socket import RAW_THEN_DATAGRAM, open_sockets

LITTLE_BYTES, FEW_BYTES = 200 << 20, 2 << 30
FEW_FILES = 4096
FAR_OFF_SECONDS = 1.0


class Verdict(StrEnum):
    """How it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and yet something is to be done."""
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """It cannot be known from here."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    about: str
    verdict: Verdict
    says: str
    mend: str = ""
    """What to do; "" when nothing is to be done."""


def ok(about: str, says: str) -> Finding:
    """Find nothing."""
    return Finding(about, Verdict.OK, says)


def wrong(about: str, says: str, mend: str) -> Finding:
    """Find what keeps Lambi from its work."""
    return Finding(about, Verdict.WRONG, says, mend)


def warning(about: str, says: str, mend: str) -> Finding:
    """Find what will."""
    return Finding(about, Verdict.WARNING, says, mend)


def unknown(about: str, says: str, mend: str = "") -> Finding:
    """Find nothing out."""
    return Finding(about, Verdict.UNKNOWN, says, mend)


def config(problems: Sequence[Problem], notes: Sequence[Problem]) -> Finding:
    """Look at what the files say."""
    if problems:
        more = f", and {len(problems) - 1} more" if problems[1:] else ""
        return wrong("config", f"{problems[0]}{more}", "lambi config check says all that is to be put right")
    if notes:
        return warning("config", f"fine, but what does nothing: {len(notes)}", "lambi config check says which")
    return ok("config", "every file is fine")


def secrets(places: Iterable[Place]) -> list[Finding]:
    """Look whether others can read the files that hold secrets."""
    found = []
    for place in places:
        try:
            mode = Path(place.name).stat().st_mode if place.kind == "file" else 0
        except OSError:
            continue  # the config says so
        if mode & 0o044:
            found.append(wrong("secrets", f"{place.name} can be read by other users", f"chmod go= {place.name}"))
    return found or [ok("secrets", "no secret lies open")]


def state(folder: Path) -> list[Finding]:
    """Look at the state folder: is it there, whose is it, who can read it."""
    try:
        owner = folder.stat()
        inside = [(path, path.lstat()) for path in folder.rglob("*")]
    except FileNotFoundError:
        return [ok("state", f"{folder} is not there yet; the first start makes it")]
    except PermissionError:
        return [unknown("state", f"{folder} belongs to another user", "ask as root, or as who runs Lambi")]
    found = []
    strangers = [path for path, one in inside if one.st_uid != owner.st_uid]
    if strangers:
        says = f"{strangers[0]} and {len(strangers) - 1} more files belong to another user than {folder}"
        found.append(wrong("state", says, f"chown -R --reference={folder} {folder}"))
    if owner.st_mode & 0o005 and any(stat.S_ISREG(one.st_mode) and one.st_mode & 0o004 for _, one in inside):
        says = f"other users of this machine can read {folder}: it holds what people were sent"
        found.append(warning("state", says, f"chmod 700 {folder}"))
    if not os.access(folder, os.W_OK):
        found.append(unknown("state", f"{folder} belongs to another user", "ask as root, or as who runs Lambi"))
    return found or [ok("state", f"{folder} is whole and its owner's alone")]


def disk(folder: Path) -> Finding:
    """Look how much room the disk has that the state folder lies on, or will."""
    while not folder.exists():
        folder = folder.parent
    return room(os.statvfs(folder), folder)


def room(found: os.statvfs_result, folder: Path) -> Finding:
    """Judge what statvfs(3) says."""
    if found.f_flag & os.ST_RDONLY:
        return wrong(
            "disk",
            f"{folder} cannot be written: its disk is mounted read-only",
            f"dmesg says why; then: mount -o remount,rw $(stat -c %m {folder})",
        )
    free = found.f_bavail * found.f_frsize
    says = f"{free / 1e9:.1f} GB are free where {folder} lies"
    more = "make room, or keep fewer days: store.retention_days"
    if free < LITTLE_BYTES or (found.f_files and found.f_favail < 1000):
        return wrong("disk", says if free < LITTLE_BYTES else f"no more files can be made where {folder} lies", more)
    return warning("disk", says, more) if free < FEW_BYTES else ok("disk", says)


def files(pid: int | None) -> Finding:
    """Look how many files the daemon may have open, or a daemon started from here might."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if pid is not None:
        try:
            limit = int(
                next(
                    line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if "open files" in line
                ).split()[3]
            )
        except (OSError, ValueError, StopIteration):
            return unknown("open files", "the daemon's limit cannot be read", "ask as root, or as who runs Lambi")
    if limit < FEW_FILES:
        return warning("open files", f"at most {limit} at once", "ulimit -n 65536, or LimitNOFILE=65536 in the unit")
    return ok("open files", f"at most {limit} at once")


def sockets() -> list[Finding]:
    """Look whether this user may send echoes."""
    opened, missing = open_sockets(RAW_THEN_DATAGRAM)
    for one in opened.values():
        one.sock.close()
    mend = "start it by the unit (lambi install --systemd), or sysctl net.ipv4.ping_group_range='0 2147483647'"
    found = [ok("icmp", f"IPv{family} by {'raw' if one.raw else 'ping'} sockets") for family, one in opened.items()]
    for family, why in missing.items():
        if "permission" in why:
            found.append(wrong("icmp", f"IPv{family}: {why}", mend))
        else:
            found.append(
                warning(
                    "icmp", f"IPv{family}: {why}", "nothing, if this machine is to have none: families: 4 under vantage"
                )
            )
    return found


def clock(found: Discipline) -> Finding:
    """Look whether somebody steers the clock."""
    if found.sentence == UNREADABLE:
        return unknown("clock", found.sentence, "a container may forbid it: ask on the machine itself")
    if not found.synchronised:
        return wrong(
            "clock",
            found.sentence,
            "chronyc sources, or apt install chrony; on an island without a way out, a GPS receiver",
        )
    if found.error_seconds > FAR_OFF_SECONDS:
        return warning("clock", found.sentence, "chronyc sources says which servers answer")
    return ok("clock", found.sentence)


def resolver(names: Collection[str], known: Mapping[str, bool]) -> Finding:
    """Judge which of the config's names could be resolved."""
    lost = [name for name in names if not known.get(name)]
    if not names:
        return ok("resolver", "nothing in the config has to be resolved")
    if not lost:
        return ok("resolver", f"{len(names)} names of the config are known")
    if len(lost) == len(names):
        return wrong(
            "resolver",
            f"none of the config's {len(names)} names can be resolved",
            "/etc/resolv.conf names a server that does not answer; one on this machine helps while the link is cut",
        )
    return warning(
        "resolver",
        f"not known: {', '.join(sorted(lost)[:3])}",
        "a wrong name, or a zone that is down: lambi config check, dig NAME",
    )


def references(answered: Mapping[int, Collection[str]], quorum: int) -> list[Finding]:
    """Judge which networks' references answered, by address family."""
    found = []
    for family, networks in sorted(answered.items()):
        says = f"IPv{family}: references of {len(networks)} networks answer, {quorum} are needed"
        if len(networks) >= quorum:
            found.append(ok("references", says))
        elif any(len(one) >= quorum for one in answered.values()):
            found.append(
                warning(
                    "references", says, f"families: {10 - family} under vantage, if this machine has no IPv{family}"
                )
            )
        else:
            found.append(
                wrong(
                    "references",
                    says,
                    "let UDP port 53 out to them (guard.references), or name servers that this machine may ask",
                )
            )
    return found


def busy(door: Door) -> bool:
    """Whether something listens where a door would."""
    try:
        with socket.create_server(
            (door.host, door.port), family=socket.AF_INET6 if ":" in door.host else socket.AF_INET
        ):
            return False
    except OSError:
        return True


def doors(settings: Settings, *, running: bool, taken: Callable[[Door], bool]) -> list[Finding]:
    """Look at the doors: do they answer, or could they be opened, and who can reach them."""
    found = []
    for key, door in (("web.public", settings.public), ("web.ops", settings.ops)):
        listens = taken(door)
        if running and not listens:
            found.append(
                wrong(
                    "doors",
                    f"nothing listens at {door.place}",
                    f"the daemon was started with another {key}: restart it",
                )
            )
        elif listens and not running:
            found.append(
                wrong(
                    "doors",
                    f"{door.place} is taken by another program",
                    f"set {key} in {settings.file}; ss -ltnp says who it is",
                )
            )
    if not loopback(settings.public.host):
        found.append(
            warning(
                "doors",
                f"{settings.public.place} can be reached without TLS",
                "put a reverse proxy before it: docs/operating.md",
            )
        )
    return found or [ok("doors", "open" if running else "free")]


def people(settings: Settings, stale: str | None, *, running: bool) -> list[Finding]:
    """Look whether anybody can be told, and whether their addresses were confirmed of late."""
    on = set(settings.channels)
    reach = [c for c in settings.directory.contacts.values() if any(a.enabled and a.channel in on for a in c.addresses)]
    if not reach:
        return [
            warning(
                "contacts",
                "nobody can be reached",
                "switch a channel on, then write contacts.yaml and routes.yaml: README.md",
            )
        ]
    found = []
    if "127.0.0.1" in settings.base_url or "localhost" in settings.base_url:
        found.append(
            warning("contacts", "links in messages lead to this machine alone", f"set web.base_url in {settings.file}")
        )
    if not running:
        found.append(unknown("contacts", "whether addresses were confirmed of late is known to a daemon that runs"))
    elif stale:
        found.append(warning("contacts", stale, "lambi contact verify NAME"))
    return found or [ok("contacts", f"{len(reach)} can be reached")]


def heartbeat(settings: Settings) -> Finding:
    """Look whether anybody would notice that this Lambi has died."""
    ways = [*settings.beats.watchers, *(peer for peer in settings.beats.peers if peer.url)]
    if not ways:
        return warning("heartbeat", "nobody would notice if this Lambi died", "a watcher or a peer: docs/heartbeat.md")
    return ok("heartbeat", f"{len(ways)} would notice if this Lambi died")


def fact(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON types."""
    return {
        "about": finding.about,
        "verdict": finding.verdict.value,
        "says": finding.says,
        "mend": finding.mend or None,
    }
