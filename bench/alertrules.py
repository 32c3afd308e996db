"""The usual rule on the same histories: a well-tuned Prometheus with blackbox exporter, and Alertmanager.

Modelled plainly, and in its favour: samples at the same cadence from the same vantages; an alert for each asset when
the last three looks at it failed from most vantages, and one for "in part"; a rule over the references that inhibits
all alerts of a vantage that is cut off; `keep_firing_for`; grouping by territory; inhibition of what stands behind
what is down, by labels made from the same configured dependencies, through aggregated rules for groups of
alternatives and through assets that nobody watches too. What it has not: looking again at once, a verdict on parents
before children speak, an unknown, the inference of a cause that nobody watches.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from zlib import crc32

from bench.physics import Physics
from bench.scoring import Claim, Score, score
from bench.truth import History
from monitor.model import Check
from probes.model import Outcome

EVALUATE = 15.0
"""Seconds between evaluations of the rules."""
FALL = 3
KEEP_FIRING = 120.0
GROUP_WAIT = 30.0
GROUP_INTERVAL = 60.0
STALE = 300.0
"""A series without samples for so long is gone, and its alert with it."""
QUORUM = 2


@dataclass(slots=True)
class _Series:
    """The last looks of one vantage at one check."""

    last: deque[bool] = field(default_factory=lambda: deque(maxlen=FALL))
    at: float = 0.0

    def add(self, at: float, good: bool) -> None:
        self.last.append(good)
        self.at = at

    def failing(self, now: float) -> bool | None:
        """Whether the last looks all failed; None when there are none."""
        if not self.last or now - self.at > STALE:
            return None
        return len(self.last) == FALL and not any(self.last)


@dataclass(slots=True)
class _Firing:
    since: float
    until: float
    """It was last true then."""
    inhibited: bool = False
    told: float | None = None


@dataclass(slots=True)
class _Group:
    """One territory's alerts, in one notification."""

    session: str
    flush: float
    """The next one."""
    firing: dict[str, _Firing] = field(default_factory=dict)


