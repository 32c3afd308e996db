"""kill -9 around the commits of a story: the incident goes on, nothing is lost, only what was in flight is repeated.

Several daemons watch the same cut side by side, each killed around another commit and started again on what it left.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import count, product

import pytest

from tests.lab.archipelago import Archipelago
from tests.lab.dying import MILESTONES
from tests.lab.net import LabError
from tests.lab.victim import VICTIMS, Point, Victim

pytestmark = pytest.mark.lab
SIDE_BY_SIDE = 6
PATIENCE = 90.0
"""Seconds; nothing waits so long but what has failed."""
TELLING: tuple[Point, ...] = (
    ("hub", "before", "opened"),
    ("hub", "after", "claimed"),
    ("hub", "before", "answered"),
    ("hub", "after", "closed"),
    ("bon", "after", "opened"),
    ("bon", "before", "end-answered"),
)
"""Verdict lost, message not sent, sent and not known, end kept; waits for the way out, left and not known."""
OTHERS = [point for point in product(VICTIMS, ("before", "after"), MILESTONES) if point not in TELLING]


def tend_until(victims: Sequence[Victim], condition: Callable[[Victim], bool], what: str) -> None:
    """Bring back whoever dies, until the condition holds for each."""

    def holds(victim: Victim) -> bool:
        victim.tend()
        try:
            return condition(victim)
        except OSError as error:  # it does not answer yet
            victim.silence = repr(error)
            return False

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
            victims.append(VICTIMS[point[0]](lab, number, point))
            stack.callback(victims[-1].kill)
        tend_until(victims, lambda victim: victim.whole(), "everything is up")
        for victim in victims:
            victim.arm()
        lab.cut("bon1")
        tend_until(victims, lambda victim: victim.broken(), "everybody has been told of the cut")
        lab.heal("bon1")
        tend_until(victims, lambda victim: victim.over(), "everybody has been told of the end")
        for victim in victims:
            judge(victim)
        return [point for victim, point in zip(victims, points, strict=True) if victim.reborn]


def judge(victim: Victim) -> None:
    try:
        victim.check()
        victim.stop()
    except (AssertionError, ValueError) as error:
        raise AssertionError(f"{error}\n{victim.story()}") from error


@pytest.mark.timeout(300)  # where it fails, it says why before that
def test_the_incident_goes_on_after_a_kill(lab: Archipelago) -> None:
    assert tell(lab, TELLING) == list(TELLING)


@pytest.mark.soak
def test_killed_around_every_milestone(lab: Archipelago) -> None:
    for at in range(0, len(OTHERS), SIDE_BY_SIDE):
        points = OTHERS[at : at + SIDE_BY_SIDE]
        assert tell(lab, points) == points


@pytest.mark.soak
@pytest.mark.parametrize("vantage", VICTIMS)
def test_killed_around_every_commit(lab: Archipelago, vantage: str) -> None:
    """Stories differ in how many commits they have: it goes on until no victim finds the commit of its number."""
    died = 0
    for first in count(1, SIDE_BY_SIDE // 2):
        numbers = [str(first + number) for number in range(SIDE_BY_SIDE // 2)]
        found = tell(lab, list(product([vantage], ("before", "after"), numbers)))
        died += len(found)
        print(f"{vantage}: {died} deaths, up to commit {numbers[-1]}")
        if not found:
            break
    assert died > SIDE_BY_SIDE
