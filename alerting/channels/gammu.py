"""SMS by a modem on this site: gammu-smsd's files service (gammu-smsd 1.42, "Files backend").

What leaves is a file in its outbox; what came in is read from its inbox. It needs no network at all.
"""

import asyncio
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from alerting.model import Accepted, Address, DeliveryError, Fate, Message, Severity

GRAVE = {Severity.CRITICAL: "A", Severity.MAJOR: "B", Severity.WARNING: "C", Severity.INFO: "D"}
"""smsd sends its outbox in the order of these letters."""

_IN = re.compile(r"IN\d{8}_\d{6}_\d+_(\+?\d+)_\d+\.txt")
"""IN, date, time, serial number, sender, part of a long message."""


@dataclass(frozen=True, slots=True)
class Gammu:
    """One file for each message: smsd sends what it finds, and moves it to its folder of what was sent or failed."""

    form: ClassVar[str] = "sms"
    receipts: ClassVar[bool] = False
    answers: ClassVar[bool] = True
    folder: str
    """Where smsd's inbox, outbox, sent and error stand: its inboxpath without the last word."""

    async def send(self, message: Message, address: Address) -> Accepted:
        """Put a message into smsd's outbox; renamed into place, so that it is never read half."""
        return await asyncio.to_thread(self._put, message, address)

    def _put(self, message: Message, address: Address) -> Accepted:
        name = message.reference.replace(".", "x") or "answer"
        at = f"{message.at:%Y%m%d_%H%M%S}" if message.at else "19700101_000000"
        outbox = Path(self.folder) / "outbox"
        target = outbox / f"OUT{GRAVE[message.severity]}{at}_00_{re.sub(r'[^+0-9]', '', address.to)}_{name}.txt"
        part = outbox / f".{target.name}"
        try:
            part.write_bytes(codecs.BOM_UTF16_BE + message.body.encode("utf-16-be"))
            part.rename(target)
        except OSError as error:
            raise DeliveryError(f"the modem's outbox cannot be written: {error.strerror}") from error
        return Accepted(target.name, "in the modem's outbox")

    async def close(self) -> None:
        """Nothing is open."""

    def came(self) -> Iterator[tuple[list[Path], str, str]]:
        """Give what came in: files, sender, text. What smsd reports twice is said once."""
        folder = Path(self.folder) / "inbox"
        for first in sorted(folder.glob("IN*_00.txt")):
            if found := _IN.fullmatch(first.name):
                files = sorted(folder.glob(first.name.removesuffix("00.txt") + "*.txt"))
                yield files, found[1], "".join(dict.fromkeys(_text(one) for one in files))

    def waits(self) -> list[tuple[Path, str]]:
        """Give what smsd has not taken yet: file, reference."""
        return [(path, _reference(path)) for path in sorted((Path(self.folder) / "outbox").glob("OUT*"))]

    def became(self) -> Iterator[tuple[Path, str, Fate]]:
        """Give what became of messages: file, reference, fate; the network has what smsd has sent."""
        for name, fate in (("sent", Fate.BUFFERED), ("error", Fate.FAILED)):
            for path in sorted((Path(self.folder) / name).glob("OUT*")):
                yield path, _reference(path), fate


def _reference(path: Path) -> str:
    return path.stem.rpartition("_")[2].replace("x", ".")


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace").lstrip("\ufeff")
