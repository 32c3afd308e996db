"""What answers on the islands and in the world: name servers (knot), a web site (nginx), routers' SNMP agents."""

from collections.abc import Iterable
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

from tests.lab.daemons import Daemons
from tests.lab.net import Namespace, run
from tests.lab.topology import ISLANDS, TRAPS, WORLD_DNS


def start_dns(daemons: Daemons, where: str) -> None:
    """Start the name server of an island (its signed zone) or of the world (a stub of the root)."""
    addresses, zone = what_it_serves(where)
    home = daemons.home(f"knot-{where}", "knot")
    daemons.config("zone", home / "zone", zone=zone, addresses=addresses)
    config = daemons.config(
        "knot.conf", home / "knot.conf", home=home, zone=zone, addresses=addresses, signed=zone != "."
    )
    daemons.start(where, f"knot-{where}", ["knotd", "-c", config])


def what_it_serves(where: str) -> tuple[tuple[str, ...], str]:
    """Return the addresses of a name server and its zone."""
    island = ISLANDS.get(where)
    return (island.dns, island.zone) if island else (WORLD_DNS, ".")


def answers(space: Namespace, addresses: Iterable[str], zone: str) -> bool:
    """Tell whether every address gives an authoritative SOA of the zone to somebody in `space`."""
    query = dns.message.make_query(zone, "SOA", flags=0)
    try:
        with space.inside():
            replies = [dns.query.udp(query, address, timeout=0.5) for address in addresses]
    except (OSError, dns.exception.DNSException):
        return False
    return all(reply.rcode() == dns.rcode.NOERROR and reply.flags & dns.flags.AA for reply in replies)


def start_web(daemons: Daemons, where: str) -> None:
    """Start an island's web site with a certificate of the lab's own authority (itself)."""
    island = ISLANDS[where]
    addresses = island.web or ()
    home = daemons.home(f"nginx-{where}")
    names = ",".join([f"DNS:www.{island.zone}", *(f"IP:{address}" for address in addresses)])
    run(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-days", "30", "-subj", f"/CN=www.{island.zone}", "-addext", f"subjectAltName={names}"),
        *("-keyout", str(home / "key.pem"), "-out", str(home / "ca.pem")),
    )
    config = daemons.config("nginx.conf", home / "nginx.conf", home=home, addresses=addresses, zone=island.zone)
    daemons.start(where, f"nginx-{where}", ["nginx", "-c", config, "-p", home, "-e", home / "early.log"])


def start_snmp(daemons: Daemons, where: str, address: str, community: str) -> None:
    """Start the SNMP agent of a landing router: its interfaces are the cables' ends, and it sends traps of them."""
    home = daemons.home(f"snmpd-{where}", "Debian-snmp")
    known = {"address": address, "community": community, "traps": TRAPS}
    config = daemons.config("snmpd.conf", home / "snmpd.conf", **known)
    user = ("-u", "Debian-snmp", "-g", "Debian-snmp")
    command = ["snmpd", "-f", "-Lo", "-C", "-c", config, *user, "-I", "-smux", "-p", home / "pid"]
    daemons.start(where, f"snmpd-{where}", ["env", f"SNMP_PERSISTENT_DIR={home}", "MIBS=", *command])


def authority(daemons: Daemons, where: str) -> Path:
    """Return the certificate that a client of the web site must trust."""
    return daemons.folder / f"nginx-{where}" / "ca.pem"


def serves(daemons: Daemons, where: str, watcher: Namespace) -> bool:
    """Tell whether somebody in `watcher` gets the web site's page over both families, with a certificate that holds."""
    hosts = [f"[{address}]" if ":" in address else address for address in ISLANDS[where].web or ()]
    try:
        pages = [watcher.fetch(f"https://{host}/", authority=authority(daemons, where)) for host in hosts]
    except OSError:
        return False
    return all(b"www." in page for page in pages)
