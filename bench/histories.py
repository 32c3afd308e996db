"""Makes random histories of faults and noise with known truth. Seeded; it knows nothing of how anything is detected.

Every history may have some of every noise: lost looks (0.5 to 5 %), looks that leave late (up to two cadences), clock
steps, a configured topology in which 5 % of the edges are missing and 2 % wrong, flapping, unannounced maintenance, a
lying vantage of three, faults at once, cuts of the own link. The class that it is named after prevails in it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from bench.archipelago import FULL, TINY, VANTAGES, Size, region
from bench.physics import Broken, Physics, of_kind
from bench.truth import OK, SILENT, Cut, Fault, History, Lie, Noise, Spell
from monitor.model import Dependency, World

NOISES = (
    "loss",
    "late looks",
    "clock steps",
    "topology",
    "flapping",
    "maintenance",
    "lying vantage",
    "faults at once",
    "blindness",
    "one family",
    "region-wide",
)
FIRST = 180.0
"""Seconds in which all works, at the beginning."""
QUIET = 1200.0
"""Seconds in which all works, at the end: longer than anybody holds an incident open that came and went."""
MENU = (
    ("cable cut", ("cable",), 3.0),
    ("landing lost", ("landing",), 1.0),
    ("power lost", ("power",), 1.0),
    ("site lost", ("site",), 1.0),
    ("router dies", ("router",), 2.0),
    ("network lost", ("network",), 2.0),
    ("name server dies", ("nameserver",), 2.0),
    ("web site dies", ("website",), 0.5),
)


@dataclass(slots=True)
class _Maker:
    """A history under construction."""

    rng: Random
    noise: str
    world: World
    vantages: tuple[str, ...]
    tiny: bool
    physics: Physics
    faults: list[Fault] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    lies: list[Lie] = field(default_factory=list)
    at: float = FIRST
    """When the next thing may begin."""

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def between(self, least: float, most: float) -> float:
        return round(self.rng.uniform(least, most), 1)

    def length(self) -> float:
        """How long a fault lasts: mostly some minutes, now and then too short for anybody."""
        if self.chance(0.1):
            return self.between(2.0, 8.0)
        return round(min(max(self.rng.lognormvariate(6.0, 0.7), 120.0), 600.0 if self.tiny else 2400.0), 1)

    def strike(self, what: str, broken: Broken, since: float, lengths: Sequence[tuple[float, float]]) -> Fault | None:
        """Break something in spells of (down, up) seconds, if that is a cause of its own beside what there is."""
        spells, moment = [], since
        for down, up in lengths:
            spells.append(Spell(round(moment, 1), round(moment + down, 1)))
            moment += down + up
        fault = Fault(what, broken, tuple(spells))
        if any(fault.broken.asset == other.broken.asset for other in self.faults) or self._confounded(fault):
            return None
        self.faults.append(fault)
        return fault

    def _confounded(self, fault: Fault) -> bool:
        """Whether with another at the same time it would look just like one cause."""
        for other in self.faults:
            if other.until + 120.0 < fault.since or fault.until + 120.0 < other.since:
                continue
            both = self.physics.failing(frozenset({fault.broken, other.broken})).keys()
            one, two = (self.physics.failing(frozenset({each.broken})).keys() for each in (fault, other))
            if one & two or any(self.physics.failing(frozenset({Broken(a)})).keys() == both for a in self.world.assets):
                return True
        return False

    def pick(self, kinds: Iterable[str], ok: Callable[[Broken], bool] | None = None) -> Broken | None:
        """Choose an asset of some kinds whose failure somebody could see, mostly."""
        found = [Broken(id_) for id_ in of_kind(self.world.assets, kinds) if id_ != "network:transit"]
        if not self.chance(0.05):
            found = [each for each in found if self.physics.failing(frozenset({each}))]
        found = [each for each in found if ok is None or ok(each)]
        return self.rng.choice(found) if found else None

    def any_fault(self, since: float) -> Fault | None:
        """Break one thing of any kind."""
        if self.chance(0.1 if self.noise != "one family" else 0.7):
            return self.family_fault(since)
        if self.chance(0.12):
            return self.refusal(since)
        weights = [weight for _, _, weight in MENU]
        what, kinds, _ = self.rng.choices(MENU, weights)[0]
        broken = self.pick(kinds)
        return self.strike(what, broken, since, [(self.length(), 0.0)]) if broken else None

    def family_fault(self, since: float) -> Fault | None:
        """Break one address family of something that is looked at over both."""
        family = self.rng.choice((4, 6, 6))

        def both(broken: Broken) -> bool:
            checks = (self.world.checks[id_] for id_ in self.physics.failing(frozenset({broken})))
            return {check.target.family for check in checks} == {4, 6}

        broken = self.pick(("router", "network", "nameserver", "cable"), both)
        if broken is None:
            return None
        return self.strike(f"IPv{family} lost", broken._replace(family=family), since, [(self.length(), 0.0)])

    def refusal(self, since: float) -> Fault | None:
        """Have a name server refuse, or all servers of a zone."""
        broken = self.pick(("nameserver",)) if self.chance(0.7) else Broken(self.rng.choice(self.zones()))
        if broken is None:
            return None
        return self.strike("refuses", broken._replace(refuses=True), since, [(self.length(), 0.0)])

    def zones(self) -> list[str]:
        return of_kind(self.world.assets, ("cctld",))

    def several(self, count: int) -> None:
        """Break things one after another, some while others last."""
        for _ in range(count):
            fault = self.any_fault(self.at)
            if fault is None:
                continue
            overlapping = self.chance(0.2) and fault.until - fault.since > 200
            self.at = round(
                self.at + 150 if overlapping else fault.until + self.between(300, 450 if self.tiny else 900), 1
            )
        self.at = self.reached() + 300.0

    def at_once(self, count: int) -> None:
        """Break things that have nothing to do with one another within a minute."""
        for _ in range(count):
            self.any_fault(self.at + self.between(0, 60))
        self.at = self.reached() + 300.0

    def flapping(self) -> None:
        """Have a link go and come for a while."""
        broken = self.pick(("cable", "router", "network"))
        lengths = [(self.between(15, 150), self.between(10, 120)) for _ in range(self.rng.randint(4, 12))]
        if broken:
            self.strike("flaps", broken, self.at, lengths)
        self.at = self.reached() + 600.0

    def maintenance(self) -> None:
        """Take an island's things down for minutes, one after another, and announce none of it."""
        code = self.rng.choice(sorted(self.world.territories))
        known = of_kind(self.world.assets, ("router", "network", "nameserver", "website"))
        theirs = [asset for asset in known if code in self.world.assets[asset].territories]
        for asset in self.rng.sample(theirs, min(len(theirs), self.rng.randint(1, 3))):
            fault = self.strike("unannounced maintenance", Broken(asset), self.at, [(self.between(100, 360), 0.0)])
            if fault:
                self.at = fault.until + self.between(120, 400)
        self.at = self.reached() + 300.0

    def blindness(self, count: int) -> None:
        """Cut the vantages' own links, wholly or over one family, or have them not look; now and then amid a fault."""
        for _ in range(count):
            vantage = self.rng.choice(self.vantages)
            families = sorted({check.target.family for check in self.world.checks.values()})
            silent, family = self.chance(0.75), (self.rng.choice(families) if self.chance(0.2) else None)
            spell = Spell(self.at, round(self.at + self.between(10, 600), 1))
            self.cuts.append(Cut(vantage, family if silent else None, spell, silent))
            if self.chance(0.4):
                self.any_fault(round(max(FIRST, spell.since + self.between(-150, 300)), 1))
            self.at = self.reached() + self.between(200, 600)

    def lying(self) -> None:
        """Have one vantage of three say what is not so."""
        if len(self.vantages) < 3:
            return
        spell = Spell(round(max(FIRST, self.at - self.between(0, 900)), 1), round(self.at + self.between(300, 1500), 1))
        checks = sorted(check.id for check in self.world.checks.values() if not check.reference)
        share = self.rng.choice((0.1, 0.3, 1.0))
        about = frozenset(check for check in checks if self.chance(share)) or frozenset(checks[:1])
        part = SILENT if self.chance(0.7) else OK
        self.lies.append(Lie(self.rng.choice(self.vantages), spell, about, part))
        self.at = spell.until + 300.0

    def region_wide(self) -> None:
        """Lose what everything depends on."""
        self.strike("region-wide", Broken("network:transit"), self.at, [(self.between(180, 1500), 0.0)])
        self.at = self.reached() + 600.0

    def reached(self) -> float:
        """When the last thing heals."""
        ends = [each.until for each in self.faults] + [cut.spell.until for cut in self.cuts]
        return max([self.at, *ends, *(lie.spell.until for lie in self.lies)])


