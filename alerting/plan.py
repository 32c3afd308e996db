"""Decide whom to tell and write it down; the text is made when it leaves."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from alerting import ladder
from alerting.directory import Directory, Route
from alerting.journal import Transaction, micros
from alerting.match import labels
from alerting.model import Alert, Contact, Reason, Severity
from alerting.route import taken, unnamed, who, why_notify
from alerting.rows import (
    Planned,
    Source,
    Standing,
    Where,
    first_ways,
    insert,
    know,
    missed,
    standings,
    supersede,
    ways,
    when,
    write,
)

__all__ = ["TEST", "Directory", "Planned", "plan", "plan_repeat", "plan_test"]

TEST = "TEST"
"""The incident of a test message: it stands for none."""
TEST_SECONDS = 120.0
"""A test that has not left by then is of no use to whoever waits for it."""


BY_LIST = "(the list of the exercise)"
"""Stands for a route where none names somebody."""


async def plan(
    tx: Transaction,
    alert: Alert,
    directory: Directory,
    now: datetime,
    *,
    newly_named: bool = False,
    moved: Collection[str] = (),
) -> list[Planned]:
    """Write the rows that this revision of the alert asks for, inside the caller's transaction.

    Nobody has two rows waiting: a row that has not left is replaced when it gets worse, and tells the whole truth when
    it leaves late. The end is told to whoever was told, by whatever route. Ladders begin and end with the incident.
    ``newly_named``: the files may have changed since; nobody is asked again who has a row, however that ended, but
    for those whom the files gave no way then, or another address (``moved``).
    """
    directory = directory.within(alert)
    standing = await standings(tx, alert.incident)
    if alert.closed is not None:
        await ladder.over(tx, alert.incident, ladder.ENDED, now)
        await release(tx, now, "" if directory.inhibitions else alert.incident)
        return [
            await _end(tx, alert, where, directory, named=named, now=now)
            for where, one in standing.items()
            if (named := await _ends_by(tx, alert, one, directory, now)) is not None
        ]
    planned = []
    aims = _aims(alert, directory, standing, now)
    known = {name for name, _ in standing} - await missed(tx, alert.incident, moved) if newly_named else set()
    for where, route in ((where, route) for where, route in aims.items() if where[0] not in known):
        one = _as_one(standing, where, directory.contacts[where[0]])
        reason = await _why_open(tx, alert, await _reopened(tx, one, now), route, now)
        if reason.speaks:
            await know(tx, directory.contacts[where[0]])
            source = await _source(tx, alert, where, route, now)
            planned.append(await insert(tx, alert, where, reason, directory.lasts(alert, now), source))
    if alert.part_of:
        await ladder.over(tx, alert.incident, f"it is part of {alert.part_of}", now)
        return planned
    unheard = not any(one.told and one.told.closed for one in standing.values())
    for route in taken(alert, directory.routes):
        for name in route.ladders:
            if name in directory.ladders:
                planned += await ladder.start(tx, alert, (route.name, name), directory, now, unheard=unheard)
    return planned


async def tell_newly_named(
    tx: Transaction, alerts: Iterable[Alert], directory: Directory, now: datetime, moved: Collection[str] = ()
) -> list[Planned]:
    """Write the rows that tell of open alerts whoever the files name now and did not before; agencies get their names
    of now. ``moved``: who has other addresses than before."""
    await ladder.rename(tx, directory)
    planned = []
    for alert in alerts:
        planned += await plan(tx, alert, directory, now, newly_named=True, moved=moved)
    return planned


def _aims(alert: Alert, directory: Directory, standing: dict[Where, Standing], now: datetime) -> dict[Where, Route]:
    """Return whom the routes name now, and whoever has heard of it by a ladder or a rotation: they hear of worse."""
    found: dict[Where, Route] = {}
    for name, route in who(alert, directory.routes):
        for contact in directory.people((name,), now):
            found.update({where: route for where in first_ways(contact) if where not in found})
    for contact in unnamed(alert, directory, now):
        found.update({where: Route(BY_LIST) for where in first_ways(contact)})
    for where, one in standing.items():
        if where not in found and one.told and not one.told.closed and where in ways(directory.contacts.get(where[0])):
            found[where] = Route(one.route)
    return found


def _as_one(standing: dict[Where, Standing], where: Where, contact: Contact) -> Standing:
    """Say how one way stands; of a contact who is told by one channel after the other, what any has told counts."""
    one = standing.get(where, Standing())
    if contact.next_after <= 0:
        return one
    heard = [other for (name, _), other in standing.items() if name == contact.name]
    return replace(one, told=max(heard, key=lambda other: other.attempt, default=one).told)


async def _source(tx: Transaction, alert: Alert, where: Where, route: Route, now: datetime) -> Source:
    """Say when the row may leave, with its group; an end has waited for nothing but the interval."""
    group = route.group(labels(alert))
    if not group:
        return Source(route.name)
    old = (now - alert.opened).total_seconds() > route.group_wait
    waits = (route.group_wait if alert.closed is None else 0.0, route.group_interval)
    return Source(route.name, "", group, await when(tx, (where, group), waits, old=old, now=now))


async def _end(
    tx: Transaction, alert: Alert, where: Where, directory: Directory, *, named: str, now: datetime
) -> Planned:
    """Write the row that tells the end to somebody whom a route, if it is still there, has named."""
    route = directory.by_name.get(named, Route(named))
    source = await _source(tx, alert, where, route, now)
    return await insert(tx, alert, where, Reason.RESOLVED, directory.lasts(alert, now), source)


async def plan_repeat(tx: Transaction, alert: Alert, where: Where, directory: Directory, now: datetime) -> None:
    """Write the reminder that follows a message about an open incident, if the contact's route has one."""
    directory = directory.within(alert)
    named = (route for route in taken(alert, directory.routes) if directory.has(where[0], route.contacts, now))
    route = next(named, None)
    if alert.closed is None and route is not None and route.repeat_seconds > 0:
        due = now + timedelta(seconds=route.repeat_seconds)
        source = Source(route.name, "", route.group(labels(alert)), due)
        await _postpone(tx, where, source.group, due)
        await insert(tx, alert, where, Reason.REPEAT, directory.lasts(alert, now), source)


