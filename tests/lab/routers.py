"""The routers: FRR at the hub, BIRD on the islands."""

from collections.abc import Iterable

from tests.lab.daemons import FRR, Daemons
from tests.lab.net import LabError, run, until
from tests.lab.topology import CABLES, HUB_ASN, HUB_NETWORKS, HUB_ROUTER, ISLANDS, cables_of, family_of


def start_hub(daemons: Daemons) -> None:
    """Start zebra, then bgpd when zebra's socket is there."""
    home = daemons.home("frr", "frr")
    socket = home / "zserv.api"
    zebra = daemons.config("zebra.conf", home / "zebra.conf")
    neighbours = [
        (cable.end(family, cable.island), ISLANDS[cable.island].asn, family)
        for cable in CABLES.values()
        for family in (4, 6)
    ]
    announced = [*HUB_NETWORKS, *(network for cable in CABLES.values() for network in cable.networks)]
    bgpd = daemons.config(
        "bgpd.conf", home / "bgpd.conf", asn=HUB_ASN, router=HUB_ROUTER[0], neighbours=neighbours, networks=announced
    )
    common = ("-z", socket, "--vty_socket", home, "-u", "frr", "-g", "frr", "-A", "127.0.0.1")
    daemons.start("hub", "zebra", [FRR / "zebra", "-f", zebra, "-i", home / "zebra.pid", *common])
    until(socket.exists, 5, "zebra listens")
    daemons.start("hub", "bgpd", [FRR / "bgpd", "-f", bgpd, "-i", home / "bgpd.pid", *common])


def start_island(daemons: Daemons, name: str) -> None:
    """Start an island's BIRD."""
    home = daemons.home(f"bird-{name}")
    config = daemons.config(
        "bird.conf", home / "bird.conf", island=ISLANDS[name], cables=cables_of(name), hub_asn=HUB_ASN, home=home
    )
    daemons.start(name, f"bird-{name}", ["bird", "-f", "-c", config, "-s", home / "bird.ctl", "-P", home / "bird.pid"])


def converged(daemons: Daemons) -> bool:
    """Tell whether every session stands and everybody reaches all others over the cable that is not the backup."""
    daemons.alive()
    return all(
        established(daemons, name)
        and _routes(island.networks, name, name) <= daemons.spaces["hub"].routes()
        and _routes(_foreign(name), name, "hub") <= daemons.spaces[name].routes()
        for name, island in ISLANDS.items()
    )


def _routes(networks: Iterable[str], island: str, end: str) -> set[tuple[str, str]]:
    cable = next(cable for cable in cables_of(island) if not cable.backup)
    return {(network, cable.end(family_of(network), end)) for network in networks}


def _foreign(island: str) -> list[str]:
    others = [network for name, other in ISLANDS.items() if name != island for network in other.networks]
    return [*HUB_NETWORKS, *others]


def established(daemons: Daemons, island: str) -> bool:
    """Tell whether every BGP session of an island stands."""
    try:
        shown = run("birdc", "-s", str(daemons.folder / f"bird-{island}" / "bird.ctl"), "show", "protocols")
    except LabError:  # its socket is not there yet
        return False
    sessions = [line for line in shown.splitlines() if " BGP " in line]
    return bool(sessions) and all("Established" in line for line in sessions)
