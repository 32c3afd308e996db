"""Lays the network: namespaces, the bridges of the sea, links, addresses, routes that no protocol brings."""

from collections.abc import Mapping

from tests.lab.net import Namespace, run
from tests.lab.topology import (
    CABLES,
    HUB_ROUTER,
    ISLANDS,
    LINKS,
    WORLD_ADDRESSES,
    WORLD_NETWORKS,
    Cable,
    cables_of,
    family_of,
)

SYSCTLS = (
    "net.ipv4.ip_forward=1",
    "net.ipv6.conf.all.forwarding=1",
    "net.ipv6.conf.all.accept_dad=0",
    "net.ipv6.conf.default.accept_dad=0",
    "net.ipv6.conf.default.dad_transmits=0",
    "net.ipv6.conf.all.keep_addr_on_down=1",
    "net.ipv6.conf.default.keep_addr_on_down=1",
    "net.ipv4.conf.all.rp_filter=0",  # two cables: asymmetric paths are right
    "net.ipv4.conf.default.rp_filter=0",
    "net.ipv4.icmp_ratelimit=0",
    "net.ipv6.icmp.ratelimit=0",
    "net.ipv4.icmp_errors_use_inbound_ifaddr=1",
)


def lay(spaces: Mapping[str, Namespace]) -> None:
    """Make the namespaces and everything in them that is no process."""
    for space in spaces.values():
        run("ip", "netns", "add", space.name)
        space.run("sysctl", "-q", *(part for setting in SYSCTLS for part in ("-w", setting)))
        space.ip("link set lo up")
    for cable in CABLES.values():
        _lay_cable(spaces, cable)
    for far in LINKS:
        _lay_link(spaces, far)
    spaces["hub"].ip(*_loopback(HUB_ROUTER), *(_via_world(network) for network in WORLD_NETWORKS))
    spaces["world"].ip(*_loopback(WORLD_ADDRESSES))
    for island in ISLANDS.values():
        spaces[island.name].ip(*_loopback(island.addresses))
        for cable in cables_of(island.name):
            _answer_over(spaces[island.name], cable)


def _lay_cable(spaces: Mapping[str, Namespace], cable: Cable) -> None:
    """Two links that meet in a bridge in the sea: a cut there leaves both landing routers administratively up."""
    name = cable.name
    for end, side in ((cable.start, "a"), (cable.island, "b")):
        run(
            *("ip", "link", "add", f"c-{name}", "netns", spaces[end].name),
            *("type", "veth", "peer", "name", f"{name}-{side}", "netns", spaces["sea"].name),
        )
        spaces[end].ip(
            f"addr add {cable.end(4, end)}/30 dev c-{name}",
            f"addr add {cable.end(6, end)}/64 dev c-{name} nodad",
            f"link set c-{name} up",
        )
    spaces["sea"].ip(
        f"link add br-{name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
        *(f"link set {name}-{side} master br-{name} up" for side in "ab"),
        f"link set br-{name} up",
    )


def _lay_link(spaces: Mapping[str, Namespace], far: str) -> None:
    """A plain link from the hub, named after what is at its other end; the far end's default route goes over it."""
    run("ip", "link", "add", far, "netns", spaces["hub"].name, "type", "veth", "peer", "hub", "netns", spaces[far].name)
    (hub4, far4), (hub6, far6) = LINKS[far]
    for space, device, four, six in ((spaces["hub"], far, hub4, hub6), (spaces[far], "hub", far4, far6)):
        space.ip(f"addr add {four}/30 dev {device}", f"addr add {six}/64 dev {device} nodad", f"link set {device} up")
    spaces[far].ip(f"route add default via {hub4}", f"route add default via {hub6}")


def _answer_over(island: Namespace, cable: Cable) -> None:
    """What comes in over a cable's own address goes back over that cable: a ping of it sees this cable alone."""
    table = 100 + cable.number
    for family in (4, 6):
        island.run("ip", f"-{family}", "rule", "add", "from", cable.end(family, cable.island), "lookup", str(table))
        island.ip(f"route add default via {cable.end(family, cable.start)} dev c-{cable.name} table {table}")


def _loopback(addresses: tuple[str, ...]) -> list[str]:
    return [f"addr add {address}/{128 if family_of(address) == 6 else 32} dev lo" for address in addresses]


def _via_world(network: str) -> str:
    link = LINKS["world"][0 if family_of(network) == 4 else 1]
    return f"route add {network} via {link[1]}"
