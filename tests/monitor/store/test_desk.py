"""The store by hand: what is counted, checked, compacted, exported and imported."""

import io
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.store import desk
from monitor.store.keeper import Keeper
from monitor.store.rollup import path_of
from probes.model import Outcome, Part
from tests.monitor.store.looks import COLUMNS, NOON, look

DAY = 86_400
EVER = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))


def quiet(what: str, done: int, total: int) -> None:
    assert what
    assert done <= total


def filled(folder: Path, days: int = 5) -> None:
    keeper = Keeper(folder, COLUMNS, retention_days=30, rollup_days=30, archives=False)
    for number in range(days):
        start = number * DAY
        keeper.store(
            [look(start + n, outcome=list(Outcome)[n % 3], values={"rtt_seconds": n / 1e6}) for n in range(50)]
        )
        keeper.store([look(start, check="d/dns/", kind="dns", values={"nsid": "=1+1\n'", "odd": -2.5, "serial": -7})])
        keeper.store([look(start, check="p/icmp/", parts={"=eth0": Part(Outcome.OK)})])
        while keeper.tend():
            pass
    keeper.close()


def exported(folder: Path) -> str:
    out = io.StringIO(newline="")
    desk.export(desk.rows(folder, *EVER, quiet), desk.keys(folder, *EVER), out)
    return out.getvalue()


def test_what_is_exported_is_imported_as_it_was(tmp_path: Path) -> None:
    filled(tmp_path / "one")
    text = exported(tmp_path / "one")
    count = desk.import_(tmp_path / "two", COLUMNS, io.StringIO(text, newline=""), len(text), quiet)
    assert count == 52 * 5
    assert exported(tmp_path / "two") == text
    assert desk.check(tmp_path / "two", quiet) == []
    again = desk.import_(tmp_path / "two", COLUMNS, io.StringIO(text, newline=""), len(text), quiet)
    assert (again, exported(tmp_path / "two")) == (count, text), "what is there already is not added"


def test_no_cell_of_an_export_is_a_formula(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    assert not [
        cell for line in exported(tmp_path).splitlines() for cell in line.split(",") if cell[:1] in {"=", "+", "@"}
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("c,,icmp,v,yesterday,ok,1", "line 2, at: a time with its zone is expected, not 'yesterday'"),
        ("c,,icmp,v,2026-11-23T12:00:00,ok,1", "line 2, at: a time with its zone"),
        (
            "c,,icmp,v,2026-11-23T12:00:00Z,fine,1",
            "line 2, outcome: one of ok, failed, unknown is expected, not 'fine'",
        ),
        ("c,,icmp,v,2026-11-23T12:00:00Z,ok,fast", "line 2, rtt_seconds: a number, or a text in '', is expected"),
        (",,icmp,v,2026-11-23T12:00:00Z,ok,1", "line 2: check and vantage are needed"),
        ("c,,;DROP,v,2026-11-23T12:00:00Z,ok,1", "line 2, kind: a probe kind is lower-case"),
    ],
)
def test_a_bad_line_is_named_with_its_field(tmp_path: Path, line: str, said: str) -> None:
    text = f"check,part,kind,vantage,at,outcome,rtt_seconds\n{line}\n"
    with pytest.raises(desk.CsvError, match=said.replace("(", "\\(")):
        desk.import_(tmp_path, COLUMNS, io.StringIO(text), len(text), quiet)


def test_a_file_of_other_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(desk.CsvError, match="line 1: the columns check, part"):
        desk.import_(tmp_path, COLUMNS, io.StringIO("a,b\n1,2\n"), 8, quiet)


def test_check_finds_a_damaged_file_and_rollups_that_count_otherwise(tmp_path: Path) -> None:
    filled(tmp_path)
    assert desk.check(tmp_path, quiet) == []
    with sqlite3.connect(path_of(tmp_path, 300, NOON.date())) as db:
        db.execute("UPDATE looks SET n = n + 1 WHERE series = 1")
    other = tmp_path / f"{NOON.date() + timedelta(days=1)}.sqlite"
    other.write_bytes(other.read_bytes()[:4096] + b"\xff" * 8192)
    damaged, astray = desk.check(tmp_path, quiet)
    assert damaged.startswith(f"{other} is damaged: ")
    assert astray.endswith(": 1 stretches of 5 minutes differ")


def test_compact_archives_all_but_the_hot_days_and_nothing_is_lost(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    filled(tmp_path)
    before, told = exported(tmp_path), desk.stats(tmp_path)
    assert told["days"] == {"sqlite": 5, "archived": 0, "rollups": 4}
    assert (told["looks"], told["series"]) == (52 * 5, 3)
    assert len(desk.compact(tmp_path, quiet)) == 2
    after = desk.stats(tmp_path)
    assert after["days"] == {"sqlite": 3, "archived": 2, "rollups": 5}
    assert after["looks"] == told["looks"]
    assert sorted(exported(tmp_path).splitlines()) == sorted(before.splitlines())
    assert desk.check(tmp_path, quiet) == []
