"""What is usual, told as lives of one series in simulated time."""

import math
import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.model import Severity
from monitor import detect
from monitor.baseline import ALL, MOST, SAVED_AT_ONCE, Baselines, Series
from monitor.loss import LOOKS, Loss
from monitor.model import Baseline, Incident, Learned, Phase, Rule, State
from monitor.views import Usual
from probes.model import Observation, Outcome, Part, Value
from tests.counts import soak
from tests.fakes import START
from tests.monitor.worlds import VANTAGE, check

RTT = Baseline("rtt_seconds", 0.02, above=2.0)
TRAFFIC = Baseline("if_in_octets_per_second", 125_000, below=0.5)
CHECK = replace(check("router:bon", every=60.0), rule=Rule(baselines=(RTT, TRAFFIC)))
NAME = (VANTAGE, CHECK.id, "")
MINUTE, HOUR, DAY, WEEK = (timedelta(minutes=n) for n in (1, 60, 1440, 10080))
GOOD = detect.step(None, Part(Outcome.OK), CHECK.rule, START)[0]
LOST = Part(Outcome.FAILED, "no answer within 2.0 s")
Source = Callable[[datetime], Value | None]
"""What a look measures at a moment; None when it is lost."""


class Life:
    """One part of one check, and the incident that its trouble opens."""

    CHECK = CHECK

    def __init__(self, learned: tuple[Learned, ...] = (), *, every: timedelta = MINUTE, at: datetime = START) -> None:
        self.usual, self.every, self.at = Baselines(learned), every, at
        self.state: State | None = None
        self.settled: list[detect.Settled] = []

    def look(self, part: Part) -> None:
        one = self.CHECK
        look = Observation(one.id, one.target, "icmp", VANTAGE, self.at, self.at, 0.1, {"": part})
        word = self.usual.judge(one, look, "", self.state)
        self.state, settled = detect.step(self.state, part, one.rule, self.at, word)
        if settled:
            self.settled.append(settled)
            self.usual.note([trouble(settled.new)] if settled.new in {Phase.DOWN, Phase.DEGRADED} else [])
        self.at += self.every

    def live(self, span: timedelta, source: Source, key: str = "rtt_seconds") -> "Life":
        end = self.at + span
        while self.at < end:
            value = source(self.at)
            self.look(LOST if value is None else Part(Outcome.OK, "", {key: value}))
        return self

    def degraded(self) -> list[detect.Settled]:
        return [one for one in self.settled if one.new is Phase.DEGRADED]

    def shown(self, at: datetime | None = None, key: str = "rtt_seconds") -> Usual:
        return next(one for one in self.usual.usual(NAME, at or self.at) if one.key == key)


def trouble(phase: Phase, asset: str = CHECK.asset) -> Incident:
    return Incident("1", asset, "router", (), Severity.INFO, phase, START, START, START, 1, "", "")


def evening(at: datetime) -> float:
    """How full the lines are: 0 at night, 1 at the height of the evening, less at the weekend."""
    return (1 - math.cos((at.hour + at.minute / 60 - 6) / 12 * math.pi)) / 2 * (0.7 if at.weekday() > 4 else 1.0)


def island(seed: int, *, loss: float = 0.01, base: float = 0.06) -> Source:
    """A path of so many seconds that the evening makes half as long again, with noise, spikes and loss."""
    chance = random.Random(seed)  # noqa: S311 - a simulated world

    def rtt(at: datetime) -> float | None:
        if chance.random() < loss:
            return None
        spike = 5.0 if chance.random() < 0.002 else 1.0
        return base * (1 + 0.5 * evening(at)) * chance.lognormvariate(0, 0.05) * spike

    return rtt


def flat(value: float, noise: float = 0.03, seed: int = 1) -> Source:
    chance = random.Random(seed)  # noqa: S311 - a simulated world
    return lambda _at: value * (1 + noise * chance.uniform(-1, 1))


