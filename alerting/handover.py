"""Who comes on duty hears of what is open. When the duty next changes is a row."""

from collections.abc import Callable, Iterable
from datetime import datetime

from alerting.directory import Directory
from alerting.journal import Transaction, micros
from alerting.ladder import escalations
from alerting.model import Alert, Contact, Reason
from alerting.route import who
from alerting.rows import Source, first_ways, insert, know, standings


async def hand_over(
    tx: Transaction, standing: Callable[[], Iterable[Alert]], directory: Directory, now: datetime
) -> None:
    """Tell whoever has come on duty of every open alert that those before were to be told of."""
    kept = {
        name: (set(on.split()), at) for name, on, at in await tx.execute("SELECT rotation, contacts, next_at FROM duty")
    }
    for name, rotation in directory.rotations.items():
        before, at = kept.pop(name, (None, None))
        on = set(rotation.on_duty(now))
        if before == on and (at is None or at > micros(now)):
            continue
        following = rotation.next_change(now)
        await tx.execute(
            "INSERT OR REPLACE INTO duty VALUES (?, ?, ?)",
            (name, " ".join(sorted(on)), micros(following) if following else None),
        )
        fresh = [directory.contacts[each] for each in sorted(on - (before or on)) if each in directory.contacts]
        for alert in standing() if fresh else ():
            if not alert.part_of and (source := await _named(tx, alert, name, directory)) is not None:
                await _tell(tx, alert, fresh, source, directory.lasts(alert, now))
    for name in kept:
        await tx.execute("DELETE FROM duty WHERE rotation = ?", (name,))


async def _named(tx: Transaction, alert: Alert, rotation: str, directory: Directory) -> Source | None:
    """Return what names the rotation, a route or the ladder that has come to a step that does: its rules hold."""
    route = next((route for name, route in who(alert, directory.routes) if name == rotation), None)
    if route is not None:
        return Source(route.name)
    for one in await escalations(tx, alert.incident):
        taken = one.steps if one.loop else one.steps[: one.step]
        if one.state != "over" and any(rotation in step.tell for step in taken):
            return Source(one.route, one.ladder)
    return None


async def _tell(
    tx: Transaction, alert: Alert, people: Iterable[Contact], source: Source, lasts: tuple[float, datetime]
) -> None:
    known = await standings(tx, alert.incident)
    for contact in people:
        await know(tx, contact)
        for where in first_ways(contact):
            one = known.get(where)
            if one is None or (one.waiting is None and (one.told is None or one.told.closed)):
                await insert(tx, alert, where, Reason.HANDOVER, lasts, source)
