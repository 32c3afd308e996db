"""What a tired thumb types, and what it means."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting import phrases
from alerting.catalogue import LANGUAGES, READ, TEXTS, lint, say
from alerting.gsm import one_part
from alerting.model import Act, Alert, Reason
from alerting.render import sms
from alerting.replies import LETTERS, MEANINGS, Asked, parse, proofs
from alerting.words import Occasion
from tests.alerting.fakes import DESK, OPEN, at, closed, contact


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("4711-KT A", Asked("4711", "KT", Act.ACK)),
        ("  4711kt   a.", Asked("4711", "KT", Act.ACK)),
        ("4711-KTA", Asked("4711", "KT", Act.ACK)),
        ("a 4711 kt", Asked("4711", "KT", Act.ACK)),
        ("4711/KT: OK!", Asked("4711", "KT", Act.ACK)),
        ("4711-KT sí", Asked("4711", "KT", Act.ACK)),
        ("4711-KT reçu", Asked("4711", "KT", Act.ACK)),
        ("4711-KT wi", Asked("4711", "KT", Act.ACK)),
        ("4711-KT n", Asked("4711", "KT", Act.NEXT)),
        ("4711 KT volgende", Asked("4711", "KT", Act.NEXT)),
        ("4711-KT D3", Asked("4711", "KT", Act.DONE, step=3)),
        ("4711-ktd3", Asked("4711", "KT", Act.DONE, step=3)),
        ("d 3 4711-KT", Asked("4711", "KT", Act.DONE, step=3)),
        ("4711-KT done 3", Asked("4711", "KT", Act.DONE, step=3)),
        ("4711-KT hecho", Asked("4711", "KT", Act.DONE)),
        ("B12-KT W45", Asked("B12", "KT", Act.WAIT, minutes=45)),
        ("4711-KT w", Asked("4711", "KT", Act.WAIT, minutes=30)),
        ("4711-KT ?", Asked("4711", "KT", Act.REPEAT)),
        ("4711-KT h", Asked("4711", "KT", Act.HELP)),
        ("4711-KT R", Asked("4711", "KT", Act.RESOLVE)),
        ("４７１１－ＫＴ　Ａ", Asked("4711", "KT", Act.ACK)),
        ("4711 OK", Asked("4711", "", Act.ACK)),  # OK is no code
        ("4711 is done", Asked("4711", "", Act.DONE)),  # nor is any word with a vowel
        ("OK", Asked("", "", Act.ACK)),
        ("W30", Asked("", "", Act.WAIT, minutes=30)),
        ("4711-KT voy a mirar", Asked("4711", "KT")),  # a letter inside a sentence means nothing
        ("4711-KT no", Asked("4711", "KT")),
        ("", Asked()),
    ],
)
def test_what_an_answer_means(text: str, asked: Asked) -> None:
    assert parse(text) == asked


ACTS = st.sampled_from(["A", "ok", "N", "D3", "d 12", "w30", "W 5", "?", "h", "R"])
CODES = st.text(LETTERS, min_size=2, max_size=2)
SEPARATORS = st.text(" -.,:;/\n", max_size=3)


@given(st.integers(1, 999_999), CODES, ACTS, SEPARATORS, SEPARATORS, st.booleans())
def test_whatever_stands_between_it_means_the_same(  # noqa: PLR0917 - hypothesis gives each as an argument
    number: int, code: str, act: str, first: str, second: str, low: bool
) -> None:
    text = f"{number}{first}{code}{second or ' '}{act}"
    meant = parse(act)
    asked = parse(text.lower() if low else text)
    assert asked == Asked(f"{number}", code, meant.what, meant.step, meant.minutes)


@given(st.text(max_size=600))
def test_no_text_breaks_the_parser_and_no_field_is_wild(text: str) -> None:
    asked = parse(text)
    assert len(asked.incident) <= 10
    assert len(asked.code) in {0, 2}
    assert asked.step is None or 0 < asked.step < 10_000
    assert asked.minutes is None or 0 < asked.minutes < 10_000
    assert all(len(one) == 4 for one in proofs(text))


def test_no_code_reads_as_a_word() -> None:
    assert not [word for word in MEANINGS if len(word) == 2 and set(word) <= set(LETTERS)]


def test_every_fixed_text_exists_in_every_language_and_fits_one_sms() -> None:
    assert lint() == []
    assert LANGUAGES == ("en", "es", "fr", "nl", "ht", "pap")
    assert set(LANGUAGES) > READ, "drafts are marked until a native speaker has read them"
    for key in TEXTS:
        facts = {"ref": "4711-KT", "step": 3, "minutes": 30, "site": "中😀", "contact": "noc", "letters": "KTMP"}
        assert one_part(say(key, "xx", **facts))


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_alert_by_sms_is_one_part_in_every_language(language: str) -> None:
    assert phrases.lint() == []
    who = contact("noc", language=language)
    now = at(90)
    for alert in (OPEN, closed(60), closed(60, blind=((at(0), at(59)),))):
        for reason, before in ((Reason.FIRST, False), (Reason.WORSE, True), (Reason.RESOLVED, False)):
            text = sms(Occasion(alert, reason, who, now, "Bridgetown", DESK, None, told_before=before, code="KT"))
            assert one_part(text), text
            assert text.startswith("4711-KT ")
            assert "?" not in text
            assert "Cable ECFS" in text
            if language != "en":
                assert not [word for word in ("OVER:", " since ", "was down", " now ", "NOW ") if word in text]


def test_accents_fall_where_that_saves_a_part_and_a_name_that_would_change_keeps_its_letters() -> None:
    who, now = contact("noc"), at(90)

    def told(alert: Alert) -> str:
        return sms(Occasion(alert, Reason.FIRST, who, now, "Hub", DESK, None, told_before=False))

    folded = told(replace(OPEN, what="Línea São Ângelo down"))
    assert "Linea Sao Angelo" in folded, "a reader still knows it, and it is one part"
    assert one_part(folded)
    for alert, units in ((OPEN, 70), (closed(60), 134)):
        kept = told(replace(alert, what="Кабель 7 down", where="Curaçao"))
        assert "Кабель 7" in kept
        assert len(kept.encode("utf-16-be")) // 2 <= units
