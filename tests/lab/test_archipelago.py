"""The lab itself: it is whole when it is up, each fault does what its name says, nothing stays behind."""

import os
import signal
import smtplib
import socket
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.lab.archipelago import Archipelago
from tests.lab.look import carrier, ping_loss, pings, soa
from tests.lab.net import NAMED, Namespace, pids_in, until
from tests.lab.overlay import COMMUNITY
from tests.lab.runs import clean
from tests.lab.servers import serves, start_snmp
from tests.lab.topology import (
    BMP,
    CABLES,
    HUB_ROUTER,
    ISLANDS,
    REFERENCES,
    SMS,
    SMS_PASSWORD,
    SMS_USER,
    SMTP,
    TRAPS,
    VANTAGES,
)

pytestmark = pytest.mark.lab
ANT, BON = ISLANDS["ant"], ISLANDS["bon"]


@pytest.mark.parametrize(("vantage", "where"), VANTAGES.items())
def test_every_vantage_sees_every_cable_and_the_world(lab: Archipelago, vantage: str, where: str) -> None:
    far_ends = [cable.far_end(family, vantage) for cable in CABLES.values() for family in (4, 6)]
    assert [address for address in far_ends if not pings(lab, where, address)] == []
    assert all(soa(lab, where, server, ".") for _, *pair in REFERENCES for server in pair)


def test_the_zones_are_signed(lab: Archipelago) -> None:
    for island in ISLANDS.values():
        for server in island.dns:
            assert "SOA 13 2" in soa(lab, "van", server, island.zone)


def test_a_cut_isolates_an_island_with_one_cable(lab: Archipelago) -> None:
    lab.cut("bon1")
    assert carrier(lab, "hub", "bon1") == carrier(lab, "bon", "bon1") == (True, False)
    assert not pings(lab, "van", CABLES["bon1"].far_end(4, "hub"))
    assert not soa(lab, "van", BON.dns[0], BON.zone)
    assert soa(lab, "bon", BON.dns[1], BON.zone)
    assert not any(soa(lab, "bon", server, ".") for server in REFERENCES[0][1:])
    assert pings(lab, "van", ANT.router[0])
    lab.heal("bon1")
    lab.settle()
    assert carrier(lab, "hub", "bon1") == (True, True)


def test_the_second_cable_carries_on_and_each_cable_is_seen_alone(lab: Archipelago) -> None:
    lab.cut("ant1")
    until(lambda: all(pings(lab, "van", address) for address in ANT.router), 5, "BGP takes the other cable")
    assert not pings(lab, "van", CABLES["ant1"].far_end(4, "hub"))
    assert not pings(lab, "ant", CABLES["ant1"].far_end(6, "ant"))
    assert all(pings(lab, "van", CABLES["ant2"].far_end(family, "hub")) for family in (4, 6))


def test_a_cut_backup_leaves_traffic_alone(lab: Archipelago) -> None:
    lab.cut("ant2")
    assert pings(lab, "van", ANT.router[0])
    assert pings(lab, "van", CABLES["ant1"].far_end(6, "hub"))
    assert not pings(lab, "van", CABLES["ant2"].far_end(6, "hub"))


def test_a_silent_cut_shows_in_no_carrier_and_routes_move_on(lab: Archipelago) -> None:
    lab.silent_cut("ant1")
    assert carrier(lab, "hub", "ant1") == carrier(lab, "ant", "ant1") == (True, True)
    assert not pings(lab, "van", CABLES["ant1"].far_end(4, "hub"))
    until(lambda: all(pings(lab, "van", address) for address in ANT.router), 10, "BGP leaves the dead cable")


def test_one_family_can_be_cut(lab: Archipelago) -> None:
    lab.family_cut("bon1", 6)
    assert pings(lab, "van", CABLES["bon1"].far_end(4, "hub"))
    assert not pings(lab, "van", CABLES["bon1"].far_end(6, "hub"))
    lab.heal("bon1")
    lab.family_cut("bon1", 4)
    assert not pings(lab, "van", CABLES["bon1"].far_end(4, "hub"))
    assert pings(lab, "van", CABLES["bon1"].far_end(6, "hub"))


def test_a_share_of_packets_can_be_lost(lab: Archipelago) -> None:
    lab.loss("bon1", 50)
    assert 30 < ping_loss(lab, "van", CABLES["bon1"].far_end(4, "hub"), 200) < 70


def test_a_name_server_dies_and_comes_back(lab: Archipelago) -> None:
    lab.kill_dns("bon")
    assert not soa(lab, "van", BON.dns[0], BON.zone)
    assert pings(lab, "van", BON.dns[0])
    lab.start_dns("bon")
    assert soa(lab, "van", BON.dns[0], BON.zone)


