"""A zone and its servers, against real knotd on loopback; what no daemon can be made to do is relayed or scripted."""

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import dns.dnssec
import dns.exception
import dns.message
import dns.query
import dns.zone
import pytest

from probes.clock import SystemClock
from probes.dns import Dns
from probes.dns_engine import DnsEngine
from probes.model import Outcome
from probes.zone import Zone
from probes.zone_engine import ZoneEngine
from tests.fakes import FakeClock
from tests.ports import own_port
from tests.probes.asks import asks_for, look
from tests.probes.servers import needed, running, tcp_server, udp_server

GOOD, OLD, EXPIRED, LAME, PARENT = "127.0.4.1", "127.0.4.2", "127.0.4.3", "127.0.4.4", "127.0.4.5"
SMALL, STRAY, GARBAGE = "127.0.4.6", "127.0.4.7", "127.0.4.8"
ZONE = """\
$ORIGIN bb.
$TTL 300
@ SOA ns1 hostmaster 7 600 300 86400 300
@ NS ns1
@ NS ns2.example.
ns1 A 127.0.4.1
"""
SIGNER = """\
policy:
  - id: large
    algorithm: rsasha256
    ksk-size: 2048
    zsk-size: 2048
    nsec3: off
acl:
  - id: anybody
    address: 127.0.0.0/8
    action: transfer
zone:
  - domain: bb
    file: {folder}/bb.zone
    dnssec-signing: on
    dnssec-policy: large
    acl: anybody
    zonefile-sync: -1
"""
SECONDARY = """\
remote:
  - id: primary
    address: 127.0.4.9@{port}
zone:
  - domain: bb
    file: {folder}/bb.zone
    master: primary
"""
PLAIN = """\
zone:
  - domain: {domain}
    file: {folder}/{domain}.zone
"""


@contextmanager
def knot(folder: Path, address: str, port: int, config: str, zone: str, *, domain: str = "bb") -> Iterator[None]:
    folder.mkdir()
    (folder / f"{domain}.zone").write_text(zone)
    server = (
        f"server:\n    rundir: {folder}\n    listen: {address}@{port}\n    nsid: {folder.name}\n    udp-workers: 1\n"
    )
    server += f"    tcp-workers: 1\n    background-workers: 1\ndatabase:\n    storage: {folder}\n"
    (folder / "knot.conf").write_text(server + config.format(folder=folder, port=port, domain=domain))
    with running(["/usr/sbin/knotd", "-c", str(folder / "knot.conf")], folder / "log") as wait:
        wait(lambda: _serves(address, port, domain, signed="dnssec-signing" in config), f"{folder.name}'s zone")
        yield


def _serves(address: str, port: int, domain: str, *, signed: bool) -> bool:
    query = dns.message.make_query(f"{domain}.", "SOA", want_dnssec=True)
    try:
        reply = dns.query.udp(query, address, port=port, timeout=0.3)
    except (OSError, dns.exception.DNSException):
        return False
    return reply.rcode() == 0 and (len(reply.answer) > 1 or not signed)


@pytest.fixture(scope="module")
def island(tmp_path_factory):
    """The port of five knotd: a signer; its secondary that was left behind; one whose signatures are over; a lame one;
    the parent."""
    needed("knotd")
    folder, port = tmp_path_factory.mktemp("zones"), own_port()
    with ExitStack() as stack:
        stack.enter_context(knot(folder / "good", GOOD, port, SIGNER, ZONE))
        signed = dns.zone.from_xfr(dns.query.xfr(GOOD, "bb.", port=port, relativize=False), relativize=False)
        text, serial = signed.to_text(), signed.get_soa().serial
        old = re.sub(rf" {serial} 600 300 ", f" {serial - 1} 0 0 ", text)
        assert old != text
        over = re.sub(r"(RRSIG \w+ 8 \d+ \d+) \d{14} \d{14}", r"\1 20260110000000 20260101000000", text)
        assert over != text
        stack.enter_context(knot(folder / "old", OLD, port, SECONDARY, old))
        stack.enter_context(knot(folder / "expired", EXPIRED, port, PLAIN, over))
        stack.enter_context(knot(folder / "lame", LAME, port, PLAIN, ZONE.replace("bb.", "jm."), domain="jm"))
        keys = signed.get_rdataset("bb.", "DNSKEY")
        ds = [dns.dnssec.make_ds("bb.", key, "SHA256") for key in keys if key.flags & 1]
        root = f"$TTL 300\n. SOA a. b. 1 1 1 1 1\n. NS a.\na. A {PARENT}\nbb. NS ns1.bb.\nbb. NS ns2.example.\n"
        root += "".join(f"bb. DS {one}\n" for one in ds) + f"ns1.bb. A {GOOD}\n"
        stack.enter_context(_parent(folder / "parent", port, root))
        yield port


