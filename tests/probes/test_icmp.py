import asyncio
import os
import socket

import pytest

from probes.clock import SystemClock
from probes.icmp import Icmp, IcmpEngine, Keys
from probes.model import LocalError, Outcome
from tests.counts import soak
from tests.probes.asks import asks_for, look
from tests.probes.namespace import WITHOUT_RAW, look_inside

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="raw sockets need root")


@pytest.fixture
async def engine():
    engine = IcmpEngine(vantage="vantage:test", clock=SystemClock())
    yield engine
    await engine.close()
    assert engine.bugs == 0


@pytest.mark.parametrize(("address", "family"), [("127.0.0.1", 4), ("127.9.8.7", 4), ("::1", 6), ("0::0:1", 6)])
async def test_an_answer_has_a_round_trip_and_a_ttl(engine, address, family):
    [seen] = (await look(engine, asks_for(Icmp(), [(address, family)]))).values()

    part = seen.parts[""]
    assert (part.outcome, part.reason) == (Outcome.OK, "")
    assert 0 < part.values["rtt_seconds"] <= seen.took
    assert part.values["ttl"] == 64
    assert seen.vantage == "vantage:test"
    assert seen.at >= seen.due


async def test_thousands_at_once_lose_nothing(engine):
    count = soak(ci=3_000, soak=60_000)
    targets = [(f"127.{1 + n // 62_500}.{n // 250 % 250}.{1 + n % 250}", 4) for n in range(count)]

    seen = await look(engine, asks_for(Icmp(), targets))

    assert {o.parts[""].outcome for o in seen.values()} == {Outcome.OK}
    assert engine.counts["forged"] == 0


async def test_a_busy_loop_loses_nothing_and_does_not_lengthen_the_round_trip(engine):
    asks = asks_for(Icmp(), [("127.0.0.1", 4)] * 40, timeout=0.05)
    batches = engine.ask(asks)
    first = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0)  # the echoes leave; the replies wait in the kernel
    assert len(engine._pending[4]) == 40
    end = SystemClock().monotonic() + 0.2
    while SystemClock().monotonic() < end:
        pass
    seen = [*(await first), *[o for batch in [b async for b in batches] for o in batch]]

    assert {o.parts[""].outcome for o in seen} == {Outcome.OK}
    assert max(o.parts[""].values["rtt_seconds"] for o in seen) < 0.05


async def test_what_is_no_address_is_our_fault(engine):
    seen = await look(engine, asks_for(Icmp(), [("host.example", 4), ("::1", 4), ("127.0.0.1", 6), ("127.0.0.1", 5)]))

    assert {o.parts[""].outcome for o in seen.values()} == {Outcome.UNKNOWN}
    assert seen["t0/icmp/a"].parts[""].reason == "not an IPv4 address: 'host.example'"


async def test_closing_ends_open_asks_unknown(engine):
    ours = IcmpEngine(vantage="v", clock=SystemClock())
    task = asyncio.ensure_future(look(ours, asks_for(Icmp(), [("127.0.0.1", 4)])))
    await asyncio.sleep(0)
    await ours.close()
    [seen] = (await task).values()

    assert seen.parts[""].outcome in {Outcome.OK, Outcome.UNKNOWN}
    [late] = (await look(ours, asks_for(Icmp(), [("127.0.0.1", 4)]))).values()
    assert late.parts[""].reason == "Lambi is stopping"


async def test_replies_nobody_waits_for_are_counted_and_not_taken(engine):
    """A reply with our identifier but the bytes of someone else, one twice, and one that is not ours at all."""
    ask = asks_for(Icmp(), [("127.0.0.1", 4)])
    await look(engine, ask)
    key = engine._keys[4]._key
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as forger:
        for body in (engine._secret + b"\0" * 48, b"somebody else's bytes"):
            forger.sendto(b"\0\0\0\0" + key.to_bytes(4, "big") + body, ("127.0.0.1", 0))
        forger.sendto(b"\3\1\0\0\0\0\0\0no request", ("127.0.0.1", 0))
    await look(engine, ask)

    assert engine.counts["late"] == 1
    assert engine.counts["foreign"] == 1
    assert engine.counts["malformed"] == 1


