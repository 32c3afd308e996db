"""The own-link guard: a failure counts only once the references have shown that this vantage sees the world.

Pure: it keeps what it was told and reads no clock. Its words: a *round* asks every reference of one address
family at once; it has seen the world when references in at least ``quorum`` networks answered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.model import Check
from probes.model import Observation, Outcome, Part

UNDER_WAY = 2
"""With so many rounds undecided no other is asked for out of turn."""
NAMES = {4: "IPv4", 6: "IPv6"}


@dataclass(slots=True)
class _Round:
    began: datetime
    answered: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one finished round says of one address family."""

    family: int
    began: datetime
    part: Part


@dataclass(slots=True)
class _Family:
    references: Mapping[str, str]
    """Check id -> network."""
    rounds: dict[datetime, _Round] = field(default_factory=dict)
    seen: datetime | None = None
    """Began the latest round that saw the world."""
    blind: datetime | None = None
    """Began the latest round that did not."""
    again: datetime | None = None
    """Began the first round that saw the world after it was gone."""
    held: dict[str, list[Observation]] = field(default_factory=dict)
    """Failed looks that wait, by check."""


class Guard:
    """Holds failed looks until their family's references have spoken."""

    def __init__(self, checks: Iterable[Check], quorum: int, worked: Iterable[int] = ()) -> None:
        by_family: dict[int, dict[str, str]] = {4: {}, 6: {}}
        for check in checks:
            if check.reference:
                by_family[check.target.family][check.id] = check.reference
        self._families = {family: _Family(refs) for family, refs in by_family.items() if refs}
        self._quorum = quorum
        self.worked = set(worked)
        """Families that have seen the world from here, ever."""

    def references(self, family: int) -> tuple[str, ...]:
        """Return the check ids of a family's references."""
        known = self._families.get(family)
        return tuple(known.references) if known else ()

    def busy(self, family: int) -> bool:
        """Whether rounds are under way already: a reference that is silent answers for one of them at a time."""
        known = self._families.get(family)
        return known is not None and len(known.rounds) >= UNDER_WAY

    def set_back(self, now: datetime) -> None:
        """Begin anew, for the machine's clock was set back to ``now``: no round can be later than the old ones."""
        for family in self._families.values():
            family.rounds, family.seen, family.blind, family.again = {}, None, None, None
            family.held = {check: [replace(look, at=now) for look in looks] for check, looks in family.held.items()}

    def waiting(self) -> set[int]:
        """Return the families in which a failed look waits for a round that began after it."""
        return {number for number, family in self._families.items() if family.held}

    def hear(self, observation: Observation) -> Verdict | None:
        """Take one reference's answer; return the verdict when it decides its round."""
        number = observation.target.family
        family = self._families[number]
        turn = family.rounds.setdefault(observation.due, _Round(observation.at))
        turn.began = min(turn.began, observation.at)
        turn.heard.add(observation.check)
        if all(part.outcome is Outcome.OK for part in observation.parts.values()):
            turn.answered.add(family.references[observation.check])
        complete = len(turn.heard) == len(family.references)
        if complete:
            family.rounds = {due: other for due, other in family.rounds.items() if due > observation.due}
        if family.seen is not None and turn.began <= family.seen:
            return None
        if len(turn.answered) >= self._quorum:
            return self._saw(number, family, turn)
        return self._did_not_see(number, family, turn, observation) if complete else None

    def _saw(self, number: int, family: _Family, turn: _Round) -> Verdict:
        if family.blind is not None and (family.seen is None or family.seen < family.blind):
            family.again = turn.began
        family.seen = turn.began
        self.worked.add(number)
        return Verdict(number, turn.began, Part(Outcome.OK, "", {"networks_answering": len(turn.answered)}))

    def _did_not_see(self, number: int, family: _Family, turn: _Round, last: Observation) -> Verdict:
        if family.blind is None or turn.began > family.blind:
            family.blind = turn.began
        name, total = NAMES[number], len(set(family.references.values()))
        if number not in self.worked and any(self._sees(other) for other in self._families if other != number):
            return Verdict(number, turn.began, Part(Outcome.UNKNOWN, f"{name} has never worked at this site"))
        why = next(iter(last.parts.values())).reason
        reason = f"references in {len(turn.answered)} of {total} networks answer over {name}"
        return Verdict(number, turn.began, Part(Outcome.FAILED, f"{reason} ({why})" if why else reason))

    def _sees(self, number: int) -> bool:
        family = self._families[number]
        return family.seen is not None and (family.blind is None or family.seen > family.blind)

    def judge(self, look: Observation) -> list[Observation]:
        """Return a look as it counts now: as it is, as UNKNOWN, or not yet (held until `release`)."""
        family = self._families.get(look.target.family)
        if family is None:
            return [look]
        if not look.failed():
            family.held.pop(look.check, None)
            return [look]
        if family.blind is not None and (family.blind > look.at or not self._sees(look.target.family)):
            return [_blinded(look, look.target.family)]
        if family.again is not None and look.at < family.again:
            return [_blinded(look, look.target.family)]  # it left while nothing was seen
        if family.seen is not None and family.seen > look.at and look.check not in family.held:
            return [look]
        family.held.setdefault(look.check, []).append(look)
        return []

    def release(self, verdict: Verdict) -> list[Observation]:
        """Give back the looks that a finished round decides: as they were, or as UNKNOWN when it saw nothing."""
        family = self._families[verdict.family]
        freed: list[Observation] = []
        for check in list(family.held):
            ready = [look for look in family.held[check] if look.at < verdict.began]
            family.held[check] = [look for look in family.held[check] if look.at >= verdict.began]
            if not family.held[check]:
                del family.held[check]
            freed += ready
        if verdict.part.outcome is Outcome.OK:
            return freed
        return [_blinded(look, verdict.family) for look in freed]


def _blinded(look: Observation, family: int) -> Observation:
    """Return the look with FAILED turned into UNKNOWN; what answered did answer."""
    reason = f"cannot be known: this vantage does not see the world over {NAMES[family]}"
    parts = {
        name: Part(Outcome.UNKNOWN, reason) if part.outcome is Outcome.FAILED else part
        for name, part in look.parts.items()
    }
    return replace(look, parts=parts)