def test_messages_arrive_and_only_over_a_cable(lab: Archipelago) -> None:
    send_mail(lab.spaces["ant"], "Está caído")
    send_sms(lab.spaces["bon"], "OUTAGE #4711\nligne 2 é")
    send_sms(lab.spaces["van"], "isla á")
    until(lambda: len(lab.received_sms()) == 2 and len(lab.received_mail()) == 1, 5, "every message has arrived")
    mail, sms = lab.received_mail()[0], lab.received_sms()[0]
    assert (mail.to, mail.message["Subject"], mail.text.strip()) == ("noc@example.org", "Cable", "Está caído")
    assert (sms.to, sms.text) == ("12465550123", "OUTAGE #4711\nligne 2 é")
    assert lab.received_sms()[1].text == "isla á"
    lab.cut("bon1")
    with pytest.raises(OSError, match=r"timed out|unreachable"):
        send_sms(lab.spaces["bon"], "lost")


def test_a_landing_router_sends_a_trap_soon_after_a_cut(lab: Archipelago) -> None:
    with lab.spaces["van"].inside():
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with ear:
        ear.bind(TRAPS)
        ear.settimeout(10)
        start_snmp(lab.daemons, "hub", HUB_ROUTER[0], COMMUNITY)
        await_trap(ear, LINK_UP)  # it tells of every interface when it starts
        lab.cut("bon1")
        await_trap(ear, LINK_DOWN)


LINK_DOWN, LINK_UP = (bytes.fromhex(f"2b060106030101050{number}") for number in (3, 4))
"""linkDown and linkUp (RFC 3418), as BER has them."""


def await_trap(ear: socket.socket, kind: bytes) -> None:
    while kind not in ear.recv(4096):
        pass


def test_the_hub_exports_what_its_bgp_sessions_say(lab: Archipelago) -> None:
    with lab.spaces["van"].inside():
        door = socket.create_server(BMP)
    with door:
        door.settimeout(10)
        session, _ = door.accept()
    with session:
        session.settimeout(10)
        heard = session.recv(4096)
        assert (heard[0], heard[5]) == (3, 4), "version 3, initiation (RFC 7854)"
        cay = bytes([24, 198, 18, 48])
        while cay not in heard:
            heard += session.recv(4096)


def test_a_guest_runs_inside_and_says_where(lab: Archipelago) -> None:
    guest = lab.run_in("bon", ["ip", "-o", "addr", "show", "lo"], name="guest")
    assert guest.wait(timeout=5) == 0
    assert BON.dns[0] in lab.daemons.output("guest").read_text()


def test_two_labs_live_side_by_side_and_one_leaves_without_a_trace(lab: Archipelago) -> None:
    with Archipelago() as other:
        spaces, folder = list(other.spaces.values()), other.folder
        other.cut("bon1")
        assert not pings(other, "van", BON.router[0])
        assert serves(lab.daemons, "bon", lab.spaces["van"])
        inside = pids_in(spaces)
    assert len(inside) > 10
    assert not [pid for pid in inside if running(pid)]
    assert not [space for space in spaces if space.path.exists()]
    assert not folder.exists()


KILLED = """
import time
from tests.lab.archipelago import Archipelago
with Archipelago() as lab:
    print(lab.folder.name, flush=True)
    time.sleep(600)
"""


def test_what_a_killed_lab_left_is_swept_away(lab: Archipelago) -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", KILLED], cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        prefix = process.stdout.readline().strip()
        os.kill(process.pid, signal.SIGKILL)
    left = [Namespace(path.name) for path in NAMED.glob(f"{prefix}-*")]
    inside = pids_in(left)
    assert inside
    clean()  # or whichever lab began meanwhile
    assert not list(NAMED.glob(f"{prefix}-*"))
    assert not [pid for pid in inside if running(pid)]
    assert pings(lab, "van", BON.router[0])


def running(pid: int) -> bool:
    """An orphan that init has not yet collected runs no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def send_mail(space: Namespace, text: str) -> None:
    with space.inside(), smtplib.SMTP(*SMTP, timeout=2) as server:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "lambi@example.org", "noc@example.org", "Cable"
        message.set_content(text)
        server.send_message(message)


def send_sms(space: Namespace, text: str) -> None:
    coding = 2 if "á" in text else 0
    asked = {"username": SMS_USER, "password": SMS_PASSWORD, "to": "12465550123", "text": text}
    asked |= {"charset": "UTF-8", "coding": str(coding)}
    space.fetch(f"http://{SMS[0]}:{SMS[1]}/cgi-bin/sendsms?{urlencode(asked)}", timeout=1)
