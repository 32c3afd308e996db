"""`lambi doctor`: what may be wrong here, and what mends it."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from alerting.backup import versions
from alerting.journal import JournalError
from monitor import doctor as look
from monitor.backup import JOURNAL
from monitor.cli import files, options
from monitor.cli.client import Client
from monitor.cli.say import EXIT_NO_DAEMON, EXIT_UNKNOWN, EXIT_WRONG, EXITS, CommandError, out, out_json
from monitor.config import Settings
from monitor.config.places import secret_places
from monitor.doctor import Finding, Verdict
from monitor.ledger import SCHEMAS
from monitor.model import Phase
from probes import engines
from probes.clock import SystemClock, discipline
from probes.model import Outcome
from probes.report import ask_once

app = typer.Typer()
RESOLVER_SECONDS = 5.0


@app.command(epilog=EXITS)
def doctor(*, config: options.Folder = None, json: options.Json = False) -> None:
    """Look at all that Lambi needs here: permissions, sockets, clock, disk, resolver, references, doors, contacts.

    Each finding that is not "ok" has the sentence that mends it. Where no daemon runs, the references of the own link
    are asked once, as `lambi run` would. Exit 1 when something is wrong, else 4 when something cannot be known.

    Examples:  lambi doctor   |   lambi doctor --json | jq '.findings[] | select(.verdict != "ok")'
    """
    settings, problems = files.outline(config)
    daemon = Daemon.find(settings)
    findings = [
        look.config(problems, settings.notes),
        *look.secrets(secret_places(files.overlay(config))),
        *look.state(settings.state),
        _journal(settings.state / JOURNAL),
        look.disk(settings.state),
        look.files(daemon.pid),
        *look.sockets(),
        look.clock(discipline()),
        asyncio.run(_resolver(settings)),
        *(daemon.references() or asyncio.run(_references(settings))),
        *look.doors(settings, running=daemon.running, taken=_listens if daemon.running else look.busy),
        *look.people(settings, daemon.stale, running=daemon.running),
        look.heartbeat(settings),
        *daemon.findings(),
    ]
    verdicts = {one.verdict for one in findings}
    if json:
        out_json({"ok": Verdict.WRONG not in verdicts, "findings": [look.fact(one) for one in findings]})
    else:
        for one in findings:
            out(
                f"{one.verdict.value:<8} {one.about:<12} {one.says}"
                + (f"\n{'':<22}to mend: {one.mend}" if one.mend else "")
            )
    raise typer.Exit(EXIT_WRONG if Verdict.WRONG in verdicts else EXIT_UNKNOWN if Verdict.UNKNOWN in verdicts else 0)


class Daemon:
    """What a daemon says that runs here; of one that cannot be asked, that."""

    def __init__(self, settings: Settings) -> None:
        self._client = Client(settings.control)
        self.running, self.refused = False, ""
        self.status: dict[str, Any] = {}
        self.sees = False
        """Whether its references have answered yet."""
        self.stale: str | None = None
        self.pid: int | None = None

    @classmethod
    def find(cls, settings: Settings) -> "Daemon":
        """Ask it, if it is there."""
        found = cls(settings)
        try:
            found.status = found._client.read("/api/v1/status")
            found.running = True
            vantage = found._client.read("/api/v1/asset/" + found.status["vantage"]["asset"])
            found.sees = vantage["state"] in {Phase.UP, Phase.DEGRADED}
            found.stale = found._client.run("contact-freshness", {}).get("warning")
            found.pid = int((settings.state / "lock").read_text())
        except CommandError as error:
            found.refused = "" if error.code == EXIT_NO_DAEMON else str(error)
        except (OSError, ValueError):
            pass
        return found

    def references(self) -> list[Finding]:
        """Return whether it sees the world; nothing when it does not run."""
        if not self.running:
            return []
        blind = self.status["vantage"]["cannot_see_the_world"]
        mend = "lambi why " + self.status["vantage"]["asset"]
        say = look.warning if len(blind) == 1 and blind[0]["family"] else look.wrong
        lost = [say("references", f"IPv{one['family'] or '4 and 6'}: {one['reason']}", mend) for one in blind]
        if not lost and not self.sees:
            return [look.unknown("references", "the daemon has not looked long enough yet", "ask again in a minute")]
        return lost or [look.ok("references", "the daemon sees the world")]

    def findings(self) -> Iterator[Finding]:
        """Return that it runs, and what it says of itself."""
        if self.refused:
            yield look.unknown("daemon", self.refused)
        elif not self.running:
            yield look.ok("daemon", "none runs here")
        else:
            yield look.ok("daemon", f"it runs: {self.status['headline']}")
            for note in self.status["notes"]:
                yield look.warning("daemon", note, "see above, and its log")


def _journal(path: Path) -> Finding:
    if not path.exists():
        return look.ok("journal", "there is none yet")
    try:
        known = versions(path)
    except JournalError as error:
        return look.wrong("journal", str(error), "lambi restore, from the last backup, after setting it aside")
    for owner, steps in known.items():
        if steps != [one.name for one in SCHEMAS.get(owner, ())][: len(steps)]:
            says = f"{path} was written by a later version of Lambi ({owner}: {steps[-1]!r})"
            return look.wrong("journal", says, "install that version, or restore a backup that was made before it")
    return look.ok("journal", "of this version or an earlier one")


def _names(settings: Settings) -> Iterator[str]:
    """Return the host names that the daemon will have to resolve."""
    urls = [str(getattr(channel, "url", "")) for channel in settings.channels.values()]
    urls += [one.url for one in settings.beats.watchers] + [one.url for one in settings.beats.peers]
    urls += [check.target.address for check in settings.world.checks.values() if "://" in check.target.address]
    hosts = [urlsplit(url).hostname or "" for url in urls]
    for host in [*hosts, *(str(getattr(channel, "host", "")) for channel in settings.channels.values())]:
        if host and not host.replace(".", "").isdigit() and ":" not in host:
            yield host


async def _resolver(settings: Settings) -> Finding:
    """Resolve a few of the config's names, channels first: what is slow is as good as down."""
    names = list(dict.fromkeys(_names(settings)))[:8]
    loop = asyncio.get_running_loop()

    async def known(name: str) -> bool:
        try:
            async with asyncio.timeout(RESOLVER_SECONDS):
                return bool(await loop.getaddrinfo(name, None))
        except (OSError, TimeoutError, UnicodeError):
            return False

    found = await asyncio.gather(*map(known, names))
    return look.resolver(names, dict(zip(names, found, strict=True)))


async def _references(settings: Settings) -> list[Finding]:
    """Ask every reference once."""
    clock = SystemClock()
    built = engines.build(vantage=settings.world.vantage, clock=clock)
    checks = [check for check in settings.world.checks.values() if check.reference]
    try:
        asks = (ask_once(built, one.probe, one.target, timeout=one.timeout, clock=clock) for one in checks)
        looks = await asyncio.gather(*asks)
    finally:
        await engines.close(built)
    answered: dict[int, set[str]] = {check.target.family: set() for check in checks}
    for check, seen in zip(checks, looks, strict=True):
        if all(part.outcome is Outcome.OK for part in seen.parts.values()):
            answered[check.target.family].add(check.reference)
    return look.references(answered, settings.world.quorum)


def _listens(door: Any) -> bool:
    """Whether somebody answers at a door of a daemon that runs."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(door.host, door.host)  # noqa: S104 - compared, not bound
    try:
        with socket.create_connection((host, door.port), 2.0):
            return True
    except OSError:
        return False