def traffic(seed: int, share: float = 1.0) -> Source:
    """2.6 Gbit/s in the evening, a fifth of that at night."""
    chance = random.Random(seed)  # noqa: S311 - a simulated world
    return lambda at: 325e6 * share * (0.2 + 0.8 * evening(at)) * chance.lognormvariate(0, 0.08)


@pytest.fixture(scope="module")
def taught() -> tuple[Learned, ...]:
    """Three weeks of an island's days."""
    return saved(Life(every=5 * MINUTE).live(3 * WEEK, island(1)))


def saved(life: Life) -> tuple[Learned, ...]:
    return tuple(one.dump(NAME) for one in life.usual._parts[NAME].series.values())


def later(learned: tuple[Learned, ...], after: timedelta = 3 * WEEK) -> Life:
    return Life(learned, at=START + after)


def test_it_learns_the_days_of_three_weeks_and_raises_no_alarm() -> None:
    life = Life().live(3 * WEEK, island(7))
    assert life.settled[1:] == []
    night, dusk = (life.shown(life.at.replace(hour=hour)) for hour in (6, 18))
    assert night.low == pytest.approx(0.054, abs=0.004)
    assert night.high == pytest.approx(0.068, abs=0.006)
    assert dusk.low
    assert dusk.low > 0.07


@pytest.mark.parametrize("seed", range(soak(ci=2, soak=1000)))
def test_a_quiet_month_has_no_false_alarm(seed: int) -> None:
    every = MINUTE if soak(ci=0, soak=1) else 5 * MINUTE
    for source, key in ((island(seed), "rtt_seconds"), (traffic(seed), "if_in_octets_per_second")):
        assert Life(every=every).live(30 * DAY, source, key).degraded() == []


def test_slower_than_ever_is_found_within_fall_looks_and_says_its_figures(taught: tuple[Learned, ...]) -> None:
    life = later(taught).live(HOUR, flat(0.078))
    life.live(3 * MINUTE, flat(0.412, 0))
    (found,) = life.degraded()
    assert found.began == life.at - 3 * MINUTE
    words = r"slower than ever: rtt 412 ms, usually \d\d to \d\d ms at this hour"
    assert re.fullmatch(words, found.reason)


def test_slower_is_said_once_it_has_been_worse_before(taught: tuple[Learned, ...]) -> None:
    life = (
        later(taught).live(HOUR, flat(0.08)).live(6 * HOUR, flat(0.5)).live(24 * HOUR, island(2)).live(HOUR, flat(0.4))
    )
    assert [one.reason.partition(":")[0] for one in life.degraded()] == ["slower than ever", "slower than usual"]


def test_half_the_traffic_is_gone() -> None:
    key = "if_in_octets_per_second"
    life = Life(every=5 * MINUTE).live(2 * WEEK, traffic(1), key)
    assert life.degraded() == []
    life.live(HOUR, traffic(2, 0.42), key)
    (found,) = life.degraded()
    assert found.reason.startswith("more than half the traffic is gone: ")
    assert found.reason.endswith(" Gbit/s")
    life.live(HOUR, traffic(2), key)
    assert [one.new for one in life.settled] == [Phase.UP, Phase.DEGRADED, Phase.UP]


def test_two_lost_looks_and_a_slow_one_are_no_slow_path(taught: tuple[Learned, ...]) -> None:
    life = later(taught).live(HOUR, flat(0.078))
    for looks in ("xxs", "xsx", "xss", "sxs", "sxx"):
        for look in looks:
            life.live(MINUTE, lambda _at, look=look: {"x": None, "s": 0.4, ".": 0.078}[look])  # type: ignore[misc] # mypy does not see the default of a lambda
        life.live(5 * MINUTE, flat(0.078))
    assert life.settled[1:] == []
    assert life.live(3 * MINUTE, flat(0.4)).settled[-1].new is Phase.DEGRADED


def test_a_difference_that_nobody_feels_is_none() -> None:
    life = Life().live(2 * WEEK, flat(0.002)).live(HOUR, flat(0.015))
    assert life.degraded() == [], "seven times as slow, and thirteen milliseconds"


