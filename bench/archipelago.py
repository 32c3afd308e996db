"""Random regions: what exists, what it really needs, and which of it is watched. Seeded; it knows no detector.

Off the islands stand the vantages, their references and some name servers. Each island has cables (some watched by the
router at their far end), landing stations and power plants (hardly ever watched), a site, gateways, networks, servers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from alerting.model import Severity
from monitor.model import Asset, Check, Dependency, Phase, Rule, SeverityRow, Territory, World
from probes.model import Target

RULE = Rule()
REFERENCE_RULE = Rule(fall=2, rise=1, silence_seconds=4.0, refusal_seconds=4.0)
TIMEOUT = 2.0
VANTAGES = ("vantage:miami", "vantage:bridgetown", "vantage:london")
SEVERITIES = (
    SeverityRow("vantage", Phase.DOWN, Severity.CRITICAL),
    SeverityRow("vantage", Phase.DEGRADED, Severity.WARNING),
    SeverityRow("cable", Phase.DOWN, Severity.CRITICAL, left=0),
    SeverityRow("cctld", Phase.DOWN, Severity.CRITICAL),
    SeverityRow("cctld", Phase.DEGRADED, Severity.MAJOR, left=1),
    SeverityRow("cctld", Phase.DEGRADED, None),
    SeverityRow("website", Phase.DOWN, Severity.INFO),
    SeverityRow("*", Phase.DOWN, Severity.MAJOR),
    SeverityRow("*", Phase.DEGRADED, Severity.INFO),
)


@dataclass(frozen=True)
class Ping:
    """Settings of a probe that nobody runs."""

    kind: str = "icmp"


@dataclass(frozen=True, slots=True)
class Size:
    """How large a region is."""

    islands: tuple[int, int]
    networks: tuple[int, int]
    references: int
    """Networks that the references stand in."""
    reference_every: float


FULL = Size((3, 5), (0, 2), 4, 5.0)
TINY = Size((1, 2), (0, 1), 4, 10.0)


@dataclass(slots=True)
class Region:
    """A world under construction; `world` freezes it with what it really needs."""

    rng: Random
    size: Size
    assets: dict[str, Asset] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    needs: list[Dependency] = field(default_factory=list)
    territories: dict[str, Territory] = field(default_factory=dict)
    abroad: list[str] = field(default_factory=list)
    """Name servers that stand off the islands."""
    cables: list[str] = field(default_factory=list)
    families: tuple[int, ...] = (4, 6)
    """What this site has: nothing is looked at over a family without references."""

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def add(self, id_: str, *territories: str, needs: Sequence[str] = (), mode: str = "all") -> str:
        """Add an asset that works only while what it needs does."""
        kind, _, name = id_.partition(":")
        self.assets[id_] = Asset(id_, kind, name, territories)
        self.need(id_, needs, mode)
        return id_

    def need(self, asset: str, needs: Sequence[str], mode: str = "all") -> None:
        if needs:
            self.needs.append(Dependency(asset, tuple(needs), mode, confirmed=True, source="generated"))

    def watch(self, asset: str, *, every: float = 30.0, both: float = 0.0, zones: Iterable[str] = ()) -> None:
        """Watch an asset over IPv4 and, with the chance `both`, over IPv6; once for each zone that it serves."""
        families = self.families if self.chance(both) else (4,)
        for zone in list(zones) or [""]:
            for family in families:
                number = len(self.checks) + 1
                address = f"198.51.100.{number % 256}" if family == 4 else f"2001:db8::{number:x}"
                target = Target(f"{asset}/{family}", address, family)
                kind = "dns" if zone else "icmp"
                serves = (f"cctld:{zone}",) if zone else ()
                id_ = f"{target.id}/{kind}/{zone}"
                self.checks[id_] = Check(id_, asset, target, kind, Ping(kind), every, TIMEOUT, RULE, serves)

    def world(self) -> World:
        dependencies = tuple(self.needs)
        return World(VANTAGES[0], self.territories, self.assets, self.checks, dependencies, SEVERITIES)


def region(rng: Random, size: Size, vantages: Sequence[str], *, transit: bool) -> World:
    """Make a region; with `transit` everything depends on one upstream network."""
    made = Region(rng, size)
    for vantage in vantages:
        made.add(vantage)
    if size is TINY and made.chance(0.5):
        made.families = (4,)
    _references(made)
    upstream = [made.add("network:transit")] if transit else []
    if upstream and made.chance(0.3):
        made.watch(upstream[0])
    for number in range(rng.randint(*size.networks)):
        made.abroad.append(made.add(f"nameserver:abroad-{number + 1}"))
    zones: dict[str, list[str]] = {name: [] for name in made.abroad}
    for number in range(rng.randint(*size.islands)):
        _island(made, "abcdefgh"[number], upstream, zones)
    for server, served in zones.items():
        if served:
            made.watch(server, every=60.0, both=0.7, zones=served)
    return made.world()


def _references(made: Region) -> None:
    for number in range(made.size.references):
        for family in made.families:
            address = f"203.0.113.{number + 1}" if family == 4 else f"2001:db8:ffff::{number + 1:x}"
            target = Target(f"ref:{number}/{family}", address, family)
            id_ = f"{target.id}/icmp/"
            rule, network = REFERENCE_RULE, f"n{number}"
            made.checks[id_] = Check(
                id_, VANTAGES[0], target, "icmp", Ping(), made.size.reference_every, TIMEOUT, rule, reference=network
            )


def _island(made: Region, letter: str, upstream: list[str], zones: dict[str, list[str]]) -> None:
    """One island: power, landings, cables, a site, gateways, networks, and its ccTLD."""
    rng, code = made.rng, f"X{letter.upper()}"
    people = rng.randint(5, 3000) * 1000
    made.territories[code] = Territory(code, f"Island {letter.upper()}", "America/Barbados", people)
    power = [made.add(f"power:{letter}", code)] if made.chance(0.6) else []
    ways = _cables(made, letter, code, power, upstream)
    site = [made.add(f"site:{letter}", code, needs=power if made.chance(0.7) else ())] if made.chance(0.5) else []
    gateways = []
    for number in range(2 if made.chance(0.3) else 1):
        gateway = made.add(f"router:{letter}{number + 1}", code, needs=ways, mode="any")
        made.need(gateway, site)
        made.watch(gateway, both=0.5)
        gateways.append(gateway)
    inside = []
    for number in range(rng.randint(*made.size.networks) + 1):
        network = made.add(f"network:{letter}{number + 1}", code, needs=gateways, mode="any")
        made.watch(network, both=0.4)
        inside.append(network)
    if made.chance(0.4):
        website = made.add(f"website:{letter}", code, needs=[rng.choice(inside)])
        made.watch(website, every=60.0)
    _cctld(made, letter, code, [*gateways, *inside], zones)


def _cables(made: Region, letter: str, code: str, power: list[str], upstream: list[str]) -> list[str]:
    """Lay the island's cables; return what its gateways have as ways out."""
    ways: list[str] = []
    landings: list[str] = []
    for number in range(2 if made.chance(0.6) else 1):
        if not landings or made.chance(0.5):  # else the cable lands where the first does: a risk that both share
            landings.append(made.add(f"landing:{letter}{number + 1}", code, needs=power if made.chance(0.5) else ()))
            if made.chance(0.15):
                made.watch(landings[-1])
        cable = made.add(f"cable:{letter}{number + 1}", code, needs=[landings[-1], *upstream])
        if made.chance(0.6):
            made.watch(cable)
        ways.append(cable)
    if made.cables and made.chance(0.25):  # a festoon: the neighbour's cable goes on to here
        shared = made.rng.choice(made.cables)
        made.assets[shared] = replace(made.assets[shared], territories=(*made.assets[shared].territories, code))
        ways.append(shared)
    made.cables += [way for way in ways if way not in made.cables]
    if power and made.chance(0.2):
        made.watch(power[0])
    return ways


def _cctld(made: Region, letter: str, code: str, hosts: list[str], zones: dict[str, list[str]]) -> None:
    """The island's ccTLD with one to six servers, on the island and abroad."""
    made.add(f"cctld:{letter}", code)
    here = made.rng.randint(0 if made.abroad else 1, 3)
    away = made.rng.sample(made.abroad, made.rng.randint(0 if here else 1, min(3, len(made.abroad))))
    for number in range(here):
        server = made.add(f"nameserver:{letter}{number + 1}", code, needs=[made.rng.choice(hosts)])
        made.watch(server, every=60.0, both=0.3, zones=[letter])
    for server in away:
        zones[server].append(letter)
