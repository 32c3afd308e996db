"""Pure: the phrases that mail and SMS share."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from alerting.model import Alert, Contact, Reason
from alerting.runbooks import Runbook


@dataclass(frozen=True, slots=True)
class Occasion:
    """All that a text is made from, at the moment when it leaves."""

    alert: Alert | None
    """The truth of now; None for a test."""
    reason: Reason
    contact: Contact
    now: datetime
    site: str
    """The name of the place that sends."""
    desk: str
    """The duty desk's number, or ""."""
    runbook: Runbook | None = None
    again: bool = False
    """An earlier try of unknown end may have arrived."""
    told_before: bool = True
    """This contact has heard of the incident on this channel."""
    failure: str | None = None
    """What kept the message from leaving earlier, besides the cuts of this site."""
    answers: tuple[tuple[datetime, str, str], ...] = ()
    """Who has acknowledged or done something: when, agency, what."""
    code: str = ""
    """The letters with which this contact answers; "" where no answer comes in."""
    link: str = ""
    """Where this contact answers with a click, once."""


def local(at: datetime, contact: Contact) -> datetime:
    """Give a moment in the contact's zone."""
    return at.astimezone(ZoneInfo(contact.zone))


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b} "


def since(alert: Alert, contact: Contact, now: datetime) -> str:
    """Say when it began in the contact's time: "since 14:05 AST", with the day if it was another."""
    began = local(alert.opened, contact)
    day = "" if began.date() == local(now, contact).date() else _day(began)
    return f"since {day}{began:%H:%M} {began.tzname()}"


def lasted(alert: Alert, contact: Contact, now: datetime) -> str:
    """Say how long it was so: "was down 14:05 to 17:40 AST"."""
    began, ended = local(alert.opened, contact), local(alert.closed or now, contact)
    same = began.date() == ended.date()
    first = "" if same and ended.date() == local(now, contact).date() else _day(began)
    second = "" if same else _day(ended)
    state = "cut off" if alert.kind == "vantage" else alert.labels.get("phase", "down")
    return f"was {state} {first}{began:%H:%M} to {second}{ended:%H:%M} {ended.tzname()}"


def cuts(alert: Alert) -> list[tuple[datetime, datetime | None]]:
    """Return when this site was cut off while the incident, now over, lasted."""
    own = [(alert.opened, alert.closed)] if alert.kind == "vantage" else []
    return own + [
        (began, ended)
        for began, ended in alert.blind
        if alert.closed and began < alert.closed and (ended is None or ended > alert.opened)
    ]


def excuse(alert: Alert, failure: str | None, *, why: bool = True) -> str:
    """Say why somebody hears of it only now that it is over; ``failure``: what no cut of this site explains."""
    if failure is None and cuts(alert):
        return "you were not told because this site was cut off"
    reason = f": {failure}" if failure and why else ""
    return f"the message could not be delivered earlier{reason}"


def headword(occasion: Occasion) -> str:
    """Say in capitals what kind of message it is: "CRITICAL", "NOW CRITICAL", "STILL CRITICAL", "OVER", "TEST"."""
    alert = occasion.alert
    if alert is None:
        return "TEST"
    if alert.closed is not None:
        return "OVER"
    mark = (
        {Reason.WORSE: "NOW ", Reason.REPEAT: "STILL ", Reason.ESCALATE: "STILL "}.get(occasion.reason, "")
        if occasion.told_before
        else ""
    )
    return f"{mark}{alert.severity.upper()}"


def ending(occasion: Occasion, *, why: bool = True) -> str:
    """Say how it ended, and to whoever was never told, why not."""
    alert = occasion.alert
    if alert is None or alert.closed is None:
        return ""
    late = "" if occasion.told_before else f"; {excuse(alert, occasion.failure, why=why)}"
    return f"now {alert.closing or 'up'}{late}"


def plain(text: str, most: int = 500) -> str:
    """Bound untrusted text to one line without control characters."""
    shown = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else letter for letter in text
    )
    line = " ".join(shown.split())
    return line if len(line) <= most else line[: most - 2].rstrip() + ".."
