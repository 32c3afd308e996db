"""What the pages, the API and the history show: plain records, made anew for each look. Immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from alerting.model import Severity
from monitor.model import Asset, Dependency, Incident, Phase, Window, World
from monitor.posture import Posture
from probes.model import Value


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for one value at this hour, as the page shows it."""

    key: str
    low: float | None
    """None while it is still being learned."""
    high: float | None
    changed: str = ""
    """The last lasting change, in one sentence."""


@dataclass(frozen=True, slots=True)
class CheckView:
    """One part of one check as the page shows it."""

    check: str
    part: str
    kind: str
    address: str
    family: int
    phase: Phase
    since: datetime | None
    reason: str
    seen: datetime | None
    values: Mapping[str, Value] = field(default_factory=dict)
    every: float = 0.0
    usual: tuple[Usual, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetView:
    """One asset as the page shows it."""

    asset: Asset
    phase: Phase
    since: datetime | None
    reason: str
    seen: datetime | None
    """The oldest of its checks' last looks: the age of what is shown."""
    checks: tuple[CheckView, ...] = ()
    needs: tuple[Dependency, ...] = ()
    incident: str = ""
    """The open incident it belongs to."""


@dataclass(frozen=True, slots=True)
class Health:
    """How Lambi itself does; for /metrics and the self-alerts."""

    started: datetime
    checks: int
    packets_per_minute: float
    lateness_p99_seconds: float = 0.0
    series_queued: int = 0
    series_dropped: int = 0
    series_error: str = ""
    series_bytes: int = 0
    series_note: str = ""
    """What is not done with the measurements because something is not installed; nothing is wrong."""
    export_lag_seconds: float | None = None
    """How far an InfluxDB is behind what is stored here; None without one."""
    outbox_pending: int = 0
    outbox_oldest_seconds: float = 0.0
    bugs: int = 0
    """Exceptions caught at a boundary since the start: each is a defect of ours."""
    clock: str = ""
    """Empty while the clock is disciplined, else the sentence that says so."""
    capabilities: tuple[str, ...] = ()
    """One sentence for each thing this process cannot do here."""
    exercise: str = ""
    """The number of the exercise that is under way, or "": nothing of it stands anywhere else on the page."""
    unconfirmed: int = 0
    """Addresses of contacts that nobody has confirmed of late."""
    reported: int = 0
    """Alerts of other systems that are open; what they say stands on no public page."""


@dataclass(frozen=True, slots=True)
class Works:
    """Planned work, now and ahead. An asset's is its own or, with ``below``, that of what it needs."""

    on: tuple[Window, ...] = ()
    """By their ends."""
    coming: tuple[Window, ...] = ()
    """The next occurrence of each window, by its begin, however far."""
    now: Mapping[str, Window] = field(default_factory=dict)
    """Asset -> what is on for it."""
    soon: Mapping[str, Window] = field(default_factory=dict)
    """Asset -> the first that comes for it within a week."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a page needs, at one moment; immutable."""

    at: datetime
    site: str
    world: World
    assets: Mapping[str, AssetView]
    incidents: tuple[Incident, ...]
    """The open ones, worst first."""
    health: Health
    works: Works = Works()
    parts: Mapping[str, tuple[Incident, ...]] = field(default_factory=dict)
    """Open incident -> those that turned out to be part of it; they stand nowhere else and are counted nowhere."""
    postures: tuple[Posture, ...] = ()
    """What somebody has set for territories, in force now."""


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents of the history; None does not narrow. Newest first."""

    territory: str | None = None
    """ISO code."""
    asset: str | None = None
    severity: Severity | None = None
    """At least this."""
    since: datetime | None = None
    """Still open at this moment, or begun later."""
    until: datetime | None = None
    """Begun before this moment."""
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """For how much of a period this site was looking."""

    looked_seconds: float
    period_seconds: float
    gaps: tuple[tuple[datetime, datetime, str], ...] = ()
    """From, to, why: "the daemon was not running", "this vantage could not see the world"."""
    maintenance: tuple[tuple[datetime, datetime, str], ...] = ()
    """Of one asset, counted apart: from, to, why. Only time for which it had been announced."""

    @property
    def maintenance_seconds(self) -> float:
        """The sum; the stretches do not overlap."""
        return sum((until - since).total_seconds() for since, until, _ in self.maintenance)


@dataclass(frozen=True, slots=True)
class ToldRow:
    """One message about an incident: to whom, why, how it stands."""

    agency: str
    contact: str
    """The config's slug; the public page shows the agency alone."""
    channel: str
    reason: str
    state: str
    """pending, sent, failed ..."""
    at: datetime
