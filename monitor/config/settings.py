"""What the daemon is started with: everything of the files, checked, ready to use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alerting.directory import Directory
from monitor.config.problems import Problem
from monitor.heartbeat import Beats
from monitor.model import Scenario, Window, World
from probes.bgp_table import RIPE_SECONDS

PACKETS = {"heartbeat": 0, "bgp": 0, "icmp": 1, "dns": 1, "tcp": 3, "http": 12, "snmp": 30, "zone": 40}
"""Packets that one look sends when all goes well: the handshake, TLS and the request of a small page."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a door listens; ``token`` guards the operators' door."""

    host: str
    port: int
    token: str | None = field(default=None, repr=False)

    @property
    def place(self) -> str:
        """Host and port as a URL has them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Influx:
    """An InfluxDB; ``v1`` is the write address of 1.x, else that of 2.x, 3.x, 1.8 and VictoriaMetrics."""

    url: str
    bucket: str
    org: str = ""
    token: str = field(default="", repr=False)
    """Of 1.x: USER:PASSWORD."""
    v1: bool = False
    ca: str = ""
    """A file of certificates that the server's is signed by; empty: those of this machine."""
    read: bool = False
    """The page's charts are drawn from there."""


@dataclass(frozen=True, slots=True)
class BgpStream:
    """The stream of BGP updates."""

    url: str
    blocks: Mapping[str, str]
    """Territory by delegated block."""
    serving: frozenset[str]
    """Numbers of the networks that are known to serve their territory."""
    ripe_seconds: float = RIPE_SECONDS
    """How long a prefix must have been heard before it is judged."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration; immutable, replaced whole at a reload."""

    world: World
    directory: Directory
    channels: Mapping[str, Any]
    """Channels that are switched on, by the name that contacts use."""
    site: str
    """A letter before incident numbers when several sites run, or empty."""
    state: Path
    """Folder of the journal and the series."""
    public: Door
    ops: Door
    control: Path
    """The unix socket of the ``lambi`` command."""
    base_url: str
    """Where people reach the public page; links in messages begin with it."""
    retention_days: int
    rollup_days: int
    user_agent: str
    file: Path = field(compare=False)
    """The operator's lambi.yaml, which may not be there yet: where a key would be set."""
    beats: Beats = field(default_factory=Beats)
    """Whom we tell that we are alive, and which peers tell us."""
    bgp: BgpStream | None = None
    notes: tuple[Problem, ...] = ()
    """What is allowed in the operator's files and yet does nothing."""
    maintenance: tuple[Window, ...] = ()
    """Windows that the files plan, each checked."""
    influx: Influx | None = None
    """Where what is measured goes too."""
    drills: Mapping[str, Scenario] = field(default_factory=dict)
    """What exercises may pretend, by name."""

    @property
    def zone(self) -> str:
        """The clock that people at the vantage live by."""
        home = self.world.assets[self.world.vantage].territories
        return self.world.territories[home[0]].zone if home else "UTC"

    @property
    def packets_per_minute(self) -> float:
        """Packets that the checks send in a minute when all goes well."""
        return sum(PACKETS.get(check.kind, 1) * 60 / check.every for check in self.world.checks.values())
