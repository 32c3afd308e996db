"""Silences that people make while Lambi runs: rows with author, reason and end; never revived, never deleted."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.directory import Silence
from alerting.journal import Journal, Row, Transaction, micros, moment
from alerting.match import Matcher
from alerting.plan import release

LONGEST = timedelta(days=31)
_LIVE = "SELECT id, matchers, starts_at, coalesce(ended_at, ends_at), author, reason FROM silence"


@dataclass(frozen=True, slots=True)
class Wish:
    """A silence that somebody asks for."""

    match: tuple[Matcher, ...]
    since: datetime
    until: datetime
    author: str
    reason: str


def checked(wish: Wish, now: datetime) -> Wish:
    """Return a silence that can be kept; raises ValueError "field: sentence"."""
    if not wish.match or all(one.matches({}) for one in wish.match):
        raise ValueError("match: it would silence everything; name a label with a value, like kind=website")
    if not wish.author.strip():
        raise ValueError("author: say who silences it")
    if not wish.reason.strip():
        raise ValueError("reason: say why")
    if wish.until <= max(wish.since, now):
        raise ValueError("until: it would be over already")
    if wish.until - wish.since > LONGEST:
        raise ValueError("until: longer than 31 days; what is never to be told needs a route, not a silence")
    return wish


async def add(tx: Transaction, wish: Wish, now: datetime) -> str:
    """Keep a silence; return its id. Raises ValueError."""
    sound = checked(wish, now)
    matchers = json.dumps([[one.label, one.how, one.value] for one in sound.match])
    [(row,)] = await tx.execute(
        "INSERT INTO silence (matchers, starts_at, ends_at, author, reason, added_at) VALUES (?, ?, ?, ?, ?, ?) "
        "RETURNING id",
        (matchers, micros(sound.since), micros(sound.until), sound.author, sound.reason, micros(now)),
    )
    return f"s{row}"


async def end(tx: Transaction, name: str, by: str, now: datetime) -> bool:
    """Take a silence back; what it kept waiting leaves now. Return False if none of that id is left."""
    ended = await tx.execute(
        "UPDATE silence SET ended_at = ?1, ended_by = ?2 WHERE 's' || id = ?3 AND ended_at IS NULL AND ends_at > ?1 "
        "RETURNING id",
        (micros(now), by, name),
    )
    if ended:
        await release(tx, now)
    return bool(ended)


async def live(tx: Transaction, now: datetime) -> list[Silence]:
    """Return the silences that have not ended."""
    rows = await tx.execute(f"{_LIVE} WHERE ended_at IS NULL AND ends_at > ? ORDER BY id", (micros(now),))
    return list(_silences(rows))


async def is_known(tx: Transaction, name: str) -> bool:
    """Whether there was ever a silence of that id."""
    return bool(await tx.execute("SELECT 1 FROM silence WHERE 's' || id = ?", (name,)))


async def known(journal: Journal) -> list[Silence]:
    """Return every silence that was ever made."""
    return list(_silences(await journal.read(f"{_LIVE} ORDER BY id")))


def _silences(rows: Iterable[Row]) -> Iterable[Silence]:
    for id_, matchers, since, until, author, reason in rows:
        match = tuple(Matcher(*one) for one in json.loads(matchers))
        yield Silence(f"s{id_}", match, moment(since), moment(until), author, reason)
