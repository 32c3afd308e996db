"""The history: what a URL asks of it, what the ledger answers, and the same rows as CSV."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from urllib.parse import urlencode

from alerting.model import Severity
from monitor.model import Incident, World
from monitor.plain import cell
from monitor.planned import Kept, Links, apart
from monitor.views import Coverage, IncidentFilter, ToldRow
from monitor.web import words
from monitor.web.shield import BadQueryError

USUAL_DAYS = 30
USUAL_ROWS = 50
MOST_ROWS = 1000
MOST_PAGES = 100_000
MOST_DAYS = 3660
KEYS = ("territory", "asset", "severity", "since", "until", "page", "per")


class Ledger(Protocol):
    """Where incidents are kept; times are UTC."""

    async def incidents(self, wanted: IncidentFilter, /) -> list[Incident]:
        """Return the matching incidents, newest first."""
        ...

    async def incident(self, name: str, /) -> Incident | None:
        """Return one incident with its timeline."""
        ...

    async def coverage(self, since: datetime, until: datetime, asset: str | None = None, /) -> Coverage:
        """Say for how much of the period this site was looking."""
        ...

    async def windows(self, until: datetime, /) -> list[Kept]:
        """Return the windows of maintenance that had begun once before a moment."""
        ...

    async def told(self, name: str, /) -> list[ToldRow]:
        """List who was told of an incident, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a URL asks of the history: a period, a narrowing, one page of rows."""

    since: datetime
    until: datetime
    """Not part of the period; never later than the moment of asking."""
    territory: str | None
    asset: str | None
    severity: Severity | None
    page: int
    per: int
    given: tuple[tuple[str, str], ...]
    """The query as it came, without what is empty."""

    def filter(self) -> IncidentFilter:
        """Ask for one row more than the page holds: it tells whether a next page exists."""
        return IncidentFilter(
            territory=self.territory,
            asset=self.asset,
            severity=self.severity,
            since=self.since,
            until=self.until,
            limit=self.per + 1,
            offset=(self.page - 1) * self.per,
        )

    @property
    def last_day(self) -> date:
        """The last day that the period touches."""
        return (self.until - timedelta(microseconds=1)).date()

    def query(self, page: int | None = None) -> str:
        """The query string of this view, or of another page of it."""
        kept = [(key, value) for key, value in self.given if page is None or key != "page"]
        return urlencode(kept if page is None else [*kept, ("page", str(page))])


@dataclass(frozen=True, slots=True)
class Shown:
    """One page of the history: exactly these rows are shown, and exported."""

    wanted: Wanted
    incidents: tuple[Incident, ...]
    more: bool
    coverage: Coverage


def wanted(query: Mapping[str, str], world: World, now: datetime) -> Wanted:
    """Read a query; raise BadQueryError with a sentence for what cannot be."""
    given = tuple((key, query[key].strip()) for key in KEYS if query.get(key, "").strip())
    asked = dict(given)
    since, until = _period(asked, now)
    return Wanted(
        since=since,
        until=until,
        territory=_territory(asked.get("territory"), world),
        asset=_asset(asked.get("asset"), world),
        severity=_severity(asked.get("severity")),
        page=count("page", asked.get("page", "1"), MOST_PAGES),
        per=count("per", asked.get("per", str(USUAL_ROWS)), MOST_ROWS),
        given=given,
    )


async def shown(ledger: Ledger, asked: Wanted, world: World) -> Shown:
    """Fetch one page of the history; of one asset also when it was in maintenance."""
    found = await ledger.incidents(asked.filter())
    coverage = await ledger.coverage(asked.since, asked.until, asked.asset)
    if asked.asset:
        kept = await ledger.windows(asked.until)
        stretches = apart(asked.asset, kept, Links(world.dependencies), asked.since, asked.until)
        coverage = replace(coverage, maintenance=stretches)
    return Shown(asked, tuple(found[: asked.per]), len(found) > asked.per, coverage)


def _period(asked: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    until = _moment("until", asked["until"], end=True) if "until" in asked else now
    usual = min(until, midnight) - timedelta(days=USUAL_DAYS - 1)
    since = _moment("since", asked["since"]) if "since" in asked else usual
    if since > now:
        raise BadQueryError("since lies in the future.")
    if since >= until:
        raise BadQueryError("since must lie before until.")
    if until - since > timedelta(days=MOST_DAYS):
        raise BadQueryError("A period here is at most ten years.")
    return since, min(until, now)


def _moment(key: str, text: str, *, end: bool = False) -> datetime:
    """Read a date (UTC; as an end it includes the day) or an RFC 3339 time."""
    wrong = BadQueryError(f"{key} must be a date such as 2026-09-01, or a time such as 2026-09-01T12:00:00Z.")
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise wrong from None
    day = len(text) == 10
    if (when.tzinfo is None and not day) or not 1970 < when.year < 9999:
        raise wrong
    return when.replace(tzinfo=UTC) + timedelta(days=end) if day else when.astimezone(UTC)


def _territory(text: str | None, world: World) -> str | None:
    if text is not None and text.upper() not in world.territories:
        raise BadQueryError("territory must be one of the codes of this region, such as BB.")
    return text and text.upper()


def _asset(text: str | None, world: World) -> str | None:
    """An asset that is no longer in the inventory may still have a history: only its form is judged."""
    if text is not None and (":" not in text or len(text) > 200) and text not in world.assets:
        raise BadQueryError("asset must be an asset's id, such as cctld:bb.")
    return text


def _severity(text: str | None) -> Severity | None:
    if text is not None and text not in set(Severity):
        raise BadQueryError(f"severity must be one of {', '.join(Severity)}.")
    return Severity(text) if text else None


def count(key: str, text: str, most: int) -> int:
    """Read a number from 1 to `most`; raise BadQueryError."""
    if not (text.isascii() and text.isdigit() and len(text) < 8 and 1 <= int(text) <= most):
        raise BadQueryError(f"{key} must be a number from 1 to {most}.")
    return int(text)


COLUMNS = (
    "id",
    "severity",
    "phase",
    "kind",
    "asset",
    "territories",
    "began",
    "opened",
    "changed",
    "closed",
    "title",
    "reason",
    "left",
    "unreachable",
    "closing",
    "runbook",
    "url",
    "confidence",
    "evidence",
    "people_at_least",
    "people_at_most",
    "part_of",
)


def as_csv(page: Shown, base_url: str) -> str:
    """The rows of the page as CSV (RFC 4180), times in RFC 3339, lists separated by blanks."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for incident in page.incidents:
        writer.writerow([cell(text) for text in _row(incident, base_url)])
    return out.getvalue()


def _row(incident: Incident, base_url: str) -> tuple[str, ...]:
    return (
        incident.id,
        incident.severity,
        incident.phase,
        incident.kind,
        incident.asset,
        " ".join(incident.territories),
        stamp(incident.began),
        stamp(incident.opened),
        stamp(incident.changed),
        stamp(incident.closed) if incident.closed else "",
        words.told(incident),
        incident.reason,
        incident.left,
        " ".join(incident.children),
        incident.closing,
        incident.runbook,
        f"{base_url}/incidents/{incident.id}",
        f"{incident.confidence:g}",
        "; ".join(incident.evidence),
        str(incident.people[0]),
        str(incident.people[1]),
        incident.part_of,
    )


def stamp(when: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond where there is one."""
    exact = "milliseconds" if when.microsecond else "seconds"
    return when.astimezone(UTC).isoformat(timespec=exact).replace("+00:00", "Z")
