"""Killed at any commit: the journal as it stands on disk right before and right after each commit of a story is opened
by a new daemon, which goes on. The whole line and the whole outbox, in simulated time.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from alerting.directory import Directory, Route
from alerting.journal import Journal
from alerting.model import Address, Contact, Severity
from alerting.outbox import Outbox
from alerting.runbooks import Runbooks
from monitor.views import IncidentFilter
from tests.alerting.fakes import Provider
from tests.counts import soak
from tests.monitor.sim import Fault, Script, Simulation
from tests.monitor.test_pipeline import everything, hits, with_references
from tests.monitor.worlds import islands

FORMS = ("mail", "sms")
DIRECTORY = Directory(
    {"desk": Contact("desk", "CTU", addresses=tuple(Address(form, f"desk@{form}.example") for form in FORMS))},
    (Route("all", ("desk",)),),
    "",
    dict.fromkeys(Severity, 86400.0),
)
BON = hits("cable:bon1", "router:bon", "nameserver:ns.bon")


@dataclass(frozen=True)
class Story:
    """What breaks and is mended; no message leaves while everything is cut."""

    faults: tuple[Fault, ...]
    seconds: float
    incidents: tuple[tuple[str, str], ...]
    """Id and asset of each that opens and closes."""

    def cut_off(self, at: float) -> bool:
        """Whether nothing leaves at that moment."""
        return any(fault.hits is everything and fault.since <= at < fault.until for fault in self.faults)

    def always_connected(self) -> bool:
        """Whether messages can leave all the time."""
        return all(fault.hits is not everything for fault in self.faults)


STORIES = {
    "a cable": Story((Fault(20, 60, BON),), 100, (("1", "cable:bon1"),)),
    "our own link": Story((Fault(20, 60, everything),), 110, (("1", "vantage:hub"),)),
    "a cable, and our own link meanwhile": Story(
        (Fault(20, 90, BON), Fault(45, 70, everything)), 150, (("1", "cable:bon1"), ("2", "vantage:hub"))
    ),
}


@dataclass(frozen=True)
class Crash:
    """One moment at which the daemon may have died."""

    folder: Path
    at: float
    taken: Mapping[str, tuple[str, ...]]
    """The texts that the world outside had by then, by form."""


class Daemon(Simulation):
    """The line in simulated time with an outbox whose providers are cut off with the vantage."""

    def __init__(self, story: Story, folder: Path, at: float = 0.0) -> None:
        super().__init__(with_references(islands()), DIRECTORY, Script(list(story.faults)), folder, at=at)
        self.story = story
        self.providers = {form: Provider(form) for form in FORMS}

    async def open(self, journal: type[Journal] = Journal) -> None:
        await super().open(journal)
        self.outbox = Outbox(
            self.journal,
            self.providers,
            lambda: self.directory,
            lambda incident: self.pipeline.truth(incident),  # noqa: PLW0108 - as the daemon wires it
            Runbooks({}),
            self.clock,
            "Hub",
        )
        self._woken = True

    def _planned(self) -> None:
        self._woken = True

    def _restored(self) -> None:
        self.outbox.path_restored()
        self._woken = True

    async def _handle(self, what: str, load: object) -> None:
        await super()._handle(what, load)
        if what == "second" and (self._woken or await self._due()):
            self._woken = False
            for provider in self.providers.values():
                provider.down = self.story.cut_off(self.clock.elapsed)
            await self.outbox.run_due(self.clock.now())

    async def _due(self) -> bool:
        rows = await self.journal.read("SELECT min(due_at) FROM notification WHERE state = 'planned'")
        return rows[0][0] is not None and rows[0][0] <= self.clock.now().timestamp() * 1e6

    def taken(self) -> dict[str, tuple[str, ...]]:
        return {
            form: tuple(message.subject or message.body for message, _ in provider.taken)
            for form, provider in self.providers.items()
        }


def camera(keep: Callable[[Path], None]) -> type[Journal]:
    """Return a journal that shows its files right before and right after each commit: what kill -9 would leave."""

    class Camera(Journal):
        def _commit(self) -> None:
            keep(self._path)
            super()._commit()
            keep(self._path)

    return Camera


async def live(story: Story, folder: Path) -> tuple[Daemon, list[Crash]]:
    """Run the story undisturbed; return the daemon, closed, and every moment at which it might have died."""
    daemon, crashes = Daemon(story, folder / "whole"), list[Crash]()

    def keep(journal: Path) -> None:
        crash = Crash(folder / f"{len(crashes):04}", daemon.clock.elapsed, daemon.taken())
        crash.folder.mkdir()
        for path in (journal, journal.with_name(f"{journal.name}-wal")):
            shutil.copy(path, crash.folder)
        crashes.append(crash)

    await daemon.open(camera(keep))
    await daemon.run(story.seconds)
    return daemon, crashes


async def ended(daemon: Daemon) -> list[tuple[str, str]]:
    found = await daemon.ledger.incidents(IncidentFilter())
    assert all(incident.closed for incident in found)
    return [(incident.id, incident.asset) for incident in reversed(found)]


async def in_flight(daemon: Daemon) -> list[str]:
    """Return the channels of the attempts whose end nobody knows."""
    rows = await daemon.journal.read("SELECT channel FROM attempt WHERE status = 'intent'")
    return [channel for (channel,) in rows]


def check_texts(texts: tuple[str, ...], incidents: tuple[tuple[str, str], ...]) -> None:
    """Nothing lost, nothing said twice but what is marked: at most one first message each, then the end."""
    for number, _ in incidents:
        own = [text for text in texts if text.removeprefix("[").startswith(number)]
        plain = [text for text in own if "(repeat)" not in text]
        assert len([text for text in own if "OVER" in text and "(repeat)" not in text]) <= 1, own
        assert len(plain) <= 2, own
        assert "OVER" in own[-1], own
        news = [text.replace(" (repeat)", "") for text in own]
        assert len(set(news)) <= 2, own


@pytest.mark.parametrize("name", STORIES)
async def test_undisturbed(name: str, tmp_path: Path) -> None:
    story = STORIES[name]
    daemon, _ = await live(story, tmp_path)
    assert tuple(await ended(daemon)) == story.incidents
    for texts in daemon.taken().values():
        check_texts(texts, story.incidents)
        assert not any("(repeat)" in text for text in texts)
    await daemon.close()


@pytest.mark.parametrize("name", STORIES)
async def test_killed_at_every_commit(name: str, tmp_path: Path) -> None:
    story = STORIES[name]
    whole, crashes = await live(story, tmp_path)
    await whole.close()
    for crash in crashes[:: 1 if story.always_connected() else soak(ci=3, soak=1)]:
        daemon = Daemon(story, crash.folder, crash.at)
        await daemon.open()
        flying = await in_flight(daemon)
        await daemon.run(story.seconds - crash.at + 40)
        assert tuple(await ended(daemon)) == story.incidents, crash
        assert await daemon.journal.read("SELECT * FROM notification WHERE ended_at IS NULL") == []
        for form, later in daemon.taken().items():
            check_texts((*crash.taken[form], *later), story.incidents)
            marked = len([text for text in later if "(repeat)" in text])
            assert marked <= flying.count(form), crash
            assert marked == flying.count(form) or not story.always_connected(), crash
        await daemon.close()
