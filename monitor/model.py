"""The nouns of the daemon: what is watched, what is believed of it, what happened."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from alerting.model import Severity
from probes.model import Target, Value


class Phase(StrEnum):
    """What is believed of a part of a check, or of an asset."""

    UP = "up"
    DEGRADED = "degraded"
    PARTITIONED = "partitioned"
    """Reachable from some vantages and not from others, all of which see the world."""
    SUSPECT = "suspect"
    """Failed, not yet confirmed."""
    DOWN = "down"
    RECOVERING = "recovering"
    """Answers again, not yet confirmed."""
    UNREACHABLE = "unreachable"
    """Something it depends on is down."""
    UNKNOWN = "unknown"
    """Cannot be known from here now."""
    NOT_WATCHED = "not watched"
    """No check exists; counted in no figure."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an inventory row comes from."""

    source: str = ""
    as_of: str = ""
    confidence: str = ""


@dataclass(frozen=True, slots=True)
class Territory:
    """A territory of the region (ISO 3166-1)."""

    code: str
    name: str
    zone: str
    population: int
    languages: tuple[str, ...] = ()
    regulator: str = ""
    disaster_office: str = ""
    provenance: Provenance = Provenance()


@dataclass(frozen=True, slots=True)
class Asset:
    """Something people depend on."""

    id: str
    """``kind:slug``, stable: cctld:bb, nameserver:a.lactld.org, ixp:ttix, cable:ecfs, landing:..., vantage:..."""
    kind: str
    """territory, cctld, nameserver, ixp, website, cable, landing, router, network, site, power, vantage"""
    name: str
    territories: tuple[str, ...] = ()
    """ISO codes; a cable has several, a name server none of its own."""
    provenance: Provenance = Provenance()
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the page shows about it: manager, owners, peering LAN, landing places ..."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Grades an OK part into DEGRADED when the value leaves the limits."""

    key: str
    above: float | None = None
    below: float | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """Grades an OK part into DEGRADED when the value is far from what is usual, either ``above`` or ``below``."""

    key: str
    least: float
    """The smallest difference that matters to people, in the key's unit."""
    above: float | None = None
    """Times the usual, more than 1."""
    below: float | None = None
    """Share of the usual, less than 1."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How much evidence a verdict needs."""

    fall: int = 3
    """Failed looks in a row before DOWN."""
    rise: int = 2
    """Good looks in a row before UP."""
    silence_seconds: float = 8.0
    """The failed looks must span at least this when the target is silent: a short burst of loss is no outage."""
    refusal_seconds: float = 2.0
    """The same when the target refused, which loss cannot cause."""
    thresholds: tuple[Threshold, ...] = ()
    degraded_fall: int = 3
    """Looks outside the limits in a row before DEGRADED."""
    degraded_rise: int = 2
    """Looks inside the limits in a row before UP."""
    flap: int = 6
    """So many durable changes within the last 64 looks: it comes and goes, and is DEGRADED; 0 never."""
    steady: int = 10
    """Good looks in a row that end the coming and going."""
    agree: int | None = None
    """How many vantages must agree that it is down; None: more than half of those that can say."""
    baselines: tuple[Baseline, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """Target x probe x cadence x rule. Identity: ``target/probe/name``."""

    id: str
    asset: str
    target: Target
    kind: str
    """The probe's registry name."""
    probe: Any
    """The probe's dataclass: its settings."""
    every: float
    timeout: float
    rule: Rule
    serves: tuple[str, ...] = ()
    """Other assets that this check is evidence for: a name server's answer for a zone serves the ccTLD."""
    reference: str = ""
    """Set for a reference of the own-link guard: the network it stands in."""
    local: bool = False
    """It stands on this side of the own link: its failure counts while this vantage is cut off too."""
    carries: Mapping[str, str] = field(default_factory=dict)
    """Part -> the asset that runs over it: an interface that is down speaks for its cable, and not for its router."""

    @property
    def tells_of(self) -> tuple[str, ...]:
        """The assets that it is evidence for, its own first."""
        return (self.asset, *self.serves, *self.carries.values())


@dataclass(frozen=True, slots=True)
class Dependency:
    """``asset`` works only while what it needs does; ``mode`` says how much of it."""

    asset: str
    needs: tuple[str, ...]
    mode: str
    """all | any | weight: while those that are left weigh ``at_least``."""
    confirmed: bool
    """Only an operator's line of config confirms; a hypothesis is shown and silences nobody."""
    source: str = ""
    weights: tuple[float, ...] = ()
    """Beside ``needs``, in any unit that adds up: capacity in Gbit/s, power in kW."""
    at_least: float = 0.0
    since: datetime | None = None
    """It holds from then on; None: always did."""
    until: datetime | None = None
    as_of: str = ""
    """The date of what it rests on."""
    confidence: str = ""
    """The inventory's word for it: high, medium, low."""

    def holds(self, now: datetime) -> bool:
        """Whether it is in force."""
        return (self.since is None or self.since <= now) and (self.until is None or now < self.until)

    def blocked(self, gone: Collection[str]) -> bool:
        """Whether the asset cannot work without what is gone."""
        if self.mode == "all":
            return any(need in gone for need in self.needs)
        if self.mode == "any":
            return bool(self.needs) and all(need in gone for need in self.needs)
        return sum(w for need, w in zip(self.needs, self.weights, strict=True) if need not in gone) < self.at_least


@dataclass(frozen=True, slots=True)
class Window:
    """Planned work on one asset; of one that recurs, the calendar's answers hold the one occurrence that is meant."""

    id: str
    asset: str
    since: datetime
    until: datetime
    """Both UTC; of a rule, those of its first occurrence."""
    reason: str
    author: str
    below: bool = True
    """It also explains the trouble of what depends on the asset."""
    rule: str = ""
    """RFC 5545 RRULE without its name, like "FREQ=WEEKLY;BYDAY=SU"; empty: once."""
    zone: str = "UTC"
    """IANA zone whose clock the rule means."""
    skipped: tuple[datetime, ...] = ()
    """Begins that the rule names and that do not take place (EXDATE), UTC."""


@dataclass(frozen=True, slots=True)
class SeverityRow:
    """One row of the severity table; the first that matches decides. ``severity`` None opens no incident."""

    kind: str
    """An asset kind, or "*"."""
    phase: Phase
    """DOWN or DEGRADED."""
    severity: Severity | None
    left: int | None = None
    """Matches when at most so many alternatives are left."""
    people: int | None = None
    """Matches when at least so many people are served."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is watched or known to exist; immutable, replaced whole at a reload."""

    vantage: str
    """Asset id of the place that looks."""
    territories: Mapping[str, Territory]
    assets: Mapping[str, Asset]
    checks: Mapping[str, Check]
    dependencies: tuple[Dependency, ...]
    severities: tuple[SeverityRow, ...]
    quorum: int = 2
    """How many networks among the references must answer for a round to have seen the world."""
    settle_seconds: float = 120.0
    """How long what stood behind a recovered parent may take to come back before it alerts by itself."""
    hold_seconds: float = 120.0
    """How long an asset must have been back before its incident closes."""
    reopen_seconds: float = 300.0
    """Trouble that comes back so soon after its incident has closed opens it again."""
    vantages: tuple[str, ...] = ()
    """Asset ids of the other places that look."""


@dataclass(frozen=True, slots=True)
class State:
    """What is believed of one part of one check, and how it came to that."""

    phase: Phase
    since: datetime
    """Since when this phase."""
    reason: str
    settled: Phase
    """The last durable verdict: UP, DEGRADED, DOWN, or UNKNOWN."""
    settled_since: datetime
    before: Phase
    """The last durable verdict that was not UNKNOWN; UNKNOWN when there was never one."""
    seen: datetime
    """The last look, whatever it said."""
    run: int = 0
    """Looks in a row against ``settled``, in one direction."""
    run_since: datetime | None = None
    """The first look of that run; an outage began here."""
    leaning: Phase = Phase.UNKNOWN
    """What the run would settle on: the mildest of what it saw."""
    refused: bool = False
    """Every failed look of the run was an answer."""
    quiet: datetime | None = None
    """The last look before that run, or before the run that settled: the change lies between. Not kept over a start."""
    changes: int = 0
    """The last 64 looks as bits, 1 where a durable verdict changed: how much it comes and goes."""
    flapping: bool = False
    values: Mapping[str, Value] = field(default_factory=dict)
    """Of the last good look."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A durable change of one part of one check."""

    check: str
    part: str
    asset: str
    old: Phase
    new: Phase
    at: datetime
    """When it was confirmed."""
    began: datetime
    """When the first look said so."""
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an incident's timeline; append-only."""

    at: datetime
    what: str
    """opened, joined, left, cause, severity, evidence, recovered, again, merged, closed, reopened, told, told-failed"""
    text: str


@dataclass(frozen=True, slots=True)
class Incident:
    """Signals with one cause."""

    id: str
    asset: str
    kind: str
    territories: tuple[str, ...]
    severity: Severity
    phase: Phase
    """DOWN or DEGRADED: the asset's worst in this incident."""
    began: datetime
    """When the first look said so."""
    opened: datetime
    changed: datetime
    revision: int
    reason: str
    title: str
    """ "Cable ECFS is down" """
    gravest: str = ""
    """What was seen at its worst, where that is over and ``reason`` says how it stands now."""
    left: str = ""
    """What redundancy is left, in one sentence."""
    children: tuple[str, ...] = ()
    """Assets that are UNREACHABLE because of it."""
    confidence: float = 1.0
    """How sure it is that ``asset`` is the cause, 0 to 1: 1 when it was seen to be down itself."""
    evidence: tuple[str, ...] = ()
    """What says so, one sentence each."""
    people: tuple[int, int] = (0, 0)
    """How many people it may touch, at least and at most."""
    part_of: str = ""
    """The incident that turned out to be its cause: nothing more is told of this one but its end; see `fellow`."""
    fellow: bool = False
    """It only began in the moment and place of what it is part of: it is told of as if it stood alone."""
    closed: datetime | None = None
    closing: str = ""
    runbook: str = ""
    """``id@hash`` of the runbook pinned to it."""
    timeline: tuple[Entry, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether another speaks for it."""
        return bool(self.part_of) and not self.fellow


@dataclass(frozen=True, slots=True)
class Scenario:
    """What an exercise pretends."""

    name: str
    asset: str
    phase: Phase
    """DOWN or DEGRADED."""
    severity: Severity
    lasts: float
    """Seconds until it ends by itself."""
    reason: str
    """The evidence that is made up."""
    effects: tuple[str, ...] = ()
    """What is said to follow, one sentence each."""


class Learned(NamedTuple):
    """What is usual for one value of one part, as the journal keeps it: arrays by hour of the week."""

    vantage: str
    check: str
    part: str
    key: str
    middles: bytes
    """168 floats of four bytes."""
    spreads: bytes
    weeks: bytes
    doubts: bytes
    facts: str
    """JSON: the last lasting change, the one that may be under way, the worst there was."""
