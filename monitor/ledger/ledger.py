"""Monitor's side of the journal: what is written in the line's one transaction, what boot and history read."""

import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from alerting.journal import Journal, JournalError, Transaction, can_pass, micros, moment
from alerting.told import answered, told
from monitor.belief import Step
from monitor.docket import Book, Change
from monitor.ledger.coverage import blind, coverage, idle
from monitor.ledger.rows import document, read_incident, read_state, state_row
from monitor.ledger.windows import Windows
from monitor.model import Entry, Incident, Learned, Phase, State
from monitor.planned import Kept
from monitor.views import Coverage, IncidentFilter, ToldRow

log = logging.getLogger("lambi.ledger")

_UPSERT_STATE = "INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SEES = {Phase.UP.value, Phase.DEGRADED.value}
_SPEAKS = {*_SEES, Phase.DOWN.value}


@dataclass(frozen=True, slots=True)
class Boot:
    """What an earlier run left."""

    states: dict[str, dict[str, State]]
    book: Book
    worked: frozenset[str]
    """Checks that were ever UP."""
    unfinished: tuple[Incident, ...]
    """Closed incidents of which somebody has still to be told."""
    learned: tuple[Learned, ...] = ()
    """What is usual."""


class Ledger:
    """Writes inside the pipeline's transaction; reads what is committed."""

    def __init__(self, journal: Journal, vantage: str) -> None:
        self._journal = journal
        self._vantage = vantage
        self._watch: int | None = None
        self._windows = Windows(journal)

    async def boot(self) -> Boot:
        """Read what an earlier run left."""
        states: dict[str, dict[str, State]] = {}
        for row in await self._journal.read("SELECT * FROM state"):
            check, part, state = read_state(row)
            states.setdefault(check, {})[part] = state
        opened = [await self._whole(id_) for (id_,) in await self._journal.read(_OPEN)]
        closed = [await self._whole(id_) for (id_,) in await self._journal.read(_UNFINISHED)]
        lately = [await self._whole(id_) for (id_,) in await self._journal.read(_LATELY)]
        ((last,),) = await self._journal.read("SELECT coalesce(max(id), 0) FROM incident")
        pending = await self._journal.read("SELECT asset, what, since FROM pending")
        waits = [(asset, what, moment(since)) for asset, what, since in pending]
        book = Book(
            {incident.id: incident for incident in opened},
            last + 1,
            {asset: at for asset, what, at in waits if what == "waiting"},
            {asset: at for asset, what, at in waits if what == "recovered"},
            closed={incident.id: incident for incident in lately},
        )
        ever = await self._journal.read("SELECT DISTINCT check_id FROM signal WHERE new = 'up'")
        learned = [Learned(*row) for row in await self._journal.read("SELECT * FROM baseline")]
        return Boot(states, book, frozenset(check for (check,) in ever), tuple(closed), tuple(learned))

    async def start(self, now: datetime) -> None:
        """Note that a run begins."""
        async with self._journal.transaction() as tx:
            rows = await tx.execute(
                "INSERT INTO watch (started, beat) VALUES (?, ?) RETURNING id", (micros(now), micros(now))
            )
            self._watch = rows[0][0]

    async def beat(self, now: datetime) -> None:
        """Write a sign of life; raises JournalError, sqlite3.Error while nothing can be written."""
        async with self._journal.transaction() as tx:
            await tx.execute("UPDATE watch SET beat = ? WHERE id = ?", (micros(now), self._watch))

    async def stop(self, now: datetime) -> None:
        """Note that the run ends; on a disk that takes nothing it ends all the same."""
        ended = "UPDATE watch SET beat = ?, ended = ? WHERE id = ?"
        try:
            async with self._journal.transaction() as tx:
                await tx.execute(ended, (micros(now), micros(now), self._watch))
        except (JournalError, sqlite3.Error) as error:
            if not can_pass(error):
                raise
            log.warning("that it ends is not in the journal: %s", error)

    async def write(self, tx: Transaction, now: datetime, step: Step) -> None:
        """Write one turn of the line; the caller's transaction makes it durable."""
        await tx.executemany(_UPSERT_STATE, [state_row(*entry) for entry in step.states])
        await tx.executemany(
            "INSERT INTO signal (check_id, part, asset, old, new, at, began, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (s.check, s.part, s.asset, s.old.value, s.new.value, micros(s.at), micros(s.began), s.reason)
                for s in step.signals
            ],
        )
        await tx.executemany("INSERT OR REPLACE INTO baseline VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", step.learned)
        for change in step.changes:
            await self._revise(tx, change)
        await _write_pending(tx, step.book)
        await tx.execute("UPDATE watch SET beat = ? WHERE id = ?", (micros(now), self._watch))

    async def _revise(self, tx: Transaction, change: Change) -> None:
        incident = change.incident
        number = int(incident.id)
        await tx.execute(
            "INSERT INTO incident VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "asset = excluded.asset, kind = excluded.kind, began = excluded.began, "
            "severity = excluded.severity, closed = excluded.closed, revision = excluded.revision",
            (
                number,
                incident.asset,
                incident.kind,
                incident.severity.rank,
                micros(incident.began),
                micros(incident.opened),
                micros(incident.closed) if incident.closed else None,
                incident.revision,
            ),
        )
        await tx.executemany(
            "INSERT OR IGNORE INTO incident_territory VALUES (?, ?)", [(number, t) for t in incident.territories]
        )
        await tx.execute(
            "INSERT INTO incident_revision VALUES (?, ?, ?, ?, ?)",
            (number, incident.revision, micros(incident.changed), change.what, document(incident)),
        )
        ((first,),) = await tx.execute("SELECT count(*) FROM incident_entry WHERE incident = ?", (number,))
        await tx.executemany(
            "INSERT INTO incident_entry VALUES (?, ?, ?, ?, ?)",
            [(number, n, micros(e.at), e.what, e.text) for n, e in enumerate(incident.timeline) if n >= first],
        )

    async def incidents(self, wanted: IncidentFilter) -> list[Incident]:
        """Return the incidents that match, newest first."""
        query, arguments = _select(wanted)
        return [await self._whole(id_) for (id_,) in await self._journal.read(query, arguments)]

    async def incident(self, incident: str) -> Incident | None:
        """Return one incident with its timeline and what people answered, or None."""
        if not incident.isascii() or not incident.isdigit() or len(incident) > 15:
            return None
        rows = await self._journal.read("SELECT id FROM incident WHERE id = ?", (int(incident),))
        if not rows:
            return None
        one = await self._whole(rows[0][0])
        said = [Entry(at, "answer", text) for at, text in await answered(self._journal, incident)]
        return replace(one, timeline=tuple(sorted((*one.timeline, *said), key=lambda entry: entry.at)))

    async def told(self, incident: str) -> list[ToldRow]:
        """Return who was told of an incident, or is to be."""
        return [
            ToldRow(row.agency, row.contact, row.channel, row.reason, row.state, row.at)
            for row in await told(self._journal, incident)
        ]

    async def windows(self, until: datetime) -> list[Kept]:
        """Return every window of maintenance that had begun once before a moment."""
        return await self._windows.kept(until)

    async def coverage(self, since: datetime, until: datetime, asset: str | None = None) -> Coverage:
        """Say for how much of a period we were looking: at the world, or at one asset."""
        runs = await self._journal.read(
            "SELECT id, started, coalesce(ended, beat) FROM watch WHERE started < ?", (micros(until),)
        )
        lives = [(moment(a), until if run == self._watch else moment(b)) for run, a, b in runs]
        gaps = idle(lives, since, until)
        whom, sees = (asset, _SPEAKS) if asset and asset != self._vantage else (self._vantage, _SEES)
        rows = await self._journal.read(
            "SELECT check_id || char(31) || part, at, new FROM signal WHERE asset = ? AND at < ? ORDER BY at, id",
            (whom, micros(until)),
        )
        signals = [(check, moment(at), new in sees) for check, at, new in rows]
        reason = "this vantage could not see it" if asset else "this vantage could not see the world"
        return coverage([*gaps, *blind(signals, 1, since, until, reason)], since, until)

    async def _whole(self, number: int) -> Incident:
        """Return an incident as its last revision says, with its timeline and what was told."""
        ((text,),) = await self._journal.read(
            "SELECT document FROM incident_revision WHERE incident = ? ORDER BY revision DESC LIMIT 1", (number,)
        )
        rows = await self._journal.read(
            "SELECT at, what, text FROM incident_entry WHERE incident = ? ORDER BY number", (number,)
        )
        return replace(read_incident(text), timeline=tuple(Entry(moment(at), what, said) for at, what, said in rows))


