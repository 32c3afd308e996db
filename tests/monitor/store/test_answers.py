"""One read interface: SQLite, SQLite with Parquet and InfluxDB 1.6.7 answer every question as a count by hand does."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from monitor.config.settings import Influx as Place
from monitor.store import archive, desk
from monitor.store.history import LocalHistory
from monitor.store.influx.export import Export
from monitor.store.influx.reads import InfluxHistory
from monitor.store.influx.server import Server
from monitor.store.keeper import Keeper
from monitor.store.rows import Row
from monitor.store.schema import Identity
from monitor.store.sketch import rank
from monitor.store.steps import Figures, Which
from probes.model import Observation, Outcome, Part, Value
from tests.fakes import FakeClock
from tests.influx import Influx, asked
from tests.monitor.store.looks import COLUMNS, NOON, look

FIVE, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
DAYS = 5
"""Two of them are archived where there is Parquet."""
END = NOON + DAYS * DAY
KEY = "rtt_seconds"
NAME = "d,=/dns/x y"
DATABASE = "answers"

History = LocalHistory | InfluxHistory
Found = dict[Identity, list[Row]]


def _day(number: int, draw: random.Random) -> Iterator[Observation]:
    """Yield looks of two hours of a day: every outcome, text, odd names, parts, values without a column."""
    start = number * 86_400
    for n in range(120):
        outcome = draw.choice([*Outcome, Outcome.OK, Outcome.OK])
        values: dict[str, Value] = {}
        if outcome is Outcome.OK:
            values = {KEY: draw.randrange(10**6) / 1e6, "ttl": 50 + n % 9}
        yield look(start + 60 * n, check=f"a{n % 3}/icmp/", outcome=outcome, values=values)
    text: dict[str, Value] = {KEY: 0.02, "soa_serial": 2**32 - 1, "nsid": 'gw "1"\\ñ', "odd key": 7.5}
    for n in range(5):
        yield look(start + n, check=NAME, kind="dns", values=text)
        yield look(start + n, check="p/icmp/", parts={"eth0 ,=": Part(Outcome.OK), "eth1": Part(Outcome.UNKNOWN)})


DRAW = random.Random(5)  # noqa: S311 - no secrets
LOOKS = [one for number in range(DAYS) for one in _day(number, DRAW)]


def by_hand() -> Found:
    """Return the looks of each series, in order of time."""
    found: Found = {}
    for one in sorted(LOOKS, key=lambda each: each.at):
        for part, told in one.parts.items():
            row = Row(one.check, part, one.kind, one.vantage, one.at, told.outcome, told.values)
            found.setdefault((one.check, part, one.vantage), []).append(row)
    return found


BY_HAND = by_hand()


def _filled(folder: Path) -> Path:
    keeper = Keeper(folder, COLUMNS, retention_days=30, rollup_days=30, archives=False)
    for start in range(0, len(LOOKS), 50):
        keeper.store(LOOKS[start : start + 50])
        while keeper.tend():
            pass
    keeper.close()
    assert (keeper.error, keeper.dropped) == ("", 0)
    return folder


async def _exported(folder: Path, place: Place) -> None:
    server = Server(place)
    export = Export(folder, server, FakeClock())
    while await export.round():
        pass
    await server.close()
    assert (export.error, export.refused) == ("", 0)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _filled(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its oldest days as Parquet."""
    pytest.importorskip("pyarrow")
    folder = _filled(tmp_path_factory.mktemp("packed"))
    desk.compact(folder, lambda *_: None)
    assert len(archive.days(folder)) == DAYS - archive.HOT_DAYS
    return folder


