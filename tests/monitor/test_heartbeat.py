"""The dead man's switch: who may say that it is alive, and whose word counts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.heart import Heart
from monitor.heartbeat import Beats, Ear, Gatekeeper, Peer, Vitals, Watcher, heard, listen, sign, unwell
from monitor.web.heartbeat import add_heartbeat
from monitor.web.ops import make_app
from probes.clock import SystemClock
from probes.model import Outcome
from tests.fakes import FakeClock
from tests.monitor.web import worlds as pictures

SECRET = "a secret of two islands"
BB, JM = Peer("bb", SECRET), Peer("jm", SECRET)


@pytest.mark.parametrize(
    ("vitals", "why"),
    [
        (Vitals(990, 995, 950), ""),
        (Vitals(None, 995, 950), "no look has gone through the line yet"),
        (Vitals(990, None, 950), "nothing has been written to the journal yet"),
        (Vitals(990, 995, None), "the outbox has not turned yet"),
        (Vitals(930, 995, 950), "no look has gone through the line for 70 s"),
        (Vitals(990, 939, 950), "nothing has been written to the journal for 61 s"),
        (Vitals(990, 995, 810), "the outbox has not turned for 190 s"),
    ],
)
def test_only_who_looks_writes_and_sends_is_well(vitals: Vitals, why: str) -> None:
    assert unwell(vitals, 5.0, 1000.0) == why


def test_where_looks_are_rare_the_line_may_be_quiet_for_three_of_them() -> None:
    assert unwell(Vitals(200, 995, 950), 300.0, 1000.0) == ""
    assert unwell(Vitals(90, 995, 950), 300.0, 1000.0) == "no look has gone through the line for 910 s"


def outcome(ear: Ear, at: float, *, sees: bool = True) -> Outcome:
    return listen(ear, 300.0, at, sees=sees)[1].outcome


def test_a_peer_has_its_grace_from_our_start_and_from_each_heartbeat() -> None:
    ear = Ear(0.0, 4)
    assert outcome(ear, 300) is Outcome.UNKNOWN
    assert outcome(ear, 301) is Outcome.FAILED
    ear = heard(ear, 0, 400)
    assert outcome(ear, 700) is Outcome.OK
    assert listen(ear, 300.0, 701, sees=True)[1].reason == "no heartbeat for 301 s; 300 s are allowed"


def test_while_our_own_link_is_cut_nothing_is_known_and_after_it_the_peer_has_its_grace_anew() -> None:
    ear, part = listen(heard(Ear(0.0, 4), 6, 10), 300.0, 1000, sees=False)
    assert part.outcome is Outcome.UNKNOWN
    assert part.reason == "cannot be known: this vantage does not see the world over IPv6"
    assert outcome(ear, 1299) is Outcome.UNKNOWN
    assert outcome(ear, 1301) is Outcome.FAILED
    assert outcome(heard(ear, 0, 1200), 1301) is Outcome.OK


class Gate:
    """What BB hears, with what a thief could try."""

    def __init__(self) -> None:
        self.gate = Gatekeeper(Beats("bb", peers=(JM,)), b"k" * 32)

    def knock(self, challenge: str, at: float, **other: str) -> bool:
        said = {"secret": SECRET, "sender": "jm", "hearer": "bb"} | other
        signature = sign(said["secret"], said["sender"], said["hearer"], other.get("signed", challenge))
        return self.gate.take(said["sender"], said["hearer"], challenge, signature, at) is not None


def test_a_heartbeat_counts_once_and_soon() -> None:
    door = Gate()
    challenge = door.gate.challenge("jm", 100.0)
    assert door.knock(challenge, 101.0)
    assert not door.knock(challenge, 101.0), "replayed"
    late = door.gate.challenge("jm", 200.0)
    assert not door.knock(late, 261.0), "kept back until its sender may be dead"


@pytest.mark.parametrize("other", [{"secret": "guess"}, {"sender": "tt"}, {"hearer": "jm"}, {"signed": "another"}])
def test_without_the_secret_the_names_or_the_challenge_nothing_counts(other: dict[str, str]) -> None:
    door = Gate()
    assert not door.knock(door.gate.challenge(other.get("sender", "jm"), 5.0), 5.0, **other)


def test_an_empty_secret_is_that_of_nobody() -> None:
    door = Gate()
    for name in ("nobody", "", "\udcff"):
        assert not door.knock(door.gate.challenge(name, 5.0), 5.0, sender=name, secret="")


def test_another_process_gives_other_challenges() -> None:
    first, second = (Gatekeeper(Beats("bb", peers=(JM,)), key * 32) for key in (b"a", b"b"))
    assert first.challenge("jm", 0.0) != second.challenge("jm", 0.0)


def test_what_thieves_ask_for_neither_grows_nor_voids_anything() -> None:
    door = Gate()
    challenge = door.gate.challenge("jm", 10.0)
    for number in range(1000):
        door.gate.challenge(f"x{number}", 10.0)
        door.knock("0" * 32, 10.0, sender=f"x{number}")
        door.knock("0" * 32, 10.0)
    assert not door.gate._taken
    assert door.knock(challenge, 10.0)


# Over HTTP, on loopback


@dataclass
class Site:
    """A Lambi's door, and what comes in at it."""

    heard: list[tuple[str, int]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """What the watcher answers, in turn; then 200."""
    hang: bool = False

    def app(self) -> web.Application:
        clock = SystemClock()
        gate = Gatekeeper(Beats("jm", peers=(BB,)), b"k" * 32)
        said = lambda peer, family: self.heard.append((peer.id, family))  # noqa: E731 - a line
        app = make_app(
            snapshot=pictures.calm,
            token="token",
            clock=clock,
            count_bug=lambda: pytest.fail("a bug"),
            more=lambda app: add_heartbeat(app, gate, said, clock),
        )
        app.router.add_route("*", "/ping/{id}", self.ping)
        return app

    async def ping(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path))
        if self.hang:
            await asyncio.sleep(60)
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, headers={"Location": "/ping/elsewhere"})