_OPEN = "SELECT id FROM incident WHERE closed IS NULL ORDER BY id"
_LATELY = "SELECT id FROM incident WHERE closed IS NOT NULL ORDER BY closed DESC LIMIT 100"
_UNFINISHED = (
    "SELECT id FROM incident WHERE closed IS NOT NULL AND CAST(id AS TEXT) IN "
    "(SELECT incident FROM notification WHERE ended_at IS NULL) ORDER BY id"
)


def _select(wanted: IncidentFilter) -> tuple[str, tuple[Any, ...]]:
    """Return the query of a filter and its arguments."""
    conditions: Mapping[str, object] = {
        "id IN (SELECT incident FROM incident_territory WHERE territory = ?)": wanted.territory,
        "asset = ?": wanted.asset,
        "severity >= ?": wanted.severity.rank if wanted.severity else None,
        "coalesce(closed, 9223372036854775807) >= ?": micros(wanted.since) if wanted.since else None,
        "began < ?": micros(wanted.until) if wanted.until else None,
    }
    used = {text: value for text, value in conditions.items() if value is not None}
    where = f"WHERE {' AND '.join(used)} " if used else ""
    query = f"SELECT id FROM incident {where}ORDER BY id DESC LIMIT ? OFFSET ?"  # noqa: S608 - constants from above
    return query, (*used.values(), wanted.limit, wanted.offset)


async def _write_pending(tx: Transaction, book: Book) -> None:
    """Write what waits and what has recovered, where that changed."""
    wanted = {(asset, "waiting", micros(at)) for asset, at in book.waiting.items()}
    wanted |= {(asset, "recovered", micros(at)) for asset, at in book.recovered.items()}
    known = set(await tx.execute("SELECT asset, what, since FROM pending"))
    await tx.executemany("DELETE FROM pending WHERE asset = ? AND what = ? AND since = ?", sorted(known - wanted))
    await tx.executemany("INSERT INTO pending VALUES (?, ?, ?)", sorted(wanted - known))
