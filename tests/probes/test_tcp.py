import errno
import socket

import pytest

from probes.clock import SystemClock
from probes.model import LocalError, Outcome, RemoteError
from probes.run import Each
from probes.tcp import Tcp, connect_fault
from tests.counts import soak
from tests.ports import own_port
from tests.probes.asks import asks_for, look
from tests.probes.namespace import look_inside
from tests.probes.servers import hang_up, tcp_server


@pytest.fixture
async def engine():
    engine = Each(vantage="vantage:test", clock=SystemClock())
    yield engine
    await engine.close()
    assert engine.bugs == 0


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", 4), ("::1", 6)])
async def test_a_listener_is_up_and_its_round_trip_is_the_kernels(engine, host, family):
    async with tcp_server(hang_up, host) as port:
        [seen] = (await look(engine, asks_for(Tcp(port=port), [(host, family)]))).values()

    part = seen.parts[""]
    assert (part.outcome, part.reason) == (Outcome.OK, "")
    assert 0 < part.values["rtt_seconds"] <= seen.took + 0.001


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", 4), ("::1", 6)])
async def test_a_closed_port_refuses(engine, host, family):
    port = own_port()
    [seen] = (await look(engine, asks_for(Tcp(port=port), [(host, family)]))).values()

    part = seen.parts[""]
    assert (part.outcome, part.reason, part.refused) == (Outcome.FAILED, f"refuses port {port}", True)


async def test_a_listener_that_accepts_nothing_is_silent(engine):
    """A full backlog drops the SYN."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        [seen] = (await look(engine, asks_for(Tcp(port=port), [("127.0.0.1", 4)], 0.3))).values()
        for filler in fillers:
            filler.close()

    part = seen.parts[""]
    assert (part.outcome, part.reason, part.refused) == (Outcome.FAILED, "no answer within 0.3 s", False)


async def test_many_at_once_lose_nothing(engine):
    count = soak(ci=500, soak=20_000)
    targets = [(f"127.2.{n // 250}.{1 + n % 250}", 4) for n in range(count)]
    async with tcp_server(hang_up, "0.0.0.0", backlog=4096) as port:
        seen = await look(engine, asks_for(Tcp(port=port), targets, 10.0))

    assert {(o.parts[""].outcome, o.parts[""].reason) for o in seen.values()} == {(Outcome.OK, "")}


async def test_a_name_is_not_resolved(engine):
    [seen] = (await look(engine, asks_for(Tcp(port=80), [("host.example", 4)]))).values()

    assert (seen.parts[""].outcome, seen.parts[""].reason) == (
        Outcome.UNKNOWN,
        "not an IPv4 address: 'host.example'",
    )


def test_no_way_out_is_ours_and_a_routers_word_is_not():
    order = {
        "kind": "tcp",
        "settings": {"port": 80},
        "timeout": 0.5,
        "targets": [
            ["192.0.2.1", 4],
            ["127.0.0.8", 4],
            ["127.0.0.9", 4],
            ["2001:db8::1", 6],
        ],
    }

    seen = look_inside(
        "nft add table inet t",
        "nft 'add chain inet t in { type filter hook input priority 0; }'",
        "nft add rule inet t in ip daddr 127.0.0.8 tcp dport 80 reject with icmp type host-unreachable",
        "nft add rule inet t in ip daddr 127.0.0.9 tcp dport 80 drop",
        order=order,
    )["parts"]

    assert seen["192.0.2.1"][:2] == ["unknown", "this machine has no route to it"]
    assert seen["2001:db8::1"][:2] == ["unknown", "this machine has no route to it"]
    assert seen["127.0.0.8"][:3] == ["failed", "no route to it, says the network", False]
    assert seen["127.0.0.9"][:3] == ["failed", "no answer within 0.5 s", False]


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (errno.ECONNREFUSED, RemoteError("refuses port 9", refused=True)),
        (errno.ECONNRESET, RemoteError("resets connections to port 9", refused=True)),
        (errno.EMFILE, LocalError("this process has too many open files")),
        (errno.EPROTO, RemoteError("cannot connect to port 9: Protocol error")),
    ],
)
def test_whose_fault_it_is(number, fault):
    found = connect_fault(number, "127.0.0.1", 4, 9)

    assert (type(found), str(found), getattr(found, "refused", None)) == (
        type(fault),
        str(fault),
        getattr(fault, "refused", None),
    )


@pytest.mark.parametrize("port", [0, 65_536])
def test_a_port_that_cannot_be_is_refused(port):
    with pytest.raises(ValueError, match="1 to 65535 expected"):
        Tcp(port=port)
