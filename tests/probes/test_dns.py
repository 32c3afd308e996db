"""Against a real knotd, and against scripted servers for the faults that no daemon shows."""

import asyncio
import socket
from itertools import pairwise
from pathlib import Path

import dns.flags
import dns.message
import pytest

from probes.clock import SystemClock
from probes.dns import Dns
from probes.dns_engine import DnsEngine
from probes.model import Outcome
from tests.counts import soak
from tests.fakes import FakeClock, settle
from tests.ports import own_port
from tests.probes.asks import asks_for, look
from tests.probes.namespace import look_inside
from tests.probes.servers import accepts, needed, running, tcp_server, udp_server

ZONE = """\
$ORIGIN do.
$TTL 300
@ SOA ns1 hostmaster 2026112301 3600 600 86400 300
@ NS ns1
ns1 A 127.0.0.1
sub NS ns1.sub
ns1.sub A 127.0.0.1
big TXT """ + " ".join(["long" * 60] * 8)

CONFIG = """\
server:
    rundir: {folder}
    listen: [ "0.0.0.0@{port}", "::1@{port}" ]
    nsid: "test-site"
    udp-workers: 8
    tcp-workers: 1
    background-workers: 1
database:
    storage: {folder}
zone:
  - domain: do
    file: {folder}/do.zone
  - domain: broken
    file: {folder}/no-such.zone
"""


@pytest.fixture(scope="module")
def knot(tmp_path_factory):
    """The port of a knotd on every address of 127/8 and ::1; it serves `do`, and `broken` without a zone file.

    Eight workers have eight queues: one queue of the default size overflows while a busy machine keeps knotd waiting.
    """
    needed("knotd")
    folder: Path = tmp_path_factory.mktemp("knot")
    port = own_port()
    (folder / "do.zone").write_text(f"{ZONE}\n")
    (folder / "knot.conf").write_text(CONFIG.format(folder=folder, port=port))
    with running(["/usr/sbin/knotd", "-c", str(folder / "knot.conf")], folder / "log") as wait:
        wait(lambda: accepts(port), "knotd")
        wait(lambda: _answers(port), "knotd's zone")
        yield port


def _answers(port: int) -> bool:
    query = dns.message.make_query("do.", "SOA").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)
        sock.sendto(query, ("127.0.0.1", port))
        try:
            return dns.message.from_wire(sock.recv(4096)).rcode() == 0
        except OSError:
            return False


@pytest.fixture
async def engine():
    engine = DnsEngine(vantage="vantage:test", clock=SystemClock())
    yield engine
    await engine.close()
    assert engine.bugs == 0


async def ask(engine, probe, address="127.0.0.1", family=4, timeout=5.0):
    [seen] = (await look(engine, asks_for(probe, [(address, family)], timeout))).values()
    return seen


@pytest.mark.parametrize(("address", "family"), [("127.0.0.1", 4), ("127.3.2.1", 4), ("::1", 6)])
async def test_an_authoritative_answer(engine, knot, address, family):
    seen = await ask(engine, Dns(query="do.", port=knot), address, family)

    part = seen.parts[""]
    assert (part.outcome, part.reason) == (Outcome.OK, "")
    assert 0 < part.values.pop("rtt_seconds") <= seen.took
    assert part.values == {"rcode": 0, "aa": 1, "soa_serial": 2026112301, "nsid": "test-site"}


@pytest.mark.parametrize(
    ("query", "rdtype", "reason"),
    [
        ("xx.", "SOA", "answers REFUSED: it does not serve xx."),
        ("broken.", "SOA", "answers SERVFAIL: it cannot serve broken. now"),
        ("none.do.", "SOA", "answers NXDOMAIN: it says that none.do. does not exist"),
        ("sub.do.", "SOA", "lame: it answers for sub.do. without authority"),
        ("ns1.do.", "SOA", "answers without the SOA of ns1.do."),
        ("ns1.do.", "AAAA", "answers without the AAAA of ns1.do."),
    ],
)
async def test_an_answer_that_is_none_is_a_refusal_with_its_reason(engine, knot, query, rdtype, reason):
    part = (await ask(engine, Dns(query=query, rdtype=rdtype, port=knot))).parts[""]

    assert (part.outcome, part.reason, part.refused) == (Outcome.FAILED, reason, True)
    assert part.values["nsid"] == "test-site"


