import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import pytest

from probes.flight import CHUNK, Deadlines, Flight, Look
from probes.model import Ask, LocalError, Outcome, Part, Reading, RemoteError, Target
from probes.run import Each, observe
from tests.fakes import FakeClock, settle
from tests.probes.asks import look


@dataclass(frozen=True, slots=True)
class Script:
    """A probe that does what the test says: raise, or answer after so many seconds."""

    kind: ClassVar[str] = "script"
    error: BaseException | None = None
    wait: asyncio.Event | None = None
    note: str = ""

    async def read(self, target: Target) -> Reading:
        try:
            if self.wait is not None:
                await self.wait.wait()
        except asyncio.CancelledError as cut:
            if self.note:
                cut.add_note(self.note)
            raise
        if self.error is not None:
            raise self.error
        return Reading({"": Part(Outcome.OK, values={"rtt_seconds": 0.5})})


def ask_of(probe, timeout=2.0, check="t/script/a", clock=None):
    return Ask(check, Target("t", "192.0.2.1", 4), probe, timeout, (clock or FakeClock()).now() - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("probe", "outcome", "reason", "refused"),
    [
        (Script(), Outcome.OK, "", False),
        (Script(RemoteError("breaks off")), Outcome.FAILED, "breaks off", False),
        (Script(RemoteError("refuses", refused=True)), Outcome.FAILED, "refuses", True),
        (Script(LocalError("no route")), Outcome.UNKNOWN, "no route", False),
        (Script(TimeoutError()), Outcome.FAILED, "no answer within 2.0 s", False),
    ],
)
async def test_whose_fault_decides(probe, outcome, reason, refused):
    clock = FakeClock()
    seen = await observe(probe, ask_of(probe), "vantage:x", clock)

    part = seen.parts[""]
    assert (part.outcome, part.reason, part.refused) == (outcome, reason, refused)
    assert (seen.kind, seen.vantage, seen.check) == ("script", "vantage:x", "t/script/a")
    assert (seen.at - seen.due).total_seconds() == 1.0


async def test_a_deadline_is_silence_unless_our_own_side_was_waited_for():
    never = asyncio.Event()
    for probe, outcome, reason in (
        (Script(wait=never), Outcome.FAILED, "no answer within 0.0 s"),
        (
            Script(wait=never, note="no answer of our own resolver"),
            Outcome.UNKNOWN,
            "no answer of our own resolver within 0.0 s",
        ),
    ):
        part = (await observe(probe, ask_of(probe, 0.01), "v", FakeClock())).parts[""]
        assert (part.outcome, part.reason) == (outcome, reason)


async def test_a_bug_is_unknown_logged_with_its_traceback_and_counted(caplog):
    engine = Each(vantage="v", clock=FakeClock())
    with caplog.at_level(logging.ERROR):
        [seen] = (await look(engine, [ask_of(Script(ZeroDivisionError("a bug")))])).values()

    assert (seen.parts[""].outcome, seen.parts[""].reason) == (Outcome.UNKNOWN, "a fault in Lambi itself")
    assert engine.bugs == 1
    assert caplog.records[0].exc_info[0] is ZeroDivisionError


async def test_cancelling_is_not_swallowed():
    task = asyncio.ensure_future(
        observe(Script(wait=asyncio.Event()), ask_of(Script(wait=asyncio.Event())), "v", FakeClock())
    )
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_each_yields_together_what_is_ready_together():
    engine = Each(vantage="v", clock=FakeClock())
    gate = asyncio.Event()
    asks = [ask_of(Script(), check="a"), ask_of(Script(), check="b"), ask_of(Script(wait=gate), check="c", timeout=30)]
    batches = engine.ask(asks)

    assert {o.check for o in await anext(batches)} == {"a", "b"}
    gate.set()
    assert [o.check for o in await anext(batches)] == ["c"]
    assert [batch async for batch in batches] == []


async def test_each_runs_only_so_many_at_a_time_and_a_look_starts_when_it_runs():
    clock = FakeClock()
    engine = Each(vantage="v", clock=clock, limit=2)
    gate = asyncio.Event()
    task = asyncio.ensure_future(look(engine, [ask_of(Script(wait=gate), check=str(n), timeout=30) for n in range(4)]))
    await settle()
    await clock.advance(5)
    gate.set()
    seen = await task

    assert [(o.at - clock.start).total_seconds() for _, o in sorted(seen.items())] == [0, 0, 5, 5]


async def test_many_questions_leave_in_small_chunks():
    clock = FakeClock()
    engine = Each(vantage="v", clock=clock)
    task = asyncio.ensure_future(look(engine, [ask_of(Script(), check=str(n)) for n in range(3 * CHUNK)]))
    for _ in range(3):
        await settle()
        await clock.advance(0.002)
    seen = await task

    assert len({o.at for o in seen.values()}) == 3


async def test_closing_each_ends_open_asks_unknown():
    engine = Each(vantage="v", clock=FakeClock(), limit=1)
    task = asyncio.ensure_future(
        look(engine, [ask_of(Script(wait=asyncio.Event()), check=str(n), timeout=30) for n in range(3)])
    )
    await settle()
    await engine.close()
    seen = await task
    [late] = (await look(engine, [ask_of(Script())])).values()

    assert {(o.parts[""].outcome, o.parts[""].reason) for o in [*seen.values(), late]} == {
        (Outcome.UNKNOWN, "Lambi is stopping")
    }


async def test_one_who_no_longer_waits_leaves_no_task_behind():
    engine = Each(vantage="v", clock=FakeClock())
    batches = engine.ask([ask_of(Script(wait=asyncio.Event()), timeout=30)])
    first = asyncio.ensure_future(anext(batches))
    await settle()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await settle()

    assert not engine._tasks


async def test_nothing_asked_nothing_yielded():
    assert [batch async for batch in Each(vantage="v", clock=FakeClock()).ask([])] == []


async def test_deadlines_end_each_flight_at_its_own_time_and_drain_first():
    clock = FakeClock()
    ended: list[tuple[str, float]] = []
    drained: list[float] = []

    def expire(flight):
        flight.done = True
        ended.append((flight.ask.check, clock.monotonic()))

    deadlines = Deadlines(clock, lambda: drained.append(clock.monotonic()), expire)
    flights = []
    for check, timeout, later in (("a", 2.0, 0.5), ("b", 1.0, 0.5), ("c", 2.0, 0.0)):
        flights.append(Flight(ask_of(None, timeout, check), Look(), clock))
        deadlines.add(flights[-1])
        await clock.advance(later)
    flights[2].done = True
    await clock.advance(5)

    assert ended == [("b", 1.5), ("a", 2.0)]
    assert drained == [1.5, 2.0]
    assert deadlines.close() == []


async def test_a_stepped_wall_clock_does_not_change_the_round_trip():
    clock = FakeClock()
    flight = Flight(ask_of(None), Look(), clock)
    left = clock.now().timestamp()
    await clock.advance(0.030)

    assert flight.rtt(left + 0.010, clock) == pytest.approx(0.010, abs=1e-6)  # the loop was busy for 20 ms
    assert flight.rtt(0.0, clock) == pytest.approx(0.030)  # the kernel did not say
    assert flight.rtt(left + 9, clock) == pytest.approx(0.030)
    clock.start += timedelta(seconds=-0.015)
    assert flight.rtt(left + 0.010, clock) == pytest.approx(0.030)  # stepped while it was on its way
