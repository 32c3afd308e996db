"""`lambi topology`: from the config alone, or with what the daemon knows."""

import csv
import io
import json
from pathlib import Path

from monitor.config import load
from monitor.resilience import COLUMNS, fact, report
from monitor.topology import Topology
from tests.fakes import START
from tests.monitor.cli.conftest import Daemon, Lambi

ECFS = "cable:eastern-caribbean-fiber-system-ecfs"


async def test_an_asset_is_drawn_without_a_daemon(lambi: Lambi, folder: Path, tmp_path: Path) -> None:
    said = await lambi("topology", "show", "ixp:barix", "--config", folder, "--svg", tmp_path / "barix.svg")
    assert (said.code, said.err) == (0, "")
    assert "└─ any of (hypothesis; source: schematic, 2022 snapshot; as of 2022-12; confidence medium)" in said.out
    assert (tmp_path / "barix.svg").read_text().startswith("<svg ")
    as_json = json.loads((await lambi("topology", "show", "ixp:barix", "--config", folder, "--json")).out)
    assert [one["tie"] for one in as_json["needs"]] == ["any of"]


async def test_an_unknown_asset_and_a_file_that_cannot_be_written_are_sentences(
    lambi: Lambi, folder: Path, tmp_path: Path
) -> None:
    said = await lambi("topology", "show", "ixp:barx", "--config", folder)
    assert (said.code, said.out) == (2, "")
    assert said.err == 'ixp:barx: there is no such asset; did you mean "ixp:barix"?\n'
    said = await lambi("topology", "show", "ixp:barix", "--config", folder, "--svg", tmp_path / "none" / "x.svg")
    assert (said.code, said.out) == (2, "")
    assert said.err.endswith("x.svg: cannot be written: No such file or directory\n")


async def test_without_a_daemon_the_report_is_that_of_the_config_and_says_so(lambi: Lambi, folder: Path) -> None:
    said = await lambi("topology", "report", "--config", folder)
    assert said.code == 0
    assert said.err == "no daemon answers: this is by the config alone, as if nothing were down now\n"
    anguilla = "on 2022 data, Anguilla depends on Eastern Caribbean Fiber System (ECFS) alone"
    assert f"{anguilla}\thypothesis, as of 2022-12, confidence medium" in said.out


async def test_with_a_daemon_what_is_down_now_counts(lambi: Lambi, daemon: Daemon) -> None:
    found = report(Topology(load(None, {}).world), START, ["cable:southern-caribbean-fiber"])
    daemon.api["/api/v1/resilience"] = json.loads(json.dumps(fact(found)))
    said = await lambi("topology", "report", "--config", daemon.folder, "--csv")
    assert (said.code, said.err) == (0, "")
    table = list(csv.reader(io.StringIO(said.out)))
    assert tuple(table[0]) == COLUMNS
    assert table[1][:3] == [ECFS, found.cuts[0].sentence, "AG AI DM GD LC VC"]
    assert (await lambi("topology", "report", "--config", daemon.folder, "--csv", "--json")).code == 2
    as_json = json.loads((await lambi("topology", "report", "--config", daemon.folder, "--json")).out)
    assert as_json == daemon.api["/api/v1/resilience"]


async def test_a_daemon_that_was_named_and_does_not_answer_is_not_replaced(lambi: Lambi, tmp_path: Path) -> None:
    assert (await lambi("topology", "report", "--socket", tmp_path / "none")).code == 3
