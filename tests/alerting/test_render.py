"""The words: one SMS part whatever comes in, mail with the whole runbook, no control character through any exit."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import smsutil
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.gsm import clip, fold, lossy, one_part, septets, units
from alerting.letter import mail
from alerting.model import Alert, Contact, Reason, Severity
from alerting.render import sms
from alerting.runbooks import Runbooks
from alerting.words import Occasion, plain
from tests.alerting.fakes import DESK, OPEN, at, closed
from tests.counts import soak

BOOK = Runbooks.load(Path("runbooks")).find("cable-cut")
BAJAN = Contact("noc", "Regulator", zone="America/Barbados")
NOW = at(10)
HOSTILE = "Ca\r\nBcc: x@y.example\x00\x1b[31m\u202e‘é’ 😀\ud800 <script>{{7*7}}</script> =cmd|' /C calc'! " + "€" * 300


def occasion(alert: Alert | None = OPEN, reason: Reason = Reason.FIRST, **fields: object) -> Occasion:
    base = Occasion(alert, reason, BAJAN, NOW, "Hub", DESK, BOOK)
    return replace(base, **fields)  # type: ignore[arg-type] # the fields' names are checked by replace


def test_sms_says_what_where_since_the_first_move_and_the_desk() -> None:
    assert sms(occasion()) == (
        "4711 MAJOR: Cable ECFS down, Barbados, since 08:00 AST. "
        "Ping the far end yourself, then call the cable's NOC. Desk +1 868 555 0100"
    )


def test_a_first_move_that_asks_ends_as_a_question() -> None:
    assert BOOK is not None
    assert "Has it power? Desk" in sms(occasion(runbook=replace(BOOK, first="Has it power?")))


@pytest.mark.parametrize(
    ("made", "begins"),
    [
        (occasion(replace(OPEN, severity=Severity.CRITICAL), Reason.WORSE), "4711 NOW CRITICAL: Cable ECFS down"),
        (occasion(reason=Reason.REPEAT), "4711 STILL MAJOR: "),
        (occasion(again=True), "4711 MAJOR (repeat): "),
        (occasion(reason=Reason.WORSE, told_before=False), "4711 MAJOR: "),
        (occasion(None, Reason.TEST), "TEST from Lambi at Hub: no incident, nothing to do. Sent 08:10 AST."),
        (occasion(None, Reason.TEST, again=True), "TEST (repeat) from Lambi"),
        (occasion(now=at(3 * 1440)), "4711 MAJOR: Cable ECFS down, Barbados, since 1 Sep 08:00 AST."),
        (
            occasion(closed(215), Reason.RESOLVED, now=at(216)),
            "4711 OVER: Cable ECFS down, Barbados, was down 08:00 to 11:35 AST, now answers again. Desk",
        ),
        (
            occasion(closed(1440), Reason.RESOLVED, now=at(1441)),
            "4711 OVER: Cable ECFS down, Barbados, was down 1 Sep 08:00 to 2 Sep 08:00 AST, now answers again.",
        ),
    ],
)
def test_sms_marks(made: Occasion, begins: str) -> None:
    assert sms(made).startswith(begins)
    assert one_part(sms(made))


CUT_OFF = "you were not told because this site was cut off"
LATE = "the message could not be delivered earlier"
LOGIN = "the mail server refuses our login: 535"


@pytest.mark.parametrize(
    ("blind", "failure", "excuse", "reason"),
    [
        ((), None, LATE, ""),
        ((), LOGIN, LATE, f": {LOGIN}"),
        (((at(1), at(30)),), None, CUT_OFF, ""),
        (((at(1), None),), None, CUT_OFF, ""),
        (((at(1), at(30)),), LOGIN, LATE, f": {LOGIN}"),
        (((at(216), at(230)),), None, LATE, ""),  # only after it was over
    ],
)
def test_who_hears_of_it_late_hears_the_whole_truth(
    blind: tuple[tuple[datetime, datetime | None], ...], failure: str | None, excuse: str, reason: str
) -> None:
    late = occasion(closed(215, blind=blind), told_before=False, now=at(240), failure=failure)
    expected = f"was down 08:00 to 11:35 AST, now answers again; {excuse}"
    assert f"{expected}. Desk" in sms(late)  # one part has no room for the reason
    assert f"{expected}{reason}." in mail(late)[1]
    assert one_part(sms(late))
    short = replace(late, desk="", alert=closed(215, blind=blind, what="BON1 down", where=""))
    assert f"{expected}{reason}." in sms(short)


def test_the_vantage_itself_was_cut_off() -> None:
    over = closed(20, kind="vantage", what="Vantage Hub cut off", where="")
    late = occasion(over, told_before=False, now=at(21))
    assert sms(late).startswith(
        "4711 OVER: Vantage Hub cut off, was cut off 08:00 to 08:20 AST, now answers again; "
        "you were not told because this site was cut off."
    )


texts = st.text(max_size=300)
names = st.from_regex(r"[A-Z]{0,2}[0-9]{1,8}", fullmatch=True)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - given UTC
zones = st.sampled_from(["UTC", "America/Barbados", "America/Santo_Domingo", "America/Paramaribo", "Asia/Kathmandu"])


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    opened = draw(moments)
    ended = st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=900)).map(lambda lasts: opened + lasts))
    return replace(
        OPEN,
        incident=draw(names),
        severity=draw(st.sampled_from(list(Severity))),
        kind=draw(st.sampled_from(["cable", "vantage", "cctld"])),
        what=draw(texts),
        where=draw(texts),
        reason=draw(texts),
        opened=opened,
        closed=draw(ended),
        closing=draw(texts),
        labels={"phase": draw(st.sampled_from(["down", "degraded"]))},
    )


occasions = st.builds(
    Occasion,
    alerts(),
    st.sampled_from(list(Reason)),
    zones.map(lambda zone: replace(BAJAN, zone=zone)),
    moments,
    site=texts,
    desk=texts,
    runbook=st.just(BOOK),
    again=st.booleans(),
    told_before=st.booleans(),
    failure=st.none() | texts,
)


@settings(max_examples=soak(ci=300, soak=100_000), deadline=None)
@given(occasions)
def test_sms_is_one_part_and_never_loses_id_what_and_time(made: Occasion) -> None:
    alert, text = made.alert, sms(made)
    assert alert is not None
    if lossy(plain(alert.what)):  # a name in letters that GSM-7 lacks: UCS-2, where that is short enough
        assert one_part(text) or units(text) <= (70 if alert.closed is None else 134)
    else:
        assert one_part(text) or units(text) <= 70  # accents stay where they cost no part
        assert fold(alert.what)[:10] in fold(text)
    assert text.startswith((f"{alert.incident} ", f"{alert.incident}:"))
    assert ("since " if alert.closed is None else " to ") in text
    test = sms(replace(made, alert=None))
    assert one_part(test) or units(test) <= 70


@given(st.text(max_size=200), st.integers(0, 170))
def test_fold_and_clip(text: str, most: int) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert septets(clip(folded, most)) <= max(most, 2)
    assert not folded or smsutil.is_valid_gsm(folded)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Curaçao", "Curacao"),
        ("Saint-Barthélemy, São, êô", "Saint-Barthélemy, Sao, eo"),
        ("El Niño ¿qué?", "El Niño ¿qué?"),
        ("“a” – b…", '"a" - b...'),
        ("a\r\n\tb\x00c", "a b c"),
        ("œuvre 中 😀", "oeuvre ? ?"),
        ("{€}", "{€}"),
    ],
)
def test_fold(text: str, expected: str) -> None:
    assert fold(text) == expected


def test_mail_carries_the_runbook_both_times_and_the_effects() -> None:
    assert BOOK is not None
    subject, body = mail(occasion())
    assert subject == "[4711] MAJOR: Cable ECFS down, Barbados"
    for part in (
        "Since:    1 Sep 2026 08:00 AST (2026-09-01 12:00 UTC)",
        "Evidence: 3 of 3 looks got no answer",
        "- Unreachable behind it: router bgi-1",
        f"First: {BOOK.first}",
        f"Runbook {BOOK.pinned} (about 45 min)",
        BOOK.steps[0],
        BOOK.steps[-1],
        f"Duty desk: {DESK}",
        "Sent 1 Sep 2026 08:10 AST (2026-09-01 12:10 UTC) from Lambi at Hub; true as of revision 1.",
    ):
        assert part in body
    assert mail(occasion(again=True))[0].endswith("(repeat)")
    assert BOOK.steps[0] not in mail(occasion(closed(20), Reason.RESOLVED))[1]
    assert "TEST" in mail(occasion(None, Reason.TEST))[0]
    assert "TEST" in mail(occasion(None, Reason.TEST))[1]


def test_a_hostile_string_goes_through_every_exit_as_plain_text() -> None:
    hostile = replace(
        OPEN,
        what=HOSTILE,
        where=HOSTILE,
        reason=HOSTILE,
        effects=(HOSTILE,),
        url=HOSTILE,
        note=HOSTILE,
        closing=HOSTILE,
    )
    for alert in (hostile, replace(hostile, closed=at(5)), None):
        made = occasion(alert, site=HOSTILE, desk=HOSTILE, told_before=False, failure=HOSTILE)
        subject, body = mail(made)
        assert one_part(sms(made))
        assert len(subject) < 300
        assert len(body) < 10_000
        for text in (sms(made), subject, body.replace("\n", "")):
            assert {unicodedata.category(letter) for letter in text}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
        assert "\nBcc:" not in body
