"""Who is next if nobody answers; what people answered, and how that moves the ladders. Timers are rows.

A ladder belongs to one agency, and only an acknowledgement of that agency stops it; the others see that it was given.
Nobody is asked to answer what no message could tell: while nobody can be told, a ladder stands still.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from alerting.directory import Directory, Step
from alerting.gate import muted
from alerting.journal import Transaction, micros, moment
from alerting.model import Act, Alert, Answered, Contact, Reason, Response
from alerting.rows import Planned, Source, Standing, first_ways, insert, know, standings, supersede, ways

WAIT_MINUTES = (5, 240)
"""How long an answer may ask a ladder to wait."""
HOLDS = 7200.0
"""Seconds for which an acknowledgement holds back reminders where no ladder says it."""
DONE, ENDED = "resolved by people", "the incident has ended"
NO_WAY = "waits: nobody has been told yet, and no message can leave just now"
LOOK = timedelta(seconds=60)
"""So often is looked whether a ladder that waits may go on."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """One ladder of one incident."""

    incident: str
    ladder: str
    agency: str
    route: str
    steps: tuple[Step, ...]
    loops: int
    holds: float
    step: int
    """The one to take next."""
    loop: int
    state: str
    """running, acknowledged, exhausted, over"""
    next_at: datetime | None
    why: str


_COLUMNS = "incident, ladder, agency, route, steps, step, loop, state, next_at, why"


def _escalation(row: tuple[object, ...]) -> Escalation:
    incident, ladder, agency, route, steps, step, loop, state, next_at, why = row
    frozen = json.loads(str(steps))
    taken = tuple(Step(tuple(one["tell"]), one["wait"]) for one in frozen["steps"])
    at = moment(next_at) if isinstance(next_at, int) else None
    head = (str(incident), str(ladder), str(agency), str(route), taken, frozen["loops"], frozen["holds"])
    return Escalation(*head, int(str(step)), int(str(loop)), str(state), at, str(why))


async def escalations(tx: Transaction, incident: str) -> list[Escalation]:
    """Return the ladders of an incident."""
    rows = await tx.execute(f"SELECT {_COLUMNS} FROM escalation WHERE incident = ? ORDER BY ladder", (incident,))  # noqa: S608 - constants
    return [_escalation(row) for row in rows]


async def start(
    tx: Transaction, alert: Alert, named: tuple[str, str], directory: Directory, now: datetime, *, unheard: bool = False
) -> list[Planned]:
    """Enter a ladder and take its first step, unless the incident stands on it; one that opens again begins anew.

    ``named``: the route, and the ladder that it names. ``unheard``: nobody has been told of an end, so there was none.
    """
    route, ladder = named[0], directory.ladders[named[1]]
    if unheard and await _go_on(tx, alert.incident, ladder.name, now):
        return []
    frozen = {"steps": [asdict(step) for step in ladder.steps], "loops": ladder.loops, "holds": ladder.holds}
    fresh = await tx.execute(
        "INSERT INTO escalation VALUES (?, ?, ?, ?, ?, 0, 0, 'running', ?, ?, ?, 'begins') "
        "ON CONFLICT (incident, ladder) DO UPDATE SET agency = excluded.agency, route = excluded.route, "
        "steps = excluded.steps, step = 0, loop = 0, state = 'running', next_at = excluded.next_at, "
        "changed_at = excluded.changed_at, why = 'opened again' WHERE state = 'over' AND why <> ? RETURNING incident",
        (alert.incident, ladder.name, ladder.agency, route, json.dumps(frozen), *(micros(now),) * 3, DONE),
    )
    if not fresh:
        return []
    [one] = [each for each in await escalations(tx, alert.incident) if each.ladder == ladder.name]
    return await _climb(tx, one, alert, directory, now)


async def _go_on(tx: Transaction, incident: str, ladder: str, now: datetime) -> bool:
    """Let a ladder that is over stand where it stood; an acknowledgement of then holds. False: it had not begun, or
    people ended it."""
    found = (one for one in await escalations(tx, incident) if (one.ladder, one.state) == (ladder, "over"))
    one = next((one for one in found if one.why != DONE and (one.step or one.loop)), None)
    if one is None:
        return False
    rows = await tx.execute(
        "SELECT at, what, minutes FROM response WHERE incident = ? AND agency = ? "
        "AND answer IN ('acked', 'acked before', 'waiting', 'done') ORDER BY id DESC LIMIT 1",
        (incident, one.agency),
    )
    until = moment(rows[0][0]) + timedelta(seconds=_lasts(*rows[0][1:]) or one.holds) if rows else now
    if until > now:
        back = replace(one, loop=min(one.loop, one.loops - 1), state="acknowledged", next_at=until)
    else:
        back = replace(one, state="running", next_at=now + timedelta(seconds=one.steps[one.step - 1].wait))
    await _move(tx, back, "open again before anybody has heard of an end", now)
    return True


async def advance(
    tx: Transaction,
    truth: Callable[[str], Alert | None],
    directory: Directory,
    now: datetime,
    out: Collection[str] = (),
) -> list[Planned]:
    """Take the steps that are due. What is due of an incident that nobody can speak of just now waits.

    ``out``: channels by which nothing leaves at present.
    """
    rows = await tx.execute(
        f"SELECT {_COLUMNS} FROM escalation WHERE next_at <= ? ORDER BY next_at, incident, ladder",  # noqa: S608 - constants
        (micros(now),),
    )
    planned: list[Planned] = []
    for one in map(_escalation, rows):
        alert = truth(one.incident)
        if alert is None or alert.held:  # nothing is known just now, or all is well again and waits to be over
            await _move(tx, replace(one, next_at=now + LOOK), one.why, now)
        elif alert.closed is not None:
            await over(tx, one.incident, ENDED, now)
        elif one.state == "running" and await _in_vain(tx, one, directory.within(alert), out, now):
            await _move(tx, replace(one, next_at=now + LOOK), NO_WAY, now)
        elif one.why == NO_WAY:
            wait = timedelta(seconds=one.steps[one.step - 1].wait)
            await _move(tx, replace(one, next_at=now + wait), "there is a way again: its last step has its time", now)
        else:
            planned += await _climb(tx, one, alert, directory.within(alert), now)
    return planned


async def _in_vain(tx: Transaction, one: Escalation, directory: Directory, out: Collection[str], now: datetime) -> bool:
    """Whether nobody of the last step has been told, by a rule of the operator or for want of a way, and nobody of the
    next one could be told either."""
    last, following = (directory.people(one.steps[n].tell, now) for n in (one.step - 1, one.step))
    ways_of = json.dumps([each.name for each in last])
    [(told, held, waits)] = await tx.execute(
        "SELECT EXISTS (SELECT 1 FROM attempt a JOIN notification o ON o.id = a.notification WHERE o.incident = ?1 "
        "AND o.contact IN (SELECT value FROM json_each(?2)) AND a.status <> 'failed'), "
        "coalesce(max(held <> ''), 0), count(*) FROM notification WHERE incident = ?1 AND state = 'planned' "
        "AND contact IN (SELECT value FROM json_each(?2))",
        (one.incident, ways_of),
    )
    if told or not waits:
        return False
    return bool(held) or all(way in out for each in (*last, *following) for _, way in ways(each))


async def _climb(tx: Transaction, one: Escalation, alert: Alert, directory: Directory, now: datetime) -> list[Planned]:
    """Tell the people of the next step; a step that reaches nobody, such as a gap in a rotation, is passed at once."""
    why = "the acknowledgement has expired" if one.state == "acknowledged" else "nobody has acknowledged"
    if one.step == 0 and one.loop == 0 and one.state == "running":
        why = "begins"
    while one.loop < one.loops:
        step = one.steps[one.step]
        people = [contact for contact in directory.people(step.tell, now) if ways(contact)]
        planned = await _tell(tx, people, one, alert, directory, now=now) if people else []
        told = ", ".join(contact.name for contact in people) or "nobody: no one of it is on duty or has a channel"
        number, rounds = f"step {one.step + 1}", f", round {one.loop + 1}" if one.loops > 1 else ""
        following = (one.step + 1, one.loop) if one.step + 1 < len(one.steps) else (0, one.loop + 1)
        due = now + timedelta(seconds=step.wait if people else 0)
        one = replace(one, step=following[0], loop=following[1], state="running", next_at=due)
        await _move(tx, one, f"{why}: {number}{rounds} tells {told}", now)
        if people:
            return planned
    if one.loop >= one.loops:
        ended = replace(one, state="exhausted", next_at=None)
        await _move(tx, ended, "every step was taken and nobody has acknowledged", now)
    return []


async def _tell(
    tx: Transaction, people: list[Contact], one: Escalation, alert: Alert, directory: Directory, *, now: datetime
) -> list[Planned]:
    """Plan a row on each way to each of them, unless one waits there already that will call them as soon."""
    standing = await standings(tx, alert.incident)
    planned = []
    for contact in people:
        await know(tx, contact)
        for where in first_ways(contact):
            before = standing.get(where, Standing())
            if before.waiting is not None:
                if not _later(before, one.route, directory, now):
                    continue
                await supersede(tx, [before.waiting], f"ladder {one.ladder} calls now", now)
            reason = Reason.ESCALATE if before.told else Reason.FIRST
            source = Source(one.route, one.ladder)
            planned.append(await insert(tx, alert, where, reason, directory.lasts(alert, now), source))
    return planned


def _later(before: Standing, route: str, directory: Directory, now: datetime) -> bool:
    """Whether what waits only reminds, or waits for a muted hour to pass where the ladder's own route speaks."""
    return before.reminder or bool(muted(before.waits_by, directory, now) and not muted(route, directory, now))