async def test_a_resolver_need_not_be_an_authority(engine, knot):
    part = (await ask(engine, Dns(query="do.", port=knot, authoritative=False))).parts[""]

    assert part.outcome is Outcome.OK


async def test_a_truncated_answer_is_fetched_over_tcp(engine, knot):
    part = (await ask(engine, Dns(query="big.do.", rdtype="TXT", port=knot))).parts[""]

    assert (part.outcome, part.reason) == (Outcome.OK, "truncated over UDP, answers over TCP")


async def test_thousands_at_once_lose_nothing(engine, knot):
    count = soak(ci=3_000, soak=60_000)
    targets = [(f"127.{1 + n // 62_500}.{n // 250 % 250}.{1 + n % 250}", 4) for n in range(count)]

    seen = await look(engine, asks_for(Dns(query="do.", port=knot), targets, 10.0))

    assert {(o.parts[""].outcome, o.parts[""].reason) for o in seen.values()} == {(Outcome.OK, "")}
    assert not engine.counts


async def test_one_server_of_many_zones_is_asked_one_question_at_a_time(engine):
    waiting: list[tuple[bytes, tuple[str, int]]] = []
    server, port = await udp_server(lambda server, data, addr: waiting.append((data, addr)))
    task = asyncio.ensure_future(look(engine, asks_for(Dns(query="do.", port=port), [("127.0.0.1", 4)] * 3, 10.0)))
    for count in (1, 2, 3):
        await asyncio.wait_for(server.came.wait(), 10)
        server.came.clear()
        await settle()
        assert len(server.seen) == count
        data, addr = waiting.pop()
        server.transport.sendto(reply_to(data), addr)
    seen = await task

    assert {o.parts[""].outcome for o in seen.values()} == {Outcome.OK}
    server.transport.close()


async def test_one_address_gets_twenty_questions_a_second_at_most():
    clock = FakeClock()
    engine = DnsEngine(vantage="v", clock=clock)
    server, port = await udp_server(lambda server, data, addr: server.transport.sendto(reply_to(data), addr))
    asks, left = asks_for(Dns(query="do.", port=port), [("127.0.0.1", 4)] * 4, 2.0), []
    for some in (asks, asks[:1]):
        task = asyncio.ensure_future(look(engine, some))
        while not task.done():
            await settle()
            await clock.advance(0.01)
        left += [(seen.at - clock.start).total_seconds() for seen in task.result().values()]
    await engine.close()
    server.transport.close()

    assert len(left) == 5
    assert all(later - sooner >= 0.0499 for sooner, later in pairwise(sorted(left)))


async def test_a_question_that_waited_has_its_whole_time_from_when_it_leaves():
    clock = FakeClock()
    engine = DnsEngine(vantage="v", clock=clock)
    server, port = await udp_server(lambda *_: None)
    task = asyncio.ensure_future(look(engine, asks_for(Dns(query="do.", port=port), [("127.0.0.1", 4)] * 3, 2.0)))
    for _ in range(3):
        await settle()
        await clock.advance(2.0)
    seen = await task
    await engine.close()
    server.transport.close()

    assert [(o.at - clock.start).total_seconds() for o in seen.values()] == [0.0, 2.0, 4.0]
    assert {o.took for o in seen.values()} == {2.0}
    assert {(o.parts[""].reason, o.parts[""].refused) for o in seen.values()} == {("no answer within 2.0 s", False)}


