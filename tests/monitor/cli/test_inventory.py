"""`lambi inventory`: counts, what is to be confirmed, one row, one table."""

import csv
import io
import json
from pathlib import Path

import pytest

from monitor.config.rows import TABLES
from tests.monitor.cli.conftest import Lambi


@pytest.fixture
def own(folder: Path) -> Path:
    (folder / "inventory").mkdir()
    return folder


async def test_the_shipped_inventory_holds_together_and_says_what_is_to_be_confirmed(
    lambi: Lambi, folder: Path
) -> None:
    said = await lambi("inventory", "check", "--config", folder)
    assert (said.code, said.err) == (0, "")
    assert "networks\t703\t0\t" in said.out
    assert "prefixes\t1797\t0\t0\n" in said.out
    assert "the inventory holds together" in said.out
    assert "more: --all, or --csv" in said.out
    facts = json.loads((await lambi("inventory", "check", "--config", folder, "--json")).out)
    assert facts["ok"]
    assert facts["tables"].keys() == TABLES.keys()
    assert sum(table["to_confirm"] for table in facts["tables"].values()) == len(facts["to_confirm"])
    assert all(row["to_be_confirmed"] for row in facts["to_confirm"])


async def test_a_territory_has_its_own_list_to_work_through(lambi: Lambi, folder: Path) -> None:
    said = await lambi("inventory", "check", "--config", folder, "--territory", "BB", "--csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert rows
    assert all("BB" in row["territories"].split() for row in rows)
    asked = {row["who could say"] for row in rows if row["id"].startswith("network:")}
    assert asked == {"Telecommunications Unit (Government of Barbados)"}
    said = await lambi("inventory", "check", "--config", folder, "--territory", "XX")
    assert said.code == 2
    assert 'unknown territory "XX"' in said.err


async def test_a_row_of_the_operator_confirms(lambi: Lambi, own: Path) -> None:
    before = json.loads((await lambi("inventory", "show", "ixp:barix", "--config", own, "--json")).out)["found"][0]
    assert before["to_be_confirmed"] == "confidence low"
    (own / "inventory" / "ixps.csv").write_text("ixp_id,status\nbarix,active\n")
    after = json.loads((await lambi("inventory", "show", "ixp:barix", "--config", own, "--json")).out)["found"][0]
    assert after["to_be_confirmed"] is None
    assert (after["source"], after["cells"]["status"]) == ("operator", "active")
    assert after["cells"]["iso2"] == "BB", "what the operator does not say stays"


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("cable:arcos", "cable:arcos"),
        ("arcos", "cable:arcos"),
        ("AS5639", "network:as5639"),
        ("5639", "network:as5639"),
        ("reg-bb", "organisation:reg-bb"),
        ("organisation:ctu", "organisation:ctu"),
        ("196.3.132.1", "prefix:"),
        ("ARCOS", "cable:arcos"),
    ],
)
async def test_one_thing_is_found_by_any_of_its_names(lambi: Lambi, folder: Path, word: str, found: str) -> None:
    said = await lambi("inventory", "show", word, "--config", folder)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(found)
    assert "stands in " in said.out


async def test_what_is_not_there_is_a_sentence(lambi: Lambi, folder: Path) -> None:
    said = await lambi("inventory", "show", "ixp:grx", "--config", folder)
    assert (said.code, said.out) == (2, "")
    assert said.err == 'ixp:grx: nothing of this name is in the inventory; did you mean "ixp:grex"?\n'
    said = await lambi("inventory", "export", "cable", "--config", folder)
    assert said.code == 2
    assert 'did you mean "cables"?' in said.err


@pytest.mark.parametrize("table", TABLES)
async def test_every_table_goes_out_and_comes_back_the_same(lambi: Lambi, own: Path, table: str) -> None:
    said = await lambi("inventory", "export", table, "--config", own)
    assert said.code == 0
    (own / "inventory" / TABLES[table].file).write_text(said.out)
    again = await lambi("inventory", "check", "--config", own, "--json")
    facts = json.loads(again.out)
    assert facts["problems"] == []
    assert facts["tables"][table]["rows"] == len(said.out.splitlines()) - 1


async def test_problems_are_all_told_and_end_with_one(lambi: Lambi, own: Path) -> None:
    (own / "inventory" / "networks.csv").write_text("asn,iso2\nAS64500,BB\n64501,XX\n")
    said = await lambi("inventory", "check", "--config", own)
    assert said.code == 1
    assert 'asn: "AS64500" is not the number of a network' in said.out
    assert '"XX" is no row of territories.csv' in said.out
    assert "2 to put right" in said.out
