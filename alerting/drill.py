"""Exercises over the real path: begun, ended, broken off by what is real. Timers are rows.

An exercise is an alert that nobody but its list may hear of (`Alert.exercise`): routes, ladders and rotations go as
ever, within that list. The gate refuses whoever is not on it by the alert, the claim by the journal's own list.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from alerting.directory import Directory
from alerting.journal import Journal, Transaction, micros, moment
from alerting.model import Alert, Contact, Severity
from alerting.plan import plan
from alerting.rows import know, supersede
from alerting.runbook import Runbook
from alerting.waiting import DRILL

LETTER = "E"
"""Before the number of an exercise; no site has it."""
OVER, BROKEN_OFF = "exercise over", "exercise broken off"
"""Keys of what those who were told are told at the end."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an exercise is to be."""

    scenario: str
    alert: Alert
    """What its messages say; number, times and list are filled in."""
    contacts: tuple[Contact, ...]
    lasts: timedelta
    author: str
    runbook: Runbook | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """An exercise that has not ended."""

    id: str
    after: int
    due: datetime


@dataclass(slots=True)
class Drills:
    """The truth about exercises, as `Pipeline.truth` is about incidents; the rows decide what is sent."""

    alerts: dict[str, Alert] = field(default_factory=dict)

    @classmethod
    async def open(cls, journal: Journal) -> "Drills":
        """Take up what earlier runs left."""
        people: dict[str, list[str]] = {}
        for drill, contact in await journal.read("SELECT drill, contact FROM drill_contact ORDER BY drill, contact"):
            people.setdefault(drill, []).append(contact)
        rows = await journal.read("SELECT id, facts, began_at, ended_at, ending FROM drill")
        return cls({row[0]: _alert(row, people.get(row[0], [])) for row in rows})

    def truth(self, incident: str) -> Alert | None:
        """Say what an exercise pretends now, or None if there is none of this number."""
        return self.alerts.get(incident)

    @property
    def under_way(self) -> Alert | None:
        """The one that has not ended."""
        return next((alert for alert in self.alerts.values() if alert.closed is None), None)

    async def begin(self, journal: Journal, wish: Wish, directory: Directory, now: datetime) -> Alert:
        """Begin an exercise; ValueError while another is under way, or what is real calls somebody on its list."""
        id_ = ""
        try:
            async with journal.transaction() as tx:
                await _free(tx, [one.name for one in wish.contacts])
                id_ = await self._write(tx, wish, now)
                await plan(tx, self.alerts[id_], directory, now)
        except BaseException:
            self.alerts.pop(id_, None)  # what was not committed was not begun
            raise
        return self.alerts[id_]

    async def _write(self, tx: Transaction, wish: Wish, now: datetime) -> str:
        """Write the exercise and its list; return its number."""
        [(number, after)] = await tx.execute(
            "SELECT coalesce(max(number), 0) + 1, (SELECT coalesce(max(id), 0) FROM notification) FROM drill"
        )
        id_ = f"{LETTER}{number}"
        book = (wish.runbook.pinned, len(wish.runbook.steps)) if wish.runbook else ("", 0)
        times = (micros(now), micros(now + wish.lasts))
        await tx.execute(
            "INSERT INTO drill (id, number, scenario, facts, runbook, steps, author, after, began_at, due_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (id_, number, wish.scenario, _facts(wish.alert), *book, wish.author, after, *times),
        )
        for contact in wish.contacts:
            await know(tx, contact)
            await tx.execute("INSERT INTO drill_contact VALUES (?, ?, ?)", (id_, contact.name, contact.agency))
        people = tuple(sorted(contact.name for contact in wish.contacts))
        self.alerts[id_] = replace(
            wish.alert, incident=id_, opened=now, changed=now, closed=None, revision=1, exercise=people
        )
        return id_

    async def look(self, tx: Transaction, directory: Directory, now: datetime) -> None:
        """End what has had its time; break off what something real has overtaken."""
        for one in await running(tx):
            if real := await overtaken(tx, one):
                await self.end(tx, one.id, ("broken off", f"a real incident: {real}"), directory, now)
            elif one.due <= now:
                await self.end(tx, one.id, ("over", "its time was over"), directory, now)

    async def end(
        self, tx: Transaction, incident: str, how: tuple[str, str], directory: Directory, now: datetime
    ) -> None:
        """End one; what has not left stays, and whoever was told is told the end, once. ``how``: ending, and why."""
        await tx.execute(
            "UPDATE drill SET ended_at = ?, ending = ?, why = ? WHERE id = ? AND ended_at IS NULL",
            (micros(now), *how, incident),
        )
        rows = await tx.execute("SELECT id FROM notification WHERE incident = ? AND state = 'planned'", (incident,))
        await supersede(tx, [row for (row,) in rows], "the exercise is over", now)
        await tx.execute(
            "UPDATE turn SET ended_at = ?, why = 'the exercise is over' WHERE ended_at IS NULL AND notification IN "
            "(SELECT id FROM notification WHERE incident = ?)",
            (micros(now), incident),
        )
        alert = _closed(self.alerts[incident], how[0], now)
        self.alerts[incident] = alert
        await plan(tx, alert, directory, now)