def test_nothing_is_said_before_three_days_are_known() -> None:
    assert Life().live(2 * DAY, flat(0.06)).live(HOUR, flat(0.6)).degraded() == []
    assert Life().live(4 * DAY, flat(0.06)).live(HOUR, flat(0.6)).degraded() != []


def test_it_goes_back_at_another_value_than_it_came(taught: tuple[Learned, ...]) -> None:
    """Usual is about 78 ms: out above 156, back below 117; what swings between the two changes nothing."""
    between = iter(range(10**6))
    life = later(taught).live(HOUR, flat(0.078)).live(10 * MINUTE, flat(0.2))
    life.live(40 * MINUTE, lambda _at: 0.13 if next(between) % 2 else 0.17)
    life.live(30 * MINUTE, flat(0.14))
    assert [one.new for one in life.settled[1:]] == [Phase.DEGRADED]
    life.live(5 * MINUTE, flat(0.08))
    assert [one.new for one in life.settled[1:]] == [Phase.DEGRADED, Phase.UP]
    life.live(40 * MINUTE, flat(0.14))
    assert life.settled[-1].new is Phase.UP, "what did not get far enough to be out of the ordinary is not"


@pytest.mark.parametrize(
    "incident",
    [trouble(Phase.DOWN), trouble(Phase.DEGRADED), trouble(Phase.DOWN, VANTAGE)],
    ids=["down", "degraded", "the vantage is cut off"],
)
def test_nothing_is_learned_during_an_incident(taught: tuple[Learned, ...], incident: Incident) -> None:
    life = later(taught).live(HOUR + MINUTE, flat(0.08))
    before = saved(life)[0].middles
    life.usual.note([incident])
    life.live(2 * DAY, flat(0.095))
    assert saved(life)[0].middles == before
    life.usual.note([])
    life.live(DAY, flat(0.095))
    assert saved(life)[0].middles != before


def test_nothing_is_learned_of_what_is_behind_a_cable_that_is_down(taught: tuple[Learned, ...]) -> None:
    life = later(taught).live(HOUR + MINUTE, flat(0.08))
    before = saved(life)[0].middles
    life.usual.note([replace(trouble(Phase.DOWN, "cable:bon1"), children=(CHECK.asset,))])
    assert saved(life.live(DAY, flat(0.095)))[0].middles == before


def test_a_path_that_stays_longer_is_the_new_normal_after_three_days_and_that_is_said_once() -> None:
    life = Life(every=5 * MINUTE).live(3 * WEEK, island(1))
    moved = life.at
    life.live(2 * WEEK, island(2, base=0.15))
    assert [one.new for one in life.settled[1:]] == [Phase.DEGRADED, Phase.UP]
    back = life.settled[-1]
    assert 3 * DAY <= back.began - moved <= 3 * DAY + 3 * HOUR
    assert back.reason.startswith("the usual rtt changed from ")
    assert back.reason.endswith(f" ms on {moved.day} {moved:%b %Y}")
    assert life.state
    assert life.state.reason == "", "said once"
    assert life.shown().changed == back.reason, "and kept on the page"
    life.live(HOUR, flat(0.8))
    assert life.settled[-1].new is Phase.DEGRADED, "the new normal has limits of its own"


def test_a_path_that_becomes_shorter_is_the_new_normal_too() -> None:
    life = Life(every=5 * MINUTE).live(3 * WEEK, island(1, base=0.3)).live(WEEK, island(2, base=0.1))
    assert life.degraded() == []
    assert life.shown().changed.startswith("the usual rtt changed from ")
    life.live(HOUR, flat(0.4))
    assert len(life.degraded()) == 1


def test_an_evening_that_is_full_for_a_week_is_the_new_evening() -> None:
    def full(at: datetime) -> float | None:
        value = quiet(at)
        return value and value * (3 if 17 <= at.hour < 21 else 1)

    quiet = island(3)
    life = Life(every=5 * MINUTE).live(3 * WEEK, island(1)).live(2 * WEEK, full)
    assert 3 <= len(life.degraded()) <= 4
    life.settled.clear()
    assert life.live(2 * WEEK, full).degraded() == []


