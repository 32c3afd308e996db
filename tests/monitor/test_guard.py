"""The own-link guard: what counts, what waits, what cannot be known."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.guard import Guard
from probes.model import Observation, Outcome, Part
from tests.fakes import START
from tests.monitor.worlds import check, reference

OK, FAILED = Part(Outcome.OK), Part(Outcome.FAILED, "no answer within 2.0 s")
NETWORKS = ("one", "two", "three")
TARGET = check("router:bon")


def make_guard(families: tuple[int, ...] = (4,), worked: tuple[int, ...] = ()) -> Guard:
    return Guard([reference(network, family) for family in families for network in NETWORKS], 2, worked)


def look(seconds: float, part: Part = FAILED, family: int = 4) -> Observation:
    at = START + timedelta(seconds=seconds)
    target = replace(TARGET.target, family=family)
    return Observation(TARGET.id, target, "icmp", "vantage:hub", at, at, 2.0, {"": part})


def play_round(guard: Guard, seconds: float, answers: int, family: int = 4) -> tuple[Outcome | None, list[Observation]]:
    """Ask every reference at once; the first ``answers`` of them answer."""
    verdict, freed, said = None, [], None
    for number, network in enumerate(NETWORKS):
        asked = reference(network, family)
        at = START + timedelta(seconds=seconds)
        part = OK if number < answers else FAILED
        verdict = guard.hear(Observation(asked.id, asked.target, "icmp", "v", at, at, 0.1, {"": part}))
        if verdict:
            assert said is None, "a round speaks once"
            said = verdict.part.outcome
            freed += guard.release(verdict)
    return said, freed


def outcomes(looks: list[Observation]) -> list[Outcome]:
    return [one.parts[""].outcome for one in looks]


def test_what_answers_always_counts() -> None:
    assert outcomes(make_guard().judge(look(1, OK))) == [Outcome.OK]


def test_a_failure_waits_for_a_round_that_began_later_and_saw_the_world() -> None:
    guard = make_guard()
    assert play_round(guard, 0, 3)[0] is Outcome.OK
    assert guard.judge(look(1)) == []
    said, freed = play_round(guard, 5, 2)
    assert said is Outcome.OK
    assert outcomes(freed) == [Outcome.FAILED]


def test_a_round_that_saw_nothing_makes_it_unknown() -> None:
    guard = make_guard()
    play_round(guard, 0, 3)
    assert guard.judge(look(1)) == []
    said, freed = play_round(guard, 5, 1)
    assert said is Outcome.FAILED
    assert outcomes(freed) == [Outcome.UNKNOWN]
    assert freed[0].parts[""].reason == "cannot be known: this vantage does not see the world over IPv4"


def test_a_round_that_began_before_the_look_decides_nothing() -> None:
    guard = make_guard()
    assert guard.judge(look(1)) == []
    assert play_round(guard, 0.5, 3) == (Outcome.OK, [])
    assert outcomes(play_round(guard, 1.5, 3)[1]) == [Outcome.FAILED]


def test_a_failure_counts_at_once_when_a_later_round_has_spoken_already() -> None:
    guard = make_guard()
    play_round(guard, 2, 3)
    assert outcomes(guard.judge(look(1))) == [Outcome.FAILED]


def test_between_a_seeing_and_a_blind_round_the_careful_word_wins() -> None:
    guard = make_guard()
    play_round(guard, 2, 3)
    play_round(guard, 3, 0)
    assert outcomes(guard.judge(look(1))) == [Outcome.UNKNOWN]


def test_what_left_while_nothing_was_seen_is_unknown_although_a_round_sees_later() -> None:
    guard = make_guard()
    play_round(guard, 2, 3)
    play_round(guard, 5, 0)
    play_round(guard, 10, 3)
    assert outcomes(guard.judge(look(8))) == [Outcome.UNKNOWN]
    assert guard.judge(look(11)) == []


def test_two_answers_from_one_network_are_one() -> None:
    twice = [reference("one"), replace(reference("one"), id="other"), reference("two")]
    guard = Guard(twice, 2)
    at = START
    said = [
        guard.hear(Observation(r.id, r.target, "icmp", "v", at, at, 0.1, {"": OK if r.reference == "one" else FAILED}))
        for r in twice
    ]
    assert [v.part.outcome if v else None for v in said] == [None, None, Outcome.FAILED]


def test_a_good_look_forgets_the_failed_ones_that_wait() -> None:
    guard = make_guard()
    guard.judge(look(1))
    guard.judge(look(2, OK))
    assert play_round(guard, 5, 3)[1] == []


def test_the_families_are_judged_apart() -> None:
    guard = make_guard((4, 6), worked=(4, 6))
    play_round(guard, 5, 3, 4)
    assert play_round(guard, 5, 0, 6)[0] is Outcome.FAILED
    assert outcomes(guard.judge(look(1, family=4))) == [Outcome.FAILED]
    assert outcomes(guard.judge(look(1, family=6))) == [Outcome.UNKNOWN]


def test_a_family_that_never_worked_here_was_never_lost() -> None:
    guard = make_guard((4, 6))
    assert play_round(guard, 0, 0, 6)[0] is Outcome.FAILED, "nothing works: cut off"
    play_round(guard, 5, 3, 4)
    assert play_round(guard, 5, 0, 6)[0] is Outcome.UNKNOWN


def test_where_no_reference_is_configured_every_look_counts() -> None:
    assert outcomes(make_guard((4,)).judge(look(1, family=6))) == [Outcome.FAILED]


@given(st.lists(st.tuples(st.sampled_from(["look", "good", "blind"]), st.floats(0.1, 5.0)), max_size=40))
def test_a_failure_counts_only_after_a_later_round_saw_the_world(events: list[tuple[str, float]]) -> None:
    guard, now, seen, looks, decided = make_guard(worked=(4,)), 0.0, -1.0, 0, 0
    for event, wait in events:
        now += wait
        if event == "look":
            looks += 1
            freed = guard.judge(look(now))
        else:
            freed = play_round(guard, now, 3 if event == "good" else 0)[1]
            seen = now if event == "good" else seen
        decided += len(freed)
        for one in freed:
            if one.parts[""].outcome is Outcome.FAILED:
                assert START + timedelta(seconds=seen) > one.at
    freed = play_round(guard, now + 1, 3)[1]
    assert decided + len(freed) == looks, "every look is decided once, none is lost"


def test_while_nothing_is_seen_a_failure_is_unknown_at_once_and_what_answers_still_counts() -> None:
    guard = make_guard()
    play_round(guard, 0, 3)
    play_round(guard, 5, 0)
    assert outcomes(guard.judge(look(7))) == [Outcome.UNKNOWN]
    assert outcomes(guard.judge(look(8, OK))) == [Outcome.OK]
    play_round(guard, 10, 3)
    assert guard.judge(look(11)) == [], "and after the link is back it waits again"
