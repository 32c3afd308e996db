"""The daemon as it is started: it greets, runs until it is told to stop, or says why it cannot."""

import asyncio
import faulthandler
import os
import signal
from collections.abc import Callable, Mapping
from functools import partial

from alerting.journal import Journal, JournalError
from alerting.runbooks import RunbookError
from monitor import logs
from monitor.app import App
from monitor.config.settings import Settings
from monitor.doors import DoorError
from monitor.instance import Instance, TakenError
from monitor.model import Phase
from monitor.reloading import Load
from monitor.watchdog import Watchdog
from monitor.web import control
from probes.clock import Clock, SystemClock
from probes.model import Engine

MOST_NOTES = 3
"""How many notes on the config the greeting repeats."""


def greeting(app: App) -> list[str]:
    """Say where the page is and what is watched, in a few lines."""
    settings, world = app.settings, app.settings.world
    watched = {asset for check in world.checks.values() if not check.reference for asset in check.tells_of}
    views = app.snapshots().assets.values()
    idle = sum(1 for view in views if view.phase is Phase.NOT_WATCHED)
    references = sum(1 for check in world.checks.values() if check.reference)
    lines = [
        f"Lambi looks from {world.assets[world.vantage].name}: the page is http://{settings.public.place}/",
        f"{len(watched)} assets watched by {len(world.checks) - references} checks, {idle} known and not watched; "
        f"{references} references for the own link; about {settings.packets_per_minute:.0f} packets a minute",
    ]
    notes = [str(note) for note in settings.notes[:MOST_NOTES]]
    if (more := len(settings.notes) - MOST_NOTES) > 0:
        notes.append(f"{more} more on the config: lambi config check")
    return lines + [f"note: {note}" for note in (*app.health().capabilities, *notes)]


def _key(error: Exception) -> str:
    """Name what in the config decides about what could not be had."""
    if isinstance(error, DoorError):
        return error.key
    return "web.control" if isinstance(error, control.ControlError) else "store.folder"


def _stuck(app: App) -> str:
    return app.dead_man.stuck(waits=app.pipeline.waits)


async def run(
    settings: Settings,
    say: Callable[[str], None],
    *,
    clock: Clock | None = None,
    journal: type[Journal] = Journal,
    engines: Mapping[str, Engine] | None = None,
    form: logs.Form = logs.Form.TEXT,
    load: Load | None = None,
) -> int:
    """Run the daemon until SIGTERM or SIGINT; at SIGHUP ``load`` reads the config again. Return the exit code."""
    logs.begin(form)
    faulthandler.enable()  # whoever kills a daemon that stands still learns where it stood
    stop, again = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, again.set)
    try:
        with Instance(settings.state):
            app = await App.start(settings, clock or SystemClock(), say, journal, engines, load=load)
            manager = Watchdog(os.environ, partial(_stuck, app), app.clock)
            watching = asyncio.create_task(manager.run())
            try:
                for line in greeting(app):
                    say(line)
                manager.ready(f"{app.settings.packets_per_minute:.0f} packets a minute")
                await app.run(stop, again)
            finally:
                manager.stopping()
                watching.cancel()
                await app.stop()
    except OSError as error:
        say(f"cannot start: {error.strerror or error}")
    except RunbookError as error:
        say(str(error))
    except (TakenError, JournalError, DoorError, control.ControlError) as error:
        say(f"{error}; to change that, set {_key(error)} in {settings.file}")
    else:
        return 0
    return 1
