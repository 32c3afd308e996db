"""What one question costs, from the scheduler's tick to the observation, beside who else asks it.

DNS: the SOA of a zone with EDNS and NSID, at a real NSD on 2,000 addresses of 127/8, which answers in full as most
ccTLD servers do: the SOA, three name servers, four addresses. Beside it dnspython's asyncquery, and Debian's blackbox
exporter, whose scrapes cost somebody else more. CPU seconds are those of whoever asks, user and system. Takes a minute
(--quick: 25 s).
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

if not __package__:  # started as a file: python bench/reachability.py
    sys.path.insert(0, str(Path(__file__).parents[1]))

import aiohttp

from bench.asking import AT_ONCE
from bench.common import SUBJECT, Goal, Progress, Report, asked, cpu_seconds, finish
from tests.daemons import listens, until
from tests.ports import own_ports
from tests.probes.servers import accepts, running

ROOT = Path(__file__).parents[1]
NSD = Path("/usr/sbin/nsd")
BLACKBOX = Path("/usr/bin/prometheus-blackbox-exporter")
GOALS = (
    Goal("dns_of_asyncquery", 1 / 20),
    Goal("dns_of_blackbox", 1 / 15),
    Goal("dns_failed", 0, exact=True),
)
CONTENDERS = {
    SUBJECT: "this checkout: its scheduler and engines in one process",
    "asyncquery": f"dnspython's dns.asyncquery.udp, {AT_ONCE} at once, sockets used again",
    "blackbox": f"Debian's prometheus-blackbox-exporter alone, {AT_ONCE} scrapes at once; who scrapes is not counted",
}
ZONE = """\
$ORIGIN bench.
$TTL 300
@ SOA ns1 hostmaster 2026112401 3600 600 86400 300
@ NS ns1
@ NS ns2
@ NS ns3
ns1 A 192.0.2.1
ns2 A 192.0.2.2
ns3 A 192.0.2.3
ns1 AAAA 2001:db8::1
"""
CONFIG = """\
server:
    {addresses}
    server-count: 1
    username: ""
    chroot: ""
    zonesdir: "{folder}"
    pidfile: "{folder}/pid"
    xfrdfile: ""
    zonelistfile: "{folder}/zones"
    database: ""
    nsid: "ascii_bench"
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: bench.
    zonefile: bench.zone
