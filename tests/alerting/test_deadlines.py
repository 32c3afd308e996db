"""Deadlines in simulated time: what is given up, when, and what a clock that was set does not take away."""

from datetime import timedelta

import pytest

from alerting.journal import Journal
from alerting.model import DeliveryError
from alerting.plan import plan_test
from tests.alerting.fakes import OPEN, Office, Provider, contact, directory


async def test_a_clock_that_was_set_back_delays_no_message(journal: Journal) -> None:
    sms = Provider(answers=[DeliveryError("busy")])
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    await office.pass_time(0.01)
    assert (sms.tries, sms.taken) == (1, [])
    office.clock.start -= timedelta(hours=5)
    await office.pass_time(1)
    assert len(sms.taken) == 1


@pytest.mark.parametrize("tried", [False, True])
async def test_a_clock_set_forward_beyond_the_deadline_expires_nothing_untried(journal: Journal, tried: bool) -> None:
    """A board without a clock of its own gets the time when the way out is back: just then it must not give up."""
    sms = Provider()
    sms.down = True
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    if tried:
        for _ in range(10):
            await office.pass_time(1)
    office.clock.start += timedelta(days=400)
    sms.down = False
    await office.pass_time(0.1)
    assert len(sms.taken) == 1
    assert [state for *_, state, _ in await office.states()] == ["accepted"]


async def test_a_clock_set_forward_in_a_cut_takes_no_time_from_a_message(journal: Journal) -> None:
    sms = Provider()
    sms.down = True
    office = Office(journal, directory(contact("noc", "sms"), deadline=3600), {"sms": sms})
    await office.happen(OPEN)
    for minute in range(58):
        office.clock.start += timedelta(days=400 if minute == 5 else 0)
        await office.pass_time(1)
    assert [state for *_, state, _ in await office.states()] == ["planned"]
    for _ in range(4):
        await office.pass_time(1)
    assert [state for *_, state, _ in await office.states()] == ["expired"]


async def test_after_the_last_try_beyond_its_deadline_it_is_given_up_with_the_reason(journal: Journal) -> None:
    sms = Provider()
    sms.down = True
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    office.clock.start += timedelta(days=400)
    for _ in range(10):
        await office.pass_time(1)
    assert sms.tries == 1
    assert await office.states() == [("noc", "sms", "first", "expired", "the deadline passed: no route to host")]


async def test_what_nobody_can_speak_of_is_given_up_after_its_deadline(journal: Journal) -> None:
    office = Office(journal, directory(contact("noc", "sms")), {"sms": Provider()})
    await office.happen(OPEN)
    office.truths.clear()
    office.clock.start += timedelta(days=400)
    for _ in range(3):
        await office.pass_time(1)
    assert [state for *_, state, _ in await office.states()] == ["expired"]


async def test_a_defect_beyond_the_deadline_is_met_once(journal: Journal) -> None:
    office = Office(journal, directory(contact("noc", "sms")), {"sms": Provider()})
    await office.happen(OPEN)
    office.truths["4711"] = 4711  # type: ignore[assignment] # the defect
    office.clock.start += timedelta(days=400)
    for _ in range(3):
        await office.pass_time(1)
    assert office.outbox.stats().bugs == 1
    assert [state for *_, state, _ in await office.states()] == ["expired"]


async def test_a_late_test_message_is_sent_to_nobody(journal: Journal) -> None:
    sms = Provider()
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    async with journal.transaction() as tx:
        await plan_test(tx, office.directory.contacts["noc"], office.clock.now())
    await office.pass_time(3)
    assert sms.tries == 0
    assert [state for *_, state, _ in await office.states()] == ["expired"]


async def test_at_the_deadline_it_is_given_up_with_the_reason(journal: Journal) -> None:
    sms = Provider()
    sms.down = True
    office = Office(journal, directory(contact("noc", "sms"), deadline=600), {"sms": sms})
    await office.happen(OPEN)
    for _ in range(21):
        await office.pass_time(0.5)
    assert await office.states() == [("noc", "sms", "first", "expired", "the deadline passed: no route to host")]
    assert office.outbox.stats().pending == 0
