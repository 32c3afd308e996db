"""Journals of every schema that ever stood on main, with data, are brought to the schema of today; nothing is lost.

`tests/journals/*.sql` are dumps of real runs, made once by `python -m tests.journals NAME` and never changed: a step
that was released is never changed either.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from alerting.journal import Journal, JournalError
from monitor.ledger import SCHEMAS, Ledger
from monitor.views import IncidentFilter

DUMPS = sorted((Path(__file__).parents[1] / "journals").glob("*.sql"))
VANTAGE = "vantage:hub"


def written(dump: Path, folder: Path) -> Path:
    """Make the journal that a dump tells of."""
    path = folder / "journal.sqlite"
    with closing(sqlite3.connect(path)) as journal:
        journal.executescript(dump.read_text("utf-8"))
    return path


def tables(path: Path) -> dict[str, list[dict[str, object]]]:
    """Return every row of every table."""
    with closing(sqlite3.connect(path)) as journal:
        journal.row_factory = sqlite3.Row
        names = [name for (name,) in journal.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: journal.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}  # noqa: S608 - its own
    return {name: [dict(row) for row in rows] for name, rows in found.items()}


def form(path: Path) -> set[tuple[str, str, str]]:
    """Return every table, index and trigger, in words without line breaks."""
    with closing(sqlite3.connect(path)) as journal:
        rows = journal.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
    return {(kind, name, re.sub(r"\s+", " ", sql)) for kind, name, sql in rows if not name.startswith("sqlite_stat")}


async def migrated(path: Path) -> Path:
    await (await Journal.open(path, SCHEMAS)).close()
    return path


@pytest.fixture(params=DUMPS, ids=lambda dump: dump.stem)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return written(request.param, tmp_path)


async def test_an_old_journal_gets_the_form_of_a_new_one(old: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert form(await migrated(old)) == form(await migrated(tmp_path / "new" / "journal.sqlite"))
    with closing(sqlite3.connect(old)) as journal:
        found = [word for (word,) in journal.execute("PRAGMA integrity_check")]
        assert [word for word in found if not word.startswith(("ok", "NULL value in "))] == [], "see alerting/backup.py"
        assert journal.execute("PRAGMA foreign_key_check").fetchall() == []


async def test_no_row_and_no_value_is_lost(old: Path) -> None:
    before = tables(old)
    assert before["incident"]
    assert before["notification"]
    after = tables(await migrated(old))
    for name, rows in before.items():
        if name == "sqlite_sequence":
            continue
        kept = [{key: row[key] for key in rows[0]} for row in after[name]] if rows else []
        assert [row for row in rows if row not in kept] == [], name
        assert name == "schema_version" or len(after[name]) == len(rows), name


async def test_the_daemon_of_today_takes_up_what_is_open(old: Path) -> None:
    before = tables(old)
    journal = await Journal.open(old, SCHEMAS)
    ledger = Ledger(journal, VANTAGE)
    boot = await ledger.boot()
    opened = [str(row["id"]) for row in before["incident"] if row["closed"] is None]
    assert sorted(boot.book.open) == sorted(opened)
    assert opened
    assert len(boot.states) == len({row["check_id"] for row in before["state"]})
    found = await ledger.incidents(IncidentFilter(limit=500))
    assert len(found) == len(before["incident"])
    assert all(one.title and one.timeline for one in found)
    for one in found:
        assert await ledger.told(one.id) is not None
    await journal.close()


async def test_the_newest_dump_is_of_todays_schema() -> None:
    """Whoever adds a step adds a dump: `python -m tests.journals NAME`."""
    known = {(owner, step.name) for owner, steps in SCHEMAS.items() for step in steps}
    with closing(sqlite3.connect(":memory:")) as journal:
        journal.executescript(DUMPS[-1].read_text("utf-8"))
        assert set(journal.execute("SELECT owner, name FROM schema_version")) == known


@pytest.mark.parametrize("row", [("monitor", 99, "a step of next year"), ("weather", 1, "a later owner")])
async def test_a_journal_of_a_later_version_is_left_alone_with_a_sentence(
    tmp_path: Path, row: tuple[str, int, str]
) -> None:
    path = written(DUMPS[-1], tmp_path)
    with closing(sqlite3.connect(path)) as journal:
        journal.execute("INSERT INTO schema_version VALUES (?, ?, ?)", row)
        journal.commit()
    before = tables(path)
    with pytest.raises(JournalError, match=r"written by another version .* restore a backup that was made before it"):
        await Journal.open(path, SCHEMAS)
    assert tables(path) == before
