"""Alerts that another system reports again and again while they last, as Prometheus does to an Alertmanager. Pure.

Each becomes an `Alert` under a number of its own, "X12". It is over when its source says so, or says nothing any more.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from alerting.model import Alert, Severity

RESOLVE = timedelta(minutes=5)
"""Silence of its source for so long ends an alert that named no end: Alertmanager's resolve_timeout."""
REOPEN = timedelta(minutes=5)
"""What comes back so soon is the same trouble."""
LATE = timedelta(minutes=15)
"""So long does Prometheus go on telling an end: what is older was told to somebody else."""
PREFIX = "X"
RESOLVED, UNHEARD = "resolved", "no longer reported"
"""How an alert ends."""
ONLY_OVER = "it was reported only when it was over"

SEVERITIES: Mapping[str, Severity] = {
    **dict.fromkeys(("critical", "page", "fatal", "emergency", "disaster"), Severity.CRITICAL),
    **dict.fromkeys(("major", "error", "high", "average"), Severity.MAJOR),
    **dict.fromkeys(("info", "information", "informational", "notice", "low", "debug", "none"), Severity.INFO),
}
"""What the label ``severity`` says; anything else, or nothing, is a warning."""


@dataclass(frozen=True, slots=True)
class Posted:
    """One report of an alert."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    began: datetime
    until: datetime
    """When it ended, or will have unless it is reported again."""
    named: bool = True
    """Its source has named that end."""
    generator: str = ""

    @property
    def fingerprint(self) -> str:
        """Name the alert by its labels."""
        return fingerprint(self.labels)


@dataclass(frozen=True, slots=True)
class Foreign:
    """What is known of one alert of another system."""

    number: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    """Of the newest report."""
    generator: str
    began: datetime
    until: datetime
    """It is over then, unless it is reported again."""
    named: bool
    heard: datetime
    """When it was last reported."""
    changed: datetime
    revision: int = 1
    """Grows when it closes and when it opens again."""
    closed: datetime | None = None
    closing: str = ""
    late: bool = False
    """Its end was the first that we heard of it."""

    @property
    def id(self) -> str:
        """Return what people say: "X12"."""
        return f"{PREFIX}{self.number}"

    @property
    def fingerprint(self) -> str:
        """Name the alert by its labels."""
        return fingerprint(self.labels)


class Is(StrEnum):
    """How an alert stands when a report of it comes in."""

    NEW = "new"
    OPEN = "open"
    LATELY = "closed lately, or not for good"
    PAST = "over, and this report is of that time"


class Says(StrEnum):
    """What a report says."""

    FIRING = "firing"
    OVER = "over"


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return Alertmanager's own: FNV-1a of 64 bits over the sorted labels (prometheus/common, model/signature.go)."""
    sum_ = 14695981039346656037
    for name in sorted(labels):
        for byte in (*name.encode(), 255, *labels[name].encode(), 255):
            sum_ = ((sum_ ^ byte) * 1099511628211) & 0xFFFFFFFFFFFFFFFF
    return f"{sum_:016x}"


def hear(known: Foreign | None, posted: Posted, number: int, now: datetime) -> list[Foreign]:
    """Return what a report makes of an alert, by revision: nothing, one, or its beginning and its end.

    ``number``: the next that is free. A revision that was known before has been heard of once more, and no more.
    """
    says = Says.FIRING if posted.until > now else Says.OVER
    how = _how(known, posted, says, now)
    one = known if known and how is not Is.NEW else _begun(posted, number, now)
    return MOVES[how, says](one, posted, now)


def _how(known: Foreign | None, posted: Posted, says: Says, now: datetime) -> Is:
    if known is None:
        return Is.NEW
    if known.closed is None:
        return Is.OPEN if says is Says.FIRING or posted.until >= known.began else Is.PAST
    same = posted.began <= known.closed
    if says is Says.OVER:
        return Is.PAST if same else Is.NEW
    return Is.LATELY if same or now - known.closed <= REOPEN else Is.NEW


def _begun(posted: Posted, number: int, now: datetime) -> Foreign:
    began = min(posted.began, now)
    return Foreign(
        number, posted.labels, posted.annotations, posted.generator, began, posted.until, posted.named, now, now
    )