"""
SERVERS = [f"127.20.{block}.{n}" for block in range(8) for n in range(1, 251)]
"""NSD answers from the address that was asked only on those that it is told of."""


@dataclass(slots=True)
class Bench:
    """What a run has."""

    folder: Path
    say: Progress
    report: Report
    contenders: list[str]
    seconds: float
    targets: int

    def ask(self, name: str, asked: Mapping[str, Any]) -> dict[str, float]:
        """Have a process of its own ask; return what it found."""
        argv = [sys.executable, "-m", "bench.asking", name]
        ran = subprocess.run(argv, input=json.dumps(asked), capture_output=True, text=True, cwd=ROOT, check=False)
        if ran.returncode:
            raise RuntimeError(f"{name}: {ran.stderr[-2000:]}")
        found: dict[str, float] = json.loads(ran.stdout)
        return found

    def give(self, kind: str, found: Mapping[str, Mapping[str, float]]) -> None:
        """Add the figures of one kind of question."""
        each = {name: one["cpu"] / one["count"] * 1e6 for name, one in found.items()}
        self.report.add(f"{kind}_us", "us CPU", each)
        self.report.add(f"{kind}_asked", "questions", {name: int(one["count"]) for name, one in found.items()})
        self.report.add(f"{kind}_failed", "questions", {name: int(one["failed"]) for name, one in found.items()})
        own = found.get(SUBJECT)
        if own is None:
            return
        for apart in ("believing", "storing"):
            self.report.add(f"{kind}_{apart}_us", "us CPU", {SUBJECT: own[apart] / own["count"] * 1e6})
        for name in each.keys() - {SUBJECT}:
            self.report.add(f"{kind}_of_{name}", "share", {SUBJECT: each[SUBJECT] / each[name]})


def ask_dns(bench: Bench) -> None:
    """Ask NSD for an SOA."""
    if not NSD.exists():
        bench.report.notes.append("dns was left out: nsd is not installed (make test-deps)")
        return
    folder = bench.folder / "nsd"
    folder.mkdir()
    port, door = own_ports(2)
    (folder / "bench.zone").write_text(ZONE)
    places = "\n    ".join(f"ip-address: {one}@{port}" for one in SERVERS)
    (folder / "nsd.conf").write_text(CONFIG.format(folder=folder, addresses=places))
    asked = {"kind": "dns", "settings": {"query": "bench.", "port": port}, "seconds": bench.seconds}
    asked["targets"] = [SERVERS[n % len(SERVERS)] for n in range(bench.targets)]
    found: dict[str, dict[str, float]] = {}
    with running([str(NSD), "-d", "-c", str(folder / "nsd.conf")], folder / "log") as wait:
        wait(lambda: accepts(port, SERVERS[-1]), "nsd")
        for name in (name for name in (SUBJECT, "asyncquery") if name in bench.contenders):
            bench.say.say(f"{name} asks for {bench.seconds:g} s")
            found[name] = bench.ask(name, asked)
        if "blackbox" in bench.contenders and BLACKBOX.exists():
            bench.say.say(f"blackbox asks for {bench.seconds:g} s")
            module = {"query_name": "bench.", "query_type": "SOA", "recursion_desired": False}
            module |= {
                "preferred_ip_protocol": "ip4",
                "validate_answer_rrs": {"fail_if_not_matches_regexp": [".*SOA.*"]},
            }
            modules = {"modules": {"it": {"prober": "dns", "timeout": "1s", "dns": module}}}
            found["blackbox"] = blackbox(bench, modules, [f"{one}:{port}" for one in asked["targets"]], door)
        elif "blackbox" in bench.contenders:
            bench.report.notes.append("blackbox was left out: not installed (make test-deps)")
    bench.give("dns", found)


def blackbox(bench: Bench, modules: Mapping[str, Any], targets: list[str], door: int) -> dict[str, float]:
    """Have the exporter ask; count what it alone costs."""
    config = bench.folder / "blackbox.yml"
    config.write_text(json.dumps(modules))  # JSON is YAML
    argv = [str(BLACKBOX), f"--config.file={config}", f"--web.listen-address=127.0.0.1:{door}", "--log.level=error"]
    with (bench.folder / "blackbox.log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
        try:
            until(lambda: listens(door), "blackbox listens")
            began = cpu_seconds([process.pid])
            done, failed = asyncio.run(_scrape(door, targets, bench.seconds))
            return {"cpu": cpu_seconds([process.pid]) - began, "count": done, "failed": failed}
        finally:
            process.terminate()


async def _scrape(door: int, targets: list[str], seconds: float) -> tuple[int, int]:
    turn, end, done, failed = count(), time.monotonic() + seconds, 0, 0

    async def scrape(http: aiohttp.ClientSession) -> None:
        nonlocal done, failed
        while time.monotonic() < end:
            asked = urlencode({"module": "it", "target": targets[next(turn) % len(targets)]})
            async with http.get(f"http://127.0.0.1:{door}/probe?{asked}") as answer:
                failed += "\nprobe_success 1" not in await answer.text()
            done += 1

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as http:
        await asyncio.gather(*(scrape(http) for _ in range(AT_ONCE)))
    return done, failed


EXPERIMENTS: dict[str, Callable[[Bench], None]] = {"dns": ask_dns}
"""Kind of question -> how it is measured."""


def main() -> int:
    """Run the experiments."""
    options = asked(__doc__ or "", EXPERIMENTS, CONTENDERS)
    report = Report("reachability", {name: CONTENDERS[name] for name in options.contenders})
    with ExitStack() as stack:
        say = stack.enter_context(Progress())
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lambi-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        size = (5.0, 1_000) if options.quick else (15.0, 2_000)
        bench = Bench(folder, say, report, options.contenders, *size)
        for name in options.only:
            EXPERIMENTS[name](bench)
    return finish(report, GOALS, options)


if __name__ == "__main__":
    sys.exit(main())
