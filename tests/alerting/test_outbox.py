"""The outbox in simulated time: the truth of the moment, retry until the deadline, nobody delayed by another."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.journal import Journal, micros
from alerting.model import Accepted, Address, DeliveryError, Message, Severity, UnansweredError, UnreachableError
from alerting.plan import plan_test
from alerting.sender import Limits
from alerting.told import told
from alerting.waiting import RETRY_SECONDS, UNKNOWN_SECONDS, backoff
from alerting.words import scrub
from tests.alerting.fakes import OPEN, Hung, Office, Provider, at, closed, contact, directory, open_journal
from tests.fakes import FakeClock, settle


async def test_told_once_and_the_end_told(journal: Journal) -> None:
    sms, mail = Provider(), Provider("mail")
    office = Office(journal, directory(contact("noc", "sms", "mail")), {"sms": sms, "mail": mail})
    await office.happen(OPEN)
    await office.pass_time(1)
    await office.pass_time(1)
    await office.happen(closed(2))
    await office.pass_time(1)
    assert [text[:20] for text in sms.bodies] == ["4711 MAJOR: Cable EC", "4711 OVER: Cable ECF"]
    assert [message.subject for message, _ in mail.taken] == [
        "[4711] MAJOR: Cable ECFS down, Barbados",
        "[4711] OVER: Cable ECFS down, Barbados",
    ]
    assert {message.thread for message, _ in mail.taken} == {f"4711.{micros(OPEN.opened):x}"}
    assert len({message.reference for message, _ in mail.taken}) == 2
    assert [row.state for row in await told(journal, "4711")] == ["sent"] * 4
    assert await journal.read("SELECT answer FROM attempt WHERE id = 1") == [("0: Accepted",)]


async def test_an_outage_over_while_nothing_could_leave_is_told_once_and_truthfully(journal: Journal) -> None:
    sms = Provider()
    sms.down = True
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    for _ in range(100):
        await office.pass_time(0.5)
    blind = ((at(0), at(51)),)
    await office.happen(closed(30, blind=blind))
    sms.down = False
    office.outbox.path_restored()
    await office.pass_time(0.01)
    assert len(sms.taken) == 1
    assert (
        "was down 08:00 to 08:30 AST, now answers again; you were not told because this site was cut off"
        in (sms.bodies[0])
    )
    await office.pass_time(60)
    assert len(sms.taken) == 1
    assert await journal.read("SELECT count(*) FROM text") == [(1,)]  # of failed tries nothing is kept


NO_PATH, LOGIN = UnreachableError("no route to host"), DeliveryError("refuses our login")


@pytest.mark.parametrize(
    ("tries", "cut", "says"),
    [
        ([NO_PATH] * 4, (0, 20), "you were not told because this site was cut off."),
        ([NO_PATH] * 4, (0.4, 20), "you were not told because this site was cut off."),  # noticed a little later
        ([NO_PATH] * 4, (2, 20), "could not be delivered earlier: no route to host."),
        ([LOGIN] * 4, (0, 20), "could not be delivered earlier: refuses our login."),
        ([NO_PATH, LOGIN, NO_PATH, NO_PATH], (0, 20), "could not be delivered earlier: refuses our login."),
        ([LOGIN] * 4, None, "could not be delivered earlier: refuses our login."),
        ([], (0, 20), "you were not told because this site was cut off."),
        ([], None, "could not be delivered earlier."),
    ],
)
async def test_the_cut_of_this_site_excuses_only_what_it_has_kept(
    journal: Journal, tries: list[DeliveryError], cut: tuple[float, float] | None, says: str
) -> None:
    mail = Provider("mail", answers=tries)
    office = Office(journal, directory(contact("noc", "mail")), {"mail": mail})
    await office.happen(OPEN)
    for _ in tries:
        await office.pass_time(1)
    office.clock.elapsed = 600
    await office.happen(closed(10, blind=((at(cut[0]), at(cut[1])),) if cut else ()))
    await office.pass_time(15)
    [(message, _)] = mail.taken
    assert says in message.body


async def test_within_thirty_seconds_of_the_way_back_it_leaves_by_itself(journal: Journal) -> None:
    sms = Provider()
    sms.down = True
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    for _ in range(600):
        await office.pass_time(0.1)
    sms.down = False
    for _ in range(6):
        await office.pass_time(5.001 / 60)
    assert len(sms.taken) == 1


async def test_a_permanent_failure_is_not_tried_again_and_its_words_are_scrubbed(journal: Journal) -> None:
    words = "550 no such user <noc@sms.example> or +1 868 555 0100"
    sms = Provider(answers=[DeliveryError(words, permanent=True)])
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    await office.pass_time(60)
    assert sms.tries == 1
    assert await office.states() == [("noc", "sms", "first", "refused", "550 no such user <(address)> or (address)")]
    assert [row.state for row in await told(journal, "4711")] == ["failed"]


async def test_a_try_without_an_answer_is_repeated_with_its_reference_and_marked(journal: Journal) -> None:
    sms = Provider(answers=[UnansweredError("left us"), DeliveryError("busy")])
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    for _ in range(40):
        await office.pass_time(1)
    assert sms.tries == 3
    [(message, _)] = sms.taken
    assert message.body.startswith("4711 MAJOR (repeat): ")
    assert message.reference.startswith("1.")
    assert await journal.read("SELECT number, repeats, status FROM attempt") == [
        (1, None, "unknown"),
        (2, 1, "failed"),
        (3, 1, "accepted"),
    ]


async def test_worse_while_the_first_is_in_flight_waits_for_it(journal: Journal) -> None:
    """Two messages of one incident to one contact never race on one channel."""
    clock = FakeClock()
    sms = Gate()
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms}, clock)
    running = asyncio.create_task(office.outbox.run())
    await office.happen(OPEN)
    await sms.asked.wait()
    await office.happen(replace(OPEN, severity=Severity.CRITICAL, revision=2))
    await office.happen(closed(0))
    await settle(200)
    assert sms.waiting == 1
    sms.open.set()
    await until(lambda: len(sms.taken) == 2)
    assert sms.bodies[1].startswith("4711 OVER: ")
    running.cancel()
    await office.outbox.close()


class Gate(Provider):
    """Answers only once it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.open, self.waiting = asyncio.Event(), asyncio.Event(), 0

    async def send(self, message: Message, address: Address) -> Accepted:
        self.waiting += 1
        self.asked.set()
        await self.open.wait()
        return await super().send(message, address)