@pytest.fixture(scope="module")
def influx(sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with Influx(tmp_path_factory.mktemp("influx")).running() as server:
        asked(f"{server.url}/query?" + urlencode({"q": f"CREATE DATABASE {DATABASE}"}), post=True)
        place = Place(server.url, DATABASE, v1=True)
        asyncio.run(_exported(sqlite, place))
        yield place


@pytest.fixture(params=["sqlite", "packed", "influx"])
def kept(request: pytest.FixtureRequest) -> Path | Place:
    where: Path | Place = request.getfixturevalue(request.param)
    return where


@pytest.fixture
async def history(kept: Path | Place) -> AsyncIterator[History]:
    if isinstance(kept, Path):
        yield LocalHistory(kept, pytest.fail)
        return
    there = InfluxHistory(Server(kept))
    yield there
    await there.close()


@pytest.mark.parametrize("name", [("a1/icmp/", ""), ("p/icmp/", "eth0 ,="), (NAME, ""), ("none", "")])
async def test_a_range_is_the_looks_of_one_series_without_its_end(history: History, name: tuple[str, str]) -> None:
    own = BY_HAND.get((*name, "vantage:test"), [])
    since, until = NOON + 3 * timedelta(minutes=1), own[-1].at if own else END
    assert await history.range(*name, since, until) == [row for row in own if since <= row.at < until]


async def test_latest_is_the_last_look_of_each_series(history: History) -> None:
    found = {(row.check, row.part, row.vantage): row for row in await history.latest()}
    assert found == {name: rows[-1] for name, rows in BY_HAND.items()}


def within(name: Identity, at: datetime, step: timedelta) -> list[Row]:
    return [row for row in BY_HAND[name] if at <= row.at < at + step]


def count(rows: Sequence[Row]) -> tuple[int, int, int, int]:
    """Looks, up, unknown, 5-minute stretches in which a look could say something."""
    outcomes = [row.outcome for row in rows]
    covered = {(row.at - NOON) // FIVE for row in rows if row.outcome is not Outcome.UNKNOWN}
    return len(rows), outcomes.count(Outcome.OK), outcomes.count(Outcome.UNKNOWN), len(covered)


def figures(rows: Sequence[Row], key: str) -> list[float] | None:
    """Count by hand what `Figures` says."""
    values = [float(row.values[key]) for row in rows if key in row.values]
    if not values:
        return None
    shares = [sorted(values)[rank(len(values), share) - 1] for share in (0.5, 0.95, 0.99)]
    return list(Figures(len(values), sum(values), min(values), max(values), values[-1], *shares))


ONLY = Which(frozenset(["a0/icmp/", "a1/icmp/", NAME]))


@pytest.mark.parametrize("step", [FIVE, 3 * FIVE, HOUR, DAY])
@pytest.mark.parametrize("key", [KEY, "ttl", ""])
async def test_steps_say_what_the_looks_say(history: History, key: str, step: timedelta) -> None:
    since = NOON - HOUR
    found = await history.downsample(key, since, END, step, ONLY)
    own = {name: rows for name, rows in BY_HAND.items() if ONLY.takes(name)}
    places = {(name, since + (row.at - since) // step * step) for name, rows in own.items() for row in rows}
    assert [(one.series, one.at) for one in found] == sorted(places)
    for one in found:
        rows = within(one.series, one.at, step)
        assert one[2:6] == count(rows)
        told = list(one.figures) if one.figures else None
        assert told == pytest.approx(figures(rows, key)) if told else figures(rows, key) is None


async def test_availability_counts_unknown_neither_as_up_nor_as_failed(history: History) -> None:
    since = NOON - HOUR
    found = await history.availability(since, END)
    assert [one.series for one in found] == sorted(BY_HAND)
    for one in found:
        *counts, covered = count(within(one.series, since, END - since))
        assert [one.looks, one.up, one.unknown] == counts
        assert one.coverage == pytest.approx(covered / ((END - since) / FIVE))
    assert [one.share for one in found if one.series[1] == "eth1"] == [None]


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
async def test_a_quantile_is_one_of_all_looks(history: History, share: float) -> None:
    values = sorted(float(row.values[KEY]) for name in BY_HAND for row in BY_HAND[name] if KEY in row.values)
    assert await history.quantile(KEY, NOON, END, share) == values[rank(len(values), share) - 1]
    assert await history.quantile(KEY, NOON, END, share, Which(frozenset(["p/icmp/"]))) is None


async def test_an_hour_of_all_series_stands_in_columns(history: History) -> None:
    found = await history.overview(KEY, NOON, END)
    assert [hour.at for hour in found] == [NOON + n * DAY + m * HOUR for n in range(DAYS) for m in (0, 1)]
    for hour in found:
        told = {name: tuple(rest) for name, *rest in zip(*hour[1:], strict=True)}
        rows = {name: within(name, hour.at, HOUR) for name in BY_HAND}
        assert told.keys() == {name for name in rows if rows[name]}
        for name, (share, mean, p95) in told.items():
            looks, up, unknown, _ = count(rows[name])
            counted = figures(rows[name], KEY)
            assert share == (up / (looks - unknown) if looks > unknown else None)
            assert mean == (pytest.approx(counted[1] / counted[0]) if counted else None)
            assert p95 == (pytest.approx(counted[6]) if counted else None)