def test_what_comes_back_every_week_is_learned_in_its_fifth() -> None:
    def backup(at: datetime) -> float | None:
        return quiet(at) if at.weekday() != 6 or at.hour != 3 else 0.4

    quiet = island(3)
    life = Life(every=5 * MINUTE).live(3 * WEEK, island(1)).live(8 * WEEK, backup)
    assert len(life.degraded()) == 4


def test_a_bad_day_is_not_the_new_normal(taught: tuple[Learned, ...]) -> None:
    life = later(taught).live(DAY, island(4)).live(DAY, flat(0.5)).live(2 * DAY, island(5))
    assert [one.new for one in life.settled[1:]] == [Phase.DEGRADED, Phase.UP]
    assert life.shown().changed == ""
    assert life.live(HOUR, flat(0.4)).settled[-1].new is Phase.DEGRADED


def test_trouble_that_does_not_keep_still_is_not_alarmed_about_for_ever(taught: tuple[Learned, ...]) -> None:
    chance = random.Random(5)  # noqa: S311 - a simulated world
    wild = dict[int, float]()
    life = later(taught).live(HOUR, island(4))
    life.live(2 * WEEK, lambda at: wild.setdefault(int(at.timestamp()) // 3600, chance.uniform(0.25, 1.5)))
    assert life.settled[-1].new is Phase.UP
    assert 7 * DAY <= life.settled[-1].began - life.settled[1].began <= 8 * DAY


def test_a_restart_goes_on(taught: tuple[Learned, ...]) -> None:
    life = later(taught).live(HOUR, flat(0.08)).live(2 * DAY, flat(0.2))
    again = Life(saved(life), at=life.at)
    again.state = life.state
    again.usual.note([trouble(Phase.DEGRADED)])
    again.live(HOUR, flat(0.13))
    assert again.state.phase is Phase.DEGRADED, "not far enough back"
    again.live(DAY + 2 * HOUR, flat(0.2))
    assert again.settled[-1].new is Phase.UP
    assert again.settled[-1].reason.startswith("the usual rtt changed"), "two days before the restart and one after"


def test_what_was_learned_is_saved_rarely_and_a_few_at_a_time() -> None:
    usual = Baselines()
    checks = [replace(CHECK, id=f"{CHECK.id}{n}") for n in range(3 * SAVED_AT_ONCE)]
    rows: list[int] = []
    for hour in range(24):
        at = START + hour * HOUR
        for one in checks:
            part = Part(Outcome.OK, "", {"rtt_seconds": 0.06})
            usual.judge(one, Observation(one.id, one.target, "icmp", VANTAGE, at, at, 0.1, {"": part}), "", GOOD)
        rows += [len(usual.take_unsaved()) for _ in range(3)]
    assert max(rows) == SAVED_AT_ONCE
    assert sum(rows) == 3 * len(checks), "every six hours"


def test_memory_does_not_grow_with_time() -> None:
    life = Life(every=timedelta(seconds=10)).live(2 * DAY, flat(0.06))
    (series,) = life.usual._parts[NAME].series.values()
    assert len(series.looks) <= MOST
    assert sum(map(len, saved(life)[0][4:8])) == 168 * 10


@given(
    st.lists(
        st.one_of(st.floats(), st.integers(), st.integers(10**300, 10**400), st.text(max_size=3), st.booleans()),
        max_size=80,
    )
)
def test_no_value_breaks_it(values: list[Value]) -> None:
    life = Life(every=5 * MINUTE)
    for value in (0.06, 0.06, *values):
        life.look(Part(Outcome.OK, "", {"rtt_seconds": value, "if_in_octets_per_second": value}))
    for one in (*saved(life), *saved(Life(saved(life)).live(HOUR, flat(0.06)))):
        assert "NaN" not in one.facts
        assert "Infinity" not in one.facts
    assert all(one.low is None or math.isfinite(one.low) for one in life.usual.usual(NAME, life.at))


@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=MOST - 1), st.randoms())
def test_the_order_of_looks_inside_an_hour_does_not_matter(values: list[float], chance: random.Random) -> None:
    def learned(order: list[float]) -> Learned:
        series = Series(RTT, 0)
        for value in order:
            series.hear(value, GOOD, ALL)
        series.turn(1)
        return series.dump(NAME)

    assert learned(values) == learned(chance.sample(values, len(values)))


