"""kill -9 at any moment of a storm, over a real gateway: nothing is lost, what was in flight comes again, marked.

A child of this process lives on one journal until it is killed, again and again, while people answer.
"""

import asyncio
import contextlib
import multiprocessing
import random
import re
import signal
import sqlite3
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import partial
from itertools import count, islice
from pathlib import Path

import aiohttp
import pytest

from alerting.journal import Journal
from tests.alerting.mortal import OPENED, SECRET, WHO, DeafAfter, DeafBefore, Place, live, storm
from tests.counts import soak
from tests.daemons import KannelBox, SmtpSink, kannel, smtp_sink, until
from tests.ports import own_port

POINTS = soak(ci=20, soak=1_000)
LONGEST = 0.5
"""Seconds of a life that is cut short."""
STORMS = 4
"""Of one gateway: Kannel's smsbox (1.4.5) ends with "conn_unregister: Assertion failed" when hundreds of the callbacks
that it makes have been cut off."""
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.alerting.mortal"])
SAID = re.compile(r"\[?(\d+)(?:-[A-Z]{2})?\]? (MAJOR|OVER)")
FLYING = """
SELECT n.incident, n.contact, a.channel FROM attempt a JOIN notification n ON n.id = a.notification
WHERE a.status = 'intent'"""
Key = tuple[str, str, str]
"""Incident, contact, channel."""


@dataclass
class Storm:
    """One storm, the lives that it took, and what people answered to it."""

    place: Place
    chance: random.Random = field(default_factory=lambda: random.Random(4711))  # noqa: S311 - moments of death
    kills: int = 0
    flying: Counter[Key] = field(default_factory=Counter)
    """How often a message was in flight when it died."""
    unsaid: int = 0
    """Answers that it had heard, and had not yet replied to, when it died."""
    answers: dict[str, str] = field(default_factory=dict)
    """Text by the id of the answer that asked for it."""

    def read(self, sql: str) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(self.place.folder / "journal.sqlite", timeout=30)) as journal:
            return journal.execute(sql).fetchall()

    async def rage(self, most: int) -> None:
        """Kill it at moments of chance, at most so often; then let it see the storm through."""
        asking = asyncio.create_task(self.ask())
        while self.kills < most:
            await self.kill(self.chance.uniform(0, LONGEST))
            with suppress(sqlite3.OperationalError):  # it died before there was a table
                if self.calm():
                    break
                self.flying.update(self.read(FLYING))
                self.unsaid += len(self.read("SELECT 1 FROM heard WHERE channel = 'sms'")) - len(self.answers)
            self.kills += 1
        last = FORKS.Process(target=live, args=(self.place,))
        last.start()
        await asyncio.wait_for(asking, 60)
        (self.place.folder / "over").touch()
        await asyncio.to_thread(last.join, 60)
        assert last.exitcode == 0

    async def kill(self, seconds: float) -> None:
        """Let it live so long."""
        life = FORKS.Process(target=live, args=(self.place,))
        life.start()
        await asyncio.to_thread(life.join, seconds)
        assert life.exitcode is None
        life.kill()
        await asyncio.to_thread(life.join)

    def calm(self) -> bool:
        """Whether everything has happened and everybody was told."""
        done = len(self.read("SELECT n FROM step")) == len(storm(self.place.first))
        return done and not self.read("SELECT id FROM notification WHERE ended_at IS NULL")

    async def ask(self) -> None:
        """Ask for the first two steps about the first incidents, by SMS as a gateway brings it, each until answered."""
        for n in range(4):
            incident = str(self.place.first + n)
            letters = await self.letters(incident)
            for step in (1, 2):
                id_ = f"{incident}.{step}"
                self.answers[id_] = await self.bring(id_, f"{incident}-{letters} N")
            if n == 3:
                self.write(incident, letters)

    async def letters(self, incident: str) -> str:
        while True:
            with suppress(sqlite3.OperationalError):
                found = self.read(f"SELECT letters FROM code WHERE incident = '{incident}' AND contact = 'noc'")  # noqa: S608 - a number
                if found:
                    return found[0][0]
            await asyncio.sleep(0.02)

    async def bring(self, id_: str, text: str) -> str:
        """Bring an answer to the door until it is answered, as a gateway does that tries again."""
        url = f"http://127.0.0.1:{self.place.door}/callback/{SECRET}/reply"
        query = {"id": id_, "from": WHO.contacts["noc"].addresses[0].to, "text": text}
        while True:
            with suppress(aiohttp.ClientError, OSError):
                async with aiohttp.ClientSession() as session, session.get(url, params=query) as answer:
                    assert answer.status == 200
                    return await answer.text()
            await asyncio.sleep(0.005)

    def write(self, incident: str, letters: str) -> None:
        """Answer by mail too: as a mail server delivers it."""
        mail = EmailMessage()
        mail["From"], mail["Subject"] = WHO.contacts["noc"].addresses[1].to, f"Re: [{incident}-{letters}] MAJOR"
        mail["Message-ID"] = f"<{incident}@operator.example>"
        mail.set_content("N\n")
        (self.place.maildir / "tmp" / incident).write_bytes(mail.as_bytes())
        (self.place.maildir / "tmp" / incident).rename(self.place.maildir / "new" / incident)


