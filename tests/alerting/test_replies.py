"""What a tired thumb types, and what it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.model import Act
from alerting.replies import LETTERS, MEANINGS, Asked, parse, proofs


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