@contextmanager
def _parent(folder: Path, port: int, zone: str) -> Iterator[None]:
    config = "zone:\n  - domain: .\n    file: {folder}/root.zone\n    dnssec-signing: on\n    zonefile-sync: -1\n"
    folder.mkdir()
    (folder / "root.zone").write_text(zone)
    server = f"server:\n    rundir: {folder}\n    listen: {PARENT}@{port}\n    udp-workers: 1\n    tcp-workers: 1\n"
    (folder / "knot.conf").write_text(f"{server}database:\n    storage: {folder}\n" + config.format(folder=folder))
    with running(["/usr/sbin/knotd", "-c", str(folder / "knot.conf")], folder / "log") as wait:
        wait(lambda: _serves(PARENT, port, "", signed=True), "the parent's zone")
        yield


class Engines:
    """The two engines that look at a zone."""

    def __init__(self, clock):
        self.dns = DnsEngine(vantage="v", clock=clock)
        self.zones = ZoneEngine(self.dns, vantage="v", clock=clock)

    async def look(self, zone, timeout=60.0):
        [seen] = (await look(self.zones, asks_for(zone, [("bb.", 4)], timeout))).values()
        return seen.parts


@pytest.fixture
async def engines():
    made = Engines(SystemClock())
    yield made
    await made.zones.close()
    await made.dns.close()
    assert made.zones.bugs == made.dns.bugs == 0


def zone(port: int, *servers: str, parents: str = PARENT) -> Zone:
    return Zone(query="bb.", servers=", ".join(servers), parents=parents, port=port)


async def test_a_zone_in_order_tells_its_figures(engines, island):
    found = await engines.look(zone(island, f"ns1={GOOD}"))

    assert [(part.outcome, part.reason) for part in found.values()] == [(Outcome.OK, "")] * 2
    said = found["ns1"].values
    assert said["nsid"] == "good"
    assert (said["keys"], said["edns_bytes"], said["lag_seconds"]) == (2, 1232, 0.0)
    assert 512 < said["answer_bytes"] <= 1232
    assert 13 * 86400 < said["signature_seconds"] <= 14 * 86400
    assert said["rtt_seconds"] > 0
    assert said["tcp_rtt_seconds"] > 0
    whole = found[""].values
    assert whole == {
        "servers": 1,
        "servers_answering": 1,
        "serials": 1,
        "ds": 1,
        "lag_seconds": 0.0,
        "signature_seconds": said["signature_seconds"],
    }


