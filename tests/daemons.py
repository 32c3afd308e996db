"""Real daemons of the world of messages on loopback: Kannel with its fake SMS centre, and an SMTP server."""

import asyncio
import contextlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from urllib.request import ProxyHandler, build_opener

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.ports import own_ports

FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")


def until(holds: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Wait for a condition; fail with a sentence. The limit is for what never comes, not for a machine that is busy."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Sms:
    """A short message as the fake SMS centre got it."""

    sender: str
    to: str
    kind: str
    """text (GSM-7) or ucs-2"""
    text: str


@dataclass(slots=True)
class KannelBox:
    """A running gateway."""

    url: str
    username: str
    password: str
    sender: str
    folder: Path
    smsc_port: int
    admin: str
    handset_port: int = 0
    """Of a second centre, from which telephones send."""
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def received(self) -> list[Sms]:
        """Return what has arrived so far, oldest first."""
        log = self.folder / "fakesmsc.log"
        found = re.findall(
            r"Got message \d+: <(\S+) (\S+) (text|ucs-2|data|udh) (.*)>", log.read_text("utf-8", "replace")
        )
        return [Sms(sender, to, kind, _letters(kind, text)) for sender, to, kind, text in found]

    def from_handset(self, sender: str, text: str) -> str:
        """Send one message from a telephone; return the text that it is answered with, or "" when nothing comes."""
        name = f"handset{len(list(self.folder.glob('handset*.log')))}"
        message = f"{sender} {self.sender} text {text}"
        argv = [str(FAKESMSC), "-H", "127.0.0.1", "-r", str(self.handset_port), "-i", "0.01", "-m", "1", message]
        self.launch(name, argv)
        log = self.folder / f"{name}.log"
        got = re.compile(rf"Got message \d+: <{self.sender} {re.escape(sender)} (\S+) (.*)>")
        try:
            self.until(lambda: got.search(log.read_text("utf-8", "replace")), f"an answer to {text!r}")
            found = got.search(log.read_text("utf-8", "replace"))
        finally:
            self.stop(name)
        return _letters(found[1], found[2]) if found else ""

    def launch(self, name: str, argv: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._children[name] = subprocess.Popen(
                argv, cwd=self.folder, stdin=subprocess.PIPE, stdout=log, stderr=log
            )

    def revive(self, name: str) -> None:
        """Start a box again that has ended, as whoever runs one would have it."""
        child = self._children[name]
        if child.poll() is not None:
            self.launch(name, list(child.args))  # type: ignore[call-overload] # a list, as launch() gave it

    def stop(self, name: str) -> None:
        child = self._children.pop(name)
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdin:
            child.stdin.close()

    def stop_all(self) -> None:
        for name in reversed(list(self._children)):
            self.stop(name)

    def status(self) -> str:
        """Return bearerbox's own account of itself, or "" while it does not answer."""
        try:
            with build_opener(ProxyHandler({})).open(self.admin, timeout=5) as answer:
                return str(answer.read().decode("utf-8", "replace"))
        except (OSError, HTTPException):
            return ""

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait for a condition; when a daemon has ended instead, fail at once with its last words."""

        def alive() -> object:
            for name, child in self._children.items():
                if child.poll() is not None:
                    words = (self.folder / f"{name}.log").read_text("utf-8", "replace").splitlines()[-5:]
                    pytest.fail(f"{name} ended with {child.returncode}: {' / '.join(words)}")
            return holds()

        until(alive, what)


def _letters(kind: str, text: str) -> str:
    if kind == "text":
        return text
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-16-be" if kind == "ucs-2" else "latin-1", "replace")


KANNEL_CONF = """
group = core
admin-port = {admin}
admin-password = adm
admin-interface = 127.0.0.1
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
store-type = file
store-location = {folder}/store
store-dump-freq = 1
dlr-storage = internal
sms-resend-freq = 1
sms-resend-retry = -1

group = smsc
smsc = fake
smsc-id = FAKE
denied-smsc-id = HANDSET;CENTRE
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsc
smsc = fake
smsc-id = HANDSET
allowed-smsc-id = HANDSET
port = {handset}
connect-allow-ip = 127.0.0.1
{links}
group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
sendsms-interface = 127.0.0.1
sendsms-port = {send}
global-sender = 18685550000
mo-recode = true
http-request-retry = 20
http-queue-delay = 1

group = sendsms-user
username = lambi
password = kannel-secret
concatenation = true
max-messages = 6

group = sms-service
keyword = default
catch-all = true
max-messages = 1
omit-empty = true
send-sender = true
get-url = "{callback}/reply?id=%I&from=%p&text=%a"
"""


@contextlib.contextmanager
def kannel(tmp_path: Path, callback: str = "http://127.0.0.1:9", links: str = "") -> Iterator[KannelBox]:
    """Run bearerbox, smsbox and fakesmsc; logs stand below tmp_path. ``links``: further groups of the config.

    ``callback``: where what telephones send is handed to.
    """
    missing = [name for name in ("bearerbox", "smsbox", str(FAKESMSC)) if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: make test-deps")
    admin, box, smsc, send, handset = own_ports(5)
    folder = Path(tempfile.mkdtemp(prefix="kannel", dir=tmp_path))
    conf = folder / "kannel.conf"
    conf.write_text(
        KANNEL_CONF.format(
            admin=admin, box=box, smsc=smsc, send=send, folder=folder, handset=handset, callback=callback, links=links
        )
    )
    gateway = KannelBox(
        f"http://127.0.0.1:{send}/cgi-bin/sendsms",
        "lambi",
        "kannel-secret",
        "18685550000",
        folder,
        smsc,
        f"http://127.0.0.1:{admin}/status.txt?password=adm",
        handset,
    )
    try:
        gateway.launch("bearerbox", ["bearerbox", "-v", "1", str(conf)])
        gateway.until(gateway.status, "bearerbox answers")
        gateway.launch("smsbox", ["smsbox", "-v", "1", str(conf)])
        gateway.launch("fakesmsc", [str(FAKESMSC), "-H", "127.0.0.1", "-r", str(smsc), "-m", "0"])
        gateway.until(lambda: "smsbox:" in (said := gateway.status()) and "(online" in said, "the boxes are connected")
        gateway.until(lambda: listens(send), "smsbox listens")
        yield gateway
    finally:
        gateway.stop_all()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as the server took it."""

    sender: str
    to: tuple[str, ...]
    message: EmailMessage
    raw: bytes

    @property
    def text(self) -> str:
        """The plain body."""
        body = self.message.get_body(("plain",))
        return str(body.get_content()) if body else ""


@dataclass(slots=True)
class SmtpSink:
    """A running SMTP server; what it answers can be changed while it runs."""

    port: int = 0
    ca_file: str = ""
    rcpt_answer: str = "250 OK"
    data_answer: str = "250 OK"
    mails: list[Mail] = field(default_factory=list)

    def received(self) -> list[Mail]:
        """Return what has arrived so far, oldest first."""
        return list(self.mails)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt_answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        if self.data_answer.startswith("2"):
            self.mails.append(Mail(str(envelope.mail_from), tuple(envelope.rcpt_tos), message, raw))
        return self.data_answer


class _Bound(Controller):
    """A controller that listens on a socket bound before, so that no other process can take the port."""

    bound: socket.socket

    def _create_server(self):  # type: ignore[no-untyped-def] # aiosmtpd has no types
        return self.loop.create_server(self._factory_invoker, sock=self.bound, ssl=self.ssl_context)


@contextlib.contextmanager
def smtp_sink(security: str = "none", login: tuple[str, str] | None = None) -> Iterator[SmtpSink]:
    """Run an SMTP server in a thread; security is none, starttls or tls, with a certificate for localhost."""
    sink = SmtpSink()
    with contextlib.ExitStack() as stack:
        context = None
        if security != "none":
            context, sink.ca_file = _certificate(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        bound = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        sink.port = bound.getsockname()[1]
        options: dict[str, Any] = {"ssl_context": context} if security == "tls" else {"tls_context": context}
        options |= {"server_hostname": "localhost", "ready_timeout": 60}  # else it asks DNS for its name, and has 5 s
        if login:
            options |= {
                "auth_required": True,
                "auth_require_tls": security == "starttls",
                "authenticator": _checker(login),
            }
        controller = _Bound(sink, hostname="127.0.0.1", port=sink.port, **options)
        controller.bound = bound
        controller.start()
        stack.callback(controller.stop)
        yield sink


def _checker(login: tuple[str, str]) -> Callable[..., AuthResult]:
    def check(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == login
        return AuthResult(success=good, handled=False)

    return check


def _certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """Make a self-signed certificate for localhost; return the server's context and the PEM to trust."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: make test-deps")
    key, pem = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            key,
            "-out",
            pem,
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, key)
    return context, str(pem)


@contextlib.asynccontextmanager
async def hung_server():  # type: ignore[no-untyped-def] # an async generator of (port, connections)
    """Run a server that takes connections and says nothing; yields its port."""
    release = asyncio.Event()

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        release.set()
        server.close()
        await server.wait_closed()
