"""Rows that say who is told, of what, when and how often: contacts.yaml, routes.yaml, and `alerts` of lambi.yaml."""

from typing import Annotated

from pydantic import Field

from alerting.model import Severity
from monitor.config.strict import Kind, Positive, Strict
from monitor.config.types import CoalitionRole, Desk, Duration, Language, Slug, Zone

Share = Annotated[float, Field(ge=0, le=1)]
Written = Annotated[str, Field(min_length=1, max_length=300)]


class Deadlines(Strict):
    """How long a message is worth trying."""

    info: Positive = 3600.0
    warning: Positive = 4 * 3600.0
    major: Positive = 12 * 3600.0
    critical: Positive = 24 * 3600.0


class CapRow(Strict):
    """How often one contact is written to on a channel; what comes in between leaves in one message."""

    gap: Duration = 0.0
    most: Annotated[int, Field(ge=0)] = 0
    within: Positive = 3600.0
    storm: Annotated[int, Field(ge=0)] = 0
    merge: Annotated[int, Field(ge=2)] = 2


class CreditsRow(Strict):
    """What a channel may cost in 24 hours, in short messages, and which part of it a severity may use up."""

    per_day: Annotated[int, Field(ge=1)]
    info: Share = 0.3
    warning: Share = 0.5
    major: Share = 0.8
    critical: Share = 1.0


class Alerts(Strict):
    """What messages say, how long they are tried, how often somebody is written to."""

    desk: Desk = ""
    deadlines: Deadlines = Deadlines()
    caps: dict[str, CapRow] = Field(default_factory=dict)
    credits: dict[str, CreditsRow] = Field(default_factory=dict)


class AddressRow(Strict):
    """One way to reach a contact."""

    channel: str
    to: Annotated[str, Field(min_length=1, max_length=254)]
    enabled: bool = True


class ContactRow(Strict):
    """Somebody who may be told; ``organisation`` is an id of organisations.csv, whose name is the agency's."""

    name: Slug
    agency: Annotated[str, Field(min_length=1)] | None = None
    organisation: Slug | None = None
    language: Language = "en"
    zone: Zone = "UTC"
    addresses: tuple[AddressRow, ...] = ()
    next_after: Duration = 0.0


class ShiftRow(Strict):
    """Somebody who is on duty instead of whoever the rotation says."""

    contact: str
    since: Annotated[str, Field(min_length=1, examples=["2026-12-24 08:00"])]
    until: Annotated[str, Field(min_length=1, examples=["2026-12-27 08:00"])]


class RotationRow(Strict):
    """Who is on duty: contacts who take turns, or the shifts of an iCalendar file; times on the clock of ``zone``."""

    name: Slug
    zone: Zone = "UTC"
    since: Annotated[str, Field(examples=["2026-11-30 08:00"])] = ""
    every: Positive = 7 * 86_400.0
    members: tuple[str, ...] = ()
    calendar: str = ""
    overrides: tuple[ShiftRow, ...] = ()


class RouteRow(Strict):
    """Who hears what; an empty list matches everything; what a child does not say it has from its parent.

    ``organisations`` and ``roles`` (in the coalition) stand for all contacts of these, beside ``contacts``.
    """

    name: Slug
    contacts: tuple[str, ...] | None = None
    ladders: tuple[str, ...] | None = None
    organisations: tuple[Slug, ...] = ()
    roles: tuple[CoalitionRole, ...] = ()
    territories: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    match: tuple[Written, ...] = ()
    at_least: Severity = Severity.INFO
    proceed: bool = Field(default=False, alias="continue")
    group_by: tuple[str, ...] | None = None
    group_wait: Duration | None = None
    group_interval: Duration | None = None
    repeat: Duration | None = None
    resolved: bool | None = None
    mute: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    routes: "tuple[RouteRow, ...]" = ()


class StepRow(Strict):
    """Whom a ladder tells, and how long it waits for an acknowledgement."""

    tell: Annotated[tuple[str, ...], Field(min_length=1)]
    wait: Positive = 900.0


class LadderRow(Strict):
    """Who is next if nobody of the agency acknowledges."""

    name: Slug
    steps: Annotated[tuple[StepRow, ...], Field(min_length=1)]
    agency: str = ""
    loops: Annotated[int, Field(ge=1, le=20)] = 1
    holds: Positive = 7200.0


class IntervalRow(Strict):
    """Times of the day, week, month and year on the clock of ``zone``; an empty list is always."""

    name: Slug
    zone: Zone = "UTC"
    times: tuple[Written, ...] = ()
    weekdays: tuple[Written, ...] = ()
    days: tuple[Written, ...] = ()
    months: tuple[Written, ...] = ()
    years: tuple[Written, ...] = ()


class InhibitRow(Strict):
    """While what matches ``source`` is open, what matches ``target`` and agrees in ``equal`` tells nobody."""

    name: Slug
    source: Annotated[tuple[Written, ...], Field(min_length=1)]
    target: Annotated[tuple[Written, ...], Field(min_length=1)]
    equal: tuple[str, ...] = ()


class SilenceRow(Strict):
    """What nobody wants to hear of, until when, and why; times on the clock of the vantage."""

    id: Slug
    match: Annotated[tuple[Written, ...], Field(min_length=1)]
    since: Annotated[str, Field(min_length=1, examples=["2026-11-28 22:00"])]
    until: Annotated[str, Field(min_length=1, examples=["2026-11-29 04:00"])]
    author: Annotated[str, Field(min_length=1, max_length=80)]
    reason: Annotated[str, Field(min_length=1, max_length=200)]
