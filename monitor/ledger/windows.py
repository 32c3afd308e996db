"""Every window of maintenance that was ever announced: by whom, when, and who ended it. Append-only."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from alerting.journal import Journal, Transaction, micros, moment
from monitor.model import Window
from monitor.planned import Kept

_ALL = (
    "SELECT number, name, origin, uid, asset, since, until, reason, author, below, rule, zone, skipped, added, "
    "added_by, ended, coalesce(ended_by, '') FROM maintenance LEFT JOIN maintenance_end USING (number) WHERE "
)
CONFIG = "the config"
"""Who adds and ends what stands in the files."""


class Windows:
    """The journal's side of maintenance."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def live(self) -> list[Kept]:
        """Return what nobody has ended, also what is over by itself, by number."""
        return [_kept(row) for row in await self._journal.read(f"{_ALL} ended IS NULL ORDER BY number")]

    async def kept(self, until: datetime) -> list[Kept]:
        """Return all whose first begin lies before a moment, ended or not."""
        rows = await self._journal.read(f"{_ALL} since < ? ORDER BY number", (micros(until),))
        return [_kept(row) for row in rows]

    async def change(self, adds: Sequence[Kept], ends: Collection[str], by: str, now: datetime) -> list[str]:
        """Add windows and end others, by id, in one transaction; return the ids of the added."""
        async with self._journal.transaction() as tx:
            await tx.executemany(
                "INSERT INTO maintenance_end SELECT number, ?, ? FROM maintenance "
                "WHERE CASE origin WHEN 'config' THEN name ELSE 'm' || number END = ? "
                "AND number NOT IN (SELECT number FROM maintenance_end)",
                [(micros(now), by, name) for name in ends],
            )
            return [await _insert(tx, one) for one in adds]

    async def follow(self, planned: Sequence[Window], now: datetime) -> None:
        """Note what the files plan since now, and that what they no longer plan has ended."""
        known = {one.window.id: one.window for one in await self.live() if one.origin == "config"}
        fresh = {window.id: window for window in planned}
        adds = [Kept(window, now, added_by=CONFIG) for name, window in fresh.items() if known.get(name) != window]
        ends = [name for name, window in known.items() if fresh.get(name) != window]
        if adds or ends:
            await self.change(adds, ends, CONFIG, now)


async def _insert(tx: Transaction, one: Kept) -> str:
    window = one.window
    ((number,),) = await tx.execute(
        "INSERT INTO maintenance (name, origin, uid, asset, since, until, reason, author, below, rule, zone, skipped, "
        "added, added_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number",
        (
            window.id,
            one.origin,
            one.uid,
            window.asset,
            micros(window.since),
            micros(window.until),
            window.reason,
            window.author,
            int(window.below),
            window.rule,
            window.zone,
            json.dumps([micros(each) for each in window.skipped]),
            micros(one.added),
            one.added_by,
        ),
    )
    return window.id if one.origin == "config" else f"m{number}"


def _kept(row: Sequence[Any]) -> Kept:
    number, name, origin, uid, asset, since, until, reason, author, below, rule, zone, skipped, *rest = row
    added, added_by, ended, ended_by = rest
    window = Window(
        name if origin == "config" else f"m{number}",
        asset,
        moment(since),
        moment(until),
        reason,
        author,
        bool(below),
        rule,
        zone,
        tuple(moment(each) for each in json.loads(skipped)),
    )
    return Kept(window, moment(added), moment(ended) if ended is not None else None, origin, uid, added_by, ended_by)
