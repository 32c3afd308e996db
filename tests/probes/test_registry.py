import subprocess
import sys
from dataclasses import fields, is_dataclass

import pytest

from probes import PROBES
from probes.clock import SystemClock
from probes.engines import build, capabilities, close
from probes.model import Outcome, Target
from probes.report import as_dict, as_json, as_text, ask_once
from probes.tcp import Tcp
from tests.ports import own_port
from tests.probes.namespace import ROOT


def test_the_names_are_those_of_the_classes():
    assert list(PROBES) == ["icmp", "tcp", "dns", "http", "snmp", "zone"]
    assert all(probe.kind == kind for kind, probe in PROBES.items())


@pytest.mark.parametrize("probe", PROBES.values())
def test_a_probe_is_a_frozen_slotted_dataclass_with_columns(probe):
    assert is_dataclass(probe)
    assert "__slots__" in vars(probe)
    assert probe.__dataclass_params__.frozen
    assert "rtt_seconds" in probe.columns
    assert all(scale is None or scale > 0 for scale in probe.columns.values())
    assert {"kind", "columns"}.isdisjoint(field.name for field in fields(probe))


async def test_every_probe_has_an_engine():
    engines = build(vantage="v", clock=SystemClock())
    assert set(engines) == set(PROBES)
    assert isinstance(capabilities(engines), tuple)
    assert [engine.bugs for engine in engines.values()] == [0, 0, 0, 0, 0, 0]
    await close(engines)


def test_probes_can_be_used_alone_and_cost_nothing_that_is_not_used():
    script = (
        "import sys, probes; print(*(m for m in ('monitor', 'alerting', 'aiohttp', 'dns', 'gufo') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


async def test_one_look_by_hand_is_told_in_words_and_in_json():
    engines = build(vantage="vantage:test", clock=SystemClock())
    port = own_port()
    probe = Tcp(port=port)
    seen = await ask_once(engines, probe, Target("x", "127.0.0.1", 4), timeout=2.0, clock=SystemClock())
    await close(engines)

    assert seen.parts[""].outcome is Outcome.FAILED
    told = as_dict(seen, probe)
    assert told["parts"][""] == {"outcome": "failed", "reason": f"refuses port {port}", "refused": True, "values": {}}
    assert (told["kind"], told["target"], told["family"], told["settings"]) == ("tcp", "127.0.0.1", 4, {"port": port})
    assert f'"reason": "refuses port {port}"' in as_json(seen, probe)
    lines = as_text(seen, probe).splitlines()
    assert lines[0] == "tcp 127.0.0.1 over IPv4, from vantage:test"
    assert lines[1] == f"FAILED: refuses port {port}"
    assert lines[-1] == f"settings: port={port}"
