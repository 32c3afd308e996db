"""What a message says follows from an incident, in few words."""

from dataclasses import replace

from alerting.model import Severity
from monitor import detect
from monitor.alerts import effects, signs
from monitor.model import Incident, Phase
from monitor.topology import Topology
from tests.fakes import START
from tests.monitor.worlds import asset, islands


def said(**changes: object) -> list[str]:
    facts = {
        "id": "1", "asset": "cable:ant1", "kind": "cable", "territories": ("AG",), "severity": Severity.MAJOR,
        "phase": Phase.DOWN, "began": START, "opened": START, "changed": START, "revision": 1,
        "reason": "", "title": "",
    }  # fmt: skip # one line a field would hide the story
    return list(effects(Incident(**{**facts, **changes}), Topology(islands())))  # type: ignore[arg-type] # fields of an incident


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


def signs_of(asset: str, *parts: tuple[str, Phase, bool], **changes: object) -> dict[str, str]:
    """What a runbook is chosen by; parts: check, verdict, whether it refused."""
    states = {
        name: {"": replace(detect.fresh(START), settled=phase, before=phase, refused=refused)}
        for name, phase, refused in parts
    }
    facts = {
        "id": "1", "asset": asset, "kind": asset.partition(":")[0], "territories": (), "severity": Severity.MAJOR,
        "phase": Phase.DOWN, "began": START, "opened": START, "changed": START, "revision": 1,
        "reason": "", "title": "",
    }  # fmt: skip # one word a line
    return signs(Incident(**{**facts, **changes}), Topology(islands()), states)  # type: ignore[arg-type] # fields of an incident


def test_a_runbook_is_chosen_by_what_fails_and_whether_it_answers() -> None:
    ping = "router:ant/4/icmp/"
    assert signs_of("router:ant", (ping, Phase.DOWN, False)) == {"probe": "icmp"}
    assert signs_of("router:ant", (ping, Phase.DOWN, True)) == {"probe": "icmp", "answers": "yes"}
    assert signs_of("router:ant", (ping, Phase.DEGRADED, False)) == {"probe": "icmp"}, "slow is no wrong answer"
    assert signs_of("router:ant", (ping, Phase.UP, False)) == {}
    assert signs_of("router:gone") == {}, "what another config has taken away"


def test_a_region_is_hit_by_what_is_out_of_reach_and_not_by_where_a_cable_lies() -> None:
    world = islands()
    codes = ("AG", "DM", "LC", "VC", "GD")
    routers = tuple(asset(f"router:{code.lower()}", code) for code in codes)
    lies = replace(world, assets={**world.assets, "cable:ring": asset("cable:ring", *codes)})
    hit = replace(lies, assets={**lies.assets, **{one.id: one for one in routers}})
    facts = ("1", "cable:ring", "cable", codes, Severity.MAJOR, Phase.DOWN, START, START, START, 1, "", "")
    incident = Incident(*facts)
    assert signs(incident, Topology(lies), {}) == {}
    behind = replace(incident, children=tuple(one.id for one in routers))
    assert signs(behind, Topology(hit), {}) == {"extent": "region"}
    assert signs(replace(behind, children=behind.children[:4]), Topology(hit), {}) == {}
