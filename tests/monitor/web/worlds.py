"""Worlds to show: a calm region, a storm, a vantage cut off, one without ICMP, hostile strings. No real target."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from alerting.model import Severity
from alerting.runbook import Runbook
from monitor.maintenance import Calendar
from monitor.model import Asset, Check, Dependency, Entry, Incident, Phase, Provenance, Rule, Territory, Window, World
from monitor.planned import Kept, Links
from monitor.planned import works as planned
from monitor.posture import Level, Posture
from monitor.views import AssetView, CheckView, Coverage, Health, IncidentFilter, Snapshot, ToldRow, Usual
from probes.model import Target
from tests.fakes import START

PLACES = """AG;Antigua and Barbuda;America/Antigua;103603;3
AI;Anguilla;America/Anguilla;16010;1
AW;Aruba;America/Aruba;107566;4
BB;Barbados;America/Barbados;267800;3
BL;Saint Barthélemy;America/St_Barthelemy;10562;3
BM;Bermuda;Atlantic/Bermuda;64055;5
BQ;Caribbean Netherlands;America/Kralendijk;26552;3
BS;Bahamas;America/Nassau;398165;4
BZ;Belize;America/Belize;417634;2
CU;Cuba;America/Havana;9748007;3
CW;Curaçao;America/Curacao;156115;8
DM;Dominica;America/Dominica;67408;2
DO;Dominican Republic;America/Santo_Domingo;10771504;7
GD;Grenada;America/Grenada;109021;3
GF;French Guiana;America/Cayenne;292354;3
GP;Guadeloupe;America/Guadeloupe;373791;4
GY;Guyana;America/Guyana;772975;3
HT;Haiti;America/Port-au-Prince;11867032;2
JM;Jamaica;America/Jamaica;2825544;6
KN;Saint Kitts and Nevis;America/St_Kitts;51320;3
KY;Cayman Islands;America/Cayman;84738;3
LC;Saint Lucia;America/St_Lucia;184100;2
MF;Saint Martin;America/Marigot;31496;3
MQ;Martinique;America/Martinique;339897;5
MS;Montserrat;America/Montserrat;4386;1
PR;Puerto Rico;America/Puerto_Rico;3203295;15
SR;Suriname;America/Paramaribo;616500;2
SX;Sint Maarten;America/Lower_Princes;41349;3
TC;Turks and Caicos Islands;America/Grand_Turk;50894;1
TT;Trinidad and Tobago;America/Port_of_Spain;1368333;7
VC;Saint Vincent and the Grenadines;America/St_Vincent;110872;3
VG;British Virgin Islands;America/Tortola;39471;5
VI;United States Virgin Islands;America/St_Thomas;87146;12"""

NOW = START
HOUR = timedelta(hours=1)
VANTAGE = "vantage:bridgetown"
HOSTILE = "\"><script>alert(1)</script>'; DROP TABLE\r\nX-Bad: 1\x1b[31m{{7*7}}\u202e"
FORMULA = '=HYPERLINK("http://example.invalid","x")'
MOON = Provenance("list of cables of 2022", "2022-12", "medium")


def _territories() -> dict[str, Territory]:
    rows = [line.split(";") for line in PLACES.splitlines()]
    return {code: Territory(code, name, zone, int(people)) for code, name, zone, people, _ in rows}


def _assets() -> list[Asset]:
    found = [Asset(VANTAGE, "vantage", "Bridgetown", ("BB",))]
    rows = [line.split(";") for line in PLACES.splitlines()]
    servers = 0
    for index, (code, name, _, _, cables) in enumerate(rows):
        low = code.lower()
        facts = {"manager": f"University of {name}", "name_servers": f"4 of which 2 lie in .{low}"}
        found.append(Asset(f"cctld:{low}", "cctld", f".{low}", (code,), Provenance("root zone", "2026-08-22"), facts))
        for number in range(4 if index < 10 else 3):
            servers += 1
            found.append(Asset(f"nameserver:ns{number}.nic.{low}", "nameserver", f"ns{number}.nic.{low}"))
        found.append(Asset(f"ixp:{low}ix", "ixp", f"{code}IX", (code,), facts={"peering_lan_v4": "192.0.2.0/24"}))
        if index % 3:
            found.append(Asset(f"website:{low}ix", "website", f"www.{low}ix.example", (code,)))
        found += [Asset(f"landing:{low}-{n}", "landing", f"{name} landing {n}", (code,)) for n in range(6)]
        for number in range(max(1, int(cables) // 3)):
            other = rows[(index + number + 1) % len(rows)][0]
            found.append(Asset(f"cable:{low}{number}", "cable", f"Cable {code}-{other} {number}", (code, other), MOON))
    found.append(Asset("cable:ecfs", "cable", "Eastern Caribbean Fiber System (ECFS)", ("BB", "LC", "DM", "VC"), MOON))
    return found


def _checks(asset: Asset) -> list[Check]:
    kinds = {
        "cctld": ("dns", "dns"),
        "nameserver": ("icmp",),
        "website": ("http",),
        "vantage": ("references", "references"),
    }
    found = []
    for number, kind in enumerate(kinds.get(asset.kind, ())):
        family = 4 if number % 2 == 0 else 6
        address = "https://www.example/" if kind == "http" else ("192.0.2.53", "2001:db8::53")[number % 2]
        target = Target(f"{asset.id}/{family}", address, family)
        serves = (f"cctld:{asset.name[-2:]}",) if asset.kind == "nameserver" else ()
        found.append(Check(f"{target.id}/{kind}/a", asset.id, target, kind, None, 60.0, 3.0, Rule(), serves))
    return found


VALUES: Mapping[str, Mapping[str, float | int | str]] = {
    "icmp": {"rtt_seconds": 0.0123, "ttl": 57},
    "dns": {"rtt_seconds": 0.0311, "rcode": 0, "aa": 1, "soa_serial": 2026090101},
    "http": {"rtt_seconds": 0.211, "first_byte_seconds": 0.19, "status": 200},
    "references": {"networks_answering": 3},
}
USUAL: Mapping[str, tuple[Usual, ...]] = {
    "icmp": (Usual("rtt_seconds", 0.0118, 0.0139, "the usual rtt changed from 62 ms to 13 ms on 14 Aug 2026"),),
    "http": (Usual("rtt_seconds", None, None),),
}


def _view(asset: Asset, checks: list[Check], needs: tuple[Dependency, ...], now: datetime) -> AssetView:
    since, seen = now - timedelta(days=3), now - timedelta(seconds=14)
    if not checks:
        return AssetView(asset, Phase.NOT_WATCHED, None, "no check exists", None, (), needs)
    parts = tuple(
        CheckView(
            c.id,
            "",
            c.kind,
            c.target.address,
            c.target.family,
            Phase.UP,
            since,
            "answers",
            seen,
            VALUES[c.kind],
            60.0,
            USUAL.get(c.kind, ()),
        )
        for c in checks
    )
    return AssetView(asset, Phase.UP, since, "answers", seen, parts, needs)


def calm(now: datetime = NOW) -> Snapshot:
    """The whole region, everything that is watched answers."""
    assets = _assets()
    checks = {asset.id: _checks(asset) for asset in assets}
    servers = tuple(f"nameserver:ns{n}.nic.bb" for n in range(4))
    dependencies = (
        Dependency("cctld:bb", servers, "any", confirmed=True, source="config"),
        Dependency("ixp:bbix", ("cable:ecfs",), "all", confirmed=False, source="schematic cables, 2022"),
    )
    needs = {asset.id: tuple(d for d in dependencies if d.asset == asset.id) for asset in assets}
    world = World(
        vantage=VANTAGE,
        territories=_territories(),
        assets={asset.id: asset for asset in assets},
        checks={check.id: check for found in checks.values() for check in found},
        dependencies=dependencies,
        severities=(),
    )
    return Snapshot(
        at=now - timedelta(seconds=1),
        site="Bridgetown",
        world=world,
        assets={asset.id: _view(asset, checks[asset.id], needs[asset.id], now) for asset in assets},
        incidents=(),
        health=Health(started=now - timedelta(days=3), checks=len(world.checks), packets_per_minute=612.0),
    )


def with_phase(snapshot: Snapshot, asset: str, phase: Phase, reason: str, incident: str = "") -> Snapshot:
    """The same world with one asset, and all its checks, in another state."""
    old, since = snapshot.assets[asset], snapshot.at - timedelta(minutes=12)
    checks = tuple(replace(check, phase=phase, since=since, reason=reason) for check in old.checks)
    seen = old.seen or snapshot.at - timedelta(seconds=4)
    new = replace(old, phase=phase, since=since, reason=reason, checks=checks, incident=incident, seen=seen)
    return replace(snapshot, assets={**snapshot.assets, asset: new})


def incident(number: str, asset: str, title: str, severity: Severity, began: datetime, **changes: object) -> Incident:
    """An incident of which only what a test looks at is given."""
    kind = asset.partition(":")[0]
    base = Incident(
        id=number,
        asset=asset,
        kind=kind,
        territories=("BB",),
        severity=severity,
        phase=Phase.DOWN,
        began=began,
        opened=began + timedelta(seconds=11),
        changed=began + timedelta(seconds=40),
        revision=2,
        reason="3 looks in a row over 11 s without an answer",
        title=title,
        runbook="cable-cut@3f9a51c20b77",
        timeline=(
            Entry(began + timedelta(seconds=11), "opened", "3 looks in a row over 11 s without an answer"),
            Entry(began + timedelta(seconds=12), "told", "SECRET-CONTACT by sms"),
            Entry(began + timedelta(seconds=40), "joined", "BBIX cannot be reached: it needs the cable"),
        ),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test names fields


def storm(now: datetime = NOW) -> Snapshot:
    """A cable is cut, an exchange lies behind it, a domain limps, a server is being asked again."""
    s = with_phase(calm(now), "cable:ecfs", Phase.DOWN, "no answer from the landing router at its far end", "17")
    s = with_phase(s, "ixp:bbix", Phase.UNREACHABLE, "lies behind Eastern Caribbean Fiber System (ECFS)", "17")
    s = with_phase(s, "cctld:dm", Phase.DEGRADED, "2 of 4 name servers answer", "18")
    s = with_phase(s, "nameserver:ns1.nic.dm", Phase.DOWN, "no answer for 3 min", "18")
    s = with_phase(s, "nameserver:ns2.nic.lc", Phase.SUSPECT, "no answer to the last look")
    s = with_phase(s, "website:bsix", Phase.RECOVERING, "answers again")
    s = with_phase(s, "cctld:sx", Phase.UNKNOWN, "no route to any of its servers from here")
    open_ones = (
        incident(
            "17",
            "cable:ecfs",
            "Eastern Caribbean Fiber System (ECFS) is down",
            Severity.CRITICAL,
            now - timedelta(minutes=12),
            territories=("BB", "LC", "DM", "VC"),
            children=("ixp:bbix",),
            left="No cable that is known to be watched is left for Barbados",
        ),
        incident(
            "18",
            "cctld:dm",
            ".dm is degraded",
            Severity.WARNING,
            now - timedelta(minutes=3),
            territories=("DM",),
            phase=Phase.DEGRADED,
            reason="2 of 4 name servers do not answer",
            left="2 of 4 name servers are left",
            runbook="",
        ),
    )
    return replace(s, incidents=open_ones)


def tangle(now: datetime = NOW) -> Snapshot:
    """What nobody looks at must be down; much lies behind it, another incident is part of it, vantages disagree."""
    s = storm(now)
    s = with_phase(s, "website:aiix", Phase.PARTITIONED, "reachable from Miami, not from Bridgetown")
    behind = tuple(name for name in s.assets if name.startswith("nameserver:"))[:12]
    cause, other = s.incidents
    cause = replace(
        cause,
        confidence=0.75,
        evidence=("3 of 4 that need it went down at once", "Cable AG-AI 0 may be the cause (not confirmed: 2022)"),
        people=(0, 74_656),
        children=(*cause.children, "cctld:lc", "landing:bb-0", "ixp:lcix", *behind),
        timeline=(*cause.timeline, Entry(now - timedelta(minutes=1), "reopened", "is in trouble again")),
    )
    part = replace(other, part_of="17")
    return replace(s, incidents=(cause,), parts={"17": (part,)})


def works(now: datetime = NOW) -> Snapshot:
    """A cable is being repaired, with all that needs it; an exchange is to be, and one person's words are hostile."""
    s = with_phase(calm(now), "cable:ecfs", Phase.DOWN, "no answer from the landing router at its far end")
    confirmed = Dependency("ixp:lcix", ("cable:ecfs",), "all", confirmed=True)
    s = replace(s, world=replace(s.world, dependencies=(*s.world.dependencies, confirmed)))
    repair = Window("m1", "cable:ecfs", now - HOUR, now + 16 * HOUR, "splice at km 12", "ECFS NOC")
    weekly = Window("lc", "ixp:lcix", now + 2 * HOUR, now + 3 * HOUR, HOSTILE, HOSTILE, rule="FREQ=WEEKLY", zone="UTC")
    later = replace(weekly, id="m3", asset="cctld:bb", since=now + 900 * HOUR, until=now + 901 * HOUR, below=False)
    return replace(s, works=planned(Calendar([repair, weekly, later]), Links(s.world.dependencies), now))


