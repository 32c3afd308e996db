"""Pure: the words that leave, made from the truth of the moment. Untrusted text is bounded and stripped of controls."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from alerting.gsm import ONE_PART, clip, fold, lossy, septets, units
from alerting.model import Alert, Contact, Reason
from alerting.phrases import phrase
from alerting.words import Occasion, ending, headword, lasted, local, mark, plain, since


@dataclass(frozen=True, slots=True)
class Room:
    """What an SMS has room for: septets for what and where (0 leaves where out), and which parts stay."""

    what: int
    where: int
    head: bool = True
    closing: bool = True
    first: bool = True
    desk: bool = True
    why: bool = False


ROOMS = (
    Room(70, 40, why=True),
    Room(70, 40),
    Room(70, 40, head=False),
    Room(70, 16, head=False),
    Room(40, 16, head=False),
    Room(40, 0, head=False),
    Room(40, 16, head=False, first=False),
    Room(40, 0, head=False, first=False, closing=False),
    Room(40, 0, head=False, first=False, closing=False, desk=False),
)
"""What gives way, in this order: why it is late, severity, place, length of what, first move, why it ended, desk."""

UCS2_PART = 70
BARE = (
    Room(40, 16, head=False, first=False, desk=False),
    Room(30, 0, head=False, first=False, desk=False),
    Room(24, 0, head=False, first=False, closing=False, desk=False),
)
"""What a message in UCS-2 has room for."""


def sms(occasion: Occasion) -> str:
    """Return one part of GSM-7 with id, what, since, and as much of the rest as fits.

    Accents that GSM-7 lacks fall, for that saves a part; where a name would lose letters it is sent in UCS-2.
    """
    alert = occasion.alert
    if alert is not None and lossy(plain(alert.what)):
        most = UCS2_PART if alert.closed is None else 2 * (UCS2_PART - 3)
        for text in (_sms(occasion, room, _letters) for room in BARE):
            if units(text) <= most:
                return text
    texts = (_sms(occasion, room) for room in ROOMS)
    for text in texts:
        if septets(text) <= ONE_PART:
            return text
    return clip(text, ONE_PART)


def _letters(text: str) -> str:
    return plain(text)


def _sms(occasion: Occasion, room: Room, speak: Callable[[str], str] = fold) -> str:
    alert = occasion.alert
    if alert is None:
        return _sms_test(occasion)
    what, place = (clip(speak(text), most) for text, most in ((alert.what, room.what), (alert.where, room.where)))
    if alert.exercise and alert.closed is not None:
        return f"{_sms_head(occasion, room)}: {what}. {fold(phrase(alert.closing, occasion.contact.language))}"
    where = f", {place}" if room.where and alert.where else ""
    text = f"{_sms_head(occasion, room)}: {what}{where}, {_sms_time(occasion, room)}."
    if room.first and occasion.runbook and alert.closed is None:
        text += f" {occasion.runbook.first.rstrip('.')}."
    return text + _sms_desk(occasion, room)


def _sms_head(occasion: Occasion, room: Room) -> str:
    alert = occasion.alert
    lang = occasion.contact.language
    word = fold(headword(occasion, lang))
    if not room.head and alert is not None and not alert.closed:
        word = word.removesuffix(fold(phrase(alert.severity, lang))).strip()
    again = fold(phrase("(repeat)", lang)) if occasion.again else ""
    name = clip(fold(alert.incident), 16) + (f"-{occasion.code}" if occasion.code else "") if alert else ""
    return " ".join(part for part in (fold(mark(alert, lang)), name, word, again) if part)


def _sms_time(occasion: Occasion, room: Room) -> str:
    alert = occasion.alert
    if alert is None or alert.closed is None:
        return fold(since(alert, occasion.contact, occasion.now, occasion.contact.language)) if alert else ""
    time = fold(lasted(alert, occasion.contact, occasion.now, occasion.contact.language))
    end = fold(ending(occasion, why=room.why, language=occasion.contact.language))
    return f"{time}, {end if room.closing else clip(end, 60)}"


def _sms_desk(occasion: Occasion, room: Room) -> str:
    if not room.desk or not occasion.desk:
        return ""
    return " " + fold(phrase("Desk", occasion.contact.language, number=clip(fold(occasion.desk), 20)))


def _sms_test(occasion: Occasion) -> str:
    now = local(occasion.now, occasion.contact)
    facts = {"site": clip(fold(occasion.site), 30), "at": f"{now:%H:%M} {now.tzname()}"}
    text = fold(phrase("test", occasion.contact.language, **facts))
    return f"{_sms_head(occasion, ROOMS[0])} {text}" + _sms_desk(occasion, ROOMS[0])


def mail(occasion: Occasion) -> tuple[str, str]:
    """Return subject (one line) and plain body with the whole runbook."""
    alert = occasion.alert
    again = " (repeat)" if occasion.again else ""
    if alert is None:
        return f"TEST from Lambi at {plain(occasion.site, 60)}{again}", _mail_test(occasion)
    where = f", {plain(alert.where, 60)}" if alert.where else ""
    code = f"-{occasion.code}" if occasion.code else ""
    name = f"{mark(alert, occasion.contact.language)}[{plain(alert.incident, 16)}{code}]"
    subject = f"{name} {headword(occasion)}: {plain(alert.what, 120)}{where}{again}"
    parts = [banner(occasion), _headline(occasion, alert), _facts(occasion, alert), _effects(alert)]
    parts += [_how_to_answer(occasion), _book(occasion, alert)]
    parts += [_foot(occasion, alert), banner(occasion)]
    return subject, "\n\n".join(part for part in parts if part) + "\n"


def banner(occasion: Occasion) -> str:
    """Say before and after a mail about an exercise that it is one, in the reader's language and in English."""
    if not occasion.alert or not occasion.alert.exercise:
        return ""
    key = occasion.alert.closing if occasion.alert.closed else "exercise"
    languages = dict.fromkeys((occasion.contact.language, "en"))
    return "\n".join(f"{mark(occasion.alert, one)}- {phrase(key, one)}" for one in languages)


