"""Looks at the archipelago with the tools that an operator has: ping, kdig, ip."""

import re

from tests.lab.archipelago import Archipelago
from tests.lab.net import LabError


def pings(lab: Archipelago, where: str, address: str) -> bool:
    """Tell whether one ping comes back within a second."""
    try:
        lab.spaces[where].run("ping", "-n", "-q", "-c", "1", "-W", "1", address)
    except LabError:
        return False
    return True


def ping_loss(lab: Archipelago, where: str, address: str, count: int) -> float:
    """Return the share of pings, 5 ms apart, that stay without an answer, in percent."""
    said = lab.spaces[where].run("ping", "-n", "-q", "-c", str(count), "-i", "0.005", "-W", "1", address)
    return float(re.findall(r"([\d.]+)% packet loss", said)[0])


def soa(lab: Archipelago, where: str, server: str, zone: str) -> str:
    """Return kdig's answer section for the zone's SOA with its signature; "" without an answer."""
    try:
        return lab.spaces[where].run(
            "kdig", f"@{server}", zone, "SOA", "+dnssec", "+short", "+timeout=1", "+retry=0", "+noidn"
        )
    except LabError:
        return ""


def carrier(lab: Archipelago, where: str, cable: str) -> tuple[bool, bool]:
    """Return whether a landing router's interface is administratively up, and whether it has carrier."""
    flags = lab.spaces[where].run("ip", "-o", "link", "show", f"c-{cable}").split("<")[1].split(">")[0].split(",")
    return "UP" in flags, "LOWER_UP" in flags
