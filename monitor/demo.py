"""The real daemon in the world of a story: its engines answer as it says, nobody is asked, messages go to a mailbox."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from monitor import daemon
from monitor.config.settings import Door, Settings
from monitor.doors import DoorError, listen
from monitor.mailbox import Mailbox, with_mailbox
from monitor.model import World
from monitor.replay.stage import Stage
from monitor.replay.story import Story
from monitor.replay.world import build
from probes.clock import Clock
from probes.model import Ask, Observation

UNSEEN = {"clock", "pause", "delay", "maintain"}
"""What a story can say and this cannot show: it would have to be done to this machine, or to the config."""


class Scripted:
    """An engine that asks nobody."""

    def __init__(self, story: Story, world: World, clock: Clock, speed: float = 1.0) -> None:
        self.capability = "a story is played: nothing that is shown is true, and nobody is asked or told"
        self.bugs = 0
        self._stage, self._world, self._clock, self._speed = Stage(story), world, clock, speed
        self._begun = clock.monotonic()

    async def ask(self, asks: Sequence[Ask]) -> AsyncIterator[list[Observation]]:
        """Yield what the story says, when an answer would have come."""
        now, at = self._clock.monotonic(), self._clock.now()
        vantage, batches = self._world.vantage, dict[float, list[Observation]]()
        for ask in asks:
            check = self._world.checks[ask.check]
            answer = self._stage.answer(vantage, check, (now - self._begun) * self._speed)
            if answer is None:
                continue
            part, took = answer
            took = min(took, check.timeout)
            look = Observation(ask.check, ask.target, check.kind, vantage, ask.at, at, took, {"": part})
            batches.setdefault(took, []).append(look)
        for took, looks in sorted(batches.items()):
            await self._clock.sleep_until(now + took)
            yield looks

    async def close(self) -> None:
        """Give nothing back: nothing was taken."""

    async def tell(self, story: Story, say: Callable[[str], None]) -> None:
        """Say each event when it happens."""
        for event in sorted(story.events, key=lambda event: event.at):
            await self._clock.sleep_until(self._begun + event.at / self._speed)
            say(f"the story: {event.text}" + (" (cannot be shown here)" if event.verb in UNSEEN else ""))
        await self._clock.sleep_until(self._begun + story.length / self._speed)
        say("the story: the end; the page stays until Ctrl-C")


def faster(world: World, speed: float) -> World:
    """Return the world with shorter cadences and rules, so that all keeps its proportion."""
    checks = {
        check.id: replace(
            check,
            every=check.every / speed,
            timeout=check.timeout / speed,
            rule=replace(
                check.rule,
                silence_seconds=check.rule.silence_seconds / speed,
                refusal_seconds=check.rule.refusal_seconds / speed,
            ),
        )
        for check in world.checks.values()
    }
    return replace(
        world,
        checks=checks,
        settle_seconds=world.settle_seconds / speed,
        hold_seconds=world.hold_seconds / speed,
        reopen_seconds=world.reopen_seconds / speed,
    )


def settings_of(story: Story, shipped: Settings, state: Path, clock: Clock, *, port: int, speed: float) -> Settings:
    """Return the shipped settings with the story's world, in a folder of its own, every channel off."""
    world = faster(build(story, shipped.world, clock.now()), speed)
    return replace(
        shipped,
        world=replace(world, vantages=()),  # what other places see does not come over the wire yet
        channels={},
        state=state,
        public=Door("127.0.0.1", port),
        ops=Door("127.0.0.1", 0),
        control=state / "control.sock",
        base_url="",
    )


async def run(story: Story, settings: Settings, say: Callable[[str], None], *, clock: Clock, speed: float) -> int:
    """Run the daemon, and beside its page the mailbox, until it is told to stop; return the exit code."""
    box, beside = Mailbox(), Door(settings.public.host, settings.public.port + 1)
    try:
        runner = await listen(box.page(f"http://{settings.public.place}/"), beside, "--port")
    except DoorError as error:
        say(f"cannot start: {error}; the mailbox stands one above --port")
        return 1
    say(f"what people would be sent: http://{beside.place}/")
    engine = Scripted(story, settings.world, clock, speed)
    telling = asyncio.create_task(engine.tell(story, say))
    try:
        kinds = {check.kind for check in settings.world.checks.values()}
        told = with_mailbox(settings, box)
        return await daemon.run(told, say, clock=clock, engines=dict.fromkeys(kinds, engine))
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
        await runner.cleanup()