@pytest.mark.parametrize(("address", "family"), [("127.0.0.1", 4), ("::1", 6)])
async def test_a_closed_port_is_noticed_at_once(engine, address, family):
    port = own_port()
    seen = await look(engine, asks_for(Dns(query="do.", port=port), [(address, family)] * 20, 30.0))

    parts = {(o.parts[""].outcome, o.parts[""].reason, o.parts[""].refused) for o in seen.values()}
    assert parts == {(Outcome.FAILED, f"nothing listens on port {port}", True)}


async def test_refusing_servers_do_not_disturb_the_others(engine, knot):
    """One socket serves many servers: an error that one of them caused must not become another's."""
    port = own_port()
    closed = asks_for(Dns(query="do.", port=port), [(f"127.9.0.{n}", 4) for n in range(1, 101)] * 2, 30.0)
    good = asks_for(Dns(query="do.", port=knot), [(f"127.8.0.{n}", 4) for n in range(1, 101)], 30.0)
    one, two = await asyncio.gather(look(engine, _named("c", closed)), look(engine, _named("g", good)))

    assert {o.parts[""].refused for o in one.values()} == {True}
    assert {o.parts[""].outcome for o in two.values()} == {Outcome.OK}


def _named(prefix, asks):
    return [type(a)(f"{prefix}{a.check}", a.target, a.probe, a.timeout, a.at) for a in asks]


def reply_to(data: bytes, name: str | None = None) -> bytes:
    query = dns.message.from_wire(data) if name is None else dns.message.make_query(name, "SOA")
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 9, "IN", "SOA", "a. b. 5 1 1 1 1"))
    return data[:2] + reply.to_wire()[2:]


async def test_what_is_not_the_answer_is_counted_and_the_look_goes_on(engine):
    """Garbage, a wrong id, another question and another port, and then the answer."""

    def answer(server, data, addr):
        wrong_id = bytes([data[0] ^ 1]) + data[1:]
        server.transport.sendto(b"\0", addr)
        server.transport.sendto(wrong_id[:2] + reply_to(data)[2:], addr)
        server.transport.sendto(data[:2] + b"garbage", addr)
        server.transport.sendto(reply_to(data, "jm."), addr)
        other.sendto(reply_to(data), addr)
        server.transport.sendto(reply_to(data), addr)
        server.transport.sendto(reply_to(data), addr)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        server, port = await udp_server(answer)
        part = (await ask(engine, Dns(query="do.", port=port))).parts[""]
        while sum(engine.counts.values()) < 6:
            await settle()
        server.transport.close()

    assert part.outcome is Outcome.OK
    assert part.values["soa_serial"] == 5
    assert engine.counts == {"late": 3, "malformed": 2, "forged": 1}


async def test_a_server_that_only_sends_garbage_is_silent_and_the_reason_says_so(engine):
    server, port = await udp_server(lambda server, data, addr: server.transport.sendto(data[:2] + b"no", addr))
    part = (await ask(engine, Dns(query="do.", port=port), timeout=0.3)).parts[""]
    server.transport.close()

    reason = "no answer within 0.3 s; what it sent is no answer (it ends too early)"
    assert (part.outcome, part.reason, part.refused) == (Outcome.FAILED, reason, False)


def truncated(server, data, addr):
    reply = dns.message.make_response(dns.message.from_wire(data))
    reply.flags |= dns.flags.AA | dns.flags.TC
    server.transport.sendto(reply.to_wire(), addr)


async def test_truncated_and_no_tcp(engine):
    port = own_port()
    server, _ = await udp_server(truncated, port=port)
    part = (await ask(engine, Dns(query="do.", port=port))).parts[""]
    server.transport.close()

    reason = f"truncated over UDP; over TCP it refuses port {port}"
    assert (part.outcome, part.reason, part.refused) == (Outcome.FAILED, reason, True)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"\0", "truncated over UDP; over TCP it closes the connection before its answer is complete"),
        (b"\0\x03abc", "its answer over TCP cannot be read (another id)"),
    ],
)
async def test_truncated_and_nonsense_over_tcp(engine, said, reason):
    async def serve(reader, writer):
        await reader.read(2)
        writer.write(said)
        await writer.drain()

    async with tcp_server(serve, port=own_port()) as port:
        server, _ = await udp_server(truncated, port=port)
        part = (await ask(engine, Dns(query="do.", port=port))).parts[""]
        server.transport.close()

    assert (part.outcome, part.reason, part.refused) == (Outcome.FAILED, reason, True)