async def until(holds) -> None:  # type: ignore[no-untyped-def] # a predicate
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - the condition is a real daemon's or thread's
            await asyncio.sleep(0.005)


async def test_a_hung_channel_delays_no_other_and_keeps_its_slots(journal: Journal) -> None:
    hung, sms = Hung(), Provider()
    crowd = [contact(f"c{n:02}", "hung", "sms") for n in range(30)]
    office = Office(journal, directory(*crowd), {"hung": hung, "sms": sms}, limits=Limits(slots=4, seconds=60))
    running = asyncio.create_task(office.outbox.run())
    await office.happen(OPEN)
    await until(lambda: len(sms.taken) == 30)
    assert hung.tries == 4
    assert office.outbox.stats().pending >= 30
    running.cancel()
    for task in office.outbox._flying:
        task.cancel()
    await office.outbox.close()


async def test_a_try_ends_at_its_hard_deadline(journal: Journal) -> None:
    office = Office(journal, directory(contact("noc", "hung")), {"hung": Hung()}, limits=Limits(seconds=0.05))
    await office.happen(OPEN)
    assert await office.outbox.run_due(office.clock.now()) == 1
    assert await journal.read("SELECT status, error FROM attempt") == [("unknown", "no answer within 0.05 s")]


async def test_urgent_first_then_the_oldest(journal: Journal) -> None:
    sms = Provider()
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms}, limits=Limits(slots=1))
    for n, severity in enumerate(("info", "major", "critical", "major")):
        await office.happen(replace(OPEN, incident=str(n), severity=Severity(severity)))
        office.clock.elapsed += 1
    await office.pass_time(0)
    assert [text[0] for text in sms.bodies] == ["2", "1", "3", "0"]


