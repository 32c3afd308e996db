"""`lambi maintenance` against a real control door, a real journal, and a clock that the test moves."""

import json
import os
import pwd
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from alerting.journal import Journal
from monitor.app import SCHEMAS
from monitor.config import load
from monitor.ledger import Windows
from monitor.maintenance import Calendar
from monitor.upkeep import Upkeep
from monitor.web.control import Refused, serve
from tests.fakes import FakeClock
from tests.monitor.cli.conftest import Lambi

ME = pwd.getpwuid(os.geteuid()).pw_name
ROUTER = "router:bridgetown-1"
NOW = datetime(2026, 11, 28, 1, 30, tzinfo=UTC)
"""21:30 of Friday the 27th in Bridgetown."""


@pytest.fixture
def place(folder: Path) -> Path:
    """A config folder of Barbados with one router, and one window of its own."""
    with (folder / "lambi.yaml").open("a") as file:
        file.write(
            "vantage: {id: barix, name: Bridgetown, territory: BB}\n"
            f'assets: [{{id: "{ROUTER}", name: Core router, territory: BB}},'
            ' {id: "power:barix", name: Mains, territory: BB}]\n'
        )
    (folder / "maintenance.yaml").write_text(
        'maintenance: [{id: generator-test, asset: "power:barix", since: 2026-11-29 06:00, lasts: 30m,'
        " rule: FREQ=WEEKLY, reason: generator test}]\n"
    )
    return folder


class House:
    """What runs behind the door."""

    def __init__(self, upkeep: Upkeep, journal: Journal) -> None:
        self.upkeep, self.journal = upkeep, journal
        self.heard: list[Calendar] = []


@asynccontextmanager
async def house(place: Path, clock: FakeClock) -> AsyncIterator[House]:
    settings = load(place, {})
    heard: list[Calendar] = []
    journal = await Journal.open(place.parent / "journal.sqlite", SCHEMAS)
    upkeep = await Upkeep.open(settings, journal, clock, heard.append)
    runner = await serve(
        settings.control, upkeep.commands(), read=web.Application(), count_bug=lambda: pytest.fail("bug")
    )
    made = House(upkeep, journal)
    made.heard = heard
    try:
        yield made
    finally:
        await runner.cleanup()
        await journal.close()


def clock(now: datetime = NOW) -> FakeClock:
    made = FakeClock()
    made.start += now - made.now()
    return made


async def test_work_is_announced_on_the_clock_of_the_place_and_answered_in_both(lambi: Lambi, place: Path) -> None:
    async with house(place, clock()) as behind:
        said = await lambi(
            *("maintenance", "add", ROUTER, "--from", "22:00", "--until", "04:00"),
            *("--reason", "new line card", "--by", "BARIX NOC", "--config", place),
        )
        assert (said.code, said.err) == (0, "")
        assert said.out.splitlines() == [
            "m2: Core router is in maintenance from 2026-11-27 22:00 to 2026-11-28 04:00 (America/Barbados), "
            "2026-11-28 02:00 to 2026-11-28 08:00 UTC",
            "take it back with: lambi maintenance end m2",
        ]
        (heard,) = behind.heard
        window = heard.active(ROUTER, NOW + timedelta(hours=1))
        assert window is not None
        assert (window.author, window.reason, window.below) == ("BARIX NOC", "new line card", True)
        assert behind.upkeep.calendar.boundary(NOW) == NOW + timedelta(minutes=30)
        assert behind.upkeep.works(NOW).soon[ROUTER] == window


async def test_the_list_shows_files_and_hands_and_a_restart_keeps_them(lambi: Lambi, place: Path) -> None:
    async with house(place, clock()):
        await lambi(
            *("maintenance", "add", ROUTER, "--from", "+1h", "--for", "90m", "--weekly", "--only"),
            *("--reason", "weekly swap", "--config", place),
        )
    async with house(place, clock(NOW + timedelta(minutes=70))):
        said = await lambi("maintenance", "list", "--json", "--config", place)
        text = await lambi("maintenance", "list", "--config", place)
    mine, files = json.loads(said.out)["windows"]
    assert (mine["id"], mine["state"], mine["origin"], mine["added_by"]) == ("m2", "on", "hand", ME)
    assert (mine["rule"], mine["below"]) == ("FREQ=WEEKLY", False)
    assert (files["id"], files["state"], files["origin"]) == ("generator-test", "coming", "config")
    assert files["since_local"] == "2026-11-29 06:00"
    assert text.out.splitlines()[1].split("\t")[:5] == ["m2", "on", ROUTER, "2026-11-27 22:30", "2026-11-28 00:00"]
    assert text.out.splitlines()[-1] == "times are those of America/Barbados"


