"""SMS by the sendsms interface of a Kannel gateway (Kannel user's guide, "Using the HTTP interface to send SMS").

What comes back comes by callbacks to the operators' door ("Delivery reports", "sms-service group" of the guide).
"""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import ClassVar

import aiohttp
import smsutil

from alerting.channels.path import no_connection
from alerting.model import Accepted, Address, DeliveryError, Fate, Message, RefusedError, UnansweredError

FATES = {1: Fate.DELIVERED, 2: Fate.FAILED, 4: Fate.BUFFERED, 8: Fate.BUFFERED, 16: Fate.FAILED}
"""Delivery report types: to the phone, not to the phone, queued at the centre, taken by the centre, refused by it."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")


@dataclass(frozen=True, slots=True)
class Kannel:
    """One request for each message; the login travels in it and is in no error."""

    form: ClassVar[str] = "sms"
    validity_minutes: ClassVar[int] = 60
    """So long gateway and carrier keep what they cannot deliver: then it comes back, and leaves as the truth of then.

    A gateway whose link is down takes everything ("Queued for later delivery") and would send it a day later as it was.
    """
    url: str
    """http://gateway:13013/cgi-bin/sendsms"""
    username: str
    password: str = field(repr=False)
    sender: str = ""
    """The number or name that the handset shows (`from`); empty: the gateway's own."""
    smsc: str = ""
    """The SMS centre to use (`smsc`); empty: the gateway chooses."""
    connect_seconds: float = 10.0
    callback: str = ""
    """Where the gateway reaches our operators' door, such as http://127.0.0.1:9115; empty: nothing comes back."""
    secret: str = field(default="", repr=False)
    """In the path of each callback: whoever knows it may tell us of receipts and answers."""
    sources: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses or networks from which callbacks are taken."""

    def __post_init__(self) -> None:
        """Refuse what cannot work, naming the field."""
        if not self.url.startswith(("http://", "https://")):
            raise ValueError("url: expected the gateway's sendsms, such as http://127.0.0.1:13013/cgi-bin/sendsms")
        if self.callback and not self.callback.startswith(("http://", "https://")):
            raise ValueError("callback: expected the operators' door, such as http://127.0.0.1:9115")
        if self.callback and not _SECRET.fullmatch(self.secret):
            raise ValueError("secret: with callback, expected 16 to 128 letters and digits that nobody can guess")
        for source in self.sources:
            try:
                ipaddress.ip_network(source)
            except ValueError:
                raise ValueError(f"sources: {source} is no address and no network") from None

    @property
    def receipts(self) -> bool:
        """Delivery reports are asked for when they have a way in."""
        return bool(self.callback)

    @property
    def answers(self) -> bool:
        """What people send back has the same way in."""
        return bool(self.callback)

    async def send(self, message: Message, address: Address) -> Accepted:
        """Hand one message to the gateway; 202 means that it has it or has queued it."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self.connect_seconds)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(self.url, params=self._params(message, address), allow_redirects=False) as response,
            ):
                said = (await response.content.read(200)).decode(errors="replace").strip()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise no_connection("cannot connect to the SMS gateway", getattr(error, "os_error", error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise UnansweredError("the SMS gateway left us before it answered") from error
        if response.status != 202:
            raise _refusal(response.status, said)
        return Accepted("", said)

    async def close(self) -> None:
        """Nothing is kept open between messages."""

    def _params(self, message: Message, address: Address) -> dict[str, str]:
        """Build the query: GSM-7 where the text allows, else UCS-2."""
        wanted = {
            "username": self.username,
            "password": self.password,
            "to": address.to,
            "from": self.sender,
            "smsc": self.smsc,
            "text": message.body,
            "charset": "UTF-8",
            "coding": "0" if smsutil.is_valid_gsm(message.body) else "2",
        }
        if self.callback and message.reference:
            wanted["dlr-mask"] = str(sum(FATES))
            wanted["dlr-url"] = (
                f"{self.callback.rstrip('/')}/callback/{self.secret}/receipt"
                f"?reference={message.reference}&status=%d&said=%A"
            )
        if self.callback or not message.reference:  # it is known when it has been given up, or nobody waits for it
            wanted["validity"] = str(self.validity_minutes)
        return {key: value for key, value in wanted.items() if value}


def _refusal(status: int, said: str) -> DeliveryError:
    """Map Kannel's answer: what is wrong with the message stays wrong; login, route or a busy gateway can be mended."""
    if "Authorization failed" in said:
        return DeliveryError("the SMS gateway refuses our login")
    kind = RefusedError if status in {403, 406} else DeliveryError
    return kind(f"the SMS gateway answered {status} {said}", permanent=status == 400)
