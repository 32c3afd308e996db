"""Ask questions of targets. Imports nothing of alerting or monitor; usable alone."""

from collections.abc import Mapping
from typing import ClassVar, Protocol

from probes.dns import Dns
from probes.http import Http
from probes.icmp import Icmp
from probes.snmp import Snmp
from probes.tcp import Tcp
from probes.zone import Zone


class Settings(Protocol):
    """A probe's frozen dataclass: its fields are its settings, its registry name and its columns stand on the class."""

    kind: ClassVar[str]
    columns: ClassVar[Mapping[str, float | None]]
    """Value key -> scale for the series store (stored = round(value / scale)); None = text."""


PROBES: dict[str, type[Settings]] = {probe.kind: probe for probe in (Icmp, Tcp, Dns, Http, Snmp, Zone)}
"""The only registry of probes."""
