"""A device and its parts: what is believed when the whole is silent, when one part fails, when one is gone."""

from collections.abc import Mapping
from datetime import timedelta

from monitor.belief import Belief
from monitor.docket import Book
from monitor.model import Phase
from probes.model import Observation, Outcome, Part
from tests.fakes import START
from tests.monitor.worlds import check, make_world

ROUTER = check("router:bon")
OK = Part(Outcome.OK)
CUT = Part(Outcome.FAILED, "its device says down", refused=True)
SILENT = {"": Part(Outcome.FAILED, "no answer to SNMP in 3 tries")}


class Device:
    def __init__(self) -> None:
        self.belief = Belief(make_world([ROUTER], []), {}, Book(), frozenset(), START)
        self.now = START

    def look(self, parts: Mapping[str, Part], times: int = 1) -> None:
        for _ in range(times):
            self.now += timedelta(seconds=10)
            seconds = (self.now - START).total_seconds()
            seen = Observation(
                ROUTER.id, ROUTER.target, "snmp", self.belief.world.vantage, self.now, self.now, 0.1, parts
            )
            signals = self.belief.hear([seen], self.now, seconds)
            if step := self.belief.conclude(signals):
                self.belief.adopt(step)

    def phases(self) -> dict[str, str]:
        return {part: state.phase.value for part, state in self.belief.states[ROUTER.id].items()}

    @property
    def whole(self) -> Phase:
        return self.belief.outlook(self.now).standing("router:bon").phase


def test_one_part_that_fails_degrades_the_device_and_names_itself() -> None:
    device = Device()
    device.look({"": OK, "east": OK, "west": OK}, 3)
    device.look({"": OK, "east": CUT, "west": OK}, 4)
    assert device.phases() == {"": "up", "east": "down", "west": "up"}
    assert device.whole is Phase.DEGRADED
    (incident,) = device.belief.book.open.values()
    assert "its device says down" in incident.reason


def test_a_device_that_is_silent_is_down_and_of_its_parts_nothing_is_known() -> None:
    device = Device()
    device.look({"": OK, "east": OK, "west": OK}, 3)
    device.look(SILENT, 4)
    assert device.phases() == {"": "down", "east": "unknown", "west": "unknown"}
    assert device.whole is Phase.DOWN


def test_one_lost_look_takes_nothing_away() -> None:
    device = Device()
    device.look({"": OK, "east": OK}, 3)
    device.look(SILENT)
    device.look({"": OK, "east": OK})
    assert device.phases() == {"": "up", "east": "up"}
    assert device.belief.book.open == {}


def test_a_part_that_was_down_when_the_device_fell_silent_is_still_held_to_be_when_it_is_back() -> None:
    device = Device()
    device.look({"": OK, "east": OK, "west": OK}, 3)
    device.look({"": OK, "east": CUT, "west": OK}, 4)
    device.look(SILENT, 4)
    device.look({"": OK, "east": CUT, "west": OK}, 3)
    assert device.phases() == {"": "up", "east": "down", "west": "up"}


def test_a_part_that_is_gone_is_in_no_trouble_any_more() -> None:
    device = Device()
    device.look({"": OK, "east": OK, "west": OK}, 3)
    device.look({"": OK, "east": CUT, "west": OK}, 4)
    assert device.whole is Phase.DEGRADED
    device.look({"": OK, "west": OK}, 20)
    assert device.phases()["east"] == "unknown"
    assert device.whole is Phase.UP
    device.look({"": OK, "east": OK, "west": OK}, 3)
    assert device.phases()["east"] == "up"


def test_a_simple_probe_has_no_parts_to_lose() -> None:
    device = Device()
    device.look({"": OK}, 3)
    device.look({"": Part(Outcome.FAILED, "no answer")}, 4)
    assert device.phases() == {"": "down"}