def numbered(purpose: str, number: int) -> History:
    """Make one of the histories for a purpose (tuning, scoring), whose classes take turns."""
    return generate(f"{purpose} {number}", NOISES[number % len(NOISES)])


def generate(seed: str, noise: str = "", *, tiny: bool = False) -> History:
    """Make the history of a seed; its class is drawn unless it is named. ``tiny``: half an hour of two islands."""
    rng = Random(f"lambi {seed}")
    noise = noise or rng.choice(NOISES)
    size: Size = TINY if tiny else FULL
    vantages = VANTAGES[: 3 if noise == "lying vantage" or rng.random() < 0.15 else 1]
    world = region(rng, size, vantages, transit=noise == "region-wide" or rng.random() < 0.3)
    made = _Maker(rng, noise, world, vantages, tiny, Physics(world))
    _befall(made)
    seconds = round(max(made.reached() + QUIET, 1500.0 if tiny else 3600.0))
    return History(
        seed,
        noise,
        true=world,
        configured=misconfigured(rng, world, 2.0 if noise == "topology" else 1.0),
        vantages=vantages,
        faults=tuple(made.faults),
        cuts=tuple(made.cuts),
        lies=tuple(made.lies),
        chance=_noise(rng, noise, seconds),
        seconds=float(seconds),
        physics=made.physics,
    )