def told(storm: Storm, gateway: KannelBox, sink: SmtpSink) -> dict[Key, list[str]]:
    """Return what has arrived about the storm's incidents: alerts alone, no answers."""
    numbers = {address.to: one.name for one in WHO.contacts.values() for address in one.addresses}
    texts = [(numbers[got.to], "sms", got.text) for got in gateway.received()]
    texts += [(numbers[mail.to[0]], "mail", str(mail.message["Subject"])) for mail in sink.received()]
    incidents = {str(storm.place.first + n) for n in range(OPENED)}
    found: defaultdict[Key, list[str]] = defaultdict(list)
    for name, way, text in texts:
        if (said := SAID.match(text)) and said[1] in incidents:
            found[said[1], name, way].append(text)
    return found


def judge(raged: Storm, texts: dict[Key, list[str]]) -> int:
    """Nobody has missed anything; whatever came twice was in flight and says so. Return how many were repeated."""
    last = {alert.incident: alert for alert in storm(raged.place.first)}
    for key in ((incident, name, way) for incident in last for name in WHO.contacts for way in ("sms", "mail")):
        got = texts[key]
        marked = [text for text in got if "(repeat)" in text]
        assert len(marked) <= raged.flying[key], (key, got)
        for word in ("MAJOR", "OVER"):
            assert len([text for text in got if f" {word}" in text and text not in marked]) <= 1, (key, got)
        assert any(" OVER" in text for text in got) or last[key[0]].closed is None, (key, got)
        assert got, key
    rows = raged.read("SELECT DISTINCT state FROM notification")
    assert {state for (state,) in rows} <= {"accepted", "delivered", "superseded"}
    return sum("(repeat)" in text for some in texts.values() for text in some)


def heard(raged: Storm) -> None:
    """Each answer counted once, and was answered: the steps go on by one, however often it was brought."""
    rows = raged.read("SELECT incident, via FROM response ORDER BY id")
    asked = [(id_.partition(".")[0], "sms") for id_ in raged.answers]
    assert Counter(rows) == Counter([*asked, (str(raged.place.first + 3), "mail")])
    for id_, text in raged.answers.items():
        incident, _, step = id_.partition(".")
        assert re.match(rf"{incident}-[A-Z]{{2}} {step}: ", text), (id_, text)


@contextlib.asynccontextmanager
async def world(tmp_path: Path) -> AsyncIterator[tuple[KannelBox, SmtpSink, Iterator[Place]]]:
    """Run a gateway and a mail server for lives in ever new places, all with one door."""
    door = own_port()
    running = kannel(tmp_path, f"http://127.0.0.1:{door}/callback/{SECRET}")
    gateway = await asyncio.to_thread(running.__enter__)
    try:
        with smtp_sink() as sink:
            watching = asyncio.create_task(watch(gateway))
            yield gateway, sink, places(tmp_path, gateway.url, sink.port, door)
            watching.cancel()
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


