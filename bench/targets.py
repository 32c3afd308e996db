"""The world of a benchmark: a network namespace with loopback only, a thousand targets that answer, and ways to die."""

import ctypes
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

ROOT = Path(__file__).parents[1]
NEEDED = {"ip": "iproute2", "nft": "nftables", "knotd": "knot", "nginx": "nginx-light"}
TERRITORIES = range(1, 26)
SHARES = {"icmp": 18, "dns": 12, "tcp": 6, "http": 4}  # of 40 targets of a territory
NETS = {"icmp": 10, "dns": 20, "tcp": 30, "http": 40}  # 127.NET.TERRITORY.NUMBER
REFERENCES = tuple(f"127.50.0.{n}" for n in range(1, 7))
SINK_PORT, TCP_PORT = 13013, 7007
CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True)
class Thing:
    """One target. Number 0 of a territory's ICMP targets is its router, number 1 the switch behind it; each stands
    before one half of the other targets."""

    name: str
    """t07d03: territory, first letter of the kind, number."""
    kind: str
    territory: int
    address: str
    parent: str

    @property
    def instance(self) -> str:
        """The target as blackbox exporter is asked for it."""
        forms = {"tcp": f"{self.address}:{TCP_PORT}", "http": f"http://{self.address}/"}
        return forms.get(self.kind, self.address)


def things(factor: int = 1) -> list[Thing]:
    """All targets: 1,000 times `factor`, in 25 territories."""
    return [thing for territory in TERRITORIES for thing in _territory(territory, factor)]


def _territory(territory: int, factor: int) -> list[Thing]:
    router, switch = f"t{territory:02d}i00", f"t{territory:02d}i01"
    found = []
    for kind, share in SHARES.items():
        for number in range(share * factor):
            name = f"t{territory:02d}{kind[0]}{number:02d}"
            parent = {router: "", switch: router}.get(name, switch if number % 2 else router)
            found.append(Thing(name, kind, territory, f"127.{NETS[kind]}.{territory}.{number + 1}", parent))
    return found


def storm(world: Sequence[Thing]) -> list[list[Thing]]:
    """Who dies in the storm, by cause: seven whole territories, and all that stands behind the switch of the eighth."""
    whole = [[thing for thing in world if thing.territory == territory] for territory in range(1, 8)]
    half = [thing for thing in world if thing.territory == 8 and "t08i01" in {thing.name, thing.parent}]
    return [*whole, half]


def victims(world: Sequence[Thing], each: int = 5) -> list[Thing]:
    """`each` targets of every kind, no two of one territory, none of which anything depends on."""
    chosen = [(kind, place * 5 + 1 + n) for place, kind in enumerate(SHARES) for n in range(each)]
    names = [f"t{territory:02d}{kind[0]}02" for kind, territory in chosen]
    return [thing for thing in world if thing.name in names]


def leaves(world: Sequence[Thing], kind: str) -> list[Thing]:
    parents = {thing.parent for thing in world}
    return [thing for thing in world if thing.kind == kind and thing.name not in parents]


def missing() -> str:
    """Why no world can be made here, in one sentence; "" when it can."""
    if os.geteuid() != 0:
        return "this benchmark makes network namespaces: run it as root"
    absent = [package for program, package in NEEDED.items() if shutil.which(program) is None]
    return f"the targets need Debian's {', '.join(absent)}: not installed here" if absent else ""


