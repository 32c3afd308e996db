"""What is said of a zone, by what its servers and its parent gave. Pure."""

from typing import Any

import pytest

from probes.dns_records import DNSKEY, Records, Signature, tag
from probes.dns_records import DS as DS_TYPE
from probes.dns_wire import SOA
from probes.model import Outcome
from probes.zone import Case, Serials, Server, Zone, pairs, parts

NOW = 1_800_000_000
HOUR, DAY = 3600, 86_400
KEY = b"\1\1\3\x08key"
TAG = tag(KEY)
NS = frozenset({"ns1.nic.bb"})
DS = (b"\0\1\x08\x02" + b"d" * 32,)


def over(covers: int, ends: int = 9 * DAY, begins: int = -DAY, by: int = TAG) -> Signature:
    return Signature(covers, NOW + begins, NOW + ends, by)


def server(serial: int = 7, *, soa: tuple[Signature, ...] = (over(SOA),), keys: Any = None, **more: Any) -> Server:
    given = Records(keys=(KEY,), signatures=(over(DNSKEY),)) if keys is None else keys
    return Server(soa=Records(serial, 900, soa), keys=given, names=NS, **more)


UNSIGNED = Records()


def said(one: Server, parent: Records | None = None) -> tuple[Outcome, str]:
    part = parts(Case(Zone("bb."), {"ns1": one}, parent, Serials(), 0.0, NOW))["ns1"]
    return part.outcome, part.reason


def test_a_zone_in_order_and_one_that_is_not_signed_are_fine() -> None:
    assert said(server()) == (Outcome.OK, "")
    assert said(server(soa=(), keys=UNSIGNED)) == (Outcome.OK, "")
    assert said(server(soa=(), keys=UNSIGNED), Records(servers=NS)) == (Outcome.OK, "")


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (server(soa=()), "its SOA comes without a signature, and it has keys"),
        (server(soa=(over(SOA, -2 * HOUR),)), "the signature over its SOA ended 2 h ago"),
        (server(soa=(over(SOA, 9 * HOUR),)), "its first signature ends in 9 h"),
        (server(soa=(over(SOA, DAY, 2 * HOUR),)), "the signature over its SOA begins only in 2 h"),
        (server(soa=(over(SOA, by=TAG + 1),)), f"its SOA is signed by a key that it does not give ({TAG + 1})"),
        (
            server(keys=Records(keys=(KEY,), signatures=(over(DNSKEY, -60),))),
            "the signature over its DNSKEY ended 1 min ago",
        ),
        (server(keys=Records(keys=(KEY,))), "its DNSKEY comes without a signature, and it has keys"),
        (server(faults=["over TCP: refuses port 53"]), "over TCP: refuses port 53"),
    ],
)
def test_each_fault_has_its_reason(one: Server, reason: str) -> None:
    assert said(one) == (Outcome.FAILED, reason)


def test_of_several_signatures_one_that_holds_is_enough() -> None:
    assert said(server(soa=(over(SOA, -HOUR), over(SOA, 9 * DAY), over(SOA, 9 * DAY, HOUR)))) == (Outcome.OK, "")


def test_what_the_parent_says_is_compared_where_it_is_known() -> None:
    unsigned = server(soa=(), keys=UNSIGNED)
    assert said(unsigned, Records(ds=DS, servers=NS))[1] == "the parent has a DS for it, and it is not signed"
    assert said(server(), Records(ds=DS, servers=NS))[1] == f"none of its keys ({TAG}) fits the DS at the parent (1)"
    unknown_digest = (b"\0\1\x08\x09" + b"d" * 32,)
    assert said(server(), Records(ds=unknown_digest, servers=NS)) == (Outcome.OK, "")
    assert said(server(), Records(servers=frozenset({"ns2.nic.bb"})))[1] == (
        "only the parent names ns2.nic.bb; the parent does not name ns1.nic.bb"
    )
    not_known = Server(soa=Records(7, 900, (over(SOA),)), keys=None)
    assert said(not_known, Records(ds=DS)) == (Outcome.OK, "")


def test_no_date_is_judged_by_a_clock_that_the_parent_disagrees_with() -> None:
    for off in (-20 * DAY, 20 * DAY):
        parent = Records(ds=DS, servers=NS, signatures=(over(DS_TYPE),))
        told = parts(Case(Zone("bb."), {"ns1": server()}, parent, Serials(), 0.0, NOW + off))
        assert {part.outcome for part in told.values()} == {Outcome.UNKNOWN}
        assert told["ns1"].reason.endswith("do not hold by this machine's clock either: it may be wrong")


def test_a_zone_is_invalid_only_when_no_server_says_what_can_be_believed() -> None:
    bad = server(soa=(over(SOA, -HOUR),))
    silent = Server(silent="no answer within 2.0 s")

    def whole(*servers: Server) -> tuple[Outcome, str]:
        named = {f"ns{number}": one for number, one in enumerate(servers)}
        part = parts(Case(Zone("bb."), named, None, Serials(), 0.0, NOW))[""]
        return part.outcome, part.reason

    assert whole(bad, server()) == (Outcome.OK, "")
    assert whole(bad, silent) == (
        Outcome.FAILED,
        "whoever validates finds nothing: the signature over its SOA ended 1 h ago",
    )
    assert whole(silent, silent) == (Outcome.UNKNOWN, "none of its 2 servers answers with authority")


def test_a_zone_that_changes_all_the_time_does_not_hide_who_lags() -> None:
    serials = Serials()
    told = []
    for minute in range(0, 31, 5):
        fresh, old = server(100 + minute), server(99)
        case = Case(Zone("bb."), {"fresh": fresh, "old": old}, None, serials, 60.0 * minute, NOW)
        told.append(parts(case)["old"].reason)
    assert told[:4] == [""] * 4
    assert told[4:] == [
        f"it lags: serial 99; newer ones, now {100 + minute}, have been out for {minute} min" for minute in (20, 25, 30)
    ]


def test_a_serial_that_was_taken_back_makes_nobody_lag() -> None:
    serials = Serials()
    for serial, at in ((9, 0.0), (7, 50_000.0)):
        found = parts(Case(Zone("bb."), {"ns1": server(serial)}, None, serials, at, NOW))
    assert found["ns1"].reason == ""
    assert found["ns1"].values["lag_seconds"] == 0.0


def test_serials_are_remembered_without_end_to_time_but_not_to_memory() -> None:
    serials = Serials()
    for serial in range(5_000):
        serials.note(serial, float(serial))
    assert len(serials.first) == serials.most
    assert serials.behind(4_990, [4_990, 4_999], 5_000.0) == 9.0


def test_servers_are_named_as_written_and_an_address_is_one() -> None:
    assert pairs("ns1 = 192.0.2.1, 2001:db8::1") == [("ns1", "192.0.2.1"), ("2001:db8::1", "2001:db8::1")]
    for setting in ("servers", "parents"):
        with pytest.raises(ValueError, match=f"{setting}: 'abc'; an IP address expected"):
            Zone("bb.", **{setting: "ns1=abc"})
