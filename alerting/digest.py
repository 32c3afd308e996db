"""Pure: one message that tells of several incidents, gravest first; what finds no room is counted."""

from collections.abc import Sequence
from datetime import datetime

from alerting.gsm import ONE_PART, clip, fold, septets
from alerting.model import Alert, Severity
from alerting.phrases import phrase
from alerting.render import banner
from alerting.words import Occasion, ending, headword, lasted, local, mark, plain, since

MOST_TOLD = 200
"""Incidents that a mail names; the others are counted."""


def ordered(occasions: Sequence[Occasion]) -> list[tuple[Occasion, Alert]]:
    """Return open ones before those that are over, the gravest first, then the oldest."""
    known = [(one, one.alert) for one in occasions if one.alert is not None]
    return sorted(known, key=lambda pair: (pair[1].closed is not None, -pair[1].severity.rank, pair[1].opened))


def counts(alerts: Sequence[Alert]) -> str:
    """Say "3 critical, 12 major, 5 over"."""
    said = [
        f"{number} {severity}"
        for severity in reversed(Severity)
        if (number := sum(1 for one in alerts if one.closed is None and one.severity is severity))
    ]
    ended = sum(1 for one in alerts if one.closed is not None)
    return ", ".join(said + ([f"{ended} over"] if ended else []))


def late(occasions: Sequence[Occasion]) -> str:
    """Say why those that are over are told only now, if one reason explains them all."""
    untold = [one for one in occasions if one.alert and one.alert.closed and not one.told_before]
    reasons = {ending(one).partition("; ")[2] for one in untold}
    return reasons.pop() if len(reasons) == 1 else ""


def sms(occasions: Sequence[Occasion]) -> str:
    """Return one part of GSM-7: how many, of what severity, and as many of them as fit."""
    pairs = ordered(occasions)
    again = " (repeat)" if any(one.again for one in occasions) else ""
    first = pairs[0][0]
    why = late(occasions)
    marked = mark(pairs[0][1], first.contact.language)
    head = f"{marked}{len(pairs)} incidents{again}: {counts([alert for _, alert in pairs])}."
    tail = f" Desk {clip(fold(first.desk), 20)}" if first.desk else ""
    if why and septets(fold(f"{head} {why.capitalize()}.{tail}")) <= ONE_PART:
        head = f"{head} {why.capitalize()}."
    text = fold(head)
    for number, (one, alert) in enumerate(pairs):
        rest = len(pairs) - number
        more = f" +{rest - 1} more" if rest > 1 else ""
        line = _line(one, alert, bool(why) and not one.told_before)
        if septets(f"{text} {line};{more}{tail}") > ONE_PART:
            text += f" +{rest} more" if number and septets(f"{text} +{rest} more{tail}") <= ONE_PART else ""
            break
        text += f" {line};" if rest > 1 else f" {line}."
    return clip(text.replace("; +", " +") + tail, ONE_PART)


def _line(one: Occasion, alert: Alert, short: bool) -> str:
    """Say in an SMS what is true of one incident."""
    name, what = clip(fold(alert.incident), 16), clip(fold(alert.what), 28)
    if alert.closed is None:
        return f"{name} {what}" + ("" if short else f" {since(alert, one.contact, one.now).removeprefix('since ')}")
    return f"{name} {what} {lasted(alert, one.contact, one.now).removeprefix('was ')}"


def mail(occasions: Sequence[Occasion]) -> tuple[str, str]:
    """Return subject and body: a line for each incident with its evidence, and the first move of its runbook."""
    pairs = ordered(occasions)
    again = " (repeat)" if any(one.again for one in occasions) else ""
    alerts = [alert for _, alert in pairs]
    first = pairs[0][0]
    subject = f"{mark(pairs[0][1], first.contact.language)}[Lambi] {len(pairs)} incidents: {counts(alerts)}{again}"
    why = late(occasions)
    parts = [banner(first)] if banner(first) else []
    parts.append(f"{len(pairs)} incidents: {counts(alerts)}." + (f" Of those that are over, {why}." if why else ""))
    if again:
        parts.append("(repeat) An earlier copy of this message may have reached you; they are one.")
    parts += [_block(one, alert) for one, alert in pairs[:MOST_TOLD]]
    if len(pairs) > MOST_TOLD:
        parts.append(f"... and {len(pairs) - MOST_TOLD} more: {counts(alerts[MOST_TOLD:])}")
    desk = f"Duty desk: {plain(first.desk, 60)}\n" if first.desk else ""
    parts.append(f"{desk}Sent {_moment(first.now, first)} from Lambi at {plain(first.site, 60)}.")
    return subject, "\n\n".join(parts) + "\n"


def _block(one: Occasion, alert: Alert) -> str:
    where = f", {plain(alert.where, 60)}" if alert.where else ""
    lines = [f"{mark(alert)}[{plain(alert.incident, 16)}] {headword(one)}: {plain(alert.what, 120)}{where}"]
    if alert.closed is None:
        lines.append(f"  {since(alert, one.contact, one.now).capitalize()}; {plain(alert.reason, 300)}")
    elif alert.exercise:
        lines.append(f"  {phrase(alert.closing, one.contact.language)}")
    else:
        lines.append(f"  It {lasted(alert, one.contact, one.now)}, {plain(ending(one))}.")
    if one.runbook and alert.closed is None:
        lines.append(f"  First: {one.runbook.first} (runbook {one.runbook.pinned})")
    if alert.url:
        lines.append(f"  {plain(alert.url)}")
    return "\n".join(lines)


def _moment(at: datetime, one: Occasion) -> str:
    there = local(at, one.contact)
    return f"{there.day} {there:%b %Y %H:%M %Z}"