@asynccontextmanager
async def listening(site: Site) -> AsyncIterator[str]:
    async with TestServer(site.app()) as server:
        yield str(server.make_url("")).rstrip("/")


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def beating(heart: Heart) -> AsyncIterator[None]:
    task = asyncio.create_task(heart.run())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def well() -> str:
    return ""


async def test_a_peer_hears_us_again_and_again() -> None:
    site = Site()
    async with listening(site) as url:
        heart = Heart(Beats("bb", 0.05, 5.0, peers=(replace(JM, url=url),)), well, SystemClock())
        async with beating(heart):
            await until(lambda: len(site.heard) >= 3)
        assert heart.trouble() == ()
    assert set(site.heard) == {("bb", 0)}, "from this machine itself: nobody can say over which family"


@pytest.mark.parametrize(("name", "secret"), [("bb", "another secret of theirs"), ("tt", SECRET)])
async def test_who_has_another_secret_or_name_is_told_and_not_heard(name: str, secret: str) -> None:
    site = Site()
    async with listening(site) as url:
        heart = Heart(Beats(name, 1.0, 0.9, peers=(Peer("jm", secret, url),)), well, SystemClock())
        async with beating(heart):
            await until(heart.trouble)
    assert site.heard == []
    assert heart.trouble() == (
        "no heartbeat reaches peer jm: it does not take our signature: both sides need the same secret, and the "
        "names they give each other",
    )


async def test_every_refusal_at_the_door_is_the_same() -> None:
    async with listening(Site()) as url, aiohttp.ClientSession() as session:
        shapes = set()
        for asked in ("?from=bb&to=jm", "?from=nobody&to=jm", "", "?from=bb&to=bb", "?from=%ff&to=%00"):
            async with session.post(f"{url}/heartbeat{asked}", headers={"Lambi-Signature": "x"}) as said:
                shapes.add((said.status, await said.text(), len(said.headers["Lambi-Challenge"])))
        assert shapes == {(401, "Sign the challenge.\n", 32)}
        async with session.post(f"{url}/heartbeat?from=bb&to=jm", data=b"x" * 100) as said:
            assert said.status == 413
        async with session.get(f"{url}/heartbeat?from=bb&to=jm") as said:
            assert said.status == 405


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_watcher_that_fails_is_tried_again_before_the_next_beat_is_due(method: str) -> None:
    site, clock = Site(statuses=[503, 302]), FakeClock()
    async with listening(site) as url:
        heart = Heart(Beats("", 60, 5.0, watchers=(Watcher("hc", f"{url}/ping/1", method),)), well, clock)
        async with beating(heart):
            for tries, moves in ((1, 2), (2, 4), (3, 54)):
                await until(lambda tries=tries: len(site.asked) == tries)
                await until(lambda: clock._sleepers)
                await clock.advance(moves)
            await until(lambda: len(site.asked) == 4)
    assert site.asked == [(method, "/ping/1")] * 4, "a redirect is not followed, and nothing is tried in between"
    assert heart.trouble() == ()


async def test_a_watcher_that_is_gone_or_hangs_is_named_without_its_url_and_delays_no_other() -> None:
    site, stuck = Site(), Site(hang=True)
    async with listening(site) as url, listening(stuck) as other:
        ways = (Watcher("slow", f"{other}/ping/hunter2"), Watcher("gone", "http://127.0.0.1:9/hunter2"))
        heart = Heart(Beats("", 0.2, 0.1, watchers=(*ways, Watcher("hc", f"{url}/ping/1"))), well, SystemClock())
        async with beating(heart):
            await until(lambda: len(heart.trouble()) == 2 and len(site.asked) >= 3)
    assert set(heart.trouble()) == {
        "no heartbeat reaches slow: no answer within 0.1 s",
        "no heartbeat reaches gone: cannot connect: Connection refused",
    }
    assert "hunter2" not in repr(heart._beats)


async def test_a_daemon_that_is_stuck_says_nothing_until_it_is_well_again() -> None:
    site, clock, why = Site(), FakeClock(), ["the outbox has not turned for 190 s"]
    async with listening(site) as url:
        heart = Heart(Beats("", 60, 5.0, watchers=(Watcher("hc", f"{url}/ping/1"),)), lambda: why[0], clock)
        async with beating(heart):
            await clock.advance(600)
            assert site.asked == []
            assert heart.trouble() == (
                "no heartbeat reaches hc: this daemon holds it back, for the outbox has not turned for 190 s",
            )
            why[0] = ""
            await clock.advance(2)
            await until(lambda: len(site.asked) == 1)
            await until(lambda: not heart.trouble())
