"""The shipped files as they are, and the operator's laid over them row by row."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerting.channels import CHANNELS
from alerting.model import Severity
from monitor.config import Settings, check, load
from monitor.data import shipped
from monitor.model import Phase
from probes.dns import Dns
from probes.icmp import Icmp
from probes.tcp import Tcp

LAB_MAIL = "{kind: smtp, enabled: true, host: mail.agency.net, sender: lambi@agency.net}"


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(None, {})


def _over(folder: Path, **files: str) -> Settings:
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.write_text(text)
    problems = check(folder, {"SECRET": "hunter2"})
    assert problems == []
    return load(folder, {"SECRET": "hunter2"})


def test_as_shipped_nothing_is_wrong() -> None:
    assert check(None, {}) == []


def test_as_shipped_nobody_can_be_reached(settings: Settings) -> None:
    assert settings.channels == {}
    assert len({contact.agency for contact in settings.directory.contacts.values()}) == 3
    for contact in settings.directory.contacts.values():
        assert not any(address.enabled for address in contact.addresses)


def test_as_shipped_the_references_can_carry_the_guard(settings: Settings) -> None:
    checks = [check for check in settings.world.checks.values() if check.reference]
    for family in (4, 6):
        mine = [check for check in checks if check.target.family == family]
        assert len(mine) >= 5
        assert len({check.reference for check in mine}) >= 3
    assert {check.every for check in checks} == {5.0}
    assert {check.asset for check in checks} == {settings.world.vantage} == {"vantage:here"}


def test_doors_are_on_loopback(settings: Settings) -> None:
    assert (settings.public.host, settings.public.port) == ("127.0.0.1", 8080)
    assert (settings.ops.host, settings.ops.port, settings.ops.token) == ("127.0.0.1", 9115, None)
    assert settings.base_url == "http://127.0.0.1:8080"
    assert settings.state == shipped("var")
    assert settings.control == settings.state / "control.sock"


def test_packets_per_minute_counts_every_check(settings: Settings) -> None:
    checks = settings.world.checks.values()
    dns = sum(60 / check.every for check in checks if check.kind == "dns")
    assert dns == pytest.approx(12 * 12 + 258)
    assert settings.packets_per_minute > dns


def test_severities_keep_their_order_and_none_opens_nothing(settings: Settings) -> None:
    rows = settings.world.severities
    assert (rows[0].kind, rows[0].phase, rows[0].severity) == ("vantage", Phase.DOWN, Severity.CRITICAL)
    assert [row.severity for row in rows if row.kind == "website" and row.phase is Phase.DEGRADED] == [None]
    assert settings.directory.deadlines == {"info": 3600, "warning": 14400, "major": 43200, "critical": 86400}


def test_a_router_a_contact_and_a_route_are_added(tmp_path: Path) -> None:
    settings = _over(
        tmp_path,
        lambi=f"site: b\nchannels: {{mail: {LAB_MAIL}}}\n",
        targets='assets: [{id: "router:bgi-1", name: Bridgetown, territory: BB}]\n'
        "targets:\n  - router:bgi-1 192.0.2.1\n  - router:bgi-1 2001:DB8::1\n"
        '  - {asset: "ixp:ttix1", address: 192.0.2.9, probe: tcp, every: 20s, settings: {port: 179}}\n'
        '  - {asset: "nameserver:a.lactld.org", address: 192.0.2.3, settings: {query: "bb."}}\n',
        contacts="contacts: [{name: noc, agency: Net, addresses: [{channel: mail, to: noc@agency.net}]}]\n",
        routes="routes: [{name: bb, contacts: [noc], territories: [BB], at_least: warning}]\n",
    )
    checks = settings.world.checks
    assert checks["router:bgi-1/192.0.2.1/icmp"].probe == Icmp()
    assert checks["router:bgi-1/2001:db8::1/icmp"].target.family == 6
    assert (checks["ixp:ttix1/192.0.2.9/tcp/179"].probe, checks["ixp:ttix1/192.0.2.9/tcp/179"].every) == (Tcp(179), 20)
    assert checks["nameserver:a.lactld.org/192.0.2.3/dns/bb"].probe == Dns("bb.")
    assert settings.site == "B"
    assert [route.name for route in settings.directory.routes][-1] == "bb"
    assert "noc" in settings.directory.contacts
    assert "ctu-desk" in settings.directory.contacts
    assert isinstance(settings.channels["mail"], CHANNELS["smtp"])


def test_a_row_changes_where_it_says_so_and_goes_when_removed(tmp_path: Path) -> None:
    settings = _over(
        tmp_path,
        lambi="guard: {references: [{id: a-root, network: Other}, {id: m-root, remove: true}]}\nchecks:\n"
        "  website: {http: {every: 10m}}\n",
        contacts="contacts: [{name: ctu-desk, zone: America/Barbados}, {name: ixp-noc, remove: true}]\n",
        routes="routes: [{name: exchange-points, remove: yes}]\n",
    )
    references = {check.target.id.partition("/")[0]: check.reference for check in settings.world.checks.values()}
    assert references["reference:a-root"] == "Other"
    assert "reference:m-root" not in references
    assert set(settings.directory.contacts) == {"ctu-desk", "cdema-watch"}
    assert settings.directory.contacts["ctu-desk"].zone == "America/Barbados"
    assert settings.directory.contacts["ctu-desk"].agency == "Caribbean Telecommunications Union"
    assert {check.every for check in settings.world.checks.values() if check.kind == "http"} == {600}


def test_targets_of_two_files_add_up(tmp_path: Path) -> None:
    settings = _over(tmp_path, lambi="targets: [ixp:grex 192.0.2.1]\n", targets="targets: [ixp:grex 192.0.2.2]\n")
    assert {"ixp:grex/192.0.2.1/icmp", "ixp:grex/192.0.2.2/icmp"} <= set(settings.world.checks)


def test_an_empty_overlay_changes_nothing(tmp_path: Path, settings: Settings) -> None:
    assert _over(tmp_path, lambi="", contacts="contacts:\n", targets="# nothing yet\n") == settings


def test_text_stays_text_whatever_yaml_would_guess(tmp_path: Path) -> None:
    settings = _over(
        tmp_path,
        lambi="vantage: {id: no, name: 1:30}\nalerts: {desk: +12462000000}\nchannels: {sms: {enabled: true,"
        " url: 'http://127.0.0.1/', username: on, password: {env: SECRET}}}\n",
        contacts="contacts: [{name: noc, agency: 2026-11-23, addresses: [{channel: sms, to: +1 246 200 0000}]}]\n",
    )
    assert settings.world.assets["vantage:no"].name == "1:30"
    assert settings.directory.desk == "+12462000000"
    assert settings.directory.contacts["noc"].agency == "2026-11-23"
    assert settings.directory.contacts["noc"].addresses[0].to == "+12462000000"


def test_only_one_family_where_the_vantage_has_one(tmp_path: Path) -> None:
    settings = _over(tmp_path, lambi="vantage: {families: 4}\n")
    assert {check.target.family for check in settings.world.checks.values()} == {4}


def test_secrets_are_found_and_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "sms"
    secret.write_text("hunter2\n")
    settings = _over(
        tmp_path,
        lambi="channels:\n  sms: {enabled: true, url: 'http://127.0.0.1/', username: lambi, "
        f"password: {{file: {secret}}}}}\nweb:\n  ops: {{host: 192.0.2.1, port: 9115, token: {{env: SECRET}}}}\n",
    )
    assert settings.ops.token == "hunter2"
    assert settings.channels["sms"].password == "hunter2"
    assert "hunter2" not in repr(settings)


def test_only_an_operators_word_confirms_a_dependency(tmp_path: Path, settings: Settings) -> None:
    assert settings.world.dependencies
    assert not any(dependency.confirmed for dependency in settings.world.dependencies)
    depends = 'depends: [{asset: "ixp:barix", on: ["cable:eclink"], confirmed: true}]\n'
    own = _over(tmp_path, targets=f'targets: ["ixp:barix 192.0.2.1"]\n{depends}')
    mine = [dependency for dependency in own.world.dependencies if dependency.asset == "ixp:barix"]
    assert [(dependency.needs, dependency.confirmed) for dependency in mine] == [(("cable:eclink",), True)]


def test_at_home_no_cable_lies_between(tmp_path: Path) -> None:
    settings = _over(tmp_path, lambi="vantage: {territory: TT}\n")
    assert not any(dependency.asset.startswith("ixp:ttix") for dependency in settings.world.dependencies)


def test_what_a_dependency_rule_target_and_incident_may_say(tmp_path: Path) -> None:
    (tmp_path / "lambi.yaml").write_text(
        "vantage: {territory: BB}\n"
        "incidents: {settle: 60s, hold: 5m, reopen: 1h}\n"
        "rules:\n  link: {flap: 0, steady: 4, degraded_fall: 5, degraded_rise: 6, agree: 2}\n"
    )
    (tmp_path / "targets.yaml").write_text(
        "targets:\n"
        "  - {asset: 'ixp:grex', address: 192.0.2.1, rule: link, local: true}\n"
        "  - 'ixp:barix 192.0.2.2'\n"
        "depends:\n"
        "  - {asset: 'ixp:grex', on: ['cable:arcos', 'cable:eclink'], mode: weight, weights: ['2.5', 1], at_least: 3,\n"
        "     confirmed: true, from: '2026-06-01 00:00', until: 2026-12-01T04:00:00Z, source: lease, as_of: 2026-05}\n"
    )
    world = load(tmp_path, {}).world
    assert (world.settle_seconds, world.hold_seconds, world.reopen_seconds) == (60.0, 300.0, 3600.0)
    rules = {check.asset: check for check in world.checks.values() if check.asset.startswith("ixp:")}
    rule = rules["ixp:grex"].rule
    assert (rule.flap, rule.steady, rule.degraded_fall, rule.degraded_rise, rule.agree) == (0, 4, 5, 6, 2)
    assert [rules[name].local for name in ("ixp:grex", "ixp:barix")] == [True, False]
    (dependency,) = [one for one in world.dependencies if one.asset == "ixp:grex"]
    assert (dependency.mode, dependency.weights, dependency.at_least) == ("weight", (2.5, 1.0), 3.0)
    assert (dependency.source, dependency.as_of, dependency.confirmed) == ("lease", "2026-05", True)
    assert dependency.since == datetime(2026, 6, 1, 4, tzinfo=UTC)  # on the clock of the vantage's territory
    assert dependency.until == datetime(2026, 12, 1, 4, tzinfo=UTC)


def test_as_shipped_an_incident_is_held_for_two_minutes_and_opens_again_within_five() -> None:
    world = load(None, {}).world
    assert (world.settle_seconds, world.hold_seconds, world.reopen_seconds) == (120.0, 120.0, 300.0)
    assert {(rule.flap, rule.steady) for rule in (check.rule for check in world.checks.values())} == {(6, 10)}


def test_what_the_inventory_suggests_says_how_old_and_how_sure_it_is() -> None:
    found = {(one.as_of, one.confidence) for one in load(None, {}).world.dependencies}
    assert found == {("2022-12", "medium")}


def test_a_channel_has_the_cap_of_its_form_unless_it_has_one_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "lambi.yaml").write_text(
        "channels: {digicel: {kind: kannel}, modem: {kind: kannel}}\nalerts: {caps: {modem: {gap: 5m}}}\n"
    )
    caps = load(tmp_path, {}).directory.caps
    assert caps["digicel"] == caps["sms"]
    assert (caps["sms"].gap, caps["sms"].storm) == (90.0, 10)
    assert (caps["modem"].gap, caps["modem"].storm) == (300.0, 0)


@pytest.mark.parametrize(("letter", "taken"), [("E", "exercises"), ("p", "postures"), ("X", "alerts of other systems")])
def test_a_letter_that_stands_before_other_numbers_is_no_sites(tmp_path: Path, letter: str, taken: str) -> None:
    (tmp_path / "lambi.yaml").write_text(f"site: {letter}\n")
    (problem,) = check(tmp_path, {})
    assert f"{letter.upper()} stands before the numbers of {taken}" in str(problem)