class World:
    """One namespace with its targets and its sink of messages. `things` all answer until they are killed."""

    def __init__(self, name: str, things: Sequence[Thing], folder: Path) -> None:
        self.things = things
        self.folder = folder
        self.namespace = f"lambi-{os.getpid()}-{name.replace(' ', '-')}"
        self.log = folder / "messages.jsonl"
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        self.log.touch()
        subprocess.run(["ip", "netns", "add", self.namespace], check=True)
        try:
            self.inside = ThreadPoolExecutor(1, initializer=_enter, initargs=(self.namespace,))
            subprocess.run(["ip", "-n", self.namespace, "link", "set", "lo", "up"], check=True)
            self._nft(NFT)
            self._serve()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(10)
        self.inside.shutdown()
        subprocess.run(["ip", "netns", "del", self.namespace], check=True)

    def start(self, name: str, argv: Sequence[str | Path], **more: object) -> subprocess.Popen[bytes]:
        """Start a program in the namespace; its output goes to NAME.log."""
        output: IO[bytes] = (self.folder / f"{name}.log").open("ab")
        with output:
            command = ["ip", "netns", "exec", self.namespace, *map(str, argv)]
            return subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT, **more)  # type: ignore[call-overload, no-any-return]

    def get(self, url: str) -> bytes:
        """Fetch from within the namespace; b"" where nobody answers yet."""
        return self.inside.submit(_fetch, url).result()

    def kill(self, dead: Iterable[Thing]) -> float:
        """ICMP and DNS fall silent, TCP and HTTP refuse; return the monotonic time of death."""
        self._elements("add", dead)
        return time.monotonic()

    def heal(self, dead: Iterable[Thing]) -> None:
        self._elements("delete", dead)

    def cut(self) -> float:
        """Our own link is lost: every target and reference falls silent, the sink of messages does not."""
        self._nft("add element ip bench cut { 127.10.0.0-127.50.255.255 }")
        return time.monotonic()

    def mend(self) -> None:
        self._nft("flush set ip bench cut")

    def _elements(self, verb: str, dead: Iterable[Thing]) -> None:
        by_set: dict[str, list[str]] = {}
        for thing in dead:
            by_set.setdefault("rst" if thing.kind in {"tcp", "http"} else "silent", []).append(thing.address)
        self._nft("\n".join(f"{verb} element ip bench {name} {{ {', '.join(a)} }}" for name, a in by_set.items()))

    def _nft(self, script: str) -> None:
        command = ["ip", "netns", "exec", self.namespace, "nft", "-f", "-"]
        subprocess.run(command, input=script.encode(), check=True)

    def _serve(self) -> None:
        knot, nginx = self.folder / "knot.conf", self.folder / "nginx.conf"
        knot.write_text(KNOT.format(folder=self.folder))
        nginx.write_text(NGINX.format(folder=self.folder))
        for zone in ("example.test", "root"):
            (self.folder / f"{zone}.zone").write_text(ZONE.format(origin="." if zone == "root" else f"{zone}."))
        self.processes = [
            self.start("knotd", ["knotd", "-c", knot]),
            self.start("nginx", ["nginx", "-c", nginx, "-e", self.folder / "nginx-error.log"]),
            self.start("sink", [sys.executable, "-m", "bench.sink", self.log, str(SINK_PORT), str(TCP_PORT)]),
        ]


def _enter(namespace: str) -> None:
    """Move this thread into the namespace (setns(2); Python has it from 3.12 on)."""
    descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    os.close(descriptor)


def _fetch(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback in the namespace
            return bytes(answer.read())
    except OSError:
        return b""


NFT = """
table ip bench {
  set silent { type ipv4_addr; }
  set rst { type ipv4_addr; }
  set cut { type ipv4_addr; flags interval; }
  chain arriving {
    type filter hook input priority 0;
    ip daddr @cut drop
    ip daddr @silent drop
    ip daddr @rst meta l4proto tcp reject with tcp reset
  }
}
"""

ZONE = """$ORIGIN {origin}
@ 3600 SOA ns.example.test. hostmaster.example.test. 2026010101 3600 900 604800 3600
@ 3600 NS ns.example.test.
"""

KNOT = """
server:
  rundir: "{folder}"
  listen: 0.0.0.0@53
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
- target: stderr
  any: warning
database:
  storage: "{folder}/knot"
template:
- id: default
  storage: "{folder}"
  zonefile-sync: -1
  zonefile-load: whole
  journal-content: none
zone:
- domain: example.test
  file: example.test.zone
- domain: .
  file: root.zone
"""

NGINX = """
daemon off;
pid {folder}/nginx.pid;
worker_processes 1;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  server {{
    listen 80 default_server;
    location / {{ return 200 "ok\\n"; }}
  }}
}}
"""
