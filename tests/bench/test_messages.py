"""What the benchmarks of messages measure is alerting as it is: each does its work, small. No time is judged."""

from pathlib import Path

from bench.alertmanager_side_by_side import Feed, Run, Scenario, feed_ours
from bench.office import WHAT


async def test_a_storm_is_two_messages(tmp_path: Path) -> None:
    found = await WHAT["storm"](tmp_path, {"targets": 120, "contacts": 2})
    assert (found["most"], found["mails"]) == (2, 2)


async def test_ladders_wait_through_the_hour(tmp_path: Path) -> None:
    assert (await WHAT["idle"](tmp_path, {"ladders": 3}))["waits"] == 3


async def test_ours_tells_beside_alertmanager(tmp_path: Path) -> None:
    scenario = Scenario("repeat", "one alert that ends", (Feed(0.1, "t", 0.1), Feed(0.9, "t", 0.1, 0.9)), 0.2, 0.2)
    run = Run()
    await feed_ours(run, scenario, tmp_path, 2.0)
    told = [words for _, words in run.ours.get("repeat", [])]
    assert told == ["t+", "t-"]
