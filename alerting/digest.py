"""Pure: one message that tells of several incidents, gravest first; what finds no room is counted."""

from collections.abc import Sequence

from alerting import letter
from alerting.catalogue import say
from alerting.gsm import ONE_PART, clip, fold, septets
from alerting.model import Alert, Severity
from alerting.words import Occasion, banner, both, ending, headword, lasted, mark, plain, since, tongue, what

MOST_TOLD = 200
"""Incidents that a mail names; the others are counted."""
MOST_NAMED = 6
"""More than these find no room in a short message."""
ALL_NAMED = 3
"""So many a short message names, however long their names are."""
WIDTH = 28
"""Septets for what an incident is about."""
NARROW = (22, 16)
"""The same where all of a few are named, and the desk finds no room."""
MOST_LINKS = 20
"""Open incidents that a mail gives a link to acknowledge; the others are answered by their letters."""


def ordered(occasions: Sequence[Occasion]) -> list[tuple[Occasion, Alert]]:
    """Return open ones before those that are over, the gravest first, then the oldest."""
    known = [(one, one.alert) for one in occasions if one.alert is not None]
    return sorted(known, key=lambda pair: (pair[1].closed is not None, -pair[1].severity.rank, pair[1].opened))


def foremost(occasions: Sequence[Occasion], most: int) -> set[int]:
    """Return where the open ones stand that are named first, at most so many."""
    known = [(-one.alert.severity.rank, one.alert.opened, n) for n, one in enumerate(occasions) if one.alert]
    return {n for *_, n in sorted(one for one in known if not _over(occasions[one[2]]))[:most]}


def one_event(occasions: Sequence[Occasion]) -> bool:
    """Whether a message is about one incident, or about a few that began together."""
    events = {one.alert.event for one in occasions if one.alert is not None}
    return len(occasions) == 1 or (len(occasions) <= ALL_NAMED and len(events) == 1 and events != {""})


def lead(occasions: Sequence[Occasion]) -> Occasion:
    """Return the one that the others began with, or else the first."""
    leads = (one for one in occasions if one.alert is not None and one.alert.incident == one.alert.event)
    return next(leads, occasions[0])


def _over(one: Occasion) -> bool:
    return one.alert is not None and one.alert.closed is not None


def counts(alerts: Sequence[Alert], language: str = "en") -> str:
    """Say "3 critical, 12 major, 5 over"."""
    said = [
        _many(str(severity), number, language)
        for severity in reversed(Severity)
        if (number := sum(1 for one in alerts if one.closed is None and one.severity is severity))
    ]
    ended = sum(1 for one in alerts if one.closed is not None)
    return ", ".join(said + ([_many("OVER", ended, language)] if ended else []))


def _many(word: str, number: int, language: str) -> str:
    return f"{number} {say(word if number == 1 else f'many {word.lower()}', language).lower()}"


def late(occasions: Sequence[Occasion]) -> str:
    """Say why those that are over are told only now, if one reason explains them all."""
    untold = [one for one in occasions if one.alert and one.alert.closed and not one.told_before]
    reasons = {ending(one, language=tongue(one.contact)).partition("; ")[2] for one in untold}
    return reasons.pop() if len(reasons) == 1 else ""


def sms(occasions: Sequence[Occasion]) -> str:
    """Return one part of GSM-7: how many, of what severity, and as many of them as fit, with their letters."""
    pairs = ordered(occasions)
    first, why, language = pairs[0][0], late(occasions), tongue(pairs[0][0].contact)
    again = f" {say('(repeat)', language)}" if any(one.again for one in occasions) else ""
    count = mark(pairs[0][1], language) + say("incidents", language, n=len(pairs))
    head = fold(f"{count}{again}: {counts([alert for _, alert in pairs], language)}.")
    tail = f" {fold(say('Desk', language, number=clip(fold(first.desk), 20)))}" if first.desk else ""
    reason = f" {fold(f'{why[:1].upper()}{why[1:]}.')}" if why else ""
    text = head + reason if septets(head + reason + tail) <= ONE_PART else head
    if whole := _whole(text, pairs, tail, short=bool(why)):
        return whole
    for number, (one, alert) in enumerate(pairs):
        rest = len(pairs) - number
        line = _line(one, alert, bool(why) and not one.told_before)
        if septets(f"{text} {line};{_rest(rest - 1, language)}{tail}") > ONE_PART:
            more = _rest(rest, language)
            text += more if number and septets(text + more + tail) <= ONE_PART else ""
            break
        text += f" {line};" if rest > 1 else f" {line}."
    return clip(text.replace("; +", " +") + tail, ONE_PART)


