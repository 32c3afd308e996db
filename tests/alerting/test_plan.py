"""The plan: rows without text, one waiting row at most for each contact and channel, the end for whoever was told."""

import sqlite3
from dataclasses import replace

import pytest

from alerting.directory import Directory, Route
from alerting.journal import Journal, micros
from alerting.model import Address, Alert, Contact, Reason, Severity
from alerting.plan import Planned, plan, plan_test
from alerting.told import told
from tests.alerting.fakes import OPEN, at, closed, contact, directory

NOC = contact("noc", "sms", "mail")
WORSE = replace(OPEN, severity=Severity.CRITICAL, revision=2)


async def planned(journal: Journal, alert: Alert, who: Directory, minutes: float = 0) -> list[Planned]:
    async with journal.transaction() as tx:
        return await plan(tx, alert, who, at(minutes))


async def attempt(journal: Journal, row: int, status: str, said: Alert = OPEN, minutes: float = 1) -> None:
    """Write a try as the outbox would, with its consequence for the row."""
    ended = None if status == "intent" else micros(at(minutes))
    state = {"intent": "ready", "accepted": "accepted"}.get(status, "planned")
    async with journal.transaction() as tx:
        await tx.execute(
            "INSERT INTO attempt (notification, number, channel, revision, severity, closed, intent_at, ended_at, "
            "status, error) VALUES (?, 1, 'sms', ?, ?, ?, ?, ?, ?, 'e')",
            (row, said.revision, said.severity, said.closed is not None, micros(at(minutes)), ended, status),
        )
        await tx.execute(
            "UPDATE notification SET state = ?, changed_at = ?, ended_at = ? WHERE id = ?",
            (state, micros(at(minutes)), micros(at(minutes)) if state == "accepted" else None, row),
        )


async def rows(journal: Journal) -> list[tuple[object, ...]]:
    return await journal.read("SELECT reason, severity, state, why FROM notification ORDER BY id")


async def test_first_is_planned_once_on_each_channel(journal: Journal) -> None:
    who = directory(NOC, contact("off"), deadline=600)
    first = await planned(journal, OPEN, who)
    assert [(row.contact, row.channel, row.reason) for row in first] == [
        ("noc", "sms", Reason.FIRST),
        ("noc", "mail", Reason.FIRST),
    ]
    assert (first[0].due, first[0].deadline) == (at(0), at(10))
    assert await planned(journal, OPEN, who, 5) == []
    assert await journal.read("SELECT * FROM contact") == [("noc", "agency of noc")]


async def test_addresses_that_are_off_and_unknown_contacts_plan_nothing(journal: Journal) -> None:
    off = Contact("off", "CTU", addresses=(Address("sms", "+18685550100", enabled=False),))
    who = replace(directory(off), routes=(Route("all", ("off", "nobody")),))
    assert await planned(journal, OPEN, who) == []


async def test_worse_replaces_a_row_that_has_not_left(journal: Journal) -> None:
    who = directory(contact("noc", "sms"))
    await planned(journal, OPEN, who)
    assert [row.reason for row in await planned(journal, WORSE, who)] == [Reason.FIRST]
    assert await rows(journal) == [
        ("first", "major", "superseded", "now critical"),
        ("first", "critical", "planned", ""),
    ]
    assert await planned(journal, OPEN, who) == []


@pytest.mark.parametrize("status", ["intent", "unknown", "accepted"])
async def test_worse_and_the_end_go_to_whoever_may_have_been_told(journal: Journal, status: str) -> None:
    who = directory(contact("noc", "sms"))
    [first] = await planned(journal, OPEN, who)
    await attempt(journal, first.id, status)
    [worse] = await planned(journal, WORSE, who)
    assert worse.reason is Reason.WORSE
    [end] = await planned(journal, closed(30), who)
    assert end.reason is Reason.RESOLVED
    assert (await rows(journal))[1:] == [
        ("worse", "critical", "superseded", "the incident has ended"),
        ("resolved", "major", "planned", ""),
    ]


@pytest.mark.parametrize("status", [None, "failed"])
async def test_whoever_cannot_have_been_told_gets_no_end(journal: Journal, status: str | None) -> None:
    who = directory(contact("noc", "sms"))
    [first] = await planned(journal, OPEN, who)
    if status:
        await attempt(journal, first.id, status)
    assert await planned(journal, closed(30), who) == []
    assert await rows(journal) == [("first", "major", "planned", "")]


async def test_the_end_needs_no_route(journal: Journal) -> None:
    who = directory(contact("noc", "sms"))
    [first] = await planned(journal, OPEN, who)
    await attempt(journal, first.id, "accepted")
    [end] = await planned(journal, closed(30), replace(who, routes=()))
    assert (end.contact, end.reason) == ("noc", Reason.RESOLVED)
    assert await planned(journal, closed(30), who, 31) == []


async def test_what_a_late_message_told_counts(journal: Journal) -> None:
    who = directory(contact("noc", "sms"))
    [first] = await planned(journal, OPEN, who)
    await attempt(journal, first.id, "accepted", said=closed(20))
    assert await planned(journal, closed(20), who, 21) == []


async def test_a_test_goes_to_every_address_that_is_on(journal: Journal) -> None:
    async with journal.transaction() as tx:
        tests = await plan_test(tx, NOC, at(0))
    assert [(row.incident, row.channel, row.reason) for row in tests] == [
        ("TEST", "sms", Reason.TEST),
        ("TEST", "mail", Reason.TEST),
    ]


async def test_told_names_agencies_and_no_address(journal: Journal) -> None:
    who = directory(NOC)
    sms, _mail = await planned(journal, OPEN, who)
    await attempt(journal, sms.id, "accepted")
    found = await told(journal, "4711")
    assert [(row.agency, row.contact, row.channel, row.reason, row.state, row.at) for row in found] == [
        ("agency of noc", "noc", "sms", "first", "sent", at(1)),
        ("agency of noc", "noc", "mail", "first", "pending", at(0)),
    ]
    assert "example" not in repr(found)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE notification SET state = 'accepted'",  # no moment at which it ended
        "UPDATE notification SET ended_at = 1, changed_at = 1",  # ended without a final state
        "UPDATE notification SET state = 'expired', ended_at = changed_at",  # without a reason
        "UPDATE notification SET state = 'lost'",
        "UPDATE notification SET deadline_at = planned_at",
        "UPDATE notification_event SET why = 'other'",
        "DELETE FROM notification_event",
        "DELETE FROM contact",
        "INSERT INTO attempt (notification, number, channel, revision, severity, closed, intent_at, status) "
        "VALUES (1, 1, 'sms', 1, 'major', 0, 1, 'accepted')",
    ],
)
async def test_the_tables_refuse_what_cannot_be(journal: Journal, sql: str) -> None:
    await planned(journal, OPEN, directory(contact("noc", "sms")))
    with pytest.raises(sqlite3.IntegrityError):
        async with journal.transaction() as tx:
            await tx.execute(sql)
