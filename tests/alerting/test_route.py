"""Who is told and why: tables, as Alertmanager has them for its own decision to notify."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerting.directory import Route
from alerting.model import Alert, Reason, Severity, Told
from alerting.route import who, why_notify
from tests.alerting.fakes import OPEN, at, closed

HOUR = timedelta(hours=1)
NEVER = timedelta()


def told(minutes: float, severity: Severity = Severity.MAJOR, *, over: bool = False) -> Told:
    return Told(at(minutes), severity, over, 1)


@pytest.mark.parametrize(
    ("alert", "last", "repeat", "reason"),
    [
        (OPEN, None, NEVER, Reason.FIRST),
        (OPEN, None, HOUR, Reason.FIRST),
        (OPEN, told(0), NEVER, Reason.NOTHING_NEW),
        (OPEN, told(0), HOUR, Reason.REPEAT),
        (OPEN, told(1), HOUR, Reason.NOTHING_NEW),  # 59 minutes ago
        (OPEN, told(-1), HOUR, Reason.REPEAT),  # 61 minutes ago
        (OPEN, told(0, Severity.WARNING), NEVER, Reason.WORSE),
        (OPEN, told(0, Severity.WARNING), HOUR, Reason.WORSE),  # worse says more than a reminder
        (OPEN, told(0, Severity.CRITICAL), NEVER, Reason.NOTHING_NEW),  # milder is no news
        (OPEN, told(0, over=True), NEVER, Reason.FIRST),  # open again after its end was told
        (closed(50), None, HOUR, Reason.NEVER_TOLD),
        (closed(50), told(0), NEVER, Reason.RESOLVED),
        (closed(50), told(0, Severity.INFO), HOUR, Reason.RESOLVED),
        (closed(50), told(55, over=True), HOUR, Reason.NOTHING_NEW),
    ],
)
def test_why(alert: Alert, last: Told | None, repeat: timedelta, reason: Reason) -> None:
    assert why_notify(alert, last, repeat=repeat, now=at(60)) is reason


ALL = Route("all", ("a", "b"))


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ((), {}),
        ((ALL,), {"a": "all", "b": "all"}),
        ((Route("bb", ("b",), territories=("BB",)), ALL), {"b": "bb", "a": "all"}),
        ((Route("jm", ("b",), territories=("JM",)),), {}),
        ((Route("kinds", ("a",), kinds=("ixp", "cable")),), {"a": "kinds"}),
        ((Route("kinds", ("a",), kinds=("ixp",)),), {}),
        ((Route("grave", ("a",), at_least=Severity.CRITICAL),), {}),
        ((Route("grave", ("a",), at_least=Severity.MAJOR),), {"a": "grave"}),
        ((Route("one", ("a",)), Route("two", ("a",))), {"a": "one"}),  # once, by the first
    ],
)
def test_who(routes: tuple[Route, ...], expected: dict[str, str]) -> None:
    assert {name: route.name for name, route in who(OPEN, routes)} == expected


def test_an_alert_of_the_whole_region_is_no_territorys() -> None:
    region = replace(OPEN, territory="")
    assert who(region, (Route("bb", ("b",), territories=("BB",)),)) == []
    assert [name for name, _ in who(region, (ALL,))] == ["a", "b"]