def blind(now: datetime = NOW) -> Snapshot:
    """The vantage is cut off; what it cannot see is unknown; its own island still answers."""
    s = calm(now)
    for asset in [view.asset for view in s.assets.values() if view.checks]:
        if asset.kind != "vantage" and "BB" not in asset.territories:
            s = with_phase(s, asset.id, Phase.UNKNOWN, "this vantage cannot see the world")
    s = with_phase(s, VANTAGE, Phase.DOWN, "references in 0 of 3 networks answer", "19")
    cut = incident("19", VANTAGE, "Vantage Bridgetown is cut off", Severity.MAJOR, now - timedelta(minutes=12))
    return replace(s, incidents=(cut,))


def no_icmp(now: datetime = NOW) -> Snapshot:
    """An ordinary user without raw sockets, on a machine whose clock nobody steers."""
    s = calm(now)
    sentence = "ICMP over IPv4: cannot look from here: this user may not open ICMP sockets"
    for view in list(s.assets.values()):
        if view.asset.kind == "nameserver":
            s = with_phase(s, view.asset.id, Phase.UNKNOWN, sentence)
    clock = "this machine's clock is not synchronised: times may be wrong"
    return replace(s, health=replace(s.health, capabilities=(sentence,), clock=clock, bugs=2))


def hostile(now: datetime = NOW) -> Snapshot:
    """Every text that comes from outside is an attack."""
    s = with_phase(calm(now), "cctld:bb", Phase.DOWN, HOSTILE, "20")
    old = s.assets["cctld:bb"]
    asset = replace(old.asset, name=HOSTILE, facts={HOSTILE: HOSTILE}, provenance=Provenance(HOSTILE, HOSTILE, HOSTILE))
    checks = tuple(
        replace(check, part=HOSTILE, address=HOSTILE, values={HOSTILE: HOSTILE, "rtt_seconds": float("nan")})
        for check in old.checks
    )
    bad = Asset(f"website:{HOSTILE}", "website", FORMULA, ("BB",))
    views = {
        **s.assets,
        "cctld:bb": replace(old, asset=asset, checks=checks),
        bad.id: AssetView(bad, Phase.NOT_WATCHED, None, "", None),
    }
    places = {**s.world.territories, "BB": replace(s.world.territories["BB"], name=HOSTILE)}
    world = replace(s.world, territories=places, assets={**s.world.assets, "cctld:bb": asset, bad.id: bad})
    attack = incident(
        "20",
        "cctld:bb",
        FORMULA,
        Severity.CRITICAL,
        now - timedelta(minutes=5),
        reason=HOSTILE,
        left=f"-{HOSTILE}",
        closing=f"@{HOSTILE}",
        timeline=(Entry(now, HOSTILE, HOSTILE),),
    )
    health = replace(s.health, capabilities=(HOSTILE,), clock=HOSTILE, series_error=HOSTILE)
    return replace(s, site=HOSTILE, world=world, assets=views, incidents=(attack,), health=health)


