"""Lambi's configuration for the lab is whole, and no address outside the lab is in it."""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from alerting.model import Severity
from monitor.config import load
from probes.zone import pairs
from tests.lab.overlay import lambi_overlay
from tests.lab.topology import VANTAGES

LAB = [ip_network(text) for text in ("198.18.0.0/15", "100.64.0.0/10", "2001:db8::/32", "fd00:cab::/32")]
WATCHED = (
    "cable:ant1 cable:ant2 cable:bon1 router:ant router:bon website:www.bon.example "
    "nameserver:ns1.ant.example nameserver:ns1.bon.example zone:ant.example zone:bon.example"
)


@dataclass(frozen=True)
class Lab:
    """As much of a lab as a configuration needs."""

    authority: Path


@pytest.mark.parametrize("where", VANTAGES)
def test_it_asks_the_lab_and_nobody_else(where: str, tmp_path: Path) -> None:
    settings = load(lambi_overlay(Lab(tmp_path / "ca.pem"), where, tmp_path / "lambi"))
    checks = settings.world.checks.values()
    asked = [ip_address(check.target.address) for check in checks if check.kind != "zone"]
    zones = [check.probe for check in checks if check.kind == "zone"]
    asked += [ip_address(one) for probe in zones for text in (probe.servers, probe.parents) for _, one in pairs(text)]
    assert [address for address in asked if not any(address in network for network in LAB)] == []
    vantage = f"vantage:lab-{where}"
    assert {check.asset for check in settings.world.checks.values()} == {*WATCHED.split(), vantage}
    ways = [way for contact in settings.directory.contacts.values() for way in contact.addresses if way.enabled]
    assert [way.channel for way in ways] == ["lab-mail", "lab-sms"]
    own = {route.at_least for route in settings.directory.routes if route.contacts == ("duty",)}
    assert own == {Severity.CRITICAL, Severity.MAJOR, Severity.WARNING}
    assert set(settings.channels) == {"lab-mail", "lab-sms"}
    assert all(dependency.confirmed for dependency in settings.world.dependencies)
