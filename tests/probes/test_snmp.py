"""Against a real snmpd (v2c and v3), and a scripted agent for what it never does."""

import asyncio
import grp
import json
import os
import pwd
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from probes.clock import SystemClock
from probes.model import Observation, Outcome, Part
from probes.report import as_dict, as_text
from probes.snmp import Device, Interface, Snmp, chosen, parts
from probes.snmp_engine import SnmpEngine, rated
from tests.ports import own_port
from tests.probes.agent import DOWN, UP, Agent, Port, table
from tests.probes.asks import asks_for, look
from tests.probes.namespace import ROOT
from tests.probes.servers import needed, running, udp_server

SNMPD = """\
agentaddress udp:127.0.0.1:{port},udp6:[::1]:{port}
rocommunity public
rocommunity6 public
createUser reader SHA "a long password" AES "another password"
rouser reader priv
createUser plain MD5 "a long password"
rouser plain auth
"""


@asynccontextmanager
async def agent(*ports: Port, **options: object) -> AsyncIterator[tuple[Agent, Snmp]]:
    made = Agent(table(*ports), **options)  # type: ignore[arg-type] # faults of an agent, by name

    def answer(server, data, addr):  # type: ignore[no-untyped-def] # as UdpServer calls it
        reply = made.answer(data)
        if reply is not None:
            server.transport.sendto(reply, addr)

    server, port = await udp_server(answer)
    try:
        yield made, Snmp(community="public", port=port)
    finally:
        server.transport.close()


async def once(snmp: Snmp, address: str = "127.0.0.1", family: int = 4, timeout: float = 10.0) -> Observation:
    engine = SnmpEngine(vantage="v", clock=SystemClock())
    (found,) = (await look(engine, asks_for(snmp, [(address, family)], timeout))).values()
    assert engine.bugs == 0
    await engine.close()
    return found


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    needed("snmpd")
    folder: Path = tmp_path_factory.mktemp("snmpd")
    port = own_port()
    (folder / "snmpd.conf").write_text(SNMPD.format(port=port))
    command = ["snmpd", "-C", "-c", str(folder / "snmpd.conf"), "-f", "-Lo", "-p", str(folder / "pid")]
    with running(["env", f"SNMP_PERSISTENT_DIR={folder}", *command], folder / "log") as wait:
        wait(lambda: "NET-SNMP version" in (folder / "log").read_text("utf-8", "replace"), "snmpd")
        yield port


@pytest.mark.parametrize(("address", "family"), [("127.0.0.1", 4), ("::1", 6)])
async def test_a_real_agent_tells_of_itself_and_its_interfaces(snmpd: int, address: str, family: int) -> None:
    seen = await once(Snmp(community="public", port=snmpd, interfaces="lo"), address, family)
    assert seen.parts[""].outcome is Outcome.OK, seen.parts[""].reason
    assert 0 < seen.parts[""].values["rtt_seconds"] < 1
    assert seen.parts[""].values["uptime_seconds"] >= 0
    assert "its agent started" in seen.parts[""].reason
    assert seen.parts["lo"].outcome is Outcome.OK
    assert {"if_in_octets", "if_out_octets", "if_in_errors"} <= seen.parts["lo"].values.keys()


@pytest.mark.parametrize(
    "settings",
    [
        {"user": "reader", "auth": "a long password", "priv": "another password"},
        {"user": "plain", "auth": "a long password", "auth_protocol": "md5"},
    ],
)
async def test_a_real_agent_answers_v3(snmpd: int, settings: dict[str, str]) -> None:
    seen = await once(Snmp(port=snmpd, interfaces="lo", **settings))  # type: ignore[arg-type] # credentials, by name
    assert seen.parts[""].outcome is Outcome.OK, seen.parts[""].reason
    assert seen.parts["lo"].outcome is Outcome.OK


async def test_a_wrong_password_is_a_refusal_and_a_wrong_community_is_silence(snmpd: int) -> None:
    refused = (await once(Snmp(port=snmpd, user="reader", auth="a wrong password", priv="another password"))).parts[""]
    assert (refused.outcome, refused.refused) == (Outcome.FAILED, True)
    assert "refuses the user or the password" in refused.reason
    silent = (await once(Snmp(port=snmpd, community="private"))).parts[""]
    assert (silent.outcome, silent.refused) == (Outcome.FAILED, False)
    assert "no answer to SNMP in 3 tries" in silent.reason
    assert "private" not in silent.reason