@dataclass(slots=True)
class Alerts:
    """Evaluates the rules over one history."""

    history: History
    claims: list[Claim] = field(default_factory=list)
    beginnings: int = 0
    ends: int = 0
    _series: dict[tuple[str, str], _Series] = field(default_factory=dict)
    _groups: dict[str, _Group] = field(default_factory=dict)
    _sessions: int = 0
    _cuts: dict[tuple[str, int], float] = field(default_factory=dict)
    """Vantage and family -> when its references last did not answer; its alerts are inhibited for KEEP_FIRING."""
    _watched: dict[str, list[Check]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for check in self.history.configured.checks.values():
            for asset in (check.asset, *check.serves) if not check.reference else ():
                self._watched.setdefault(asset, []).append(check)

    def run(self) -> Score:
        """Let the history pass; return its score."""
        world = self.history.configured
        for vantage in self.history.vantages:
            for check in world.checks:
                self._series[vantage, check] = _Series()
        samples = iter(sorted(self._samples()))
        ahead = next(samples, None)
        now = EVALUATE
        while now <= self.history.seconds:
            while ahead is not None and ahead[0] <= now:
                self._series[ahead[1], ahead[2]].add(ahead[0], ahead[3])
                ahead = next(samples, None)
            self._evaluate(now)
            now += EVALUATE
        for group in self._groups.values():
            self._close(group, list(group.firing), None)
        physics = Physics(world)
        claims = [replace(claim, rank=len(physics.above(claim.asset))) for claim in self.claims]
        return score(self.history, claims, self.beginnings, self.ends)

    def _samples(self) -> Iterator[tuple[float, str, str, bool]]:
        """Yield (seconds, vantage, check, good) of every look, as late as it leaves."""
        for check in self.history.configured.checks.values():
            start = crc32(check.id.encode()) / 2**32 * check.every if not check.reference else 0.0
            for vantage in self.history.vantages:
                due = start
                while due < self.history.seconds:
                    leaves = due + self.history.delay(vantage, check, due)
                    answer = self.history.answer(vantage, check, leaves)
                    if answer is not None:
                        yield leaves + answer[1], vantage, check.id, answer[0].outcome is Outcome.OK
                    due += check.every

    def _evaluate(self, now: float) -> None:
        true = self._true(now)
        for asset in true:
            for group in self._groups_of(asset, now):
                known = group.firing.setdefault(asset, _Firing(now, now))
                known.until = now
        down = {asset for group in self._groups.values() for asset in group.firing}
        lost = self._lost({asset for asset in down if not asset.endswith(" in part")})
        for name, group in list(self._groups.items()):
            for asset, firing in group.firing.items():
                firing.inhibited = self._inhibited(asset, down, lost)
            if now >= group.flush:
                self._flush(name, group, now)

    def _true(self, now: float) -> list[str]:
        """Return the alerts whose expression is true: assets, "asset in part", vantages that are cut off."""
        for vantage in self.history.vantages:
            self._cuts |= {(vantage, family): now for family in self._cut(vantage, now)}
        found = list(dict.fromkeys(vantage for (vantage, _), last in self._cuts.items() if last == now))
        cut = {
            vantage: {
                family for family in (4, 6) if now - self._cuts.get((vantage, family), -KEEP_FIRING) < KEEP_FIRING
            }
            for vantage in self.history.vantages
        }
        for asset, checks in self._watched.items():
            verdicts = [verdict for check in checks if (verdict := self._fails(check, cut, now)) is not None]
            if verdicts and all(verdicts):
                found.append(asset)
            elif any(verdicts) and not asset.startswith(("cctld:", "website:")):
                found.append(f"{asset} in part")
        return found

    def _cut(self, vantage: str, now: float) -> set[int]:
        """Return the address families in which a vantage's references do not answer."""
        families: set[int] = set()
        refs = [check for check in self.history.configured.checks.values() if check.reference]
        for family in (4, 6):
            known = [self._series[vantage, check.id].failing(now) for check in refs if check.target.family == family]
            if known and sum(verdict is False for verdict in known) < QUORUM:
                families.add(family)
        return families

    def _fails(self, check: Check, cut: dict[str, set[int]], now: float) -> bool | None:
        """Return what most of the vantages that are not cut off say of a check."""
        seeing = [vantage for vantage, families in cut.items() if check.target.family not in families]
        said = [self._series[vantage, check.id].failing(now) for vantage in seeing]
        known = [verdict for verdict in said if verdict is not None]
        return sum(known) * 2 > len(known) if known else None

    def _groups_of(self, asset: str, now: float) -> Iterable[_Group]:
        name = asset.removesuffix(" in part")
        known = self.history.configured.assets[name]
        territory = ",".join(known.territories) or name
        if territory not in self._groups:
            self._sessions += 1
            self._groups[territory] = _Group(str(self._sessions), now + GROUP_WAIT)
        return [self._groups[territory]]

    def _lost(self, down: set[str]) -> set[str]:
        """Return what is down, and what cannot work without it as configured."""
        lost = set(down)
        while True:
            more = {
                need.asset
                for need in self.history.configured.dependencies
                if need.asset not in lost
                and (all if need.mode == "any" else any)(other in lost for other in need.needs)
            }
            if not more:
                return lost
            lost |= more

    def _inhibited(self, alert: str, down: set[str], lost: set[str]) -> bool:
        asset, _, part = alert.partition(" in ")
        if part and asset in down:
            return True
        for need in self.history.configured.dependencies:
            if need.asset == asset and (all if need.mode == "any" else any)(other in lost for other in need.needs):
                return True
        serves = {zone for check in self._watched.get(asset, ()) if check.asset == asset for zone in check.serves}
        if any(zone in down for zone in serves):
            return True  # the ccTLD's alert speaks for its servers
        servers = {check.asset for check in self._watched.get(asset, ()) if asset in check.serves}
        return bool(servers) and all(self._inhibited(server, down - {asset}, lost) for server in servers)

    def _flush(self, name: str, group: _Group, now: float) -> None:
        """Send one notification if the group has changed, and forget what is over."""
        fresh = [f for f in group.firing.values() if f.told is None and not f.inhibited and now - f.until < KEEP_FIRING]
        for firing in fresh:
            firing.told = now
        self.beginnings += bool(fresh)
        over = [asset for asset, firing in group.firing.items() if now - firing.until >= KEEP_FIRING]
        self.ends += any(group.firing[asset].told is not None for asset in over)
        self._close(group, over, now)
        group.flush = now + GROUP_INTERVAL
        if not group.firing:
            del self._groups[name]

    def _close(self, group: _Group, alerts: list[str], now: float | None) -> None:
        for alert in alerts:
            firing = group.firing.pop(alert)
            if firing.told is not None:
                asset = alert.removesuffix(" in part")
                end = None if now is None else firing.until
                name = f"alert {alert} told at {firing.told:.0f} s"
                self.claims.append(
                    Claim(asset, frozenset({asset}), firing.told, end, 0, name, group.session, alone=alert)
                )
