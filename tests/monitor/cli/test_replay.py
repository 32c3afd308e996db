"""`lambi replay`."""

import json
from pathlib import Path

from tests.monitor.cli.conftest import Lambi

STORY = """
story: a router goes
watch:
  router:r: in AG
events:
  - 60s cut router:r
expect:
  at 90s: {}
"""


def write(folder: Path, name: str, expected: str) -> Path:
    path = folder / name
    path.write_text(STORY.format(expected))
    return path


async def test_a_story_that_is_met_ends_with_0_and_shows_its_timeline(lambi: Lambi, tmp_path: Path) -> None:
    said = await lambi("replay", write(tmp_path, "a.yaml", "router:r major"))
    assert said.code == 0
    assert "t+1:00\tevent\tcut router:r" in said.out
    assert "t+1:30\tmet\tat 90s: open: router:r major" in said.out


async def test_a_missed_expectation_ends_with_1(lambi: Lambi, tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "router:r")
    write(tmp_path, "b.yaml", "nothing")
    said = await lambi("replay", tmp_path)
    assert said.code == 1
    assert "met\t" in said.out
    assert "at 90s: router:r (major) open as well" in said.out


async def test_json_holds_the_timeline(lambi: Lambi, tmp_path: Path) -> None:
    said = await lambi("replay", write(tmp_path, "a.yaml", "nothing"), "--json")
    [fact] = json.loads(said.out)["stories"]
    assert (said.code, fact["met"], fact["incidents"], fact["told"]) == (1, False, 1, 1)
    assert {"seconds": 60.0, "what": "event", "text": "cut router:r"} in fact["timeline"]


async def test_what_cannot_be_read_is_told_with_its_line(lambi: Lambi, tmp_path: Path) -> None:
    said = await lambi("replay", write(tmp_path, "a.yaml", "router:q"))
    assert said.code == 2
    assert 'a.yaml:8: expect.at 90s: "router:q" is in no line of watch; did you mean "router:r"?' in said.err
    said = await lambi("replay", tmp_path / "none.yaml")
    assert said.code == 2
    assert "No such file" in said.err
    (tmp_path / "empty").mkdir()
    assert (await lambi("replay", tmp_path / "empty")).code == 2


async def test_a_demo_without_its_story_ends_with_2(lambi: Lambi, tmp_path: Path) -> None:
    said = await lambi("demo", tmp_path / "none.yaml")
    assert said.code == 2
    assert "No such file" in said.err
