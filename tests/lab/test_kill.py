"""kill -9 around the commits of a story: the incident goes on, nothing is lost, only what was in flight is repeated.

Several daemons watch the same cut side by side, each killed around another commit and started again on what it left.
"""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.counts import soak
from tests.lab.archipelago import Archipelago
from tests.lab.lambi import Lambi
from tests.lab.net import LabError

pytestmark = [pytest.mark.lab, pytest.mark.soak]
DYING = ("-m", "tests.lab.dying")
SIDE_BY_SIDE = 5
STORY = 40
POINTS = soak(ci=5, soak=STORY)
"""How many of the story's commits (about 38) are tried; in the soak, with death before each and after each."""
SPREAD = STORY // POINTS


class Victim(Lambi):
    """A daemon that is killed once and started again at once."""

    def __init__(self, lab: Archipelago, number: int, commit: int, when: str) -> None:
        super().__init__(lab, "hub", f"victim{commit}{when}", number)
        self.reborn = False
        self.start(DYING, str(commit), when)

    def arm(self) -> None:
        """From now on its commits are counted."""
        (self.config / "armed").touch()

    def tend(self) -> bool:
        """Start it again if it has been killed; return whether that has happened."""
        if not self.reborn and self.killed():
            self.start()
            self.reborn = True
        return self.reborn

    def broken(self) -> bool:
        """Whether it knows of the cut and its contact does."""
        mails, texts = self.told()
        return min(mails, texts) >= 1 and any(one["open"] for one in self.incidents())

    def over(self) -> bool:
        """Whether it knows that all is well, and its contact does, and it has been killed."""
        ends = [mail for mail in self.mails() if "OVER" in str(mail.message["Subject"])]
        texts = [sms for sms in self.texts() if " OVER" in sms.text]
        return self.reborn and bool(ends and texts) and not any(one["open"] for one in self.incidents())


def tend_until(victims: list[Victim], condition: Callable[[Victim], bool], seconds: float, what: str) -> None:
    """Bring back whoever dies, until the condition holds for each."""

    def holds(victim: Victim) -> bool:
        victim.tend()
        try:
            return condition(victim)
        except OSError:
            return False  # it does not answer yet

    deadline = time.monotonic() + seconds
    while missing := [victim for victim in victims if not holds(victim)]:
        if time.monotonic() > deadline:
            one = missing[0]
            raise LabError(
                f"{one.name}: after {seconds:g} s still not: {what}; it told {one.told()}\n{one.log()[-4000:]}"
            )
        time.sleep(0.05)


def batches() -> list[list[tuple[int, str]]]:
    """Return the points of death, those that run side by side together."""
    commits = range(1 + SPREAD // 2, 1 + SPREAD * POINTS, SPREAD)
    points = [(commit, ("before", "after")[at % 2]) for at, commit in enumerate(commits)]
    if POINTS > SIDE_BY_SIDE:
        points = [(commit, when) for commit in commits for when in ("before", "after")]
    return [points[at : at + SIDE_BY_SIDE] for at in range(0, len(points), SIDE_BY_SIDE)]


@pytest.mark.parametrize("points", batches(), ids=lambda points: f"{points[0][0]}-{points[-1][0]}")
def test_the_incident_goes_on(lab: Archipelago, points: list[tuple[int, str]]) -> None:
    with ExitStack() as stack:
        victims = []
        for number, (commit, when) in enumerate(points, 1):
            victims.append(Victim(lab, number, commit, when))
            stack.callback(victims[-1].kill)
        for victim in victims:
            victim.wait_all_up()
            victim.arm()
        lab.cut("bon1")
        tend_until(victims, Victim.broken, 45, "everybody has been told of the cut")
        lab.heal("bon1")
        tend_until(victims, Victim.over, 60, "everybody has been killed, and told of the end")
        for victim in victims:
            check(victim)
            victim.stop()


def check(victim: Victim) -> None:
    """One incident with one id; first news and the end, each once, and again only if it was in flight, marked."""
    (incident,) = victim.incidents()
    assert (incident["id"], incident["asset"], incident["open"]) == ("1", "cable:bon1", False)
    rows = victim.read("SELECT channel, reason, state FROM notification ORDER BY channel, reason")
    assert rows == [(f"lab-{way}", reason, "accepted") for way in ("mail", "sms") for reason in ("first", "resolved")]
    for way, said in (
        ("mail", [str(mail.message["Subject"]) for mail in victim.mails()]),
        ("sms", [sms.text for sms in victim.texts()]),
    ):
        channels = [channel for (channel,) in victim.read("SELECT channel FROM attempt WHERE repeats IS NOT NULL")]
        in_flight = channels.count(f"lab-{way}")
        marked = Counter("(repeat)" in text for text in said)
        assert in_flight <= 1, said
        assert marked[True] == in_flight, said
        assert 2 - in_flight <= marked[False] <= 2, said
        assert "CRITICAL" in said[0], said
        assert "OVER" in said[-1], said
