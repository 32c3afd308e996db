"""Fall and rise, told as stories: one letter a look, one letter the phase it leaves."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detect import Settled, hold, step
from monitor.model import Phase, Rule, State, Threshold
from probes.model import Outcome, Part
from tests.fakes import START

LOOKS = {
    ".": Part(Outcome.OK, "", {"rtt_seconds": 0.02}),
    "s": Part(Outcome.OK, "", {"rtt_seconds": 2.0}),
    "x": Part(Outcome.FAILED, "no answer within 2.0 s"),
    "r": Part(Outcome.FAILED, "connection refused", refused=True),
    "?": Part(Outcome.UNKNOWN, "no route from here"),
}
PHASES = {
    Phase.UP: "U",
    Phase.DEGRADED: "g",
    Phase.SUSPECT: "s",
    Phase.DOWN: "D",
    Phase.RECOVERING: "r",
    Phase.UNKNOWN: "?",
}
RULE = Rule(fall=3, rise=2, silence_seconds=8, refusal_seconds=2, thresholds=(Threshold("rtt_seconds", above=1.0),))


def run(looks: str, every: float = 10.0, rule: Rule = RULE) -> tuple[str, list[Settled], State | None]:
    state, settled, phases = None, [], ""
    for number, look in enumerate(looks):
        state, change = step(state, LOOKS[look], rule, START + timedelta(seconds=number * every))
        phases += PHASES[state.phase]
        settled += [change] if change else []
    return phases, settled, state


@pytest.mark.parametrize(
    ("looks", "phases"),
    [
        (".", "U"),  # the first good look is enough where nothing was known
        ("xxx", "ssD"),  # the first bad ones are not
        ("..xx.xx", "UUssUss"),  # a good look breaks the run
        ("..xxx..", "UUssDrU"),
        (".xxx.x..", "UssDrDrU"),  # one bad look breaks the recovery
        (".?.", "U?U"),
        (".xxx?x", "UssD?D"),  # blindness does not lift a verdict
        (".xxx?..", "UssD?rU"),  # ... and recovery after it needs its looks all the same
        (".xx?xxx", "Uss?ssD"),  # ... and it breaks a run
        ("???", "???"),
        ("sss", "ssg"),
        (".sss.s..", "UssggggU"),
        (".ssxs", "Ussgg"),  # of two kinds of trouble the run claims the milder
        (".sxsx", "Usssg"),
        (".sxx.", "UsssU"),  # ... but one slow look before two lost ones is no slow path
        (".sxxx", "UsssD"),
        (".rrr", "UssD"),
    ],
)
def test_phases(looks: str, phases: str) -> None:
    assert run(looks)[0] == phases


def test_a_burst_of_loss_shorter_than_the_rule_is_no_outage() -> None:
    assert run(".xxxx", every=2.0)[0] == "Ussss"
    assert run(".xxxxx", every=2.0)[0] == "UssssD"


def test_a_refusal_needs_less_time_than_silence() -> None:
    assert run(".rrr", every=1.0)[0] == "UssD"
    assert run(".rrx", every=1.0)[0] == "Usss"


def test_an_outage_began_with_its_first_failed_look() -> None:
    _, settled, state = run("..xxx")
    assert [(s.old, s.new) for s in settled] == [(Phase.UNKNOWN, Phase.UP), (Phase.UP, Phase.DOWN)]
    assert settled[1].began == START + timedelta(seconds=20)
    assert settled[1].reason == "no answer within 2.0 s"
    assert state is not None
    assert state.since == START + timedelta(seconds=20)


def test_a_doubt_that_passes_leaves_since_alone() -> None:
    _, _, state = run("..xx..")
    assert state is not None
    assert state.since == START
    assert state.run == 0


def test_a_recovery_under_way_still_says_why_it_was_down() -> None:
    _, _, state = run("..xxx.")
    assert state is not None
    assert (state.phase, state.reason) == (Phase.RECOVERING, "no answer within 2.0 s")


def test_a_held_look_is_a_doubt_and_counts_for_nothing() -> None:
    _, _, state = run("..")
    held = hold(hold(state, LOOKS["x"], START), LOOKS["x"], START)
    assert (held.phase, held.settled, held.run) == (Phase.SUSPECT, Phase.UP, 0)
    assert step(held, LOOKS["."], RULE, START)[0].phase is Phase.UP


def test_a_held_look_does_not_lift_down() -> None:
    _, _, state = run(".xxx")
    assert hold(state, LOOKS["x"], START).phase is Phase.DOWN


@given(st.text(alphabet=".sxr?", max_size=60), st.sampled_from([0.5, 2.0, 10.0, 60.0]))
def test_whatever_comes_verdicts_alternate_and_down_has_its_evidence(looks: str, every: float) -> None:
    _, settled, state = run(looks, every)
    for before, after in itertools.pairwise(settled):
        assert before.new is after.old
        assert after.old is not after.new
    for change in settled:
        if change.new is Phase.DOWN and change.old is Phase.UP:
            assert change.began >= START
    if looks:
        assert state is not None
        assert state.settled is (settled[-1].new if settled else Phase.UNKNOWN)


@given(st.text(alphabet=".s?", max_size=40))
def test_nothing_is_down_that_never_failed(looks: str) -> None:
    assert all(change.new is not Phase.DOWN for change in run(looks)[1])


@given(st.text(alphabet="x?", max_size=40))
def test_nothing_is_up_that_never_answered(looks: str) -> None:
    assert all(change.new is not Phase.UP for change in run(looks)[1])


def test_failed_looks_that_had_to_wait_leave_the_last_good_one_as_the_moment_before_the_trouble() -> None:
    state, _ = step(None, LOOKS["."], RULE, START)
    waited = [START + timedelta(seconds=seconds) for seconds in (30, 33)]
    for at in waited:
        state = hold(state, LOOKS["x"], at)
    for at in [*waited, START + timedelta(seconds=40)]:
        state, settled = step(state, LOOKS["x"], RULE, at)
    assert settled is not None
    assert (settled.began, state.quiet) == (waited[0], START)