Move = Callable[[Foreign, Posted, datetime], list[Foreign]]


def _open(known: Foreign, posted: Posted, now: datetime) -> list[Foreign]:
    return [known]


def _only_over(known: Foreign, posted: Posted, now: datetime) -> list[Foreign]:
    """Tell an outage of which we hear when it is over; Alertmanager tells nobody."""
    if now - posted.until > LATE:
        return []
    begun = replace(known, late=True)
    return [begun, *_close(begun, posted, now)]


def _again(known: Foreign, posted: Posted, now: datetime) -> list[Foreign]:
    """Take the newest words, the earliest beginning; an end that was named stands against one that was not."""
    until = posted.until if posted.named and not known.named else max(known.until, posted.until)
    return [
        replace(
            known,
            annotations=posted.annotations,
            generator=posted.generator,
            began=min(known.began, posted.began),
            until=until,
            named=posted.named or (known.named and known.until >= posted.until),
            heard=now,
        )
    ]


def _close(known: Foreign, posted: Posted, now: datetime) -> list[Foreign]:
    told = replace(known, annotations=posted.annotations, generator=posted.generator, heard=now)
    return [_closed(told, max(posted.until, known.began), RESOLVED, now)]


def _reopen(known: Foreign, posted: Posted, now: datetime) -> list[Foreign]:
    opened = replace(known, closed=None, closing="", revision=known.revision + 1, changed=now, late=False)
    return _again(replace(opened, until=posted.until, named=posted.named), posted, now)


def _nothing(known: Foreign, posted: Posted, now: datetime) -> list[Foreign]:
    return []


MOVES: Mapping[tuple[Is, Says], Move] = {
    (Is.NEW, Says.FIRING): _open,
    (Is.NEW, Says.OVER): _only_over,
    (Is.OPEN, Says.FIRING): _again,
    (Is.OPEN, Says.OVER): _close,
    (Is.LATELY, Says.FIRING): _reopen,
    (Is.PAST, Says.OVER): _nothing,
}


def _closed(known: Foreign, at: datetime, closing: str, now: datetime) -> Foreign:
    return replace(known, until=at, closed=at, closing=closing, revision=known.revision + 1, changed=now)


def unheard(known: Foreign, now: datetime) -> Foreign | None:
    """Close an alert whose time is over without a word from its source."""
    return _closed(known, known.until, UNHEARD, now) if known.closed is None and known.until <= now else None


def spared(known: Foreign, now: datetime) -> Foreign:
    """Give an alert time to be reported again after a while in which nothing could be heard, or the clock was set."""
    least = now + min(max(known.until - known.heard, timedelta()), RESOLVE)
    return replace(known, until=max(known.until, least)) if known.closed is None else known


def to_alert(
    one: Foreign, places: Mapping[str, str], blind: tuple[tuple[datetime, datetime | None], ...] = (), note: str = ""
) -> Alert:
    """Say what is true of an alert; ``places``: name by territory code."""
    given, notes = one.labels, one.annotations
    territory = given.get("territory", "")
    named = given.get("alertname", "") or "alert"
    what = notes.get("summary") or named + (f" on {given['instance']}" if given.get("instance") else "")
    source = urlsplit(one.generator).hostname if one.generator else None
    return Alert(
        incident=one.id,
        severity=SEVERITIES.get(given.get("severity", "").lower(), Severity.WARNING),
        kind="external",
        asset="",
        what=what,
        territory=territory if territory in places else "",
        where=places.get(territory, ""),
        opened=one.began,
        closed=one.closed,
        changed=one.changed,
        revision=one.revision,
        reason=notes.get("description") or notes.get("message") or f"reported by {source or 'another system'}",
        effects=tuple(_more(one)),
        closing=one.closing,
        blind=blind,
        labels={**given, "phase": "firing"},
        url=one.generator,
        note=note,
        late=ONLY_OVER if one.late else "",
    )


def _more(one: Foreign) -> Iterator[str]:
    """Say what else its source said."""
    known = sorted((name, value) for name, value in one.labels.items() if name not in {"alertname", "severity"})
    if known:
        yield "Labels: " + ", ".join(f"{name}={value}" for name, value in known)
    if one.annotations.get("runbook_url"):
        yield f"Runbook of its source: {one.annotations['runbook_url']}"
