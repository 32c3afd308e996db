"""Receipts in simulated time: accepted is not delivered; early, late, double, lost."""

import itertools

import pytest

from alerting.journal import Journal
from alerting.model import Fate, Receipt, UnansweredError
from alerting.receipts import Turnabout, judge, receive, reference
from alerting.told import hanging, told
from tests.alerting.fakes import OPEN, Office, Provider, closed, contact, directory


async def say(office: Office, fate: Fate, detail: str = "") -> bool:
    """Bring a receipt for the message that was taken last."""
    last = office.channels["sms"].taken[-1][0].reference  # type: ignore[attr-defined] # this office has a Provider there
    now = office.clock.now()
    async with office.journal.transaction() as tx:
        return await receive(tx, Receipt(last, fate, now, detail), now)


async def states(office: Office) -> list[str]:
    return [state for *_, state, _ in await office.states()]


async def test_a_receipt_makes_of_accepted_delivered_once(journal: Journal) -> None:
    office = Office(journal, directory(contact("noc", "sms")), {"sms": Provider()})
    await office.happen(OPEN)
    await office.pass_time(0)
    assert await states(office) == ["accepted"]
    assert await say(office, Fate.BUFFERED)
    assert await states(office) == ["accepted"]
    assert await say(office, Fate.DELIVERED)
    assert not await say(office, Fate.DELIVERED), "a double one is known"
    assert await states(office) == ["delivered"]
    assert [row.state for row in await told(journal, "4711")] == ["delivered"]
    await say(office, Fate.FAILED)
    await office.pass_time(60)
    assert await states(office) == ["delivered"], "what somebody has does not come back"


async def test_a_message_that_came_back_is_sent_again_with_the_truth_of_then(journal: Journal) -> None:
    sms = Provider()
    office = Office(journal, directory(contact("noc", "sms"), repeat=3600), {"sms": sms})
    await office.happen(OPEN)
    await office.pass_time(0)
    await say(office, Fate.FAILED, detail="absent subscriber")
    assert await states(office) == ["planned", "superseded"], "the reminder of what nobody has is gone"
    await office.happen(closed(0.2))
    await office.pass_time(2)
    assert len(sms.taken) == 2
    assert "was down" in sms.bodies[-1]
    assert "the message could not be delivered earlier" in sms.bodies[-1]
    await say(office, Fate.DELIVERED)
    assert await states(office) == ["delivered", "superseded"]
    assert await hanging(journal, office.clock.now()) == []


async def test_after_its_deadline_what_came_back_is_given_up_with_the_reason(journal: Journal) -> None:
    office = Office(journal, directory(contact("noc", "sms"), deadline=60), {"sms": Provider()})
    await office.happen(OPEN)
    await office.pass_time(0)
    await office.pass_time(2)
    await say(office, Fate.FAILED)
    assert [(row[3], row[4]) for row in await office.states()] == [
        ("expired", "the deadline passed: the network could not deliver it")
    ]


async def test_a_receipt_before_the_answer_counts(journal: Journal) -> None:
    class Early(Provider):
        async def send(self, message, address):  # type: ignore[no-untyped-def] # the types are those of Provider.send
            self.taken.append((message, address))
            assert await say(office, Fate.DELIVERED)
            raise UnansweredError("left us before it answered")

    sms = Early()
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    await office.pass_time(0)
    assert await states(office) == ["delivered"]
    await office.pass_time(60)
    assert len(sms.taken) == 1, "nothing is repeated of which somebody is known to have it"


async def test_a_receipt_after_a_try_of_unknown_end_spares_the_repetition(journal: Journal) -> None:
    class Silent(Provider):
        async def send(self, message, address):  # type: ignore[no-untyped-def] # the types are those of Provider.send
            self.taken.append((message, address))
            raise UnansweredError("left us before it answered")

    sms = Silent()
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    await office.pass_time(0)
    assert await states(office) == ["planned"]
    await say(office, Fate.BUFFERED)
    assert await states(office) == ["accepted"]
    await office.pass_time(60)
    assert len(sms.taken) == 1


async def test_what_came_back_is_sent_again_ever_more_rarely_and_each_return_counts_once(journal: Journal) -> None:
    """A carrier that gives back whatever it took, also the repetition of a try of unknown end, is not flooded."""

    class Shaky(Provider):
        async def send(self, message, address):  # type: ignore[no-untyped-def] # the types are those of Provider.send
            accepted = await super().send(message, address)
            if len(self.taken) == 1:
                raise UnansweredError("left us before it answered")
            return accepted

    sms = Shaky()
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    for minute in range(6 * 60):
        before = len(sms.taken)
        await office.pass_time(1)
        assert len(sms.taken) <= before + 1
        if len(sms.taken) > before and minute:
            await say(office, Fate.FAILED)
    assert 10 <= len(sms.taken) <= 24
    assert len({message.reference for message, _ in sms.taken}) == 1, "the first may have arrived"


