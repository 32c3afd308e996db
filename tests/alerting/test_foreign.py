"""Alerts that another system reports: which are one, when they are over, how they begin again."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.foreign import (
    LATE,
    MOVES,
    REOPEN,
    RESOLVE,
    UNHEARD,
    Foreign,
    Is,
    Posted,
    Says,
    fingerprint,
    hear,
    spared,
    to_alert,
    unheard,
)
from alerting.model import Severity
from tests.counts import soak
from tests.fakes import START

LABELS = {"alertname": "InstanceDown", "instance": "db1:9100", "severity": "page", "territory": "BB"}


def second(seconds: float):  # type: ignore[no-untyped-def] # a moment
    return START + timedelta(seconds=seconds)


def posted(began: float, until: float, words: str = "", *, named: bool = True) -> Posted:
    return Posted(LABELS, {"summary": words} if words else {}, second(began), second(until), named)


def told(*reports: tuple[float, Posted]) -> list[Foreign]:
    """Return every revision that is news, as reports come in at their seconds; silence is looked at before each."""
    known: Foreign | None = None
    news: list[Foreign] = []
    number = 1
    for at, report in reports:
        over = unheard(known, second(at)) if known else None
        for one in [over] if over else hear(known, report, number, second(at)):
            news += [one] if known is None or (known.number, known.revision) != (one.number, one.revision) else []
            known = one
            number = max(number, one.number + 1)
    return news


def lines(news: list[Foreign]) -> list[tuple[str, float, float | None]]:
    return [
        (one.id, (one.began - START).total_seconds(), (one.closed - START).total_seconds() if one.closed else None)
        for one in news
    ]


def test_a_report_that_comes_again_is_no_news_and_the_newest_words_count() -> None:
    news = told((1, posted(1, 300)), (60, posted(1, 360, "v2")), (61, posted(1, 360, "v2")))
    assert lines(news) == [("X1", 1, None)]


def test_the_earliest_beginning_counts() -> None:
    (first,) = hear(None, posted(10, 300), 1, second(11))
    (again,) = hear(first, posted(4, 310, "v2"), 2, second(12))
    assert (again.began, again.annotations, again.revision) == (second(4), {"summary": "v2"}, 1)


def test_it_is_over_when_its_source_says_so_and_closes_once() -> None:
    over = posted(1, 100)
    news = told((1, posted(1, 300)), (101, over), (102, over), (160, over))
    assert lines(news) == [("X1", 1, None), ("X1", 1, 100)]
    assert news[-1].closing == "resolved"


def test_it_is_over_when_its_source_is_silent() -> None:
    news = told((1, posted(1, 240)), (239, posted(1, 480)), (481, posted(1, 720)))
    assert lines(news) == [("X1", 1, None), ("X1", 1, 480)]
    assert news[-1].closing == UNHEARD


def test_what_comes_back_soon_or_has_never_been_over_is_the_same() -> None:
    soon = told((1, posted(1, 300)), (50, posted(1, 49)), (60, posted(58, 400)))
    assert lines(soon)[-1] == ("X1", 1, None)
    silent = 300 + REOPEN.total_seconds() + 1
    same = told((1, posted(1, 300)), (301, posted(1, 301)), (silent, posted(1, silent + 300)))
    assert lines(same)[-1] == ("X1", 1, None), "its source was silent, and says that it has lasted all the time"


def test_what_comes_back_late_is_another() -> None:
    late = 49 + REOPEN.total_seconds() + 1
    news = told((1, posted(1, 300)), (49, posted(1, 49)), (late, posted(late, late + 300)))
    assert lines(news)[-1] == ("X2", late, None)


def test_an_end_of_the_past_ends_nothing() -> None:
    assert lines(told((100, posted(100, 300)), (110, posted(10, 90)))) == [("X1", 100, None)]


def test_an_end_that_was_named_counts_against_one_that_was_not() -> None:
    (first,) = hear(None, posted(1, 301, named=False), 1, second(1))
    (sooner,) = hear(first, posted(1, 60), 2, second(2))
    assert sooner.until == second(60)
    (kept,) = hear(sooner, posted(1, 50), 2, second(3))
    assert kept.until == second(60)


def test_what_is_over_when_we_first_hear_of_it_begins_and_ends() -> None:
    news = told((500, posted(1, 400)))
    assert lines(news) == [("X1", 1, None), ("X1", 1, 400)]
    assert all(one.late for one in news)
    assert told((400 + LATE.total_seconds() + 1, posted(1, 400))) == []


def test_after_a_while_in_which_nothing_could_be_heard_it_gets_a_moment_to_be_reported() -> None:
    (one,) = hear(None, posted(1, 241), 1, second(1))
    assert spared(one, second(200)).until == second(200 + 240)
    long = hear(None, posted(1, 86_400), 1, second(1))[0]
    assert spared(long, second(86_390)).until == second(86_390) + RESOLVE
    assert spared(long, second(600)).until == second(86_400)


def test_the_fingerprint_is_alertmanagers() -> None:
    assert fingerprint({"job": "j", "alertname": "x"}) == "1f22d4349600ca25"  # as 0.25 gave it


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("page", Severity.CRITICAL),
        ("Critical", Severity.CRITICAL),
        ("error", Severity.MAJOR),
        ("warning", Severity.WARNING),
        ("info", Severity.INFO),
        ("", Severity.WARNING),
        ("purple", Severity.WARNING),
    ],
)
def test_severities_in_the_words_of_others(word: str, severity: Severity) -> None:
    (one,) = hear(None, Posted({**LABELS, "severity": word}, {}, second(0), second(300)), 1, second(0))
    assert to_alert(one, {}).severity is severity


def test_what_it_says_as_an_alert() -> None:
    notes = {"summary": "Disk full", "description": "2 % left", "runbook_url": "https://wiki.example/disk"}
    report = Posted(LABELS, notes, second(0), second(300), generator="http://prom.example:9090/graph")
    (one,) = hear(None, report, 12, second(0))
    alert = to_alert(one, {"BB": "Barbados"})
    assert (alert.incident, alert.what, alert.reason) == ("X12", "Disk full", "2 % left")
    assert (alert.kind, alert.territory, alert.where) == ("external", "BB", "Barbados")
    assert alert.effects == (
        "Labels: instance=db1:9100, territory=BB",
        "Runbook of its source: https://wiki.example/disk",
    )
    (bare,) = hear(None, Posted(LABELS, {}, second(0), second(300), generator=report.generator), 1, second(0))
    alert = to_alert(bare, {})
    assert (alert.what, alert.reason) == ("InstanceDown on db1:9100", "reported by prom.example")
    assert (alert.territory, alert.where) == ("", "")


MOMENTS = st.integers(0, 3000)


@settings(max_examples=soak(ci=200, soak=5000), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), MOMENTS, MOMENTS, st.booleans()), max_size=30))
def test_whatever_is_reported_each_revision_follows_and_only_what_is_open_closes(reports) -> None:  # type: ignore[no-untyped-def] # drawn
    known: Foreign | None = None
    number, at = 1, 1000.0
    for pause, began, lasts, named in reports:
        at += pause
        over = unheard(known, second(at)) if known else None
        made = hear(over or known, posted(began, began + lasts, named=named), number, second(at))
        for one in [*([over] if over else []), *made]:
            assert one.began <= one.until
            assert (one.closed is None) == (one.closing == "")
            if known and known.number == one.number:
                assert one.revision in {known.revision, known.revision + 1}
                assert one.revision == known.revision or (one.closed is None) != (known.closed is None)
                assert one.began <= known.began
            else:
                assert (one.revision, one.number) == (1, number)
                assert known is None or known.closed is not None
                number += 1
            known = one
        assert not made or made[-1].closed or made[-1].until > second(at)


def test_the_table_of_moves_has_no_hole() -> None:
    """An end of what closed a moment ago is of that time; nothing that is of the past fires."""
    never = {(Is.LATELY, Says.OVER), (Is.PAST, Says.FIRING)}
    assert set(MOVES) == {(how, says) for how in Is for says in Says} - never
