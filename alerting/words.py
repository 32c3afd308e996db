"""Pure: the phrases that mail and SMS share."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from alerting.catalogue import ENGLISH, LANGUAGES, known, say
from alerting.model import Address, Alert, Answered, Contact, Reason
from alerting.runbook import Runbook


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
    in_time: bool = False
    """Nothing kept it: it was not to leave before the end."""
    answers: tuple[Answered, ...] = ()
    """Who has acknowledged or done something."""
    code: str = ""
    """The letters with which this contact answers; "" where no answer comes in."""
    link: str = ""
    """Where this contact answers with a click, once."""


STATES = {"vantage": "cut off", "peer": "silent", "posture": "in force"}
"""What those are said to be that are not just down."""
_TITLE = re.compile(
    r"(?P<name>.+?)(?: and (?P<others>[0-9]+) more)? (?P<state>down|degraded|partitioned|silent|cut off(?: in part)?)"
)
"""How those who make alerts say what it is, in English: "Cable ECFS down", "Router A and 3 more down"."""


def what(alert: Alert, language: str) -> str:
    """Say what it is about; the name stays as it is, the kind before it and the state behind it are translated."""
    if alert.kind == "posture":
        return say("posture", language, level=say(f"posture {alert.labels['posture']}", language), place=alert.where)
    found = _TITLE.fullmatch(alert.what)
    if language == "en" or found is None:
        return alert.what
    named, state = found["name"], found["state"]
    label = ENGLISH.get(alert.kind, "")
    if alert.name and label and named == f"{label} {alert.name}":
        named = f"{say(alert.kind, language)} {alert.name}"
    if found["others"]:
        named = say("and more", language, name=named, n=found["others"])
    return named if alert.closed else f"{named}: {known(state, language)}"


def tongue(contact: Contact) -> str:
    """Return the language in which a contact is told: English where the catalogue does not have theirs."""
    return contact.language if contact.language in LANGUAGES else "en"


def moment(at: datetime, contact: Contact) -> str:
    """Say a moment in the contact's time: "1 Sep 2026 08:00 AST"; the month as a number where it is not English."""
    there = local(at, contact)
    return f"{there.day}{there:{' %b ' if tongue(contact) == 'en' else '/%m/'}%Y %H:%M %Z}"


def both(at: datetime, contact: Contact) -> str:
    """Say a moment in the contact's time and in UTC."""
    return f"{moment(at, contact)} ({at.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"


def local(at: datetime, contact: Contact) -> datetime:
    """Give a moment in the contact's zone."""
    return at.astimezone(ZoneInfo(contact.zone))


def _day(at: datetime, language: str) -> str:
    return f"{at.day} {at:%b} " if language == "en" else f"{at.day}/{at.month} "


def since(alert: Alert, contact: Contact, now: datetime, language: str = "en") -> str:
    """Say when it began in the contact's time: "since 14:05 AST", with the day if it was another."""
    began = local(alert.opened, contact)
    day = "" if began.date() == local(now, contact).date() else _day(began, language)
    return say("since", language, at=f"{day}{began:%H:%M} {began.tzname()}")


def lasted(alert: Alert, contact: Contact, now: datetime, language: str = "en") -> str:
    """Say how long it was so: "was down 14:05 to 17:40 AST"."""
    began, ended = local(alert.opened, contact), local(alert.closed or now, contact)
    same = began.date() == ended.date()
    first = "" if same and ended.date() == local(now, contact).date() else _day(began, language)
    second = "" if same else _day(ended, language)
    state = STATES.get(alert.kind) or alert.labels.get("phase", "down")
    a, b = f"{first}{began:%H:%M}", f"{second}{ended:%H:%M} {ended.tzname()}"
    return say("was", language, state=known(state, language), a=a, b=b)


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
        return say(alert.late or "this site was cut off", language)
    reason = f": {failure}" if failure and why else ""
    return say("could not be delivered", language) + reason


def headword(occasion: Occasion, language: str = "en") -> str:
    """Say in capitals what kind of message it is: "CRITICAL", "NOW CRITICAL", "STILL CRITICAL", "OVER", "TEST"."""
    alert = occasion.alert
    if alert is None:
        return say("TEST", language)
    if alert.closed is not None:
        return say("OVER", language)
    word = say(alert.severity, language)
    mark = {Reason.WORSE: "NOW", Reason.REPEAT: "STILL", Reason.ESCALATE: "STILL"}.get(occasion.reason)
    return say(mark, language, word=word) if mark and occasion.told_before else word


def mark(alert: Alert | None, language: str = "en") -> str:
    """Return what stands before every text about an exercise, with a blank; "" before what is real."""
    return f"{say('EXERCISE', language)} " if alert and alert.exercise else ""


def banner(occasion: Occasion) -> str:
    """Say before and after a mail about an exercise that it is one, in the reader's language and in English."""
    alert = occasion.alert
    if alert is None or not alert.exercise:
        return ""
    key = alert.closing if alert.closed else "exercise"
    languages = dict.fromkeys((tongue(occasion.contact), "en"))
    return "\n".join(f"{mark(alert, one)}- {say(key, one)}" for one in languages)


def ending(occasion: Occasion, *, why: bool = True, language: str = "en") -> str:
    """Say how it ended, and to whoever was never told, why not."""
    alert = occasion.alert
    if alert is None or alert.closed is None:
        return ""
    excused = occasion.told_before or (occasion.in_time and not alert.late)
    late = "" if excused else f"; {excuse(alert, occasion.failure, why=why, language=language)}"
    return say("now", language, how=known(alert.closing or "up", language)) + late


def plain(text: str, most: int = 500) -> str:
    """Bound untrusted text to one line without control characters."""
    shown = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else letter for letter in text
    )
    line = " ".join(shown.split())
    return line if len(line) <= most else line[: most - 2].rstrip() + ".."


_PERSONAL = re.compile(r"[^\s<>]+@[^\s<>]+|\+?\d[\d ()-]{5,}\d")


def scrub(text: str, address: Address, most: int = 200) -> str:
    """Bound a provider's words and take every address and telephone number out of them."""
    without = text.replace(address.to, "(address)") if address.to else text
    return plain(_PERSONAL.sub("(address)", without), most) or "no words"
