"""An SNMPv2c agent made of a table (RFC 3416), for what no real one can be made to do: lose, delay, go in circles."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

GET, RESPONSE, GETBULK = 0xA0, 0xA2, 0xA5
NO_SUCH_INSTANCE, END_OF_VIEW = b"\x81\x00", b"\x82\x00"
INT, OCTETS, NULL, OID, SEQUENCE, TICKS, COUNTER64, GAUGE = 0x02, 0x04, 0x05, 0x06, 0x30, 0x43, 0x46, 0x42
UP, DOWN = 1, 2

Oid = tuple[int, ...]
Value = tuple[int, int | bytes]
"""BER tag and value."""


def oid(text: str) -> Oid:
    return tuple(map(int, text.split(".")))


@dataclass
class Port:
    """One interface as an agent tells of it."""

    name: str
    alias: str = ""
    admin: int = UP
    oper: int = UP
    octets: int = 1000
    more: Mapping[str, Value] = field(default_factory=dict)


def table(*ports: Port, uptime: int = 10_000_00) -> dict[Oid, Value]:
    """Return what an agent with these interfaces knows; uptime in hundredths of a second."""
    known: dict[Oid, Value] = {oid("1.3.6.1.2.1.1.3.0"): (TICKS, uptime)}
    for index, port in enumerate(ports, 1):
        rows: dict[str, Value] = {
            "1.3.6.1.2.1.2.2.1.2": (OCTETS, f"descr of {port.name}".encode()),
            "1.3.6.1.2.1.2.2.1.7": (INT, port.admin),
            "1.3.6.1.2.1.2.2.1.8": (INT, port.oper),
            "1.3.6.1.2.1.2.2.1.14": (GAUGE, 7),
            "1.3.6.1.2.1.31.1.1.1.1": (OCTETS, port.name.encode()),
            "1.3.6.1.2.1.31.1.1.1.6": (COUNTER64, port.octets),
            "1.3.6.1.2.1.31.1.1.1.10": (COUNTER64, 2 * port.octets),
            "1.3.6.1.2.1.31.1.1.1.15": (GAUGE, 1000),
            "1.3.6.1.2.1.31.1.1.1.18": (OCTETS, port.alias.encode()),
            **port.more,
        }
        known |= {(*oid(column), index): value for column, value in rows.items()}
    return known


@dataclass
class Agent:
    """Answers one datagram; ``lose``: so many of the next questions get no answer."""

    known: dict[Oid, Value]
    community: bytes = b"public"
    lose: int = 0
    circles: bool = False
    """Of a table it gives the first row for ever."""
    asked: int = 0

    def answer(self, datagram: bytes) -> bytes | None:
        self.asked += 1
        if self.lose > 0:
            self.lose -= 1
            return None
        version, community, pdu = _items(_items(datagram)[0][1])
        if community[1] != self.community:
            return None
        request, _, third, binds = _items(pdu[1])
        wanted = [_read_oid(_items(bind)[0][1]) for _, bind in _items(binds[1])]
        if pdu[0] == GETBULK:
            found = [pair for one in wanted for pair in self._following(one, int.from_bytes(third[1], "big"))]
        else:
            found = [(one, self._encoded(one)) for one in wanted]
        body = b"".join(_pack(SEQUENCE, _pack(OID, _write_oid(name)) + value) for name, value in found)
        inner = _pack(INT, request[1]) + _pack(INT, b"\0") + _pack(INT, b"\0") + _pack(SEQUENCE, body)
        return _pack(SEQUENCE, _pack(INT, version[1]) + _pack(OCTETS, community[1]) + _pack(RESPONSE, inner))

    def _encoded(self, name: Oid) -> bytes:
        if name not in self.known:
            return NO_SUCH_INSTANCE
        tag, value = self.known[name]
        return _pack(tag, value if isinstance(value, bytes) else _number(value))

    def _following(self, name: Oid, most: int) -> Iterator[tuple[Oid, bytes]]:
        later = sorted(one for one in self.known if one > name)
        if self.circles:
            later = [one for one in sorted(self.known) if one[: len(name)] == name][:1] * most
        for one in later[:most]:
            yield one, self._encoded(one)
        if len(later) < most:
            yield (later or [name])[-1], END_OF_VIEW


def _items(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        found.append((tag, data[at : at + length]))
        at += length
    return found


def _pack(tag: int, body: bytes) -> bytes:
    size = len(body)
    length = bytes([size]) if size < 0x80 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + body


def _number(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


def _write_oid(name: Oid) -> bytes:
    out = bytearray([name[0] * 40 + name[1]])
    for part in name[2:]:
        chunk = [part & 0x7F]
        while part := part >> 7:
            chunk.append(part & 0x7F | 0x80)
        out += bytes(reversed(chunk))
    return bytes(out)


def _read_oid(data: bytes) -> Oid:
    parts, value = [data[0] // 40, data[0] % 40], 0
    for byte in data[1:]:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            parts.append(value)
            value = 0
    return tuple(parts)
