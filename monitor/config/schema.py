"""What may stand in the YAML files, as pydantic models; values arrive as text. `monitor.config.schema()` prints it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alerting.model import Severity
from monitor.config.strict import Kind, Port, Positive, Strict
from monitor.config.telling import (
    Alerts,
    ContactRow,
    InhibitRow,
    IntervalRow,
    LadderRow,
    RotationRow,
    RouteRow,
    SilenceRow,
)
from monitor.config.types import (
    Age,
    Asked,
    AssetId,
    Duration,
    Families,
    HostOrIp,
    Ip,
    Share,
    SiteLetter,
    Slug,
    StreamUrl,
    Url,
    UserAgent,
    Zone,
    ZoneName,
    wrong,
)


class Vantage(Strict):
    """The place that looks."""

    id: Slug = "here"
    name: str = "this vantage"
    territory: str = ""
    families: Families = (4, 6)


class Reference(Strict):
    """A server outside the region that shows whether this vantage sees the world."""

    id: Slug
    network: Annotated[str, Field(min_length=1)]
    addresses: Annotated[tuple[Ip, ...], Field(min_length=1)]


class Guard(Strict):
    """The own-link guard."""

    quorum: Annotated[int, Field(ge=1)] = 2
    every: Positive = 5.0
    timeout: Positive = 2.0
    query: ZoneName = "."
    rule: str = "default"
    references: tuple[Reference, ...] = ()


class Template(Strict):
    """How one kind of question is asked; what is not written comes from the line above it: ``any``, then the kind."""

    every: Positive | None = None
    timeout: Positive | None = None
    rule: str | None = None
    families: Families | None = None
    settings: dict[str, Any] = Field(default_factory=dict)


class ThresholdRow(Strict):
    """Limits of one measured value."""

    key: Annotated[str, Field(min_length=1)]
    above: float | None = None
    below: float | None = None


class BaselineRow(Strict):
    """How far a measured value may be from what is usual at this hour of the week; one of above and below."""

    key: Annotated[str, Field(min_length=1)]
    least: Annotated[float, Field(gt=0)]
    above: Annotated[float, Field(gt=1)] | None = None
    below: Annotated[float, Field(gt=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise wrong("a baseline looks one way", "either above (times the usual) or below (share of the usual)")
        return self


class RuleRow(Strict):
    """How much evidence a verdict needs."""

    fall: Annotated[int, Field(ge=1, le=100)] = 3
    rise: Annotated[int, Field(ge=1, le=100)] = 2
    silence: Duration = 8.0
    refusal: Duration = 2.0
    degraded_fall: Annotated[int, Field(ge=1, le=100)] = 3
    degraded_rise: Annotated[int, Field(ge=1, le=100)] = 2
    flap: Annotated[int, Field(ge=0, le=64)] = 6
    steady: Annotated[int, Field(ge=1, le=1000)] = 10
    agree: Annotated[int, Field(ge=1, le=100)] | None = None
    thresholds: tuple[ThresholdRow, ...] = ()
    baselines: tuple[BaselineRow, ...] = ()

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        keys = [row.key for row in self.baselines]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice:
            raise wrong(f'two baselines for "{twice}"', "one for each key")
        return self


class SeverityLine(Strict):
    """One row of the severity table."""

    kind: Kind | Literal["*"]
    phase: Literal["down", "degraded"]
    severity: Severity | Literal["none"]
    left: Annotated[int, Field(ge=0)] | None = None
    people: Annotated[int, Field(ge=0)] | None = None


class Incidents(Strict):
    """How incidents behave."""

    settle: Duration = 120.0
    hold: Duration = 120.0
    reopen: Duration = 300.0


class Secret(Strict):
    """Where a secret is found; the files never hold one."""

    env: str = ""
    file: str = ""

    @model_validator(mode="before")
    @classmethod
    def _never_plain(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise wrong("a secret must not stand in the file", "{env: NAME} or {file: /path}")
        return value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.env) == bool(self.file):
            raise wrong("a secret has one place", "{env: NAME} or {file: /path}")
        return self


class Channel(BaseModel):
    """One provider; the other keys are its kind's settings."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)
    kind: str
    enabled: bool = False


class Door(Strict):
    """Where a door listens."""

    host: HostOrIp = "127.0.0.1"
    port: Port


class OpsDoor(Door):
    """The operators' door; a bearer token guards it anywhere but on loopback."""

    token: Secret | None = None


class Web(Strict):
    """The doors."""

    public: Door = Door(port=8080)
    ops: OpsDoor = OpsDoor(port=9115)
    control: str = ""
    base_url: Url | Literal[""] = ""


class InfluxRow(Strict):
    """An InfluxDB to which what is measured goes too."""

    url: Url
    bucket: Annotated[str, Field(min_length=1)]
    org: str = ""
    token: Secret | None = None
    api: Literal["v2", "v1"] = "v2"
    ca: str = ""
    read: bool = False


class Store(Strict):
    """Where the daemon keeps what it saw."""

    folder: str = ""
    retention_days: Annotated[int, Field(ge=1, le=36_500)] = 400
    rollup_days: Annotated[int, Field(ge=1, le=36_500)] = 3_660
    influx: InfluxRow | None = None


class AssetRow(Strict):
    """An asset that an operator adds."""

    id: AssetId
    name: Annotated[str, Field(min_length=1)]
    territory: str = ""
    territories: tuple[str, ...] = ()
    people_share: Share | Literal[""] = ""
    """Of the people of each of its territories, so many depend on it."""
    facts: dict[str, str] = Field(default_factory=dict)


