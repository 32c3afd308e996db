"""The same alerts at the same seconds to Debian's Alertmanager and to us; what each of them sent, and when.

`python -m bench.alertmanager_side_by_side [--json]`: one Alertmanager with a route for each scenario, one outbox of
ours for each, all in real time at once (about 35 s). Scenarios are those of Alertmanager's own acceptance tests and of
outages of the way out; tests/alerting/test_scenarios.py holds ours to them in simulated time.
"""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from alerting import silence
from alerting.directory import Directory, Inhibition, Route
from alerting.journal import Journal
from alerting.match import parse
from alerting.model import Accepted, Address, Alert, Channel, Contact, Message, Severity, UnreachableError
from alerting.outbox import Outbox
from alerting.plan import plan
from alerting.runbooks import Runbooks
from alerting.schema import MIGRATIONS
from bench.common import parser
from probes.clock import SystemClock
from tests.ports import own_ports

PROGRAM = "prometheus-alertmanager"
AA, AB = {"job": "j", "zone": "aa"}, {"job": "j", "zone": "ab"}


@dataclass(frozen=True)
class Feed:
    """At a second: an alert that began then and, perhaps, has ended then."""

    at: float
    name: str
    began: float
    ended: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """Timers in seconds as Alertmanager has them, and what happens."""

    name: str
    says: str
    feeds: tuple[Feed, ...]
    wait: float = 1
    interval: float = 1
    repeat: float = 3600
    inhibits: bool = False
    down: tuple[float, float] = (0, 0)
    """From, to: no message gets out."""
    silent: tuple[float, float] = (0, 0)
    """From, to: t1 is silenced."""


SCENARIOS = (
    Scenario("repeat", "one alert, repeated each 2 s", (Feed(1, "t1", 1), Feed(5.5, "t1", 1, 5.5)), repeat=2),
    Scenario(
        "batching",
        "alerts of one group come in over two seconds",
        (Feed(1.1, "t1", 1), Feed(1.7, "t5", 1), Feed(3.3, "t2", 3), Feed(3.3, "t3", 3), Feed(3.3, "t4", 3)),
        repeat=4.9,
    ),
    Scenario("interval", "a second alert within the group's interval", (Feed(1, "a", 1), Feed(3, "b", 3)), interval=6),
    Scenario(
        "inhibit",
        "a cause comes after what it explains, and ends",
        (
            Feed(1, "test1", 1, labels=AA),
            Feed(1, "InstanceDown1", 1, labels=AA),
            Feed(1, "InstanceDown2", 1, labels=AB),
            Feed(2.2, "JobDown", 2.2, labels=AA),
            Feed(3.6, "JobDown", 2.2, 3.6, labels=AA),
        ),
        inhibits=True,
    ),
    Scenario(
        "both-end",
        "an inhibited alert ends with its cause",
        (
            Feed(1, "JobDown", 1, labels=AA),
            Feed(1, "InstanceDown1", 1, labels=AA),
            Feed(2.6, "JobDown", 1, 2.6, labels=AA),
            Feed(2.6, "InstanceDown1", 1, 2.6, labels=AA),
        ),
        inhibits=True,
    ),
    Scenario("silence", "t1 is silenced from 0.5 to 5", (Feed(1, "t1", 1), Feed(1, "t2", 1)), silent=(0.5, 5)),
    Scenario(
        "flap",
        "ends and comes back within the interval",
        (Feed(1, "t", 1), Feed(2.5, "t", 1, 2.4), Feed(3, "t", 2.9)),
        interval=3,
    ),
    Scenario("old", "an alert that is a hundred seconds old", (Feed(1, "t", -100),), wait=5),
    Scenario("down-firing", "no way out until 13.5, still firing", (Feed(1, "t", 1),), interval=2, down=(0, 13.5)),
    Scenario("down-9", "no way out until 9, over at 5", (Feed(1, "t", 1), Feed(5, "t", 1, 5)), interval=2, down=(0, 9)),
    Scenario(
        "down-13", "no way out until 13.5, over at 5", (Feed(1, "t", 1), Feed(5, "t", 1, 5)), interval=2, down=(0, 13.5)
    ),
)
SECONDS = 32.0
Told = list[tuple[float, str]]


