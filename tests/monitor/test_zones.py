"""What is said of a zone as a set becomes an incident of the zone; whether its servers answer is another matter."""

from collections.abc import Mapping
from datetime import timedelta

from alerting.model import Severity
from monitor.alerts import signs
from monitor.belief import Belief
from monitor.config import load
from monitor.docket import Book
from monitor.model import Check, Incident, Phase
from monitor.why import why
from probes.model import Observation, Outcome, Part
from tests.fakes import START

OK = Part(Outcome.OK, values={"soa_serial": 7})
SILENT = Part(Outcome.UNKNOWN, "no answer within 2.0 s")
LAGS = Part(Outcome.FAILED, "it lags: serial 6; newer ones, now 7, have been out for 3 h", refused=True)
OVER = Part(Outcome.FAILED, "the signature over its SOA ended 2 h ago", refused=True)
INVALID = Part(
    Outcome.FAILED, "whoever validates finds nothing: the signature over its SOA ended 2 h ago", refused=True
)
BLIND = Part(Outcome.UNKNOWN, "none of its 2 servers answers with authority")


class Barbados:
    """The shipped world, in which every reference answers, as does every server of .bb."""

    def __init__(self) -> None:
        self.world = load(None, {}).world
        self.belief = Belief(self.world, {}, Book(), frozenset(), START)
        self.now = START
        self.told: list[Incident] = []

    def pass_(self, parts: Mapping[str, Part], minutes: int = 5) -> None:
        """Let time pass in which a look at the zone, each half minute, says this over both families."""
        for _ in range(2 * minutes):
            self.now += timedelta(seconds=30)
            checks = self.world.checks.values()
            self._hear([self._look(check, {"": OK}) for check in checks if "cctld:bb" in check.serves])
            self._hear([self._look(check, parts) for check in checks if check.asset == "zone:bb"])
            self.now += timedelta(seconds=1)
            self._hear([self._look(check, {"": OK}) for check in checks if check.reference])

    def _look(self, check: Check, parts: Mapping[str, Part]) -> Observation:
        return Observation(check.id, check.target, check.kind, self.world.vantage, self.now, self.now, 0.01, parts)

    def _hear(self, looks: list[Observation]) -> None:
        seconds = (self.now - START).total_seconds()
        if step := self.belief.conclude(self.belief.hear(looks, self.now, seconds)):
            self.told += [change.incident for change in step.changes]
            self.belief.adopt(step)

    def phase(self, asset: str) -> Phase:
        return self.belief.outlook(self.now).standing(asset).phase

    @property
    def open(self) -> list[tuple[str, Severity, str]]:
        return [(one.title, one.severity, one.reason) for one in self.belief.book.open.values()]


def test_a_secondary_that_lags_is_a_warning_of_the_zone_and_no_server_is_down() -> None:
    bb = Barbados()
    bb.pass_({"": OK, "ns1": OK, "ns2": OK})
    assert bb.phase("zone:bb") is Phase.UP
    bb.pass_({"": OK, "ns1": OK, "ns2": LAGS})

    reason = "2 of 6 checks: it lags: serial 6; newer ones, now 7, have been out for 3 h"
    assert bb.open == [("Zone of .bb degraded", Severity.WARNING, reason)]
    assert bb.phase("cctld:bb") is Phase.UP
    bb.pass_({"": OK, "ns1": OK, "ns2": OK})
    assert bb.open == []


def test_a_zone_that_nobody_can_validate_is_critical_while_its_domain_is_up() -> None:
    bb = Barbados()
    bb.pass_({"": OK, "ns1": OK, "ns2": OK})
    bb.pass_({"": INVALID, "ns1": OVER, "ns2": OVER})

    [(title, severity, reason)] = bb.open
    assert (title, severity) == ("Zone of .bb invalid", Severity.CRITICAL)
    assert reason.endswith("the signature over its SOA ended 2 h ago")
    assert bb.phase("cctld:bb") is Phase.UP
    [incident] = bb.belief.book.open.values()
    assert signs(incident, bb.belief.topology, bb.belief.states) == {"probe": "zone", "answers": "yes"}
    told = why(bb.belief, "zone:bb")
    assert "Zone of .bb is down" in told.verdict
    assert any("because what it says was wrong in enough looks: 3 looks in a row" in one.text for one in told.because)
    assert any("the signature over its SOA ended 2 h ago" in because.text for because in told.because)


def test_servers_that_are_silent_leave_a_zone_unknown_and_open_nothing() -> None:
    bb = Barbados()
    bb.pass_({"": OK, "ns1": OK, "ns2": OK})
    bb.pass_({"": BLIND, "ns1": SILENT, "ns2": SILENT})

    assert bb.phase("zone:bb") is Phase.UNKNOWN
    assert bb.open == []
