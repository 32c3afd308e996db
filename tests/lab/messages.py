"""The world of messages: Kannel with fakesmsc for SMS, an SMTP server with a mailbox. What arrived can be read back."""

import email
import email.policy
import re
import subprocess
import sys
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from urllib.parse import unquote_to_bytes

from tests.lab.daemons import FAKESMSC, Daemons
from tests.lab.net import START_SECONDS, Namespace, until
from tests.lab.topology import SMS, SMS_PASSWORD, SMS_SENDER, SMS_USER, SMTP

STATUS = "http://127.0.0.1:13000/status.txt?password=adm"


@dataclass(frozen=True, slots=True)
class Sms:
    """A short message as the handset's side got it."""

    sender: str
    to: str
    text: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as the SMTP server took it, with its envelope."""

    sender: str
    to: str
    message: EmailMessage

    @property
    def text(self) -> str:
        """The plain body."""
        body = self.message.get_body(("plain",))
        return str(body.get_content()) if body else ""


def start_smtp(daemons: Daemons) -> None:
    """Start an SMTP server that keeps every mail in a maildir."""
    home = daemons.home("smtp")
    address, port = SMTP
    handler = ("-c", "aiosmtpd.handlers.Mailbox", str(home / "mailbox"))
    daemons.start("world", "smtp", [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"{address}:{port}", *handler])


def start_sms(daemons: Daemons) -> None:
    """Start Kannel's two boxes and the fake SMS centre; messages to a handset appear in its log."""
    home = daemons.home("kannel", "kannel")
    config = daemons.config(
        "kannel.conf", home / "kannel.conf", home=home, sms=SMS, user=SMS_USER, password=SMS_PASSWORD, sender=SMS_SENDER
    )
    world = daemons.spaces["world"]
    daemons.start("world", "bearerbox", ["bearerbox", "-v", "1", "--user", "kannel", config])
    until(lambda: "Status:" in _status(world), START_SECONDS, "bearerbox answers")
    daemons.start("world", "smsbox", ["smsbox", "-v", "1", "--user", "kannel", config])
    start_fakesmsc(daemons)


def start_fakesmsc(daemons: Daemons) -> None:
    """Start the fake SMS centre: it ends when its standard input does, so it is given a pipe that stays open."""
    argv = [str(FAKESMSC), "-H", "127.0.0.1", "-r", "10000", "-m", "0"]
    daemons.start("world", "fakesmsc", argv, stdin=subprocess.PIPE)


def sms_ready(world: Namespace) -> bool:
    """Tell whether a message that is submitted now would reach the handset."""
    status = _status(world)
    return "smsbox:" in status and "FAKE:10000 (online" in status


def _status(world: Namespace) -> str:
    try:
        return world.fetch(STATUS).decode(errors="replace")
    except OSError:
        return ""


def smtp_ready(world: Namespace) -> bool:
    """Tell whether the SMTP server listens."""
    address, port = SMTP
    return f"{address}:{port}" in world.run("ss", "-Hltn")


_GOT = re.compile(r"Got message \d+: <(.*)>$")
_SHAPE = re.compile(r"(\S+) (\S+) (text|data|ucs-2|udh) (.*)")


def received_sms(folder: Path) -> list[Sms]:
    """Read what fakesmsc got, in order; it prints each line of a text as a message of its own."""
    messages: list[Sms] = []
    for line in (folder / "fakesmsc.err").read_text(errors="replace").splitlines():
        if got := _GOT.search(line):
            if shape := _SHAPE.fullmatch(got[1]):
                sender, to, kind, text = shape.groups()
                messages.append(Sms(sender, to, _decoded(kind, text)))
            elif messages:
                last = messages.pop()
                messages.append(Sms(last.sender, last.to, f"{last.text}\n{got[1]}"))
    return messages


def _decoded(kind: str, text: str) -> str:
    if kind == "text":
        return text
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-16-be" if kind == "ucs-2" else "latin-1", "replace")


def received_mail(folder: Path) -> list[Mail]:
    """Read the mailbox, oldest first."""
    files = sorted((folder / "smtp" / "mailbox" / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
    return [_parsed(path) for path in files]


@cache
def _parsed(path: Path) -> Mail:
    """Parse a file of the mailbox, once: it never changes."""
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return Mail(str(message["X-MailFrom"]), str(message["X-RcptTo"]), message)