class Run:
    """One common start for both."""

    def __init__(self) -> None:
        self.zero, self.start = time.monotonic(), datetime.now(UTC)
        self.theirs: dict[str, Told] = {one.name: [] for one in SCENARIOS}
        self.ours: dict[str, Told] = {one.name: [] for one in SCENARIOS}

    def now(self) -> float:
        return time.monotonic() - self.zero

    def moment(self, seconds: float) -> datetime:
        return self.start + timedelta(seconds=seconds)

    async def until(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds - self.now()))


def alertmanager(port: int) -> dict[str, Any]:
    """Its configuration: a route and a receiver for each scenario."""
    routes = [
        {
            "receiver": one.name,
            "matchers": [f"scenario={one.name}"],
            "group_by": ["scenario"],
            "group_wait": f"{one.wait:g}s",
            "group_interval": f"{one.interval:g}s",
            "repeat_interval": f"{round(one.repeat * 1000)}ms",
        }
        for one in SCENARIOS
    ]
    hooks = [
        {"name": one.name, "webhook_configs": [{"url": f"http://127.0.0.1:{port}/{one.name}", "send_resolved": True}]}
        for one in SCENARIOS
    ]
    rule = {
        "source_matchers": ["alertname=JobDown"],
        "target_matchers": ['alertname=~"InstanceDown.*"'],
        "equal": ["job", "zone", "scenario"],
    }
    return {
        "route": {"receiver": "none", "routes": routes},
        "receivers": [{"name": "none"}, *hooks],
        "inhibit_rules": [rule],
    }


def hook(run: Run) -> web.Application:
    """Take Alertmanager's webhooks, or refuse them while the way out is down."""
    by_name = {one.name: one for one in SCENARIOS}

    async def take(request: web.Request) -> web.Response:
        scenario, at = by_name[request.match_info["name"]], run.now()
        if scenario.down[0] <= at < scenario.down[1]:
            return web.Response(status=503)
        body = await request.json()
        told = " ".join(
            sorted(f"{one['labels']['alertname']}{'+' if one['status'] == 'firing' else '-'}" for one in body["alerts"])
        )
        run.theirs[scenario.name].append((at, told))
        return web.Response()

    app = web.Application()
    app.router.add_post("/{name}", take)
    return app


async def feed_theirs(run: Run, scenario: Scenario, session: aiohttp.ClientSession, base: str) -> None:
    """Post the alerts, as a Prometheus would."""
    if scenario.silent[1]:
        matchers = [
            {"name": name, "value": value, "isRegex": False, "isEqual": True}
            for name, value in (("alertname", "t1"), ("scenario", scenario.name))
        ]
        span = {
            "startsAt": run.moment(scenario.silent[0]).isoformat(),
            "endsAt": run.moment(scenario.silent[1]).isoformat(),
        }
        await session.post(f"{base}/silences", json={"matchers": matchers, "createdBy": "b", "comment": "b", **span})
    for one in scenario.feeds:
        await run.until(one.at)
        labels = {"alertname": one.name, "scenario": scenario.name, **one.labels}
        body = {"labels": labels, "startsAt": run.moment(one.began).isoformat()}
        # Without an end Alertmanager would take it as over after its resolve_timeout.
        body["endsAt"] = run.moment(one.ended if one.ended is not None else 3600).isoformat()
        async with session.post(f"{base}/alerts", json=[body]) as answer:
            answer.raise_for_status()


class Way:
    """Our way out; the journal says later what it took."""

    form = "sms"
    receipts = answers = False

    def __init__(self, run: Run, scenario: Scenario) -> None:
        self.run, self.scenario = run, scenario

    async def send(self, message: Message, address: Address) -> Accepted:
        if self.scenario.down[0] <= self.run.now() < self.scenario.down[1]:
            raise UnreachableError("no route")
        return Accepted(message.reference)

    async def close(self) -> None:
        """Nothing to give back."""


def directory(scenario: Scenario) -> Directory:
    repeat = 0.0 if scenario.repeat >= 3600 else scenario.repeat
    route = Route(
        "all", ("r",), repeat_seconds=repeat, group_by=(), group_wait=scenario.wait, group_interval=scenario.interval
    )
    rule = Inhibition("job", (parse("alertname=JobDown"),), (parse("alertname=~InstanceDown.*"),), ("job", "zone"))
    contact = Contact("r", "bench", addresses=(Address("sms", "+10000000"),))
    rules = (rule,) if scenario.inhibits else ()
    return Directory({"r": contact}, (route,), "", dict.fromkeys(Severity, 86_400.0), inhibitions=rules)


