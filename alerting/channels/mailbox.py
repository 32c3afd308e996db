"""A mail that came back: an answer of a person, or a report of a mail server (RFC 3464). Pure but for `read`."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parseaddr
from pathlib import Path

from alerting.model import Fate
from alerting.replies import parse

MOST = 256 * 1024
"""Bytes of a mail that are read."""
ACTIONS = {
    "delivered": Fate.DELIVERED,
    "relayed": Fate.BUFFERED,
    "expanded": Fate.BUFFERED,
    "delayed": Fate.BUFFERED,
    "failed": Fate.FAILED,
}
_REFERENCE = re.compile(r"\[([A-Za-z]?\d{1,9}-[A-Za-z]{2})\]")
_QUOTED = re.compile(r"^(>|On .*wrote:|-----|_____|From: |De: |El .*escribi|Le .*écrit|Op .*schreef)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says to us."""

    sender: str = ""
    subject: str = ""
    text: str = ""
    """Number, letters and the first line that the person wrote; "" if it is no answer of a person."""
    id: str = ""
    fates: tuple[tuple[str, Fate, str], ...] = ()
    """Reference, fate, the server's status."""


def read(path: Path) -> Letter:
    """Read a file of a maildir; OSError."""
    with path.open("rb") as file:
        return understand(file.read(MOST), path.name)


def understand(raw: bytes, name: str) -> Letter:
    """Make of a mail what it says; ``name``: its id where it has none."""
    try:
        mail = message_from_bytes(raw, policy=policy.default)
        if mail.get_content_type() == "multipart/report":
            return Letter(fates=tuple(_fates(mail)))
        if mail.get("Auto-Submitted", "no").lower() != "no" or mail.get("Precedence", "") in {"bulk", "list", "junk"}:
            return Letter()
        subject = " ".join(str(mail.get("Subject", "")).split())[:200]
        text = _answer(subject, _body(mail))
        return Letter(parseaddr(str(mail.get("From", "")))[1], subject, text, str(mail.get("Message-ID", name))[:200])
    except (ValueError, LookupError, TypeError, AttributeError, IndexError):  # what the e-mail package cannot read
        return Letter()


def _fates(mail: Message) -> list[tuple[str, Fate, str]]:
    """Read a delivery status: the envelope's id that we gave, and what was done."""
    found: list[tuple[str, Fate, str]] = []
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks = part.get_payload()
        fields = [block for block in blocks if isinstance(block, Message)] if isinstance(blocks, list) else []
        ids = [str(block["Original-Envelope-Id"]).strip() for block in fields if block["Original-Envelope-Id"]]
        for block in fields:
            action = ACTIONS.get(str(block.get("Action", "")).strip().lower())
            if ids and action:
                status = re.sub(r"[^0-9.]", "", str(block.get("Status", "")))[:12]
                found.append((ids[0], action, f"status {status}" if status else ""))
    return found


def _body(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part is not None else ""


def _answer(subject: str, body: str) -> str:
    """Join the letters of the subject with the first line that is no quotation."""
    lines = (line.strip() for line in body.splitlines())
    first = next((line for line in lines if line), "")
    if not first or _QUOTED.match(first):
        return ""
    found = _REFERENCE.search(subject)
    return first if parse(first).code or not found else f"{found[1]} {first}"
