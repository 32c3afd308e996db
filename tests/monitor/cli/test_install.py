"""`lambi install --systemd`, judged by systemd itself."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.data import shipped
from tests.monitor.cli.conftest import Lambi

UNIT = shipped("config") / "systemd" / "lambi.service"
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not installed: make test-deps")


BIN = Path(sys.executable).absolute().parent


def within(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_it_prints_a_unit_that_starts_this_very_program(lambi: Lambi) -> None:
    said = await lambi("install", "--systemd", "--print")
    assert said.code == 0
    assert f"ExecStart={BIN}/lambi run\n" in said.out
    assert f"ExecReload={BIN}/lambi reload\n" in said.out
    assert "/opt/lambi" not in said.out


async def test_a_checkout_is_no_service_and_no_other_kind_is_known(lambi: Lambi, tmp_path: Path) -> None:
    said = await lambi("install", "--systemd", "--root", tmp_path)
    assert said.code == 1
    assert "install the wheel into /opt/lambi" in said.err
    assert (await lambi("install", "--no-systemd")).code == 2
    assert within(tmp_path) == []


def analyzed(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(ANALYZE), *words], capture_output=True, text=True, check=False, timeout=60)


@needs_systemd
def test_systemd_finds_nothing_to_complain_of(tmp_path: Path) -> None:
    """The program and the user of the file as shipped do not exist here: another program stands in its place."""
    unit = tmp_path / "lambi.service"
    unit.write_text(UNIT.read_text().replace("/opt/lambi/bin/lambi", "/bin/true"))
    found = analyzed("verify", "--man=no", unit)
    ours = [line for line in found.stderr.splitlines() if "lambi" in line]
    assert (found.returncode, ours) == (0, [])


@needs_systemd
def test_its_exposure_is_small() -> None:
    found = analyzed("security", "--offline=yes", "--no-pager", UNIT)
    score = re.search(r"Overall exposure level for lambi\.service: (\d+\.\d+)", found.stdout)
    assert score, found.stdout + found.stderr
    assert float(score[1]) <= 2.0


def test_what_the_service_needs_is_named() -> None:
    said = UNIT.read_text()
    for line in (
        "Type=notify",
        "Restart=always",
        "AmbientCapabilities=CAP_NET_RAW",
        "CapabilityBoundingSet=CAP_NET_RAW",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "StateDirectory=lambi",
        "LoadCredential=secrets:/etc/lambi/secrets",
    ):
        assert f"\n{line}\n" in said