def truth(run: Run, one: Feed, before: Alert | None) -> Alert:
    ended = run.moment(one.ended) if one.ended is not None else None
    return Alert(
        one.name,
        Severity.MAJOR,
        "external",
        "",
        f"{one.name} fires",
        "",
        "",
        run.moment(one.began),
        ended,
        run.moment(one.at),
        before.revision + 1 if before else 1,
        "",
        labels={"alertname": one.name, **one.labels},
    )


async def feed_ours(run: Run, scenario: Scenario, folder: Path, seconds: float = SECONDS) -> None:
    """Let the alerts become true, as the line does."""
    journal = await Journal.open(folder / f"{scenario.name}.sqlite", {"alerting": MIGRATIONS})
    known: dict[str, Alert] = {}
    who = directory(scenario)

    def standing() -> list[Alert]:
        return [one for one in known.values() if one.closed is None]

    way: dict[str, Channel] = {"sms": Way(run, scenario)}
    outbox = Outbox(journal, way, lambda: who, known.get, Runbooks({}), SystemClock(), "bench", standing=standing)
    running = asyncio.create_task(outbox.run())
    if scenario.silent[1]:
        since, until = map(run.moment, scenario.silent)
        async with journal.transaction() as tx:
            wish = silence.Wish((parse("alertname=t1"),), since, until, "b", "b")
            await silence.add(tx, wish, run.moment(run.now()))
    for one in scenario.feeds:
        await run.until(one.at)
        alert = known[one.name] = truth(run, one, known.get(one.name))
        async with journal.transaction() as tx:
            await plan(tx, alert, who, run.moment(run.now()))
        outbox.wake()
    await run.until(seconds)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await outbox.close()
    run.ours[scenario.name] = await _sent(journal, run)
    await journal.close()


async def _sent(journal: Journal, run: Run) -> Told:
    rows = await journal.read(
        "SELECT max(a.ended_at), group_concat(n.incident || CASE a.closed WHEN 1 THEN '-' ELSE '+' END, ' ') "
        "FROM attempt a JOIN notification n ON n.id = a.notification WHERE a.status = 'accepted' "
        "GROUP BY coalesce(a.bundle, a.id) ORDER BY 1"
    )
    zero = run.start.timestamp()
    return [(at / 1e6 - zero, " ".join(sorted(told.split()))) for at, told in rows]


async def compare(say: Callable[[str], None]) -> Run:
    """Run both."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lambi-bench-")))
        port, own = own_ports(2)
        (folder / "am.yml").write_text(json.dumps(alertmanager(own)))
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            f"--config.file={folder / 'am.yml'}",
            f"--storage.path={folder / 'am'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=error",
            stderr=asyncio.subprocess.DEVNULL,
        )
        stack.callback(process.kill)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        await _ready(session, f"http://127.0.0.1:{port}/-/ready")
        run = Run()
        runner = web.AppRunner(hook(run), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", own).start()
        say(f"{len(SCENARIOS)} scenarios, {SECONDS:g} s")
        base = f"http://127.0.0.1:{port}/api/v2"
        both = [feed_theirs(run, one, session, base) for one in SCENARIOS]
        await asyncio.gather(*both, *(feed_ours(run, one, folder) for one in SCENARIOS))
        return run


async def _ready(session: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(20):
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)


def shown(told: Told) -> str:
    return "; ".join(f"{at:.1f} {{{names}}}" for at, names in told) or "nothing"


def main() -> int:
    """Print both lists; "+" is open, "-" is over."""
    options = parser(__doc__ or "", [one.name for one in SCENARIOS], ["alertmanager", "lambi"]).parse_args()
    if shutil.which(PROGRAM) is None:
        print(f"{PROGRAM} is not installed: make test-deps", file=sys.stderr)
        return 1
    run = asyncio.run(compare(lambda text: print(text, file=sys.stderr)))
    if options.json:
        print(json.dumps({"alertmanager": run.theirs, "lambi": run.ours}, indent=1))
        return 0
    for one in (one for one in SCENARIOS if not options.only or one.name in options.only):
        print(f"{one.name}: {one.says}")
        print(f"  alertmanager  {shown(run.theirs[one.name])}")
        print(f"  lambi         {shown(run.ours[one.name])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