@given(st.lists(st.integers(-400, 400), max_size=40))
def test_a_clock_that_jumps_breaks_nothing(hours: list[int]) -> None:
    life = Life()
    for jump in hours:
        life.at += jump * HOUR
        life.live(5 * MINUTE, flat(0.06))
    assert life.degraded() == []


LOSSY = replace(CHECK, rule=Rule(fall=8, baselines=(Baseline("loss_ratio", 0.1, above=2.0),)))


def lossy(share: float, seed: int = 1) -> Source:
    chance = random.Random(seed)  # noqa: S311 - a simulated world
    return lambda _at: None if chance.random() < share else 0.06


class LossyLife(Life):
    CHECK = LOSSY


@pytest.fixture(scope="module")
def calm() -> tuple[Learned, ...]:
    """Two weeks in which one look of a hundred is lost."""
    return saved(LossyLife().live(2 * WEEK, lossy(0.01)))


def test_more_loss_than_usual_is_degraded_with_figures_and_ends(calm: tuple[Learned, ...]) -> None:
    life = LossyLife(calm, at=START + 2 * WEEK).live(2 * HOUR, lossy(0.01, 2))
    assert life.settled[1:] == []
    life.live(2 * HOUR, lossy(0.3, 3))
    (found,) = life.degraded()
    assert re.fullmatch(r"more loss than ever: \d\d %, usually 0 to [0-9.]+ % at this hour", found.reason)
    life.live(2 * HOUR, lossy(0.01, 4))
    assert life.settled[-1].new is Phase.UP


def test_usual_loss_and_a_short_burst_of_it_are_no_trouble(calm: tuple[Learned, ...]) -> None:
    life = LossyLife(calm, at=START + 2 * WEEK).live(2 * HOUR, lossy(0.01, 2))
    life.live(2 * MINUTE, lossy(1.0)).live(2 * HOUR, lossy(0.01, 3))
    assert life.settled[1:] == []


def test_an_outage_is_not_counted_as_loss_once_it_is_over(calm: tuple[Learned, ...]) -> None:
    life = LossyLife(calm, at=START + 2 * WEEK).live(2 * HOUR, lossy(0.01, 2))
    life.live(HOUR, lossy(1.0)).live(3 * HOUR, lossy(0.01, 3))
    assert [one.new for one in life.settled[1:]] == [Phase.DOWN, Phase.UP]


def test_what_is_asked_again_at_once_because_a_look_failed_is_not_counted_as_loss() -> None:
    loss = Loss(60.0)
    for minute in range(LOOKS):
        at = START + minute * MINUTE
        loss.take(at, lost=minute % 10 == 0)
        for second in (1, 2, 5):
            loss.take(at + timedelta(seconds=second), lost=True)
    assert loss.ratio == pytest.approx(0.1)


def test_a_clock_that_is_set_back_does_not_stop_the_count_of_loss() -> None:
    loss = Loss(60.0)
    for minute in range(LOOKS):
        loss.take(START + minute * MINUTE - (minute > 30) * 10 * HOUR, lost=minute > 30)
    assert loss.ratio == pytest.approx(29 / 60)


def test_a_refusal_is_an_answer_and_nothing_is_lost() -> None:
    usual = Baselines()
    state = GOOD
    for minute in range(LOOKS):
        part = Part(Outcome.FAILED, "refused", refused=True) if minute % 2 else Part(Outcome.OK, "", {})
        at = START + minute * MINUTE
        look = Observation(LOSSY.id, LOSSY.target, "icmp", VANTAGE, at, at, 0.1, {"": part})
        usual.judge(LOSSY, look, "", state)
    watched = usual._parts[NAME].loss
    assert watched
    assert watched.ratio == 0.0
