"""How assets stand at one moment, what is lost though nobody looks at it, and what explains whose trouble. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from alerting.model import Severity
from monitor.impact import served
from monitor.known import Known
from monitor.maintenance import Calendar
from monitor.model import Dependency, Phase, Window
from monitor.standing import UNQUIET, Standing, fell_together
from monitor.topology import Lost, States, Topology

NO_WORK = Calendar()
TROUBLE = {Phase.DOWN, Phase.DEGRADED, Phase.PARTITIONED}
UNSEEN = {Phase.UNKNOWN, Phase.NOT_WATCHED}
SHARE = 0.8
"""Of what needs an asset that nobody sees, so much must have gone down for it to be presumed lost."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
WITNESSES = {"territory"}
"""Kinds of assets of which others tell: what they say of them stands as evidence for what explains it."""
MOST = 8
"""So many checks are named as evidence."""


@dataclass(frozen=True, slots=True)
class Presumption:
    """What speaks for the loss of something that cannot be seen."""

    standing: Standing
    down: tuple[str, ...]
    """What needs it and went down with it."""
    known: int
    """How many that need it can be seen."""

    @property
    def confidence(self) -> float:
        """How sure, 0 to 1: two that fall together may be an accident, five hardly are."""
        return min(0.99, round(len(self.down) / self.known * (1 - 0.5 ** len(self.down)), 2))


