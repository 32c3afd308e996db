"""Whatever tree of routes, ladders, intervals and silences somebody writes: it is refused with a line, or it works.

What is loaded decides on every alert, at every hour, without breaking, and `explain` agrees with what is planned.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from alerting.directory import Directory
from alerting.explain import explain, routes
from alerting.gate import Rules, speaks_by, verdict
from alerting.model import Alert, Severity
from alerting.plan import plan
from alerting.route import who
from monitor.config import check, load
from tests.alerting.fakes import OPEN, closed, open_journal
from tests.counts import soak
from tests.fakes import START

pytestmark = pytest.mark.timeout(soak(ci=120, soak=7_200))


def mostly(right: Sequence[str], *wrong: str) -> st.SearchStrategy[str]:
    """What is right thirty times as often as each thing that is not: else hardly a tree would be loaded."""
    return st.sampled_from([*list(right) * (30 // len(right)), *wrong])


PEOPLE_NAMES, LADDERS, INTERVALS = (
    mostly(["ann", "ben", "duty"], "nobody"),
    mostly(["up"], "away"),
    mostly(["nights"], "x"),
)
DURATIONS = mostly(["0s", "30s", "10m", "4h", "7d"], "-1s", "x")
MATCHERS = mostly(["kind=cable", 'territory=~"BB|TT"', "severity!=info", "a!~b"], "kind=~(a*)*", "=", "kind=~[", "")
MOMENTS = mostly(["2026-09-01 08:00", "2026-09-02 09:00", "2026-10-04 02:30"], "tomorrow", "", "9999-12-31 23:59")
ZONES = mostly(["UTC", "America/Barbados", "America/Havana"], "Mars/Base")


def rows(required: dict[str, Any], optional: dict[str, Any], most: int = 2) -> st.SearchStrategy[Any]:
    return st.lists(st.fixed_dictionaries(required, optional=optional), max_size=most)


def some(of: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[Any]:
    return st.lists(of, min_size=1, max_size=most)


def route(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"contacts": some(PEOPLE_NAMES), "group_by": some(st.sampled_from(["kind", "territory", "nothing"]))},
        optional={
            "ladders": some(LADDERS),
            "territories": some(mostly(["BB", "TT"], "XX")),
            "kinds": some(mostly(["cable", "ixp", "external"], "fish")),
            "match": some(MATCHERS),
            "at_least": mostly([*map(str, Severity)], "grave"),
            "continue": st.booleans(),
            "group_wait": DURATIONS,
            "group_interval": DURATIONS,
            "repeat": DURATIONS,
            "resolved": st.booleans(),
            "mute": some(INTERVALS),
            "active": some(INTERVALS),
            "routes": below,
        },
    )


TREES = st.recursive(st.just([]), lambda below: st.lists(route(below), min_size=1, max_size=3), max_leaves=6)
ROUTES = st.fixed_dictionaries(
    {
        "routes": TREES,
        "ladders": st.fixed_dictionaries(
            {"name": st.just("up"), "steps": some(st.fixed_dictionaries({"tell": some(PEOPLE_NAMES)}))},
            optional={"agency": mostly(["NOC", "CTU"], "?"), "loops": st.integers(1, 3), "holds": DURATIONS},
        ).map(lambda one: [one]),
        "intervals": st.fixed_dictionaries(
            {"name": st.just("nights")},
            optional={
                "zone": ZONES,
                "times": some(mostly(["22:00-06:00", "00:00-24:00", "08:00-16:30"], "25:00-26:00", "8-9")),
                "weekdays": some(mostly(["mon", "mon-fri", "sat-mon"], "noday")),
                "days": some(mostly(["1-7", "-1", "31"], "0", "1-99")),
                "months": some(mostly(["jan", "sep-feb"], "13")),
                "years": some(mostly(["2026", "2026-2030"], "then")),
            },
        ).map(lambda one: [one]),
    },
    optional={
        "inhibit": rows({"name": st.just("i"), "source": some(MATCHERS), "target": some(MATCHERS)}, {}, 1),
        "silences": rows(
            {"id": st.just("s"), "match": some(MATCHERS), "since": MOMENTS, "until": MOMENTS}
            | {"author": st.just("NOC"), "reason": mostly(["moves"], "")},
            {},
            1,
        ),
    },
)


def named(trees: list[dict[str, Any]], prefix: str = "r") -> list[dict[str, Any]]:
    """Give each route a name of its own."""
    return [
        {**one, "name": f"{prefix}{n}", "routes": named(one.get("routes", []), f"{prefix}{n}-")}
        for n, one in enumerate(trees)
    ]


LAMBI = "channels: {hook: {kind: webhook, enabled: true, secret: {env: HOOK}}}\n"
SECRET = {"HOOK": "a secret of sixteen letters"}
REACHED = [{"channel": "hook", "to": "http://127.0.0.1:9/"}]
PEOPLE: dict[str, Any] = {
    "contacts": [
        {"name": "ann", "agency": "NOC", "addresses": REACHED},
        {"name": "ben", "agency": "CTU", "next_after": "5m", "addresses": REACHED},
    ],
    "rotations": [{"name": "duty", "since": "2026-08-31 08:00", "every": "12h", "members": ["ann", "ben"]}],
}
ALERTS = (
    OPEN,
    replace(OPEN, incident="X1", kind="external", territory="", labels={"a": "b"}, severity=Severity.INFO),
    closed(5),
)


def loaded(texts: dict[str, str]) -> Directory | None:
    """Load a folder, or have each problem say where it is."""
    with tempfile.TemporaryDirectory() as name:
        for file, text in texts.items():
            (Path(name) / file).write_text(text)
        if problems := check(Path(name), SECRET):
            assert all(".yaml:" in str(problem) for problem in problems), problems
            return None
        return load(Path(name), SECRET).directory


def decides(directory: Directory, alert: Alert, hours: int) -> None:
    """Every decision on one alert at one moment; `explain` names whom the plan tells."""
    now, rules = START + timedelta(hours=hours), Rules(directory, directory.silences, (OPEN,))
    told = {line.contact: line.told for line in explain(alert, rules, now)}
    assert {name for name, *_ in routes(alert, directory)} == set(directory.by_name)
    for name, one in who(alert, directory.routes):
        assert one.name in directory.by_name
        for contact in directory.people((name,), now):
            assert contact.name in told
            row = _Row(one.name, contact.name)
            said = verdict(alert, row, rules, now)
            assert said.until is None or said.until > now
            assert speaks_by(alert, row, directory, now) in directory.by_name


class _Row:
    """A row that nobody has been told of yet."""

    held, drill, told_before = "", False, False

    def __init__(self, route: str, contact: str) -> None:
        self.route, self.contact = route, contact


async def plans(directory: Directory) -> None:
    with tempfile.TemporaryDirectory() as name:
        journal = await open_journal(Path(name))
        for alert in ALERTS:
            async with journal.transaction() as tx:
                await plan(tx, alert, directory, START)
        await journal.close()


@settings(max_examples=soak(ci=30, soak=10_000), deadline=None, suppress_health_check=list(HealthCheck))
@given(ROUTES, st.integers(0, 400))
def test_any_tree_is_refused_with_a_line_or_decides(written: dict[str, Any], hours: int) -> None:
    written["routes"] = named(written["routes"])
    directory = loaded(
        {"lambi.yaml": LAMBI, "contacts.yaml": yaml.safe_dump(PEOPLE), "routes.yaml": yaml.safe_dump(written)}
    )
    event("refused" if directory is None else "loaded")
    if directory is None:
        return
    for alert in ALERTS:
        decides(directory, alert, hours)
    asyncio.run(plans(directory))


def test_a_tree_that_is_right_is_loaded() -> None:
    """Otherwise the test above would try nothing."""
    written: dict[str, Any] = {
        "routes": [{"name": "one", "contacts": ["ann", "duty"], "mute": ["nights"], "ladders": ["up"]}],
        "ladders": [{"name": "up", "steps": [{"tell": ["ben"], "wait": "10m"}]}],
        "intervals": [{"name": "nights", "times": ["22:00-06:00"]}],
        "inhibit": [{"name": "one", "source": ["kind=cable"], "target": ["kind=external"]}],
    }
    files = {
        "lambi.yaml": LAMBI,
        "contacts.yaml": yaml.safe_dump(PEOPLE),
        "routes.yaml": yaml.safe_dump(written),
    }
    directory = loaded(files)
    assert directory is not None
    assert "one" in directory.by_name
    asyncio.run(plans(directory))
