"""The rest of Alertmanager's scenarios: what a source reports, what a receiver refuses, a start in the middle of it.

As in test_scenarios.py, what Alertmanager sends stands beside each. Where it repeats within a second to show what it
knows, ours says only what is new.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from alerting.foreign import Posted
from alerting.journal import Journal
from alerting.model import RefusedError, UnansweredError
from tests.alerting.test_foreign_book import Station
from tests.alerting.test_foreign_book import people as by_sms
from tests.alerting.test_scenarios import Message, Stage, alert, group, people, sent
from tests.fakes import START


class Reports:
    """Posts reports at their seconds and reads from the journal what left."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.events: list[tuple[float, Posted]] = []

    def at(self, seconds: float, name: str, began: float, ended: float | None = None, **notes: str) -> "Reports":
        """Let a source report at a second; without an end, as one that goes on."""
        until = START + timedelta(seconds=seconds + 300 if ended is None else ended)
        posted = Posted({"alertname": name}, notes, START + timedelta(seconds=began), until, ended is not None)
        self.events.append((seconds, posted))
        return self

    async def play(self, until: float, step: float = 0.1) -> list[Message]:
        clock, waiting = self.station.clock, list(self.events)
        for tick in range(round(until / step) + 1):
            clock.elapsed = round(tick * step, 3)
            while waiting and waiting[0][0] <= clock.elapsed:
                await self.station.book.take([waiting.pop(0)[1]], clock.now())
            await self.station.pass_time(0)
        return await sent(self.station.journal)


@pytest.fixture
async def reports(tmp_path: Path) -> AsyncIterator[Reports]:
    station = await Station(tmp_path, by_sms(group_by=(), group_wait=1, group_interval=1)).start()
    yield Reports(station)
    await station.journal.close()


async def test_merge(reports: Reports) -> None:
    """Alertmanager: 2, 3 {start1}; 4 (newest annotations, earliest start); 5 resolved 1-4.8; 6 {start5}, another alert.

    Ours: 2; the end at once; what comes back so soon is the same alert, open again, so that its number stays what
    people know. What comes in late about the time before changes nothing.
    """
    reports.at(1, "t", 1.1).at(1.2, "t", 1).at(2.1, "t", 2, summary="v1").at(3.6, "t", 1.5, summary="v2")
    reports.at(4.6, "t", 3, 4.5, summary="v3").at(4.8, "t", 2.9, 4.8).at(4.8, "t", 2.9, 4.1).at(
        5.3, "t", 5, summary="v5"
    )
    assert await reports.play(7) == [(2, "noc", "X1+"), (4.6, "noc", "X1-"), (6.3, "noc", "X1+")]
    first, over, again = reports.station.said
    assert "since 08:00 AST" in first
    assert "v3" in over
    assert "v5" in again
    known = reports.station.book.source("X1")
    assert known is not None
    assert known.began == START + timedelta(seconds=1), "the earliest beginning"


async def test_the_newest_words_leave(reports: Reports) -> None:
    """Alertmanager: the newest annotations at each flush. Ours: the same, for the text is made when it leaves."""
    reports.at(1, "t", 1, summary="old words").at(1.5, "t", 1, summary="new words")
    assert await reports.play(3) == [(2, "noc", "X1+")]
    assert "new words" in reports.station.said[0]


async def test_resolved_by_timeout(tmp_path: Path) -> None:
    """Alertmanager, 10 s: 2 {v1 v2 v3}; 12 all resolved, 1 to 11. Ours: the same, with its default of five minutes."""
    station = await Station(tmp_path, by_sms(group_by=(), group_wait=1, group_interval=5)).start()
    reports = Reports(station).at(1, "v1", 1).at(1, "v2", 1).at(1, "v3", 1)
    found = await reports.play(302, step=0.5)
    assert found == [(2, "noc", "X1+ X2+ X3+"), (301, "noc", "X1- X2- X3-")]
    await station.journal.close()


async def test_three_that_report_the_same_are_one(reports: Reports) -> None:
    """Alertmanager, three peers that are all fed: one at 2. Ours: reported three times, it is told once."""
    reports.at(1, "t", 1).at(1, "t", 1).at(1.1, "t", 1)
    assert await reports.play(8) == [(2, "noc", "X1+")]


async def test_cold_start(journal: Journal) -> None:
    """Alertmanager, with a start delay of 5: 4 {a b}; 11 all four. It waits, for it has forgotten what it has told.

    Ours: 1 {a}, for an old alert does not wait; 7 the others: it remembers what it has told, and waits for nobody.
    """

    async def restart(stage: Stage) -> None:
        stage.office.reborn()

    stage = Stage(journal, people(group(interval=6, repeat=600))).at(1, alert("a", -100)).at(2, alert("b", 2))
    stage.at(5, restart).at(6, alert("c", -100)).at(7, alert("d", 7))
    assert await stage.play(12) == [(1, "r", "a+"), (7, "r", "b+ c+ d+")]


async def failing(stage: Stage, error: Exception, tries: int) -> None:
    stage.providers["r"].errors.extend([error] * tries)


async def test_a_receiver_that_does_not_answer_in_time(journal: Journal) -> None:
    """Alertmanager, half a second of patience: tries again at once, exactly one at 3 to 4 where the first was dropped.

    Ours: once too, marked (repeat): who did not answer may have it, so it waits longer.
    """
    stage = Stage(journal, people(group(interval=60))).at(1, alert("t", 1))
    await failing(stage, UnansweredError("no answer"), 1)
    [(at, _, told)] = await stage.play(40)
    assert (2 < at <= 17, told) == (True, "t+")
    assert "(repeat)" in stage.providers["r"].bodies[0]


async def test_a_receiver_that_refuses(journal: Journal) -> None:
    """Alertmanager, 400 until 6: 2, 4, 6 told: again at each interval. Ours: again, ever more rarely; the next channel
    of somebody who has one is tried at once."""
    stage = Stage(journal, people(group(interval=2))).at(1, alert("t", 1))
    await failing(stage, RefusedError("answered 400"), 1)
    [(at, _, told)] = await stage.play(40)
    assert (6 <= at <= 36, told) == (True, "t+")
    assert stage.providers["r"].tries == 2


async def test_what_is_refused_for_a_day_is_tried_within_reason(journal: Journal) -> None:
    stage = Stage(journal, people(group())).at(1, alert("t", 1))
    await failing(stage, RefusedError("answered 400"), 10_000)
    await stage.play(20 * 3600, step=20)
    assert 60 < stage.providers["r"].tries < 300
    assert [(state, why) for _, state, why in await stage.ends()] == [("planned", "")]
