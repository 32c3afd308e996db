import string
from contextlib import suppress

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.dns_wire import WireError, build, parse
from tests.counts import soak
from tests.noise import broken

fuzzed = settings(max_examples=soak(ci=300, soak=20_000), deadline=None)
LABEL = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=20)
NAME = st.lists(LABEL, max_size=5).map(lambda labels: ".".join(labels) + ".")


def reply_to(query_wire: bytes, *, rcode=0, aa=True, serial=None, owner=None, nsid=None, extra=0):
    """A reply as dnspython builds it: the oracle."""
    query = dns.message.from_wire(query_wire)
    name = query.question[0].name
    reply = dns.message.make_response(query, our_payload=4096)
    reply.flags = dns.flags.QR | (dns.flags.AA if aa else 0)
    if serial is not None:
        soa = f"ns1.{name} hostmaster.example. {serial} 3600 600 86400 300"
        reply.answer.append(dns.rrset.from_text(owner or name, 300, "IN", "SOA", soa.replace("..", ".")))
    for n in range(extra):
        reply.authority.append(dns.rrset.from_text(name, 300, "IN", "NS", f"ns{n}.example."))
        reply.additional.append(dns.rrset.from_text(f"ns{n}.example.", 300, "IN", "AAAA", "2001:db8::1"))
    options = [] if nsid is None else [dns.edns.GenericOption(3, nsid)]
    reply.use_edns(0, payload=1232, options=options)
    reply.set_rcode(rcode)
    return reply


def wire_of(query):
    return b"\x12\x34" + query.tail


@fuzzed
@given(
    NAME,
    st.sampled_from([0, 1, 2, 3, 5, 9, 16, 23]),
    st.booleans(),
    st.none() | st.integers(0, 2**32 - 1),
    st.tuples(st.none() | st.binary(max_size=30), st.integers(0, 3)),
)
def test_it_reads_what_dnspython_wrote(name, rcode, aa, serial, nsid_and_extra):
    nsid, extra = nsid_and_extra
    query = build(name, "SOA", dnssec=False, recursion=False)
    message = reply_to(wire_of(query), rcode=rcode, aa=aa, serial=serial, nsid=nsid, extra=extra)

    answer = parse(message.to_wire(), query)

    oracle = dns.message.from_wire(message.to_wire())
    assert answer.rcode == oracle.rcode() == rcode
    assert answer.aa == bool(oracle.flags & dns.flags.AA)
    assert answer.answered == (serial is not None)
    assert answer.soa_serial == serial
    if not nsid:
        assert answer.nsid == ""
    elif all(0x20 <= byte < 0x7F for byte in nsid):
        assert answer.nsid == nsid.decode()
    else:
        assert answer.nsid == nsid.hex()[:64]


@fuzzed
@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_a_wire_error(noise):
    query = build("do.", "SOA", dnssec=False, recursion=False)
    for message in (noise, b"\x12\x34\x84\0\0\1\0\1\0\1\0\1" + query.question + noise):
        with suppress(WireError):
            parse(message, query)


@fuzzed
@given(st.data())
def test_a_mutilated_answer_is_an_answer_or_a_wire_error(data):
    query = build("do.", "SOA", dnssec=True, recursion=False)
    message = bytearray(reply_to(wire_of(query), serial=7, nsid=b"site-1", extra=2).to_wire())
    for place in data.draw(st.lists(st.integers(0, len(message) - 1), max_size=6)):
        message[place] = data.draw(st.integers(0, 255))
    with suppress(WireError):
        answer = parse(bytes(message[: data.draw(st.integers(0, len(message)))]), query)
        assert answer.nsid.isascii()
        assert len(answer.nsid) <= 64


def test_a_million_broken_answers_are_answers_or_wire_errors():
    query = build("do.", "SOA", dnssec=True, recursion=False)
    whole = [reply_to(wire_of(query), serial=7, nsid=b"site-1", extra=extra).to_wire() for extra in range(4)]
    for message in broken(whole, soak(ci=4_000, soak=1_000_000)):
        with suppress(WireError):
            parse(message, query)


def test_pointers_that_loop_end_as_a_wire_error():
    query = build("do.", "SOA", dnssec=False, recursion=False)
    head = b"\x12\x34\x84\0\0\1\0\1\0\0\0\0" + query.question
    here = len(head)
    for target in (here, here + 2):
        owner = (0xC000 | target).to_bytes(2, "big")
        with pytest.raises(WireError, match="does not go back"):
            parse(head + owner + b"\0\6\0\1\0\0\0\0\0\0" + owner, query)


def test_the_record_of_another_name_is_no_answer():
    query = build("do.", "SOA", dnssec=False, recursion=False)
    message = reply_to(wire_of(query), serial=7, owner="other.example.").to_wire()

    assert not parse(message, query).answered


def test_letters_of_either_case_are_one_name():
    query = build("DO.", "SOA", dnssec=False, recursion=False)
    message = reply_to(wire_of(query), serial=7).to_wire().replace(b"DO", b"dO")

    assert parse(message, query).soa_serial == 7


def test_another_question_is_no_answer():
    asked = build("do.", "SOA", dnssec=False, recursion=False)
    for other in (
        build("jm.", "SOA", dnssec=False, recursion=False),
        build("do.", "NS", dnssec=False, recursion=False),
    ):
        with pytest.raises(WireError, match="another question"):
            parse(reply_to(wire_of(other)).to_wire(), asked)
    with pytest.raises(WireError, match="not a reply"):
        parse(wire_of(asked), asked)


@pytest.mark.parametrize(
    ("name", "rdtype"), [("a" * 64 + ".", "SOA"), ("do..", "SOA"), ("do.", "NOPE"), ("é\0." * 90, "A")]
)
def test_what_is_no_question_is_refused(name, rdtype):
    with pytest.raises(ValueError, match="no question of DNS"):
        build(name, rdtype, dnssec=False, recursion=False)


def test_the_query_asks_for_nsid_and_not_for_recursion():
    message = dns.message.from_wire(wire_of(build("do.", "SOA", dnssec=False, recursion=False)))
    assert [option.otype for option in message.options] == [dns.edns.OptionType.NSID]
    assert (message.payload, message.ednsflags, message.flags) == (1232, 0, 0)

    message = dns.message.from_wire(wire_of(build(".", "SOA", dnssec=True, recursion=True)))
    assert message.flags == dns.flags.RD
    assert message.ednsflags == dns.flags.DO
