"""`lambi backup` and `lambi restore` as one types them."""

import json
import sqlite3
from pathlib import Path

from monitor.backup import JOURNAL
from tests.monitor.cli.conftest import Lambi
from tests.monitor.test_backup import configured, lived


async def test_the_commands_move_a_lambi_to_another_place(tmp_path: Path, lambi: Lambi) -> None:
    folder, _ = configured(tmp_path)
    daemon = await lived(tmp_path, "a cable", 50)
    await daemon.close()
    file = tmp_path / "lambi.tar.gz"
    said = await lambi("backup", file, "--config", folder, "--json")
    fact = json.loads(said.out)
    assert (said.code, fact["left_out"], fact["series_files"]) == (0, ["sms-password"], 0)
    said = await lambi("backup", file, "--config", folder)
    assert (said.code, said.err) == (1, f"{file}: exists already, and no backup is written over anything\n")
    (tmp_path / "var").rename(tmp_path / "old")
    elsewhere = tmp_path / "elsewhere"
    said = await lambi("restore", file, "--config", elsewhere)
    assert said.code == 0, said.err
    assert f"2 config files written to {elsewhere}, the journal of " in said.out
    assert "1 open incident, 0 ladders under way, " in said.out
    assert "put into place: the file /etc/lambi/secrets/sms" in said.out
    with sqlite3.connect(tmp_path / "var" / JOURNAL) as found:
        assert found.execute("SELECT asset FROM incident WHERE closed IS NULL").fetchall() == [("cable:bon1",)]
    said = await lambi("restore", file, "--config", elsewhere, "--json")
    assert said.code == 1
    assert "a journal is there already; nothing was restored: set it aside first" in said.err


async def test_a_secret_out_of_reach_keeps_nobody_from_a_backup(tmp_path: Path, lambi: Lambi) -> None:
    folder, _ = configured(tmp_path)
    text = (folder / "lambi.yaml").read_text()
    (folder / "lambi.yaml").write_text(text.replace("{kind: smtp,", "{kind: smtp, enabled: true,"))
    await (await lived(tmp_path, "a cable", 5)).close()
    assert (await lambi("config", "check", "--config", folder)).code == 1
    assert (await lambi("backup", tmp_path / "x", "--config", folder)).code == 0


async def test_nothing_to_back_up_and_no_place_for_it_are_sentences(tmp_path: Path, lambi: Lambi) -> None:
    folder, _ = configured(tmp_path)
    said = await lambi("backup", tmp_path / "x", "--config", folder)
    assert (said.code, said.err) == (1, f"{tmp_path}/var/journal.sqlite: there is no journal\n")
    said = await lambi("backup", tmp_path / "no" / "x", "--config", folder)
    assert (said.code, said.err) == (1, f"{tmp_path}/no/x: cannot be written: No such file or directory\n")
    said = await lambi("restore", tmp_path / "x", "--config", folder)
    assert (said.code, said.err) == (1, f"{tmp_path}/x: No such file or directory\n")
