"""An island with two cables, one of them through another island: who tells of what, and on which incident it stands."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.lab.archipelago import Archipelago
from tests.lab.lambi import Lambi
from tests.lab.overlay import COMMUNITY
from tests.lab.servers import start_snmp
from tests.lab.topology import HUB_ROUTER, ISLANDS

pytestmark = pytest.mark.lab
SOON = 30.0
"""Seconds; snmpd keeps for three what it has read of its interfaces."""
APART = timedelta(seconds=8)
CAY = ("router:cay", "nameserver:ns1.cay.example", "cctld:cay.example", "territory:KY")
BY_BGP = ("territory:AG", "territory:BQ", "territory:KY")


@pytest.fixture
def ris(lab: Archipelago) -> Iterator[subprocess.Popen[bytes]]:
    """The stream; it is silent at first."""
    argv = [sys.executable, "-m", "tests.lab.ris", lab.spaces["hub"].name, str(lab.folder / "ris-open")]
    process = lab.run_in("world", argv, name="ris")
    yield process
    process.kill()


@pytest.fixture
def hub(lab: Archipelago, ris: "subprocess.Popen[bytes]") -> Iterator[Lambi]:
    """A daemon that also asks landing routers by SNMP and hears the world's routers."""
    assert ris.poll() is None
    for where, address in (("hub", HUB_ROUTER[0]), ("bon", ISLANDS["bon"].router[0])):
        start_snmp(lab.daemons, where, address, COMMUNITY)
    lambi = Lambi(lab, "hub", "region", 1, region=True)
    lambi.start(("-m", "tests.lab.hasty"))
    yield lambi
    lambi.kill()


def states_but(lambi: Lambi, *but: str) -> list[str]:
    return [state for name, state in lambi.states().items() if name not in but]


def evidence(lambi: Lambi, incident: str) -> str:
    return "\n".join(lambi.json(f"incident/{incident}")["evidence"])


def test_the_first_of_two_cables_is_a_warning_the_last_one_an_outage_with_three_kinds_of_evidence(
    lab: Archipelago, hub: Lambi, ris: "subprocess.Popen[bytes]"
) -> None:
    hub.wait("all but the networks is up", lambda: set(states_but(hub, *BY_BGP)) == {"up"}, SOON)
    assert {hub.states()[name] for name in BY_BGP} == {"unknown"}, "before anything is heard nothing is withdrawn"
    assert hub.incidents() == []
    (lab.folder / "ris-open").touch()
    hub.wait_all_up()
    lab.cut("cay1")
    cut = hub.now()
    hub.wait_for({"cable:cay1": "down"} | dict.fromkeys((*CAY, "cable:cay2"), "up"), SOON)
    (first,) = hub.wait("an incident", hub.incidents, SOON)
    assert (first["severity"], first["left"]) == ("warning", "Router cay still has Cable cay2")
    assert first["unreachable"] == []
    hub.wait("one mail, one message", lambda: hub.told() == (1, 1), SOON)
    assert "What is left: Router cay still has Cable cay2" in hub.mails()[0].text
    dark = "c-cay1: its device says down"
    hub.wait("the landing router tells of it", lambda: dark in evidence(hub, first["id"]), SOON)
    part = {check["part"]: check["state"] for check in hub.checks("router:hub")}
    assert (part["c-cay1"], part["c-ant1"], hub.states()["router:hub"]) == ("down", "up", "up")
    hub.wait("nobody takes the next for the same moment", lambda: hub.now() - cut > APART, SOON)

    lab.cut("cay2")
    hub.wait_for({"cable:cay2": "down"} | dict.fromkeys(CAY, "unreachable"), SOON)
    first, second = hub.wait("a second incident", lambda: len(hub.incidents()) == 2 and hub.incidents(), SOON)
    assert (second["asset"], second["severity"]) == ("cable:cay2", "critical")
    number = second["id"]
    hub.wait("all stand behind it", lambda: set(hub.json(f"incident/{number}")["unreachable"]) == set(CAY), SOON)
    witnesses = (
        "cable:cay2/",
        "c-cay2: its device says down",
        "territory:KY/4/bgp: 1 of 1 announced prefixes have left the world's table: 198.18.48.0/24 of AS64503",
        "territory:KY/6/bgp: 1 of 1 announced prefixes have left the world's table: 2001:db8:48::/48 of AS64503",
    )
    hub.wait("all three tell of it", lambda: all(one in evidence(hub, number) for one in witnesses), SOON)
    assert "router:bon/" in evidence(hub, number)
    assert {hub.states()[name] for name in ("territory:AG", "territory:BQ", "router:hub", "router:bon")} == {"up"}
    hub.wait("two mails, two messages", lambda: hub.told() == (2, 2), SOON)

    lab.heal_all()
    hub.wait_all_up()
    hub.wait("both ends", lambda: [row[2] for row in hub.planned()] == ["accepted"] * 8, SOON)
    assert [one["open"] for one in hub.incidents()] == [False, False]
    assert sorted(row[:2] for row in hub.planned()) == [
        (each, reason) for each in "12" for reason in ("first", "first", "resolved", "resolved")
    ]

    ris.kill()
    hub.wait_for({"feed:ris-live": "down"} | dict.fromkeys(BY_BGP, "unknown"), SOON)
    blind = hub.wait("one incident of the stream", lambda: [one for one in hub.incidents() if one["open"]], SOON)
    assert [one["title"] for one in blind] == ["Feed RIS Live down"]
    assert set(states_but(hub, "feed:ris-live", *BY_BGP)) == {"up"}
    hub.stop()
