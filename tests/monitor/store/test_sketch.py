"""Sketches: never more than 1 % of the ranks off, however they are merged."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.store.sketch import BLOCKS, choose, pack, quantile, rank, unpack
from tests.counts import soak

NUMBERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 3), st.integers(0, 70_000))
SHARES = st.one_of(st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]), st.floats(0, 1))


def sketched(values: list[int]) -> tuple[list[int], int]:
    """Return a sketch of values that was written and read."""
    ordered = sorted(values)
    points, count = unpack(pack(choose(ordered), ordered[0]), ordered[0], len(ordered))
    return list(points), count


def assert_near(answer: int | None, values: list[int], share: float) -> None:
    """Fail when the answer is more than 1 % of the ranks from the one that is right."""
    assert answer is not None
    wanted, off = rank(len(values), share), len(values) / 100
    assert sum(value <= answer for value in values) >= wanted - off
    assert sum(value < answer for value in values) < wanted + off


@settings(max_examples=soak(ci=200, soak=20_000), deadline=None)
@given(st.lists(st.lists(NUMBERS, min_size=1, max_size=400), min_size=1, max_size=6), SHARES)
def test_a_quantile_of_any_union_is_within_one_percent_of_rank(lists: list[list[int]], share: float) -> None:
    values = [value for each in lists for value in each]
    assert_near(quantile(map(sketched, lists), share), values, share)


@settings(max_examples=soak(ci=30, soak=2_000), deadline=None)
@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=5), st.integers(), SHARES)
def test_so_it_is_of_many_values(sizes: list[int], seed: int, share: float) -> None:
    draw = Random(seed).paretovariate  # noqa: S311 - no secrets
    lists = [[min(2**62, round(10_000 * min(1e18, draw(1.2)))) for _ in range(size)] for size in sizes]
    assert_near(quantile(map(sketched, lists), share), [value for each in lists for value in each], share)


@given(st.lists(NUMBERS, min_size=1, max_size=2 * BLOCKS - 1), SHARES)
def test_a_quantile_of_few_values_is_exact(values: list[int], share: float) -> None:
    assert quantile([sketched(values)], share) == sorted(values)[rank(len(values), share) - 1]


@given(st.lists(NUMBERS, min_size=1, max_size=3_000))
def test_a_sketch_stays_small(values: list[int]) -> None:
    points, count = sketched(values)
    assert len(points) <= 2 * BLOCKS
    assert count == len(values)


def test_what_does_not_change_costs_nothing() -> None:
    assert pack([7] * 60, 7) is None
    assert unpack(None, 7, 120) == ((7,), 120)


def test_nothing_has_no_quantile() -> None:
    assert quantile([], 0.5) is None