async def watch(gateway: KannelBox) -> None:
    """Start smsbox again when it ends: at times it panics (gwlib/conn.c:859) when whoever it reports to is killed."""
    while True:
        gateway.revive("smsbox")
        await asyncio.sleep(0.2)


def places(tmp_path: Path, gateway: str, mail: int, door: int) -> Iterator[Place]:
    for n in count():
        place = Place(tmp_path / str(n), gateway, mail, door, 1 + n * OPENED)
        for name in ("new", "tmp", "cur"):
            (place.maildir / name).mkdir(parents=True)
        yield place


@pytest.mark.timeout(soak(ci=120, soak=7200))
async def test_killed_at_any_moment_of_a_storm_nobody_misses_anything(tmp_path: Path) -> None:
    chance, total = random.Random(4711), Counter[str]()  # noqa: S311 - the moments of death
    while total["deaths"] < POINTS:
        (folder := tmp_path / f"from-{total['deaths']}").mkdir()
        async with world(folder) as (gateway, sink, found):
            for place in islice(found, STORMS):
                raged = Storm(place, chance)
                await raged.rage(min(8, POINTS - total["deaths"]))
                await asyncio.to_thread(until, partial(arrived, raged, gateway, sink), "whatever was taken arrives")
                total["repeated"] += judge(raged, told(raged, gateway, sink))
                heard(raged)
                total.update(deaths=raged.kills, in_flight=raged.flying.total(), unsaid=raged.unsaid)
                if total["deaths"] >= POINTS:
                    break
    print(dict(total))
    assert total["in_flight"]


def arrived(raged: Storm, gateway: KannelBox, sink: SmtpSink) -> bool:
    """Whether as many have arrived as are known to have been taken: the gateway hands on a little later."""
    [(taken,)] = raged.read("SELECT count(*) FROM attempt WHERE status = 'accepted'")
    return sum(map(len, told(raged, gateway, sink).values())) >= int(taken)


@pytest.mark.parametrize("kind", [DeafBefore, DeafAfter])
async def test_killed_between_hearing_an_answer_and_replying_it_counts_once_and_is_replied_to(
    tmp_path: Path, kind: type[Journal]
) -> None:
    """The gateway asks again, the file still lies in the maildir: what was heard is known, and gets its answer."""
    async with world(tmp_path) as (gateway, sink, found):
        one = Storm(next(found))
        life = FORKS.Process(target=live, args=(one.place, kind))
        life.start()
        incident = str(one.place.first)
        letters = await one.letters(incident)
        number = WHO.contacts["noc"].addresses[0].to
        asking = asyncio.create_task(asyncio.to_thread(gateway.from_handset, number, f"{incident}-{letters} N"))
        await asyncio.to_thread(life.join, 60)
        assert life.exitcode == -signal.SIGKILL
        assert bool(one.read("SELECT 1 FROM heard")) is (kind is DeafAfter)
        last = FORKS.Process(target=live, args=(one.place,))
        last.start()
        assert (await asking).startswith(f"{incident}-{letters} 1: ")
        one.write(incident, letters)
        await asyncio.to_thread(until, lambda: any("2: " in mail.text for mail in sink.received()), "the mail's answer")
        (one.place.folder / "over").touch()
        await asyncio.to_thread(last.join, 60)
        assert one.read("SELECT via FROM response") == [("sms",), ("mail",)]


async def test_killed_after_an_answer_by_mail_was_heard_it_is_replied_to_and_counts_once(tmp_path: Path) -> None:
    async with world(tmp_path) as (_, sink, found):
        one = Storm(next(found))
        life = FORKS.Process(target=live, args=(one.place, DeafAfter))
        life.start()
        incident = str(one.place.first)
        one.write(incident, await one.letters(incident))
        await asyncio.to_thread(life.join, 60)
        assert life.exitcode == -signal.SIGKILL
        last = FORKS.Process(target=live, args=(one.place,))
        last.start()
        await asyncio.to_thread(until, lambda: any("1: " in mail.text for mail in sink.received()), "the mail's answer")
        (one.place.folder / "over").touch()
        await asyncio.to_thread(last.join, 60)
        assert one.read("SELECT via, answer FROM response") == [("mail", "next")]
