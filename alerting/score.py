"""How an exercise went: who was told, has received, answered, done what, and after how long. From the rows alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.journal import Journal, moment


@dataclass(frozen=True, slots=True)
class Marks:
    """One contact; times are seconds since the exercise began, None: it has not happened."""

    contact: str
    agency: str
    told: float | None
    """A provider took the first message."""
    received: float | None
    """The first receipt; an answer is one too."""
    acknowledged: float | None
    """Also by asking to wait, or by a step that is done."""
    done: tuple[int, ...]
    """Steps of the runbook."""
    finished: float | None
    """When the last of them was done."""
    via: str
    """By what the first acknowledgement came."""
    note: str
    """Why somebody was not told."""


@dataclass(frozen=True, slots=True)
class Score:
    """One exercise."""

    id: str
    scenario: str
    began: datetime
    due: datetime
    ended: datetime | None
    ending: str
    """over, ended, broken off, or "" while it is under way"""
    why: str
    author: str
    runbook: str
    steps: int
    """How many the runbook has."""
    contacts: tuple[Marks, ...]


_DRILL = """
SELECT id, scenario, began_at, due_at, ended_at, ending, why, author, runbook, steps FROM drill"""
_MARKS = """
SELECT c.contact, c.agency,
    (SELECT min(a.ended_at) FROM attempt a JOIN notification n ON n.id = a.notification
        WHERE n.incident = c.drill AND n.contact = c.contact AND a.status = 'accepted' AND NOT a.closed),
    (SELECT min(r.at) FROM receipt r JOIN attempt a ON a.id = r.attempt JOIN notification n ON n.id = a.notification
        WHERE n.incident = c.drill AND n.contact = c.contact AND r.fate = 'delivered' AND NOT a.closed),
    (SELECT min(at) FROM response p WHERE p.incident = c.drill AND p.contact = c.contact AND p.answer <> 'acked over'),
    (SELECT min(at) FROM response p WHERE p.incident = c.drill AND p.contact = c.contact
        AND p.what IN ('ack', 'wait', 'done') AND p.answer <> 'acked over'),
    (SELECT via FROM response p WHERE p.incident = c.drill AND p.contact = c.contact
        AND p.what IN ('ack', 'wait', 'done') AND p.answer <> 'acked over' ORDER BY id LIMIT 1),
    (SELECT group_concat(step, ' ') FROM (SELECT step FROM progress g WHERE g.incident = c.drill
        AND g.contact = c.contact AND g.what = 'done' ORDER BY step)),
    (SELECT max(at) FROM progress g WHERE g.incident = c.drill AND g.contact = c.contact AND g.what = 'done'),
    (SELECT n.state || ': ' || n.why FROM notification n WHERE n.incident = c.drill AND n.contact = c.contact
        ORDER BY n.id DESC LIMIT 1)
FROM drill_contact c WHERE c.drill = ? ORDER BY c.agency, c.contact"""


async def ids(journal: Journal) -> list[str]:
    """Return the numbers of every exercise, oldest first."""
    return [id_ for (id_,) in await journal.read("SELECT id FROM drill ORDER BY number")]


async def score(journal: Journal, drill: str) -> Score | None:
    """Return how one went, or goes so far; None: there is none of this number."""
    rows = await journal.read(f"{_DRILL} WHERE id = ?", (drill,))
    if not rows:
        return None
    id_, scenario, began, due, ended, ending, why, author, runbook, steps = rows[0]
    marks = tuple(_marks(row, began) for row in await journal.read(_MARKS, (drill,)))
    times = (moment(began), moment(due), moment(ended) if ended else None)
    return Score(id_, scenario, *times, ending, why, author, runbook, steps, marks)


def _marks(row: Sequence[object], began: int) -> Marks:
    contact, agency, told, received, answered, acknowledged, via, done, finished, last = row
    arrived = [at for at in (received, answered) if isinstance(at, int)]
    note = "" if told is not None else str(last or "nobody's turn had come to them")
    return Marks(
        str(contact),
        str(agency),
        _after(told, began),
        _after(min(arrived, default=None), began),
        _after(acknowledged, began),
        tuple(int(step) for step in str(done or "").split()),
        _after(finished, began),
        str(via or ""),
        note,
    )


def _after(at: object, began: int) -> float | None:
    return max(0.0, round((at - began) / 1e6, 1)) if isinstance(at, int) else None


@dataclass(frozen=True, slots=True)
class Agency:
    """One agency: how many of its people, and how soon the first."""

    agency: str
    contacts: int
    told: int
    received: int
    acknowledged: int
    first_told: float | None
    first_received: float | None
    first_acknowledged: float | None
    done: tuple[int, ...]
    """Steps that any of them has done."""


def agencies(contacts: Iterable[Marks]) -> list[Agency]:
    """Add the contacts up."""
    found: dict[str, list[Marks]] = {}
    for one in contacts:
        found.setdefault(one.agency, []).append(one)
    return [_agency(name, people) for name, people in found.items()]


def _agency(name: str, people: Sequence[Marks]) -> Agency:
    told, received, acknowledged = (
        [at for at in each if at is not None]
        for each in zip(*((one.told, one.received, one.acknowledged) for one in people), strict=True)
    )
    return Agency(
        name,
        len(people),
        len(told),
        len(received),
        len(acknowledged),
        min(told, default=None),
        min(received, default=None),
        min(acknowledged, default=None),
        tuple(sorted({step for one in people for step in one.done})),
    )
