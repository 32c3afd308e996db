"""What is kept between two moments is what would be worked out anew; what costs less says the same."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.histories import NOISES, generate
from bench.truth import History
from bench.watching import START as BEGINNING
from bench.watching import as_shipped
from monitor.belief import STALE_EVERY, Belief
from monitor.docket import Book
from monitor.model import Dependency, Phase, State, World
from monitor.outlook import Outlook
from monitor.replay import Replay
from monitor.standing import Standing, at_once, fell_together, says_the_same, stand
from probes.model import Observation, Outcome, Part
from tests.counts import soak
from tests.fakes import START
from tests.monitor.worlds import VANTAGE, check, make_world

EACH = soak(ci=1, soak=40)
"""Histories of each class of noise."""
MOMENTS = [START + timedelta(seconds=seconds) for seconds in (0, 5, 20, 90)]


def limited(world: World, rng: Random, seconds: float) -> World:
    """Let some dependencies hold for a part of the time only."""

    def moment() -> datetime:
        return BEGINNING + timedelta(seconds=rng.uniform(0, seconds))

    def cut(dependency: Dependency) -> Dependency:
        since, until = sorted((moment(), moment()))
        return replace(dependency, since=since, until=until) if rng.random() < 0.2 else dependency

    return replace(world, dependencies=tuple(map(cut, world.dependencies)))


def answers(view: Outlook, world: World) -> dict[str, object]:
    return {
        asset: (
            [view.over(asset, family) for family in (0, 4, 6)],
            view.lost(asset),
            view.presumed(asset),
            view.cause(asset),
            view.doubts(asset, view.standing(asset)),
        )
        for asset in world.assets
    }


def compared(history: History) -> int:
    """Replay a history; compare each few seconds what is kept with what is worked out anew; say how much had moved."""
    rng, chance = Random(history.seed), history.chance  # noqa: S311 - a simulated world
    world = limited(as_shipped(history.configured, history.vantages), rng, history.seconds)
    replay = Replay(
        world, history, start=BEGINNING, vantages=history.vantages, steps=chance.steps, delays=history.delay
    )
    moved = 0
    last: dict[str, object] = {}
    while replay.seconds < history.seconds:
        replay.run(7.3)
        belief = replay.belief
        kept = answers(belief.outlook(belief.now), world)
        assert kept == answers(Outlook(belief.states, belief.topology, belief.now), world), history.seed
        moved += kept != last
        last = kept
    return moved


@pytest.mark.parametrize("noise", NOISES)
def test_what_is_kept_is_what_would_be_worked_out_anew(noise: str) -> None:
    assert all(compared(generate(f"known {noise} {number}", noise, tiny=True)) > 2 for number in range(EACH))


phases = st.sampled_from([Phase.UP, Phase.DEGRADED, Phase.DOWN, Phase.UNKNOWN, Phase.SUSPECT, Phase.RECOVERING])
settled = st.sampled_from([Phase.UP, Phase.DEGRADED, Phase.PARTITIONED, Phase.DOWN, Phase.UNKNOWN])
moments = st.sampled_from(MOMENTS)
states = st.builds(
    State, phases, moments, st.sampled_from(["", "no answer"]), settled, moments, settled, moments,
    refused=st.booleans(), quiet=st.none() | moments, flapping=st.booleans(),
)  # fmt: skip # a column of ten lines would hide the rest


@given(states, st.lists(states, max_size=2), moments, st.integers(0, 3), phases)
def test_a_last_look_and_what_is_only_leant_to_change_nothing_in_how_an_asset_stands(
    state: State, others: list[State], seen: datetime, run: int, leaning: Phase
) -> None:
    later = replace(state, seen=seen, run=run, run_since=seen, leaning=leaning, changes=run, values={"rtt_seconds": 1})
    assert says_the_same(state, later)
    assert stand([*others, state]) == stand([*others, later])


@given(states, states, st.lists(states, max_size=1))
def test_a_state_that_makes_an_asset_stand_otherwise_does_not_say_the_same(
    one: State, other: State, others: list[State]
) -> None:
    for field in fields(State):
        changed = replace(one, **{field.name: getattr(other, field.name)})
        same = stand([one, *others]) == stand([changed, *others])
        assert same or not says_the_same(one, changed)


def fallen(span: tuple[int, int]) -> Standing:
    since = START + timedelta(seconds=span[0])
    quiet = since - timedelta(seconds=span[1]) if span[1] else None
    return Standing(Phase.DOWN, Phase.DOWN, since, "", quiet=quiet)


@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 40)), max_size=12))
def test_the_largest_group_that_fell_together_is_found(spans: list[tuple[int, int]]) -> None:
    down: Mapping[str, Standing] = {str(number): fallen(span) for number, span in enumerate(spans)}
    groups = ([name for name, other in down.items() if at_once(one, other)] for one in down.values())
    assert fell_together(down) == max(groups, key=len, default=[])


@given(st.lists(st.tuples(st.integers(-60, 130), st.integers(0, 2), st.integers(0, 200)), max_size=40))
def test_what_no_look_has_told_of_for_too_long_is_unknown(turns: list[tuple[int, int, int]]) -> None:
    """Each turn: by how much the wall clock moves, at what is looked, how late the answer is."""
    checks = [check("router:a", every=10.0), check("router:b", every=30.0), check("router:c", every=60.0)]
    limits = {each.id: timedelta(seconds=max(3 * each.every, 60.0) + each.timeout) for each in checks}
    belief = Belief(make_world(checks, []), {}, Book(), frozenset(), START)
    now, monotonic = START, 0.0
    for moves, number, late in turns:
        now, monotonic = now + timedelta(seconds=moves), monotonic + STALE_EVERY
        at = now - timedelta(seconds=late)
        chosen = checks[number]
        look = Observation(chosen.id, chosen.target, "icmp", VANTAGE, at, at, 0.1, {"": Part(Outcome.OK, "")})
        belief.hear([look], now, monotonic)
        before = {name: parts[""] for name, parts in belief.states.items() if parts}
        belief.tick(now, monotonic)
        for name, state in before.items():
            silent = now - state.seen > limits[name]
            expected = Phase.UNKNOWN if silent else state.phase
            assert belief.states[name][""].phase is expected
