"""A history: what befalls a region, what is seen of it, and the truth about it. It knows nothing of any detector.

The truth is a list of causes: what broke, from when to when, which checks failed for it, and whether anybody could see
it. A history answers looks, so that a replay can be run on it.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple
from zlib import crc32

from bench.physics import Broken, Failing, Physics, State
from monitor.model import Check, World
from probes.model import Outcome, Part

OK = Part(Outcome.OK, "", {"rtt_seconds": 0.05})
SILENT = Part(Outcome.FAILED, "no answer within 2.0 s")
REFUSED = Part(Outcome.FAILED, "refused", refused=True)
ROUND_TRIP = 0.05
NEEDED = 60.0
"""A fault must be seen for a cadence and so many seconds to be counted as one that should be found."""
NEEDED_CUT = 40.0
"""The same for a cut of the own link, which references show."""


class Spell(NamedTuple):
    """From second to second."""

    since: float
    until: float

    def holds(self, seconds: float) -> bool:
        return self.since <= seconds < self.until


@dataclass(frozen=True, slots=True)
class Fault:
    """What breaks, and when; more than one spell is flapping."""

    what: str
    broken: Broken
    spells: tuple[Spell, ...]

    @property
    def since(self) -> float:
        return self.spells[0].since

    @property
    def until(self) -> float:
        return self.spells[-1].until


@dataclass(frozen=True, slots=True)
class Cut:
    """A vantage sees nothing (over a family), or makes no looks at all."""

    vantage: str
    family: int | None
    spell: Spell
    silent: bool = True
    """False: it does not look."""


@dataclass(frozen=True, slots=True)
class Lie:
    """A vantage says of some checks what is not so."""

    vantage: str
    spell: Spell
    checks: frozenset[str]
    part: Part


@dataclass(frozen=True, slots=True)
class Noise:
    """What goes wrong with looking, by chance."""

    loss: float
    """Share of looks that are lost."""
    late: float
    """Share of looks that leave up to two cadences late."""
    steps: Mapping[float, float]
    """Second -> by how much the wall clock jumps."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One independent cause, as it truly was."""

    asset: str
    what: str
    since: float
    until: float
    effects: frozenset[str]
    """Checks that fail for it and for nothing else, at some time."""
    touched: frozenset[str]
    """Assets that it takes down or hurts, itself among them."""
    right: frozenset[str]
    """What may be named as the cause: all that would look just the same from here."""
    visible: float
    """For so many seconds on end some effect could be seen from some vantage."""
    required: bool
    """Whether it must be found: seen for longer than a rule needs. Else it may be found, and is counted nowhere."""
    needed: float = 0.0
    """Seconds from its first effect until the rule can have its evidence, at worst: a cadence, the span, one look."""