class FakeLedger:
    """A ledger in a list."""

    def __init__(self, incidents: list[Incident], coverage: Coverage | None = None) -> None:
        self.rows = sorted(incidents, key=lambda one: one.began, reverse=True)
        self.asked: list[IncidentFilter] = []
        self.looking = coverage
        self.kept: list[Kept] = []

    async def incidents(self, wanted: IncidentFilter) -> list[Incident]:
        self.asked.append(wanted)
        found = [one for one in self.rows if _matches(one, wanted)]
        return found[wanted.offset : wanted.offset + wanted.limit]

    async def incident(self, name: str) -> Incident | None:
        return next((one for one in self.rows if one.id == name), None)

    async def coverage(self, since: datetime, until: datetime, asset: str | None = None) -> Coverage:
        whole = (until - since).total_seconds()
        gap = (until - timedelta(hours=2), until - timedelta(hours=1), "the daemon was not running")
        return self.looking or Coverage(whole - 3600, whole, (gap,))

    async def windows(self, until: datetime) -> list[Kept]:
        return [kept for kept in self.kept if kept.window.since < until]

    async def told(self, name: str) -> list[ToldRow]:
        one = await self.incident(name)
        if one is None:
            return []
        return [
            ToldRow("Department of Emergency Management", "jane-doe", "sms", "first", "accepted", one.opened),
            ToldRow("Caribbean Telecommunications Union", "duty-desk", "mail", "first", "accepted", one.opened),
        ]


