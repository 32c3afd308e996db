"""Wiring: what is made, started and stopped, and in which order."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import web

from alerting.drill import Drills
from alerting.feeds import Feeds
from alerting.foreign_book import ForeignBook
from alerting.inbound import Inbox
from alerting.journal import Journal
from alerting.model import Alert, Channel
from alerting.outbox import Outbox
from alerting.runbooks import Runbooks
from monitor import logs
from monitor.answering import Answering
from monitor.calling import Calling
from monitor.clock_note import ClockNote
from monitor.config.doors import loopback
from monitor.config.settings import Settings
from monitor.data import shipped, version
from monitor.deadman import DeadMan
from monitor.doors import listen
from monitor.drilling import Drilling, Office
from monitor.freshness import Freshness
from monitor.heartbeat import Heartbeat, Vitals
from monitor.instance import drop_root
from monitor.ledger import SCHEMAS, Ledger
from monitor.maintenance import Calendar
from monitor.measuring import Measuring
from monitor.pipeline import KEEP, Doors, Pipeline
from monitor.posture import tightened
from monitor.posturing import Posturing
from monitor.reloading import Load, Reloading
from monitor.schedule import Scheduler
from monitor.snapshot import Snapshots
from monitor.streams import Streams
from monitor.upkeep import Upkeep
from monitor.views import Health, IncidentFilter
from monitor.web import callbacks, control, ops, public
from monitor.web.alertmanager import Alertmanager
from monitor.why import why
from probes.clock import Clock
from probes.engines import build, capabilities, close
from probes.model import Engine

log = logging.getLogger("lambi.app")

STOP_SECONDS = 2.0


class App:
    """The daemon's parts. Make it with `start`; `stop` gives everything back."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        say: Callable[[str], None],
        engines: Mapping[str, Engine] | None = None,
        load: Load | None = None,
    ) -> None:
        """``engines``: by kind of probe, where others than the real ones answer; ``load`` reads the config again."""
        self.settings, self.clock, self.say = settings, clock, say
        self.place = settings.world.assets[settings.world.vantage].name
        self.link_url = "" if loopback(urlsplit(settings.base_url).hostname or "") else settings.base_url
        """Where links of messages lead; "" while others cannot reach it."""
        self.started = clock.now()
        self.bugs = 0
        asked = build(vantage=settings.world.vantage, clock=clock) if engines is None else engines
        self.dead_man = DeadMan(settings, clock, lambda family: self.pipeline.sees(family), self._vitals)  # noqa: PLW0108 - the pipeline is made after the engines
        self.streams = Streams(settings, clock)
        self.engines: Mapping[str, Engine] = {Heartbeat.kind: self.dead_man.engine, **self.streams.engines, **asked}
        self.standing = tuple(filter(None, (drop_root(settings.state),)))
        self.runbooks = Runbooks.load(shipped("runbooks"))
        self.runners: list[web.AppRunner] = []
        self.clock_note = ClockNote(clock)
        self.reloading = Reloading(load, lambda: self.settings, self._reload, lambda: self.pipeline.book.open)

    @classmethod
    async def start(
        cls,
        settings: Settings,
        clock: Clock,
        say: Callable[[str], None],
        journal: type[Journal],
        engines: Mapping[str, Engine] | None = None,
        *,
        load: Load | None = None,
    ) -> Self:
        """Open everything and begin to look; raises JournalError, DoorError, ControlError, OSError."""
        app = cls(settings, clock, say, engines, load)
        app.journal = await journal.open(settings.state / "journal.sqlite", SCHEMAS)
        app.measuring = Measuring(settings, clock)
        app.ledger = Ledger(app.journal, settings.world.vantage)
        await app._make_line()
        await app._open_doors()
        app.scheduler.start()
        return app

    journal: Journal
    measuring: Measuring
    ledger: Ledger
    scheduler: Scheduler
    outbox: Outbox
    inbox: Inbox
    drills: Drills
    freshness: Freshness
    known: dict[str, control.Command]
    """What the control door understands; made anew with each config."""
    pipeline: Pipeline
    foreign: ForeignBook
    posturing: Posturing
    upkeep: Upkeep
    snapshots: Snapshots

    async def _make_line(self) -> None:
        """Boot the line from the journal: earlier incidents go on, those of what is gone are closed."""
        settings, clock = self.settings, self.clock
        boot = await self.ledger.boot()
        self.upkeep = await Upkeep.open(settings, self.journal, clock, self._replanned)
        self.scheduler = Scheduler(settings.world, self.engines, clock)
        await self._make_telling()
        self.pipeline = Pipeline(
            settings.world,
            settings.directory,
            journal=self.journal,
            ledger=self.ledger,
            series=self.measuring.series,
            clock=clock,
            doors=Doors(self.scheduler.again, self.outbox.wake, self.outbox.path_restored, self._pin),
            boot=boot,
            base_url=self.link_url,
            note=self.clock_note,
        )
        self.pipeline.belief.calendar = self.upkeep.calendar
        await self._make_books()
        since = clock.now() - KEEP
        cuts = await self.ledger.incidents(IncidentFilter(asset=settings.world.vantage, since=since, limit=500))
        await self.pipeline.resume(cuts)
        await self.ledger.start(clock.now())
        self.snapshots = Snapshots(
            self.pipeline, clock, self.place, self.health, self.upkeep.works, postures=lambda: self.posturing.on
        )

    async def _make_telling(self) -> None:
        """Make what sends messages and what takes answers."""
        settings, clock = self.settings, self.clock
        channels: Mapping[str, Channel] = settings.channels
        self.drills = await Drills.open(self.journal)
        self.freshness = Freshness(settings, self.journal, clock, links=bool(self.link_url))
        await self.freshness.look()
        self.outbox = Outbox(
            self.journal,
            channels=channels,
            directory=lambda: self.settings.directory,
            truth=self._truth,
            runbooks=self.runbooks,
            clock=clock,
            site=self.place,
            standing=self._open_alerts,
            answer_url=self.link_url,
            drills=self.drills,
            cut=lambda name: self.pipeline.cut(channels[name]),
        )
        self.inbox = Inbox(
            self.journal,
            lambda: self.settings.directory,
            self._truth,
            self.runbooks,
            site=self.place,
            draw=secrets.randbelow,
            woken=self.outbox.wake,
        )

    async def _make_books(self) -> None:
        """Make what else there may be to tell of: alerts of other systems, postures."""
        clock = self.clock
        self.foreign = await ForeignBook(
            self.journal,
            lambda: self.settings.directory,
            places={code: one.name for code, one in self.settings.world.territories.items()},
            planned=self.outbox.wake,
            blind=self.pipeline.blind,
            note=self.clock_note,
        ).boot(clock.now())
        self.posturing = await Posturing(
            lambda: self.settings,
            self.journal,
            clock,
            changed=self._repaced,
            planned=self.outbox.wake,
            note=self.clock_note,
        ).boot()
        self._repaced()

    async def _open_doors(self) -> None:
        settings = self.settings
        base = settings.base_url or f"http://{settings.public.place}"
        make = partial(
            public.make_app,
            snapshot=self.snapshots,
            ledger=self.ledger,
            runbook=self.runbooks.find,
            why=lambda word: why(self.pipeline.belief, word),
            clock=self.clock,
            base_url=base,
            count_bug=self.count_bug,
            answers=self.inbox,
            version=lambda: self.pipeline.version,
            measured=self.measuring.history,
        )
        token = settings.ops.token or ""
        metrics = ops.make_app(
            snapshot=self.snapshots, token=token, clock=self.clock, count_bug=self.count_bug, more=self._callbacks
        )
        self.runners.append(await listen(make(), settings.public, "web.public"))
        self.runners.append(await listen(metrics, settings.ops, "web.ops"))
        self.known = dict(self.commands())
        self.runners.append(await control.serve(settings.control, self.known, read=make(), count_bug=self.count_bug))

    def _callbacks(self, app: web.Application) -> None:
        """Let gateways and other systems tell the operators' door what came back."""
        inbox, settings = self.inbox, self.settings
        callbacks.add_routes(app, settings.channels, inbox.receive, inbox.hear, self.clock, self.outbox.say)
        token = settings.ops.token or ""
        callbacks.add_answers(app, inbox.act, token, self.clock)
        Alertmanager(
            self.foreign,
            self.journal,
            lambda: self.settings.directory,
            self.pipeline.standing,
            self.outbox.wake,
            self.started,
            version(),
        ).add_routes(app, token, self.clock)
        self.dead_man.open(app, self.scheduler.again)

    async def run(self, stop: asyncio.Event, again: asyncio.Event | None = None) -> None:
        """Work until told to ``stop``; read the config ``again`` when told so."""
        tasks = [
            asyncio.create_task(work, name=name)
            for name, work in (
                ("line", self.scheduler.feed(self.pipeline)),
                ("outbox", self.outbox.run()),
                ("freshness", self.freshness.run()),
                ("foreign alerts", self.foreign.run(self.clock)),
                ("streams", self.streams.run(self.scheduler.again)),
                ("postures", self.posturing.run()),
                ("reload", self.reloading.run(again or asyncio.Event())),
                ("feeds", self._feeds().run()),
                ("stop", stop.wait()),
                *self.measuring.jobs(),
                *((("heart", self.dead_man.heart.run()),) if self.dead_man.heart else ()),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a bug ends the daemon: its supervisor starts it again, where it was
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _feeds(self) -> Feeds:
        return Feeds(self.settings.channels, self.inbox, self.outbox.say, self.clock, self.count_bug)

    async def stop(self) -> None:
        """Give everything back; whatever hangs is left behind."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.scheduler.stop()
                await self.outbox.close()
                await self.ledger.stop(self.clock.now())
                await asyncio.gather(*(runner.cleanup() for runner in self.runners))
                await close(self.engines)
        except TimeoutError:
            log.warning("stopped without waiting for everything")
        finally:
            await self.measuring.close()
            await self.journal.close()

    def _vitals(self) -> Vitals:
        return Vitals(self.pipeline.looked, self.pipeline.written, self.outbox.turned)

    def count_bug(self) -> None:
        """Count a fault of our own that a boundary caught."""
        self.bugs += 1

    def health(self) -> Health:
        """Say how the daemon itself does."""
        series, outbox = self.measuring.series.stats(), self.outbox.stats()
        lateness = sorted(self.pipeline.belief.own.lateness)
        trouble: tuple[str, ...] = (self.pipeline.trouble,) if self.pipeline.trouble else ()
        idle = [name for name, one in self.settings.directory.rotations.items() if not one.on_duty(self.clock.now())]
        trouble += self.dead_man.heart.trouble() + self.reloading.trouble
        trouble += tuple(f"channel {name}: {one.why}" for name, one in self.outbox.health().items() if one.out)
        trouble += self.measuring.trouble()
        trouble += (f"nobody is on duty now: {', '.join(idle)}",) if idle else ()
        return Health(
            started=self.started,
            checks=len(self.settings.world.checks),
            packets_per_minute=self.settings.packets_per_minute,
            lateness_p99_seconds=lateness[int(len(lateness) * 0.99)] if lateness else 0.0,
            series_queued=series.queued,
            series_dropped=series.dropped,
            series_error=series.error,
            series_bytes=series.bytes,
            series_note=series.note,
            export_lag_seconds=self.measuring.lag_seconds(),
            outbox_pending=outbox.pending,
            outbox_oldest_seconds=outbox.oldest_seconds,
            bugs=self.bugs + self.scheduler.bugs + outbox.bugs + sum(e.bugs for e in self.engines.values()),
            clock=self.clock_note(),
            capabilities=(*capabilities(self.engines), *self.standing, *trouble, *self.freshness.warning()),
            exercise=exercise.incident if (exercise := self.drills.under_way) else "",
            unconfirmed=self.freshness.stale,
            reported=self.foreign.count,
        )

    def commands(self) -> Mapping[str, control.Command]:
        """Return what the control door understands."""
        answering = Answering(self.settings, self.journal, self.inbox, self.outbox, self.clock)
        more = {
            **logs.commands(),
            **self.upkeep.commands(),
            **self._calling(),
            **answering.commands(),
            **self.freshness.commands(),
            **self.posturing.commands(),
            **self.reloading.commands(),
        }
        return {"ping": self._ping, **more}

    def _calling(self) -> Mapping[str, control.Command]:
        calling = Calling(
            self.settings,
            self.journal,
            self.clock,
            truth=self._truth,
            standing=self._open_alerts,
            wake=self.outbox.wake,
            ways=self.outbox.health,
        )
        office = Office(lambda: self.pipeline.topology, self.runbooks, self.outbox.wake)
        drilling = Drilling(self.settings, self.journal, self.clock, self.drills, office)
        return {**calling.commands(), **drilling.commands()}

    def _truth(self, incident: str) -> Alert | None:
        """Say what is true of an incident of ours or of an alert of another system, or what an exercise pretends."""
        books = (self.drills.truth, self.pipeline.truth, self.foreign.truth, self.posturing.truth)
        return next((alert for truth in books if (alert := truth(incident))), None)

    def _open_alerts(self) -> list[Alert]:
        return [*self.pipeline.standing(), *self.foreign.standing(), *self.posturing.standing()]

    def _replanned(self, calendar: Calendar) -> None:
        """Go by other windows of maintenance from the next turn on, and show them at once."""
        self.pipeline.belief.calendar = calendar
        self.pipeline.version += 1

    async def _reload(self, settings: Settings) -> None:
        """Go by another config, swapped between two turns of the line; while nothing can be written, raise instead."""

        moved = settings.directory.moved(self.settings.directory)

        async def swap() -> None:
            self.settings = settings
            await self.pipeline.surely(lambda: self.upkeep.renew(settings))
            await self.pipeline.reload(settings.world, settings.directory)
            self._repaced()
            self.known.update(self.commands())

        await self.ledger.beat(self.clock.now())
        await self.scheduler.between(swap)
        await self.pipeline.surely(lambda: self.foreign.tell_newly_named(self.clock.now(), moved))
        await self.pipeline.surely(lambda: self.posturing.tell_newly_named(moved))
        await self.freshness.renew(settings)
        self.outbox.wake()

    def _repaced(self) -> None:
        """Ask as often as the postures in force want it, and show them at once."""
        self.scheduler.adopt(tightened(self.pipeline.world, self.pipeline.topology.territories, self.posturing.on))
        self.pipeline.version += 1

    async def _ping(self, _asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"site": self.settings.site, "started": self.started.isoformat()}

    def _pin(self, alert: Alert) -> str:
        book = self.runbooks.match(alert)
        return book.pinned if book else ""