async def test_nobody_listens(snmpd: int) -> None:
    seen = (await once(Snmp(port=own_port(), community="public"))).parts[""]
    assert (seen.outcome, seen.reason) == (Outcome.FAILED, "nothing listens for SNMP there, says the network")


RECORDED = """\
1.3.6.1.2.1.1.3.0|67|360000
1.3.6.1.2.1.2.2.1.2.1|4|slot 1 port 1
1.3.6.1.2.1.2.2.1.2.2|4|slot 1 port 2
1.3.6.1.2.1.2.2.1.7.1|2|1
1.3.6.1.2.1.2.2.1.7.2|2|1
1.3.6.1.2.1.2.2.1.8.1|2|1
1.3.6.1.2.1.2.2.1.8.2|2|7
1.3.6.1.2.1.31.1.1.1.1.1|4|et-1/1
1.3.6.1.2.1.31.1.1.1.1.2|4|et-1/2
1.3.6.1.2.1.31.1.1.1.6.1|70|18446744073709551615
1.3.6.1.2.1.31.1.1.1.15.1|66|100000
1.3.6.1.2.1.31.1.1.1.18.1|4|cable to Miami
1.3.6.1.2.1.31.1.1.1.18.2|4|cable to Martinique
"""
"""A device of our own making, as snmpsim reads it."""


@pytest.fixture(scope="module")
def snmpsim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """snmpsim with the device above as community "made", and those of LAMBI_SAMPLES by their names."""
    program = Path(sys.executable).with_name("snmpsim-command-responder")
    if not program.exists():
        pytest.skip("snmpsim is not installed: make check")
    folder: Path = tmp_path_factory.mktemp("snmpsim")
    (folder / "data").mkdir()
    (folder / "data" / "made.snmprec").write_text(RECORDED)
    for sample in Path(os.environ.get("LAMBI_SAMPLES", folder / "none"), "snmp").glob("*.snmprec"):
        (folder / "data" / sample.name).write_bytes(sample.read_bytes())
    port, me = own_port(), os.geteuid()
    options = {
        "data-dir": folder / "data",
        "cache-dir": folder / "cache",
        "agent-udpv4-endpoint": f"127.0.0.1:{port}",
        "process-user": pwd.getpwuid(me).pw_name,
        "process-group": grp.getgrgid(os.getegid()).gr_name,
        "log-level": "error",
    }
    log = folder / "log"
    with running([str(program), *(f"--{name}={value}" for name, value in options.items())], log) as wait:
        made = Snmp(community="made", port=port)
        wait(lambda: asyncio.run(once(made)).parts[""].outcome is Outcome.OK, "snmpsim")
        yield port


async def test_a_recorded_device_is_read(snmpsim: int) -> None:
    seen = await once(Snmp(community="made", port=snmpsim))
    assert {name: (part.outcome.value, part.reason) for name, part in seen.parts.items()} == {
        "": ("ok", ""),
        "et-1/1": ("ok", '"cable to Miami"'),
        "et-1/2": ("failed", 'its device says down, as what it runs over is: "cable to Martinique"'),
    }
    assert seen.parts["et-1/1"].values == {"if_speed_bps": 100_000_000_000, "if_in_octets": 2**64 - 1}


@pytest.mark.samples
@pytest.mark.skipif("LAMBI_SAMPLES" not in os.environ, reason="LAMBI_SAMPLES names no folder of real captures")
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("arista_eos_7280r", 5),
        ("generex-ups_cs141", 1),
        ("iosxr", 5),
        ("junos_vmx", 5),
        ("routeros", 1),
        ("vrp_ne8000", 0),  # its recording has no interfaces
    ],
)
async def test_real_devices_are_read(snmpsim: int, name: str, least: int) -> None:
    seen = await once(Snmp(community=name, port=snmpsim), timeout=60.0)
    assert seen.parts[""].outcome is Outcome.OK, seen.parts[""].reason
    assert len(seen.parts) > least
    assert {part.outcome for part in seen.parts.values()} <= set(Outcome)