async def _move(tx: Transaction, one: Escalation, why: str, now: datetime) -> None:
    await tx.execute(
        "UPDATE escalation SET step = ?, loop = ?, state = ?, next_at = ?, changed_at = ?, why = ? "
        "WHERE incident = ? AND ladder = ?",
        (
            *(one.step, one.loop, one.state, micros(one.next_at) if one.next_at else None, micros(now), why),
            *(one.incident, one.ladder),
        ),
    )


async def over(tx: Transaction, incident: str, why: str, now: datetime) -> None:
    """End the ladders of an incident; one that people ended may begin anew once the incident has ended too."""
    for one in await escalations(tx, incident):
        if one.state != "over" or (one.why == DONE and why == ENDED):
            await _move(tx, replace(one, state="over", next_at=None), why, now)


async def rename(tx: Transaction, directory: Directory) -> None:
    """Let agencies be called what the files call them now: by their names an acknowledgement finds its ladder."""
    people = [(one.agency, one.name, one.agency) for one in directory.contacts.values()]
    await tx.executemany("UPDATE contact SET agency = ? WHERE name = ? AND agency <> ?", people)
    known = [(one.agency, one.name, one.agency) for one in directory.ladders.values()]
    await tx.executemany("UPDATE escalation SET agency = ? WHERE ladder = ? AND agency <> ? AND state <> 'over'", known)


