"""Answers that are kept until what they rest on changes. Pure; it decides nothing."""

from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any, TypeVar, TypeVarTuple

from monitor.standing import Standing
from monitor.topology import Topology

Answer = TypeVar("Answer")
Of = TypeVarTuple("Of")
Question = tuple[Any, ...]
"""What was asked, and of what."""


class Known:
    """What was worked out of the states of one world; it rests on assets, and on what else was asked meanwhile."""

    def __init__(self, topology: Topology) -> None:
        self.standings: dict[int, dict[str, Standing]] = {0: {}, 4: {}, 6: {}}
        """Address family (0: all) -> asset -> how it stands."""
        self.doubtful: dict[str, set[str]] = defaultdict(set)
        """ISO code -> the watched assets there that may be in doubt, but for those in `unsorted`."""
        self.unsorted = {asset for assets in topology.in_territory.values() for asset in assets}
        """Assets that have changed since they were put into `doubtful`, or left out of it."""
        self._topology = topology
        self._answers: dict[Question, Any] = {}
        self._resting: defaultdict[Question | str, set[Question]] = defaultdict(set)
        """Asset or question -> what was worked out with it."""
        self._asking: list[Question] = []
        self._era = 0

    def ask(self, find: Callable[[*Of], Answer | None], *of: *Of) -> Answer | None:
        """Return what `find` says, which may depend on nothing but time limits, assets `lean` was told of, and answers.

        None while it is being asked already: that bounds the walk should a cycle ever get past the config.
        """
        question: Question = (find.__name__, *of)
        if self._asking:
            self._resting[question].add(self._asking[-1])
        if question in self._answers:
            kept: Answer | None = self._answers[question]
            return kept
        if question in self._asking:
            return None
        self._asking.append(question)
        try:
            answer = self._answers[question] = find(*of)
        finally:
            self._asking.pop()
        return answer

    def lean(self, asset: str) -> None:
        """Take note that what is being asked rests on the states of an asset."""
        if self._asking:
            self._resting[asset].add(self._asking[-1])

    def forget(self, assets: Collection[str]) -> None:
        """Let go of what rests on assets whose states have changed."""
        for standings in self.standings.values():
            for asset in assets:
                standings.pop(asset, None)
        self.unsorted.update(asset for asset in assets if asset in self._topology.world.assets)
        stack: list[Question | str] = [*assets]
        while stack:
            rest = self._resting.pop(stack.pop(), ())
            stack += [question for question in rest if self._answers.pop(question, self) is not self]

    def during(self, era: int) -> None:
        """Let go of all that other dependencies in force have led to."""
        if era != self._era:
            self._era = era
            self._answers.clear()
            self._resting.clear()