async def test_each_trouble_has_its_own_reason(engines, island):
    """The lame one, expired signatures, large answers that are lost, and strange ones, beside one that is in order."""
    async with relayed(island):
        servers = (f"good={GOOD}", f"expired={EXPIRED}", f"lame={LAME}", f"small={SMALL}", f"stray={STRAY}")
        found = await engines.look(zone(island, *servers, f"garbage={GARBAGE}", "closed=127.0.4.10"))

    told = {name: (part.outcome, part.reason) for name, part in found.items()}
    assert told["good"] == (Outcome.OK, "")
    outcome, reason = told["expired"]
    assert outcome is Outcome.FAILED
    assert re.fullmatch(
        r"the signature over its SOA ended \d+ d ago; the signature over its DNSKEY ended \d+ d ago", reason
    )
    assert told["lame"] == (Outcome.UNKNOWN, "answers REFUSED: it does not serve bb.")
    outcome, reason = told["small"]
    assert outcome is Outcome.FAILED
    assert re.fullmatch(r"large answers are lost over UDP: its keys \(\d+ bytes\) come over TCP alone", reason)
    stray = "no answer within 2.0 s; an answer came from 127.0.0.1, which was not asked"
    assert told["stray"] == (Outcome.UNKNOWN, stray)
    garbage = "no answer within 2.0 s; what it sent is no answer (it ends too early)"
    assert told["garbage"] == (Outcome.UNKNOWN, garbage)
    assert told["closed"] == (Outcome.UNKNOWN, f"nothing listens on port {island}")
    assert told[""] == (Outcome.OK, "")
    assert found[""].values["servers_answering"] == 3


async def test_a_check_of_one_server_says_the_same_of_what_cannot_be_taken(engines, island):
    async with relayed(island):
        probe = Dns(query="bb.", port=island)
        seen = await look(engines.dns, asks_for(probe, [(STRAY, 4), (GARBAGE, 4), (SMALL, 4), (LAME, 4)], 0.5))

    assert [(one.parts[""].outcome, one.parts[""].reason) for one in sorted(seen.values(), key=lambda o: o.check)] == [
        (Outcome.FAILED, "no answer within 0.5 s; an answer came from 127.0.0.1, which was not asked"),
        (Outcome.FAILED, "no answer within 0.5 s; what it sent is no answer (it ends too early)"),
        (Outcome.OK, ""),
        (Outcome.FAILED, "answers REFUSED: it does not serve bb."),
    ]


async def test_signatures_that_are_over_everywhere_are_told_of_the_zone(engines, island):
    found = await engines.look(zone(island, f"one={EXPIRED}", f"two={LAME}"))

    assert found[""].outcome is Outcome.FAILED
    assert re.fullmatch(
        r"whoever validates finds nothing: the signature over its SOA ended \d+ d ago", found[""].reason
    )
    assert found[""].refused


class Moved(FakeClock):
    """Real sleeps are few; what counts is the time between two looks."""

    def __init__(self):
        super().__init__(SystemClock().now())

    async def sleep_until(self, deadline):
        """Let the moment between two questions pass at once; nothing else."""
        if deadline - self.elapsed > 1:
            await super().sleep_until(deadline)
        self.elapsed = max(self.elapsed, deadline)


async def test_a_secondary_lags_once_the_zone_itself_would_have_it_asked_again(island):
    """A change on its way is none: it counts from when the newer serial was first seen."""
    clock = Moved()
    made = Engines(clock)
    both = zone(island, f"primary={GOOD}", f"secondary={OLD}", parents="")
    told = []
    for seconds in (0.0, 800.0, 200.0):
        clock.elapsed += seconds
        found = await made.look(both)
        told.append((found["secondary"].reason, round(found["secondary"].values["lag_seconds"], -1)))
    await made.zones.close()
    await made.dns.close()

    serials = [found[name].values["soa_serial"] for name in ("secondary", "primary")]
    lags = f"it lags: serial {serials[0]}; newer ones, now {serials[1]}, have been out for 16 min"
    assert told == [("", 0.0), ("", 800.0), (lags, 1000.0)]
    assert (found["primary"].reason, found[""].outcome, found[""].values["serials"]) == ("", Outcome.OK, 2)


async def test_a_clock_that_is_a_year_off_makes_no_zone_invalid(island):
    clock = Moved()
    clock.start += timedelta(days=400)
    made = Engines(clock)
    found = await made.look(zone(island, f"ns1={GOOD}"))
    await made.zones.close()
    await made.dns.close()

    assert {part.outcome for part in found.values()} == {Outcome.UNKNOWN}
    assert "this machine's clock" in found[""].reason