def test_an_interface_whose_line_is_cut_is_a_part_that_fails(tmp_path: Path) -> None:
    """A real snmpd beside a real cable between two interfaces, of which the far end is switched off."""
    needed("snmpd", "unshare", "ip")
    (tmp_path / "snmpd.conf").write_text("agentaddress udp:127.0.0.1:1161\nrocommunity public\n")
    script = "\n".join(
        [
            "set -e",
            "ip link set lo up",
            "ip link add east type veth peer name far",
            "ip link set east up",
            "ip link set far up",
            f"snmpd -C -c {tmp_path}/snmpd.conf -Lf {tmp_path}/log -p {tmp_path}/pid",
            f"{sys.executable} -m tests.probes.test_snmp",
            f"kill $(cat {tmp_path}/pid)",
        ]
    )
    if os.geteuid() != 0:
        pytest.skip("a namespace of one's own needs root")
    environ = {**os.environ, "SNMP_PERSISTENT_DIR": str(tmp_path)}
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", script],
        cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    before, after = (json.loads(line) for line in done.stdout.splitlines())
    assert before["east"] == ["ok", ""]
    assert after["east"][0] == "failed"
    assert "its device says down" in after["east"][1]


async def test_lost_datagrams_are_asked_again() -> None:
    async with agent(Port("ge-0/0/0", "to Miami"), lose=2) as (_, snmp):
        seen = await once(snmp)
        assert seen.parts[""].outcome is Outcome.OK
        assert seen.parts["ge-0/0/0"] == Part(
            Outcome.OK,
            '"to Miami"',
            {
                "if_speed_bps": 1_000_000_000,
                "if_in_octets": 1000,
                "if_out_octets": 2000,
                "if_in_errors": 7,
            },
        ), "what a device does not have is left out"


async def test_a_deadline_ends_the_look_and_nothing_is_asked_afterwards() -> None:
    async with agent(Port("ge-0/0/0"), lose=1000) as (made, snmp):
        seen = await once(snmp, timeout=0.4)
        assert seen.parts[""].reason == "no answer within 0.4 s"
        asked = made.asked
        await asyncio.sleep(2.0)
        assert made.asked == asked == 1


async def test_a_table_that_never_ends_is_left() -> None:
    async with agent(Port("ge-0/0/0", "to Miami"), circles=True) as (made, snmp):
        seen = await once(snmp)
        assert seen.parts.keys() == {"", "ge-0/0/0"}
        assert made.asked < 20


async def test_many_interfaces_are_read_in_small_questions() -> None:
    ports = [Port(f"xe-0/0/{n}", f"customer {n}") for n in range(300)]
    async with agent(*ports) as (_, snmp):
        seen = await once(snmp)
        assert len(seen.parts) == 201, "200 of 300, and the device"
        assert seen.parts[""].values["interfaces"] == 300


async def test_rates_are_those_of_the_devices_own_clock() -> None:
    async with agent(Port("ge-0/0/0", "to Miami", octets=1_000_000)) as (made, snmp):
        engine = SnmpEngine(vantage="v", clock=SystemClock())
        asks = asks_for(snmp, [("127.0.0.1", 4)], 10.0)
        (first,) = (await look(engine, asks)).values()
        assert "if_in_octets_per_second" not in first.parts["ge-0/0/0"].values
        made.known = table(Port("ge-0/0/0", "to Miami", octets=7_000_000), uptime=10_060_00)
        (second,) = (await look(engine, asks)).values()
        assert second.parts["ge-0/0/0"].values["if_in_octets_per_second"] == 100_000
        made.known = table(Port("ge-0/0/0", "to Miami", octets=5), uptime=30_00)
        (third,) = (await look(engine, asks)).values()
        assert "if_in_octets_per_second" not in third.parts["ge-0/0/0"].values, "it has started anew"
        await engine.close()


def test_counters_that_were_cleared_give_no_rate() -> None:
    part = Part(Outcome.OK, "", {"if_in_octets": 10})
    assert rated("a", part, 160.0, (100.0, {"a": {"if_in_octets": 1000}})) == part
    assert rated("b", part, 160.0, (100.0, {"a": {"if_in_octets": 1}})) == part


