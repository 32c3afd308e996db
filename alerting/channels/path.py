"""Whose fault a connection is that does not come about."""

import errno
import ssl

from alerting.model import DeliveryError, UnreachableError


def no_connection(reason: str, cause: BaseException) -> DeliveryError:
    """Return what to raise: UnreachableError unless somebody at the other end has refused, hung up or failed TLS."""
    lost = isinstance(cause, OSError) and not isinstance(cause, ConnectionError | ssl.SSLError)
    refused = f"[Errno {errno.ECONNREFUSED}]" in str(cause)  # asyncio's one error for all addresses of a name
    unreached = isinstance(cause, TimeoutError) or (lost and not refused)
    return UnreachableError(reason) if unreached else DeliveryError(reason)