async def test_an_end_is_an_end_and_the_journal_forgets_nothing(lambi: Lambi, place: Path) -> None:
    async with house(place, clock()) as behind:
        await lambi("maintenance", "add", ROUTER, "--for", "2h", "--reason", "new line card", "--config", place)
        assert behind.upkeep.calendar.active(ROUTER, NOW) is not None
        said = await lambi("maintenance", "end", "m2", "--config", place)
        assert (said.code, said.out) == (0, f"m2: ended; trouble of {ROUTER} opens incidents again\n")
        assert behind.upkeep.calendar.active(ROUTER, NOW) is None
        again = await lambi("maintenance", "end", "m2", "--config", place)
        assert (again.code, again.err) == (1, 'no window "m2" is kept; known: generator-test\n')
        file = await lambi("maintenance", "end", "generator-test", "--config", place)
        assert "stands in maintenance.yaml: take it away there" in file.err
        past = json.loads((await lambi("maintenance", "list", "--all", "--json", "--config", place)).out)["windows"]
        assert [(one["id"], one["state"], one["ended_by"]) for one in past] == [
            ("generator-test", "coming", None),
            ("m2", "ended", ME),
        ]
    with sqlite3.connect(place.parent / "journal.sqlite") as journal:
        for table in ("maintenance", "maintenance_end"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                journal.execute(f"DELETE FROM {table}")  # noqa: S608 - names from above


async def test_a_window_that_leaves_the_files_has_ended_and_one_that_changes_begins_anew(place: Path) -> None:
    async with house(place, clock()):
        pass
    text = (place / "maintenance.yaml").read_text()
    (place / "maintenance.yaml").write_text(text.replace("30m", "45m"))
    later = NOW + timedelta(hours=1)
    async with house(place, clock(later)) as behind:
        first, second = await Windows(behind.journal).kept(NOW + timedelta(days=9))
        assert (first.ended, second.ended, second.added) == (later, None, later)
    (place / "maintenance.yaml").unlink()
    async with house(place, clock(later)) as behind:
        assert behind.upkeep.calendar.windows == ()
        assert await Windows(behind.journal).live() == []


REFUSED = (
    ({"asset": "router:bridgetown", "for": "2h"}, f'unknown asset "router:bridgetown"; did you mean "{ROUTER}"?'),
    ({}, "say when it ends: --until 04:00, or --for 2h"),
    ({"for": "2h", "until": "04:00"}, "say when it ends: --until 04:00, or --for 2h"),
    ({"for": "a while"}, '--for: "a while" is not a duration; expected like 2h, 90m or 1h30m'),
    ({"from": "soon", "for": "2h"}, '--from: "soon" is not a moment; expected like 2026-11-28 22:00, 22:00, or +2h'),
    ({"from": "2026-11-28 22:00", "until": "2026-11-28 21:00"}, "until: the end is not after the begin"),
    ({"from": "2026-11-20 22:00", "for": "2h"}, "it would be over already"),
    ({"from": "2026-11-28 22:00", "until": "2036-11-28 21:00"}, "until: longer than a year; work without an end is no"),
    ({"for": "2h", "rule": "FREQ=MINUTELY"}, "rule: FREQ is one of DAILY, WEEKLY, MONTHLY, YEARLY"),
    ({"for": "9d", "rule": "FREQ=WEEKLY"}, "rule: it would never end: each time begins before the last has ended"),
    ({"for": "2h", "author": " "}, "--by: say it in 1 to 80 letters"),
    ({"for": "2h", "reason": ""}, "--reason: say it in 1 to 200 letters"),
)


async def test_what_cannot_be_is_refused_with_a_sentence(place: Path) -> None:
    async with house(place, clock()) as behind:
        commands = behind.upkeep.commands()
        for asked, sentence in REFUSED:
            with pytest.raises(Refused) as caught:
                await commands["maintenance-add"]({"asset": ROUTER, "reason": "work", "peer": ME, **asked})
            assert str(caught.value).startswith(sentence)
        for rows in ({"u": 1}, {"u": {}}, {"u": {"since": "x"}}):
            with pytest.raises(Refused, match="is the daemon another version"):
                await commands["maintenance-import"]({"windows": rows, "peer": ME})
        assert behind.heard == []


ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//NOC//EN
BEGIN:VEVENT
UID:ring@noc
SUMMARY:Ring upgrade
LOCATION:router:bridgetown-1
DTSTART;TZID=America/Barbados:20261129T220000
DTEND;TZID=America/Barbados:20261130T020000
RRULE:FREQ=WEEKLY;BYDAY=SU
EXDATE;TZID=America/Barbados:20261206T220000
END:VEVENT
END:VCALENDAR
"""


async def test_a_calendar_is_imported_and_imported_again(lambi: Lambi, place: Path, tmp_path: Path) -> None:
    file = tmp_path / "ring.ics"
    file.write_text(ICS.replace("\n", "\r\n"))
    words = ("maintenance", "import", file, "--config", place)
    async with house(place, clock()) as behind:
        assert (await lambi(*words)).out == "1 added, 0 known already, 0 ended\n"
        assert (await lambi(*words)).out == "0 added, 1 known already, 0 ended\n"
        begins = behind.upkeep.calendar.coming(NOW + timedelta(days=4), timedelta(days=30))
        assert [f"{each.since:%m-%d %H:%M}" for each in begins if each.asset == ROUTER] == ["12-14 02:00"]
        file.write_text(ICS.replace("T020000", "T030000"))
        assert (await lambi(*words)).out == "1 added, 0 known already, 1 ended\n"
        file.write_text(ICS.replace("RRULE", "STATUS:CANCELLED\nRRULE"))
        assert (await lambi(*words)).out == "0 added, 0 known already, 1 ended\n"
        assert [each.id for each in behind.upkeep.calendar.windows] == ["generator-test"]


async def test_a_calendar_that_cannot_be_used_changes_nothing(lambi: Lambi, place: Path, tmp_path: Path) -> None:
    file = tmp_path / "ring.ics"
    async with house(place, clock()) as behind:
        missing = await lambi("maintenance", "import", file, "--config", place)
        assert (missing.code, missing.err) == (2, f"{file}: cannot be read: No such file or directory\n")
        file.write_text(ICS.replace("bridgetown-1", "bridgetown-9"))
        said = await lambi("maintenance", "import", file, "--config", place)
        assert (said.code, said.err) == (1, f'{file}: event "Ring upgrade": unknown asset "router:bridgetown-9"\n')
        other = await lambi("maintenance", "import", file, "--asset", "router:nowhere", "--config", place)
        assert (other.code, other.err) == (2, 'unknown asset "router:nowhere"\n')
        assert behind.heard == []