async def test_closing_ends_those_that_left_and_those_that_wait():
    engine = DnsEngine(vantage="v", clock=SystemClock())
    server, port = await udp_server(lambda *_: None)
    task = asyncio.ensure_future(look(engine, asks_for(Dns(query="do.", port=port), [("127.0.0.1", 4)] * 3, 30.0)))
    await asyncio.wait_for(server.came.wait(), 10)
    await engine.close()
    seen = await task
    [late] = (await look(engine, asks_for(Dns(query="do.", port=port), [("127.0.0.1", 4)]))).values()
    server.transport.close()

    assert {(o.parts[""].outcome, o.parts[""].reason) for o in [*seen.values(), late]} == {
        (Outcome.UNKNOWN, "Lambi is stopping")
    }


async def test_one_who_no_longer_waits_sends_no_more_questions(engine):
    server, port = await udp_server(lambda *_: None)
    given_up = engine.ask(asks_for(Dns(query="do.", port=port), [("127.0.0.1", 4)] * 3, 0.2))
    first = asyncio.ensure_future(anext(given_up))
    await asyncio.wait_for(server.came.wait(), 10)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    server.answer = lambda server, data, addr: server.transport.sendto(reply_to(data), addr)
    part = (await ask(engine, Dns(query="do.", port=port))).parts[""]
    server.transport.close()

    assert part.outcome is Outcome.OK
    assert len(server.seen) == 2


async def test_source_ports_change(engine, knot):
    probe = Dns(query="do.", port=knot)
    for _ in range(2):
        await look(engine, asks_for(probe, [(f"127.0.1.{n}", 4) for n in range(1, 200)]))
    assert len({sock.sock.getsockname()[1] for sock in engine._sockets[4]}) == 8


def test_no_way_out_is_our_fault_and_a_filter_says_who_it_is():
    order = {
        "kind": "dns",
        "settings": {"query": "do."},
        "timeout": 0.5,
        "targets": [
            ["192.0.2.1", 4],
            ["2001:db8::1", 6],
            ["127.0.0.8", 4],
            ["127.0.0.9", 4],
            ["host.example", 4],
            ["127.0.0.1", 4],
        ],
    }

    seen = look_inside(
        "nft add table inet t",
        "nft 'add chain inet t in { type filter hook input priority 0; }'",
        "nft add rule inet t in ip daddr 127.0.0.8 udp dport 53 reject with icmp type admin-prohibited",
        "nft add rule inet t in ip daddr 127.0.0.9 udp dport 53 drop",
        order=order,
    )["parts"]

    assert seen["192.0.2.1"][:2] == ["unknown", "this machine has no route to it"]
    assert seen["2001:db8::1"][:2] == ["unknown", "this machine has no route to it"]
    assert seen["127.0.0.8"][:3] == [
        "failed",
        "no answer within 0.5 s; it cannot be reached, says 127.0.0.8",
        False,
    ]
    assert seen["127.0.0.9"][:3] == ["failed", "no answer within 0.5 s", False]
    assert seen["host.example"][:2] == ["unknown", "not an IPv4 address: 'host.example'"]
    assert seen["127.0.0.1"][:3] == ["failed", "nothing listens on port 53", True]


@pytest.mark.parametrize("setting", [{"port": 0}, {"port": 65_536}, {"query": "a" * 64}, {"rdtype": "NOPE"}])
def test_a_setting_that_cannot_be_is_refused(setting):
    with pytest.raises(ValueError, match=r"port: \d+; 1 to 65535 expected|no question of DNS"):
        Dns(**setting)
