"""Charts: they draw what was measured, leave out what was not, and say the same in words."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

from monitor.store.steps import Figures, HistoryError, Step, Which
from monitor.views import CheckView
from monitor.web import chart
from monitor.web.chart import Period
from monitor.web.charts import DAY, KEPT, Charts
from tests.monitor.web import worlds
from tests.monitor.web.serving import Site
from tests.monitor.web.worlds import HOSTILE, NOW

QUARTER = timedelta(minutes=15)
PERIOD = Period(NOW - DAY, NOW, QUARTER)
NAME = ("check", "", "vantage")


def step(number: int, *, up: int = 30, failed: int = 0, unknown: int = 0, rtt: float = 0.02) -> Step:
    figures = Figures(up, up * rtt, rtt / 2, rtt * 3, rtt, rtt, rtt * 1.2, rtt * 2) if up else None
    covered = 3 if up + failed else 0
    return Step(NAME, PERIOD.since + number * QUARTER, up + failed + unknown, up, unknown, covered, figures)


def drawn(svg: str, kind: str) -> list[ElementTree.Element]:
    """Return the shapes of a class."""
    return [one for one in ElementTree.fromstring(svg).iter() if one.get("class") == kind]  # noqa: S314 - ours


def label(svg: str) -> str:
    return ElementTree.fromstring(svg).get("aria-label") or ""  # noqa: S314 - ours


def test_a_day_of_answers_is_one_line_with_two_bands() -> None:
    svg = chart.latency("icmp 192.0.2.1", [step(n) for n in range(96)], PERIOD)
    assert [len(drawn(svg, kind)) for kind in ("ch-mid", "ch-most", "ch-all", "ch-lost", "ch-none")] == [1, 1, 1, 0, 0]
    assert label(svg) == (
        "Answer times of icmp 192.0.2.1. In the last 1 d 100 % of 2880 looks answered; "
        "looked in 100 % of the time; typically 20 ms, at worst 60 ms."
    )


def test_no_line_leads_over_what_was_not_seen() -> None:
    steps = [*(step(n) for n in range(20)), *(step(n, up=0, unknown=30) for n in range(20, 30)), step(40), step(41)]
    svg = chart.latency("x", steps, PERIOD)
    assert (len(drawn(svg, "ch-mid")), len(drawn(svg, "ch-none"))) == (2, 10)
    assert "300 more are unknown" in label(svg)


def test_what_was_lost_is_drawn_and_told_for_each_stretch() -> None:
    svg = chart.latency("x", [step(0), step(1, up=29, failed=1)], PERIOD)
    (lost,) = drawn(svg, "ch-lost")
    assert [title.text for title in lost] == ["12:15 to 12:30 UTC: 96.67 % of 30 looks answered"]


def test_a_bar_is_full_only_when_all_answered_and_unknown_counts_for_nothing() -> None:
    steps = [
        step(0),
        step(1, up=2_999, failed=1),
        step(2, up=10, unknown=20),
        step(3, up=0, unknown=5),
        step(4, up=0, failed=9),
    ]
    svg = chart.bars("x", steps, PERIOD)
    heights = [float(one.get("height") or 0) for one in drawn(svg, "ch-up")]
    assert heights == [chart.BAR, chart.BAR - 2, chart.BAR]
    assert len(drawn(svg, "ch-lost")) == 2
    assert len(drawn(svg, "ch-none")) == 1


def test_nothing_to_see_is_said() -> None:
    assert label(chart.bars("x", [step(0, up=0, unknown=9)], PERIOD)).endswith("In the last 1 d nobody could look.")


def rate(number: int, low: float, high: float) -> Step:
    mean = (low + high) / 2
    return Step(NAME, PERIOD.since + number * QUARTER, 15, 15, 0, 3, Figures(15, 15 * mean, low, high, *[mean] * 4))


def test_traffic_is_two_lines_in_bits_and_words() -> None:
    back = [rate(n, 1_000, 3_000) for n in range(40)]
    svg = chart.lines(
        "snmp 192.0.2.1 eth0",
        "if_in_octets_per_second",
        [("in ", [rate(n, 100_000, 400_000) for n in range(40)]), ("out ", back[:10] + back[20:])],
        PERIOD,
    )
    assert [len(drawn(svg, kind)) for kind in ("ch-mid", "ch-back", "ch-all")] == [1, 2, 3]
    assert label(svg) == (
        "Traffic of snmp 192.0.2.1 eth0. In the last 1 d in typically 2 Mbit/s, all 0.8 to 3.2 Mbit/s; "
        "out typically 16 kbit/s, all 8 to 24 kbit/s."
    )


def test_visibility_has_a_scale_from_nothing_and_shows_where_nobody_could_look() -> None:
    steps = [*(rate(n, 38, 40) for n in range(9)), *(step(n, up=0, unknown=15) for n in range(9, 12)), rate(12, 0, 0)]
    svg = chart.lines("bgp BB", "prefixes_visible", [("", steps)], PERIOD)
    assert (len(drawn(svg, "ch-mid")), len(drawn(svg, "ch-none"))) == (2, 3)
    assert label(svg) == "Visible prefixes of bgp BB. In the last 1 d typically 39, all 0 to 40."
    empty = chart.lines("bgp BB", "prefixes_visible", [("", [])], PERIOD)
    assert label(empty).endswith("nothing was measured.")


async def test_a_check_whose_values_are_lines_has_them_drawn() -> None:
    (check, *_) = worlds.calm().assets["cctld:bb"].checks
    for kind, asked, shown in (("bgp", 3, "Visible prefixes of bgp"), ("snmp", 4, "Traffic of snmp")):
        history = FakeHistory(check.check)
        (found,) = await Charts(history).of("a", [replace(check, kind=kind)], NOW)
        assert history.asked == asked
        assert shown in (found.line or "")


def test_a_hostile_name_stays_text() -> None:
    svg = chart.latency(HOSTILE, [step(0)], PERIOD)
    assert "<script" not in svg
    assert "\n" not in svg
    assert "alert(1)" in label(svg)


def test_the_scale_is_round_and_above_the_values() -> None:
    for value in (0.0000012, 0.0007, 0.02, 0.99, 1.0, 73.0):
        assert value <= chart._nice(value) <= 10.01 * value


class FakeHistory:
    """Answers for one check, and counts the questions."""

    def __init__(self, check: str) -> None:
        self.check, self.asked = check, 0

    async def downsample(
        self,
        key: str,
        since: object,
        until: object,
        step: timedelta,
        which: Which = Which(),  # noqa: B008 - frozen
    ) -> list[Step]:
        self.asked += 1
        if not which.takes((self.check, "", "v")):
            return []
        rtt = 0.02
        figures = Figures(30, 0.6, rtt, rtt, rtt, rtt, rtt, rtt) if key else None
        return [Step((self.check, "", "v"), NOW - QUARTER, 30, 29, 0, 3, figures)]


async def test_the_page_of_an_asset_shows_its_charts_and_draws_them_once_a_minute() -> None:
    snapshot = worlds.calm()
    check: Sequence[CheckView] = snapshot.assets["cctld:bb"].checks
    history = FakeHistory(check[0].check)
    async with Site(snapshot, measured=history) as site:
        page = await site.text("/asset/cctld:bb")
        site.clock.elapsed += 5
        await site.text("/asset/cctld:bb")
        other = await site.text("/asset/cable:ecfs")
    assert len(re.findall('<svg class="ch"', page)) == 2
    assert "Answer times of the last 24 hours" in page
    assert history.asked == 2, "asked again, or for an asset that has no checks"
    assert "What was measured" not in other


async def test_where_nothing_is_stored_yet_it_is_asked_for_again() -> None:
    history = FakeHistory("none")
    charts = Charts(history)
    for _ in range(2):
        assert await charts.of("a", worlds.calm().assets["cctld:bb"].checks, NOW) == []
    assert history.asked == 4


class Away(FakeHistory):
    """Cannot be asked now."""

    async def downsample(self, *_: object) -> list[Step]:
        self.asked += 1
        raise HistoryError("influx.example is away")


async def test_a_history_that_is_away_is_said_on_the_page_and_left_alone_for_a_minute() -> None:
    history = Away("none")
    async with Site(worlds.calm(), measured=history) as site:
        assert "It cannot be shown now: influx.example is away." in await site.text("/asset/cctld:bb")
        site.clock.elapsed += 5
        await site.text("/asset/cctld:bb")
    assert history.asked == 1


async def test_the_charts_of_few_assets_are_kept() -> None:
    checks = worlds.calm().assets["cctld:bb"].checks
    charts = Charts(FakeHistory(checks[0].check))
    for number in range(2 * KEPT):
        await charts.of(f"a{number}", checks, NOW)
    assert len(charts._kept) <= KEPT
