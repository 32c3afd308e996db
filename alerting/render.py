"""Pure: the short message that leaves, made from the truth of the moment. Untrusted text is bounded."""

from collections.abc import Callable
from dataclasses import dataclass

from alerting.catalogue import say
from alerting.gsm import ONE_PART, UCS2_PART, clip, fold, lossy, septets, thrifty, units
from alerting.words import Occasion, ending, headword, lasted, local, mark, plain, since, tongue, what


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

BARE = (
    Room(40, 16, head=False, first=False, desk=False),
    Room(30, 0, head=False, first=False, desk=False),
    Room(24, 0, head=False, first=False, closing=False, desk=False),
)
"""What a message in UCS-2 has room for."""


Speak = Callable[[str], str]
"""`fold`, or `plain` where letters stay."""


def sms(occasion: Occasion) -> str:
    """Return one part with id, what, since, and as much of the rest as fits.

    Accents that GSM-7 lacks fall where that saves a part; where a name would lose letters it is sent in UCS-2.
    """
    alert = occasion.alert
    if alert is not None and lossy(plain(alert.what)):
        most = UCS2_PART if alert.closed is None else 2 * (UCS2_PART - 3)
        for text in (_sms(occasion, room, plain) for room in BARE):
            if units(text) <= most:
                return text
    for room in ROOMS:
        text = _sms(occasion, room, fold)
        if septets(text) <= ONE_PART:
            whole = thrifty(_sms(occasion, room, plain))
            return whole if fold(whole) == text else text
    return clip(text, ONE_PART)


def _sms(occasion: Occasion, room: Room, speak: Speak) -> str:
    alert, language = occasion.alert, tongue(occasion.contact)
    if alert is None:
        return _sms_test(occasion, speak)
    told = clip(speak(what(alert, language)), room.what)
    place = clip(speak(alert.where), room.where)
    if alert.exercise and alert.closed is not None:
        return f"{_sms_head(occasion, room, speak)}: {told}. {speak(say(alert.closing, language))}"
    where = f", {place}" if room.where and alert.where else ""
    text = f"{_sms_head(occasion, room, speak)}: {told}{where}, {_sms_time(occasion, room, speak)}."
    if room.first and occasion.runbook and alert.closed is None:
        first = speak(occasion.runbook.spoken(language).first).rstrip(".")
        text += f" {first}" if first.endswith(("?", "!")) else f" {first}."
    return text + _sms_desk(occasion, room, speak)


def _sms_head(occasion: Occasion, room: Room, speak: Speak) -> str:
    alert, language = occasion.alert, tongue(occasion.contact)
    word = headword(occasion, language)
    if not room.head and alert is not None and not alert.closed:
        word = word.removesuffix(say(alert.severity, language)).strip()
    again = speak(say("(repeat)", language)) if occasion.again else ""
    name = clip(speak(alert.incident), 16) + (f"-{occasion.code}" if occasion.code else "") if alert else ""
    return " ".join(part for part in (speak(mark(alert, language)), name, speak(word), again) if part)


def _sms_time(occasion: Occasion, room: Room, speak: Speak) -> str:
    alert, language = occasion.alert, tongue(occasion.contact)
    if alert is None or alert.closed is None:
        return speak(since(alert, occasion.contact, occasion.now, language)) if alert else ""
    time = speak(lasted(alert, occasion.contact, occasion.now, language))
    end = speak(ending(occasion, why=room.why, language=language))
    return f"{time}, {end if room.closing else clip(end, 60)}"


def _sms_desk(occasion: Occasion, room: Room, speak: Speak) -> str:
    if not room.desk or not occasion.desk:
        return ""
    return " " + speak(say("Desk", tongue(occasion.contact), number=clip(speak(occasion.desk), 20)))


def _sms_test(occasion: Occasion, speak: Speak) -> str:
    now = local(occasion.now, occasion.contact)
    facts = {"site": clip(speak(occasion.site), 30), "at": f"{now:%H:%M} {now.tzname()}"}
    text = speak(say("test", tongue(occasion.contact), **facts))
    return f"{_sms_head(occasion, ROOMS[0], speak)} {text}" + _sms_desk(occasion, ROOMS[0], speak)
