"""Every story is met. Those in `pending/` tell what is still to be built; nothing runs them but `lambi replay`."""

from pathlib import Path

import pytest

from monitor.config import load
from monitor.replay import story as stories
from monitor.replay.play import play

HERE = Path(__file__).parent
SHIPPED = load(None, {}).world


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in stories.find(HERE)])
def test_story(path: Path) -> None:
    played = play(stories.load(path), SHIPPED)
    assert [f"{line.at:.0f} s: {line.text}" for line in played.missed] == []


def test_there_are_stories_enough_and_each_expects_something() -> None:
    read = [stories.load(path) for path in stories.find(HERE)]
    assert len(read) >= 40
    assert all(story.expect or story.never for story in read)
