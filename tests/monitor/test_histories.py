"""What must hold in every history of faults and noise, whatever happens in it; histories are drawn by seed."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from zlib import crc32

import pytest

from bench.histories import NOISES, generate
from bench.scoring import BLIND_GRACE, GRACE, LATELY, Claim, describe, fold, match, score, touches
from bench.truth import OK, Cause, History, Noise, with_true_topology
from bench.watching import BEGINNINGS, START, as_shipped, claims_of, watch
from monitor.model import Check, Incident, Phase
from monitor.replay import Record, Replay
from probes.model import Part
from tests.counts import soak

EACH = soak(ci=200, soak=10_000) // (2 * len(NOISES)) + 1
"""Histories of each class of noise, with all noise and again plain."""
ORDERS = soak(ci=2, soak=100)
SHORT_LOSS = 0.005
"""So rare that in 10,000 histories no four looks in a row are lost."""
SETTLED = 240.0


def histories(noise: str, count: int = EACH) -> Iterator[History]:
    for number in range(count):
        yield generate(f"property {noise} {number}", noise, tiny=True)


def plain(history: History) -> History:
    """The same faults, configured as it truly is, with rare loss and no other noise."""
    return replace(with_true_topology(history), lies=(), chance=Noise(SHORT_LOSS, 0.0, {}))


def blind_all_along(history: History, seconds: float, family: int) -> bool:
    return history.blind(seconds, family) and history.blind(max(0.0, seconds - BLIND_GRACE), family)


def downs_while_blind(history: History, record: Record) -> list[str]:
    return [
        f"{seconds:.0f} s {signal.check}"
        for seconds, signal in record.signals
        if signal.new is Phase.DOWN
        and signal.check in history.true.checks
        and blind_all_along(history, seconds, history.true.checks[signal.check].target.family)
    ]


def told_though_behind(record: Record) -> list[str]:
    """Incidents whose beginning was told while their asset stood behind another open one."""
    moments: dict[float, list[str]] = {}
    for message in record.told:
        if message.reason in BEGINNINGS:
            moments.setdefault(message.seconds, []).append(message.incident)
    known: dict[str, Incident] = {}
    found = []
    changes = list(record.changes)
    for seconds, told in sorted(moments.items()):
        while changes and changes[0][0] <= seconds:
            incident = changes.pop(0)[1].incident
            known[incident.id] = incident
        behind = {child for each in known.values() if each.closed is None for child in each.children}
        found += [f"{seconds:.0f} s {known[id_].title}" for id_ in told if known[id_].asset in behind]
    return found


def left_open(history: History, claim: Claim) -> bool:
    return claim.closed is None and claim.opened < history.seconds - LATELY


@pytest.mark.parametrize("noise", NOISES)
def test_with_every_noise_nothing_is_down_while_blind_no_child_speaks_and_all_closes(noise: str) -> None:
    for history in histories(noise):
        record = watch(history)
        assert downs_while_blind(history, record) == [], history.seed
        assert told_though_behind(record) == [], history.seed
        assert [claim.name for claim in claims_of(record, history.configured) if left_open(history, claim)] == [], (
            history.seed
        )


def wrong(history: History, record: Record) -> list[str]:
    """Causes that no incident tells of, and incidents that tell of none, or of one that has another.

    Of two causes at once, one incident may speak for both where it names what would look just the same as either: that
    nobody can tell apart from here.
    """
    made = claims_of(record, history.configured)
    claims = fold(made, history.causes)
    taken = match(claims, history.causes).values()
    missed = [
        f"missed: {describe(cause)}"
        for number, cause in enumerate(history.causes)
        if cause.required and number not in taken
        if not any(touches(claim, cause) and claim.asset in cause.right for claim in made)
    ]
    told = [claim for claim in made if not half_blind(history, claim.opened)]
    remarks = score(history, told, 0, 0).remarks
    return missed + [remark for remark in remarks if remark.startswith(("once more", "false"))]


def half_blind(history: History, seconds: float) -> bool:
    """Whether the own link was cut over one family: what is lost over the other alone looks lost in whole."""
    return history.blind(seconds, 4) != history.blind(seconds, 6)


@pytest.mark.parametrize("noise", sorted(set(NOISES) - {"lying vantage"}))
def test_with_a_true_topology_there_is_one_incident_for_each_cause(noise: str) -> None:
    for history in map(plain, histories(noise)):
        record = watch(history)
        assert wrong(history, record) == [], history.seed
        assert told_though_behind(record) == [], history.seed


class Shuffled:
    """The same answers, each up to three seconds later: looks that left in one order arrive in another."""

    def __init__(self, history: History, order: int) -> None:
        self.history, self.order = history, order

    def answer(self, vantage: str, check: Check, seconds: float) -> tuple[Part, float] | None:
        answer = self.history.answer(vantage, check, seconds)
        if answer is None or answer[0] is not OK:
            return answer
        drawn = crc32(f"{self.order} {vantage} {check.id} {seconds:.3f}".encode()) / 2**32
        return OK, answer[1] + 3.0 * drawn


def lasting(history: History) -> History:
    """Only what everybody must see, whatever the order: no loss, no lie, no fault that is over before it is settled."""
    faults = tuple(fault for fault in history.faults if len(fault.spells) == 1 and fault.until - fault.since >= SETTLED)
    return replace(with_true_topology(history), faults=faults, cuts=(), lies=(), chance=Noise(0.0, 0.0, {}))


def verdicts(history: History, script: Shuffled | History) -> list[object]:
    """What is settled when faults have lasted for long, and when all has long been well; the causes named so far."""
    replay = Replay(as_shipped(history.true, history.vantages), script, start=START, vantages=history.vantages)
    moments = sorted({fault.until - 1.0 for fault in history.faults if calm(history, fault.until - 1.0)})
    found: list[object] = []
    for moment in [*moments, history.seconds]:
        replay.run(moment - replay.seconds)
        states = replay.belief.states
        found.append({(check, part): s.settled for check in states for part, s in states[check].items()})
        found.append(named(history, replay.belief.book.open.values()))
    found.append(named(history, [change.incident for _, change in replay.record.changes if change.incident.closed]))
    return found


def named(history: History, incidents: Iterable[Incident]) -> set[frozenset[str]]:
    """Return what speaks for itself, with all that would look just the same from here."""
    alike = {asset: cause.right for cause in history.causes for asset in cause.right}
    return {alike.get(one.asset, frozenset({one.asset})) for one in incidents if not one.silent}


def calm(history: History, seconds: float) -> bool:
    """Whether nothing has begun or healed for so long that all verdicts are settled."""
    moments = [moment for fault in history.faults for moment in (fault.since, fault.until)]
    return all(not seconds - SETTLED < moment <= seconds for moment in moments)


@pytest.mark.parametrize("noise", ["topology", "faults at once", "one family", "region-wide"])
def test_the_order_in_which_looks_arrive_changes_no_verdict(noise: str) -> None:
    for history in map(lasting, histories(noise, ORDERS)):
        expected = verdicts(history, history)
        assert verdicts(history, Shuffled(history, 1)) == expected, history.seed
        assert verdicts(history, Shuffled(history, 2)) == expected, history.seed


def test_a_seed_makes_the_same_history_each_time() -> None:
    for noise in NOISES:
        one, two = generate("same", noise), generate("same", noise)
        assert one == two
        assert one.causes == two.causes


def test_five_percent_of_the_edges_are_missing_and_two_percent_wrong() -> None:
    true = missing = wrong = 0
    for number in range(200):
        history = generate(f"edges {number}", "loss")
        edges = {(each.asset, need) for each in history.true.dependencies for need in each.needs}
        believed = {(each.asset, need) for each in history.configured.dependencies for need in each.needs}
        true, wrong = true + len(edges), wrong + len(believed - edges)
        missing += len(edges - believed) - len(believed - edges)
    assert 0.04 < missing / true < 0.06
    assert 0.01 < wrong / true < 0.025


def test_the_truth_of_a_fault_is_what_looks_see_without_noise() -> None:
    for noise in NOISES:
        history = replace(generate("truth", noise), lies=(), cuts=(), chance=Noise(0.0, 0.0, {}))
        for cause in history.causes:
            middle = (cause.since + cause.until) / 2
            alone = sum(each.since <= middle < each.until for each in history.causes) == 1
            if not alone or cause.what == "flaps":
                continue
            answers = {id_: history.answer(history.vantages[0], c, middle) for id_, c in history.true.checks.items()}
            assert {id_ for id_, answer in answers.items() if answer and answer[0] is not OK} == set(cause.effects)


def cause(asset: str, since: float, until: float, *more: str) -> Cause:
    touched = frozenset({asset, *more})
    return Cause(asset, "dies", since, until, frozenset(), touched, frozenset({asset}), until - since, required=True)


def claim(asset: str, opened: float, closed: float, *more: str) -> Claim:
    return Claim(asset, frozenset({asset, *more}), opened, closed, 1, asset)


def test_claims_and_causes_are_matched_one_to_one_and_the_rightly_named_first() -> None:
    causes = [cause("cable:a", 100, 500, "router:a", "network:a"), cause("router:b", 100, 500)]
    claims = [claim("network:a", 110, 500), claim("cable:a", 130, 500), claim("router:b", 120, 500)]
    assert match(claims, causes) == {1: 0, 2: 1}
    assert match([claim("ixp:x", 110, 500, "network:a")], causes) == {0: 0}
    assert match([claim("cable:a", 500 + GRACE, 700)], causes) == {}
    assert match([claim("cable:a", 20, 90)], causes) == {}


def test_an_incident_that_opens_again_for_the_same_cause_is_one_claim_and_for_another_a_second() -> None:
    causes = [cause("router:a", 100, 500), cause("router:a", 900, 1500)]
    spans = [
        replace(claim("router:a", *each), session="1") for each in ((110.0, 300.0), (350.0, 510.0), (910.0, 1510.0))
    ]
    folded = fold(spans, causes)
    assert [(each.opened, each.closed, each.told) for each in folded] == [(110.0, 510.0, 2), (910.0, 1510.0, 1)]
    assert match(folded, causes) == {0: 0, 1: 1}
