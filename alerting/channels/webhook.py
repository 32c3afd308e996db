"""JSON by HTTP POST, as Alertmanager's webhook receiver sends it (version 4), signed.

The signature stands in ``X-Lambi-Signature: t=SECONDS,v1=HEX``: HMAC-SHA256, with the shared secret, of SECONDS, a full
stop and the body. Who receives compares it, and refuses a time that is not about now: so nothing can be replayed.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import aiohttp

from alerting.channels.path import no_connection
from alerting.model import Accepted, Address, Alert, DeliveryError, Message, RefusedError, UnansweredError
from alerting.words import mark

EPOCH = "0001-01-01T00:00:00Z"
"""Alertmanager's word for an alert that has not ended."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request for each message; the address of a contact is the URL to post to."""

    form: ClassVar[str] = "mail"
    receipts: ClassVar[bool] = False
    answers: ClassVar[bool] = False
    secret: str = field(repr=False)
    """Shared with who receives; at least 16 characters."""
    connect_seconds: float = 10.0

    def __post_init__(self) -> None:
        """Refuse what cannot work, naming the field."""
        if len(self.secret) < 16:
            raise ValueError("secret: expected at least 16 characters that nobody can guess")

    async def send(self, message: Message, address: Address) -> Accepted:
        """Post one message; 2xx is taken, 410 stays wrong, other 4xx but 408, 425 and 429 somebody has to mend."""
        body = json.dumps(payload(message), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "lambi"}
        if message.at is not None:
            headers["X-Lambi-Signature"] = signature(self.secret, message.at, body)
        headers["Idempotency-Key"] = message.reference
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self.connect_seconds)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(address.to, data=body, headers=headers, allow_redirects=False) as response,
            ):
                status = response.status
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise no_connection("cannot connect to the webhook", getattr(error, "os_error", error)) from error
        except aiohttp.InvalidURL as error:
            raise DeliveryError("the webhook's address is no URL", permanent=True) from error
        except (aiohttp.ClientError, OSError) as error:
            raise UnansweredError("the webhook left us before it answered") from error
        if not 200 <= status < 300:
            refuses = 400 <= status < 500 and status not in {408, 425, 429}
            kind = RefusedError if refuses else DeliveryError
            raise kind(f"the webhook answered {status}", permanent=status == 410)
        return Accepted(message.reference, str(status))

    async def close(self) -> None:
        """Nothing is kept open between messages."""


def signature(secret: str, at: datetime, body: bytes) -> str:
    """Return the header's value."""
    seconds = int(at.timestamp())
    mac = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={mac.hexdigest()}"


def payload(message: Message) -> dict[str, Any]:
    """Return the body of version 4; a message of many incidents, or of none, has them in its text alone."""
    alerts = [_alert(one) for one in (message.alert, *message.others) if one]
    firing = any(one["status"] == "firing" for one in alerts)
    labels = alerts[0]["labels"] if alerts else {}
    notes = {"summary": message.subject, "description": message.body}
    return {
        "version": "4",
        "groupKey": message.thread or message.reference,
        "truncatedAlerts": 0,
        "status": "firing" if firing or not alerts else "resolved",
        "receiver": "lambi",
        "groupLabels": {"incident": message.incident},
        "commonLabels": labels,
        "commonAnnotations": notes,
        "externalURL": message.alert.url if message.alert else "",
        "alerts": alerts,
    }


def _alert(alert: Alert) -> dict[str, Any]:
    facts = {
        "alertname": alert.labels.get("alertname", alert.kind),
        "incident": alert.incident,
        "asset": alert.asset,
        "severity": alert.severity.value,
        "territory": alert.territory,
    }
    labels: Mapping[str, str] = {**alert.labels, **{key: value for key, value in facts.items() if value}}
    return {
        "status": "firing" if alert.closed is None else "resolved",
        "labels": dict(labels),
        "annotations": {"summary": mark(alert) + alert.what, "description": alert.reason},
        "startsAt": _stamp(alert.opened),
        "endsAt": _stamp(alert.closed) if alert.closed else EPOCH,
        "generatorURL": alert.url,
        "fingerprint": hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16],
    }


def _stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
