"""One try to hand a message to a provider: bounded in time, and its end in words that name nobody."""

import asyncio
import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from alerting.gsm import numbered
from alerting.model import (
    Accepted,
    Address,
    Channel,
    DeliveryError,
    Message,
    RefusedError,
    UnansweredError,
    UnreachableError,
)
from alerting.waiting import Failure
from alerting.words import scrub

log = logging.getLogger("lambi.outbox")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one channel may use."""

    slots: int = 8
    """Tries in flight at once."""
    seconds: float = 30.0
    """The hard deadline of one try."""


LIMITS = Limits()


class Sender:
    """Calls `Channel.send`; `bugs` counts exceptions that should not have been."""

    def __init__(self, channels: Mapping[str, Channel], seconds: float) -> None:
        self._channels, self._seconds = channels, seconds
        self.bugs = 0

    async def once(self, name: str, message: Message, address: Address) -> Accepted | Failure:
        """Try once, within the hard deadline."""
        try:
            async with asyncio.timeout(self._seconds):
                accepted = await self._channels[name].send(message, address)
            return replace(accepted, detail=scrub(accepted.detail, address))
        except TimeoutError:
            return Failure(f"no answer within {self._seconds:g} s", "unknown")
        except UnansweredError as error:
            return Failure(scrub(str(error), address), "unknown")
        except DeliveryError as error:
            said, unreached = scrub(str(error), address), isinstance(error, UnreachableError)
            return Failure(said, "failed", error.permanent, unreached, isinstance(error, RefusedError))
        except Exception as error:  # noqa: BLE001 - a defect in one channel must not stop the outbox
            return self.bug(error, address)

    async def say(self, address: Address, text: str, subject: str, at: datetime) -> Accepted | Failure:
        """Answer somebody: one try within the deadline and no row, for a late answer is of no use.

        What needs more than one short message leaves in numbered ones, in their order; a failure ends it.
        """
        short = self._channels[address.channel].form == "sms"
        result: Accepted | Failure = Accepted("")
        for part in numbered(text) if short else [text]:
            result = await self.once(address.channel, Message("", "", subject, part, at=at), address)
            if isinstance(result, Failure):
                break
        return result

    def bug(self, error: Exception, address: Address) -> Failure:
        """Count and log a defect of ours; nothing personal is logged."""
        self.bugs += 1
        log.error("bug: %s", scrub("".join(traceback.format_exception(error)), address, 10_000))
        return Failure(f"defect in this program: {type(error).__name__}", "failed")
