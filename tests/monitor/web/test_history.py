"""The history: filters in the URL, pages of it, CSV and JSON of exactly what is shown."""

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.model import Severity
from monitor.web.history import BadQueryError, Wanted, cell, wanted
from monitor.web.words import share
from tests.counts import soak
from tests.monitor.web import worlds
from tests.monitor.web.serving import Site

QUERIES = (
    "",
    "territory=BB",
    "territory=jm&severity=major",
    "asset=cable:ecfs&since=2026-08-20&until=2026-08-25",
    "severity=critical&per=7&page=2",
    "since=2026-08-28T00:00:00Z&until=2026-08-29T12:30:00-04:00",
    "until=2026-08-10",
)


def shown(page: str) -> list[str]:
    return re.findall(r'<tr><th scope="row"><a href="/incidents/([^"]+)"', page)


@pytest.mark.parametrize("query", QUERIES)
async def test_csv_and_json_hold_exactly_what_is_shown(query: str) -> None:
    async with Site(worlds.storm()) as site:
        page = await site.text(f"/incidents?{query}")
        rows = list(csv.DictReader(io.StringIO(await site.text(f"/incidents.csv?{query}"))))
        facts = await site.json(f"/api/v1/incidents?{query}")
        links = re.findall(r'href="(/(?:incidents\.csv|api/v1/incidents)\?[^"]*)"', page)
        linked = [await site.text(link.replace("&amp;", "&")) for link in links]
    names = shown(page)
    assert names
    assert names == [row["id"] for row in rows] == [one["id"] for one in facts["incidents"]]
    for row, one in zip(rows, facts["incidents"], strict=True):
        for key in ("severity", "asset", "began", "reason", "url", "title", "opened"):
            assert row[key] == one[key]
        assert row["closed"] == (one["closed"] or "")
        assert row["territories"].split() == one["territories"]
    assert len(linked) == 2
    assert all(all(name in text for name in names) for text in linked)


async def test_filters_reach_the_ledger_as_they_stand_in_the_url() -> None:
    async with Site(worlds.storm()) as site:
        await site.text(
            "/incidents?territory=BB&asset=cable:ecfs&severity=major&since=2026-08-01&until=2026-08-31&page=3"
        )
        asked = site.ledger.asked[-1]
        await site.text("/incidents")
        usual = site.ledger.asked[-1]
    assert (asked.territory, asked.asset, asked.severity) == ("BB", "cable:ecfs", Severity.MAJOR)
    assert (asked.since, asked.until) == (datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC))
    assert (asked.limit, asked.offset) == (51, 100)
    assert (usual.since, usual.until) == (datetime(2026, 8, 3, tzinfo=UTC), worlds.NOW)


async def test_pages_lead_to_each_other_and_meet_every_incident_once() -> None:
    async with Site(worlds.storm()) as site:
        met: list[str] = []
        link: str | None = "/incidents?per=25&since=2026-01-01"
        while link:
            page = await site.text(link.replace("&amp;", "&"))
            met += shown(page)
            older = re.search(r'rel="next" href="([^"]+)"', page)
            link = older[1] if older else None
        everything = [one.id for one in site.ledger.rows]
    assert met == everything
    assert len(met) == 122


async def test_the_share_of_the_period_in_which_we_were_looking_is_said_with_its_gaps() -> None:
    async with Site(worlds.storm()) as site:
        page = await site.text("/incidents?since=2026-08-31&until=2026-08-31")
        facts = await site.json("/api/v1/incidents?since=2026-08-31&until=2026-08-31")
    assert "We were looking for 95.83 % of this period." in page
    assert "the daemon was not running" in page
    assert facts["coverage"]["looked_seconds"] == 23 * 3600
    assert facts["coverage"]["gaps"][0]["from"] == "2026-08-31T22:00:00Z"


def test_a_share_is_never_rounded_up_to_all() -> None:
    assert share(86399.999, 86400) == "99.99 %"
    assert share(86400, 86400) == "100 %"
    assert share(0, 0) == "no time at all"


async def test_nothing_found_is_a_finding_only_where_we_looked() -> None:
    async with Site(worlds.calm(), worlds.FakeLedger([])) as site:
        assert "only for the time in which we were looking" in await site.text("/incidents")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("severity=awful", "severity must be one of info, warning, major, critical."),
        ("territory=XX", "territory must be one of the codes of this region, such as BB."),
        ("asset=whale", "asset must be an asset&#39;s id, such as cctld:bb."),
        ("since=yesterday", "since must be a date such as 2026-09-01, or a time such as 2026-09-01T12:00:00Z."),
        ("since=2026-02-30", "since must be a date"),
        ("until=2026-09-01T12:00:00", "until must be a date"),
        ("until=9999-12-31", "until must be a date"),
        ("since=0001-01-01T00:00:00%2B14:00", "since must be a date"),
        ("since=2026-08-20&until=2026-08-10", "since must lie before until."),
        ("since=2027-01-01&until=2027-02-01", "since lies in the future."),
        ("since=1999-01-01", "A period here is at most ten years."),
        ("page=0", "page must be a number from 1 to 100000."),
        ("page=-1", "page must be a number"),
        ("page=%D9%A3", "page must be a number"),
        ("per=5000", "per must be a number from 1 to 1000."),
    ],
)
async def test_a_filter_that_cannot_be_is_answered_with_a_sentence(query: str, sentence: str) -> None:
    async with Site(worlds.storm()) as site:
        assert sentence in await site.text(f"/incidents?{query}", 400)
        assert "400" in await site.text(f"/incidents.csv?{query}", 400)
        async with site.client.get(f"/api/v1/incidents?{query}") as response:
            assert response.status == 400
            assert set(await response.json()) == {"error"}
        assert site.bugs == 0


WORLD = worlds.calm().world
TEXT = st.text(max_size=40) | st.sampled_from(
    ["2026-09-01", "0001-01-01", "9999-12-31T23:59:59-14:00", "2026-W36-1", "+1"]
)


@pytest.mark.parametrize("count", [soak(ci=300, soak=100_000)])
def test_no_query_is_a_bug(count: int) -> None:
    @settings(max_examples=count, deadline=None)
    @given(st.dictionaries(st.sampled_from(["territory", "asset", "severity", "since", "until", "page", "per"]), TEXT))
    def check(query: dict[str, str]) -> None:
        try:
            asked = wanted(query, WORLD, worlds.NOW)
        except BadQueryError:
            return
        assert isinstance(asked, Wanted)
        assert asked.since < asked.until <= worlds.NOW

    check()


@given(st.text(max_size=60))
def test_no_cell_is_a_formula_and_no_cell_breaks_its_line(text: str) -> None:
    written = cell(text)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert not any(ord(letter) < 32 for letter in written)
    out = io.StringIO()
    csv.writer(out).writerow([written])
    assert next(csv.reader(io.StringIO(out.getvalue()))) == [written]


async def test_an_incident_that_is_still_open_belongs_to_every_period_since_it_began() -> None:
    snapshot = worlds.storm()
    old = replace(snapshot.incidents[0], id="1", began=datetime(2026, 7, 1, tzinfo=UTC))
    async with Site(snapshot, worlds.FakeLedger([old])) as site:
        assert shown(await site.text("/incidents?since=2026-08-31")) == ["1"]
