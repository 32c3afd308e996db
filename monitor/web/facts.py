"""What /api/v1 answers, as types: mypy holds the builders to them, and the OpenAPI document is made of them."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from alerting.model import Severity
from monitor.model import Phase
from monitor.posture import Level

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC."""
Tally = dict[str, int]
"""By state or kind."""
Family = int
"""0, 4 or 6."""


class Refusal(TypedDict):
    """Why there is no other answer."""

    error: str


class Blind(TypedDict):
    """An address family over which this vantage cannot see the world; 0: over none."""

    family: Family
    since: Time | None
    reason: str


class Vantage(TypedDict):
    """The place that looks."""

    asset: str
    cannot_see_the_world: list[Blind]


class Group(TypedDict):
    """A territory, or assets of one kind that belong to none."""

    code: str
    name: str
    watched: Tally
    not_watched: Tally


class People(TypedDict):
    """How many an incident may touch; 0 and 0: not known."""

    at_least: int
    at_most: int


class Incident(TypedDict):
    """An incident without its timeline."""

    id: str
    url: str
    open: bool
    severity: Severity
    state: Phase
    kind: str
    asset: str
    territories: list[str]
    title: str
    reason: str
    left: str
    unreachable: list[str]
    confidence: float
    evidence: list[str]
    people: People
    part_of: str | None
    began: Time
    opened: Time
    changed: Time
    closed: Time | None
    closing: str
    revision: int
    runbook: str | None


class Posture(TypedDict):
    """What somebody has set for a territory before a storm."""

    id: str
    territory: str
    level: Level
    since: Time
    until: Time
    reason: str
    by: str


class Status(TypedDict):
    """The region in one object."""

    at: Time
    site: str
    headline: str
    vantage: Vantage
    watched: Tally
    watched_total: int
    not_watched_total: int
    oldest_look: Time | None
    notes: list[str]
    exercise: str | None
    reported: int
    postures: list[Posture]
    territories: list[Group]
    shared: list[Group]
    incidents: list[Incident]


class Brief(TypedDict):
    """An asset, in brief."""

    id: str
    kind: str
    name: str
    territories: list[str]
    state: Phase
    since: Time | None
    reason: str
    seen: Time | None
    incident: str | None


class Doubt(TypedDict):
    """An asset of which somebody on the spot should say what is so."""

    id: str
    kind: str
    name: str
    territories: list[str]
    why: str
    source: str
    as_of: str
    regulators: list[str]


class ToConfirm(TypedDict):
    """What is to be confirmed."""

    at: Time
    assets: list[Doubt]


class Assets(TypedDict):
    """Many assets."""

    at: Time
    assets: list[Brief]


class Window(TypedDict):
    """A window of planned work; of one that recurs the occurrence that is on, or the next."""

    id: str
    asset: str
    since: Time
    until: Time
    reason: str
    by: str
    below: bool
    rule: str | None
    rule_zone: str | None


class Provenance(TypedDict):
    """Where something is known from."""

    source: str
    as_of: str
    confidence: str


class Usual(TypedDict):
    """What is usual of one value at this hour of the week."""

    key: str
    low: float | None
    high: float | None
    changed: str | None


class Check(TypedDict):
    """One part of one check."""

    check: str
    asset: str | None
    part: str
    kind: str
    address: str
    family: Family
    state: Phase
    since: Time | None
    reason: str
    seen: Time | None
    every_seconds: float
    values: dict[str, float | int | str | None]
    usual: list[Usual]


Need = TypedDict(
    "Need",
    {
        "needs": list[str],
        "mode": str,
        "weights": list[float],
        "at_least": float | None,
        "confirmed": bool,
        "source": str,
        "from": Time | None,
        "until": Time | None,
        "as_of": str | None,
        "confidence": str | None,
    },
)
"""What an asset needs."""


class Service(TypedDict):
    """What an asset serves."""

    asset: str
    confirmed: bool
    by: Literal["dependency", "check"]


class DomainFamily(TypedDict):
    """A country domain's servers over one address family."""

    family: Family
    servers: int
    answering: int
    unknown: int
    serials: int | None
    lag_seconds: float | None
    signature_seconds: float | None
    networks: str


class Domain(TypedDict):
    """What is known of a country domain's servers together."""

    zone: str | None
    families: list[DomainFamily]
    troubles: list[str]


class Asset(Brief):
    """An asset with its checks and what it hangs on."""

    at: Time
    maintenance: Window | None
    maintenance_soon: Window | None
    facts: dict[str, str]
    provenance: Provenance
    domain: Domain | None
    checks: list[Check]
    needs: list[Need]
    serves: list[Service]


class Because(TypedDict):
    """One sentence of an explanation."""

    topic: Literal["looks", "rule", "own link", "needs", "vantages", "maintenance", "incident", "change"]
    text: str


class Why(TypedDict):
    """Why something is believed."""

    at: Time
    asset: str
    name: str
    state: Phase
    since: Time | None
    verdict: str
    because: list[Because]


class Maintenance(TypedDict):
    """Planned work."""

    at: Time
    on: list[Window]
    coming: list[Window]


class Cut(TypedDict):
    """What falls if one asset alone fails."""

    asset: str
    sentence: str
    territories: list[str]
    people: int
    confirmed: list[str]
    supposed: list[str]
    hypothesis: bool
    always: bool
    as_of: str | None
    confidence: str | None
    source: str


class Reach(TypedDict):
    """The cables in service that reach a territory."""

    code: str
    cables: list[str]


class Resilience(TypedDict):
    """What falls if one asset alone fails, beside what is down now."""

    at: Time
    down: list[str]
    cuts: list[Cut]
    territories: list[Reach]


Stretch = TypedDict("Stretch", {"from": Time, "to": Time, "reason": str})
"""A part of a period."""


class Coverage(TypedDict):
    """For how much of a period this site was looking."""

    looked_seconds: float
    period_seconds: float
    gaps: list[Stretch]
    maintenance_seconds: float
    maintenance: list[Stretch]


class Incidents(TypedDict):
    """A page of the history."""

    since: Time
    until: Time
    territory: str | None
    asset: str | None
    severity: Severity | None
    page: int
    per: int
    more: bool
    coverage: Coverage
    incidents: list[Incident]


class Entry(TypedDict):
    """One line of a timeline."""

    at: Time
    what: str
    text: str


class Told(TypedDict):
    """An agency that was told; no person, no address."""

    agency: str
    channel: str
    reason: str
    state: str
    at: Time


class Story(Incident):
    """An incident with its timeline and who was told."""

    timeline: list[Entry]
    told: list[Told]
