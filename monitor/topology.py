"""What depends on what, what is left, and who is behind whom. Pure.

Only confirmed dependencies explain a failure; hypotheses are listed for the page and silence nobody.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from monitor.model import Dependency, Phase, State, World
from monitor.standing import NOT_WATCHED, Standing, stand, works

States = Mapping[str, Mapping[str, State]]
"""Check -> part -> what is believed of it."""
Lost = Callable[[str], datetime | None]
"""Since when an asset is down or unreachable; None while it is neither."""


LABELS = {
    "cable": "Cable",
    "cctld": "ccTLD",
    "nameserver": "Name server",
    "zone": "Zone",
    "ixp": "IXP",
    "landing": "Landing",
    "router": "Router",
    "network": "Network",
    "website": "Web site",
    "site": "Site",
    "power": "Power",
    "vantage": "Vantage",
    "peer": "Peer",
    "territory": "Territory",
    "feed": "Feed",
    "posture": "Posture",
}


class Topology:
    """The world's indexes; made once per World."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.checks: dict[str, list[str]] = {}
        """Asset -> ids of the checks that are evidence for it, its own and those that serve it."""
        self.servers: dict[str, list[str]] = {}
        """Asset -> the assets whose checks serve it."""
        self.served: dict[str, list[str]] = {}
        """The reverse."""
        self.borne: dict[str, list[str]] = {}
        """Asset -> ids of those that are another's, of which a part speaks for it."""
        self.needs: dict[str, list[Dependency]] = {}
        self.needed_by: dict[str, list[Dependency]] = {}
        self.hypotheses: dict[str, list[Dependency]] = {}
        self._suggested_by: dict[str, list[Dependency]] = {}
        self._depth: dict[str, int] = {}
        self._needing: dict[tuple[str, int], list[str]] = {}
        limits = (limit for one in world.dependencies for limit in (one.since, one.until) if limit)
        self._limits = sorted(set(limits))
        self._index_checks(world)
        for dependency in world.dependencies:
            self._index(dependency)
        self.in_territory: dict[str, list[str]] = {}
        """ISO code -> the watched assets there; a name server is where what it serves is."""
        for asset in self.checks:
            for code in self.territories(asset) if asset in world.assets else ():
                self.in_territory.setdefault(code, []).append(asset)

    def _index_checks(self, world: World) -> None:
        for check in world.checks.values():
            if check.reference:
                continue
            for asset in dict.fromkeys((check.asset, *check.serves)):
                self.checks.setdefault(asset, []).append(check.id)
            for asset in check.serves:
                _once(self.servers, asset, check.asset)
                _once(self.served, check.asset, asset)
        self._carrying = {check.id: check for check in world.checks.values() if check.carries}
        for check in self._carrying.values():
            for asset in dict.fromkeys(check.carries.values()):
                self.checks.setdefault(asset, []).append(check.id)
                self.borne.setdefault(asset, []).append(check.id)
        families = {check.target.family for check in world.checks.values() if check.reference}
        for vantage in (world.vantage, *world.vantages):
            self.checks[vantage] = [references(vantage, family) for family in sorted(families)]

    def _index(self, dependency: Dependency) -> None:
        down, up = (self.needs, self.needed_by) if dependency.confirmed else (self.hypotheses, self._suggested_by)
        down.setdefault(dependency.asset, []).append(dependency)
        for need in dependency.needs:
            up.setdefault(need, []).append(dependency)

    def era(self, now: datetime) -> int:
        """Return how many limits of time lie behind: in one era the same dependencies hold."""
        return bisect_right(self._limits, now)

    def told(self, check: str) -> tuple[str, ...]:
        """Return the assets that a check is evidence for."""
        known = self.world.checks.get(check)
        return known.tells_of if known else (check.partition("/")[0],)

    def parts(self, asset: str, check: str, states: States) -> Mapping[str, State]:
        """Return what is believed of those parts of a check that tell of an asset; of a router, all it has."""
        known, parts = self._carrying.get(check), states.get(check, {})
        if known is None or known.asset == asset:
            return parts
        return {part: state for part, state in parts.items() if known.carries.get(part) == asset}

    def verdicts(self, asset: str, check: str, states: States) -> Mapping[str, State]:
        """Return those that decide how it stands.

        An interface that is down says so of what it carries, not of its router; one that is up says nothing of the far
        end, and counts where nothing else looks.
        """
        known, parts = self._carrying.get(check), self.parts(asset, check, states)
        if known is None:
            return parts
        if known.asset == asset:
            return {part: state for part, state in parts.items() if known.carries.get(part, asset) == asset}
        alone = len(self.borne[asset]) == len(self.checks[asset])
        return {part: state for part, state in parts.items() if alone or state.settled is Phase.DOWN}

    def depth(self, asset: str) -> int:
        """Return how many confirmed dependencies lie above an asset: parents are decided before children."""
        known = self._depth.get(asset)
        if known is None:
            above = [*self.parents(asset), *self.served.get(asset, ())]  # a ccTLD is decided before its servers
            self._depth[asset] = 0  # config refuses cycles; this bounds the walk all the same
            known = self._depth[asset] = 1 + max((self.depth(need) for need in above), default=-1)
        return known

    def parents(self, asset: str) -> list[str]:
        """Return what the asset needs by confirmed dependencies, itself or through the servers it is made of.

        Behind what nobody watches stands what that needs.
        """
        found: dict[str, None] = {}
        stack = [asset, *self.servers.get(asset, ())]
        while stack:
            needs = [need for dependency in self.needs.get(stack.pop(), ()) for need in dependency.needs]
            stack += [need for need in needs if need not in found and need not in self.checks]
            found |= dict.fromkeys(needs)
        return list(found)

    def all_above(self, asset: str) -> Iterator[str]:
        """Yield all that an asset hangs on, itself or through the servers it is made of."""
        for part in (asset, *self.servers.get(asset, ())):
            yield from self.above(part)

    def children(self, asset: str) -> list[str]:
        """Return what needs the asset, and what it is made of."""
        return [dependency.asset for dependency in self.needed_by.get(asset, ())] + self.servers.get(asset, [])

    def unwatched_above(self, asset: str) -> Iterator[str]:
        """Yield what an asset needs that nobody watches, the nearest first."""
        stack, passed = [asset], {asset}
        while stack:
            for dependency in self.needs.get(stack.pop(0), ()):
                for need in dependency.needs:
                    if need not in passed:
                        passed.add(need)
                        if need not in self.checks:
                            yield need
                            stack.append(need)

    def below(self, asset: str) -> Iterator[str]:
        """Yield all that hangs on an asset, the nearest first."""
        stack, passed = [asset], {asset}
        while stack:
            for child in self.children(stack.pop(0)):
                if child not in passed:
                    passed.add(child)
                    stack.append(child)
                    yield child

    def seen(self, asset: str) -> bool:
        """Whether an asset is looked at, or something that tells of it."""
        return asset in self.checks or (asset in self.world.assets and any(True for _ in self._watched_below(asset)))

    def above(self, asset: str) -> Iterator[str]:
        """Yield all that an asset hangs on, the nearest first."""
        stack, passed = [asset], {asset}
        while stack:
            for dependency in self.needs.get(stack.pop(0), ()):
                for need in dependency.needs:
                    if need not in passed:
                        passed.add(need)
                        stack.append(need)
                        yield need

    def suggested_by(self, asset: str) -> list[Dependency]:
        """Return the hypotheses in which something needs the asset."""
        return self._suggested_by.get(asset, [])

    def blocked(self, asset: str, lost: Lost, now: datetime) -> str | None:
        """Return what explains the asset's failure, or None.

        ``lost(asset)`` says since when another asset is down or unreachable. Of a group of alternatives the
        last one that was lost is the cause: until then the asset still had a way.
        """
        causes: list[tuple[datetime, str]] = []
        for dependency in self.needs.get(asset, ()):
            if not dependency.holds(now):
                continue
            gone = {need: since for need in dependency.needs if (since := lost(need))}
            if gone and dependency.blocked(gone):
                pick = min if dependency.mode == "all" else max
                causes.append(pick((since, need) for need, since in gone.items()))
        return min(causes)[1] if causes else None

    def needing(self, asset: str, now: datetime, family: int = 0) -> list[str]:
        """Return the watched assets that cannot work without this one, also through what nobody watches.

        With a family: those that are watched over it, also through what is not.
        """
        known = self._needing.get((asset, family)) if not self._limits else None
        if known is None:
            known = self._needing[asset, family] = self._find_needing(asset, now, family)
        return known

    def _find_needing(self, asset: str, now: datetime, family: int) -> list[str]:
        found: dict[str, None] = {}
        unseen, gone = {asset}, {asset}
        grows = True
        while grows:
            grows = False
            for dependency in [one for need in sorted(unseen) for one in self.needed_by.get(need, ())]:
                name = dependency.asset
                if name in gone or not dependency.holds(now) or not dependency.blocked(gone):
                    continue
                gone.add(name)
                grows = True
                if any(not family or self._family(check) == family for check in self.checks.get(name, ())):
                    found[name] = None
                else:
                    unseen.add(name)
        return list(found)

    def siblings(self, asset: str) -> list[str]:
        """Return the watched assets that share a need with this one that nobody watches."""
        found: dict[str, None] = {}
        stack, passed = [asset], {asset}
        while stack:
            for dependency in self.needs.get(stack.pop(), ()):
                for need in dependency.needs:
                    if need not in self.checks and need not in passed:
                        passed.add(need)
                        stack.append(need)
                        found |= dict.fromkeys(self._watched_below(need))
        found.pop(asset, None)
        return list(found)

    def _watched_below(self, asset: str) -> Iterator[str]:
        stack, passed = [asset], {asset}
        while stack:
            for dependency in self.needed_by.get(stack.pop(), ()):
                name = dependency.asset
                if name in self.checks:
                    yield name
                elif name not in passed:
                    passed.add(name)
                    stack.append(name)

    def neighbours(self, asset: str) -> Iterator[str]:
        """Yield the watched assets of the same territories."""
        own = self.territories(asset)
        return (name for code in own for name in self.in_territory.get(code, ()) if name != asset)

    def beside(self, asset: str) -> Iterator[str]:
        """Yield the alternatives to an asset."""
        for dependency in self.needed_by.get(asset, ()):
            yield from (need for need in dependency.needs if need != asset)

    def left(self, asset: str, lost: Lost) -> tuple[int, str] | None:
        """Return how many alternatives are left beside the asset for the worst-off of its dependants, in words too."""
        worst: tuple[int, str] | None = None
        for dependency in self.needed_by.get(asset, ()):
            name = self.name(dependency.asset)
            others = [need for need in dependency.needs if need != asset and not lost(need)]
            if dependency.blocked([need for need in dependency.needs if need not in others]):
                others = []
            words = f"{name} has nothing left" if not others else f"{name} still has {self.names(others)}"
            if worst is None or len(others) < worst[0]:
                worst = (len(others), words)
        return worst

    def servers_left(self, asset: str, states: States) -> tuple[int, str] | None:
        """Return how many of the servers it is made of still answer for it, in words too."""
        servers = self.servers.get(asset)
        if not servers:
            return None
        answering = {
            self.world.checks[check].asset
            for check in self.checks[asset]
            if any(works(state) for state in states.get(check, {}).values())
        }
        return len(answering), f"{len(answering)} of {len(servers)} servers answer"

    def looked_at(self, asset: str, states: States) -> datetime | None:
        """Return the last look at the check of an asset that was looked at least lately."""
        seen = [state.seen for check in self.checks.get(asset, ()) for state in states.get(check, {}).values()]
        return min(seen, default=None)

    def standing(self, asset: str, states: States, over: int = 0) -> Standing:
        """Say how an asset stands, over one address family if one is named.

        It is DOWN when all that can be seen of it is down, DEGRADED when some is.
        """
        checks = self.checks.get(asset)
        if not checks:
            return NOT_WATCHED
        if over:
            checks = [check for check in checks if self._family(check) == over]
        standing = self._fold(asset, checks, states)
        if standing.phase is Phase.DOWN and asset in self.borne:  # since when it is lost, its own checks say
            own = [check for check in checks if check not in self.borne[asset]]
            standing = self._fold(asset, own, states) if own else standing
        family = self._worse_over(asset, checks, states) if standing.phase is Phase.DEGRADED and not over else None
        if not family:
            return standing
        return replace(standing, reason=f"over IPv{family} alone: {standing.reason}", family=family)

    def _fold(self, asset: str, checks: Iterable[str], states: States) -> Standing:
        return stand([state for check in checks for state in self.verdicts(asset, check, states).values()])

    def _worse_over(self, asset: str, checks: Iterable[str], states: States) -> int | None:
        """Return the one address family in which an asset that is looked at over both does worse."""
        troubled: dict[int, bool] = {}
        for check in checks:
            settled = {state.settled for state in self.verdicts(asset, check, states).values()}
            family = self._family(check)
            troubled[family] = troubled.get(family, False) or bool(settled & {Phase.DOWN, Phase.DEGRADED})
        worse = [family for family, trouble in troubled.items() if trouble]
        return worse[0] if len(worse) == 1 < len(troubled) else None

    def family_of(self, asset: str) -> int:
        """Return the one address family that an asset is looked at over; 0: both, or none."""
        families = {self._family(check) for check in self.checks.get(asset, ())}
        return families.pop() if len(families) == 1 else 0

    def _family(self, check: str) -> int:
        known = self.world.checks.get(check)
        return known.target.family if known else int(check.rpartition("/")[2])

    def name(self, asset: str) -> str:
        """Return an asset's name."""
        known = self.world.assets.get(asset)
        return known.name if known else asset

    def names(self, assets: Iterable[str], most: int = 4) -> str:
        """Return names in one phrase, the rest counted."""
        known = [self.name(asset) for asset in assets]
        extra = len(known) - most
        return ", ".join(known[:most]) + (f" and {extra} more" if extra > 0 else "")

    def kind(self, asset: str) -> str:
        """Return an asset's kind."""
        return self.world.assets[asset].kind

    def territories(self, asset: str) -> tuple[str, ...]:
        """Return the territories of an asset, or of what it serves."""
        assets = self.world.assets
        own = assets[asset].territories
        served = (code for whole in self.served.get(asset, ()) for code in assets[whole].territories)
        return own or tuple(dict.fromkeys(served))

    def title(self, asset: str, phase: Phase) -> str:
        """Say what happened in few words: "Cable ECFS down"."""
        kind, name = self.kind(asset), self.name(asset)
        label = LABELS.get(kind, kind.capitalize())
        named = name[:1].upper() + name[1:] if label.lower() in name.lower() else f"{label} {name}"
        if kind == "vantage":
            return f"{named} cut off" + ("" if phase is Phase.DOWN else " in part")
        if kind == "territory":  # what is known is the table alone
            return f"{name} {'withdrawn from the routing table' if phase is Phase.DOWN else 'partly withdrawn'}"
        if kind == "zone" and phase is Phase.DOWN:  # its servers answer, and whoever validates takes none of it
            return f"{named} invalid"
        if kind == "peer" and phase is Phase.DOWN:
            return f"{named} silent"
        return f"{named} {phase.value}"


def _once(index: dict[str, list[str]], key: str, value: str) -> None:
    values = index.setdefault(key, [])
    if value not in values:
        values.append(value)


def references(vantage: str, family: int) -> str:
    """Return the id of the check that stands for all references of one family."""
    return f"{vantage}/references/{family}"