def _matches(one: Incident, wanted: IncidentFilter) -> bool:
    return (
        (wanted.territory is None or wanted.territory in one.territories)
        and (wanted.asset is None or wanted.asset == one.asset)
        and (wanted.severity is None or one.severity.rank >= wanted.severity.rank)
        and (wanted.since is None or one.closed is None or one.closed > wanted.since)
        and (wanted.until is None or one.began < wanted.until)
    )


def history(snapshot: Snapshot, closed: int = 120) -> FakeLedger:
    """The snapshot's open incidents and some that are over, one every five hours."""
    over = [
        incident(
            f"{900 + n}",
            "cable:ecfs" if n % 2 else "cctld:jm",
            f"Trouble {n}",
            list(Severity)[n % 4],
            snapshot.at - timedelta(hours=5 * (n + 1)),
            territories=("BB",) if n % 2 else ("JM",),
            closed=snapshot.at - timedelta(hours=5 * (n + 1)) + timedelta(minutes=7 * n + 1),
            closing="answers again",
        )
        for n in range(closed)
    ]
    parts = [part for found in snapshot.parts.values() for part in found]
    return FakeLedger([*snapshot.incidents, *parts, *over])


RUNBOOK = Runbook(
    id="cable-cut",
    title="A cable is cut",
    kinds=("cable",),
    phases=("down",),
    severity=Severity.WARNING,
    roles=("on-call",),
    language="en",
    reviewed=date(2026, 8, 1),
    minutes=30,
    first="Call the cable's duty desk",
    steps=("Ask for time and place of the fault.", "Ask the operators what other cables can carry."),
    text="# A cable is cut\n\n1. Ask for time and place of the fault.\n2. Ask what other cables can carry.",
    hash="3f9a51c20b77",
)


def warned() -> Snapshot:
    """A posture is set for Barbados."""
    until = NOW + timedelta(hours=5)
    reason = "Hurricane <Erin>, landfall about 02:00"
    one = Posture(3, "BB", Level.PREPARE, NOW - HOUR, until, reason, "DEM")
    return replace(calm(), postures=(one,))


def doubtful() -> Snapshot:
    """An asset is known by an old list alone."""
    known = calm()
    name = next(name for name, view in known.assets.items() if view.asset.kind == "ixp")
    view = known.assets[name]
    asset = replace(view.asset, provenance=Provenance("an old list", "2014", "low"))
    return replace(known, assets={**known.assets, name: replace(view, asset=asset)})