def test_a_silent_target_is_down_and_a_filtered_one_says_who_filters():
    order = {
        "kind": "icmp",
        "settings": {},
        "timeout": 0.5,
        "targets": [
            ["127.0.0.1", 4],
            ["127.0.0.7", 4],
            ["127.0.0.8", 4],
            ["127.0.0.9", 4],
            ["192.0.2.1", 4],
            ["2001:db8::1", 6],
        ],
    }

    seen = look_inside(
        "nft add table inet t",
        "nft 'add chain inet t in { type filter hook input priority 0; }'",
        "nft 'add chain inet t out { type filter hook output priority 0; }'",
        "nft add rule inet t in ip daddr 127.0.0.7 icmp type echo-request drop",
        "nft add rule inet t in ip daddr 127.0.0.8 icmp type echo-request reject with icmp type host-unreachable",
        "nft add rule inet t out ip daddr 127.0.0.9 icmp type echo-request drop",
        order=order,
    )["parts"]

    assert seen["127.0.0.1"][0] == "ok"
    assert seen["127.0.0.7"][:3] == ["failed", "no answer within 0.5 s", False]
    assert seen["127.0.0.8"][:3] == ["failed", "no answer within 0.5 s; no route to it, says 127.0.0.8", False]
    assert seen["127.0.0.9"][:2] == ["unknown", "a firewall on this machine forbids to ask it"]
    assert seen["192.0.2.1"][:2] == ["unknown", "this machine has no route to it"]
    assert seen["2001:db8::1"][:2] == ["unknown", "this machine has no route to it"]


ORDER = {"kind": "icmp", "settings": {}, "timeout": 1, "targets": [["127.0.0.1", 4], ["::1", 6]]}


def test_without_raw_sockets_it_uses_datagram_sockets():
    seen = look_inside('sysctl -qw net.ipv4.ping_group_range="0 2147483647"', order=ORDER, through=WITHOUT_RAW)

    assert seen["capabilities"] == []
    assert {address: part[0] for address, part in seen["parts"].items()} == {"127.0.0.1": "ok", "::1": "ok"}
    assert {part[3]["ttl"] for part in seen["parts"].values()} == {64}


def test_without_any_permission_it_cannot_look():
    seen = look_inside('sysctl -qw net.ipv4.ping_group_range="1 0"', order=ORDER, through=WITHOUT_RAW)

    why = (
        "cannot look from here: no permission for raw sockets (CAP_NET_RAW) or ICMP sockets (net.ipv4.ping_group_range)"
    )
    assert seen["capabilities"] == [f"ICMP over IPv4: {why}; ICMP over IPv6: {why}"]
    assert seen["parts"]["127.0.0.1"][:2] == ["unknown", f"ICMP over IPv4: {why}"]


def test_identifiers_change_and_never_meet_a_pending_one():
    keys = Keys(None)
    taken = [keys.next({}) for _ in range(10_000)]
    assert len({key >> 16 for key in taken}) >= 3

    fixed = Keys(7)
    assert {fixed.next({}) >> 16 for _ in range(70_000)} == {7}
    assert fixed.next({7 << 16 | n: None for n in range(100, 65_536, 2)}) is not None
    with pytest.raises(LocalError, match="too many"):
        fixed.next(dict.fromkeys(range(65_536)))


@pytest.mark.parametrize("payload", [15, 1453])
def test_a_payload_that_cannot_be_is_refused(payload):
    with pytest.raises(ValueError, match=f"payload: {payload} bytes; 16 to 1452 expected"):
        Icmp(payload=payload)
