"""The alerts of other systems, durable: each turn is one transaction with the rows that tell people.

As in the line, nothing is believed before it is committed. While the journal cannot be written a report is refused;
its source reports it again.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Self

from alerting.directory import Directory
from alerting.foreign import PREFIX, Foreign, Posted, hear, spared, to_alert, unheard
from alerting.journal import Journal, JournalError, Row, Transaction, can_pass, micros, moment
from alerting.model import Alert
from alerting.outbox import STEP, Clock, ran_ahead
from alerting.plan import plan, tell_newly_named

log = logging.getLogger("lambi.foreign")

KEEP = timedelta(days=7)
"""How long one that is over stays at hand, for reports that come late and messages that have not left."""
MOST_OPEN = 5000
"""Alerts of others that are open at once; more are refused."""
AT_ONCE = 32
"""Alerts that one transaction takes, about."""
LOOK_SECONDS = 5.0

Blind = tuple[tuple[datetime, datetime | None], ...]


class ForeignBook:
    """What others report, as of the last commit. One turn at a time."""

    def __init__(
        self,
        journal: Journal,
        directory: Callable[[], Directory],
        *,
        places: Mapping[str, str],
        planned: Callable[[], None],
        blind: Callable[[datetime], Blind] = lambda _: (),
        note: Callable[[], str] = lambda: "",
        most: int = MOST_OPEN,
    ) -> None:
        """``places``: name by territory code; ``planned``: rows to send have been committed; ``blind``: the cuts of
        this site since a moment; ``note``: a standing caveat; ``most``: that may be open.
        """
        self._journal, self._directory, self._places, self._planned = journal, directory, places, planned
        self._blind, self._note, self._most = blind, note, most
        self._known: dict[str, Foreign] = {}
        """By id, those that are over for a while."""
        self._newest: dict[str, str] = {}
        """Fingerprint -> id."""
        self._committing: dict[str, Foreign] = {}
        """What the turn under way says: its rows may be claimed before their commit has come back."""
        self._next = 1
        self._turn = asyncio.Lock()

    async def boot(self, now: datetime) -> Self:
        """Go on after a start: whoever could not be heard meanwhile gets a moment to speak."""
        rows = await self._journal.read(_BOOT, (micros(now - KEEP), PREFIX))
        self._adopt(map(_read, rows))
        [(last,)] = await self._journal.read("SELECT coalesce(max(id), 0) FROM foreign_alert")
        self._next = max(self._next, last + 1)
        await self.spare(now)
        await self.tell_newly_named(now)
        return self

    async def tell_newly_named(self, now: datetime, moved: Collection[str] = ()) -> None:
        """Tell of what is open whoever the files name now and did not before. Raises JournalError, sqlite3.Error."""
        async with self._turn, self._journal.transaction() as tx:
            rows = await tell_newly_named(tx, self.standing(), self._directory(), now, moved)
        if rows:
            self._planned()

    def truth(self, incident: str) -> Alert | None:
        """Say what is true of an alert now, or None if nothing is known of it."""
        one = self.source(incident)
        return self._alert(one) if one else None

    def source(self, incident: str) -> Foreign | None:
        """Return what was reported."""
        return self._committing.get(incident) or self._known.get(incident)

    def standing(self) -> list[Alert]:
        """Return every open alert, without what only a message says: there may be thousands."""
        return [to_alert(one, self._places) for one in self._open()]

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open())

    def _open(self) -> list[Foreign]:
        return [one for one in self._known.values() if one.closed is None]

    def _alert(self, one: Foreign) -> Alert:
        return to_alert(one, self._places, self._blind(one.began), self._note())

    async def take(self, posts: Sequence[Posted], now: datetime) -> int:
        """Take reports; return how many were refused because too many are open. Raises JournalError, sqlite3.Error."""
        async with self._turn:
            revisions: list[Foreign] = []
            latest: dict[str, Foreign] = {}
            room, number, refused = self._most - len(self._open()), self._next, 0
            for post in posts:
                name = post.fingerprint
                known = latest.get(name) or self._known.get(self._newest.get(name, ""))
                made = hear(known, post, number, now)
                if not made:
                    continue
                fresh = made[0].number == number
                if fresh and not room:
                    refused += 1
                    continue
                number, room = number + fresh, room - fresh
                revisions += made
                latest[name] = made[-1]
            await self._commit(revisions, now)
        if refused:
            log.warning("refused=%d: %d alerts of others are open", refused, self._most)
        return refused

    async def expire(self, now: datetime) -> None:
        """Close what is no longer reported; forget what has been over for long. Raises JournalError, sqlite3.Error."""
        async with self._turn:
            await self._commit([closed for one in self._open() if (closed := unheard(one, now))], now)
            old = [one for one in self._known.values() if one.closed and now - one.changed > KEEP]
            for one in old:
                del self._known[one.id]
                if self._newest.get(one.fingerprint) == one.id:
                    del self._newest[one.fingerprint]

    async def spare(self, now: datetime) -> None:
        """Give every open alert a moment to be reported again. Raises JournalError, sqlite3.Error."""
        async with self._turn:
            await self._commit([one for old in self._open() if (one := spared(old, now)) != old], now)

    async def _commit(self, revisions: Iterable[Foreign], now: datetime) -> None:
        """Write revisions with the rows that tell people, then believe them; the line's own turns go in between."""
        for some in _some(revisions):
            await self._commit_some(some, now)

    async def _commit_some(self, revisions: Sequence[Foreign], now: datetime) -> None:
        self._committing = {one.id: one for one in revisions}
        changes = list(self._news(revisions))
        try:
            async with self._journal.transaction() as tx:
                for one in revisions:
                    await _write(tx, one)
                rows = [row for one in changes for row in await plan(tx, self._alert(one), self._directory(), now)]
            self._adopt(revisions)
        finally:
            self._committing = {}
        for one in changes:
            log.info("alert id=%s revision=%d %s", one.id, one.revision, one.closing or "open")
        if rows:
            self._planned()

    def _news(self, revisions: Iterable[Foreign]) -> Iterator[Foreign]:
        """Yield what opens and what closes; the others have been heard of once more."""
        known: dict[str, int] = {}
        for one in revisions:
            before = self._known.get(one.id)
            if known.get(one.id, before.revision if before else 0) != one.revision:
                yield one
            known[one.id] = one.revision

    def _adopt(self, revisions: Iterable[Foreign]) -> None:
        for one in revisions:
            self._known[one.id] = one
            self._newest[one.fingerprint] = one.id
            self._next = max(self._next, one.number + 1)

    async def run(self, clock: Clock) -> None:
        """Close what falls silent, until cancelled; what may pass with the journal is waited out."""
        before = clock.now(), clock.monotonic()
        while True:
            looked = clock.now(), clock.monotonic()
            try:
                if ran_ahead(before, looked) > STEP:
                    await self.spare(looked[0])
                await self.expire(looked[0])
            except (JournalError, sqlite3.Error) as error:
                if not can_pass(error):
                    raise
                log.error("journal error=%r: trying again", str(error))
            else:
                before = looked
            await clock.sleep_until(looked[1] + self._pause(looked[0]))

    def _pause(self, now: datetime) -> float:
        """Return seconds until the next alert may be over, within bounds."""
        ends = [(one.until - now).total_seconds() for one in self._open()]
        return min(LOOK_SECONDS, max(1.0, min(ends, default=LOOK_SECONDS)))


