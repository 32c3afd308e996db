"""One provider that hangs among five: the others leave as if it were not there, and it is asked with one message."""

import asyncio
import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from alerting.breaker import PAUSE_SECONDS, Breaker, Circuit, after, ask_now, left, room
from alerting.sender import Limits
from tests.alerting.fakes import OPEN, Hung, Office, Provider, contact, directory, open_journal
from tests.fakes import settle

HEALTHY = ("a", "b", "c", "d")


async def left_by(folder: Path, hung: bool) -> dict[str, int]:
    """Send to 40 contacts on each of five channels; return how many simulated seconds each healthy one took."""
    journal = await open_journal(folder)
    channels = {name: Provider() for name in HEALTHY}
    last = Hung() if hung else Provider()
    people = [contact(f"{name}{n}", name) for name, n in itertools.product((*HEALTHY, "e"), range(40))]
    office = Office(journal, directory(*people), {**channels, "e": last}, limits=Limits(4, 0.05))
    running = asyncio.create_task(office.outbox.run())
    await office.happen(OPEN)
    took: dict[str, int] = {}
    for second in range(60):
        await until_nothing_happens(channels)
        took |= {name: second for name, one in channels.items() if len(one.taken) == 40 and name not in took}
        if len(took) == len(HEALTHY):
            break
        await office.clock.advance(1)
    if hung:
        for _ in range(8):
            await asyncio.sleep(0.1)  # the hard deadline of a try is real
            await office.clock.advance(16)
        assert office.outbox.stats().broken == ("e",)
        assert last.tries <= 4 + 8, "four slots at first, then one question at a time"
    running.cancel()
    await office.outbox.close()
    await journal.close()
    return took


async def until_nothing_happens(channels: dict[str, Provider]) -> None:
    """Let everything run that needs no simulated time: until all have left, or nothing has for a while."""
    quiet, before = 0, -1
    while before < 40 * len(channels) and quiet < 200:
        await settle()
        await asyncio.sleep(0.005)
        now = sum(len(one.taken) for one in channels.values())
        quiet, before = (quiet + 1 if now == before else 0), now


async def test_one_hung_provider_among_five_delays_no_other(tmp_path: Path) -> None:
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    assert await left_by(tmp_path / "with", hung=True) == await left_by(tmp_path / "without", hung=False)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 20)), max_size=60))
def test_an_open_circuit_asks_one_at_a_time_and_never_stays_silent_long(ends: list[tuple[bool, float]]) -> None:
    breaker, at = Breaker(), 0.0
    for answered, passed in ends:
        at += passed
        if breaker.broken:
            assert room(breaker, 8, 1, at) == 0
            assert breaker.until - at <= PAUSE_SECONDS[1]
            at = max(at, breaker.until)
            assert room(breaker, 8, 0, at) == 1
        breaker = after(left(breaker), answered=answered, at=at)
        if answered:
            assert breaker == Breaker()
        assert room(ask_now(breaker, at), 8, 0, at) >= 1


def test_the_third_failure_in_a_row_opens_and_a_straggler_says_nothing_new() -> None:
    breaker = Breaker()
    for _ in range(3):
        assert breaker.circuit is Circuit.CLOSED
        breaker = after(breaker, answered=False, at=10.0)
    assert (breaker.circuit, breaker.until) == (Circuit.OPEN, 12.0)
    assert after(breaker, answered=False, at=11.0) == breaker
