"""kill -9 around the commits of a story: the incident goes on, nothing is lost, only what was in flight is repeated.

Several daemons watch the same cut side by side, each killed around another commit and started again on what it left.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import pytest

from tests.lab.archipelago import Archipelago
from tests.lab.dying import MILESTONES
from tests.lab.net import LabError
from tests.lab.victim import Point, Victim

pytestmark = pytest.mark.lab
SIDE_BY_SIDE = 6
PATIENCE = 90.0
"""Seconds; nothing waits so long but what has failed."""
TELLING: tuple[Point, ...] = (
    ("before", "opened"),
    ("after", "opened"),
    ("after", "claimed"),
    ("before", "answered"),
    ("after", "closed"),
    ("before", "end-answered"),
)
"""Doubt lost, verdict kept, not sent, sent and not known, end kept, end sent and not known."""
OTHERS = [point for point in itertools.product(("before", "after"), MILESTONES) if point not in TELLING]


def tend_until(victims: Sequence[Victim], condition: Callable[[Victim], bool], what: str) -> None:
    """Bring back whoever dies, until the condition holds for each."""

    def holds(victim: Victim) -> bool:
        victim.tend()
        try:
            return condition(victim)
        except OSError:
            return False  # it does not answer yet

    deadline = time.monotonic() + PATIENCE
    while missing := [victim for victim in victims if not holds(victim)]:
        if time.monotonic() > deadline:
            stories = "\n\n".join(victim.story() for victim in missing)
            raise LabError(f"after {PATIENCE:g} s still not: {what}\n{stories}")
        time.sleep(0.2)


def tell(lab: Archipelago, points: Sequence[Point]) -> list[Point]:
    """Cut the cable and heal it before the eyes of one victim for each point; return those points that exist."""
    with ExitStack() as stack:
        victims = []
        for number, point in enumerate(points, 1):
            victims.append(Victim(lab, number, point))
            stack.callback(victims[-1].kill)
        tend_until(victims, Victim.whole, "everything is up")
        for victim in victims:
            victim.arm()
        lab.cut("bon1")
        tend_until(victims, Victim.broken, "everybody has been told of the cut")
        lab.heal("bon1")
        tend_until(victims, Victim.over, "everybody has been told of the end")
        for victim in victims:
            judge(victim)
        return [point for victim, point in zip(victims, points, strict=True) if victim.reborn]


def judge(victim: Victim) -> None:
    try:
        victim.check()
        victim.stop()
    except (AssertionError, ValueError) as error:
        raise AssertionError(f"{error}\n{victim.story()}") from error


def test_the_incident_goes_on_after_a_kill(lab: Archipelago) -> None:
    assert tell(lab, TELLING) == list(TELLING)


@pytest.mark.soak
def test_killed_around_every_milestone(lab: Archipelago) -> None:
    for at in range(0, len(OTHERS), SIDE_BY_SIDE):
        points = OTHERS[at : at + SIDE_BY_SIDE]
        assert tell(lab, points) == points


@pytest.mark.soak
def test_killed_around_every_commit(lab: Archipelago) -> None:
    """Stories differ in how many commits they have: it goes on until no victim finds the commit of its number."""
    died = 0
    for first in itertools.count(1, SIDE_BY_SIDE // 2):
        numbers = map(str, range(first, first + SIDE_BY_SIDE // 2))
        found = tell(lab, list(itertools.product(("before", "after"), numbers)))
        died += len(found)
        print(f"{died} deaths, up to commit {first + SIDE_BY_SIDE // 2 - 1}")
        if not found:
            break
    assert died > SIDE_BY_SIDE
