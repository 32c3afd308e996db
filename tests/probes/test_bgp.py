"""BGP visibility: the table by what peers tell, and a server on loopback that speaks as RIS Live does."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from probes.bgp import Bgp, BgpEngine, judged
from probes.bgp_feed import RisLive, subscriptions
from probes.bgp_table import RIPE_SECONDS, Figure, Table
from probes.clock import SystemClock
from probes.model import Ask, Outcome, Part, Target
from tests.fakes import START, FakeClock

PREFIX, OTHER, SIX = "196.3.132.0/24", "196.3.140.0/22", "2001:db8:1::/48"
BLOCKS = {"196.3.128.0/19": "BB", "2001:db8::/32": "BB", "198.51.100.0/24": "VG"}
CARRIER, HOSTER = 64500, 64666


def table() -> Table:
    return Table(BLOCKS, {str(CARRIER)}.__contains__)


def update(
    peer: int, announce: Iterable[str] = (), withdraw: Iterable[str] = (), path: Iterable[Any] = (3356, CARRIER)
) -> dict[str, Any]:
    told: dict[str, Any] = {"host": "rrc16", "peer": f"192.0.2.{peer}", "peer_asn": "3356", "type": "UPDATE"}
    if announce:
        told |= {"path": list(path), "announcements": [{"next_hop": "192.0.2.1", "prefixes": list(announce)}]}
    return told | ({"withdrawals": list(withdraw)} if withdraw else {})


def session(peer: int, state: str) -> dict[str, Any]:
    return {"host": "rrc16", "peer": f"192.0.2.{peer}", "peer_asn": "3356", "type": "RIS_PEER_STATE", "state": state}


def tell(table: Table, told: Iterable[Mapping[str, Any]], at: float) -> set[tuple[str, int]]:
    return {turned for one in told for turned in table.hear(one, at)}


def heard(peers: int = 100, prefixes: Iterable[str] = (PREFIX,)) -> Table:
    """A table in which so many peers have told of prefixes, long enough ago to be judged at RIPE_SECONDS."""
    made = table()
    tell(made, (update(peer, prefixes) for peer in range(peers)), 0.0)
    return made


NOW = RIPE_SECONDS + 1


def test_before_anything_is_heard_nothing_is_lost() -> None:
    figure = table().figure("BB", 4, NOW)
    assert figure == Figure(0, 0, 0, 0, blocks=1)
    part = judged(figure)
    assert part.outcome is Outcome.UNKNOWN
    assert part.reason == "not yet heard, of 1 delegated blocks"


def test_a_prefix_is_judged_once_eight_peers_have_told_of_it_for_ten_minutes() -> None:
    few, many = heard(7), heard(8)
    assert (few.figure("BB", 4, NOW).judged, few.figure("BB", 4, NOW).young) == (0, 1)
    assert many.figure("BB", 4, RIPE_SECONDS - 1).judged == 0
    assert many.figure("BB", 4, NOW).judged == 1


def test_a_withdrawal_of_what_was_never_announced_says_nothing() -> None:
    made = table()
    assert tell(made, (update(peer, withdraw=[PREFIX]) for peer in range(100)), 0.0) == set()
    assert made.routes == {}


def test_sixty_of_a_hundred_withdraw_it_is_lost_and_all_return_it_is_back() -> None:
    made = heard(100, [PREFIX, OTHER])
    turned = tell(made, (update(peer, withdraw=[PREFIX, OTHER]) for peer in range(60)), NOW)
    assert turned == {("BB", 4)}
    part = judged(made.figure("BB", 4, NOW))
    assert (part.outcome, part.refused) == (Outcome.FAILED, True)
    assert part.reason.startswith("2 of 2 announced prefixes have left the world's table: ")
    assert f"{PREFIX} of AS64500 (40 of 100 peers, last by AS3356)" in part.reason
    tell(made, (update(peer, [PREFIX, OTHER]) for peer in range(35)), NOW)
    assert made.figure("BB", 4, NOW).lost == 2, "75 of 100: it does not flutter"
    assert tell(made, (update(peer, [PREFIX, OTHER]) for peer in range(35, 60)), NOW) == {("BB", 4)}
    assert judged(made.figure("BB", 4, NOW)).outcome is Outcome.OK


def test_peers_that_withdraw_and_announce_again_one_after_the_other_are_no_loss() -> None:
    made = heard(45)
    for peer in range(45):
        assert tell(made, [update(peer, withdraw=[PREFIX]), update(peer, [PREFIX])], NOW) == set()


def test_the_end_of_a_collectors_sessions_shrinks_the_view_and_loses_nothing() -> None:
    made = heard(100)
    assert tell(made, (session(peer, "down") for peer in range(60)), NOW) == set()
    assert made.figure("BB", 4, NOW).lost == 0
    tell(made, (update(peer, withdraw=[PREFIX]) for peer in range(60, 90)), NOW)
    assert made.figure("BB", 4, NOW).lost == 1, "30 of the 40 that are left"
    tell(made, (session(peer, "down") for peer in range(60, 100)), NOW)
    assert made.figure("BB", 4, NOW).judged == 0, "nobody is left to say"


def test_one_of_many_prefixes_is_graded_and_no_outage() -> None:
    prefixes = [f"196.3.{n}.0/24" for n in range(128, 148)]
    made = heard(20, prefixes)
    tell(made, (update(peer, withdraw=prefixes[:2]) for peer in range(20)), NOW)
    part = judged(made.figure("BB", 4, NOW))
    assert part.outcome is Outcome.OK
    assert part.values["prefixes_lost_ratio"] == 0.1


def test_blocks_of_networks_that_do_not_serve_the_island_are_left_out_and_counted() -> None:
    made = table()
    tell(made, (update(peer, ["198.51.100.0/24"], path=(3356, HOSTER)) for peer in range(20)), 0.0)
    tell(made, (update(peer, withdraw=["198.51.100.0/24"]) for peer in range(20)), NOW)
    figure = made.figure("VG", 4, NOW)
    assert (figure.judged, figure.left_out) == (0, 1)
    part = judged(figure)
    assert part.outcome is Outcome.UNKNOWN
    assert "1 left out, of networks that are not known to serve it" in part.reason


def test_families_are_told_apart_and_the_smallest_block_decides() -> None:
    made = Table({**BLOCKS, "196.3.132.0/24": "AG"}, lambda _: True)
    tell(made, (update(peer, [PREFIX, OTHER, SIX, "203.0.113.0/24"]) for peer in range(20)), 0.0)
    assert [made.figure(*place, NOW).judged for place in (("BB", 4), ("AG", 4), ("BB", 6))] == [1, 1, 1]
    assert "203.0.113.0/24" not in made.routes


def test_a_path_with_a_set_and_two_groups_of_one_prefix_is_understood() -> None:
    made = table()
    one = update(1, [PREFIX], path=(3356, CARRIER, [64512, 64513]))
    one["announcements"] *= 2
    assert tell(made, [one], 0.0) == set()
    assert made.routes[PREFIX].origin == str(CARRIER)


def test_what_finds_no_room_is_counted() -> None:
    made = Table({"10.0.0.0/8": "BB"}, lambda _: True)
    prefixes = [f"10.{n >> 8}.{n & 255}.0/24" for n in range(20_010)]
    tell(made, [update(1, prefixes)], 0.0)
    assert (len(made.routes), made.overflow) == (20_000, 10)


@pytest.mark.skipif("LAMBI_SAMPLES" not in os.environ, reason="LAMBI_SAMPLES names no folder of real captures")
@pytest.mark.samples
def test_real_messages_are_read() -> None:
    folder = Path(os.environ["LAMBI_SAMPLES"]) / "bgp"
    made = Table({"0.0.0.0/0": "BB", "::/0": "BB"}, lambda _: True)
    lines = (folder / "rislive-shaped-from-ris-20160811.jsonl").read_text().splitlines()
    for line in lines:
        made.hear(json.loads(line)["data"], 0.0)
    assert len(lines) == 2000
    assert len(made.routes) > 800


class Server:
    """Speaks as RIS Live does; a test says what it tells."""

    def __init__(self) -> None:
        self.wishes: list[dict[str, Any]] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.wishes.append(json.loads(message.data))
        return socket

    async def tell(self, told: Iterable[Mapping[str, Any]]) -> None:
        for data in told:
            await self.sockets[-1].send_str(json.dumps({"type": "ris_message", "data": data}))

    async def cut(self) -> None:
        await self.sockets[-1].close(code=1011)


@asynccontextmanager
async def ris() -> AsyncIterator[Server]:
    made, app = Server(), web.Application()
    app.router.add_get("/v1/ws/", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/v1/ws/"
    try:
        yield made
    finally:
        await runner.cleanup()


class Watch:
    """A feed on a server, and the engine that answers from it, in time that a test moves."""

    def __init__(self, url: str) -> None:
        self.clock = FakeClock()
        self.feed = RisLive(table(), self.clock, url=url)
        self.engine = BgpEngine(self.feed, vantage="v", clock=self.clock)
        self.nudged: list[str] = []
        self.task = asyncio.create_task(self.feed.run(self.nudged.append))

    async def part(self, territory: str = "BB", family: int = 4) -> Part:
        ask = Ask("c", Target("t", "RIS Live", family), Bgp(territory), 5.0, START)
        ((seen,),) = [batch async for batch in self.engine.ask([ask])]
        return seen.parts[""]

    async def until(self, holds: Any, what: str) -> None:
        for _ in range(500):
            if holds():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"never: {what}")

    async def close(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


@asynccontextmanager
async def watching(server: Server) -> AsyncIterator[Watch]:
    watch = Watch(server.url)
    try:
        await watch.until(lambda: server.sockets and not watch.feed.blind(0.0), "connected")
        yield watch
    finally:
        await watch.close()


async def test_it_asks_for_every_block_with_all_below_and_for_the_state_of_peers() -> None:
    async with ris() as server, watching(server) as watch:
        await watch.until(lambda: len(server.wishes) == 2, "both subscriptions")
    state, wish = (one["data"] for one in server.wishes)
    assert state == {"type": "RIS_PEER_STATE"}
    assert (set(wish["prefix"]), wish["moreSpecific"], wish["type"]) == (set(BLOCKS), True, "UPDATE")
    assert len(subscriptions([f"10.{n}.0.0/16" for n in range(450)])) == 4


async def test_a_loss_is_told_of_at_once_and_judged_by_the_table() -> None:
    async with ris() as server, watching(server) as watch:
        await server.tell(update(peer, [PREFIX]) for peer in range(100))
        await watch.until(lambda: watch.feed.messages == 100, "all heard")
        assert (await watch.part()).outcome is Outcome.UNKNOWN, "not for long enough yet"
        watch.clock.elapsed = NOW
        assert (await watch.part()).outcome is Outcome.UNKNOWN, "and silent for longer than it should be"
        await server.tell([update(0, [PREFIX])])
        await watch.until(lambda: watch.feed.messages == 101, "one more")
        assert (await watch.part()).outcome is Outcome.OK
        await server.tell(update(peer, withdraw=[PREFIX]) for peer in range(60))
        await watch.until(lambda: watch.nudged == ["BB/4"], "the check is nudged once")
        assert (await watch.part()).outcome is Outcome.FAILED


async def test_a_cut_is_blindness_and_what_was_known_before_is_not_yet_heard_after_it() -> None:
    async with ris() as server, watching(server) as watch:
        await server.tell(update(peer, [PREFIX]) for peer in range(100))
        await watch.until(lambda: watch.feed.messages == 100, "all heard")
        watch.clock.elapsed = 300.0
        await server.cut()
        await watch.until(lambda: watch.feed.gaps == 1, "the gap is noted")
        stream, place = await watch.part(territory=""), await watch.part()
        assert (stream.outcome, place.outcome) == (Outcome.FAILED, Outcome.UNKNOWN)
        assert "is not there: closed by the other side (1011)" in stream.reason
        await watch.clock.advance(2.0)
        await watch.until(lambda: len(server.sockets) == 2, "it has connected again")
        await watch.until(lambda: not watch.feed.blind(watch.clock.elapsed), "it sees again")
        watch.clock.elapsed = 1000.0
        await server.tell([session(1, "connected")])
        await watch.until(lambda: watch.feed.messages == 101, "something is heard")
        part = await watch.part()
        assert (part.outcome, part.reason) == (Outcome.UNKNOWN, "not yet heard, of 1 delegated blocks")
        assert (await watch.part(territory="")).outcome is Outcome.OK


async def test_silence_beyond_what_is_usual_is_blindness_though_the_connection_stands() -> None:
    async with ris() as server, watching(server) as watch:
        for second in range(30):
            watch.clock.elapsed = second * 60.0
            await server.tell([update(1, [PREFIX])])
            await watch.until(lambda wanted=second + 1: watch.feed.messages == wanted, "heard")
        watch.clock.elapsed += 1000.0
        assert (await watch.part(territory="")).outcome is Outcome.OK, "one a minute is usual, 17 may stay away"
        watch.clock.elapsed += 400.0
        stream = await watch.part(territory="")
        assert stream.outcome is Outcome.FAILED
        assert "has told nothing for 1400 s" in stream.reason


async def test_a_server_that_is_not_there_is_tried_again_and_unknown_at_first() -> None:
    watch = Watch("ws://127.0.0.1:9/v1/ws/")
    await watch.until(
        lambda: "Cannot connect" in watch.feed.blind(0.0) or "refused" in watch.feed.blind(0.0), "it fails"
    )
    assert (await watch.part(territory="")).outcome is Outcome.UNKNOWN
    await watch.clock.advance(120.0, turns=200)
    assert (await watch.part(territory="")).outcome is Outcome.FAILED
    assert (await watch.part()).outcome is Outcome.UNKNOWN
    await watch.close()


HOSTILE: list[Any] = [
    "",
    "{",
    "[]",
    "null",
    '{"type": "ris_message"}',
    '{"type": "ris_message", "data": null}',
    '{"type": "ris_message", "data": {"type": "UPDATE"}}',
    json.dumps({"type": "ris_message", "data": update(1, ["no prefix"])}),
    '{"type": "ris_message", "data": {"type": "UPDATE", "host": "rrc00", "peer": "x", "announcements": "abc"}}',
    '{"type": "ris_message", "data": {"type": "RIS_PEER_STATE", "host": "rrc00", "peer": "x"}}',
    '{"type": "ris_error", "data": {"message": "\\u001b[31m"}}',
    "[" * 100_000,
]


async def test_what_cannot_be_read_is_counted_and_does_no_harm() -> None:
    async with ris() as server, watching(server) as watch:
        for text in HOSTILE:
            await server.sockets[-1].send_str(text)
        await server.tell([update(1, [PREFIX])])
        await watch.until(lambda: PREFIX in watch.feed.table.routes, "it goes on")
        assert watch.feed.malformed >= len(HOSTILE) - 3
        assert len(server.sockets) == 1


async def test_the_engine_asks_nobody() -> None:
    feed = RisLive(table(), SystemClock(), url="ws://127.0.0.1:9/")
    engine = BgpEngine(feed, vantage="v", clock=SystemClock())
    asks = [Ask(f"c{n}", Target("t", "RIS Live", 4), Bgp("BB"), 5.0, START) for n in range(3)]
    seen = [look for batch in [batch async for batch in engine.ask(asks)] for look in batch]
    assert [look.check for look in seen] == ["c0", "c1", "c2"]
    await engine.close()
