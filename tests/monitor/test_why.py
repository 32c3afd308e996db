"""No verdict without an explanation: each phase and each ground, in stories that the real detector lives through."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.belief import Belief
from monitor.config import load
from monitor.detect import fresh
from monitor.docket import Book
from monitor.ground import RULES, Ground, Held, change, ground, rule
from monitor.model import Phase, State
from monitor.replay.engine import Replay
from monitor.replay.stage import Stage
from monitor.replay.story import Story, find
from monitor.replay.story import load as read
from monitor.replay.world import START, announced, build
from monitor.why import Why, fact, topics, why
from tests.counts import soak
from tests.monitor.worlds import check, make_world

SCENARIOS = Path(__file__).parents[1] / "scenarios"
SHIPPED = load(None, {}).world
EVERY = soak(ci=60, soak=5)
"""Every so many seconds of a story all its assets are explained."""
SPEAKS = {"looks", "rule", "needs", "vantages", "incident", "change"}
"""What every explanation speaks of."""


def replay_of(story: Story) -> Replay:
    stage = Stage(story)
    return Replay(
        build(story, SHIPPED),
        stage,
        start=START,
        vantages=story.places,
        steps=stage.steps,
        pauses=stage.pauses,
        delays=stage.delays,
        calendar=announced(story),
    )


def lived(tmp_path: Path, text: str, seconds: float) -> Belief:
    """Let a story go on for so long."""
    path = tmp_path / "story.yaml"
    path.write_text(f"story: s\n{text}")
    replay = replay_of(read(path))
    replay.run(seconds)
    return replay.belief


def grounds(belief: Belief) -> set[Ground]:
    contested = belief.quorum.contested if belief.quorum else {}
    return {
        ground(Held(belief.world.checks[name], part, state, belief.now, contested=(name, part) in contested))
        for name, parts in belief.states.items()
        if name in belief.world.checks
        for part, state in parts.items()
    }


def explained(belief: Belief, asset: str) -> Why:
    """Explain, and check that nothing is left out."""
    found = why(belief, asset)
    said = topics(found.because)
    assert said.keys() >= SPEAKS - ({"vantages"} if belief.quorum else set()), (asset, found)
    assert all(text.strip() for one in found.because for text in (one.topic, one.text))
    assert found.phase.value in found.verdict
    assert fact(found)["because"]
    return found


CUT = "events: [60s cut router:r]\n"
STORIES = [
    (Ground.FIRST, Phase.UNKNOWN, "watch: {router:r: every 60s}\n", 0.0, "it is looked at every 60 s"),
    (Ground.ANSWERS, Phase.UP, "watch: {router:r: in BM}\n", 50, "down after 3 failed looks in a row, over 8 s"),
    (Ground.HELD, Phase.SUSPECT, f"watch: {{router:r: in BM}}\n{CUT}", 63, "references, asked later, have shown"),
    (Ground.COUNTING, Phase.SUSPECT, f"watch: {{router:r: in BM}}\n{CUT}", 69, "of 3 looks in a row failed, over"),
    (Ground.FAILED, Phase.DOWN, f"watch: {{router:r: in BM}}\n{CUT}", 99, "3 failed looks in a row, over 8 s at least"),
    (
        Ground.REFUSED,
        Phase.DOWN,
        "watch: {router:r: in BM}\nevents: [60s refuse router:r]\n",
        99,
        "loss cannot cause them",
    ),
    (
        Ground.RETURNING,
        Phase.RECOVERING,
        "watch: {router:r: in BM}\nrule: {rise: '9'}\nevents: [60s cut router:r for 60s]\n",
        125,
        "of 9 looks in a row were good",
    ),
    (
        Ground.BLIND,
        Phase.UNKNOWN,
        "watch: {router:r: in BM}\nevents: [60s cut everything]\n",
        99,
        "fails while the own link is cut says nothing",
    ),
    (
        Ground.STALE,
        Phase.UNKNOWN,
        "watch: {router:r: in BM}\nevents: ['60s mute vantage:here']\n",
        240,
        "three cadences of 10 s without a look",
    ),
    (
        Ground.GRADING,
        Phase.SUSPECT,
        "watch: {router:r: in BM}\nrule: {degraded_fall: '9', thresholds: [{key: rtt_seconds, above: '0.8'}]}\n"
        "events: [60s slow router:r to 1.2s]\n",
        80,
        "of 9 looks in a row were outside the limits",
    ),
    (
        Ground.LIMIT,
        Phase.DEGRADED,
        "watch: {router:r: in BM}\nrule: {thresholds: [{key: rtt_seconds, above: '0.8'}]}\n"
        "events: [60s slow router:r to 1.2s]\n",
        120,
        "outside the limits (rtt_seconds above 0.8)",
    ),
    (
        Ground.FLAPPING,
        Phase.DEGRADED,
        "watch: {router:r: in BM}\nevents: [60s flap router:r every 20s for 10m]\n",
        400,
        "are coming and going",
    ),
    (
        Ground.CONTESTED,
        Phase.SUSPECT,
        "vantages: [a, b, c]\nwatch: {router:r: in BM}\nevents: ['60s cut router:r from vantage:b']\n",
        80,
        "the others may only not have looked yet",
    ),
    (
        Ground.SPLIT,
        Phase.PARTITIONED,
        "vantages: [a, b, c]\nwatch: {router:r: in BM}\nevents: ['60s cut router:r from vantage:b']\n",
        200,
        "vantages that see the world disagree",
    ),
]


@pytest.mark.parametrize("case", STORIES, ids=lambda case: case[0].name.lower())
def test_each_ground_is_reached_and_explained(tmp_path: Path, case: tuple[Ground, Phase, str, float, str]) -> None:
    wanted, phase, story, seconds, words = case
    path = tmp_path / "story.yaml"
    path.write_text(f"story: s\n{story}")
    replay = replay_of(read(path))
    while seconds and grounds(replay.belief) != {wanted}:
        replay.run(0.25)
        assert replay.seconds <= seconds
    found = explained(replay.belief, "router:r")
    assert found.phase is phase
    assert words in " ".join(one.text for one in found.because) or wanted is Ground.FIRST


def test_what_no_story_can_tell_is_explained_too() -> None:
    one = check("router:r")
    unlike = State(Phase.DEGRADED, START, "slower than usual: rtt 412 ms", Phase.DEGRADED, START, Phase.UP, START)
    local = fresh(START, "this user may not open ICMP sockets")
    assert ground(Held(one, "", unlike, START)) is Ground.UNUSUAL
    assert "far from what is usual" in rule(Held(one, "", unlike, START))
    assert ground(Held(one, "", local, START)) is Ground.COULD_NOT
    assert ground(Held(one, "", fresh(START), START)) is Ground.FIRST
    for held in (Held(one, "", unlike, START), Held(one, "", local, START)):
        belief = Belief(make_world([one], []), {one.id: {"": held.state}}, Book(), frozenset(), START)
        assert rule(held) in " ".join(each.text for each in explained(belief, "router:r").because)


def test_every_ground_has_its_rule_its_end_and_its_case_here() -> None:
    assert RULES.keys() == set(Ground)
    elsewhere = {Ground.UNUSUAL, Ground.COULD_NOT, Ground.WRONG}  # the last in test_zones.py
    assert {story[0] for story in STORIES} | elsewhere == set(Ground)
    asset_alone = {Phase.UNREACHABLE, Phase.NOT_WATCHED}  # told below, they are of assets and not of checks
    assert {story[1] for story in STORIES} | asset_alone == set(Phase)


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in {Phase.UNREACHABLE, Phase.NOT_WATCHED}])
@pytest.mark.parametrize("contested", [False, True])
@pytest.mark.parametrize("flapping", [False, True])
def test_whatever_a_state_holds_its_rule_and_its_end_are_said(phase: Phase, contested: bool, flapping: bool) -> None:
    for settled in (Phase.UP, Phase.DEGRADED, Phase.DOWN, Phase.UNKNOWN):
        for leaning in (Phase.DEGRADED, Phase.DOWN):
            for run in (0, 2):
                state = replace(fresh(START), phase=phase, settled=settled, leaning=leaning, run=run, flapping=flapping)
                held = Held(check("router:r"), "", state, START, contested=contested)
                assert len(rule(held)) > 10
                assert len(change(held)) > 10


BEHIND = """watch:
  cable:c: in BM
  router:r: in BM; needs cable:c
  router:two: in BM; needs any of cable:c, cable:d
  router:g: in BM; needs cable:c (a guess)
  site:s: not watched; needs router:r