def _headline(occasion: Occasion, alert: Alert) -> str:
    lines = [plain(alert.what)]
    if alert.closed is not None and not alert.exercise:
        lines.append(f"It {lasted(alert, occasion.contact, occasion.now)}, {plain(ending(occasion))}.")
    if occasion.again:
        lines.append("(repeat) An earlier copy of this message may have reached you; they are one.")
    return "\n".join(lines)


def _facts(occasion: Occasion, alert: Alert) -> str:
    rows = [
        ("Severity", alert.severity.value),
        ("Where", plain(alert.where) or "the region"),
        ("Since", _both(alert.opened, occasion.contact)),
        ("Until", _both(alert.closed, occasion.contact) if alert.closed else ""),
        ("Evidence", plain(alert.reason)),
        ("Answers", _answers(occasion)),
        ("Incident", f"{plain(alert.incident, 16)}, revision {alert.revision}"),
        ("Page", plain(alert.url)),
        ("Note", plain(alert.note)),
    ]
    return "\n".join(f"{name + ':':<10}{value}" for name, value in rows if value)


def _answers(occasion: Occasion) -> str:
    """Say who has answered; when the ladder has come this far, that nobody of the agency has."""
    said = [
        f"{plain(agency, 60)} {plain(what, 40)} {_clock(at, occasion.contact)}" for at, agency, what in occasion.answers
    ]
    if occasion.reason is Reason.ESCALATE:
        said.append("nobody of those told before you has acknowledged")
    if occasion.reason is Reason.HANDOVER:
        said.append("you are on duty now")
    return "; ".join(said[-6:])


def _clock(at: datetime, contact: Contact) -> str:
    return f"{local(at, contact):%H:%M}"


def _both(at: datetime, contact: Contact) -> str:
    """Say a moment in the contact's time and in UTC."""
    there, utc = local(at, contact), at.astimezone(UTC)
    return f"{there.day} {there:%b %Y %H:%M %Z} ({utc:%Y-%m-%d %H:%M} UTC)"


def _effects(alert: Alert) -> str:
    return "\n".join(f"- {plain(effect)}" for effect in alert.effects[:20])


def _how_to_answer(occasion: Occasion) -> str:
    """Say how this reader acknowledges; whoever opens the link alone has done nothing yet."""
    lines = []
    if occasion.link:
        lines.append(f"To acknowledge, open this page and press its button: {occasion.link}")
    if occasion.code:
        lines.append("Or answer this mail; its first line says: A acknowledge, N next step, D3 step 3 done, W30 wait.")
    return "\n".join(lines)


def _book(occasion: Occasion, alert: Alert) -> str:
    """Carry the runbook itself: who reads this may have no other way to it. Not needed when all is over."""
    book = occasion.runbook
    if book is None or alert.closed is not None:
        return ""
    return f"First: {book.first}\n\nRunbook {book.pinned} (about {book.minutes} min)\n\n{book.text}"


def _foot(occasion: Occasion, alert: Alert) -> str:
    desk = f"Duty desk: {plain(occasion.desk, 60)}\n" if occasion.desk else ""
    sent = f"Sent {_both(occasion.now, occasion.contact)} from Lambi at {plain(occasion.site, 60)}"
    return f"{desk}{sent}; true as of revision {alert.revision}."


def _mail_test(occasion: Occasion) -> str:
    desk = f"\nDuty desk: {plain(occasion.desk, 60)}" if occasion.desk else ""
    return (
        "This is a TEST. There is no incident and nothing to do: it shows that mail from here reaches you.\n\n"
        f"Sent {_both(occasion.now, occasion.contact)} from Lambi at {plain(occasion.site, 60)}.{desk}\n"
    )
