"""The routers: FRR at the hub, BIRD on the islands."""

from collections.abc import Iterable

from tests.lab.daemons import FRR, Daemons
from tests.lab.net import LabError, run, until
from tests.lab.topology import (
    BMP,
    HUB_ASN,
    HUB_NETWORKS,
    HUB_ROUTER,
    ISLANDS,
    Cable,
    Island,
    cables_from,
    cables_of,
    family_of,
)


def start_hub(daemons: Daemons) -> None:
    """Start zebra, then bgpd when zebra's socket is there."""
    home = daemons.home("frr", "frr")
    socket = home / "zserv.api"
    zebra = daemons.config("zebra.conf", home / "zebra.conf")
    neighbours = [
        (cable.end(family, cable.island), ISLANDS[cable.island].asn, family)
        for cable in cables_from("hub")
        for family in (4, 6)
    ]
    announced = [*HUB_NETWORKS, *(network for cable in cables_from("hub") for network in cable.networks)]
    bgpd = daemons.config(
        "bgpd.conf",
        home / "bgpd.conf",
        asn=HUB_ASN,
        router=HUB_ROUTER[0],
        neighbours=neighbours,
        networks=announced,
        bmp=BMP,
    )
    common = ("-z", socket, "--vty_socket", home, "-u", "frr", "-g", "frr", "-A", "127.0.0.1")
    daemons.start("hub", "zebra", [FRR / "zebra", "-f", zebra, "-i", home / "zebra.pid", *common])
    until(socket.exists, 5, "zebra listens")
    daemons.start("hub", "bgpd", [FRR / "bgpd", "-M", "bmp", "-f", bgpd, "-i", home / "bgpd.pid", *common])


def start_island(daemons: Daemons, name: str) -> None:
    """Start an island's BIRD."""
    home = daemons.home(f"bird-{name}")
    numbers = {"hub": HUB_ASN, **{island.name: island.asn for island in ISLANDS.values()}}
    config = daemons.config(
        "bird.conf",
        home / "bird.conf",
        island=ISLANDS[name],
        cables=cables_of(name),
        behind=cables_from(name),
        numbers=numbers,
        home=home,
    )
    daemons.start(name, f"bird-{name}", ["bird", "-f", "-c", config, "-s", home / "bird.ctl", "-P", home / "bird.pid"])


def converged(daemons: Daemons) -> bool:
    """Tell whether every session stands and everybody reaches all others over the cable that is not the backup."""
    daemons.alive()
    return all(
        established(daemons, name)
        and _via(_main(name), name, island.networks) <= daemons.spaces["hub"].routes()
        and _wanted(island) <= daemons.spaces[name].routes()
        for name, island in ISLANDS.items()
    )


def _main(island: str) -> Cable:
    return next(cable for cable in cables_of(island) if not cable.backup)


def _via(cable: Cable, end: str, networks: Iterable[str]) -> set[tuple[str, str]]:
    return {(network, cable.end(family_of(network), end)) for network in networks}


def _wanted(island: Island) -> set[tuple[str, str]]:
    """Return the routes of an island when all is well: to those behind it by their cable, to all others by its own."""
    behind = {cable.island: cable for cable in cables_from(island.name)}
    others = [one for one in ISLANDS.values() if one is not island and one.name not in behind]
    foreign = [*HUB_NETWORKS, *(network for one in others for network in one.networks)]
    near = [_via(cable, name, ISLANDS[name].networks) for name, cable in behind.items()]
    return _via(_main(island.name), "hub", foreign).union(*near)


def established(daemons: Daemons, island: str) -> bool:
    """Tell whether every BGP session of an island stands."""
    try:
        shown = run("birdc", "-s", str(daemons.folder / f"bird-{island}" / "bird.ctl"), "show", "protocols")
    except LabError:  # its socket is not there yet
        return False
    sessions = [line for line in shown.splitlines() if " BGP " in line]
    return bool(sessions) and all("Established" in line for line in sessions)