async def test_an_open_incident_is_recalled_until_it_ends(journal: Journal) -> None:
    sms = Provider()
    office = Office(journal, directory(contact("noc", "sms"), repeat=3600), {"sms": sms})
    await office.happen(OPEN)
    await office.pass_time(0)
    assert office.outbox.stats().pending == 0
    assert [row.reason for row in await told(journal, "4711")] == ["first"]
    for _ in range(2):
        await office.pass_time(61)
    await office.happen(closed(130))
    await office.pass_time(600)
    assert [text[:16] for text in sms.bodies] == [
        "4711 MAJOR: Cabl",
        "4711 STILL MAJOR",
        "4711 STILL MAJOR",
        "4711 OVER: Cable",
    ]


async def test_path_restored_hastens_no_reminder(journal: Journal) -> None:
    sms = Provider()
    office = Office(journal, directory(contact("noc", "sms"), repeat=3600), {"sms": sms})
    await office.happen(OPEN)
    await office.pass_time(0)
    office.outbox.path_restored()
    await office.pass_time(1)
    assert len(sms.taken) == 1


async def test_rows_that_cannot_be_sent_end_with_the_reason(journal: Journal) -> None:
    sms = Provider()
    office = Office(journal, directory(*(contact(name, "sms") for name in "abc"), contact("d", "pigeon")), {"sms": sms})
    await office.happen(OPEN)
    gone = directory(contact("b"), contact("c", "sms"), contact("d", "pigeon"))
    office.directory = gone
    office.truths.clear()
    await office.pass_time(0)
    assert [(name, state, why) for name, _, _, state, why in await office.states()] == [
        ("a", "refused", "the contact is no longer configured"),
        ("b", "refused", "the contact has no such address, or it is switched off"),
        ("c", "planned", ""),
        ("d", "refused", "channel pigeon is not configured"),
    ]
    assert sms.tries == 0


async def test_a_row_whose_truth_is_not_at_hand_waits_and_is_not_lost(journal: Journal) -> None:
    sms = Provider()
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    known = dict(office.truths)
    office.truths.clear()
    await office.pass_time(60)
    assert sms.tries == 0
    office.truths.update(known)
    await office.pass_time(6)
    assert len(sms.taken) == 1


async def test_a_test_message_needs_no_truth_and_plans_no_reminder(journal: Journal) -> None:
    sms = Provider()
    office = Office(journal, directory(contact("noc", "sms"), repeat=60), {"sms": sms})
    async with journal.transaction() as tx:
        await plan_test(tx, office.directory.contacts["noc"], office.clock.now())
    await office.pass_time(10 / 60)
    assert sms.bodies[0].startswith("TEST from Lambi at Hub")
    assert await office.states() == [("noc", "sms", "test", "accepted", "")]


