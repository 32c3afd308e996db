"""Small worlds for tests of the core: a hub's view of islands and their cables."""

from dataclasses import dataclass

from alerting.model import Severity
from monitor.model import Asset, Check, Dependency, Phase, Rule, SeverityRow, Territory, World
from probes.model import Target

VANTAGE = "vantage:hub"
RULE = Rule(fall=3, rise=2, silence_seconds=8.0, refusal_seconds=2.0)
SEVERITIES = (
    SeverityRow("vantage", Phase.DOWN, Severity.CRITICAL),
    SeverityRow("vantage", Phase.DEGRADED, Severity.WARNING),
    SeverityRow("cable", Phase.DOWN, Severity.CRITICAL, left=0),
    SeverityRow("cable", Phase.DOWN, Severity.WARNING),
    SeverityRow("cctld", Phase.DOWN, Severity.CRITICAL),
    SeverityRow("cctld", Phase.DEGRADED, Severity.MAJOR, left=1),
    SeverityRow("cctld", Phase.DEGRADED, None),
    SeverityRow("*", Phase.DOWN, Severity.MAJOR),
    SeverityRow("*", Phase.DEGRADED, Severity.INFO),
)


@dataclass(frozen=True)
class Ping:
    """Settings of a probe that nobody runs."""

    kind = "icmp"


def asset(id_: str, *territories: str) -> Asset:
    return Asset(id_, id_.partition(":")[0], id_.partition(":")[2].upper(), territories)


def check(
    asset_id: str, name: str = "", *, every: float = 10.0, family: int = 4, serves: tuple[str, ...] = ()
) -> Check:
    target = Target(f"{asset_id}/{family}", "198.51.100.1", family)
    return Check(f"{target.id}/icmp/{name}", asset_id, target, "icmp", Ping(), every, 2.0, RULE, serves)


def reference(network: str, family: int = 4) -> Check:
    target = Target(f"ref:{network}/{family}", "203.0.113.1", family)
    rule = Rule(fall=2, rise=1, silence_seconds=4.0, refusal_seconds=4.0)
    return Check(f"{target.id}/icmp/", VANTAGE, target, "icmp", Ping(), 5.0, 2.0, rule, reference=network)


def make_world(
    checks: list[Check], dependencies: list[Dependency], *assets: Asset, references: tuple[str, ...] = ()
) -> World:
    named = {c.asset for c in checks} | {s for c in checks for s in c.serves} | {VANTAGE}
    known = {a.id: a for a in assets} | {n: asset(n) for n in sorted(named) if n not in {a.id for a in assets}}
    all_checks = [*checks, *(reference(network) for network in references)]
    territories = {
        "AG": Territory("AG", "Antigua and Barbuda", "America/Antigua", 103603),
        "DM": Territory("DM", "Dominica", "America/Dominica", 74656),
    }
    return World(
        VANTAGE,
        territories,
        known,
        {c.id: c for c in all_checks},
        tuple(dependencies),
        SEVERITIES,
        hold_seconds=0.0,
        reopen_seconds=0.0,
    )


def islands() -> World:
    """Antigua with two cables, Dominica with one; routers and name servers behind them."""
    checks = [
        check("cable:ant1"),
        check("cable:ant2"),
        check("cable:bon1"),
        check("router:ant"),
        check("router:bon"),
        check("nameserver:ns.ant", serves=("cctld:ant",)),
        check("nameserver:ns.bon", serves=("cctld:bon",)),
    ]
    return make_world(
        checks,
        [
            Dependency("router:ant", ("cable:ant1", "cable:ant2"), "any", confirmed=True),
            Dependency("router:bon", ("cable:bon1",), "all", confirmed=True),
            Dependency("nameserver:ns.ant", ("router:ant",), "all", confirmed=True),
            Dependency("nameserver:ns.bon", ("router:bon",), "all", confirmed=True),
        ],
        asset("cable:ant1", "AG"),
        asset("cable:ant2", "AG"),
        asset("cable:bon1", "DM"),
        asset("router:ant", "AG"),
        asset("router:bon", "DM"),
        asset("cctld:ant", "AG"),
        asset("cctld:bon", "DM"),
    )
