"""The benchmark of the replay does the work that the issue names, and Lambi tells the truth. No time is judged."""

from bench.replay import HOURS, run, story
from monitor.config import load
from monitor.replay.world import build


def test_the_work_is_what_the_issue_names() -> None:
    world = build(story(5000, hours=HOURS, lively=False), load(None, {}).world)
    checks = [check for check in world.checks.values() if not check.reference]
    assert len(checks) * HOURS * 3600 / checks[0].every == 3_000_000
    assert {check.every for check in checks} == {60.0}


def test_in_a_lively_hour_every_cause_is_told_once() -> None:
    replay, _ = run(story(400, hours=0.5, lively=True), 0.5)
    opened = [change.incident.asset for _, change in replay.record.changes if change.what == "opened"]
    assert opened == ["router:r0", "router:r1", "router:r0"]
    assert replay.record.looks >= 400 * 30
