"""A story's file says what is wrong with it, at its line."""

from pathlib import Path

import pytest

from alerting.model import Severity
from monitor.config import ConfigError
from monitor.replay.sentences import Need, Wanted, read_event, read_open, read_watch, seconds
from monitor.replay.story import Story, load

HEAD = "story: a story\nwatch:\n  cable:a: in AG\n  router:r{1..3}: needs any of cable:a, landing:l\n"


def story(tmp_path: Path, text: str) -> Story:
    path = tmp_path / "story.yaml"
    path.write_text(HEAD + text)
    return load(path)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("evnts: []\n", 5, 'did you mean "events"?'),
        ("events: [60s cutt cable:a]\n", 5, "is no event"),
        ("events: [60x cut cable:a]\n", 5, '"60x" is not a duration'),
        ("events:\n  - 60s cut cable:a\n  - 70s cut cable:b\n", 7, '"cable:b" is in no line of watch'),
        ("events: [60s flap cable:a]\n", 5, "flapping needs it"),
        ("events: [60s flap cable:a every 5s]\n", 5, "for how long"),
        ("events: [60s pause]\n", 5, "for how long"),
        ("events: [60s lose 300% of cable:a]\n", 5, "is not a share"),
        ("events: [60s cut cable:a from vantage:moon]\n", 5, '"vantage:moon" is in no line of watch'),
        ("expect: {at 9s: cable:b}\n", 5, '"cable:b" is in no line of watch'),
        ("expect:\n  at 9s: nothing\n  on 9s: nothing\n", 7, '"on 9s" is not a time'),
        ("expect: {from 9s to 3s: nothing}\n", 5, "ends before it begins"),
        ("expect: {at 9s: cable:a terrible}\n", 5, "is no incident"),
        ("expect:\n  at 9s:\n    states: {cable:a: upp}\n", 7, 'did you mean "up"?'),
        ("never: [cable:a was down]\n", 5, "is not what must not come"),
        ("never: [cable:x is down]\n", 5, '"cable:x" is in no line of watch'),
        ("told: many\n", 5, "not a whole number"),
        ("every: 0s\n", 5, "greater than 0"),
    ],
)
def test_a_fault_is_told_at_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as told:
        story(tmp_path, text)
    assert told.value.problems[0].line == line
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("watch", "words"),
    [
        ("cable:a: in AG, in BB extra; perhaps", "says nothing of an asset"),
        ("cabel:a: watched", "is of no kind that is known"),
        ("cable:a: needs cable:b; cable:b", "says nothing of an asset"),
        ("cable:a: needs cable:b (maybe)", "is not what an asset needs"),
        ("cable:a: needs 5 of cable:b, cable:c=2", "does not say what each weighs"),
        ("cable:a: needs cable:b (until noon)", '"noon" is not a duration'),
        ("cable:a: needs router:b\n  router:b: needs cable:a", "needs itself: "),
    ],
)
def test_a_wrong_asset_is_told(tmp_path: Path, watch: str, words: str) -> None:
    path = tmp_path / "story.yaml"
    path.write_text(f"story: s\nwatch:\n  {watch}\n")
    with pytest.raises(ConfigError, match=r"story.yaml:[234]") as told:
        load(path)
    assert words in str(told.value)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        story(tmp_path, "events: [1s sing]\nnever: [everything]\ntold: x\n")
    assert [problem.line for problem in told.value.problems] == [5, 6, 7]


def test_a_range_is_written_out(tmp_path: Path) -> None:
    read = story(tmp_path, "events: [60s cut router:*]\n")
    assert read.matching("router:*") == ["router:r1", "router:r2", "router:r3"]
    assert read.assets == ("cable:a", "router:r1", "router:r2", "router:r3", "landing:l")
    assert read.length == 120


def test_sentences_are_read() -> None:
    event = read_event("t+90s cut cable:a, router:b over IPv6 from vantage:x for 1h30m")
    assert (event.at, event.what, event.family) == (90.0, ("cable:a", "router:b"), 6)
    assert (event.vantage, event.lasts) == ("vantage:x", 5400.0)
    assert read_event("2m clock -1h").amount == -3600
    watch = read_watch("in AG, DM; needs cable:a (a guess); serves cctld:ag; over both; every 30s; named Two Words")
    assert watch.needs == (Need(("cable:a",), confirmed=False),)
    heavy = read_watch("needs 10 of cable:a=6, cable:b=8.5 (not true); needs cable:c (from 1m until 5m); local")
    assert heavy.needs == (
        Need(("cable:a", "cable:b"), "weight", true=False, weights=(6.0, 8.5), at_least=10.0),
        Need(("cable:c",), since=60.0, until=300.0),
    )
    assert heavy.local
    assert read_open("cable:a major, silent 3; router:b") == (
        Wanted("cable:a", Severity.MAJOR, 3),
        Wanted("router:b"),
    )
    assert (watch.families, watch.every, watch.name) == ((4, 6), 30.0, "Two Words")
    assert [seconds(text) for text in ("90s", "1h5m", "t+45s", "1.5m")] == [90, 3900, 45, 90]
