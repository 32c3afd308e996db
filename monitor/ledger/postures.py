"""Every posture that was ever set, by whom, and how it ended. Append-only."""

from datetime import datetime
from typing import Any

from alerting.journal import Journal, Transaction, micros, moment
from monitor.posture import Level, Posture

_ALL = (
    "SELECT number, territory, level, since, until, reason, author, ended, coalesce(ending, '') "
    "FROM posture LEFT JOIN posture_end USING (number) "
)


class Postures:
    """The journal's side."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def known(self, ended_after: datetime | None = None) -> list[Posture]:
        """Return all, by number; or those that are on or ended after a moment."""
        where = "" if ended_after is None else "WHERE ended IS NULL OR ended > ? "
        arguments = () if ended_after is None else (micros(ended_after),)
        rows = await self._journal.read(f"{_ALL}{where}ORDER BY number", arguments)
        return [_posture(row) for row in rows]


async def add(tx: Transaction, one: Posture, by: str) -> int:
    """Write one; return its number."""
    facts = (one.territory, one.level.value, micros(one.since), micros(one.until), one.reason, one.author, by)
    ((number,),) = await tx.execute(
        "INSERT INTO posture (territory, level, since, until, reason, author, added_by) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "RETURNING number",
        facts,
    )
    return int(number)


async def end(tx: Transaction, one: Posture, by: str) -> None:
    """Write the end of one."""
    ended = micros(one.ended) if one.ended else None
    await tx.execute("INSERT OR IGNORE INTO posture_end VALUES (?, ?, ?, ?)", (one.number, ended, one.ending, by))


def _posture(row: tuple[Any, ...]) -> Posture:
    number, territory, level, since, until, reason, author, ended, ending = row
    return Posture(
        number,
        territory,
        Level(level),
        moment(since),
        moment(until),
        reason,
        author,
        moment(ended) if ended is not None else None,
        ending,
    )
