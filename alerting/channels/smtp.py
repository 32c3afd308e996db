"""Mail by SMTP submission (RFC 5321, RFC 6409)."""

import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from typing import ClassVar, Literal

import aiosmtplib

from alerting import html
from alerting.channels.mime import WIRE, written
from alerting.channels.path import no_connection
from alerting.model import Accepted, Address, DeliveryError, Message, RefusedError, UnansweredError

NO_SUCH = frozenset({550, 551, 553, 556})
"""What servers answer about a mailbox that is not there (RFC 5321, 4.2.3; RFC 7504)."""


@dataclass(frozen=True, slots=True)
class Smtp:
    """One connection for each mail. Nothing of an address is in its errors."""

    form: ClassVar[str] = "mail"
    receipts: ClassVar[bool] = False
    host: str
    sender: str
    """The envelope's sender and From."""
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    """``tls`` from the first byte on; ``starttls`` or nothing."""
    username: str = ""
    """Empty: no login."""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    """PEM of the authorities that may have signed the server's certificate; empty: the system's."""
    connect_seconds: float = 10.0
    """Until the server has greeted, secured and let us in."""
    maildir: str = ""
    """Folder where answers and reports of delivery arrive; empty: nothing comes back."""

    def __post_init__(self) -> None:
        """Refuse what cannot work, naming the field."""
        if "@" not in self.sender:
            raise ValueError("sender: expected a mail address")
        if not 1 <= self.port <= 65535:
            raise ValueError("port: expected a number from 1 to 65535")

    @property
    def answers(self) -> bool:
        """People answer the mail itself where somebody reads it."""
        return bool(self.maildir)

    async def send(self, message: Message, address: Address) -> Accepted:
        """Submit one mail; 4xx is temporary, 5xx somebody has to mend, a mailbox that is not there is permanent.

        RFC 5321, 4.2. Once DATA began, silence is unknown.
        """
        client = await self._connect()
        try:
            await _envelope(client, self.sender, address.to, message.reference if self.maildir else "")
            reply = await _data(client, self._compose(message, address))
        finally:
            client.close()
        return Accepted(_message_id(message.reference, self.sender), reply)

    async def close(self) -> None:
        """Nothing is kept open between mails."""

    async def _connect(self) -> aiosmtplib.SMTP:
        """Greet, secure, log in. Whatever fails here is the path's or the config's fault, not the message's."""
        client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username or None,
            password=self.password or None,
            local_hostname=_domain(self.sender),
            use_tls=self.security == "tls",
            start_tls=self.security == "starttls",
            tls_context=None if self.security == "none" else ssl.create_default_context(cafile=self.ca_file or None),
            timeout=self.connect_seconds,
        )
        try:
            await client.connect()
        except aiosmtplib.SMTPAuthenticationError as error:
            raise DeliveryError(f"the mail server refuses our login: {error.code}") from error
        except aiosmtplib.SMTPResponseException as error:
            raise DeliveryError(f"the mail server does not serve us: {error.code} {error.message}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            cause = error if isinstance(error, TimeoutError) else error.__cause__ or error
            raise no_connection(f"cannot connect to the mail server: {error}", cause) from error
        return client

    def _compose(self, message: Message, address: Address) -> bytes:
        """Build the mail; the e-mail package refuses a line break in a header."""
        mail = EmailMessage(policy=WIRE)
        mail["From"] = self.sender
        mail["To"] = address.to
        mail["Subject"] = message.subject
        mail["Message-ID"] = _message_id(message.reference, self.sender)
        if message.at is not None:
            mail["Date"] = format_datetime(message.at)
        if message.thread:
            root = _message_id(f"incident.{message.thread}", self.sender)
            mail["In-Reply-To"] = mail["References"] = root
        mail["Auto-Submitted"] = "auto-generated"
        return written(mail, message.body, html.page(message), message.attachments)


async def _envelope(client: aiosmtplib.SMTP, sender: str, to: str, reference: str) -> None:
    """Say from whom and to whom, and ask for reports of delivery (RFC 3461); nothing has been handed over yet."""
    try:
        if reference and client.is_ehlo_or_helo_needed:  # else nothing is known of what the server offers
            with suppress(aiosmtplib.SMTPHeloError):
                await client.ehlo()
        reports = bool(reference) and client.supports_extension("dsn")
        await client.mail(sender, options=["RET=HDRS", f"ENVID={reference}"] if reports else None)
        await client.rcpt(to, options=["NOTIFY=SUCCESS,FAILURE,DELAY"] if reports else None)
    except aiosmtplib.SMTPResponseException as error:
        raise _refusal(error) from error
    except (aiosmtplib.SMTPException, OSError, UnicodeEncodeError) as error:
        raise DeliveryError(
            f"the mail server left us: {error}", permanent=isinstance(error, UnicodeEncodeError)
        ) from error


async def _data(client: aiosmtplib.SMTP, mail: bytes) -> str:
    """Hand the mail over; return the server's answer. The outbox's deadline bounds the wait."""
    try:
        reply = await client.data(mail, timeout=None)
    except aiosmtplib.SMTPResponseException as error:
        raise _refusal(error) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise UnansweredError(f"the mail server left us before it answered: {error}") from error
    return f"{reply.code} {reply.message}"


def _refusal(error: aiosmtplib.SMTPResponseException) -> DeliveryError:
    """A relay that is shut, a policy or a full mailbox can be mended."""
    said = f"the mail server answered {error.code} {error.message}"
    if error.code < 500:
        return DeliveryError(said)
    no_such = isinstance(error, aiosmtplib.SMTPRecipientRefused) and error.code in NO_SUCH
    return DeliveryError(said, permanent=True) if no_such else RefusedError(said)


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2] or "localhost"


def _message_id(reference: str, sender: str) -> str:
    return f"<lambi.{reference}@{_domain(sender)}>"
