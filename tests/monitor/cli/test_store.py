"""`lambi store`: what the store holds, whether it is whole, and how it comes out and in."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monitor.instance import Instance
from monitor.store.keeper import Keeper
from tests.influx import Influx
from tests.monitor.cli.conftest import Lambi
from tests.monitor.store.looks import COLUMNS, look

DAY = 86_400


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config folder whose store holds five days."""
    keeper = Keeper(tmp_path / "var" / "series", COLUMNS, retention_days=30, rollup_days=30, archives=False)
    for day in range(5):
        keeper.store([look(day * DAY + n, values={"rtt_seconds": n / 1e3}) for n in range(20)])
        while keeper.tend():
            pass
    keeper.close()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "lambi.yaml").write_text(f"store: {{folder: {tmp_path / 'var'}}}\n")
    return tmp_path / "config"


async def test_stats_counts_what_is_there(lambi: Lambi, config: Path) -> None:
    said = await lambi("store", "stats", "--config", config, "--json")
    told = json.loads(said.out)
    assert (said.code, told["looks"], told["series"], told["days"]["sqlite"]) == (0, 100, 1, 5)
    assert (told["first"], told["last"]) == ("2026-11-23", "2026-11-27")
    text = (await lambi("store", "stats", "--config", config)).out
    assert "100 looks of 1 series, 2026-11-23 to 2026-11-27" in text


async def test_check_names_a_bad_file_and_ends_with_1(lambi: Lambi, config: Path, tmp_path: Path) -> None:
    said = await lambi("store", "check", "--config", config)
    assert (said.code, said.out) == (0, "every file is whole\n")
    bad = tmp_path / "var" / "series" / "2026-11-24.sqlite"
    bad.write_bytes(b"no database" * 1_000)
    said = await lambi("store", "check", "--config", config, "--json")
    assert said.code == 1
    (problem,) = json.loads(said.out)["problems"]
    assert problem.startswith(f"{bad} is damaged: ")


async def test_what_is_exported_comes_back_by_import(lambi: Lambi, config: Path, tmp_path: Path) -> None:
    file = tmp_path / "looks.csv"
    period = ("--since", "2026-11-24", "--until", "2026-11-26")
    said = await lambi("store", "export", file, *period, "--config", config)
    assert (said.code, said.err) == (0, "40 looks exported\n")
    assert (await lambi("store", "export", "-", *period, "--config", config)).out == file.read_bytes().decode()
    (config / "lambi.yaml").write_text(f"store: {{folder: {tmp_path / 'other'}}}\n")
    said = await lambi("store", "import", file, "--config", config)
    assert (said.code, said.out) == (0, "40 looks imported\n")
    again = tmp_path / "again.csv"
    await lambi("store", "export", again, *period, "--config", config)
    assert again.read_text() == file.read_text()


async def test_looks_of_every_kind_come_back_with_their_values(lambi: Lambi, config: Path, tmp_path: Path) -> None:
    """What the daemon keeps in a column must be kept in one by an import too."""
    (config / "lambi.yaml").write_text(f"store: {{folder: {tmp_path / 'other'}}}\n")
    head = "check,part,kind,vantage,at,outcome,prefixes_judged\n"
    (tmp_path / "looks.csv").write_text(f"{head}territory:bb/bgp/4,,bgp,v,2026-11-24T12:00:00Z,ok,12\n")
    said = await lambi("store", "import", tmp_path / "looks.csv", "--config", config)
    assert (said.code, said.err) == (0, "")
    with closing(sqlite3.connect(tmp_path / "other" / "series" / "2026-11-24.sqlite")) as day:
        assert day.execute("SELECT prefixes_judged FROM probe_bgp").fetchall() == [(12,)]


async def test_a_bad_line_and_a_bad_time_are_sentences(lambi: Lambi, config: Path, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("check,part,kind,vantage,at,outcome\nc,,icmp,v,yesterday,ok\n")
    said = await lambi("store", "import", file, "--config", config)
    assert (said.code, said.out) == (2, "")
    assert said.err == f"{file}: line 2, at: a time with its zone is expected, not 'yesterday'\n"
    said = await lambi("store", "export", "-", "--since", "soon", "--config", config)
    assert (said.code, said.out) == (2, "")
    assert said.err == "--since: a time like 2026-11-23 or 2026-11-23T12:00 is expected, not 'soon'\n"
    said = await lambi("store", "import", tmp_path / "none.csv", "--config", config)
    assert (said.code, said.out) == (1, "")
    assert "No such file" in said.err


async def test_compact_and_import_leave_a_store_alone_that_a_daemon_holds(
    lambi: Lambi, config: Path, tmp_path: Path
) -> None:
    with Instance(tmp_path / "var"):
        for words in (("compact",), ("import", tmp_path / "looks.csv")):
            said = await lambi("store", *words, "--config", config)
            assert (said.code, said.out) == (1, "")
            assert "another Lambi runs here, process" in said.err


async def test_compact_archives_all_but_three_days(lambi: Lambi, config: Path) -> None:
    pytest.importorskip("pyarrow")
    said = await lambi("store", "compact", "--config", config, "--json")
    assert json.loads(said.out) == {"archived": ["2026-11-23", "2026-11-24"]}
    assert json.loads((await lambi("store", "stats", "--config", config, "--json")).out)["looks"] == 100
    assert (await lambi("store", "check", "--config", config)).code == 0


async def test_backfill_sends_hot_and_archived_days(lambi: Lambi, config: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    said = await lambi("store", "backfill", "influx", "--config", config)
    assert (said.code, said.err) == (2, "there is no such place: store.influx says where an InfluxDB is\n")
    await lambi("store", "compact", "--config", config)
    with Influx(tmp_path / "influx").running() as server:
        place = f"{{url: '{server.url}', bucket: lambi, api: v1}}"
        (config / "lambi.yaml").write_text(f"store: {{folder: {tmp_path / 'var'}, influx: {place}}}\n")
        said = await lambi("store", "backfill", "influx", "--config", config)
        assert (said.code, said.out) == (0, "100 looks sent\n")
        assert len(server.points()) == 100