async def test_the_parent_is_asked_once_an_hour(island):
    clock = Moved()
    made = Engines(clock)
    server, _ = await udp_server(lambda *_: None, host="127.0.4.11", port=island)
    relay = await _forward(server, PARENT, island)
    one = zone(island, f"ns1={GOOD}", parents="127.0.4.11")
    for seconds in (0.0, 3000.0, 500.0, 200.0):
        clock.elapsed += seconds
        assert (await made.look(one))[""].values["ds"] == 1
    relay.close()
    server.transport.close()
    await made.zones.close()
    await made.dns.close()

    assert len(server.seen) == 2


async def test_what_the_parent_says_otherwise_is_told(engines, island):
    """Another DS, and a server that only one of both names."""
    wrong = (
        "$TTL 300\n. SOA a. b. 1 1 1 1 1\n. NS a.\na. A 127.0.4.12\nbb. NS ns1.bb.\nbb. NS ns3.example.\n"
        f"bb. DS 1 8 2 {'0' * 64}\nns1.bb. A {GOOD}\n"
    )
    reply = await _referral(wrong)
    server, _ = await udp_server(
        lambda server, data, addr: server.transport.sendto(data[:2] + reply, addr), "127.0.4.12", island
    )
    found = await engines.look(zone(island, f"ns1={GOOD}", parents="127.0.4.12"))
    server.transport.close()

    reason = r"none of its keys \((\d+), (\d+)\) fits the DS at the parent \(1\); only the parent names ns3.example; "
    assert re.fullmatch(rf"{reason}the parent does not name ns2.example", found["ns1"].reason)
    assert found[""].reason.startswith("whoever validates finds nothing: none of its keys")


async def _referral(zone_text: str) -> bytes:
    """The referral that a parent with this zone gives, without its id."""
    parent = dns.zone.from_text(zone_text, ".", relativize=False)
    reply = dns.message.make_response(dns.message.make_query("bb.", "NS", want_dnssec=True))
    for rdtype in ("NS", "DS"):
        reply.authority.append(parent.get_rrset("bb.", rdtype))
    return reply.to_wire()[2:]


class relayed:  # noqa: N801 - it reads as the function that it would be
    """Servers that no daemon plays: one loses large datagrams, one answers from elsewhere, one sends garbage."""

    def __init__(self, port):
        self.port = port

    async def __aenter__(self):
        self.stack = ExitStack()
        for address, most, own in ((SMALL, 512, True), (STRAY, 4096, False)):
            server, _ = await udp_server(lambda *_: None, address, self.port)
            self.stack.callback(server.transport.close)
            self.stack.callback((await _forward(server, GOOD, self.port, most, own=own)).close)
        garbage, _ = await udp_server(
            lambda s, data, addr: s.transport.sendto(data[:2] + b"no", addr), GARBAGE, self.port
        )
        self.stack.callback(garbage.transport.close)
        self.tcp = tcp_server(self._talk, SMALL, self.port)
        await self.tcp.__aenter__()

    async def _talk(self, reader, writer):
        there, back = await asyncio.open_connection(GOOD, self.port)
        try:
            for source, sink in ((reader, back), (there, writer)):
                size = await source.readexactly(2)
                sink.write(size + await source.readexactly(int.from_bytes(size, "big")))
                await sink.drain()
        finally:
            back.close()
            await back.wait_closed()

    async def __aexit__(self, *why):
        self.stack.close()
        await self.tcp.__aexit__(*why)


async def _forward(server, to, port, most=4096, *, own=True):
    """Have a server hand on what comes to ``to``, and back what is not larger than ``most``, if not from elsewhere."""
    loop = asyncio.get_running_loop()
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.setblocking(False)
    out.bind(("127.0.0.1", 0))
    waiting = {}

    def asked(_, data, addr):
        waiting[data[:2]] = addr
        out.sendto(data, (to, port))

    def answered():
        reply = out.recv(4096)
        if len(reply) <= most:
            (server.transport.sendto if own else out.sendto)(reply, waiting[reply[:2]])

    server.answer = asked
    loop.add_reader(out, answered)

    class Relay:
        def close(self):
            loop.remove_reader(out)
            out.close()

    return Relay()