class Outlook:
    """Answers for one moment; what is `known` of the states already is not worked out again."""

    def __init__(
        self,
        states: States,
        topology: Topology,
        now: datetime,
        calendar: Calendar = NO_WORK,
        known: Known | None = None,
    ) -> None:
        self.states, self.topology, self.now, self.calendar = states, topology, now, calendar
        self._known = known or Known(topology)
        self._known.during(topology.era(now))

    def standing(self, asset: str) -> Standing:
        """Return how an asset stands by its own checks."""
        return self.over(asset, 0)

    def over(self, asset: str, family: int) -> Standing:
        """Return how an asset stands over one address family; 0: over all."""
        self._known.lean(asset)
        standings = self._known.standings[family]
        found = standings.get(asset)
        if found is None:
            found = standings[asset] = self.topology.standing(asset, self.states, family)
        return found

    def lost(self, asset: str) -> datetime | None:
        """Return since when an asset is down, unreachable because of another, or presumed lost."""
        return self._known.ask(self._find_lost, asset)

    def _find_lost(self, asset: str) -> datetime | None:
        own = self.standing(asset)
        if own.phase is Phase.DOWN or own.flapping:
            return own.since
        if own.phase not in UNSEEN:
            return None
        above = self.blocked(asset, self.lost)
        if above:
            return self.lost(above)
        presumed = self.presumed(asset)
        return presumed.standing.since if presumed and presumed.standing.phase is Phase.DOWN else None

    def blocked(self, asset: str, lost: Lost) -> str | None:
        """Return what explains the asset's failure, or None; ``lost`` says since when something else is gone."""
        return self.topology.blocked(asset, lost, self.now)

    def presumed(self, asset: str) -> Presumption | None:
        """Say why something that cannot be seen must be lost, in whole or over one address family: what needs it went
        down at once.

        Of several that would explain the same, the one that explains most is meant, then the nearest.
        """
        return self._known.ask(self._find_presumed, asset)

    def _find_presumed(self, asset: str) -> Presumption | None:
        found = self._apparent(asset)
        if found is None:
            return None
        over = found.standing.family
        above = (name for name in self.topology.above(found.down[0]) if name != asset)
        rivals = (name for name in above if self.over(name, over).phase in UNSEEN)
        return None if any(self._better(rival, asset, found) for rival in rivals) else found

    def _better(self, rival: str, asset: str, found: Presumption) -> bool:
        """Whether a rival explains more, or the same from nearer by."""
        other = self._apparent(rival)
        if other is None or other.standing.family != found.standing.family or not set(found.down) <= set(other.down):
            return False
        mine, theirs = (-len(found.down), -self.topology.depth(asset), asset), (
            -len(other.down), -self.topology.depth(rival), rival,
        )  # fmt: skip # two tuples side by side
        return theirs < mine

    def _apparent(self, asset: str) -> Presumption | None:
        """Return what speaks for the loss of an asset, whatever else would explain it."""
        return self._known.ask(self._find_apparent, asset) if self.topology.needed_by.get(asset) else None

    def _find_apparent(self, asset: str) -> Presumption | None:
        return next(filter(None, (self._presume(asset, over) for over in (0, 6, 4))), None)

    def _presume(self, asset: str, family: int) -> Presumption | None:
        if self.over(asset, family).phase not in UNSEEN:
            return None
        needing = {name: self.over(name, family) for name in self.topology.needing(asset, self.now, family)}
        known = {name: standing for name, standing in needing.items() if standing.phase not in UNSEEN}
        if sum(standing.phase is Phase.DOWN for standing in known.values()) < 2:
            return None
        lost = {n: s for n, s in known.items() if s.phase is Phase.DOWN and not s.refused}
        fell = {n: s for n, s in lost.items() if self._unexplained(n, asset, family)}
        down = fell_together(fell)
        if len(down) < 2 or len(down) < SHARE * len(known) or (family and not self._spared(down, 10 - family)):
            return None
        standings = [known[name] for name in down]
        since = min(standing.since or self.now for standing in standings)
        quiet = max((standing.quiet for standing in standings if standing.quiet), default=since)
        reason = f"{self.topology.names(down)} went down at once" + (f" over IPv{family}" if family else "")
        phase = Phase.DEGRADED if family else Phase.DOWN
        standing = Standing(phase, phase, since, reason, quiet=min(quiet, since), family=family)
        return Presumption(standing, tuple(down), len(known))

    def refuted(self, asset: str) -> bool:
        """Whether so much of what needs an asset is seen to work that it cannot be lost."""
        needing = [self.standing(name) for name in self.topology.needing(asset, self.now)]
        working = [one for one in needing if one.shown is Phase.UP]
        return len(working) > (1 - SHARE) * len(needing)

    def _unexplained(self, asset: str, by: str, family: int) -> bool:
        """Whether nothing else than ``by`` explains an asset's failure: what is seen to be down."""

        def gone(need: str) -> datetime | None:
            standing, whole = self.over(need, family), self.standing(need)
            if standing.phase is Phase.DOWN or standing.flapping:
                return standing.since
            if whole.phase is Phase.DOWN:
                return whole.since  # it may not be watched over this family
            if need == by or standing.phase not in UNSEEN:
                return None
            above = self.blocked(need, gone)
            return gone(above) if above else None

        return self.blocked(asset, gone) is None

    def _spared(self, assets: Iterable[str], family: int) -> bool:
        """Whether a family works for some of these assets and is in doubt for none."""
        others = [self.over(name, family) for name in assets]
        seen = [other for other in others if other.phase not in UNSEEN]
        return bool(seen) and all(other.shown is Phase.UP and not other.undecided for other in seen)

    def cause(self, asset: str) -> str | None:
        """Return what explains an asset's trouble by what it needs, is made of, or is part of.

        Trouble over one address family alone is explained by what lost that family.
        """
        return self._known.ask(self._find_cause, asset)

    def _find_cause(self, asset: str) -> str | None:
        family = self.standing(asset).family or self.topology.family_of(asset)
        for lost in (self.lost, partial(self._lost_over, family=family)) if family else (self.lost,):
            needed = self.blocked(asset, lost)
            if needed is not None:
                return self._origin(needed, family) if lost != self.lost else needed
            servers = [
                name for name in self.topology.servers.get(asset, ()) if self.over(name, family).phase is Phase.DOWN
            ]
            behind = [self.blocked(name, lost) for name in servers]
            if servers and all(behind):
                return min(name for name in behind if name)
        return self._server(asset) or self._whole(asset)

    def _origin(self, need: str, family: int) -> str:
        """Go up from what is lost over one family to what can be seen, or presumed, to be so."""
        while self.over(need, family).phase in UNSEEN and self.presumed(need) is None:
            above = self.blocked(need, partial(self._lost_over, family=family))
            if above is None:
                break
            need = above
        return need

    def _server(self, asset: str) -> str | None:
        """Return the server that explains the trouble of what it serves: the last that failed, or its only one."""
        servers = self.topology.servers.get(asset, ())
        if self.standing(asset).phase is Phase.DOWN:
            alone = servers[0] if len(servers) == 1 and len(self.topology.served[servers[0]]) > 1 else ""
            return alone if alone and self.standing(alone).phase is Phase.DOWN else None
        failed = [name for name in servers if self._fails_for(name, asset)]
        return max(failed, key=lambda name: (self.standing(name).since or self.now, name), default=None)

    def _whole(self, asset: str) -> str | None:
        """Return what an asset serves and is in trouble with, when all that fails of the asset fails for that alone."""
        wholes = [
            name
            for name in self.topology.served.get(asset, ())
            if self.standing(name).phase is Phase.DOWN and self._server(name) is None
        ]
        failing = self._failing(asset)
        return next((name for name in sorted(wholes) if failing and all(name in serves for serves in failing)), None)

    def _failing(self, asset: str) -> list[tuple[str, ...]]:
        """Return what each check of an asset that is in trouble serves."""
        checks = self.topology.world.checks
        self._known.lean(asset)
        return [
            checks[name].serves
            for name in self.topology.checks.get(asset, ())
            if name in checks
            and checks[name].asset == asset
            and any(state.settled in TROUBLE for state in self.states.get(name, {}).values())
        ]

    def _fails_for(self, server: str, whole: str) -> bool:
        """Whether a server is in trouble with what it does for the whole."""
        return any(whole in serves for serves in self._failing(server))

    def _lost_over(self, asset: str, family: int) -> datetime | None:
        """Return since when an asset is lost over one address family."""
        return self._known.ask(self._find_lost_over, asset, family)

    def _find_lost_over(self, asset: str, family: int) -> datetime | None:
        since = self.lost(asset)
        own = self.over(asset, family)
        if since is not None or own.phase is Phase.DOWN:
            return since or own.since
        if own.phase not in UNSEEN:
            return None
        lost = partial(self._lost_over, family=family)
        above = self.blocked(asset, lost)
        if above:
            return lost(above)
        presumed = self.presumed(asset)
        return presumed.standing.since if presumed and presumed.standing.family == family else None

    def excuse(self, asset: str) -> Window | None:
        """Return the maintenance that explains an asset's trouble: its own, or that of what it cannot work without."""
        own = self.calendar.active(asset, self.now)
        if own is not None:
            return own
        windows: dict[str, Window] = {}

        def gone(need: str) -> datetime | None:
            window = self.calendar.active(need, self.now)
            if window is not None and window.below:
                windows[need] = window
                return LONG_AGO
            above = self.blocked(need, gone)
            if above in windows:
                windows[need] = windows[above]
                return LONG_AGO
            return self.lost(need)

        parts = [asset, *(n for n in self.topology.servers.get(asset, ()) if self.standing(n).phase is Phase.DOWN)]
        for part in parts:
            need = self.blocked(part, gone) or ""
            if need in windows:
                return windows[need]
        return None

    def doubted(self, asset: str, of: Standing, family: int = 0) -> bool:
        """Whether an asset is in doubt at this moment, so far as it could explain trouble ``of`` that kind."""
        standing = self.over(asset, family)
        if standing.phase is Phase.UNKNOWN and standing.since and of.since:
            return standing.since >= of.since - UNQUIET  # it has only just become invisible
        return standing.shown is Phase.SUSPECT or (of.phase is not Phase.DOWN and standing.undecided)

    def doubts(self, asset: str, of: Standing) -> int:
        """Return how many assets stand in doubt beside an asset and do not hang on it."""
        found: set[str] = set()
        for code in self.topology.territories(asset):
            found |= {name for name in self._doubtful(code) if name != asset and self.doubted(name, of)}
        below = set(self.topology.below(asset)) if found else set()
        return len(found.difference(below, *(self.topology.served.get(name, ()) for name in below)))

    def _doubtful(self, code: str) -> Collection[str]:
        """Return the watched assets of a territory that may be in doubt."""
        known = self._known
        while known.unsorted:
            asset = known.unsorted.pop()
            move = set.add if self._may_be_doubted(asset) else set.discard
            for place in self.topology.territories(asset):
                move(known.doubtful[place], asset)
        return known.doubtful[code]

    def _may_be_doubted(self, asset: str) -> bool:
        if self.topology.kind(asset) == "zone":
            return False  # with its servers silent it cannot be known: that is no sign of anything beside them
        standing = self.standing(asset)
        return standing.phase is Phase.UNKNOWN or standing.shown is Phase.SUSPECT or standing.undecided

    def not_looked_at_since(self, asset: str, began: datetime) -> bool:
        """Whether an asset that is watched has not been looked at since another's trouble began."""
        return self.standing(asset).phase is not Phase.DOWN and self.not_seen_since(asset, began)

    def not_seen_since(self, asset: str, moment: datetime) -> bool:
        """Whether some last look at an asset was before that moment."""
        seen = self.topology.looked_at(asset, self.states)
        return seen is not None and seen < moment

    def left(self, asset: str) -> tuple[int, str] | None:
        """Say what redundancy is left beside an asset: how many, and in words."""
        return self.topology.servers_left(asset, self.states) or self.topology.left(asset, self.lost)

    def severity(self, asset: str, phase: Phase) -> Severity | None:
        """Look the severity up: asset kind x phase x redundancy left x people served; None opens no incident.

        What is reachable from some places only matters as much as what is degraded, unless a row says otherwise.
        """
        if phase is Phase.PARTITIONED and len(self.topology.world.vantages) > 1:
            return None  # one vantage against all others: the page shows it
        own = self._row(asset, phase)
        wholes = [name for name in self.topology.served.get(asset, ()) if self._server(name) == asset]
        found = [own, *(self._row(name, self.standing(name).phase) for name in wholes)]
        return max((one for one in found if one), key=lambda one: one.rank, default=None)

    def _row(self, asset: str, phase: Phase) -> Severity | None:
        """Return what the table says of one asset."""
        kind, people, left = self.topology.kind(asset), served(self.topology, asset), self.left(asset)
        for wanted in (phase, Phase.DEGRADED) if phase is Phase.PARTITIONED else (phase,):
            for row in self.topology.world.severities:
                if row.kind not in {"*", kind} or row.phase is not wanted:
                    continue
                if row.left is not None and (left is None or left[0] > row.left):
                    continue
                if row.people is None or people >= row.people:
                    return row.severity
        return None

    def evidence(self, asset: str, presumed: Presumption | None) -> Iterator[str]:
        """Say what speaks for the trouble of an asset, one sentence each."""
        if presumed is not None:
            fell = f"{len(presumed.down)} of {presumed.known} that need it went down at once"
            yield f"nobody looks at {self.topology.name(asset)} itself; {fell}"
        yield from self._said(asset, self.topology.checks.get(asset, ())[:MOST])
        down = [asset, *(presumed.down if presumed else ())]
        for need, dependency in dict(self.suspects(down)).items():
            yield f"{self.topology.name(need)} may be the cause (not confirmed: {dependency.source})"

    def _said(self, asset: str, checks: Iterable[str]) -> Iterator[str]:
        for check in checks:
            for part, state in self.topology.verdicts(asset, check, self.states).items():
                if state.settled in TROUBLE:
                    name = f"{check} {part}" if part else check
                    yield f"{name}: {state.reason}, since {state.settled_since:%H:%M:%S} UTC"

    def witnesses(self, asset: str, children: Iterable[str]) -> Iterator[str]:
        """Say what others tell of the trouble of an asset: routers of their interface to it, the world's routers of the
        networks behind it.
        """
        yield from self._said(asset, self.topology.borne.get(asset, ()))
        for child in children:
            if self.topology.kind(child) in WITNESSES:
                yield from self._said(child, self.topology.checks.get(child, ())[:MOST])

    def suspects(self, assets: Iterable[str]) -> Iterator[tuple[str, Dependency]]:
        """Yield hypotheses that would explain some of these assets."""
        for asset in assets:
            for dependency in self.topology.hypotheses.get(asset, ()):
                for need in dependency.needs:
                    if self.standing(need).phase in UNSEEN | TROUBLE:
                        yield need, dependency

    def follows(self, asset: str, began: datetime, back: dict[str, datetime], settle: timedelta) -> bool:
        """Whether what came back a moment ago (``back``) explains trouble that began before."""
        lately = partial(self._lately, began=began, back=back, settle=settle)
        return self.blocked(asset, lately) is not None and self.blocked(asset, self.lost) is None

    def _lately(self, asset: str, began: datetime, back: dict[str, datetime], settle: timedelta) -> datetime | None:
        """Return since when an asset is lost, or when it came back if trouble that began earlier may still follow."""
        returned = back.get(asset)
        if returned is not None and began <= returned and self.now - returned < settle:
            return returned
        if self.standing(asset).phase in UNSEEN:
            lately = partial(self._lately, began=began, back=back, settle=settle)
            above = self.blocked(asset, lately)
            return lately(above) if above else self.lost(asset)
        return self.lost(asset)