async def test_a_try_of_unknown_end_that_came_back_is_no_repetition_next_time(journal: Journal) -> None:
    sms = Provider(answers=[UnansweredError("left us before it answered")])
    office = Office(journal, directory(contact("noc", "sms")), {"sms": sms})
    await office.happen(OPEN)
    await office.pass_time(0)
    [(attempt, planned)] = await journal.read(
        "SELECT a.id, n.planned_at FROM attempt a JOIN notification n ON n.id = a.notification"
    )
    async with journal.transaction() as tx:
        now = office.clock.now()
        assert await receive(tx, Receipt(reference(attempt, planned), Fate.FAILED, now), now)
    await office.pass_time(5)
    assert "(repeat)" not in sms.bodies[0]


@pytest.mark.parametrize("of", ["", "1", "1.", "1.0", "2.1", "x.1", "1.zz", "9" * 40 + ".1", "-1.1", "1.digest"])
async def test_a_receipt_of_nothing_of_ours_changes_nothing(journal: Journal, of: str) -> None:
    office = Office(journal, directory(contact("noc", "sms")), {"sms": Provider()})
    await office.happen(OPEN)
    await office.pass_time(0)
    async with journal.transaction() as tx:
        assert not await receive(tx, Receipt(of, Fate.DELIVERED, office.clock.now()), office.clock.now())
    assert await states(office) == ["accepted"]


def test_the_table_of_what_receipts_change() -> None:
    """Every combination has one answer; delivered is never taken back, and what is in flight or over never moves."""
    rows = ("planned", "ready", "accepted", "delivered", "superseded", "expired", "refused", "acknowledged")
    fates = [set(some) for n in range(4) for some in itertools.combinations(Fate, n)]
    for attempt, row, said in itertools.product(("intent", "accepted", "failed", "unknown"), rows, fates):
        change = judge(attempt, row, said)
        if row not in {"planned", "accepted"} or not said:
            assert change is None
        if Fate.DELIVERED in said:
            assert change in {None, Turnabout.ARRIVED}
        if change is Turnabout.RETURNED:
            assert (attempt, row) == ("accepted", "accepted")


async def test_one_channel_after_the_other(journal: Journal) -> None:
    sms, mail = Provider(), Provider("mail")
    sms.receipts = True
    office = Office(journal, directory(contact("noc", "sms", "mail", next_after=300)), {"sms": sms, "mail": mail})
    await office.happen(OPEN)
    await office.pass_time(0)
    await office.pass_time(4.9)
    assert (len(sms.taken), len(mail.taken)) == (1, 0)
    await office.pass_time(0.2)
    assert (len(sms.taken), len(mail.taken)) == (1, 1), "no receipt came: the next one is tried"
    await office.pass_time(60)
    assert await journal.read("SELECT why FROM turn ORDER BY notification") == [
        ("no receipt came: on to mail",),
        ("nobody answered: there is no further channel",),
    ]
    await office.happen(closed(70))
    await office.pass_time(0)
    assert (len(sms.taken), len(mail.taken)) == (2, 2), "whoever was told is told of the end, on each channel"
    await say(office, Fate.DELIVERED)
    await office.pass_time(30)
    assert await journal.read("SELECT why FROM turn WHERE ended_at IS NULL") == []


async def test_what_was_refused_or_came_back_goes_on_at_once(journal: Journal) -> None:
    sms, mail = Provider(), Provider("mail")
    sms.receipts = True
    office = Office(journal, directory(contact("noc", "sms", "mail", next_after=300)), {"sms": sms, "mail": mail})
    await office.happen(OPEN)
    await office.pass_time(0)
    await say(office, Fate.FAILED, detail="unknown number")
    await office.pass_time(0)
    assert len(mail.taken) == 1


async def test_a_way_that_is_known_to_be_broken_is_not_waited_for(journal: Journal) -> None:
    sms, mail = Provider(), Provider("mail")
    sms.down = True
    office = Office(
        journal,
        directory(contact("a", "sms"), contact("noc", "sms", "mail", next_after=3600)),
        {"sms": sms, "mail": mail},
    )
    await office.happen(OPEN)
    for _ in range(12):
        await office.pass_time(0.25)
    assert office.outbox.stats().broken == ("sms",)
    assert len(mail.taken) == 1, "long before the hour is over"
