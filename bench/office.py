"""The process whose cost `bench/messages.py` measures: journal, outbox, channels and the door for what comes back.

`python -m bench.office FOLDER` reads one JSON object on stdin, does what it asks and prints what it found as JSON.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web

from alerting.channels import CHANNELS
from alerting.directory import Directory, Ladder, Route, Step
from alerting.inbound import Inbox
from alerting.journal import Journal
from alerting.model import Accepted, Address, Alert, Channel, Contact, Message, Severity
from alerting.outbox import Outbox
from alerting.plan import plan
from alerting.runbooks import Runbooks
from alerting.schema import MIGRATIONS
from monitor.config import load
from monitor.web import callbacks
from probes.clock import Clock, SystemClock
from tests.fakes import FakeClock

ROOT = Path(__file__).parents[1]
CLOCK = SystemClock()
ANSWERS = "https://lambi.example"
Found = dict[str, float]


def incident(number: int, severity: Severity = Severity.MAJOR) -> Alert:
    now = CLOCK.now()
    return Alert(
        *(str(number), severity, "cable", f"cable:c{number}", f"Cable C{number} down", "BB", "Barbados"),
        *(now, None, now, 1, "3 of 3 looks got no answer"),
        effects=("Unreachable behind it: router bgi-1",),
        labels={"phase": "down"},
    )


def directory(people: list[Contact], *, capped: bool = True, ladders: Mapping[str, Ladder] | None = None) -> Directory:
    """Everybody hears of everything, within the shipped caps."""
    shipped = load(None, {}).directory
    routes = (Route("all", tuple(one.name for one in people), ladders=tuple(ladders or ())),)
    contacts = {one.name: one for one in people}
    more = {"caps": shipped.caps if capped else {}, "ladders": ladders or {}}
    return replace(shipped, contacts=contacts, routes=routes, **more)  # type: ignore[arg-type] # both are mappings


def person(name: str, addresses: Mapping[str, str]) -> Contact:
    reach = tuple(Address(channel, to) for channel, to in addresses.items())
    return Contact(name, f"agency of {name}", "en", "America/Barbados", reach)


class Office:
    """Alerting as the daemon wires it."""

    def __init__(self, journal: Journal, who: Directory, channels: Mapping[str, Channel], clock: Clock) -> None:
        self.journal, self.who, self.clock = journal, who, clock
        self.truths: dict[str, Alert] = {}
        books = Runbooks.load(ROOT / "runbooks")
        self.outbox = Outbox(
            *(journal, channels, lambda: who, self.truths.get, books, clock, "Hub"),
            standing=self.truths.values,
            answer_url=ANSWERS,
        )
        draw = iter(range(10**9))
        self.inbox = Inbox(
            journal,
            lambda: who,
            self.truths.get,
            books,
            site="Hub",
            draw=lambda below: next(draw) % below,
            woken=self.outbox.wake,
        )

    async def happen(self, *alerts: Alert) -> None:
        async with self.journal.transaction() as tx:
            for alert in alerts:
                self.truths[alert.incident] = alert
                await plan(tx, alert, self.who, self.clock.now())
        self.outbox.wake()

    async def count(self, where: str) -> int:
        [(found,)] = await self.journal.read(f"SELECT count(*) {where}")
        return int(found)

    async def until(self, where: str, count: int, seconds: float) -> int:
        """Wait until there are so many rows; return how many there are."""
        end = time.monotonic() + seconds
        while (found := await self.count(where)) < count and time.monotonic() < end:  # noqa: ASYNC110 - rows wake nobody
            await asyncio.sleep(0.05)
        return found


class Taker:
    """A channel that takes everything at once and counts it by address."""

    receipts = answers = False

    def __init__(self, form: str) -> None:
        self.form, self.taken = form, Counter[str]()

    async def send(self, message: Message, address: Address) -> Accepted:
        self.taken[address.to] += 1
        return Accepted(message.reference)

    async def close(self) -> None:
        pass


def wired(asked: dict[str, Any]) -> dict[str, Channel]:
    """Make the channels; ``asked["channels"]``: name -> kind and settings."""
    return {name: CHANNELS[one.pop("kind")](**one) for name, one in asked["channels"].items()}


@asynccontextmanager
async def office(
    folder: Path,
    who: Directory,
    channels: Mapping[str, Channel],
    door: int = 0,
    clock: Clock = CLOCK,
    *,
    runs: bool = True,
) -> AsyncIterator[Office]:
    """Run it all; ``door``: the port on which gateways call back, 0 for none."""
    journal = await Journal.open(folder / "journal.sqlite", {"alerting": MIGRATIONS})
    made = Office(journal, who, channels, clock)
    app = web.Application()
    callbacks.add_routes(app, channels, made.inbox.receive, made.inbox.hear, clock, made.outbox.say)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    if door:
        await web.TCPSite(runner, "127.0.0.1", door).start()
    running = asyncio.create_task(made.outbox.run() if runs else asyncio.sleep(0))
    try:
        yield made
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await runner.cleanup()
        await made.outbox.close()
        await journal.close()


async def serve(folder: Path, asked: dict[str, Any]) -> Found:
    """Tell everybody of one incident by SMS and by mail; then wait for the receipts of the SMS."""
    count = asked["contacts"]
    people = [person(f"c{n}", {"sms": f"+1246555{n:04}", "mail": f"c{n}@operator.example"}) for n in range(count)]
    async with office(folder, directory(people), wired(asked), asked["door"]) as here:
        cpu, began = time.process_time(), time.monotonic()
        await here.happen(incident(1))
        taken = await here.until("FROM notification WHERE state IN ('accepted', 'delivered')", 2 * count, 120)
        seconds = time.monotonic() - began
        await here.until("FROM receipt", 2 * count, 20)
        spent = time.process_time() - cpu
    return {"seconds": seconds, "cpu": spent, "taken": taken}


async def hang(folder: Path, asked: dict[str, Any]) -> Found:
    """Tell ten people on each channel of a new incident each half second; return when each was planned."""
    people = [person(f"{name}{n}", {name: f"+1246{n:07}"}) for name in asked["channels"] for n in range(10)]
    planned = {}
    async with office(folder, directory(people, capped=False), wired(asked)) as here:
        for number in range(1, asked["incidents"] + 1):
            planned[str(number)] = time.monotonic()
            await here.happen(incident(number))
            await asyncio.sleep(max(0.0, planned[str(number)] + 0.5 - time.monotonic()))
        await here.until("FROM notification WHERE state = 'accepted'", asked["expect"], 30)
    return planned


async def idle(folder: Path, asked: dict[str, Any]) -> Found:
    """Pass an hour in which nothing is due, with so many ladders that wait; return what it cost."""
    people = [person("noc", {"mail": "noc@operator.example"})]
    ladder = Ladder("noc", people[0].agency, (Step(("noc",), 7200.0), Step(("noc",), 7200.0)))
    who = directory(people, ladders={"noc": ladder} if asked["ladders"] else {})
    clock, mail = FakeClock(CLOCK.now()), Taker("mail")
    async with office(folder, who, {"mail": mail}, clock=clock) as here:
        await here.happen(*(incident(n) for n in range(asked["ladders"])))
        while await here.count("FROM notification WHERE ended_at IS NULL"):
            await pass_time(clock, 31)
        cpu = time.process_time()
        for _ in range(60):
            await pass_time(clock, 60)
        spent = time.process_time() - cpu
        waits = await here.count("FROM escalation WHERE state = 'running'")
    return {"cpu": spent, "waits": waits}


async def pass_time(clock: FakeClock, seconds: float) -> None:
    await clock.advance(seconds)
    await asyncio.sleep(0.01)


async def storm(folder: Path, asked: dict[str, Any]) -> Found:
    """Let targets fail within a minute, each an incident of its own, which is the worst; pass an hour."""
    people = [person(f"c{n}", {"sms": f"+1246555{n:04}", "mail": f"c{n}@x.example"}) for n in range(asked["contacts"])]
    clock, sms, mail = FakeClock(CLOCK.now()), Taker("sms"), Taker("mail")
    async with office(folder, directory(people), {"sms": sms, "mail": mail}, clock=clock, runs=False) as here:
        cpu, longest = time.process_time(), 0.0
        for second in range(3600):
            clock.elapsed = float(second)
            if second < 60:
                each = asked["targets"] // 60
                grave = [Severity.CRITICAL if n % 500 == 7 else Severity.MAJOR for n in range(each)]
                await here.happen(*(incident(second * each + n, severity) for n, severity in enumerate(grave)))
            if second < 120 or second % 30 == 0:
                began = time.monotonic()
                await here.outbox.run_due(clock.now())
                longest = max(longest, time.monotonic() - began)
        spent = time.process_time() - cpu
    most = {"most": max(sms.taken.values()), "mails": max(mail.taken.values())}
    return {**most, "cpu": spent, "longest": longest}


WHAT: dict[str, Callable[[Path, dict[str, Any]], Awaitable[Found]]] = {
    "serve": serve,
    "hang": hang,
    "idle": idle,
    "storm": storm,
}


async def main() -> None:
    asked = json.loads(sys.stdin.read())
    print(json.dumps(await WHAT[asked["what"]](Path(sys.argv[1]), asked)))


if __name__ == "__main__":
    asyncio.run(main())
