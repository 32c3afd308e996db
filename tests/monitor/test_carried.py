"""A router tells of the cables that run over its interfaces, the world's routers of the networks behind them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from monitor.belief import Belief
from monitor.docket import Book
from monitor.model import Check, Dependency, Incident, World
from monitor.snapshot import top
from monitor.topology import Topology
from monitor.why import why
from probes.bgp import Bgp
from probes.model import Observation, Outcome, Part
from tests.fakes import START
from tests.monitor.worlds import asset, check, make_world

OK = Part(Outcome.OK)
DARK = Part(Outcome.FAILED, 'its device says down: "to Dominica"', refused=True)
SILENT = Part(Outcome.FAILED, "no answer within 2.0 s")
GONE = Part(Outcome.FAILED, "4 of 4 announced prefixes have left the world's table", refused=True)

ROUTER = replace(
    check("router:hub"),
    id="router:hub/snmp",
    kind="snmp",
    carries={"east": "cable:one", "west": "cable:two"},
)
ONE, TWO = check("cable:one"), check("cable:two")
NETWORKS = replace(check("territory:DM"), id="territory:DM/bgp", kind=Bgp.kind)


def world(*checks: Check) -> World:
    needs = [Dependency("router:dm", ("cable:one", "cable:two"), "any", confirmed=True)]
    if NETWORKS in checks:
        needs.append(Dependency("territory:DM", ("router:dm",), "all", confirmed=True))
    places = [asset(name, "DM") for name in ("cable:one", "cable:two", "router:dm", "territory:DM")]
    return make_world([ROUTER, check("router:dm"), *checks], needs, asset("router:hub"), *places)


class Sea:
    """Looks at everything every ten seconds, the router first or last."""

    def __init__(self, *checks: Check) -> None:
        self.world = world(*checks)
        self.belief = Belief(self.world, {}, Book(), frozenset(), START)
        self.now = START
        self.seen: dict[str, Mapping[str, Part]] = {name: {"": OK} for name in self.world.checks}
        self.interfaces()
        self.look(3)

    def interfaces(self, **parts: Part) -> None:
        self.seen[ROUTER.id] = {"": OK, "east": OK, "west": OK, **parts}

    def answers(self, check_: Check, part: Part) -> None:
        self.seen[check_.id] = {"": part}

    def look(self, times: int = 4) -> None:
        for _ in range(times):
            self.now += timedelta(seconds=10)
            seconds = (self.now - START).total_seconds()
            for name, parts in self.seen.items():
                one = self.world.checks[name]
                look = Observation(name, one.target, one.kind, self.world.vantage, self.now, self.now, 0.1, parts)
                self._conclude(self.belief.hear([look], self.now, seconds))
            self._conclude(self.belief.tick(self.now, seconds))

    def _conclude(self, signals: list) -> None:  # type: ignore[type-arg] # of Signal
        if step := self.belief.conclude(signals):
            self.belief.adopt(step)

    @property
    def topology(self) -> Topology:
        return self.belief.topology

    def phases(self, *assets: str) -> list[str]:
        view = self.belief.outlook(self.now)
        return [view.standing(name).phase.value for name in assets]

    def incident(self) -> Incident:
        (found,) = {top(one, self.belief.book.open).id for one in self.belief.book.open.values()}
        return self.belief.book.open[found]


def test_an_interface_that_is_down_is_evidence_for_its_cable_and_no_trouble_of_its_router() -> None:
    sea = Sea(ONE, TWO)
    sea.interfaces(east=DARK)
    sea.answers(ONE, SILENT)
    sea.look()
    assert sea.phases("cable:one", "cable:two", "router:hub") == ["down", "up", "up"]
    incident = sea.incident()
    assert (incident.asset, incident.left) == ("cable:one", "DM still has TWO")
    assert [line.partition(": ")[0].rpartition(":")[2] for line in incident.evidence] == [
        "one/4/icmp/",
        "hub/snmp east",
    ]
    assert sea.belief.states[ROUTER.id]["east"].phase.value == "down", "the router's page shows it"
    assert sea.topology.parts("router:hub", ROUTER.id, sea.belief.states).keys() == {"", "east", "west"}
    assert sea.topology.parts("cable:one", ROUTER.id, sea.belief.states).keys() == {"east"}
    says = [one.text for one in why(sea.belief, "cable:one").because]
    assert any(" 198.51.100.1 east over IPv4, of HUB: down, last look " in text for text in says)
    assert not any(" west " in text for text in says)
    sea.interfaces()
    sea.answers(ONE, OK)
    sea.look()
    assert sea.belief.book.open == {}


def test_an_interface_that_is_up_says_nothing_of_the_far_end() -> None:
    sea = Sea(ONE, TWO)
    sea.answers(ONE, SILENT)
    sea.look()
    assert sea.phases("cable:one", "router:hub") == ["down", "up"]
    assert len(sea.incident().evidence) == 1


def test_a_cable_that_still_carries_is_degraded_by_its_interface_alone() -> None:
    sea = Sea(ONE, TWO)
    sea.interfaces(east=DARK)
    sea.look(8)
    assert sea.phases("cable:one", "router:hub") == ["degraded", "up"]
    assert "its device says down" in sea.incident().reason


def test_where_nothing_else_looks_the_interface_decides() -> None:
    sea = Sea()
    assert sea.phases("cable:one", "cable:two") == ["up", "up"]
    sea.interfaces(west=DARK)
    sea.look()
    assert sea.phases("cable:one", "cable:two", "router:hub") == ["up", "down", "up"]
    assert sea.incident().asset == "cable:two"


def test_a_router_that_is_silent_tells_of_no_cable() -> None:
    sea = Sea(ONE, TWO)
    sea.seen[ROUTER.id] = {"": SILENT}
    sea.look()
    assert sea.phases("cable:one", "router:hub") == ["up", "down"]


def test_what_a_router_tells_later_is_added_once() -> None:
    sea = Sea(ONE, TWO)
    sea.answers(ONE, SILENT)
    sea.look()
    sea.interfaces(east=DARK)
    sea.look()
    changed = sea.incident().revision
    assert "router:hub/snmp east" in sea.incident().evidence[-1]
    assert [one.what for one in sea.incident().timeline].count("evidence") == 1
    sea.interfaces(east=replace(DARK, reason="its device says not present"))
    sea.look()
    assert sea.incident().revision == changed


def test_cable_interface_and_the_worlds_routers_stand_as_evidence_on_one_incident() -> None:
    sea = Sea(ONE, TWO, NETWORKS)
    sea.answers(TWO, SILENT)
    sea.interfaces(west=DARK)
    sea.look()
    assert sea.incident().severity.value == "warning"
    for each in (ONE, check("router:dm")):
        sea.answers(each, SILENT)
    sea.answers(NETWORKS, GONE)
    sea.interfaces(east=DARK, west=DARK)
    sea.look()
    outage = next(one for one in sea.belief.book.open.values() if one.asset == "cable:one")
    assert outage.severity.value == "critical"
    assert set(outage.children) == {"router:dm", "territory:DM"}
    says = "\n".join(outage.evidence)
    assert "cable:one/4/icmp/: no answer" in says
    assert "router:hub/snmp east: its device says down" in says
    assert "territory:DM/bgp: 4 of 4 announced prefixes have left" in says
    assert "west" not in says
    assert {one.asset for one in sea.belief.book.open.values() if not one.silent} == {"cable:one", "cable:two"}
