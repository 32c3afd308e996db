"""What is read by hand of a zone's answers, beside dnspython."""

from contextlib import suppress

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.dns_records import DNSKEY, RRSIG, ahead, fits, newer, read, tag
from probes.dns_wire import WireError, build
from tests.counts import soak
from tests.noise import broken
from tests.probes.test_dns_wire import NAME, wire_of

fuzzed = settings(max_examples=soak(ci=150, soak=20_000), deadline=None)
MOMENT = st.integers(0, 2**32 - 1)
RDATA = st.binary(min_size=1, max_size=80)


def text(data: bytes) -> str:
    return rf"\# {len(data)} {data.hex()}"


@st.composite
def zones(draw, name=NAME):
    """Records of a zone's answer, as text: (section, type, data)."""
    owner = draw(name)
    key = st.tuples(st.sampled_from([256, 257]), st.sampled_from([8, 13, 15]), RDATA).map(
        lambda k: text(k[0].to_bytes(2, "big") + bytes([3, k[1]]) + k[2])
    )
    ds = st.tuples(st.integers(0, 65535), st.sampled_from([1, 2, 4, 9]), st.binary(min_size=20, max_size=20)).map(
        lambda d: text(d[0].to_bytes(2, "big") + bytes([8, d[1]]) + d[2] + b"\0" * {1: 0, 2: 12, 4: 28, 9: 0}[d[1]])
    )
    signature = st.tuples(st.sampled_from([6, 48]), MOMENT, MOMENT, st.integers(0, 65535)).map(
        lambda s: text(
            s[0].to_bytes(2, "big") + b"\x08\1\0\0\0\1" + s[1].to_bytes(4, "big") + s[2].to_bytes(4, "big")
            + s[3].to_bytes(2, "big") + b"\0" + b"signed"
        )
    )  # fmt: skip # the fields of RFC 4034 3.1 in their order
    soa = st.tuples(MOMENT, *[st.integers(0, 2**31 - 1)] * 4).map(lambda n: f"a. b. {' '.join(map(str, n))}")
    records = draw(
        st.fixed_dictionaries(
            {
                "SOA": st.lists(soa, max_size=1),
                "DNSKEY": st.lists(key, max_size=3, unique=True),
                "DS": st.lists(ds, max_size=2, unique=True),
                "RRSIG": st.lists(signature, max_size=3, unique=True),
                "NS": st.lists(name.filter(lambda n: n != "."), max_size=3, unique_by=str.lower),
            }
        )
    )
    return owner, records


def answer(owner, records):
    query = build(owner, "SOA", dnssec=True, recursion=False)
    reply = dns.message.make_response(dns.message.from_wire(wire_of(query)), our_payload=1400)
    reply.flags |= dns.flags.AA
    for rdtype, data in records.items():
        section = reply.authority if rdtype in {"NS", "DS"} else reply.answer
        for covered in {one.split()[2][:4] if rdtype == "RRSIG" else "" for one in data}:
            alike = [one for one in data if rdtype != "RRSIG" or one.split()[2].startswith(covered)]
            section.append(dns.rrset.from_text(owner, 300, "IN", rdtype, *alike))
    return query, reply.to_wire(max_size=65_535)


@fuzzed
@given(zones())
def test_it_reads_what_dnspython_wrote(zone):
    owner, records = zone
    query, message = answer(owner, records)

    found = read(message, query)

    oracle = dns.message.from_wire(message)
    rrsets = {one.rdtype: one for one in [*oracle.answer, *oracle.authority]}
    signed = [one for section in (oracle.answer, oracle.authority) for one in section if one.rdtype == RRSIG]
    assert sorted((s.covers, s.begins, s.ends, s.tag) for s in found.signatures) == sorted(
        (s.type_covered, s.inception, s.expiration, s.key_tag) for rrset in signed for s in rrset
    )
    soa = rrsets.get(dns.rdatatype.SOA)
    assert found.serial == (soa[0].serial if soa else None)
    assert found.patience == (soa[0].refresh + soa[0].retry if soa else 0)
    keys = rrsets.get(DNSKEY, ())
    assert sorted(found.keys) == sorted(key.to_wire() for key in keys)
    assert sorted(tag(key.to_wire()) for key in keys) == sorted(dns.dnssec.key_id(key) for key in keys)
    assert sorted(found.ds) == sorted(one.to_wire() for one in rrsets.get(dns.rdatatype.DS, ()))
    named = {one.target.to_text(omit_final_dot=True).lower() for one in rrsets.get(dns.rdatatype.NS, ())}
    assert found.servers == named
    assert found.edns_bytes == oracle.payload


@fuzzed
@given(NAME, st.sampled_from([(1, "SHA1"), (2, "SHA256"), (4, "SHA384")]), RDATA, RDATA)
def test_a_ds_fits_the_key_that_it_was_made_of_and_no_other(owner, digest, data, other):
    def key(material):
        record = f"257 3 8 {dns.rdata._base64ify(material)}"
        return dns.rdata.from_text("IN", "DNSKEY", record)

    made = dns.dnssec.make_ds(owner, key(data), digest[1], policy=dns.dnssec.allow_all_policy).to_wire()
    wire = dns.name.from_text(owner).canonicalize().to_wire()

    assert fits(made, key(data).to_wire(), wire) is True
    assert fits(made, key(other).to_wire(), wire) is (data == other)
    assert fits(made[:3] + b"\x09" + made[4:], key(data).to_wire(), wire) is None


@fuzzed
@given(st.binary(max_size=300))
def test_any_bytes_are_records_or_a_wire_error(noise):
    query = build("do.", "SOA", dnssec=True, recursion=False)
    for message in (noise, b"\x12\x34\x84\0\0\1\0\1\0\1\0\1" + query.question + noise):
        with suppress(WireError):
            read(message, query)


def test_a_million_broken_answers_are_records_or_wire_errors():
    key = text(b"\1\1\3\x08" + b"k" * 40)
    signature = text(b"\0\6\x08\1\0\0\0\1" + b"\0\0\0\x09\0\0\0\1" + b"\0\1" + b"\2do\0" + b"s" * 40)
    records = {
        "SOA": ["a.do. b.do. 7 1 2 3 4"],
        "DNSKEY": [key],
        "RRSIG": [signature],
        "NS": ["ns1.do.", "ns2.example."],
        "DS": [text(b"\0\1\x08\2" + b"d" * 32)],
    }
    query, message = answer("do.", records)
    for one in broken([message], soak(ci=4_000, soak=1_000_000)):
        with suppress(WireError):
            found = read(one, query)
            assert all(name.isascii() for name in found.servers)
            for given_ in found.ds:
                for public in found.keys:
                    fits(given_, public, query.question[:-4])


@pytest.mark.parametrize(
    ("one", "other", "is_newer"),
    [(2, 1, True), (1, 2, False), (1, 1, False), (0, 2**32 - 1, True), (2**31, 0, False), (2**31 - 1, 0, True)],
)
def test_serials_go_round(one, other, is_newer):
    assert newer(one, other) is is_newer


def test_a_signatures_moment_goes_round_in_2106():
    assert ahead(100, 2**32 + 40.0) == 60.0
    assert ahead(2**32 - 10, 2**32 + 50.0) == -60.0