events: [60s cut cable:c, 60s maintain router:g for 1h]
"""


def test_what_stands_behind_a_parent_names_it_since_when_and_what_is_left(tmp_path: Path) -> None:
    belief = lived(tmp_path, BEHIND, 180)
    found = explained(belief, "router:r")
    said = topics(found.because)
    assert found.phase is Phase.UNREACHABLE
    assert found.verdict == "r is unreachable since 12:01:02 UTC: behind c, which is down"
    assert said["needs"] == ["it needs c (down since 12:01:00 UTC)", "c explains its trouble"]
    assert said["incident"] == ["it stands silently behind c in incident 1"]
    assert "when what it needs is back, it is looked at often, and speaks for itself if it stays away" in said["change"]
    two = topics(explained(belief, "router:two").because)
    assert two["needs"] == ["it needs any of c (down since 12:01:00 UTC), d (not watched)"]
    guess = topics(explained(belief, "router:g").because)
    assert guess["needs"] == [
        "it may need c (down since 12:01:00 UTC) (not confirmed: the story): that silences nobody"
    ]
    assert guess["maintenance"][0].startswith("announced work until 13:01:00 UTC")
    site = explained(belief, "site:s")
    assert site.phase is Phase.NOT_WATCHED
    assert topics(site.because)["change"] == ['a target in the config: "site:s ADDRESS"']


def test_the_cause_itself_names_its_incident_and_the_references_that_were_asked(tmp_path: Path) -> None:
    belief = lived(tmp_path, BEHIND, 180)
    said = topics(explained(belief, "cable:c").because)
    assert said["incident"][0].startswith("incident 1 is open for it since 12:01:")
    assert "over IPv4 the world was seen at 12:0" in said["own link"][0]
    assert said["vantages"] == ["one vantage looks, here: its word decides"]
    assert said["change"] == ["up after 2 good looks in a row"]
    assert said["needs"] == ["nobody has said what it needs: nothing else explains its trouble"]


def test_a_lost_cable_that_nobody_watches_is_presumed_with_its_confidence(tmp_path: Path) -> None:
    story = "watch: {'router:r{1..4}': in BM; needs cable:c}\nevents: [60s cut cable:c]\n"
    belief = lived(tmp_path, story, 180)
    said = topics(explained(belief, "cable:c").because)
    assert (
        "it is presumed to be lost (very likely, 94%): 4 of 4 that need it went down at once: r1, r2, r3, r4"
        in said["needs"]
    )
    assert said["incident"][0].startswith("incident 1 is open for it")


def test_a_vantage_is_explained_by_its_references(tmp_path: Path) -> None:
    belief = lived(tmp_path, "watch: {router:r: in BM}\nevents: [60s cut vantage:here]\n", 120)
    found = explained(belief, "vantage:here")
    said = topics(found.because)
    assert found.phase is Phase.DOWN
    assert "over IPv4 the own link is down since" in said["looks"][0]
    assert said["rule"] == ["it sees the world while references in 2 networks answer"]


def test_disagreeing_vantages_are_named_with_what_each_says(tmp_path: Path) -> None:
    story = "vantages: [a, b, c]\nwatch: {router:r: in BM}\nevents: ['60s cut router:r from vantage:b']\n"
    said = topics(explained(lived(tmp_path, story, 200), "router:r").because)
    assert said["vantages"] == [
        "router:r/4/icmp: a says up, b says down, c says up; more than half of those that can say must agree"
    ]
    assert [line.split(" the world")[0] for line in said["own link"]] == [
        "over IPv4 from a",
        "over IPv4 from b",
        "over IPv4 from c",
    ]


def test_an_asset_is_found_by_check_target_and_address_and_a_shared_address_is_refused(tmp_path: Path) -> None:
    belief = lived(tmp_path, "watch: {router:r: in BM; over both, router:s: in BM}\n", 30)
    assert why(belief, "router:r/6/icmp").verdict.endswith("this is about 1 of its checks")
    assert why(belief, "router:r/6").asset == why(belief, "2001:db8::1").asset == "router:r"
    with pytest.raises(LookupError, match=r"several assets are asked at 198.51.100.1: router:r, router:s; name one"):
        why(belief, "198.51.100.1")
    with pytest.raises(LookupError, match="no asset, check, target or address here is called router:x"):
        why(belief, "router:x")


@pytest.mark.parametrize("path", find(SCENARIOS), ids=lambda path: path.stem)
def test_in_every_story_every_verdict_has_its_explanation(path: Path) -> None:
    story = read(path)
    replay = replay_of(story)
    met: Counter[Phase] = Counter()
    while replay.seconds < min(story.length, 900):
        replay.run(EVERY)
        for asset in list(replay.world.assets)[:25]:
            met[explained(replay.belief, asset).phase] += 1
    assert met


def test_what_is_back_says_when_its_incident_closes_and_what_waits_says_for_what(tmp_path: Path) -> None:
    belief = lived(tmp_path, "watch: {cable:c: in BM}\nevents: [60s cut cable:c for 60s]\n", 140)
    said = topics(explained(belief, "cable:c").because)
    assert said["incident"][0].startswith("incident 1 is open for it since 12:01:")
    assert said["incident"][1].endswith("; after 120 s, the incident closes")
    book = replace(belief.book, open={}, recovered={}, waiting={"cable:c": belief.now})
    belief.book = book
    said = topics(explained(belief, "cable:c").because)
    assert said["incident"][0].startswith("it tells nobody yet: since 12:02:20 UTC it waits for the verdict on what it")


def test_what_the_severity_table_leaves_out_and_what_is_part_of_another_is_said(tmp_path: Path) -> None:
    belief = lived(tmp_path, "watch: {website:w: in BM; over both}\nevents: [60s cut website:w over IPv6]\n", 140)
    said = topics(explained(belief, "website:w").because)
    assert said["incident"] == ["no incident: by the severity table a website that is degraded opens none"]
    belief = lived(tmp_path, "watch: {cable:c: in BM}\nevents: [60s cut cable:c]\n", 140)
    (one,) = belief.book.open.values()
    belief.book = replace(belief.book, open={one.id: replace(one, part_of="9")})
    (line,) = topics(explained(belief, "cable:c").because)["incident"]
    assert line.endswith(", which is part of incident 9")
