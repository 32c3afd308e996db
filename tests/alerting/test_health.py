"""Which way out is tried first: by what is known of it, never without it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.breaker import Breaker, Circuit
from alerting.explain import explain
from alerting.gate import Rules
from alerting.health import WELL, Health, health, in_words, order
from alerting.journal import Journal
from alerting.model import Fate, Receipt
from alerting.receipts import receive
from alerting.told import hanging
from tests.alerting.fakes import OPEN, Office, Provider, closed, contact, directory
from tests.fakes import START

CUT = "this site is cut off from the world"
NAMES = ("mail", "sms", "modem")
NOC = contact("noc", *NAMES, next_after=300)


@pytest.mark.parametrize(
    ("known", "first"),
    [
        ({}, ["mail", "sms", "modem"]),
        ({"mail": health(Breaker(), CUT), "sms": health(Breaker(), CUT)}, ["modem", "mail", "sms"]),
        ({"mail": health(Breaker(Circuit.OPEN, 3, 9.0), "")}, ["sms", "modem", "mail"]),
        ({"mail": health(Breaker(failures=1), "")}, ["sms", "modem", "mail"]),
        ({"mail": health(Breaker(), CUT), "modem": health(Breaker(Circuit.TRYING, 3), "")}, ["sms", "modem", "mail"]),
    ],
)
def test_what_is_well_goes_first_and_among_equals_the_contacts_own_order(
    known: dict[str, Health], first: list[str]
) -> None:
    assert order(NOC, known) == first


@given(st.dictionaries(st.sampled_from(NAMES), st.builds(Health, st.integers(0, 3))))
def test_no_way_is_ever_dropped_or_taken_twice(known: dict[str, Health]) -> None:
    found = order(NOC, known)
    assert sorted(found) == sorted(NAMES)
    ranks = [known.get(name, WELL).rank for name in found]
    assert ranks == sorted(ranks)


def test_it_says_why() -> None:
    known = {"mail": health(Breaker(), CUT), "sms": health(Breaker(failures=2), "")}
    assert in_words(NOC, known) == f"modem, sms (its last 2 tries found no provider), mail ({CUT})"
    people = directory(NOC)
    (line,) = explain(OPEN, Rules(people, ways=known), START)
    assert line.why.endswith(f"by modem, sms (its last 2 tries found no provider), mail ({CUT})")


class Site:
    """An office whose own link can be cut: then mail and gateway are out of reach, and the modem is not."""

    def __init__(self, journal: Journal) -> None:
        self.channels = {name: Provider("mail" if name == "mail" else "sms") for name in NAMES}
        self.channels["modem"].receipts = True
        self.journal, self.cut = journal, False
        self.office = Office(journal, directory(NOC), self.channels, cut=self.why)

    def why(self, channel: str) -> str:
        return CUT if self.cut and channel != "modem" else ""

    def cut_off(self, cut: bool) -> None:
        self.cut = self.channels["mail"].down = self.channels["sms"].down = cut
        if not cut:
            self.office.outbox.path_restored()

    def taken(self) -> dict[str, int]:
        return {name: len(channel.taken) for name, channel in self.channels.items()}


async def test_while_the_own_link_is_cut_the_modem_is_tried_at_once(journal: Journal) -> None:
    site = Site(journal)
    site.cut_off(True)
    await site.office.happen(OPEN)
    await site.office.pass_time(0)
    assert site.taken() == {"mail": 0, "sms": 0, "modem": 1}, "before any try by mail has failed three times"
    assert await journal.read("SELECT why FROM turn WHERE ended_at IS NOT NULL") == [
        (f"it has not left, {CUT}: on to modem",)
    ]
    assert await hanging(journal, site.office.clock.now()) == []


async def test_where_every_way_is_out_nothing_is_handed_from_one_to_the_other(journal: Journal) -> None:
    site = Site(journal)
    site.office.directory = directory(contact("noc", "mail", "sms", next_after=300))
    site.cut_off(True)
    await site.office.happen(OPEN)
    for _ in range(8):
        await site.office.pass_time(0.25)
    assert [channel for _, channel, *_ in await site.office.states()] == ["mail"]
    site.cut_off(False)
    for _ in range(4):
        await site.office.pass_time(0.25)
    assert site.taken()["mail"] == 1, "it leaves once the link is back"


async def test_a_gateway_that_fails_goes_last_and_back_to_its_place_when_it_takes_messages_again(
    journal: Journal,
) -> None:
    site = Site(journal)
    site.channels["mail"].down = True
    await site.office.happen(OPEN)
    for _ in range(8):
        await site.office.pass_time(0.25)
    assert site.office.outbox.stats().broken == ("mail",)
    assert order(NOC, site.office.outbox.health()) == ["sms", "modem", "mail"]
    assert site.taken() == {"mail": 0, "sms": 1, "modem": 0}
    site.channels["mail"].down = False
    await site.office.pass_time(1)
    assert order(NOC, site.office.outbox.health()) == list(NAMES)
    await site.office.happen(replace(OPEN, incident="2"))
    before = site.taken()
    await site.office.pass_time(0)
    assert site.taken() == before | {"mail": before["mail"] + 1}, "the contact's own order again"


async def test_a_cut_that_ends_loses_nothing_and_no_channel_says_a_thing_twice(journal: Journal) -> None:
    site = Site(journal)
    site.cut_off(True)
    await site.office.happen(OPEN)
    for _ in range(4):
        await site.office.pass_time(0.25)
    ((message, _),) = site.channels["modem"].taken
    async with journal.transaction() as tx:
        now = site.office.clock.now()
        await receive(tx, Receipt(message.reference, Fate.DELIVERED, now), now)
    site.cut_off(False)
    for _ in range(30):
        await site.office.pass_time(1)
    await site.office.happen(closed(40))
    for _ in range(30):
        await site.office.pass_time(1)
    for name, channel in site.channels.items():
        texts = [one.body for one, _ in channel.taken]
        assert len(texts) == len(set(texts)) <= 2, name
    assert site.taken()["modem"] == 2, "who was told of the beginning is told of the end"
    rows = await journal.read("SELECT count(*) FROM notification WHERE ended_at IS NULL")
    assert rows == [(0,)]
    assert await hanging(journal, site.office.clock.now()) == []
