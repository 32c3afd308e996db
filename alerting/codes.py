"""The letters by which an answer is known to come from whom a message was sent: drawn, compared, counted, locked."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerting.journal import Transaction, micros
from alerting.replies import LETTERS

WRONG = 3
"""So many wrong codes lock an address for an incident."""
ASK = timedelta(hours=1)
"""Nobody is asked for a code more often."""
PROOF_LASTS = timedelta(hours=24)
"""Letters that confirm an address are good for so long."""
LINK_LASTS = timedelta(hours=48)
PAIRS = tuple(first + second for first in LETTERS for second in LETTERS)

Draw = Callable[[int], int]
"""Return a number below the argument that nobody can guess (`secrets.randbelow`)."""


class Checked(StrEnum):
    """What comparing a code gave."""

    RIGHT = "right"
    NONE = "no such code was sent"
    WRONG = "wrong"
    LOCKED = "now locked"
    """By this one."""
    SHUT = "locked before"


def letters(count: int, draw: Draw) -> str:
    """Draw letters."""
    return "".join(LETTERS[draw(len(LETTERS))] for _ in range(count))


async def code(tx: Transaction, incident: str, contact: str, draw: Draw, now: datetime) -> str:
    """Return the letters of this contact for this incident.

    No two contacts, and no two incidents of one contact, share theirs while there are others: the first 400 have their
    own. Nobody's letters are good for another, for they are compared with those of whoever sends them.
    """
    mine = "SELECT letters FROM code WHERE incident = ? AND contact = ?"
    if found := await tx.execute(mine, (incident, contact)):
        return str(found[0][0])
    taken = {
        str(one)
        for (one,) in await tx.execute(
            "SELECT letters FROM code WHERE incident = ?1 UNION "
            "SELECT letters FROM code WHERE contact = ?2 AND drawn_at > ?3",
            (incident, contact, micros(now - timedelta(days=30))),
        )
    }
    free = [pair for pair in PAIRS if pair not in taken] or PAIRS
    drawn = free[draw(len(free))]
    await tx.execute("INSERT INTO code VALUES (?, ?, ?, ?)", (incident, contact, drawn, micros(now)))
    return drawn


async def is_right(tx: Transaction, incident: str, contact: str, said: str) -> bool:
    """Whether this contact was sent these letters; nothing is counted."""
    found = await tx.execute("SELECT letters FROM code WHERE incident = ? AND contact = ?", (incident, contact))
    return bool(found) and found[0][0] == said


async def check(tx: Transaction, where: tuple[str, str, str], said: str, now: datetime) -> Checked:
    """Compare a code and count what is wrong; ``where``: incident, contact, and the channel by which it came."""
    incident, contact, _ = where
    found = await tx.execute("SELECT letters FROM code WHERE incident = ? AND contact = ?", (incident, contact))
    if not found:
        return Checked.NONE
    counted = await tx.execute("SELECT locked_at FROM guess WHERE incident = ? AND contact = ? AND channel = ?", where)
    if counted and counted[0][0] is not None:
        return Checked.SHUT
    if said == found[0][0]:
        return Checked.RIGHT
    [(wrong,)] = await tx.execute(
        "INSERT INTO guess VALUES (?1, ?2, ?3, 1, NULL) ON CONFLICT DO UPDATE SET wrong = wrong + 1, "
        "locked_at = CASE WHEN wrong + 1 >= ?4 THEN ?5 END RETURNING wrong",
        (*where, WRONG, micros(now)),
    )
    return Checked.LOCKED if wrong >= WRONG else Checked.WRONG


async def may_ask(tx: Transaction, contact: str, channel: str, now: datetime) -> bool:
    """Whether to ask a contact for a code now; noted if so."""
    return bool(
        await tx.execute(
            "INSERT INTO asked VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET at = excluded.at "
            "WHERE asked.at <= ?4 OR asked.at > ?3 RETURNING at",
            (contact, channel, micros(now), micros(now - ASK)),
        )
    )


async def begin_proof(tx: Transaction, where: tuple[str, str, str], draw: Draw, now: datetime) -> str:
    """Draw the letters that confirm an address; ``where``: contact, channel, address."""
    drawn = letters(4, draw)
    await tx.execute(
        "INSERT INTO proof (contact, channel, address, letters, sent_at) VALUES (?1, ?2, ?3, ?4, ?5) "
        "ON CONFLICT DO UPDATE SET letters = ?4, sent_at = ?5, wrong = 0, "
        "confirmed_at = CASE WHEN address = ?3 THEN confirmed_at END, address = ?3",
        (*where, drawn, micros(now)),
    )
    return drawn


async def prove(tx: Transaction, contact: str, said: list[str], now: datetime) -> bool:
    """Take the letters that confirm an address; three wrong ones end the attempt."""
    rows = await tx.execute(
        "SELECT channel, letters FROM proof WHERE contact = ? AND letters <> '' AND wrong < ? AND sent_at > ?",
        (contact, WRONG, micros(now - PROOF_LASTS)),
    )
    for channel, drawn in rows:
        right = drawn in said
        await tx.execute(
            "UPDATE proof SET letters = CASE WHEN ?1 THEN '' ELSE letters END, wrong = wrong + (NOT ?1), "
            "confirmed_at = CASE WHEN ?1 THEN ?2 ELSE confirmed_at END WHERE contact = ?3 AND channel = ?4",
            (int(right), micros(now), contact, channel),
        )
        if right:
            return True
    return False


async def confirm(tx: Transaction, contact: str, channel: str, address: str, now: datetime) -> None:
    """Note that an address is its contact's: a right code came from it."""
    await tx.execute(
        "INSERT INTO proof (contact, channel, address, confirmed_at) VALUES (?1, ?2, ?3, ?4) "
        "ON CONFLICT DO UPDATE SET address = ?3, confirmed_at = ?4",
        (contact, channel, address, micros(now)),
    )


def digest(token: str) -> str:
    """Return what is kept of a link's token."""
    return hashlib.sha256(token.encode()).hexdigest()


async def link(tx: Transaction, attempt: int, draw: Draw, now: datetime) -> str:
    """Draw the token of the link in a mail: 128 bits, of which the journal keeps the hash."""
    token = f"{draw(1 << 128):032x}"
    await tx.execute(
        "INSERT INTO link (digest, attempt, expires_at) VALUES (?, ?, ?)",
        (digest(token), attempt, micros(now + LINK_LASTS)),
    )
    return token


@dataclass(frozen=True, slots=True)
class Link:
    """What a link stands for."""

    incident: str
    contact: str
    used: bool
    late: bool
    """It has expired."""


async def follow(tx: Transaction, token: str, now: datetime) -> Link | None:
    """Return what a token stands for, or None; nothing is changed."""
    rows = await tx.execute(
        "SELECT n.incident, n.contact, l.used_at IS NOT NULL, l.expires_at <= ? FROM link l "
        "JOIN attempt a ON a.id = l.attempt JOIN notification n ON n.id = a.notification WHERE l.digest = ?",
        (micros(now), digest(token)),
    )
    return Link(rows[0][0], rows[0][1], bool(rows[0][2]), bool(rows[0][3])) if rows else None


async def use(tx: Transaction, token: str, now: datetime) -> None:
    """Note that a link has been used: it is good once."""
    await tx.execute("UPDATE link SET used_at = ? WHERE digest = ? AND used_at IS NULL", (micros(now), digest(token)))
