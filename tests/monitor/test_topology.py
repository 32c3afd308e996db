"""What the checks of one asset add up to, in words too."""

from datetime import timedelta

from monitor.detect import step
from monitor.model import Phase, State
from monitor.topology import Topology
from probes.model import Part
from tests.fakes import START
from tests.monitor.sim import OK, SILENT
from tests.monitor.worlds import RULE, check, make_world


def settled(part: Part) -> dict[str, State]:
    state = None
    for look in range(4):
        state, _ = step(state, part, RULE, START + timedelta(seconds=5 * look))
    assert state is not None
    return {"": state}


def test_trouble_in_one_address_family_is_said_to_be_there() -> None:
    four, six = check("router:bon"), check("router:bon", family=6)
    topology = Topology(make_world([four, six], []))
    standing = topology.standing("router:bon", {four.id: settled(OK), six.id: settled(SILENT)})
    assert standing.phase is Phase.DEGRADED
    assert standing.reason == "over IPv6 alone: 1 of 2 checks: no answer within 2.0 s"
    standing = topology.standing("router:bon", {four.id: settled(SILENT), six.id: settled(SILENT)})
    assert standing.reason == "2 of 2 checks: no answer within 2.0 s"


def test_trouble_in_both_families_blames_neither() -> None:
    checks = [check("router:bon", name, family=family) for family in (4, 6) for name in "ab"]
    topology = Topology(make_world(checks, []))
    states = {one.id: settled(OK if "/a" in one.id else SILENT) for one in checks}
    assert topology.standing("router:bon", states).reason == "2 of 4 checks: no answer within 2.0 s"
