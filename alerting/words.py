"""Pure: the phrases that mail and SMS share."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from alerting.model import Alert, Contact, Reason
from alerting.phrases import phrase
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


def _day(at: datetime, language: str) -> str:
    return f"{at.day} {at:%b} " if language == "en" else f"{at.day}/{at.month} "


def since(alert: Alert, contact: Contact, now: datetime, language: str = "en") -> str:
    """Say when it began in the contact's time: "since 14:05 AST", with the day if it was another."""
    began = local(alert.opened, contact)
    day = "" if began.date() == local(now, contact).date() else _day(began, language)
    return phrase("since", language, at=f"{day}{began:%H:%M} {began.tzname()}")


def lasted(alert: Alert, contact: Contact, now: datetime, language: str = "en") -> str:
    """Say how long it was so: "was down 14:05 to 17:40 AST"."""
    began, ended = local(alert.opened, contact), local(alert.closed or now, contact)
    same = began.date() == ended.date()
    first = "" if same and ended.date() == local(now, contact).date() else _day(began, language)
    second = "" if same else _day(ended, language)
    state = "cut off" if alert.kind == "vantage" else alert.labels.get("phase", "down")
    a, b = f"{first}{began:%H:%M}", f"{second}{ended:%H:%M} {ended.tzname()}"
    return phrase("was", language, state=phrase(state, language), a=a, b=b)


def cuts(alert: Alert) -> list[tuple[datetime, datetime | None]]:
    """Return when this site was cut off while the incident, now over, lasted."""
    own = [(alert.opened, alert.closed)] if alert.kind == "vantage" else []
    return own + [
        (began, ended)
        for began, ended in alert.blind
        if alert.closed and began < alert.closed and (ended is None or ended > alert.opened)
    ]


def excuse(alert: Alert, failure: str | None, *, why: bool = True, language: str = "en") -> str:
    """Say why somebody hears of it only now that it is over; ``failure``: what no cut of this site explains."""
    if failure is None and (alert.late or cuts(alert)):
        return phrase(alert.late or "this site was cut off", language)
    reason = f": {failure}" if failure and why else ""
    return phrase("could not be delivered", language) + reason


def headword(occasion: Occasion, language: str = "en") -> str:
    """Say in capitals what kind of message it is: "CRITICAL", "NOW CRITICAL", "STILL CRITICAL", "OVER", "TEST"."""
    alert = occasion.alert
    if alert is None:
        return phrase("TEST", language)
    if alert.closed is not None:
        return phrase("OVER", language)
    word = phrase(alert.severity, language)
    mark = {Reason.WORSE: "NOW", Reason.REPEAT: "STILL", Reason.ESCALATE: "STILL"}.get(occasion.reason)
    return phrase(mark, language, word=word) if mark and occasion.told_before else word


def ending(occasion: Occasion, *, why: bool = True, language: str = "en") -> str:
    """Say how it ended, and to whoever was never told, why not."""
    alert = occasion.alert
    if alert is None or alert.closed is None:
        return ""
    late = "" if occasion.told_before else f"; {excuse(alert, occasion.failure, why=why, language=language)}"
    return phrase("now", language, how=phrase(alert.closing or "up", language)) + late


def plain(text: str, most: int = 500) -> str:
    """Bound untrusted text to one line without control characters."""
    shown = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else letter for letter in text
    )
    line = " ".join(shown.split())
    return line if len(line) <= most else line[: most - 2].rstrip() + ".."
