"""The replay moves belief as the daemon's line does, and the same way each time."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from alerting.model import Reason, Severity
from alerting.plan import Directory
from monitor.model import Check, World
from monitor.replay import OK, SILENT, Replay
from probes.model import Part
from tests.fakes import START
from tests.monitor.sim import Fault, Simulation
from tests.monitor.sim import Script as Line
from tests.monitor.worlds import check, islands, make_world, reference


@dataclass
class Script:
    """The scripted world of the journal's tests, seen from one vantage."""

    line: Line

    def answer(self, _vantage: str, check: Check, seconds: float) -> tuple[Part, float]:
        return self.line.answer(check, seconds)


def world() -> World:
    made = islands()
    references = {each.id: each for each in map(reference, "abc")}
    return replace(made, checks={**made.checks, **references})


def cable_cut() -> Line:
    behind = ("cable:bon1", "router:bon", "nameserver:ns.bon")
    return Line([Fault(100.0, 400.0, lambda check: check.asset in behind)], loss=0.02)


async def test_a_replay_concludes_what_the_line_with_its_journal_concludes(tmp_path: Path) -> None:
    simulation = Simulation(world(), Directory({}, (), "", dict.fromkeys(Severity, 600.0)), cable_cut(), tmp_path)
    await simulation.open()
    await simulation.run(900)
    read = "SELECT asset, began, closed FROM incident ORDER BY opened"
    written = await simulation.journal.read(read, ())
    await simulation.close()
    replay = Replay(world(), Script(cable_cut()), start=START)
    replay.run(900)
    opened = {c.incident.id: c.incident for _, c in replay.record.changes}
    assert [asset for asset, _, _ in written] == [each.asset for each in opened.values()] == ["cable:bon1"]
    [(_, closing)] = [(s, c) for s, c in replay.record.changes if c.what == "closed"]
    assert closing.incident.children == ()
    assert replay.record.looks == simulation.series.count


def test_it_tells_of_a_beginning_and_of_its_end() -> None:
    replay = Replay(world(), Script(cable_cut()), start=START)
    replay.run(900)
    assert [(m.reason, m.severity) for m in replay.record.told] == [
        (Reason.FIRST, Severity.CRITICAL),
        (Reason.RESOLVED, Severity.CRITICAL),
    ]


def test_a_replay_in_parts_is_the_replay_in_one() -> None:
    whole, parts = (Replay(world(), Script(cable_cut()), start=START) for _ in range(2))
    whole.run(600)
    for _ in range(600):
        parts.run(1.0)
    assert parts.record == whole.record
    assert parts.belief.states == whole.belief.states


def quiet(every: float = 60.0) -> World:
    return make_world([check(f"router:r{n}", every=every) for n in range(12)], [], references=("a", "b", "c"))


@pytest.mark.parametrize("step", [-3600.0, -7.3, 5.5, 3600.0])
def test_when_the_wall_clock_jumps_everything_is_still_looked_at(step: float) -> None:
    replay = Replay(quiet(), Script(Line()), start=START, steps={90.25: step})
    replay.run(300)
    assert replay.now() == START + timedelta(seconds=300 + step)
    newest = [state.seen for parts in replay.belief.states.values() for state in parts.values()]
    assert min(newest) > replay.now() - timedelta(seconds=61)
    assert not replay.record.changes


def test_after_a_pause_each_check_is_asked_once_at_once() -> None:
    replay = Replay(quiet(), Script(Line()), start=START, pauses={100.0: 600.0})
    replay.run(100)
    before = replay.record.looks
    replay.run(601)
    assert 12 + 3 <= replay.record.looks - before <= 12 + 3 * 3


def test_a_look_that_leaves_late_is_not_asked_twice() -> None:
    replay = Replay(quiet(10.0), Script(Line()), start=START, delays=lambda *_: 20.0)
    replay.run(100)
    seen = {c: s[""].seen for c, s in replay.belief.states.items() if c.startswith("router")}
    assert len(seen) == 12
    assert replay.record.looks < 12 * 6 + 100


def test_a_vantage_that_says_nothing_is_not_heard() -> None:
    class Half:
        def answer(self, vantage: str, _check: Check, seconds: float) -> tuple[Part, float] | None:
            return (OK if seconds < 50 else SILENT, 0.05) if vantage == "vantage:hub" else None

    replay = Replay(quiet(), Half(), start=START, vantages=("vantage:hub", "vantage:dead"))
    replay.run(30)
    alone = Replay(quiet(), Half(), start=START)
    alone.run(30)
    assert replay.record == alone.record