def _whole(text: str, pairs: Sequence[tuple[Occasion, Alert]], tail: str, *, short: bool) -> str:
    """Return a message that names all of a few, if their names need not be cut too short; the desk may give way."""
    for width in (WIDTH, *NARROW) if len(pairs) <= ALL_NAMED else ():
        lines = [_line(one, alert, short and not one.told_before, width) for one, alert in pairs]
        whole = f"{text} {'; '.join(lines)}."
        for end in (tail, ""):
            if septets(whole + end) <= ONE_PART:
                return whole + end
    return ""


def _rest(number: int, language: str) -> str:
    return f" {fold(say('more', language, n=number))}" if number else ""


def _line(one: Occasion, alert: Alert, short: bool, width: int = WIDTH) -> str:
    """Say in an SMS what is true of one incident, and with which letters it is answered."""
    language = tongue(one.contact)
    name = clip(fold(alert.incident), 16) + (f"-{one.code}" if one.code else "")
    said = clip(fold(what(alert, language)), width)
    if alert.closed is None:
        began = since(alert, one.contact, one.now, language).removeprefix(say("since", language, at=""))
        return f"{name} {said}" + ("" if short else f" {fold(began)}")
    return f"{name} {said} {fold(lasted(alert, one.contact, one.now, language)).removeprefix('was ')}"


def mail(occasions: Sequence[Occasion]) -> tuple[str, str]:
    """Return subject and body: a line for each incident with its evidence, and the first move of its runbook.

    Of a few that began together the first is told in full, as if it were alone.
    """
    if one_event(occasions):
        return _together(occasions)
    pairs = ordered(occasions)
    first, why, language = pairs[0][0], late(occasions), tongue(pairs[0][0].contact)
    again = f" {say('(repeat)', language)}" if any(one.again for one in occasions) else ""
    alerts = [alert for _, alert in pairs]
    head = f"{say('incidents', language, n=len(pairs))}: {counts(alerts, language)}"
    parts = [banner(first)] if banner(first) else []
    parts.append(f"{head}." + (f" {say('untold', language, why=why)}" if why else ""))
    if again:
        parts.append(f"{say('(repeat)', language)} {say('repeat note', language)}")
    if one := next((f"{alert.incident}-{one.code}" for one, alert in pairs if one.code), ""):
        parts.append(say("by mail, many", language, ref=plain(one, 20)))
    parts += [_block(one, alert, language) for one, alert in pairs[:MOST_TOLD]]
    if len(pairs) > MOST_TOLD:
        rest = alerts[MOST_TOLD:]
        parts.append(say("and the rest", language, n=len(rest), counts=counts(rest, language)))
    desk = f"{say('Duty desk', language, number=plain(first.desk, 60))}\n" if first.desk else ""
    parts.append(f"{desk}{say('Sent', language, at=both(first.now, first.contact), site=plain(first.site, 60))}.")
    return f"{mark(pairs[0][1], language)}[Lambi] {head}{again}", "\n\n".join(parts) + "\n"


def _together(occasions: Sequence[Occasion]) -> tuple[str, str]:
    first = lead(occasions)
    rest = [(one, alert) for one, alert in ordered(occasions) if one is not first]
    language = tongue(first.contact)
    subject, body = letter.mail(first)
    named = "; ".join(plain(what(alert, language), 120) for _, alert in rest)
    blocks = [_block(one, alert, language) for one, alert in rest]
    return f"{subject}; {named}", "\n\n".join([body.rstrip("\n"), *blocks]) + "\n"


def _block(one: Occasion, alert: Alert, language: str) -> str:
    where = f", {plain(alert.where, 60)}" if alert.where else ""
    name = plain(alert.incident, 16) + (f"-{one.code}" if one.code else "")
    head = f"{mark(alert, language)}[{name}] {headword(one, language)}"
    lines = [f"{head}: {plain(what(alert, language), 120)}{where}"]
    if alert.closed is None:
        began = since(alert, one.contact, one.now, language)
        lines.append(f"  {began[:1].upper()}{began[1:]}; {plain(alert.reason, 300)}")
    elif alert.exercise:
        lines.append(f"  {say(alert.closing, language)}")
    else:
        time, end = lasted(alert, one.contact, one.now, language), plain(ending(one, language=language))
        lines.append(f"  {say('it was', language, lasted=time, end=end)}")
    if one.runbook and alert.closed is None:
        book = one.runbook.spoken(language)
        lines.append(f"  {say('First', language, first=book.first)} ({book.pinned})")
    if one.link:
        lines.append(f"  {say('acknowledge', language, link=one.link)}")
    if alert.url:
        lines.append(f"  {plain(alert.url)}")
    return "\n".join(lines)