class TargetRow(Strict):
    """An address that makes an asset watched. Short: "ixp:ttix1 192.0.2.1" or "ixp:ttix1 192.0.2.1 icmp"."""

    asset: AssetId
    address: Asked
    name: Slug | Literal[""] = ""
    probe: str = ""
    families: Families | None = None
    every: Positive | None = None
    timeout: Positive | None = None
    rule: str | None = None
    local: bool = False
    carries: dict[Annotated[str, Field(min_length=1, max_length=80)], AssetId] = Field(default_factory=dict)
    settings: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        words = value.split()
        if len(words) not in {2, 3}:
            raise wrong("not a target", '"ASSET ADDRESS" or "ASSET ADDRESS PROBE", or keys asset, address, probe')
        return dict(zip(("asset", "address", "probe"), words, strict=False))


class DependRow(Strict):
    """What an asset depends on. Only ``confirmed`` silences anything."""

    asset: AssetId
    on: Annotated[tuple[AssetId, ...], Field(min_length=1)]
    mode: Literal["all", "any", "weight"] = "all"
    weights: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] = ()
    at_least: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    confirmed: bool = False
    since: Annotated[str, Field(alias="from", examples=["2026-11-28 22:00"])] = ""
    until: Annotated[str, Field(examples=["2026-12-24 06:00"])] = ""
    source: str = "operator"
    as_of: Age | Literal[""] = ""


class WatcherRow(Strict):
    """A service that raises the alarm when our heartbeat stays away, such as healthchecks; its URL is a secret."""

    id: Slug
    url: Secret
    method: Literal["GET", "POST"] = "GET"


class HeartbeatPart(Strict):
    """How this site says that it is alive."""

    name: Slug | Literal[""] = ""
    every: Positive = 60.0
    timeout: Positive = 10.0
    watchers: tuple[WatcherRow, ...] = ()


class PeerRow(Strict):
    """Another Lambi that tells us that it is alive, and whom we tell."""

    id: Slug
    name: str = ""
    territory: str = ""
    url: Url | Literal[""] = ""
    secret: Secret
    grace: Positive = 300.0
    family: Literal["4", "6"] = "4"


class BgpPart(Strict):
    """Whether the world's routers still see the region's networks, by RIS Live or a server that speaks as it does."""

    enabled: bool = False
    url: StreamUrl = "wss://ris-live.ripe.net/v1/ws/"
    every: Positive = 60.0
    rule: str = "default"


class MaintenanceRow(Strict):
    """Planned work on an asset, once or by rule; times on the clock of ``zone``, or that of the vantage."""

    id: Slug
    asset: AssetId
    since: Annotated[str, Field(min_length=1, examples=["2026-11-28 22:00"])]
    until: str = ""
    lasts: str = ""
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    author: Annotated[str, Field(min_length=1, max_length=80)] = "operator"
    below: bool = True
    rule: Annotated[str, Field(max_length=300, examples=["FREQ=WEEKLY"])] = ""
    zone: Zone | Literal[""] = ""
    skip: tuple[str, ...] = ()


class DrillRow(Strict):
    """What an exercise pretends; ``asset`` is one that is known, or ``vantage``: the place that looks."""

    name: Slug
    asset: AssetId | Literal["vantage"]
    severity: Severity
    phase: Literal["down", "degraded"] = "down"
    lasts: Positive = 1800.0
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    effects: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = ()


class Document(Strict):
    """All YAML files laid together."""

    site: SiteLetter = ""
    user_agent: UserAgent = ""
    vantage: Vantage = Vantage()
    guard: Guard = Guard()
    checks: dict[Kind | Literal["any"], dict[str, Template]] = Field(default_factory=dict)
    rules: dict[str, RuleRow] = Field(default_factory=dict)
    severities: tuple[SeverityLine, ...] = ()
    incidents: Incidents = Incidents()
    alerts: Alerts = Alerts()
    channels: dict[Slug, Channel] = Field(default_factory=dict)
    web: Web = Web()
    store: Store = Store()
    heartbeat: HeartbeatPart = HeartbeatPart()
    peers: tuple[PeerRow, ...] = ()
    bgp: BgpPart = BgpPart()
    assets: tuple[AssetRow, ...] = ()
    targets: tuple[TargetRow, ...] = ()
    depends: tuple[DependRow, ...] = ()
    contacts: tuple[ContactRow, ...] = ()
    rotations: tuple[RotationRow, ...] = ()
    routes: tuple[RouteRow, ...] = ()
    ladders: tuple[LadderRow, ...] = ()
    intervals: tuple[IntervalRow, ...] = ()
    inhibit: tuple[InhibitRow, ...] = ()
    silences: tuple[SilenceRow, ...] = ()
    maintenance: tuple[MaintenanceRow, ...] = ()
    drills: tuple[DrillRow, ...] = ()


_ELSEWHERE: dict[str, tuple[str, ...]] = {
    "contacts.yaml": ("contacts", "rotations"),
    "routes.yaml": ("routes", "ladders", "intervals", "inhibit", "silences"),
    "maintenance.yaml": ("maintenance",),
    "drills.yaml": ("drills",),
}
_HELD = {part for parts in _ELSEWHERE.values() for part in parts}
FILES: dict[str, tuple[str, ...]] = {
    "lambi.yaml": tuple(name for name in Document.model_fields if name not in _HELD),
    "targets.yaml": ("assets", "targets", "depends"),
    **_ELSEWHERE,
}
"""Which file may hold which part."""
