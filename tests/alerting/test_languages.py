"""Six languages: nothing is missing, every text says the same facts, letters stay where they cost nothing."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting import digest
from alerting.catalogue import ANSWERS, DRAFTS, ENGLISH, LANGUAGES, READ, TEXTS, WIDEST, drafts, known, lint, say
from alerting.gsm import MOST_PARTS, fold, lossy, numbered, one_part, thrifty, units
from alerting.letter import mail
from alerting.model import Act, Alert, Answered, Reason, Severity
from alerting.render import sms
from alerting.runbooks import Runbooks
from alerting.words import Occasion, what
from tests.alerting.fakes import DESK, OPEN, at, closed, contact
from tests.counts import soak


def test_every_fixed_text_stands_in_every_language_with_the_same_facts() -> None:
    assert lint() == []
    assert LANGUAGES == ("en", "es", "fr", "nl", "ht", "pap")
    for texts in TEXTS.values():
        assert texts.keys() == ENGLISH.keys()


def test_drafts_are_marked_until_a_native_speaker_has_read_them() -> None:
    assert drafts() == {language: len(ENGLISH) for language in LANGUAGES if language != "en"}
    assert not DRAFTS["en"]


@pytest.mark.parametrize(
    ("read", "draft", "says"),
    [
        ({}, {"acked": "{ref}"}, "since: es is missing"),
        ({"up": "bien"}, {"up": "bueno"}, "up: es has it read and as a draft"),
        ({}, {"news": "nuevas"}, "news: es alone has it"),
        ({}, {"since": "desde {when}"}, "since: es names other facts than English"),
        ({}, {"acked": "{ref}" + "x" * 160}, "acked: es has 169 characters, one SMS has 160"),
        ({}, {"up": " "}, "up: es is missing"),
    ],
)
def test_the_check_finds_what_is_wrong(read: dict[str, str], draft: dict[str, str], says: str) -> None:
    found = lint({"en": READ["en"], "es": read}, {"en": {}, "es": draft})
    assert says in found


@pytest.mark.parametrize("key", ANSWERS)
def test_an_answer_is_one_short_message_whatever_stands_in_it(key: str) -> None:
    for language in (*LANGUAGES, "xx"):
        [text] = numbered(say(key, language, **WIDEST))
        assert one_part(text) or units(text) <= 70


MANY = replace(OPEN, what="Router a and 3 more down")
OCCASIONS = [
    (alert, reason, before)
    for alert in (
        OPEN,
        closed(60),
        closed(60, blind=((at(0), at(59)),)),
        replace(OPEN, what="Router a and 3 more down"),
    )
    for reason, before in ((Reason.FIRST, False), (Reason.WORSE, True), (Reason.RESOLVED, False))
]
ENGLISH_WORDS = re.compile(
    r"OVER|since |was down|\bnow\b|NOW |Duty desk|Severity|Where:|Evidence|acknowledge|First:|repeat|Sent |true as"
    r"|Unreachable|\bdown\b|and 3 more|Answers|about 45|Of those|more:|duty now|copy of"
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("alert", "reason", "before"), OCCASIONS)
def test_a_message_is_whole_in_every_language(alert: Alert, reason: Reason, before: bool, language: str) -> None:
    who = contact("noc", language=language)
    answered = (Answered(at(3), "CTU", Act.DONE, 3), Answered(at(4), "CTU", Act.RESOLVE))
    made = Occasion(
        *(alert, reason, who, at(90), "Bridgetown", DESK, None),
        again=before,
        told_before=before,
        code="KT",
        link="https://x/answer/1",
        answers=answered,
    )
    text = sms(made)
    assert one_part(text), text
    assert text.startswith("4711-KT ")
    assert "?" not in text
    assert {"Cable ECFS", "Router a"} & {text[:200][text.find(n) :][: len(n)] for n in ("Cable ECFS", "Router a")}
    subject, body = mail(made)
    several = digest.mail([made, made])
    for said in (text, subject, body, *several, digest.sms([made, replace(made, told_before=False)])):
        assert language == "en" or not ENGLISH_WORDS.search(said), said
    assert "4711-KT" in subject
    assert "https://x/answer/1" in body


SERVERS = replace(OPEN, what="Name server ns1 and 3 more degraded", kind="nameserver", name="ns1")
HUB = replace(OPEN, what="Vantage Hub cut off in part", kind="vantage", name="Hub")


@pytest.mark.parametrize(
    ("alert", "language", "said"),
    [
        (OPEN, "en", "Cable ECFS down"),
        (replace(OPEN, name="ECFS"), "fr", "Câble ECFS: en panne"),
        (replace(OPEN, what="Cable & Wireless down", name="Cable & Wireless"), "fr", "Cable & Wireless: en panne"),
        (
            replace(OPEN, what="Name server ns1 and 3 more degraded", kind="nameserver", name="ns1"),
            "es",
            "Servidor DNS ns1 y 3 más: degradado",
        ),
        (
            replace(OPEN, what="Vantage Hub cut off in part", kind="vantage", name="Hub"),
            "nl",
            "Meetpunt Hub: deels afgesloten",
        ),
        (
            replace(OPEN, what="Peer Lambi in Kingston silent", kind="peer", name="Lambi in Kingston"),
            "es",
            "Par Lambi in Kingston: en silencio",
        ),
        (replace(closed(3), name="ECFS"), "ht", "Kab ECFS"),
        (replace(OPEN, what="High temperature"), "pap", "High temperature"),
    ],
)
def test_what_is_down_keeps_its_name_in_every_language(alert: Alert, language: str, said: str) -> None:
    assert what(alert, language) == said


def test_words_that_are_no_fixed_text_stay_as_they_are() -> None:
    assert known("answers again", "nl") == "antwoordt weer"
    for words in ("a fish ate it", "resolves", "verified", "since", "{0}"):
        assert known(words, "nl") == words


def test_a_language_that_is_not_here_is_answered_in_english() -> None:
    told = sms(Occasion(closed(60), Reason.RESOLVED, contact("noc", language="de"), at(2000), "Hub", DESK))
    assert "was down 1 Sep 08:00 to 09:00 AST, now answers again" in told


def test_a_digest_counts_one_and_many() -> None:
    alerts = [replace(OPEN, severity=Severity.CRITICAL), OPEN, OPEN, closed(3), closed(4)]
    assert digest.counts(alerts) == "1 critical, 2 major, 2 over"
    assert digest.counts(alerts, "es") == "1 crítico, 2 graves, 2 terminados"


def test_accents_fall_where_that_saves_a_part_and_a_name_that_would_change_keeps_its_letters() -> None:
    who, now = contact("noc"), at(90)

    def told(alert: Alert) -> str:
        return sms(Occasion(alert, Reason.FIRST, who, now, "Hub", DESK, None, told_before=False))

    folded = told(replace(OPEN, what="Línea São Ângelo down"))
    assert "Linea Sao Angelo" in folded, "a reader still knows it, and it is one part"
    assert one_part(folded)
    for alert, most in ((OPEN, 70), (closed(60), 134)):
        kept = told(replace(alert, what="Кабель 7 down", where="Curaçao"))
        assert "Кабель 7" in kept
        assert len(kept.encode("utf-16-be")) // 2 <= most


def test_accents_stay_where_they_cost_no_part() -> None:
    assert thrifty("Línea caída, Curaçao") == "Línea caída, Curaçao"
    assert thrifty("Línea caída, Curaçao" * 4) == "Linea caida, Curacao" * 4
    assert thrifty("plain" * 20) == "plain" * 20


@settings(max_examples=soak(ci=200, soak=50_000), deadline=None)
@given(st.text(max_size=900) | st.text("aé {€}ñá", max_size=900) | st.from_regex(r"(\w{1,12} ){1,80}", fullmatch=True))
def test_numbered_parts_stand_alone_and_make_the_text_again(text: str) -> None:
    parts = numbered(text)
    whole = " ".join(text.split()) if lossy(text) else fold(text)
    for part in parts:
        assert units(part) <= 70 or one_part(part), part
    if len(parts) == 1:
        assert parts[0] == whole or fold(parts[0]) == whole
        return
    heads, bodies = zip(*(part.split(" ", 1) for part in parts), strict=True)
    assert heads == tuple(f"{n}/{len(parts)}" for n in range(1, len(parts) + 1))
    joined = "".join(bodies)
    assert joined == whole or (len(parts) == MOST_PARTS and joined.endswith("..") and whole.startswith(joined[:-3]))


def test_parts_are_cut_between_words() -> None:
    parts = numbered(" ".join(["Marshall"] * 30))
    assert len(parts) == 2
    assert all(part.split(" ", 1)[1].strip().split() == ["Marshall"] * len(part.split()[1:]) for part in parts)


@pytest.mark.parametrize(
    ("language", "first", "step", "notes"),
    [
        ("es", "Haga ping al otro extremo", "1. Haga ping", ["draft"]),
        ("nl", "Ping the far end yourself", "1. Ping the far end", ["other language"]),
        ("en", "Ping the far end yourself", "1. Ping the far end", []),
    ],
)
def test_a_mail_carries_the_runbook_in_the_readers_language_or_says_that_it_is_not_there(
    language: str, first: str, step: str, notes: list[str]
) -> None:
    book = Runbooks.load(Path("runbooks")).find("cable-cut")
    assert book is not None
    book = replace(book, translations={name: one for name, one in book.translations.items() if name != "nl"})
    made = Occasion(OPEN, Reason.FIRST, contact("noc", language=language), at(1), "Hub", DESK, book)
    body = mail(made)[1]
    assert book.spoken(language).pinned in body
    assert f"\n{step}" in body
    assert first in body
    assert first in sms(made)
    for note in ("draft", "other language"):
        assert (say(note, language) in body) is (note in notes)
    assert book.spoken(language).pinned in digest.mail([made, made])[1]
