"""The breadth of providers: one of apprise's services for each channel (github.com/caronc/apprise).

Apprise shares one pool of threads among all its objects, and makes an object that is used again wait: so each try makes
an object of its own for one URL and one recipient, and runs it in this channel's own threads.
"""

import asyncio
import importlib
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote

from alerting.model import Accepted, Address, DeliveryError, Message, UnansweredError

SLOTS = 4
"""Threads of a channel; one that hangs keeps its thread, and no thread of another channel."""
logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines hold addresses


@dataclass(frozen=True, slots=True)
class Apprise:
    """One URL for each try; the contact's address takes the place of ``{to}``."""

    form: ClassVar[str] = "sms"
    receipts: ClassVar[bool] = False
    answers: ClassVar[bool] = False
    secret: str = field(repr=False)
    """Apprise's URL with ``{to}`` in it, such as twilio://SID:TOKEN@+12465550100/{to}: it holds logins."""
    connect_seconds: float = 5.0
    answer_seconds: float = 15.0
    _threads: list[ThreadPoolExecutor] = field(default_factory=list, init=False, repr=False, compare=False)
    _busy: list[int] = field(default_factory=lambda: [0], init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what cannot work, naming the field."""
        if "{to}" not in self.secret or "://" not in self.secret:
            raise ValueError("secret: expected a URL of apprise that holds {to}, where the contact's address goes")

    async def send(self, message: Message, address: Address) -> Accepted:
        """Hand one text to the service; apprise says taken or not, and no more."""
        if self._busy[0] >= SLOTS:
            raise DeliveryError("the service hangs: every try that is under way still waits for it")
        if not self._threads:
            self._threads.append(ThreadPoolExecutor(SLOTS, "apprise"))
        self._busy[0] += 1
        work = asyncio.get_running_loop().run_in_executor(self._threads[0], self._notify, message, address.to)
        work.add_done_callback(self._ended)
        if not await asyncio.shield(work):
            raise UnansweredError("the service did not take it, or did not answer; apprise does not say which")
        return Accepted("", "taken, says apprise")

    def _ended(self, work: "asyncio.Future[bool]") -> None:
        self._busy[0] -= 1
        if not work.cancelled():
            work.exception()

    def _notify(self, message: Message, to: str) -> bool:
        """Make the object and use it once; in a thread of ours, for loading apprise's services takes half a second."""
        library: Any = importlib.import_module("apprise")
        url = self.secret.replace("{to}", quote(to, safe="+"))
        service = library.Apprise.instantiate(url, suppress_exceptions=True)
        if service is None:
            raise DeliveryError("apprise does not understand the URL with this address", permanent=True)
        service.socket_connect_timeout, service.socket_read_timeout = self.connect_seconds, self.answer_seconds
        return bool(service.notify(body=message.body, title=message.subject))

    async def close(self) -> None:
        """Wait for nobody: a thread that hangs ends with the process."""
        for pool in self._threads:
            pool.shutdown(wait=False, cancel_futures=True)
