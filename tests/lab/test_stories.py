"""Stories of the archipelago: what breaks in the sea, what the daemon makes of it, what people are sent."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import pytest

from alerting.gsm import ONE_PART, septets
from monitor.data import shipped
from tests.lab.archipelago import Archipelago
from tests.lab.lambi import Lambi

pytestmark = pytest.mark.lab
FALL, CADENCE = 3, 2.0
"""The lab's rule, and how often it asks a cable."""
SOON = 3 * (FALL * CADENCE + 2)
BON = ("router:bon", "nameserver:ns1.bon.example", "cctld:bon.example", "website:www.bon.example")
ANT = ("router:ant", "nameserver:ns1.ant.example", "cctld:ant.example")
CABLES = ("cable:ant1", "cable:ant2", "cable:bon1")
SILENT = {"silence: 2s": "silence: 8s"}
"""From the lab's rule to the shipped one."""


class Watchers:
    """Starts daemons that end with the test, however it ends."""

    def __init__(self, lab: Archipelago, stack: ExitStack) -> None:
        self._lab, self._stack, self._count = lab, stack, 0

    def at(self, vantage: str, **changes: str) -> Lambi:
        """Start a daemon at a vantage, its overlay changed by text, and wait until everything is UP."""
        self._count += 1
        lambi = Lambi(self._lab, vantage, f"l{len(self._lab.guests)}", self._count)
        overlay = lambi.config / "lambi.yaml"
        for old, new in changes.items():
            overlay.write_text(overlay.read_text().replace(old, new))
        lambi.start()
        self._stack.callback(lambi.kill)
        return lambi


@pytest.fixture
def watchers(lab: Archipelago) -> Iterator[Watchers]:
    with ExitStack() as stack:
        yield Watchers(lab, stack)


def only_incident(lambi: Lambi, **where: object) -> dict[str, Any]:
    """Wait for an incident; it is the only one."""
    lambi.wait(f"an incident {where}", lambda: lambi.incidents(**where), SOON)
    (incident,) = lambi.incidents()
    return incident


def moment(incident: dict[str, Any], key: str) -> datetime:
    return datetime.fromisoformat(incident[key])


def same(states: dict[str, str], assets: tuple[str, ...]) -> set[str]:
    return {states[asset] for asset in assets}


@pytest.mark.parametrize("fault", ["cut", "silent_cut"])
def test_the_only_cable_of_an_island_is_cut(lab: Archipelago, watchers: Watchers, fault: str) -> None:
    """Seen from the hub: the island is gone. Seen from the island: the world is gone."""
    hub, island = watchers.at("hub"), watchers.at("bon")
    hub.wait_all_up()
    island.wait_all_up()
    cut = hub.now()
    getattr(lab, fault)("bon1")

    hub.wait_for({"cable:bon1": "down"} | dict.fromkeys(BON, "unreachable"), SOON)
    incident = only_incident(hub, asset="cable:bon1", severity="critical")
    assert 0 < (moment(incident, "opened") - cut).total_seconds() <= FALL * CADENCE + 2
    hub.wait("all stand behind it", lambda: set(only_incident(hub)["unreachable"]) == {*BON, "cable:cay2"}, SOON)
    assert incident["left"] == "Router bon has nothing left"
    assert same(hub.states(), ("cable:ant1", "cable:ant2", *ANT)) == {"up"}
    hub.wait("one mail, one SMS", lambda: hub.told() == (1, 1), SOON)
    check_first_messages(hub)
    check_pages(hub)

    island.wait_for(dict.fromkeys((*CABLES, *ANT), "unknown") | dict.fromkeys(BON, "up"), SOON)
    blind = only_incident(island, asset="vantage:lab-bon", open=True)
    assert blind["title"] == "Lab vantage at bon cut off"
    assert "cannot see the world" in island.get("/")
    island.wait("messages that cannot leave for a while", lambda: island.pause() > 6, 60)
    assert island.told() == (0, 0)

    lab.heal("bon1")
    hub.wait_all_up()
    island.wait_all_up()
    hub.wait("the same contacts told", lambda: hub.told() == (2, 2), SOON)
    island.wait("the messages that waited", lambda: island.told() == (1, 1), SOON)
    check_end(hub, incident["id"], "was down")
    check_late_news(island)
    assert same(hub.states(), (*CABLES, *ANT, *BON)) == {"up"}
    assert [row[:2] for row in hub.planned()] == [("1", "first")] * 2 + [("1", "resolved")] * 2
    assert {state for *_, state in hub.planned()} == {"accepted"}
    assert (hub.told(), island.told()) == ((2, 2), (1, 1))
    hub.stop()
    island.stop()


