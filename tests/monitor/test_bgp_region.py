"""The whole region by BGP, in simulated time: the full inventory, a scripted stream, the line's own belief."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from itertools import islice
from pathlib import Path

import pytest

from alerting.model import Severity
from monitor.belief import Belief
from monitor.config import Settings, load
from monitor.docket import Book
from monitor.model import Incident
from monitor.reload import without_restart
from monitor.streams import Streams
from probes.bgp import Bgp, BgpEngine
from probes.bgp_feed import AT_ONCE
from probes.bgp_table import Table
from probes.clock import SystemClock
from probes.model import Ask, Observation, Outcome
from tests.fakes import START, FakeClock
from tests.probes.test_bgp import ris, update

PEERS = 100


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("config")
    (folder / "lambi.yaml").write_text("bgp: {enabled: true}\n")
    return load(folder, {})


class Stream:
    """Keeps a table as RIS Live would; a test says what is told and when it is cut."""

    def __init__(self, settings: Settings) -> None:
        assert settings.bgp is not None
        self.table = Table(settings.bgp.blocks, settings.bgp.serving.__contains__)
        self.messages, self.why = 0, ""

    def blind(self, _at: float) -> str:
        return self.why

    def young(self, _at: float) -> bool:
        return False


class Region:
    """Looks once a minute at every territory, as the daemon does."""

    def __init__(self, settings: Settings) -> None:
        checks = {name: one for name, one in settings.world.checks.items() if one.kind == Bgp.kind}
        self.world = replace(settings.world, checks=checks)
        self.clock, self.stream = FakeClock(), Stream(settings)
        self.engine = BgpEngine(self.stream, vantage=self.world.vantage, clock=self.clock)
        self.belief = Belief(self.world, {}, Book(), frozenset(), START)
        self.told: list[Incident] = []
        self.serving = next(iter(sorted(settings.bgp.serving)))  # type: ignore[union-attr] # it is on

    def announce(self, prefixes: Iterable[str], peers: range = range(PEERS)) -> None:
        for peer in peers:
            self.stream.table.hear(update(peer, prefixes, path=(3356, self.serving)), self.clock.elapsed)

    def withdraw(self, prefixes: Iterable[str], peers: range = range(PEERS)) -> None:
        for peer in peers:
            self.stream.table.hear(update(peer, withdraw=prefixes), self.clock.elapsed)

    async def minutes(self, count: int, each: Callable[[], None] = lambda: None) -> None:
        for _ in range(count):
            self.clock.elapsed += 60.0
            each()
            asks = [Ask(one.id, one.target, one.probe, 5.0, self.clock.now()) for one in self.world.checks.values()]
            looks: list[Observation] = [look async for batch in self.engine.ask(asks) for look in batch]
            self._conclude(self.belief.hear(looks, self.clock.now(), self.clock.elapsed))
            self._conclude(self.belief.tick(self.clock.now() + timedelta(seconds=1), self.clock.elapsed + 1))

    def _conclude(self, signals: list) -> None:  # type: ignore[type-arg] # of Signal
        if step := self.belief.conclude(signals):
            self.belief.adopt(step)
            self.told += [change.incident for change in step.changes if change.incident.revision == 1]


def blocks(settings: Settings, code: str, family: int = 4) -> list[str]:
    assert settings.bgp is not None
    found = [block for block, home in settings.bgp.blocks.items() if home == code]
    return [block for block in found if ip_network(block).version == family]


def test_every_territory_that_has_blocks_is_watched_over_each_family_it_has(settings: Settings) -> None:
    watched = {(one.probe.territory, one.target.family) for one in settings.world.checks.values() if one.kind == "bgp"}
    assert settings.bgp is not None
    assert watched == {(home, ip_network(block).version) for block, home in settings.bgp.blocks.items()} | {("", 4)}
    assert len({code for code, _ in watched}) == 34, "33 territories, and the stream itself"
    assert settings.world.assets["territory:BB"].name == "Networks of Barbados"


def test_as_shipped_nothing_of_it_is_there(tmp_path: Path) -> None:
    shipped = load(None, {})
    assert shipped.bgp is None
    assert not [one for one in shipped.world.checks.values() if one.kind == "bgp"]
    assert not [name for name in shipped.world.assets if name.startswith(("territory:", "feed:"))]


async def test_a_first_start_calls_no_territory_down_before_anything_was_heard(settings: Settings) -> None:
    region = Region(settings)
    await region.minutes(30)
    assert region.told == []
    phases = {state.phase.value for parts in region.belief.states.values() for state in parts.values()}
    assert phases == {"unknown", "up"}, "of the territories nothing is known; the stream is there"


async def test_a_territory_whose_prefixes_sixty_of_a_hundred_peers_withdraw_warns_and_no_more(
    settings: Settings,
) -> None:
    region = Region(settings)
    barbados, grenada = blocks(settings, "BB"), blocks(settings, "GD")
    region.announce([*barbados, *grenada])
    await region.minutes(15)
    assert region.told == []
    region.withdraw(barbados, range(60))
    await region.minutes(5)
    (incident,) = region.told
    assert (incident.asset, incident.severity) == ("territory:BB", Severity.WARNING)
    assert incident.title == "Networks of Barbados withdrawn from the routing table"
    assert f"{len(barbados)} of {len(barbados)} announced prefixes have left the world's table" in incident.reason
    region.announce(barbados)
    await region.minutes(10)
    assert region.belief.book.open == {}


async def test_a_cut_of_the_stream_is_one_incident_of_the_stream_and_nothing_else(settings: Settings) -> None:
    region = Region(settings)
    everything = [block for code in settings.world.territories for block in blocks(settings, code)]
    region.announce(everything, range(10))
    await region.minutes(15)
    region.stream.why = "the stream of ris-live.ripe.net is not there: closed"
    region.stream.table.clear()
    await region.minutes(20)
    assert [(one.asset, one.title) for one in region.told] == [("feed:ris-live", "Feed RIS Live down")]
    region.stream.why = ""
    await region.minutes(30)
    assert region.belief.book.open == {}
    assert len(region.told) == 1


async def test_what_was_known_before_a_gap_is_not_lost_after_it(settings: Settings) -> None:
    region = Region(settings)
    barbados = blocks(settings, "BB")
    region.announce(barbados)
    await region.minutes(15)
    region.stream.table.clear()
    region.announce(barbados[:1], range(9))
    await region.minutes(30)
    assert region.told == []


async def test_a_storm_of_path_hunting_is_no_outage(settings: Settings) -> None:
    """Every peer withdraws and announces again, one after the other, for half an hour."""
    region = Region(settings)
    barbados = blocks(settings, "BB")
    region.announce(barbados)
    await region.minutes(15)

    def churn() -> None:
        for peer in range(PEERS):
            region.withdraw(barbados, range(peer, peer + 1))
            region.announce(barbados, range(peer, peer + 1))

    await region.minutes(30, churn)
    assert region.told == []


async def test_over_the_websocket_every_block_is_asked_for_and_nothing_is_judged_at_first(settings: Settings) -> None:
    assert settings.bgp is not None
    everything = [block for code in settings.world.territories for block in blocks(settings, code)]
    serving = next(iter(sorted(settings.bgp.serving)))
    async with ris() as server:
        streams = Streams(replace(settings, bgp=replace(settings.bgp, url=server.url)), SystemClock())
        running = asyncio.create_task(streams.run(lambda *_: None))
        engine = streams.engines[Bgp.kind]
        asks = [
            Ask(one.id, one.target, one.probe, 5.0, START)
            for one in settings.world.checks.values()
            if one.kind == "bgp"
        ]

        async def reasons() -> list[tuple[Outcome, str]]:
            batches = [batch async for batch in engine.ask(asks)]
            parts = [look.parts[""] for batch in batches for look in batch]
            return [(part.outcome, part.reason) for part in parts]

        async with asyncio.timeout(30):
            while len(server.wishes) < 1 + -(-len(settings.bgp.blocks) // AT_ONCE):  # noqa: ASYNC110 - another task
                await asyncio.sleep(0.01)
            asked = [block for wish in server.wishes for block in wish["data"].get("prefix", ())]
            assert sorted(asked) == sorted(settings.bgp.blocks)
            assert [one for one in await reasons() if one[0] is not Outcome.UNKNOWN] == [(Outcome.OK, "")]
            await server.tell(update(peer, everything, path=(3356, serving)) for peer in range(10))
            while not any("heard of too little" in why for _, why in await reasons()):  # noqa: ASYNC110 - the table sets no event
                await asyncio.sleep(0.01)
        found = await reasons()
        assert [one for one in found if one[0] is not Outcome.UNKNOWN] == [(Outcome.OK, "")], "the stream is there"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_switching_it_on_takes_a_restart_and_a_reload_leaves_it_off(settings: Settings) -> None:
    old = load(None, {})
    fresh, named = without_restart(old, settings)
    assert named == ("bgp",)
    assert fresh.world.checks.keys() == old.world.checks.keys()
    assert not [name for name in fresh.world.assets if name.startswith(("territory:", "feed:"))]


def inside(settings: Settings, code: str, count: int) -> list[str]:
    """So many /24 out of the blocks that were delegated to a territory."""
    nets = (net for block in blocks(settings, code) for net in ip_network(block).subnets(new_prefix=24))
    return [str(net) for net in islice(nets, count)]


async def test_maria_takes_half_of_puerto_ricos_prefixes_and_then_880_of_1200_while_dorian_takes_a_few(
    settings: Settings,
) -> None:
    """Half during landfall on 2017-09-20, 880 of 1200 the next day (NANOG list). Dorian 2019: a spike of minutes."""
    region, peers = Region(settings), range(10)
    puerto_rico, bahamas = inside(settings, "PR", 1200), inside(settings, "BS", 40)
    assert (len(puerto_rico), len(bahamas)) == (1200, 40)
    region.announce([*puerto_rico, *bahamas], peers)
    await region.minutes(15)
    assert region.told == []
    region.withdraw(puerto_rico[:400], peers)
    region.withdraw(bahamas[:4], peers)
    await region.minutes(5)
    said = {one.asset: one for one in region.told}
    assert said["territory:PR"].title == "Networks of Puerto Rico partly withdrawn"
    assert "prefixes_lost_ratio 0.333333 is above 0.05" in said["territory:PR"].reason
    assert "prefixes_lost_ratio 0.1 is above 0.05" in said["territory:BS"].reason
    region.withdraw(puerto_rico[400:600], peers)
    region.announce(bahamas, peers)
    await region.minutes(5)
    (open_one,) = [one for one in region.belief.book.open.values() if one.asset == "territory:PR"]
    assert open_one.title == "Networks of Puerto Rico withdrawn from the routing table"
    assert "600 of 1200 announced prefixes have left the world's table" in open_one.reason
    region.withdraw(puerto_rico[600:880], peers)
    await region.minutes(5)
    (state,) = region.belief.states["territory:PR/4/bgp"].values()
    assert "880 of 1200 announced prefixes have left the world's table" in state.reason
    region.announce(puerto_rico, peers)
    await region.minutes(15)
    assert region.belief.book.open == {}
