import socket
import struct
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.icmp_wire import REPORTS, Reply, Report, WireError, checksum, echo_request, parse
from tests.counts import soak
from tests.noise import broken

fuzzed = settings(max_examples=soak(ci=300, soak=20_000), deadline=None)
KEYS = st.integers(0, 0xFFFFFFFF)
QUOTED = {
    4: b"\x45" + b"\0" * 8 + b"\x01" + b"\0" * 6 + socket.inet_aton("192.0.2.9"),
    6: b"\x60" + b"\0" * 5 + b"\x3a" + b"\0" * 17 + socket.inet_pton(socket.AF_INET6, "2001:db8::9"),
}


def slow_checksum(data: bytes) -> int:
    """RFC 1071 4.1, word by word."""
    total = 0
    for n in range(0, len(data), 2):
        total += int.from_bytes(data[n : n + 2].ljust(2, b"\0"), "big")
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@fuzzed
@given(st.binary(max_size=200))
def test_the_checksum_is_that_of_the_rfc(data):
    assert checksum(data) == slow_checksum(data)


def test_the_checksum_of_the_rfcs_example():
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2
    assert checksum(b"\0\0") == 0xFFFF
    assert checksum(b"\xff\xff") == 0


@fuzzed
@given(KEYS, st.binary(max_size=100), st.sampled_from([4, 6]))
def test_a_request_that_comes_back_as_a_reply_is_read(key, body, family):
    request = echo_request(family, key, body)
    if family == 4:
        assert slow_checksum(request) == 0
    reply = bytes([0 if family == 4 else 129]) + request[1:]

    assert parse(family, b"skip" + reply, 4) == Reply(key, body)
    with pytest.raises(WireError):
        parse(family, request)


@fuzzed
@given(KEYS, st.sampled_from(sorted(REPORTS)), st.integers(0, 255))
def test_a_routers_report_names_the_request(key, report, code):
    family, kind = report
    message = struct.pack("!BBHI", kind, code, 0, 0) + QUOTED[family] + echo_request(family, key, b"")

    found = parse(family, message)

    assert isinstance(found, Report)
    assert (found.key, found.destination) == (key, QUOTED[family][-(4 if family == 4 else 16) :])
    assert found.sentence


@fuzzed
@given(st.sampled_from([4, 6]), st.binary(max_size=120), st.integers(0, 40))
def test_any_bytes_are_a_message_or_a_wire_error(family, packet, at):
    with suppress(WireError):
        parse(family, packet, at)


@fuzzed
@given(st.sampled_from(sorted(REPORTS)), st.data())
def test_a_mutilated_report_is_a_message_or_a_wire_error(report, data):
    family, kind = report
    message = bytearray(struct.pack("!BBHI", kind, 0, 0, 0) + QUOTED[family] + echo_request(family, 1, b"body"))
    for place in data.draw(st.lists(st.integers(0, len(message) - 1), max_size=5)):
        message[place] = data.draw(st.integers(0, 255))
    with suppress(WireError):
        parse(family, bytes(message[: data.draw(st.integers(0, len(message)))]))


def test_a_million_broken_messages_are_messages_or_wire_errors():
    for family in (4, 6):
        reports = [struct.pack("!BBHI", kind, 0, 0, 0) for of, kind in REPORTS if of == family]
        request = echo_request(family, 1, b"body" * 8)
        whole = [request, *(report + QUOTED[family] + request for report in reports)]
        for message in broken(whole, soak(ci=2_000, soak=1_000_000), seed=family):
            with suppress(WireError):
                parse(family, message)