async def _postpone(tx: Transaction, where: Where, group: str, due: datetime) -> None:
    """Put off the reminders of a group to which something has just been said: it named them, or counted them."""
    if group:
        await tx.execute(
            "UPDATE notification SET deadline_at = deadline_at + (?1 - due_at), due_at = ?1 WHERE contact = ?2 "
            "AND channel = ?3 AND grp = ?4 AND reason = 'repeat' AND state = 'planned' AND due_at < ?1",
            (micros(due), *where, group),
        )


async def plan_test(tx: Transaction, contact: Contact, now: datetime) -> list[Planned]:
    """Write one test message for each enabled address of the contact."""
    await know(tx, contact)
    return [
        await write(tx, (TEST, *where, Reason.TEST, Severity.INFO, 0), (TEST_SECONDS, now)) for where in ways(contact)
    ]


async def release(tx: Transaction, now: datetime, incident: str = "") -> None:
    """Look again at once at what a rule keeps back, of one incident or of all: the rule may hold no longer."""
    await tx.execute(
        "UPDATE notification SET due_at = ?1 WHERE state = 'planned' AND ended_at IS NULL AND held <> '' "
        "AND due_at > ?1 AND ?2 IN ('', incident)",
        (micros(now), incident),
    )


async def _ends_by(tx: Transaction, alert: Alert, one: Standing, directory: Directory, now: datetime) -> str | None:
    """Return by which route to plan the end, the first that has told of it and tells ends; None: not at all.

    It is not planned for those whom a waiting row will tell the whole story.
    """
    if one.ending or not why_notify(alert, one.told, repeat=timedelta(), now=now).speaks:
        return None
    if one.waiting is not None:
        await supersede(tx, [one.waiting], "the incident has ended", now)
    known = directory.by_name
    return next((name for name in one.told_by if name not in known or known[name].resolved), None)


async def _reopened(tx: Transaction, one: Standing, now: datetime) -> Standing:
    """Take back an end that nobody has been told yet: the incident is open again."""
    if one.waiting is None or not one.ending:
        return one
    await supersede(tx, [one.waiting], "open again", now)
    return Standing(told=one.told, route=one.route, told_by=one.told_by)


async def _why_open(tx: Transaction, alert: Alert, one: Standing, route: Route, now: datetime) -> Reason:
    """Why to plan a row now; a waiting row stays unless it got worse."""
    reason = why_notify(alert, one.told, repeat=timedelta(seconds=route.repeat_seconds), now=now)
    if one.waiting is None:
        return reason
    if not reason.speaks or alert.severity.rank <= one.waiting_severity.rank:
        return Reason.NOTHING_NEW
    await supersede(tx, [one.waiting], f"now {alert.severity}", now)
    return reason
