"""Pure: one mail about one incident, in the reader's language, with the whole runbook."""

import re

from alerting.catalogue import say
from alerting.model import Act, Alert, Reason
from alerting.words import Occasion, banner, both, ending, headword, lasted, local, mark, plain, tongue, what

_EFFECT = re.compile(r"(Unreachable behind it|Down since the same moment|People touched|What is left): (.+)")


def mail(occasion: Occasion) -> tuple[str, str]:
    """Return subject (one line) and plain body."""
    alert, language = occasion.alert, tongue(occasion.contact)
    again = f" {say('(repeat)', language)}" if occasion.again else ""
    if alert is None:
        subject = say("test subject", language, site=plain(occasion.site, 60))
        return f"{subject}{again}", f"{say('test mail', language)}\n\n{_foot(occasion, None)}\n"
    where = f", {plain(alert.where, 60)}" if alert.where else ""
    code = f"-{occasion.code}" if occasion.code else ""
    told = plain(what(alert, language), 120)
    name = f"{mark(alert, language)}[{plain(alert.incident, 16)}{code}]"
    subject = f"{name} {headword(occasion, language)}: {told}{where}{again}"
    parts = [banner(occasion), _headline(occasion, alert), _facts(occasion, alert), _effects(alert, language)]
    parts += [_how_to_answer(occasion), _book(occasion, alert), _foot(occasion, alert), banner(occasion)]
    return subject, "\n\n".join(part for part in parts if part) + "\n"


def _headline(occasion: Occasion, alert: Alert) -> str:
    language = tongue(occasion.contact)
    lines = [plain(what(alert, language))]
    if alert.closed is not None and not alert.exercise:
        time = lasted(alert, occasion.contact, occasion.now, language)
        lines.append(say("it was", language, lasted=time, end=plain(ending(occasion, language=language))))
    if occasion.again:
        lines.append(f"{say('(repeat)', language)} {say('repeat note', language)}")
    return "\n".join(lines)


def _facts(occasion: Occasion, alert: Alert) -> str:
    language, contact = tongue(occasion.contact), occasion.contact
    rows = [
        ("Severity", say(alert.severity, language).lower()),
        ("Where", plain(alert.where) or say("the region", language)),
        ("Since", both(alert.opened, contact)),
        ("Until", both(alert.closed, contact) if alert.closed else ""),
        ("Evidence", plain(alert.reason)),
        ("Answers", _answers(occasion, language)),
        ("Incident", say("revision", language, incident=plain(alert.incident, 16), n=alert.revision)),
        ("Page", plain(alert.url)),
        ("Note", plain(alert.note)),
    ]
    said = [(f"{say(name, language)}:", value) for name, value in rows if value]
    width = max(len(name) for name, _ in said) + 1
    return "\n".join(f"{name:<{width}}{value}" for name, value in said)


def _answers(occasion: Occasion, language: str) -> str:
    """Say who has answered; when the ladder has come this far and nobody of the agency has ever acknowledged, that."""
    said = [
        f"{plain(one.agency, 60)} {say(f'said {one.what}', language, step=one.step)} "
        f"{local(one.at, occasion.contact):%H:%M}"
        for one in occasion.answers
    ]
    taken = any(one.agency == occasion.contact.agency and one.what is not Act.RESOLVE for one in occasion.answers)
    if occasion.reason is Reason.ESCALATE and not taken:
        said.append(say("nobody has acknowledged", language))
    if occasion.reason is Reason.HANDOVER:
        said.append(say("on duty", language))
    return "; ".join(said[-6:])


def _effects(alert: Alert, language: str) -> str:
    return "\n".join(f"- {_effect(plain(effect), language)}" for effect in alert.effects[:20])


def _effect(effect: str, language: str) -> str:
    """Translate what begins with a fixed text; the names stay."""
    found = _EFFECT.fullmatch(effect)
    return f"{say(found[1], language)}: {found[2]}" if found else effect


def _how_to_answer(occasion: Occasion) -> str:
    """Say how this reader acknowledges; whoever opens the link alone has done nothing yet."""
    language = tongue(occasion.contact)
    lines = [say("by link", language, link=occasion.link)] if occasion.link else []
    return "\n".join([*lines, say("by mail", language)] if occasion.code else lines)


def _book(occasion: Occasion, alert: Alert) -> str:
    """Carry the runbook itself: who reads this may have no other way to it. Not needed when all is over."""
    language = tongue(occasion.contact)
    if occasion.runbook is None or alert.closed is not None:
        return ""
    book = occasion.runbook.spoken(language)
    head = [say("Runbook", language, pinned=book.pinned, minutes=book.minutes)]
    if book.language == "en" != language:
        head.append(say("other language", language))
    if book.draft:
        head.append(say("draft", language))
    return "\n\n".join([say("First", language, first=book.first), "\n".join(head), book.text])


def _foot(occasion: Occasion, alert: Alert | None) -> str:
    language = tongue(occasion.contact)
    desk = f"{say('Duty desk', language, number=plain(occasion.desk, 60))}\n" if occasion.desk else ""
    sent = say("Sent", language, at=both(occasion.now, occasion.contact), site=plain(occasion.site, 60))
    return desk + (say("true as of", language, sent=sent, n=alert.revision) if alert else f"{sent}.")