async def test_a_defect_in_a_channel_or_in_the_truth_is_counted_and_delays_nobody(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    bad, sms = Provider(answers=[KeyError("noc@bad.example")]), Provider()
    office = Office(journal, directory(contact("noc", "bad", "sms")), {"bad": bad, "sms": sms})
    await office.happen(OPEN)
    await office.happen(replace(OPEN, incident="12", opened=None))  # type: ignore[arg-type] # the defect
    await office.pass_time(0)
    assert min(sms.bodies) == "12 MAJOR: Cable ECFS down", "what needs no defect's leave is said"
    assert len(sms.taken) == 2
    assert office.outbox.stats().bugs == 3
    assert "KeyError" in caplog.text
    assert "noc@" not in caplog.text
    await office.pass_time(1)
    assert len(bad.taken) == 2


@pytest.mark.parametrize("when", ["INSERT", "UPDATE"])  # as a try begins, as it ends
async def test_a_defect_in_a_row_ends_the_outbox_and_does_not_stand_still_for_ever(journal: Journal, when: str) -> None:
    office = Office(journal, directory(contact("noc", "sms")), {"sms": Provider()})
    async with journal.transaction() as tx:
        await tx.execute(f"CREATE TRIGGER defect BEFORE {when} ON attempt BEGIN SELECT RAISE(ABORT, 'a defect'); END")
    await office.happen(OPEN)
    with pytest.raises(sqlite3.IntegrityError, match="a defect"):
        async with asyncio.timeout(20):
            await office.outbox.run()
    await office.outbox.close()


async def test_two_runs_give_equal_journals(tmp_path: Path) -> None:
    dumps = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        journal = await open_journal(tmp_path / name)
        sms = Provider(answers=[DeliveryError("busy")] * 7)
        office = Office(journal, directory(contact("x", "sms"), contact("y", "sms"), repeat=120), {"sms": sms})
        await office.happen(OPEN)
        for _ in range(60):
            await office.pass_time(0.2)
        await office.happen(closed(12))
        await office.pass_time(1)
        await journal.close()
        with sqlite3.connect(tmp_path / name / "journal.sqlite") as connection:
            dumps.append("\n".join(connection.iterdump()))
        connection.close()
    assert dumps[0] == dumps[1]


async def test_run_sleeps_until_the_next_row_and_wakes_for_a_plan(journal: Journal) -> None:
    clock, sms = FakeClock(), Provider(answers=[DeliveryError("busy")])
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms}, clock)
    running = asyncio.create_task(office.outbox.run())
    await office.happen(OPEN)
    await until(lambda: sms.tries == 1)
    while not sms.taken:
        await clock.advance(0.5)
        await asyncio.sleep(0.005)
    assert clock.elapsed <= RETRY_SECONDS[0] * 2
    running.cancel()
    await office.outbox.close()


@pytest.mark.parametrize("turns", range(8))
async def test_whoever_stops_it_in_the_moment_it_is_woken_is_heard(journal: Journal, turns: int) -> None:
    outbox = Office(journal, directory(contact("noc", "sms")), {"sms": Provider()}).outbox
    running = asyncio.create_task(outbox.run())
    await until(lambda: outbox.turned is not None)
    await settle()
    outbox.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    ended, _ = await asyncio.wait({running}, timeout=5.0)
    running.cancel()
    await outbox.close()
    assert ended


@pytest.mark.parametrize(("first", "ceiling"), [RETRY_SECONDS, UNKNOWN_SECONDS])
def test_backoff_grows_to_its_ceiling_with_the_same_jitter_each_time(first: float, ceiling: float) -> None:
    waits = [backoff(tries, tries + 1, first, ceiling) for tries in range(40)]
    assert waits == [backoff(tries, tries + 1, first, ceiling) for tries in range(40)]
    assert first / 2 <= waits[0] <= first
    assert all(ceiling / 2 <= wait <= ceiling for wait in waits[8:])
    assert len(set(waits[8:])) > 20


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("250 2.0.0 Ok: queued as 4F2A", "250 2.0.0 Ok: queued as 4F2A"),
        ("no +1 868 555-0100 or (868) 555 0100\r\nX: y", "no (address) or ((address) X: y"),
        ("unknown secret-name here", "unknown (address) here"),
        ("x" * 500, "x" * 198 + ".."),
        ("", "no words"),
    ],
)
def test_scrub(words: str, expected: str) -> None:
    assert scrub(words, Address("sms", "secret-name")) == expected
