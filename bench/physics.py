"""What really fails when something breaks: the truth of a generated world, exact, without noise. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from monitor.model import Asset, Dependency, World

FAMILIES = (4, 6)


class Broken(NamedTuple):
    """An asset that does not work: at all, over one address family, or it refuses what it is asked."""

    asset: str
    family: int | None = None
    refuses: bool = False


State = frozenset[Broken]
Failing = Mapping[str, bool]
"""Checks that fail; True where the target refuses."""


@dataclass(slots=True)
class Physics:
    """A world's true dependencies, asked what fails; each answer is worked out once."""

    world: World
    _needs: dict[str, list[Dependency]] = field(default_factory=dict)
    _failing: dict[State, Failing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for dependency in self.world.dependencies:
            self._needs.setdefault(dependency.asset, []).append(dependency)

    def failing(self, broken: State) -> Failing:
        """Return the checks that fail while this is broken."""
        known = self._failing.get(broken)
        if known is None:
            known = self._failing[broken] = self._work_out(broken)
        return known

    def _work_out(self, broken: State) -> Failing:
        if not broken:
            return {}
        silent = {family: self.lost(broken, family) for family in FAMILIES}
        refused = {each.asset for each in broken if each.refuses}
        found: dict[str, bool] = {}
        for check in self.world.checks.values():
            if check.reference:
                continue
            if check.asset in silent[check.target.family]:
                found[check.id] = False
            elif refused and (check.asset in refused or not refused.isdisjoint(check.serves)):
                found[check.id] = True
        return found

    def lost(self, broken: State, family: int) -> set[str]:
        """Return the assets that do not work over a family, themselves or for want of what they need."""
        gone = {each.asset for each in broken if not each.refuses and each.family in {None, family}}
        known: dict[str, bool] = {}

        def down(asset: str) -> bool:
            if asset not in known:
                known[asset] = asset in gone or any(
                    (all if need.mode == "any" else any)(down(other) for other in need.needs)
                    for need in self._needs.get(asset, ())
                )
            return known[asset]

        return {asset for asset in self.world.assets if down(asset)}

    def above(self, asset: str) -> set[str]:
        """Return all that an asset needs, near and far."""
        found: set[str] = set()
        stack = [asset]
        while stack:
            for dependency in self._needs.get(stack.pop(), ()):
                new = set(dependency.needs) - found
                found |= new
                stack += new
        return found

    def same(self, rest: State, broken: Broken) -> frozenset[str]:
        """Return the assets whose failure would look just the same from here, beside the rest that is broken."""
        seen = self.failing(rest | {broken})
        checks = [self.world.checks[check] for check in seen]
        candidates: set[str] = {broken.asset}
        for check in checks:
            candidates |= {check.asset, *check.serves} | self.above(check.asset)
        return frozenset(asset for asset in candidates if self._looks_like(asset, rest, broken, seen))

    def _looks_like(self, asset: str, rest: State, broken: Broken, seen: Failing) -> bool:
        kind = self.world.assets[asset].kind
        ways = [Broken(asset, broken.family), Broken(asset)]
        if broken.refuses or kind == "cctld":
            ways.append(Broken(asset, None, refuses=True))
        return any(self.failing(rest | {way}).keys() == seen.keys() for way in ways)


def of_kind(assets: Mapping[str, Asset], kinds: Iterable[str]) -> list[str]:
    """Return the ids of the assets of some kinds, in order."""
    wanted = set(kinds)
    return sorted(id_ for id_, asset in assets.items() if asset.kind in wanted)
