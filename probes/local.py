"""Faults of our own side: the address that cannot be asked, the errno that says we could not look."""

import errno
import socket
from functools import lru_cache

from probes.model import LocalError

AF = {4: socket.AF_INET, 6: socket.AF_INET6}

_SENTENCES = {
    errno.ENETUNREACH: "this machine has no route to it",
    errno.EHOSTUNREACH: "this machine has no route to it",
    errno.ENETDOWN: "this machine's link is down",
    errno.EADDRNOTAVAIL: "this machine has no address to ask it from",
    errno.EAFNOSUPPORT: "this machine does not speak its address family",
    errno.EACCES: "this machine may not send to it",
    errno.EPERM: "a firewall on this machine forbids to ask it",
    errno.EINVAL: "this machine cannot send to it",
    errno.EMSGSIZE: "the question is too large for this machine's link",
    errno.ENOBUFS: "this machine's send queue is full",
    errno.EAGAIN: "this machine's send queue is full",
    errno.EMFILE: "this process has too many open files",
    errno.ENFILE: "this machine has too many open files",
    errno.ENOMEM: "this machine is out of memory",
}


def local_fault(error: OSError) -> str | None:
    """One sentence when the error is of our own side, else None."""
    return _SENTENCES.get(error.errno or 0)


@lru_cache(maxsize=65_536)
def canonical(address: str, family: int) -> str:
    """Write an IP literal as the kernel writes it; raises LocalError for anything else, so that nothing is resolved."""
    host, _, scope = address.partition("%")
    try:
        literal = socket.inet_ntop(AF[family], socket.inet_pton(AF[family], host))
    except (OSError, KeyError, ValueError):
        raise LocalError(f"not an IPv{family} address: {address!r:.80}") from None
    return f"{literal}%{scope}" if scope else literal


def no_way_out(address: str, family: int) -> str | None:
    """Say why no packet can leave for this address, or None; sends nothing (connect of a datagram socket)."""
    try:
        with socket.socket(AF[family], socket.SOCK_DGRAM) as sock:
            sock.connect((address, 9))
    except OSError as error:
        return local_fault(error) or f"this machine cannot ask it: {error.strerror}"
    return None
