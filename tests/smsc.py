"""A small SMS centre that speaks SMPP 3.4 (SMPP Developers Forum, 1999) as carriers do, and misbehaves if told to."""

import asyncio
import struct
from dataclasses import dataclass, field

from smsutil.codecs import GSM_CHARSET

BIND = {0x1: "receiver", 0x2: "transmitter", 0x9: "transceiver"}
SUBMIT, DELIVER, ENQUIRE, UNBIND, RESPONSE = 0x4, 0x5, 0x15, 0x6, 0x80000000
OK, REFUSED = 0, 0x45
"""ESME_ROK, ESME_RSUBMITFAIL."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A message (or a part) as the centre got it."""

    to: str
    coding: int
    text: bytes
    id: str
    wants_report: bool

    @property
    def letters(self) -> str:
        """The text without its concatenation header; GSM-7 comes unpacked, one octet a letter."""
        body = self.text[self.text[0] + 1 :] if self.text[:1] == b"\x05" else self.text
        return body.decode("utf-16-be") if self.coding == 8 else "".join(GSM_CHARSET[octet] for octet in body)


@dataclass(slots=True)
class Centre:
    """How it behaves, and what it got."""

    port: int = 0
    status: int = OK
    reports: tuple[str, ...] = ("DELIVRD",)
    """Sent for each message, in this order."""
    early: bool = False
    """A report comes before the answer to the message itself."""
    silent: bool = False
    """It takes messages and answers nothing."""
    absent: bool = False
    """Its link is down: whoever connects is sent away."""
    got: list[Submitted] = field(default_factory=list)
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _sequence: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while not self.absent:
                length, command, _, sequence = struct.unpack(">4I", await reader.readexactly(16))
                await self._take(writer, command, sequence, await reader.readexactly(length - 16))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def leave(self) -> None:
        """Let its links go down."""
        self.absent = True
        for writer in self._writers:
            writer.close()

    async def _take(self, writer: asyncio.StreamWriter, command: int, sequence: int, body: bytes) -> None:
        if command in BIND:
            _send(writer, command | RESPONSE, sequence, b"centre\0")
        elif command in {ENQUIRE, UNBIND}:
            _send(writer, command | RESPONSE, sequence)
        elif command == SUBMIT:
            one = _read(body, f"{len(self.got) + 1}")
            self.got.append(one)
            if self.silent:
                return
            if self.early:
                self._report(writer, one)
            _send(writer, SUBMIT | RESPONSE, sequence, one.id.encode() + b"\0", self.status)
            if not self.early and not self.status:
                self._report(writer, one)

    def _report(self, writer: asyncio.StreamWriter, one: Submitted) -> None:
        for word in self.reports if one.wants_report else ():
            text = (
                f"id:{one.id} sub:001 dlvrd:001 submit date:2609011200 done date:2609011201 stat:{word} err:000 text:"
            )
            self.deliver(one.to, text.encode(), kind=0x04, writer=writer)

    def deliver(
        self, sender: str, text: bytes, *, coding: int = 0, kind: int = 0, writer: asyncio.StreamWriter | None = None
    ) -> None:
        """Send a message, or a report (esm_class 0x04), to whoever is bound."""
        self._sequence += 1
        head = b"\0\1\1" + sender.lstrip("+").encode() + b"\0\1\1" + b"18685550000\0"
        body = head + bytes([kind, 0, 0]) + b"\0\0" + bytes([0, 0, coding, 0, len(text)]) + text
        _send(writer or self._writers[-1], DELIVER, self._sequence, body)


def _send(writer: asyncio.StreamWriter, command: int, sequence: int, body: bytes = b"", status: int = OK) -> None:
    writer.write(struct.pack(">4I", 16 + len(body), command, status, sequence) + body)


def _read(body: bytes, id_: str) -> Submitted:
    """Read a submit_sm (4.4.1)."""
    _, rest = body.split(b"\0", 1)
    _, rest = rest[2:].split(b"\0", 1)
    to, rest = rest[2:].split(b"\0", 1)
    _, rest = rest[3:].split(b"\0", 1)
    _, rest = rest.split(b"\0", 1)
    report, _, coding, _, length = rest[:5]
    return Submitted(to.decode(), coding, rest[5 : 5 + length], id_, bool(report & 3))


LINK = """
group = smsc
smsc = smpp
smsc-id = CENTRE
allowed-smsc-id = CENTRE
host = 127.0.0.1
port = {port}
transceiver-mode = true
smsc-username = lambi
smsc-password = secret
system-type = ""
reconnect-delay = 1
wait-ack = 5
"""
"""Of Kannel's config."""
