"""A clock that is set, forward or back, keeps nobody waiting, calls nobody before the time, and lets nothing expire."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerting.directory import Budget, Cap, Route
from alerting.journal import Journal
from alerting.model import DeliveryError, Severity
from alerting.told import hanging
from tests.alerting.fakes import OPEN, Office, Provider, closed, contact, directory
from tests.alerting.test_ladder import LADDER, answer, people, play
from tests.alerting.test_never_lost import told


@pytest.mark.parametrize("hours", [5, 24 * 400, -5])
async def test_a_clock_that_was_set_calls_nobody_before_the_time_and_nobody_later(journal: Journal, hours: int) -> None:
    """Like a board without a clock of its own, when its way out is back: no acknowledgement has expired by that."""
    office = Office(journal, people(LADDER), {"sms": (sms := Provider())})
    await office.happen(OPEN)
    await play(office, 1)
    office.clock.start += timedelta(hours=hours)
    await play(office, 8)
    assert told(sms) == ["noc"]
    await answer(office, "noc")
    office.clock.start += timedelta(hours=hours)
    await play(office, 59)
    assert told(sms) == ["noc"], "the acknowledgement holds for an hour"
    await play(office, 2)
    assert "lead" in told(sms)


@pytest.mark.parametrize("cap", [Cap(gap=90), Cap(most=1, within=1800), Cap(gap=90, storm=1, within=1800)])
@pytest.mark.parametrize("severity", [Severity.MAJOR, Severity.CRITICAL])
async def test_a_clock_that_was_set_back_does_not_close_the_window_of_a_cap_for_hours(
    journal: Journal, cap: Cap, severity: Severity
) -> None:
    who = replace(directory(contact("noc", "sms")), caps={"sms": cap}, budgets={"sms": Budget(3)})
    office = Office(journal, who, {"sms": (sms := Provider())})
    for number in ("1", "2"):
        await office.happen(replace(OPEN, incident=number, severity=Severity.CRITICAL))
        await play(office, 31)
    assert len(sms.taken) == 2
    office.clock.start -= timedelta(hours=30)
    await office.happen(replace(OPEN, incident="3", severity=severity))
    await play(office, 31)
    assert len(sms.taken) == 3


async def test_a_clock_that_was_set_back_keeps_no_group_waiting_for_hours(journal: Journal) -> None:
    route = Route("all", ("noc",), group_by=("kind",), group_wait=60, group_interval=300)
    office = Office(journal, replace(directory(contact("noc", "sms")), routes=(route,)), {"sms": (sms := Provider())})
    await office.happen(OPEN)
    await play(office, 10)
    await office.happen(replace(OPEN, incident="2", opened=office.clock.now()))
    office.clock.start -= timedelta(hours=30)
    await office.happen(replace(OPEN, incident="3", opened=office.clock.now()))
    await play(office, 6)
    names = {word for body in sms.bodies for word in ("4711", " 2 ", " 3 ") if word in f" {body}"}
    assert names == {"4711", " 2 ", " 3 "}


@pytest.mark.parametrize("back", [False, True])
async def test_the_next_channel_and_the_reminder_keep_their_time_too(journal: Journal, back: bool) -> None:
    """Also when the clock is wrong for a while, and is put right."""
    sms, mail = Provider(), Provider("mail")
    office = Office(
        journal, directory(contact("noc", "sms", "mail", next_after=600), repeat=3600), {"sms": sms, "mail": mail}
    )
    await office.happen(OPEN)
    await play(office, 1)
    office.clock.start += timedelta(days=400)
    await play(office, 2)
    office.clock.start -= timedelta(days=400) * back
    await play(office, 6)
    assert (len(sms.taken), len(mail.taken)) == (1, 0)
    await play(office, 2)
    assert (len(sms.taken), len(mail.taken)) == (1, 1)
    await play(office, 47)
    assert (len(sms.taken), len(mail.taken)) == (1, 1)
    await play(office, 14)
    assert (len(sms.taken), len(mail.taken)) == (2, 2)
    assert await hanging(journal, office.clock.now()) == []


async def test_a_machine_that_starts_with_the_right_clock_after_a_wrong_one_goes_on(journal: Journal) -> None:
    sms, mail = Provider(), Provider("mail")
    office = Office(journal, directory(contact("noc", "sms", "mail", next_after=600)), {"sms": sms, "mail": mail})
    await office.happen(OPEN)
    await play(office, 1)
    office.clock.start += timedelta(days=400)
    await play(office, 1)
    office.clock.start -= timedelta(days=400)
    office.reborn()
    for _ in range(25):
        await office.pass_time(60)
    assert len(mail.taken) == 1


async def test_what_was_told_last_is_what_was_told_last_whatever_the_clock_said_then(journal: Journal) -> None:
    """Its end was told, the clock was set back, it opened again: each change after that is no news."""
    sms, mail = Provider(answers=[DeliveryError("no such number", permanent=True)]), Provider("mail")
    office = Office(journal, directory(contact("noc", "sms", "mail", next_after=300)), {"sms": sms, "mail": mail})
    await office.happen(OPEN)
    await play(office, 1)
    await office.happen(closed(1))
    await play(office, 1)
    assert (len(sms.taken), len(mail.taken)) == (0, 2)
    office.clock.start -= timedelta(hours=5)
    for revision in (3, 4, 5):
        await office.happen(replace(OPEN, revision=revision))
        await play(office, 1)
    assert (len(sms.taken), len(mail.taken)) == (1, 2)