@dataclass(frozen=True)
class History:
    """A region, what befalls it, and what is seen of it."""

    seed: str
    noise: str
    """The class of noise that prevails."""
    true: World
    """What really depends on what."""
    configured: World
    """What the operators believe."""
    vantages: tuple[str, ...]
    faults: tuple[Fault, ...]
    cuts: tuple[Cut, ...]
    lies: tuple[Lie, ...]
    chance: Noise
    seconds: float
    physics: Physics = field(repr=False, compare=False, kw_only=True)

    def answer(self, vantage: str, check: Check, seconds: float) -> tuple[Part, float] | None:
        """Return what a look that leaves at this second sees, and how long it takes; None when none is made."""
        for cut in self._cuts.get(vantage, ()):
            if cut.spell.holds(seconds) and cut.family in {None, check.target.family}:
                return (SILENT, check.timeout) if cut.silent else None
        part = self._truly(check, seconds)
        for lie in self.lies:
            if lie.vantage == vantage and lie.spell.holds(seconds) and check.id in lie.checks:
                part = lie.part
        if part is not SILENT and self._draw("loss", vantage, check, seconds) < self.chance.loss:
            part = SILENT
        return part, check.timeout if part is SILENT else ROUND_TRIP

    def delay(self, vantage: str, check: Check, seconds: float) -> float:
        """Return how many seconds late the look leaves that is due at this second."""
        drawn = self._draw("late", vantage, check, seconds)
        return 2 * check.every * drawn / self.chance.late if drawn < self.chance.late else 0.0

    def _truly(self, check: Check, seconds: float) -> Part:
        refuses = self._views[bisect_right(self._breaks, seconds) - 1].get(check.id)
        return OK if refuses is None else REFUSED if refuses else SILENT

    def _draw(self, what: str, vantage: str, check: Check, seconds: float) -> float:
        return crc32(f"{what} {self.seed} {vantage} {check.id} {seconds:.3f}".encode()) / 2**32

    @cached_property
    def _cuts(self) -> dict[str, list[Cut]]:
        return {vantage: [cut for cut in self.cuts if cut.vantage == vantage] for vantage in self.vantages}

    @cached_property
    def _breaks(self) -> list[float]:
        spells = [spell for fault in self.faults for spell in fault.spells] + [cut.spell for cut in self.cuts]
        return sorted({0.0, *(moment for spell in spells for moment in spell)})

    @cached_property
    def _views(self) -> list[Failing]:
        return [self.physics.failing(self.broken(moment)) for moment in self._breaks]

    def broken(self, seconds: float) -> State:
        """Return what is broken at this second."""
        return frozenset(fault.broken for fault in self.faults if any(spell.holds(seconds) for spell in fault.spells))

    def blind(self, seconds: float, family: int | None = None) -> bool:
        """Whether no vantage sees the world at this second, over this family or over both."""
        families = (family,) if family else (4, 6)
        return all(self._cut(vantage, each, seconds) for vantage in self.vantages for each in families)

    def _cut(self, vantage: str, family: int, seconds: float) -> bool:
        return any(cut.spell.holds(seconds) and cut.family in {None, family} for cut in self._cuts[vantage])

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        """The truth: every fault, every cut of an own link, every lie."""
        cuts = [self._cut_cause(cut) for cut in self.cuts]
        lies = [self._lie_cause(lie) for lie in self.lies]
        return tuple(sorted([*map(self._cause, self.faults), *cuts, *lies], key=lambda cause: cause.since))

    def _cut_cause(self, cut: Cut) -> Cause:
        vantage, length = frozenset({cut.vantage}), cut.spell.until - cut.spell.since
        families = {check.target.family for check in self.true.checks.values() if check.reference}
        known = cut.silent and cut.family in {None, *families}
        what = ("own link cut" if cut.silent else "does not look") + (f" over IPv{cut.family}" if cut.family else "")
        must = known and length >= NEEDED_CUT
        return Cause(cut.vantage, what, *cut.spell, frozenset(), vantage, vantage, length, must, 11.0)

    def _lie_cause(self, lie: Lie) -> Cause:
        """Nobody has to find a lie; who says that the vantage is at odds with the others is right."""
        vantage = frozenset({lie.vantage})
        touched = self._hurt(lie.checks) | vantage
        return Cause(lie.vantage, "lies", *lie.spell, lie.checks, touched, vantage, 0.0, required=False)

    def _cause(self, fault: Fault) -> Cause:
        effects: set[str] = set()
        right: frozenset[str] = frozenset({fault.broken.asset})
        longest, running, most, began = 0.0, 0.0, 0.0, fault.since
        for since, until in zip(self._breaks, [*self._breaks[1:], self.seconds], strict=True):
            now = self.broken(since)
            rest = now - {fault.broken}
            alone = self.physics.failing(now).keys() - self.physics.failing(rest).keys() if rest != now else set()
            seen = {check for check in alone if not self.blind(since, self.true.checks[check].target.family)}
            began = since if seen and not effects else began
            effects |= alone
            running = running + until - since if seen else 0.0
            longest = max(longest, running)
            if seen and until - since > most:
                most, right = until - since, self.physics.same(rest, fault.broken)
        slowest = max((self.true.checks[check].every for check in effects), default=0.0)
        touched = self._hurt(effects) | self._lost(fault.broken) | {fault.broken.asset} | right
        must = longest >= slowest + NEEDED
        needed = slowest + 10.0 + began - fault.since
        spell = Spell(fault.since, fault.until)
        return Cause(fault.broken.asset, fault.what, *spell, frozenset(effects), touched, right, longest, must, needed)

    def _hurt(self, checks: frozenset[str] | set[str]) -> frozenset[str]:
        known = self.true.checks
        return frozenset(asset for check in checks for asset in (known[check].asset, *known[check].serves))

    def _lost(self, broken: Broken) -> frozenset[str]:
        return frozenset(self.physics.lost(frozenset({broken}), broken.family or 4))


def with_true_topology(history: History) -> History:
    """Return the same history, configured as it truly is."""
    return replace(history, configured=history.true)


def watched(world: World) -> Sequence[str]:
    """Return the assets that checks watch."""
    return sorted({check.asset for check in world.checks.values() if not check.reference})