def interfaces(*rows: tuple[str, str, int, int]) -> list[Interface]:
    return [Interface(n, name, alias, admin, oper) for n, (name, alias, admin, oper) in enumerate(rows, 1)]


ROWS = interfaces(
    ("ge-0/0/0", "to Miami", UP, UP),
    ("ge-0/0/1", "to Martinique", UP, DOWN),
    ("ge-0/0/2", "", UP, DOWN),
    ("ge-0/0/3", "old link", DOWN, DOWN),
    ("lo0", "", UP, UP),
)


def told(snmp: Snmp, rows: list[Interface]) -> dict[str, tuple[str, str]]:
    found = parts(snmp, Device(0.1, 1e6, len(rows), tuple(chosen(snmp, rows))))
    return {name: (part.outcome.value, part.reason) for name, part in found.items() if name}


def test_interfaces_with_a_description_count() -> None:
    assert told(Snmp(community="c"), ROWS) == {
        "ge-0/0/0": ("ok", '"to Miami"'),
        "ge-0/0/1": ("failed", 'its device says down: "to Martinique"'),
    }, "what its operator has switched off is no trouble"


def test_interfaces_that_are_named_count_alone_also_when_they_are_switched_off() -> None:
    assert told(Snmp(community="c", interfaces="GE-0/0/3, *martinique"), ROWS) == {
        "ge-0/0/1": ("failed", 'its device says down: "to Martinique"'),
        "ge-0/0/3": ("failed", 'switched off by its operator: "old link"'),
    }


def test_where_nobody_has_described_anything_what_is_down_is_not_judged() -> None:
    bare = interfaces(("eth0", "", UP, UP), ("eth1", "", UP, DOWN), ("eth2", "", DOWN, DOWN))
    found = told(Snmp(community="c"), bare)
    assert found["eth0"] == ("ok", "")
    assert found["eth1"][0] == "unknown"
    assert found.keys() == {"eth0", "eth1"}


def test_two_interfaces_of_one_name_are_two_parts() -> None:
    twins = interfaces(("eth0", "a", UP, UP), ("eth0", "b", UP, DOWN))
    assert told(Snmp(community="c"), twins).keys() == {"eth0#1", "eth0#2"}


@pytest.mark.parametrize("oper", [3, 4, 0, 9])
def test_what_a_device_does_not_know_is_unknown(oper: int) -> None:
    assert told(Snmp(community="c"), interfaces(("eth0", "a", UP, oper)))["eth0"][0] == "unknown"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "community or user"),
        ({"community": "c", "user": "u"}, "community or user"),
        ({"user": "u", "auth": "short"}, "auth: a password of SNMPv3 has at least 8"),
        ({"user": "u", "priv": "long enough"}, "priv: SNMPv3 encrypts only"),
        ({"user": "u", "auth_protocol": "sha9"}, "auth_protocol:"),
        ({"community": "c", "port": 0}, "port:"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Snmp(**settings)


async def test_no_secret_is_told() -> None:
    async with agent(Port("ge-0/0/0"), community=b"hunter2") as (_, other):
        snmp = Snmp(community="hunter2", port=other.port)
        seen = await once(snmp)
        assert seen.parts[""].outcome is Outcome.OK
        assert "hunter2" not in repr(snmp) + as_text(seen, snmp) + json.dumps(as_dict(seen, snmp))


async def test_hostile_words_are_bounded() -> None:
    alias = "\x1b[31m<script>" + "x" * 500
    async with agent(Port("ge-0/0/0", alias)) as (_, snmp):
        (name,) = (await once(snmp)).parts.keys() - {""}
        assert name == "ge-0/0/0"
        assert len((await once(snmp)).parts[name].reason) <= 82


if __name__ == "__main__":
    for _ in range(2):
        found = asyncio.run(once(Snmp(community="public", port=1161, interfaces="east")))
        print(json.dumps({name: [part.outcome, part.reason] for name, part in found.parts.items() if name}))
        subprocess.run(["ip", "link", "set", "far", "down"], check=True)
        time.sleep(4)  # snmpd keeps what it has read for 3 s
