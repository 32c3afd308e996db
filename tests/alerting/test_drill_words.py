"""Every text about an exercise says so, in every language, within one part."""

import re
from dataclasses import replace

import pytest

from alerting import digest
from alerting.catalogue import ANSWERS, LANGUAGES, say
from alerting.channels.webhook import payload
from alerting.gsm import ONE_PART, UCS2_PART, fold, numbered, one_part, septets, units
from alerting.journal import Journal
from alerting.letter import mail
from alerting.model import Act, Alert, Message, Reason, Reply, Severity
from alerting.render import sms
from alerting.replies import Asked
from alerting.words import Occasion
from tests.alerting.exercises import BOOKS, EXERCISE, inbox_of, office_of
from tests.alerting.fakes import (
    DESK,
    at,
    contact,
    directory,
)

WORDS = {
    "en": "EXERCISE",
    "es": "SIMULACRO",
    "fr": "EXERCICE",
    "nl": "OEFENING",
    "ht": "EGZÈSIS",
    "pap": "EHERSISIO",
}


def occasion(alert: Alert, language: str, **fields: object) -> Occasion:
    who = replace(contact("noc", "sms"), language=language)
    return Occasion(alert, Reason.FIRST, who, at(60), "Hub", DESK, BOOKS.match(alert), **fields)  # type: ignore[arg-type] # fields of an occasion


ENDS = [replace(EXERCISE, closed=at(30), closing=how) for how in ("exercise over", "exercise broken off")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_says_so_in_every_language_within_one_part(language: str) -> None:
    word = WORDS[language]
    long = "Eastern Caribbean Fibre System between Saint Vincent and the Grenadines and Grenada down"
    alerts = [replace(EXERCISE, severity=severity) for severity in Severity]
    for alert in (*alerts, *ENDS, *(replace(one, what=long, where="Antigua and Barbuda") for one in (*alerts, *ENDS))):
        for again in (False, True):
            one = occasion(alert, language, code="KT" if alert.closed is None else "", again=again)
            text = sms(one)
            assert text.startswith((f"{fold(word)} E12", f"{word} E12"))
            assert one_part(text) or units(text) <= UCS2_PART, text
            subject, body = mail(one)
            assert subject.startswith(f"{word} [E12")
            assert body.startswith(f"{word} - ")
            assert body.rstrip().splitlines()[-1].startswith("EXERCISE - ")
            assert "was down" not in body
    both = [occasion(replace(EXERCISE, incident=f"X{n}"), language) for n in range(3)]
    assert digest.sms(both).startswith(f"{fold(word)} 3 ")
    assert digest.mail(both)[0].startswith(f"{word} [Lambi] 3 ")
    assert digest.mail(both)[1].startswith(f"{word} - ")
    hook = payload(Message("1", "E12", f"{word} x", "", alert=EXERCISE))
    assert hook["alerts"][0]["annotations"]["summary"] == "EXERCISE Cable ECFS down"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_answer_says_so_within_one_part(language: str, journal: Journal) -> None:
    who = replace(directory(replace(contact("noc", "sms"), language=language)), desk="")
    office, sms_ = office_of(journal, who)
    inbox = inbox_of(office)
    await office.exercise("noc")
    await office.pass_time(0)
    word = fold(WORDS[language])
    found = re.search(r"E1-([A-Z]{2})", sms_.bodies[0])
    assert found
    code = found[1]
    answers = ["A", "A", "N", *["N"] * 16, "D3", "D3", "D", "W30", "H", "?", "R", "blah"]
    for n, said in enumerate(
        [*(f"E1-{code} {one}" for one in answers), f"e1{code} ok", "E1-ZZ A", "E1-ZZ A", "E1-ZZ A"]
    ):
        text = await inbox.hear(Reply("sms", "noc@sms.example", said, office.clock.now(), f"{n}"), office.clock.now())
        assert re.match(rf"{word} ", fold(text)), text
        assert len(numbered(text)) == 1, text
    await office.pass_time(50)
    heard = await inbox.act("noc", Asked("E1", "", Act.ACK), "cli", office.clock.now())
    assert heard.verdict == "acked over"
    assert re.match(rf"{word} ", fold(heard.answer))


def test_no_fixed_answer_grows_too_long_by_the_word() -> None:
    facts = {"ref": "E99", "step": "12", "minutes": "240", "site": "", "contact": "", "letters": ""}
    for language in LANGUAGES:
        for key in set(ANSWERS) - {"verify", "verified", "code"}:
            assert septets(fold(f"{WORDS[language]} {say(key, language, **facts)}")) <= ONE_PART, (key, language)