async def respond(tx: Transaction, response: Response, now: datetime, *, ended: bool | None = None) -> str:
    """Record an authenticated answer, append-only, and move the ladder of its agency; return the key of what to say.

    ``ended``: whether the incident has, or None where nobody knows: then it has as far as anybody was to be told.
    Keys: "acked" | "acked before" | "acked over" (the incident has ended) | "done" | "done before" | "waiting" |
    "proposed" | "agreed" | "next" | "repeat" | "help" (these three change nothing) | "unknown" (no such incident).
    """
    key = await _answer(tx, response, now, ended)
    await tx.execute(
        "INSERT INTO response (incident, contact, agency, what, step, minutes, at, via, answer) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(response.incident, response.contact, response.agency, response.what, response.step, response.minutes),
            *(micros(response.at), response.via, key),
        ),
    )
    return key


async def _answer(tx: Transaction, response: Response, now: datetime, ended: bool | None) -> str:
    """Decide and move; return the key."""
    mine = await escalations(tx, response.incident)
    if not await tx.execute("SELECT 1 FROM notification WHERE incident = ? LIMIT 1", (response.incident,)):
        return "unknown"
    if response.what in {Act.NEXT, Act.REPEAT, Act.HELP}:
        return response.what.value
    if await _ended(tx, response.incident, mine) if ended is None else ended:
        return "acked over"
    if response.what is Act.RESOLVE:
        return await _resolve(tx, response, now)
    if response.what is Act.DONE and await _said(tx, response):
        return "done before"
    before = response.what is Act.ACK and await _said(tx, response)
    await _acknowledge(tx, response, mine, now)
    return {Act.ACK: "acked before" if before else "acked", Act.DONE: "done"}.get(response.what, "waiting")