async def running(tx: Transaction) -> list[Running]:
    """Return what has not ended."""
    rows = await tx.execute("SELECT id, after, due_at FROM drill WHERE ended_at IS NULL")
    return [Running(id_, after, moment(due)) for id_, after, due in rows]


_REAL = "n.reason IN ('first', 'worse', 'escalate', 'handover')"
"""Rows that call somebody; a reminder or an end calls nobody away from an exercise."""


async def overtaken(tx: Transaction, one: Running) -> str:
    """Return the real incident that breaks an exercise off, or "": it calls somebody on the list, or is grave.

    What a rule of the operator keeps back calls nobody.
    """
    rows = await tx.execute(
        f"SELECT n.incident FROM notification n WHERE n.id > ? AND {_REAL} AND n.held = '' AND n.state <> 'refused' "  # noqa: S608 - constants
        f"AND NOT {DRILL} AND (n.severity IN ('major', 'critical') OR EXISTS "
        "(SELECT 1 FROM drill_contact c WHERE c.drill = ? AND c.contact = n.contact)) ORDER BY n.id LIMIT 1",
        (one.after, one.id),
    )
    return str(rows[0][0]) if rows else ""


async def _free(tx: Transaction, contacts: Sequence[str]) -> None:
    """Raise ValueError unless an exercise of these may begin now."""
    if await running(tx):
        raise ValueError("another exercise is under way: lambi drill status shows it")
    rows = await tx.execute(
        f"SELECT n.incident FROM notification n WHERE n.ended_at IS NULL AND {_REAL} AND n.held = '' "  # noqa: S608 - constants
        f"AND NOT {DRILL} AND n.contact IN (SELECT value FROM json_each(?)) ORDER BY n.id LIMIT 1",
        (json.dumps(list(contacts)),),
    )
    if rows:
        raise ValueError(f"somebody on the list is being called about incident {rows[0][0]}, which is real")


_KEPT: dict[str, Callable[[Any], Any]] = {
    "kind": str,
    "asset": str,
    "what": str,
    "territory": str,
    "where": str,
    "reason": str,
    "severity": Severity,
    "effects": tuple,
    "labels": dict,
}
"""Fields of an alert that stand in `drill.facts` -> how each is read back."""


def _facts(alert: Alert) -> str:
    return json.dumps({name: getattr(alert, name) for name in _KEPT}, default=dict)


def _alert(row: tuple[Any, ...], people: Sequence[str]) -> Alert:
    id_, facts, began, ended, ending = row
    known = json.loads(facts)
    opened = moment(began)
    alert = Alert(
        **{name: read(known[name]) for name, read in _KEPT.items()},
        incident=id_,
        opened=opened,
        closed=None,
        changed=opened,
        revision=1,
        exercise=tuple(people),
    )
    return alert if ended is None else _closed(alert, ending, moment(ended))


def _closed(alert: Alert, ending: str, now: datetime) -> Alert:
    said = BROKEN_OFF if ending == "broken off" else OVER
    return replace(alert, closed=now, changed=now, revision=2, closing=said)