def check_first_messages(hub: Lambi) -> None:
    """Id, what, where, since, the first move; the mail carries the whole runbook."""
    (sms,), (mail,) = hub.texts(), hub.mails()
    assert sms.text.startswith("1 CRITICAL: Cable bon1 down, Caribbean Netherlands, since ")
    assert sms.text.endswith(" AST. Ping the far end yourself, then call the cable's NOC. Desk +12465550199")
    assert septets(sms.text) <= ONE_PART
    assert mail.message["Subject"] == "[1] CRITICAL: Cable bon1 down, Caribbean Netherlands"
    _, _, steps = shipped("runbooks/cable-cut.md").read_text().partition("\n---\n")
    assert steps.strip() in mail.text
    assert "What is left: Router bon has nothing left" in mail.text


def check_pages(hub: Lambi) -> None:
    assert "Cable bon1 down" in hub.get("/")
    story = hub.get("/incidents/1")
    assert "Lab operations" in story
    assert "Ping the far end yourself" in story
    assert "@noc.lab" not in story
    assert "+999" not in story
    assert "behind cable bon1" in hub.get("/asset/router:bon").lower()
    sent = {("lab-mail", "first", "sent"), ("lab-sms", "first", "sent")}

    def told() -> set[tuple[str, str, str]]:
        return {(row["channel"], row["reason"], row["state"]) for row in hub.json("incident/1")["told"]}

    hub.wait("the page says that it was sent", lambda: told() == sent, SOON)  # the answer follows the delivery


def check_end(hub: Lambi, number: str, was: str) -> None:
    (ended,) = hub.incidents()
    assert (ended["id"], ended["open"]) == (number, False)
    sms, mail = hub.texts()[-1], hub.mails()[-1]
    name = ended["title"].replace(" was ", " ")  # the message says when it was so instead
    assert sms.text.startswith(f"{number} OVER: {name}, Caribbean Netherlands, {was} ")
    assert "now answers again" in sms.text
    assert "you were not told" not in sms.text
    assert str(mail.message["Subject"]).startswith(f"[{number}] OVER: ")
    assert mail.message["In-Reply-To"] == hub.mails()[0].message["In-Reply-To"] or mail.message["References"]


def check_late_news(island: Lambi) -> None:
    """What left when the cable was back tells the truth of that moment, and why it is late."""
    (sms,), (mail,) = island.texts(), island.mails()
    assert sms.text.startswith("1 OVER: Lab vantage at bon cut off")
    assert "was cut off " in sms.text
    assert "you were not told because this site was cut off" in sms.text
    assert "now answers again; you were not told because this site was cut off." in mail.text
    (incident,) = island.incidents()
    assert not incident["open"]


def test_one_address_family_is_cut(lab: Archipelago, watchers: Watchers) -> None:
    hub = watchers.at("hub")
    hub.wait_all_up()
    lab.family_cut("bon1", 6)
    hub.wait_for(dict.fromkeys(("cable:bon1", *BON), "degraded"), SOON)
    checks = hub.checks("cable:bon1", *BON)
    assert {check["state"] for check in checks if check["family"] == 6} == {"down"}
    assert {check["state"] for check in checks if check["family"] == 4} == {"up"}
    hub.wait("an incident of the cable", lambda: hub.incidents(asset="cable:bon1"), SOON)
    found = {one["asset"]: one for one in hub.incidents()}
    assert {one["state"] for one in found.values()} == {"degraded"}
    assert found["cable:bon1"]["title"] == "Cable bon1 degraded"
    assert all("IPv6" in one["reason"] and "IPv4" not in one["reason"] for one in found.values())
    assert same(hub.states(), ("cable:ant1", "cable:ant2", *ANT)) == {"up"}
    lab.heal("bon1")
    hub.wait_all_up()
    hub.wait("every incident over", lambda: not any(one["open"] for one in hub.incidents()), SOON)
    hub.stop()


def test_a_burst_of_loss_is_no_outage(lab: Archipelago, watchers: Watchers) -> None:
    """Looks must fail for 8 s before a silent target is believed to be down, as shipped."""
    hub = watchers.at("hub", **SILENT)
    hub.wait_all_up()
    lab.loss("bon1", 30)
    hub.wait("a doubt", lambda: any("no answer" in check["reason"] for check in hub.checks("cable:bon1", *BON)), SOON)
    lab.heal("bon1")
    hub.wait_all_up()
    assert (hub.incidents(), hub.told(), hub.planned()) == ([], (0, 0), [])
    hub.stop()
