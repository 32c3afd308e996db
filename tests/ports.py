"""Port numbers for daemons that must be told one: nobody else can have them between the choice and the bind."""

import errno
import itertools
import socket

FIRST, LAST = 20_000, 32_767
"""Below the range from which the kernel gives ports away by itself (ip_local_port_range, 32768 where nobody set it)."""


def own_ports(count: int) -> list[int]:
    """Return ports, for TCP and UDP on every address, that are this process's until it ends.

    A bound socket that does not listen holds each: a connection is refused, the kernel gives the number to nobody,
    another process that asks here finds it taken; a daemon that sets SO_REUSEADDR, as all do, may still listen there.
    """
    ports = list(itertools.islice(filter(_hold, range(FIRST, LAST + 1)), count))
    assert len(ports) == count, f"no {count} ports from {FIRST} to {LAST} are free"
    return ports


def own_port() -> int:
    """Return one such port."""
    return own_ports(1)[0]


def _hold(port: int) -> bool:
    """Take a port for as long as this process lives, unless somebody has it."""
    try:
        with _bound(socket.SOCK_DGRAM, port), _bound(socket.SOCK_STREAM, port) as holder:
            # Only now: the choice itself shares with nobody.
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.detach()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def _bound(kind: socket.SocketKind, port: int) -> socket.socket:
    """Bind a port of every address, of IPv6 too where the system has it."""
    both = socket.has_dualstack_ipv6()
    one = socket.socket(socket.AF_INET6 if both else socket.AF_INET, kind)
    try:
        if both:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        one.bind(("", port))
    except OSError:
        one.close()
        raise
    return one
