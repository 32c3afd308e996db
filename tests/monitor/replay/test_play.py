"""What is expected is held against what came; what was missed says what came instead."""

from pathlib import Path

import pytest

from monitor.config import load as load_config
from monitor.replay.play import Played, play
from monitor.replay.story import load

SHIPPED = load_config(None, {}).world
CUT = """
story: a cable and what stands behind it
hold: 0s
watch:
  cable:a: in AG
  site:s{1..2}: in AG; needs cable:a
events:
  - 60s cut cable:a
  - 200s heal everything
"""


def played(tmp_path: Path, text: str, head: str = CUT) -> Played:
    path = tmp_path / "story.yaml"
    path.write_text(head + text)
    return play(load(path), SHIPPED)


@pytest.mark.parametrize(
    "text",
    [
        "expect: {at 120s: 'cable:a critical, silent 2', from 10s to 60s: nothing, by 300s: nothing}",
        "expect: {by 90s: cable:a, at 30s: {told: 0}, at 90s: {told: 1}}",
        "expect: {at 120s: {states: {'site:*': unreachable, cable:a: down}}}",
        "never: [an incident of site:*, cable:a is degraded]",
        "told: 2\nincidents: 1",
    ],
)
def test_what_comes_is_met(tmp_path: Path, text: str) -> None:
    went = played(tmp_path, text)
    assert went.missed == []
    assert any(line.kind == "met" for line in went.lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("expect: {at 120s: nothing}", "at 120s: cable:a (critical) open as well"),
        ("expect: {at 120s: cable:a major}", "cable:a is critical, not major"),
        ("expect: {at 120s: 'cable:a, silent 3'}", "2 stand silently behind cable:a, not 3"),
        ("expect: {at 120s: cable:a; site:s1}", "no incident of site:s1"),
        ("expect: {by 62s: cable:a}", "by 62s: no incident of cable:a"),
        ("expect: {from 10s to 90s: nothing}", "from 10s to 90s: cable:a (critical) open as well"),
        ("expect: {at 120s: {states: {'site:*': up}}}", "site:s1, site:s2 is unreachable, not up"),
        ("expect: {at 120s: {told: 3}}", "1 messages, not 3"),
        ("never: [an incident of cable:a]", "never an incident of cable:a: cable:a had one"),
        ("never: ['site:* is unreachable']", "never site:* is unreachable: site:s"),
        ("told: 7", "7 messages in all, 2 came"),
        ("incidents: 0", "0 incidents in all, 1 came"),
    ],
)
def test_what_does_not_come_is_missed(tmp_path: Path, text: str, words: str) -> None:
    assert words in "; ".join(line.text for line in played(tmp_path, text).missed)


def test_the_timeline_is_in_order_and_the_same_each_time(tmp_path: Path) -> None:
    one, two = (played(tmp_path, "told: 2") for _ in range(2))
    assert one.lines == two.lines
    assert [line.at for line in one.lines] == sorted(line.at for line in one.lines)
    assert [line.kind for line in one.lines if line.kind in {"event", "opened", "closed"}] == [
        "event",
        "opened",
        "event",
        "closed",
    ]


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ("30s cut router:r over IPv6", "degraded"),
        ("30s cut cable:c", "down"),
        ("30s lose 100% of cable:c", "down"),
        ("30s refuse router:r", "down"),
        ("30s refuse cable:c", "up"),
        ("30s slow cable:c to 3s", "down"),
        ("30s slow router:r to 1s", "up"),
        ("30s cut router:r for 4s", "up"),
        ("30s cut cable:other", "up"),
        ("30s vantage:here says all is down", "down"),
    ],
)
def test_the_world_obeys_the_sentence(tmp_path: Path, events: str, state: str) -> None:
    head = """
story: s
watch:
  cable:c: watched
  cable:other: watched
  router:r: needs cable:c (unknown); needs any of cable:other, cable:third (unknown); over both; every 5s
"""
    expected = f"expect: {{at 90s: {{states: {{router:r: {state}}}}}}}"
    assert played(tmp_path, f"events: [{events}]\n{expected}", head).missed == []