def _befall(made: _Maker) -> None:
    """Have the class's own trouble and some of the others' happen, in an order of chance."""
    busy = 1 if made.tiny else 2
    happenings: list[Callable[[], None]] = [lambda: made.several(made.rng.randint(1, busy))]
    special: dict[str, Callable[[], None]] = {
        "flapping": made.flapping,
        "maintenance": made.maintenance,
        "lying vantage": made.lying,
        "faults at once": lambda: made.at_once(made.rng.randint(2, 2 if made.tiny else 4)),
        "blindness": lambda: made.blindness(made.rng.randint(1, busy)),
        "region-wide": made.region_wide,
    }
    for name, happen in special.items():
        possible = name != "region-wide" or "network:transit" in made.world.assets
        if name == made.noise or (possible and made.chance(0.03 if made.tiny else 0.08)):
            happenings.append(happen)
    made.rng.shuffle(happenings)
    for happen in happenings:
        happen()
    if made.noise not in special and not made.tiny:
        made.several(made.rng.randint(1, 2))


def _noise(rng: Random, noise: str, seconds: float) -> Noise:
    steps = rng.randint(2, 4) if noise == "clock steps" else int(rng.random() < 0.2)
    most = 3600.0 if noise == "clock steps" else 30.0
    moments = [float(rng.randint(120, int(seconds) - 60)) for _ in range(steps)]
    jumps = {moment: round(rng.choice((-1, 1)) * rng.uniform(1, most), 1) for moment in moments}
    loss = rng.uniform(0.03, 0.05) if noise == "loss" else rng.uniform(0.005, 0.02)
    return Noise(loss, rng.uniform(0.04, 0.1) if noise == "late looks" else 0.005, jumps)


def misconfigured(rng: Random, world: World, much: float = 1.0) -> World:
    """Return the world as its operators believe it to be: 5 % of the edges are missing and 2 % wrong.

    No circle comes of what is wrong: the daemon refuses such a config.
    """
    believed = list(world.dependencies)
    for number, dependency in enumerate(world.dependencies):
        needs = []
        for need in dependency.needs:
            drawn = rng.random()
            if drawn >= 0.07 * much:
                needs.append(need)
            elif drawn >= 0.05 * much:
                needs.append(_another(rng, (world, _with(world, believed)), dependency.asset, need))
        believed[number] = replace(dependency, needs=tuple(dict.fromkeys(needs)))
    return _with(world, believed)


def _with(world: World, dependencies: Iterable[Dependency]) -> World:
    return replace(world, dependencies=tuple(each for each in dependencies if each.needs))


def _another(rng: Random, worlds: tuple[World, World], asset: str, need: str) -> str:
    """Return what an operator might have written instead: another of the kind.

    It does not need the asset itself, neither truly nor as believed so far.
    """
    kind = worlds[0].assets[need].kind
    others = [other for other in of_kind(worlds[0].assets, (kind,)) if other not in {need, asset}]
    for physics in map(Physics, worlds):
        others = [other for other in others if asset not in physics.above(other)]
    return rng.choice(others) if others else need
