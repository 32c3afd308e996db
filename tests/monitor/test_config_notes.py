"""What is allowed and yet does nothing is a note with its line: it stops nobody, and is said at every start."""

from pathlib import Path

import pytest

from monitor.config import load
from monitor.data import shipped

MAIL = "channels: {mail: {enabled: true, host: mail.agency.net, sender: lambi@agency.net}}\n"
NOC = "contacts:\n  - {name: noc, agency: Net, addresses: [{channel: mail, to: noc@agency.net}]}\n"
ROUTE = "routes:\n  - {name: bb, contacts: [noc]}\n"


def noted(folder: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return [str(note).replace(f"{folder}/", "") for note in load(folder, {}).notes]


def test_as_shipped_nothing_is_noted_though_every_example_is_off() -> None:
    assert load(None, {}).notes == ()


def test_what_works_is_not_noted(tmp_path: Path) -> None:
    targets = (
        "assets: [{id: 'router:a', name: A}, {id: 'site:s', name: S}]\n"
        "targets: ['router:a 192.0.2.1', 'cable:arcos 192.0.2.2']\n"
        "depends:\n"
        "  - {asset: 'router:a', on: ['site:s'], confirmed: true}\n"
        "  - {asset: 'site:s', on: ['cable:arcos'], confirmed: true}\n"
        "  - {asset: 'ixp:grex', on: ['cable:eclink'], confirmed: false}\n"
    )
    assert noted(tmp_path, lambi=MAIL, contacts=NOC, routes=ROUTE, targets=targets) == []


def test_a_contact_whose_language_is_not_there_is_told_in_english(tmp_path: Path) -> None:
    contacts = NOC.replace("agency: Net,", "agency: Net, language: de,")
    assert noted(tmp_path, lambi=MAIL, routes=ROUTE, contacts=contacts) == [
        'contacts.yaml:2: contacts[0].language: no text of ours is there in "de": this contact is told in English; '
        "expected en, es, fr, nl, ht, pap"
    ]


def test_a_dependency_on_what_nobody_asks_explains_nothing(tmp_path: Path) -> None:
    targets = (
        "targets: ['ixp:grex 192.0.2.1', 'cable:arcos 192.0.2.2']\n"
        "depends:\n"
        "  - {asset: 'ixp:grex', on: ['cable:eclink'], confirmed: true}\n"
        "  - {asset: 'ixp:grex', on: ['cable:arcos', 'cable:eclink'], mode: any, confirmed: true}\n"
        "  - {asset: 'ixp:grex', on: ['cable:arcos']}\n"
    )
    silent = 'never explains why "ixp:grex" does not answer; expected a target: "cable:eclink ADDRESS"'
    assert noted(tmp_path, targets=targets) == [
        f'targets.yaml:3: depends[0].on[0]: nothing asks "cable:eclink", so it {silent}',
        f'targets.yaml:4: depends[1].on[1]: nothing asks "cable:eclink", so this dependency {silent}',
        "targets.yaml:5: depends[2].confirmed: a guess that silences nobody; "
        "expected confirmed: true, or confirmed: false if it is meant as a guess",
    ]


def test_an_asset_that_nobody_asks_is_not_watched(tmp_path: Path) -> None:
    assert noted(tmp_path, targets="assets:\n  - {id: 'router:a', name: A}\n") == [
        'targets.yaml:2: assets[0].id: nothing asks "router:a", so it is not watched; '
        'expected a target: "router:a ADDRESS"'
    ]


def test_a_contact_that_no_route_names(tmp_path: Path) -> None:
    assert noted(tmp_path, lambi=MAIL, contacts=NOC) == [
        'contacts.yaml:2: contacts[0].name: no route names "noc"; expected a route with contacts: [noc]'
    ]


def test_an_address_on_a_channel_that_is_off_stops_nobody(tmp_path: Path) -> None:
    assert noted(tmp_path, contacts=NOC, routes=ROUTE) == [
        'contacts.yaml:2: contacts[0].addresses[0].channel: channel "mail" is off, so this address is never used; '
        "expected channels.mail.enabled: true",
        "routes.yaml:2: routes[0].contacts: reaches nobody: no address of noc is enabled on a channel that is on",
    ]


def test_a_route_whose_contacts_are_all_switched_off(tmp_path: Path) -> None:
    off = NOC.replace("net}]", "net, enabled: false}]")
    assert noted(tmp_path, lambi=MAIL, contacts=off, routes=ROUTE.replace("[noc]", "[noc, ctu-desk]")) == [
        "routes.yaml:2: routes[0].contacts: reaches nobody: "
        "no address of noc, ctu-desk is enabled on a channel that is on"
    ]


@pytest.mark.parametrize("desk", ["", "911", "+1 246 417 0000", "NOC (246) 417-0000", "*123#"])
def test_a_desk_is_what_can_be_dialled(tmp_path: Path, desk: str) -> None:
    (tmp_path / "lambi.yaml").write_text(f'alerts: {{desk: "{desk}"}}\n')
    assert load(tmp_path, {}).directory.desk == desk


def test_where_a_key_would_be_set_is_the_operators_own_file(tmp_path: Path) -> None:
    assert load(tmp_path, {}).file == tmp_path / "lambi.yaml"
    assert not load(None, {}).file.is_relative_to(shipped("config"))


TWO = NOC + "  - {name: mute, agency: Net}\n"


def test_steps_and_duty_that_reach_nobody_and_ladders_that_nothing_enters_are_noted(tmp_path: Path) -> None:
    contacts = TWO + "rotations:\n  - {name: duty, since: 2026-11-30 08:00, members: [noc, mute]}\n"
    routes = ROUTE + "ladders:\n  - {name: up, agency: Net, steps: [{tell: [duty]}, {tell: [mute]}]}\n"
    assert noted(tmp_path, lambi=MAIL, contacts=contacts, routes=routes) == [
        "contacts.yaml:5: rotations[0].members: mute cannot be reached while on duty: no address is enabled on "
        "a channel that is on",
        'routes.yaml:4: ladders[0].name: no route enters "up"; expected a route with ladders: [up]',
        "routes.yaml:4: ladders[0].steps[1].tell: this step reaches nobody: no address of mute is enabled on "
        "a channel that is on",
    ]


def test_a_calendar_with_a_gap_is_noted(tmp_path: Path) -> None:
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{n}\r\nSUMMARY:noc\r\nDTSTART:202612{day}T080000Z\r\nDURATION:P1D\r\nEND:VEVENT\r\n"
        for n, day in enumerate(("01", "02", "05"))
    )
    (tmp_path / "duty.ics").write_text(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{events}END:VCALENDAR\r\n")
    contacts = NOC + "rotations:\n  - {name: duty, calendar: duty.ics}\n"
    assert noted(tmp_path, lambi=MAIL, contacts=contacts, routes=ROUTE.replace("noc", "duty")) == [
        "contacts.yaml:4: rotations[0].calendar: nobody is on duty from 2026-12-03 08:00 to 2026-12-05 08:00 UTC; "
        "expected a shift, or an override"
    ]


def test_a_tree_inherits_what_its_children_do_not_say(tmp_path: Path) -> None:
    (tmp_path / "contacts.yaml").write_text(TWO)
    (tmp_path / "routes.yaml").write_text(
        "routes:\n  - {name: top, contacts: [noc], repeat: 6h, group_by: [kind], routes: [\n"
        "    {name: a, kinds: [cable], continue: true}, {name: b, contacts: [mute], repeat: 0s}]}\n"
    )
    routes = load(tmp_path, {}).directory.by_name
    assert (routes["a"].contacts, routes["a"].repeat_seconds, routes["a"].group_by) == (("noc",), 21600.0, ("kind",))
    assert routes["a"].proceed
    assert (routes["b"].contacts, routes["b"].repeat_seconds) == (("mute",), 0.0)


def test_a_contact_without_a_way_is_named_though_the_others_of_its_route_can_be_reached(tmp_path: Path) -> None:
    off = "  - {name: lead, agency: Net, addresses: [{channel: mail, to: lead@agency.net, enabled: false}]}\n"
    both = "routes:\n  - {name: bb, contacts: [noc, lead]}\n"
    assert noted(tmp_path, lambi=MAIL, contacts=NOC + off, routes=both) == [
        "contacts.yaml:3: contacts[1].addresses: lead is named and cannot be reached: no address is enabled on a "
        "channel that is on; expected an address, or a route without this contact"
    ]