async def _ended(tx: Transaction, incident: str, mine: list[Escalation]) -> bool:
    """Whether the incident has ended, as far as anybody was to be told."""
    if mine:
        return all(one.state == "over" for one in mine)
    [(last,)] = await tx.execute(
        "SELECT max(reason = 'resolved' AND state <> 'superseded' AND id = (SELECT max(id) FROM notification "
        "WHERE incident = ?1)) FROM notification WHERE incident = ?1",
        (incident,),
    )
    said = await tx.execute(
        "SELECT a.closed FROM attempt a JOIN notification n ON n.id = a.notification "
        "WHERE n.incident = ? AND a.status <> 'failed' ORDER BY a.id DESC LIMIT 1",
        (incident,),
    )
    return bool(last or (said and said[0][0]))


async def _said(tx: Transaction, response: Response) -> bool:
    """Whether this contact has said so before: while an acknowledgement still holds, for one."""
    return bool(
        await tx.execute(
            "SELECT 1 FROM response r WHERE incident = ? AND contact = ? AND what = ? AND step IS ? "
            "AND (what <> 'ack' OR NOT EXISTS (SELECT 1 FROM escalation e WHERE e.incident = r.incident "
            "AND e.agency = r.agency AND e.state IN ('running', 'exhausted')))",
            (response.incident, response.contact, response.what, response.step),
        )
    )


async def _acknowledge(tx: Transaction, response: Response, mine: list[Escalation], now: datetime) -> None:
    """Stop the ladders of the agency for a while, and end what waits for its people as acknowledged."""
    asked = _lasts(response.what, response.minutes)
    for one in mine:
        if one.agency != response.agency or one.state == "over":
            continue
        lasts = asked or one.holds
        back = replace(one, loop=min(one.loop, one.loops - 1), state="acknowledged")
        held = replace(back, next_at=now + timedelta(seconds=lasts))
        await _move(tx, held, f"{response.contact} has acknowledged ({response.via})", now)
    await _quiet(tx, response, asked or HOLDS, now)


def _lasts(what: str, minutes: int | None) -> float | None:
    """Return for how many seconds somebody asks to wait; None: an answer that holds as long as the ladder says."""
    low, high = WAIT_MINUTES
    return 60.0 * min(high, max(low, minutes or 30)) if what == Act.WAIT else None


async def _quiet(tx: Transaction, response: Response, lasts: float, now: datetime) -> None:
    """End what waits to call the agency's people, and put its reminders off until the acknowledgement expires."""
    ours = "incident = ? AND state = 'planned' AND contact IN (SELECT name FROM contact WHERE agency = ?)"
    where = (response.incident, response.agency)
    rows = await tx.execute(
        f"SELECT id FROM notification WHERE {ours} AND reason IN ('first', 'escalate', 'handover')",  # noqa: S608 - constants
        where,
    )
    await supersede(tx, [row for (row,) in rows], f"{response.contact} has acknowledged", now, "acknowledged")
    until = micros(now + timedelta(seconds=lasts))
    await tx.execute(
        f"UPDATE notification SET deadline_at = deadline_at + (? - due_at), due_at = ? WHERE {ours} "  # noqa: S608 - constants
        "AND reason = 'repeat' AND due_at < ?",
        (until, until, *where, until),
    )


async def _resolve(tx: Transaction, response: Response, now: datetime) -> str:
    """Take a proposal that it is over: two agencies of one mind end the ladders; the incident ends by the probes."""
    others = await tx.execute(
        "SELECT 1 FROM response r JOIN contact c ON c.name = r.contact WHERE r.incident = ? AND r.what = 'resolve' "
        "AND c.agency <> ?",
        (response.incident, response.agency),
    )
    if not others:
        return "proposed"
    await over(tx, response.incident, DONE, now)
    return "agreed"


async def answers(tx: Transaction, incident: str) -> list[Answered]:
    """Return who has acknowledged, done or proposed what, in order."""
    rows = await tx.execute(
        "SELECT at, agency, what, step FROM response "
        "WHERE incident = ? AND what IN ('ack', 'wait', 'done', 'resolve') AND answer <> 'unknown' ORDER BY id",
        (incident,),
    )
    return [Answered(moment(at), str(agency), Act(what), step) for at, agency, what, step in rows]
