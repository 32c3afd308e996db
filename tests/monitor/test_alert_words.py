"""What a message says follows from an incident, in few words."""

from alerting.model import Severity
from monitor.alerts import effects
from monitor.model import Incident, Phase
from monitor.topology import Topology
from tests.fakes import START
from tests.monitor.worlds import islands


def said(**changes: object) -> list[str]:
    facts = {
        "id": "1", "asset": "cable:ant1", "kind": "cable", "territories": ("AG",), "severity": Severity.MAJOR,
        "phase": Phase.DOWN, "began": START, "opened": START, "changed": START, "revision": 1,
        "reason": "", "title": "",
    }  # fmt: skip # one line a field would hide the story
    return list(effects(Incident(**{**facts, **changes}), Topology(islands())))  # type: ignore[arg-type]


def test_a_cause_that_was_seen_and_touches_nobody_adds_no_word() -> None:
    assert said() == []


def test_an_inferred_cause_its_impact_and_what_is_behind_it_are_said() -> None:
    assert said(confidence=0.75, people=(0, 74_656), children=("router:ant", "cable:ant2")) == [
        "Unreachable behind it: ANT, ANT2",
        "The cause is inferred from what went down at once: likely",
        "People touched: up to 74,700; not known more exactly",
    ]


def test_when_it_is_over_only_what_stays_true_is_said() -> None:
    assert said(closed=START, people=(0, 74_656), children=("router:ant", "cable:ant2")) == [
        "People touched: up to 74,700; not known more exactly"
    ]
