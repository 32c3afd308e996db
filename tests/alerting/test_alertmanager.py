"""Alertmanager's API v2 as JSON: its own answers to what is wrong, bounds, and whatever somebody may send."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.alertmanager import (
    LONGEST_TEXT,
    Quiet,
    Unfit,
    filters,
    gettable_alert,
    gettable_silence,
    named,
    postable_alerts,
    postable_silence,
    shown_groups,
    stamp,
)
from alerting.directory import Inhibition, Route, Silence
from alerting.foreign import RESOLVE, hear, to_alert
from alerting.gate import Rules, block
from alerting.match import labels, parse
from tests.alerting.fakes import OPEN, contact, directory
from tests.counts import soak
from tests.fakes import START

NOTHING = Quiet(Rules(directory()), START)
ONE = {"labels": {"alertname": "x"}}


def posts(*rows: Any) -> tuple[Any, list[str]]:
    return postable_alerts(json.dumps(rows).encode(), START)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"{}", 400, "expected an array"),
        (b"nope", 400, "parsing the body failed"),
        (b"", 400, "parsing the body failed"),
        (b"\xff\xfe[", 400, "parsing the body failed"),
        (b"[" * 100_000, 400, "parsing the body failed"),
        (b"[{}]", 422, "0.labels in body is required"),
        (b"[[]]", 400, "0: expected an object"),
        (b'[{"labels":{"a":1}}]', 400, "0.labels.a: expected a text"),
        (b'[{"labels":{"a":"x"},"startsAt":"yesterday"}]', 400, "0.startsAt: 'yesterday' is no time"),
        (b'[{"labels":{"a":"x"},"endsAt":"9999-12-31T23:59:59-23:00"}]', 400, "is no time"),
        (json.dumps([ONE] * 1001).encode(), 400, "1001 alerts in one request"),
    ],
)
def test_a_request_of_another_form_is_refused_as_a_whole(body: bytes, status: int, says: str) -> None:
    with pytest.raises(Unfit, match=says) as caught:
        postable_alerts(body, START)
    assert caught.value.status == status
    assert isinstance(caught.value.said, dict)
    assert caught.value.said["message"] == str(caught.value)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"labels": {}}, "at least one label pair required"),
        ({"labels": {"a": ""}}, "at least one label pair required"),
        ({"labels": {"a-b": "x"}}, 'invalid label set: invalid name "a-b"'),
        ({**ONE, "startsAt": "2026-09-02T00:00:00Z", "endsAt": "2026-09-01T00:00:00Z"}, "start time must be before"),
        ({"labels": {"a": "x" * 1025}}, "a has 1025 characters"),
        ({"labels": {f"l{n}": "x" for n in range(65)}}, "65 labels"),
    ],
)
def test_one_that_is_wrong_does_not_keep_the_others_out_and_the_words_are_alertmanagers(row: Any, says: str) -> None:
    found, wrong = posts(ONE, row, ONE)
    assert len(found) == 2
    assert len(wrong) == 1
    assert says in wrong[0]


def test_what_is_not_said_is_completed_as_alertmanager_does() -> None:
    (bare, over, zero), wrong = posts(
        ONE,
        {**ONE, "endsAt": "2026-09-01T11:59:00.123456789Z"},
        {**ONE, "startsAt": "0001-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "annotations": None},
    )
    assert wrong == []
    assert (bare.began, bare.until, bare.named) == (START, START + RESOLVE, False)
    assert over.began == over.until == datetime(2026, 9, 1, 11, 59, 0, 123456, UTC)
    assert (zero.began, zero.named) == (START, False)


def test_a_long_annotation_is_cut_and_a_link_that_is_none_is_left_out() -> None:
    (one, other), _ = posts(
        {**ONE, "annotations": {"summary": "s" * 9999}, "generatorURL": "javascript:alert(1)"},
        {**ONE, "generatorURL": "http://[", "annotations": {"a": "\ud800"}},
    )
    assert len(one.annotations["summary"]) == LONGEST_TEXT
    assert (one.generator, other.generator) == ("", "")
    assert other.annotations == {"a": "?"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
STAMPS = st.one_of(
    st.none(),
    st.just("0001-01-01T00:00:00Z"),
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
    st.text(max_size=30),
    JSON,
)
TEXTS = st.dictionaries(st.text(max_size=12) | st.just("alertname"), st.text(max_size=40) | JSON, max_size=4)
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "labels": TEXTS | JSON,
        "annotations": TEXTS | JSON,
        "startsAt": STAMPS,
        "endsAt": STAMPS,
        "generatorURL": st.text(max_size=40) | JSON,
    },
)


@settings(max_examples=soak(ci=300, soak=5000), deadline=None)
@given(st.lists(ROWS | JSON, max_size=4).map(json.dumps) | JSON.map(json.dumps) | st.binary(max_size=60))
def test_whatever_is_posted_is_taken_within_bounds_or_refused_with_a_sentence(body: str | bytes) -> None:
    try:
        found, wrong = postable_alerts(body.encode() if isinstance(body, str) else body, START)
    except Unfit as error:
        json.dumps(error.said).encode()
        return
    assert all(wrong)
    for post in found:
        assert post.labels
        made = hear(None, post, 1, START)
        for one in made:
            alert = to_alert(one, {})
            assert alert.what
            shown = gettable_alert(alert, one, NOTHING, (), START)
            json.dumps(shown, ensure_ascii=False).encode()


SILENCE = {
    "matchers": [{"name": "alertname", "value": "x", "isRegex": False, "isEqual": True}],
    "startsAt": "2026-09-01T10:00:00Z",
    "endsAt": "2026-09-01T14:00:00.000Z",
    "createdBy": "ann",
    "comment": "new  line\ncard",
}


def test_a_silence_of_the_past_begins_now() -> None:
    old, wish = postable_silence(json.dumps({**SILENCE, "id": "s1"}).encode(), START)
    assert (old, wish.since, wish.until) == ("s1", START, START + timedelta(hours=2))
    assert (wish.author, wish.reason, [str(one) for one in wish.match]) == ("ann", "new line card", ['alertname="x"'])


@pytest.mark.parametrize(
    ("equal", "regex", "how"),
    [(True, False, "="), (False, False, "!="), (True, True, "=~"), (False, True, "!~"), (None, None, "=")],
)
def test_every_kind_of_matcher_goes_in_and_out(equal: bool | None, regex: bool | None, how: str) -> None:
    row = {"name": "a", "value": "b", "isEqual": equal, "isRegex": regex}
    _, wish = postable_silence(json.dumps({**SILENCE, "matchers": [row]}).encode(), START)
    assert wish.match[0].how == how
    shown = gettable_silence(Silence("s1", wish.match, wish.since, wish.until, "a", "b"), START)
    assert shown["matchers"] == [{"name": "a", "value": "b", "isEqual": equal is not False, "isRegex": bool(regex)}]
    assert shown["status"] == {"state": "active"}


@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        ({"matchers": []}, 422, "at least 1 items"),
        ({"matchers": [{"name": "a", "value": "(", "isRegex": True}]}, 400, "invalid label matcher 0"),
        ({"matchers": [{"name": "a", "value": "(a*)*", "isRegex": True}]}, 400, "at most two of"),
        ({"matchers": [{"name": "a b", "value": "x"}]}, 400, "invalid label matcher 0"),
        ({"matchers": SILENCE["matchers"] * 21}, 400, "21 matchers"),  # type: ignore[operator] # a list
        ({"endsAt": "2026-09-01T11:00:00Z"}, 400, "end time can't be in the past"),
        ({"endsAt": None}, 400, "end time can't be in the past"),
    ],
)
def test_a_silence_that_cannot_be_is_refused(wrong: dict[str, Any], status: int, says: str) -> None:
    with pytest.raises(Unfit, match=says) as caught:
        postable_silence(json.dumps({**SILENCE, **wrong}).encode(), START)
    assert caught.value.status == status


@settings(max_examples=soak(ci=200, soak=5000), deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "matchers": st.lists(
                st.fixed_dictionaries({"name": st.text(max_size=8), "value": st.text(max_size=20)}) | JSON, max_size=3
            )
            | JSON,
            "startsAt": STAMPS,
            "endsAt": STAMPS,
            "createdBy": JSON,
            "comment": JSON,
            "id": JSON,
        },
    )
    | JSON
)
def test_whatever_is_asked_to_be_silent_is_taken_or_refused_with_a_sentence(asked: Any) -> None:
    try:
        _, wish = postable_silence(json.dumps(asked).encode(), START)
    except Unfit as error:
        json.dumps(error.said).encode()
        return
    assert wish.since >= START
    assert len(wish.author) <= 80
    assert len(wish.reason) <= 200


def test_an_incident_of_ours_is_an_alert_too_with_what_keeps_it_back() -> None:
    rule = Inhibition("r", (parse("kind=power"),), (parse("kind=cable"),))
    power = replace(OPEN, incident="12", kind="power", asset="power:1")
    quiet = Silence("s1", (parse("asset=cable:ecfs"),), START, START + timedelta(hours=1), "ann", "known")
    who = replace(directory(contact("noc", "sms")), inhibitions=(rule,))
    rules = Rules(who, (quiet,), (OPEN, power))
    shown = gettable_alert(OPEN, None, Quiet(rules, START), who.routes, START)
    assert shown["labels"]["alertname"] == "cable"
    assert shown["annotations"]["incident"] == "4711"
    assert shown["receivers"] == [{"name": "all"}]
    assert shown["status"]["state"] == "suppressed"
    assert shown["status"]["silencedBy"] == ["s1"]
    assert shown["status"]["inhibitedBy"] == ["12"]


def test_what_leaves_together_is_one_group() -> None:
    alerts = [replace(OPEN, incident=str(n), kind=kind) for n, kind in enumerate(("cable", "power", "cable"))]
    routes = (Route("grouped", ("noc",), group_by=("kind",)), Route("each", ("noc",), kinds=("power",)))
    rules = Rules(replace(directory(contact("noc", "sms")), routes=routes), (), alerts)
    flags = dict.fromkeys(("active", "silenced", "inhibited"), True)
    groups = shown_groups([(one, None) for one in alerts], rules, flags, START)
    found = [
        (one["receiver"]["name"], one["labels"], sorted(each["annotations"]["incident"] for each in one["alerts"]))
        for one in groups
    ]
    assert found == [
        ("each", {"incident": "1"}, ["1"]),
        ("grouped", {"kind": "cable"}, ["0", "2"]),
        ("grouped", {"kind": "power"}, ["1"]),
    ]


def test_filters_and_stamps() -> None:
    assert all(one.matches(named(OPEN)) for one in filters(['alertname="cable"', "territory=~BB|LC"]))
    with pytest.raises(Unfit, match="bad matcher format"):
        filters(["foo"])
    assert stamp(START) == "2026-09-01T12:00:00.000Z"


SIDES = ("kind=a", "kind=~a|b", "kind=b", "kind!=a", "site=x")


@settings(max_examples=soak(ci=100, soak=5000), deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), max_size=6),
    st.sampled_from(SIDES),
    st.sampled_from(SIDES),
    st.sampled_from([(), ("site",), ("kind", "site")]),
)
def test_what_is_shown_as_inhibited_is_what_the_gate_keeps_back(kinds, source, target, equal) -> None:  # type: ignore[no-untyped-def] # drawn
    rule = Inhibition("r", (parse(source),), (parse(target),), equal)
    alerts = tuple(
        replace(OPEN, incident=str(n), kind=kind, labels={"site": site}) for n, (kind, site) in enumerate(kinds)
    )
    rules = Rules(replace(directory(), inhibitions=(rule,)), (), alerts)
    quiet = Quiet(rules, START)
    for one in alerts:
        assert bool(quiet.inhibited(one.incident, labels(one))) == bool(block(one, "all", rules, START))
