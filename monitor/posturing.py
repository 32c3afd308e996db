"""Postures of a running daemon: set and ended by command, over by themselves, told with their runbook."""

import logging
import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from alerting.journal import Journal, JournalError, can_pass
from alerting.model import Alert
from alerting.plan import plan, tell_newly_named
from monitor.config.problems import did_you_mean, which_territory
from monitor.config.settings import Settings
from monitor.ledger.postures import Postures, add, end
from monitor.moments import lasting
from monitor.moments import moment as read_moment
from monitor.posture import BY_HAND, OVER, PACE, REPLACED, SEVERITIES, Level, Posture, to_alert
from monitor.web.control import Command, Refused
from probes.clock import Clock

log = logging.getLogger("lambi.posture")

Asked = Mapping[str, Any]
Fact = dict[str, Any]
KEEP = timedelta(days=7)
"""How long one that is over stays at hand for messages that are still on their way."""
LONGEST = timedelta(days=60)
LOOK_SECONDS = 5.0


class Posturing:
    """What is set now. Nothing is gone by before it is committed, with the rows that tell people."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        journal: Journal,
        clock: Clock,
        *,
        changed: Callable[[], None],
        planned: Callable[[], None],
        note: Callable[[], str],
    ) -> None:
        """``changed``: another territory is looked at more often, or no longer; ``planned``: there is news to send."""
        self._settings, self._journal, self._clock = settings, journal, clock
        self._changed, self._planned, self._note = changed, planned, note
        self._known: dict[str, Posture] = {}
        self._committing: dict[str, Posture] = {}
        """What the turn under way says: its rows may be claimed before their commit has come back."""

    async def boot(self) -> "Posturing":
        """Go on after a start."""
        known = await Postures(self._journal).known(self._clock.now() - KEEP)
        self._known = {one.id: one for one in known}
        await self.tell_newly_named()
        return self

    async def tell_newly_named(self, moved: Collection[str] = ()) -> None:
        """Tell whoever the files name now and did not before. Raises JournalError, sqlite3.Error."""
        now, directory = self._clock.now(), self._settings().directory
        async with self._journal.transaction() as tx:
            rows = await tell_newly_named(tx, self.standing(), directory, now, moved)
        if rows:
            self._planned()

    @property
    def on(self) -> tuple[Posture, ...]:
        """Those in force, by territory."""
        return tuple(sorted((one for one in self._known.values() if one.ended is None), key=lambda one: one.territory))

    def truth(self, incident: str) -> Alert | None:
        """Say what is true of a posture now, or None if there is none of this number."""
        one = self._committing.get(incident) or self._known.get(incident)
        return self._alert(one) if one else None

    def standing(self) -> list[Alert]:
        """Return those in force, as alerts."""
        return [self._alert(one) for one in self.on]

    def commands(self) -> Mapping[str, Command]:
        """Return what the control door understands."""
        return {"posture-set": self._set, "posture-end": self._end, "posture-list": self._list}

    async def run(self) -> None:
        """End what has had its time, until cancelled."""
        while True:
            now = self._clock.now()
            over = [replace(one, ended=now, ending=OVER) for one in self.on if one.until <= now]
            try:
                if over:
                    await self._commit(None, over, "its time", now)
            except (JournalError, sqlite3.Error) as error:
                if not can_pass(error):
                    raise
                log.error("journal error=%r: trying again", str(error))
            await self._clock.sleep_until(self._clock.monotonic() + LOOK_SECONDS)

    async def _set(self, asked: Asked) -> Fact:
        now, settings = self._clock.now(), self._settings()
        one = self._written(asked, settings, now)
        before = [replace(old, ended=now, ending=REPLACED) for old in self.on if old.territory == one.territory]
        fresh = await self._commit(one, before, str(asked["peer"]), now)
        return {"posture": _fact(fresh or one), "replaced": [old.id for old in before]}

    def _written(self, asked: Asked, settings: Settings, now: datetime) -> Posture:
        """Read what somebody typed; raises Refused."""
        word, code = str(asked.get("level", "")), str(asked.get("territory", ""))
        places = {name: one.name for name, one in settings.world.territories.items()}
        if word not in set(Level):
            raise Refused(f'"{word[:40]}" is no posture{did_you_mean(word, Level)}')
        if code not in places:
            raise Refused(f'unknown territory "{code[:40]}"{which_territory(code, places)}')
        zone = settings.world.territories[code].zone
        try:
            if bool(asked.get("until")) == bool(asked.get("for")):
                raise Refused("say until when: --until 18:00, or --for 36h")
            until = (
                read_moment(str(asked["until"]), zone, now) if asked.get("until") else now + lasting(str(asked["for"]))
            )
        except ValueError as error:
            raise Refused(f"--until or --for: {error}") from None
        if not now < until <= now + LONGEST:
            raise Refused(f"--until: a time that is to come, at most {LONGEST.days} days ahead")
        reason = " ".join(str(asked.get("reason") or "").split())
        if not 0 < len(reason) <= 200:
            raise Refused("--reason: say it in 1 to 200 letters")
        author = " ".join(str(asked.get("author") or asked["peer"]).split())[:80]
        return Posture(0, code, Level(word), now, until, reason, author)

    async def _end(self, asked: Asked) -> Fact:
        name, now = str(asked.get("id", "")), self._clock.now()
        on = {one.id: one for one in self.on}
        found = on.get(name) or next((one for one in self.on if one.territory == name), None)
        if found is None:
            raise Refused(f'no posture "{name[:20]}" is in force{did_you_mean(name, on)}')
        over = replace(found, ended=now, ending=BY_HAND)
        await self._commit(None, [over], str(asked["peer"]), now)
        return {"posture": _fact(over)}

    async def _list(self, asked: Asked) -> Fact:
        known = await Postures(self._journal).known() if asked.get("past") else list(self.on)
        return {"postures": [_fact(one) for one in known]}

    async def _commit(self, one: Posture | None, over: list[Posture], by: str, now: datetime) -> Posture | None:
        """Write a new one and the ends of others in one transaction with the rows that tell people."""
        directory = self._settings().directory
        try:
            async with self._journal.transaction() as tx:
                for old in over:
                    await end(tx, old, by)
                if one is not None:
                    one = replace(one, number=await add(tx, one, by))
                self._committing = {each.id: each for each in (*over, one) if each is not None}
                rows = [
                    row
                    for each in self._committing.values()
                    for row in await plan(tx, self._alert(each), directory, now)
                ]
            self._known |= self._committing
        finally:
            fresh, self._committing = self._committing, {}
        for each in fresh.values():
            log.info("posture %s %s for %s: %s", each.id, each.level, each.territory, each.ending or "in force")
        self._changed()
        if rows:
            self._planned()
        return one

    def _alert(self, one: Posture) -> Alert:
        return to_alert(one, self._settings().world.territories, self._note())


def _fact(one: Posture) -> Fact:
    return {
        "id": one.id,
        "territory": one.territory,
        "level": one.level.value,
        "severity": SEVERITIES[one.level].value,
        "times_as_often": PACE[one.level],
        "since": one.since.isoformat(),
        "until": one.until.isoformat(),
        "reason": one.reason,
        "author": one.author,
        "ended": one.ended.isoformat() if one.ended else None,
        "ending": one.ending or None,
    }