def _some(revisions: Iterable[Foreign]) -> Iterator[list[Foreign]]:
    """Yield what one transaction takes: a few, and the beginning and the end of one alert together."""
    turn: list[Foreign] = []
    for one in revisions:
        if len(turn) >= AT_ONCE and turn[-1].id != one.id:
            yield turn
            turn = []
        turn.append(one)
    if turn:
        yield turn


_COLUMNS = (
    "id, fingerprint, labels, annotations, generator, began_at, until_at, named, heard_at, changed_at, revision, "
    "closed_at, closing, late"
)
_BOOT = f"""SELECT {_COLUMNS} FROM foreign_alert WHERE closed_at IS NULL OR closed_at > ?
OR ? || id IN (SELECT incident FROM notification WHERE ended_at IS NULL) ORDER BY id"""  # noqa: S608 - constants
_WRITE = f"""INSERT INTO foreign_alert ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET annotations = excluded.annotations, generator = excluded.generator,
began_at = excluded.began_at, until_at = excluded.until_at, named = excluded.named, heard_at = excluded.heard_at,
changed_at = excluded.changed_at, revision = excluded.revision, closed_at = excluded.closed_at,
closing = excluded.closing, late = excluded.late"""  # noqa: S608 - constants


async def _write(tx: Transaction, one: Foreign) -> None:
    texts = (json.dumps(dict(found), ensure_ascii=False) for found in (one.labels, one.annotations))
    times = (micros(one.began), micros(one.until), int(one.named), micros(one.heard), micros(one.changed))
    closed = micros(one.closed) if one.closed else None
    await tx.execute(
        _WRITE,
        (one.number, one.fingerprint, *texts, one.generator, *times, one.revision, closed, one.closing, int(one.late)),
    )


def _read(row: Row) -> Foreign:
    number, _, labels, annotations, generator, began, until, named, heard, changed, revision, closed, closing, late = (
        row
    )
    return Foreign(
        number,
        json.loads(labels),
        json.loads(annotations),
        generator,
        *(moment(began), moment(until), bool(named), moment(heard), moment(changed)),
        revision=revision,
        closed=None if closed is None else moment(closed),
        closing=closing,
        late=bool(late),
    )
