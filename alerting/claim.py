"""What leaves now: rows that are due, by the operator's rules, at the contact's pace, in as few messages as they allow.

All inside the outbox's transaction: the intent of a message and the rows it tells of are on disk before it is sent.
"""

import logging
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from alerting import codes, digest, failover, pace, receipts, silence, waiting
from alerting.bare import bare
from alerting.codes import Draw
from alerting.directory import Cap, Directory
from alerting.gate import Rules, speaks_by, verdict
from alerting.journal import Transaction, micros
from alerting.ladder import answers
from alerting.letter import mail
from alerting.model import Address, Alert, Channel, Contact, Message, Reason, Severity
from alerting.render import sms
from alerting.rows import GONE, OFF, first_ways
from alerting.runbook import Runbook
from alerting.runbooks import Runbooks
from alerting.waiting import Failure, Waiting
from alerting.words import Occasion, cuts, tongue

log = logging.getLogger("lambi.outbox")
T = TypeVar("T")

REFUSED_ROWS = 64
"""Rows of a channel that is not configured, ended per transaction."""


@dataclass(frozen=True, slots=True)
class Job:
    """A try whose intent is written."""

    rows: tuple[Waiting, ...]
    """What its message tells of; the first is the gravest."""
    attempt: int
    message: Message
    address: Address
    book: Runbook | None = None
    """What goes with a mail on paper."""

    @property
    def row(self) -> Waiting:
        """The row that the message is filed under."""
        return self.rows[0]


ENOUGH_ROWS = 1_000
"""Messages that tell of so many rows end a turn of their channel, slots or not: the line waits for the journal."""
Pair = tuple[Waiting, Alert]


@dataclass(frozen=True, slots=True)
class Desk:
    """What is known when messages are made."""

    channels: Mapping[str, Channel]
    directory: Callable[[], Directory]
    truth: Callable[[str], Alert | None]
    runbooks: Runbooks
    site: str
    bug: Callable[[Exception, Address], Failure]
    """Counts and logs a defect."""
    standing: Callable[[], Iterable[Alert]] = tuple
    """Every alert that is open."""
    draw: Draw = secrets.randbelow
    answer_url: str = ""
    """Where the links of mails begin; "": mails carry none."""

    async def rules(self, tx: Transaction, now: datetime) -> Rules:
        """Return the operator's rules as of now."""
        directory = self.directory()
        listed = self.standing() if directory.inhibitions else ()
        return Rules(directory, (*directory.silences, *await silence.live(tx, now)), tuple(listed))

    async def take(
        self, tx: Transaction, channel: str, free: int, rules: Rules, now: datetime, *, drill: bool = False
    ) -> list[Job]:
        """Fill the free slots of one channel, with what is real or with exercises; what has nothing to say is ended or
        put off on the way."""
        jobs: list[Job] = []
        room = free if channel in self.channels else REFUSED_ROWS
        while room > len(jobs) and (rows := await waiting.due(tx, channel, room - len(jobs), now, drill=drill)):
            gone: set[int] = set()
            for row in rows:
                job = None if row.id in gone else await self._prepare(tx, row, rules, gone, now)
                jobs += [job] if job else []
                if sum(len(one.rows) for one in jobs) >= ENOUGH_ROWS:
                    return jobs
        return jobs

    async def _prepare(self, tx: Transaction, row: Waiting, rules: Rules, gone: set[int], now: datetime) -> Job | None:
        """Make the message that a row leaves with; or end the row, or put it off, with the reason."""
        gone.add(row.id)
        contact = self.directory().contacts.get(row.contact)
        address = reach(contact, row.channel)
        if contact is None or address is None or row.overtaken or row.outsider or row.channel not in self.channels:
            await waiting.end(tx, row, *_why_not(row, contact, address), now)
            if not (row.overtaken or row.outsider):
                await failover.instead(tx, row.id, self._ways(contact), now)
            return None
        if row.answered is not None:
            await waiting.end(tx, row, "acknowledged", f"{row.answered} has acknowledged", now)
            return None
        if row.reason is Reason.TEST:
            return await self._job(tx, [(row, None)], contact, address, now)
        try:
            pair = await self._may_leave(tx, row, rules, now)
            pairs = await self._company(tx, pair, rules, gone, now) if pair else []
            if not pairs or not await self._paced(tx, pairs, rules.directory, now):
                return None
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - a defect with one row must not keep the others from leaving
            await self._failed(tx, row, error, address, now)
            return None
        return await self._job(tx, pairs, contact, address, now)

    def _ways(self, contact: Contact | None) -> list[str]:
        """Return the channels by which a contact is told at once, of those that are there."""
        return [channel for _, channel in first_ways(contact) if channel in self.channels]

    async def _may_leave(self, tx: Transaction, row: Waiting, rules: Rules, now: datetime) -> Pair | None:
        """Return the row with the truth about it, unless nobody knows that or a rule keeps it back."""
        alert = self.truth(row.incident)
        if alert is None:
            log.warning("incident=%s: nothing is known of it, its message waits", row.incident)
            await waiting.put_off(tx, row, now)
            return None
        if alert.held:  # soon one message tells the whole of it
            await waiting.put_off(tx, row, now)
            return None
        if (route := speaks_by(alert, row, rules.directory, now)) != row.route:
            row = await waiting.go_by(tx, row, route)
        said = verdict(alert, row, rules, now)
        if said.until is not None:
            await waiting.hold(tx, [row], said.until, said.why, now)
            return None
        if said.why:
            await waiting.end(tx, row, "refused", said.why, now)
            return None
        return row, alert

    async def _company(self, tx: Transaction, pair: Pair, rules: Rules, gone: set[int], now: datetime) -> list[Pair]:
        """Return what leaves in one message: the rows of its group and event, or all that waits where a cap is."""
        row = pair[0]
        cap = rules.directory.caps.get(row.channel)
        if row.repeats is not None and row.bundle is None:
            return [pair]  # what is repeated after a crash is the same message
        beside = await waiting.beside(tx, row, now)
        others = [one for one in beside if one.id not in gone and not (one.overtaken or one.outsider or one.answered)]
        if row.bundle is not None:
            others = [one for one in others if one.bundle == row.bundle]
        else:
            others = [one for one in others if one.repeats is None]
            if not cap or len(others) + 1 < cap.merge:
                others = self._together(pair, others)
        found = [pair]
        for one in others:
            gone.add(one.id)
            try:
                other = await self._may_leave(tx, one, rules, now)
            except sqlite3.Error:
                raise
            except Exception:  # noqa: BLE001, S112 - a defect with one row is met when it leads, and keeps no other back
                continue
            found += [other] if other else []
        return found

    def _together(self, pair: Pair, others: Sequence[Waiting]) -> list[Waiting]:
        """Return what shares a message by its group, or because it began with what the message is about.

        Of those that only began together no more are taken than one short message names.
        """
        row, alert = pair
        group = [one for one in others if one.group and one.group == row.group]
        rest = [one for one in others if one not in group] if len(group) < digest.ALL_NAMED else []
        alerts = [(one, self.truth(one.incident)) for one in rest]
        event = [one for one, other in alerts if alert.event and other and other.event == alert.event]
        return group + event[: digest.ALL_NAMED - 1 - len(group)]

    async def _paced(self, tx: Transaction, pairs: Sequence[Pair], directory: Directory, now: datetime) -> bool:
        """Whether cap and budget let a message leave now; else its rows wait. What is repeated was counted before."""
        row, gravest = pairs[0][0], max((_weight(alert) for _, alert in pairs), key=lambda one: one.rank)
        if row.repeats is not None:
            return True
        cap: Cap | None = directory.caps.get(row.channel)
        if cap is not None:
            before = await pace.sent(tx, (row.contact, row.channel), cap, now, drills=row.drill)
            until = pace.leaves(before, gravest, cap, now)
            if until > now:
                await waiting.hold(tx, [one for one, _ in pairs], until, "", now)
                return False
        budget = directory.budgets.get(row.channel)
        if budget and not pace.affords(budget, await pace.spent(tx, row.channel, now), gravest):
            why = f"the day's credits of {row.channel} are spent, or kept for what is graver"
            for one, _ in pairs:
                await waiting.save_up(tx, one, now + pace.POLL, why, now)
                await failover.at_once(tx, one.id, directory.contacts.get(one.contact), now)
            return False
        return True

    async def _job(
        self,
        tx: Transaction,
        pairs: Sequence[tuple[Waiting, Alert | None]],
        contact: Contact,
        address: Address,
        now: datetime,
    ) -> Job | None:
        """Write the intents and render."""
        row, alert = pairs[0]
        rows, told = [one for one, _ in pairs], [(one, truth) for one, truth in pairs[1:] if truth is not None]
        attempt = await waiting.begin(tx, row, alert, now)
        occasions = await self._unless_bug(self._occasions(tx, pairs, contact, now), address)
        reference = (await waiting.join(tx, row, attempt, told, now) if told else row.repeats) or attempt
        made: tuple[Message, Runbook | None] | Failure
        if isinstance(occasions, Failure):
            made = occasions
        else:
            made = await self._unless_bug(self._made(tx, rows, occasions, (attempt, reference), now), address)
        if isinstance(made, Failure) and alert is None:
            await waiting.fail(tx, rows, attempt, made, now)
            return None
        if isinstance(made, Failure):
            made = self._bare(row, reference, [truth for _, truth in pairs if truth is not None]), None
        for one in rows:
            await failover.begin(tx, one.id, contact, now)
        message, book = made
        await waiting.keep_text(tx, attempt, message)
        return Job(tuple(rows), attempt, message, address, book)

    async def _unless_bug(self, work: Awaitable[T], address: Address) -> T | Failure:
        """Return what comes of it; a defect of ours is counted and must not keep anything from leaving."""
        try:
            return await work
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, an alert leaves without what could not be made
            return self.bug(error, address)

    async def _made(
        self,
        tx: Transaction,
        rows: Sequence[Waiting],
        occasions: Sequence[Occasion],
        tries: tuple[int, int],
        now: datetime,
    ) -> tuple[Message, Runbook | None]:
        """Make the text and what goes with it on paper; ``tries``: this one, and the one whose reference it carries."""
        attempt, reference = tries
        ready = await self._answerable(tx, rows, occasions, attempt, now)
        return self._message(rows[0], reference, ready), self._paper(rows[0].channel, ready)

    def _bare(self, row: Waiting, reference: int, alerts: Sequence[Alert]) -> Message:
        """Make the text that no defect of ours can keep from being made."""
        text = bare(alerts, again=row.repeats is not None)
        ours = f"{reference}.digest" if len(alerts) > 1 else receipts.reference(reference, row.planned_at)
        return Message(ours, row.incident if len(alerts) == 1 else "", text, text, row.severity, "")

    def _paper(self, channel: str, occasions: Sequence[Occasion]) -> Runbook | None:
        """Return what goes with a mail about one open incident, in its reader's language."""
        one = digest.lead(occasions)
        if self.channels[channel].form != "mail" or one.alert is None or one.alert.closed:
            return None
        if not digest.one_event(occasions):
            return None
        return one.runbook.spoken(tongue(one.contact)) if one.runbook else None

    async def _failed(self, tx: Transaction, row: Waiting, error: Exception, address: Address, now: datetime) -> None:
        attempt = await waiting.begin(tx, row, None, now)
        await waiting.fail(tx, [row], attempt, self.bug(error, address), now)

    async def _occasions(
        self, tx: Transaction, pairs: Sequence[tuple[Waiting, Alert | None]], contact: Contact, now: datetime
    ) -> list[Occasion]:
        return [await self._occasion(tx, one, truth, contact, now) for one, truth in pairs]

    async def _occasion(
        self, tx: Transaction, row: Waiting, alert: Alert | None, contact: Contact, now: datetime
    ) -> Occasion:
        failure = await waiting.unexplained(tx, row, cuts(alert)) if alert and alert.closed else None
        return Occasion(
            alert,
            row.reason,
            contact,
            now,
            self.site,
            self.directory().desk,
            self.runbooks.match(alert) if alert else None,
            again=row.repeats is not None,
            told_before=row.told_before,
            failure=failure,
            in_time=bool(alert and alert.closed and row.in_time(alert.closed, now)),
        )

    async def _answerable(
        self, tx: Transaction, rows: Sequence[Waiting], occasions: Sequence[Occasion], attempt: int, now: datetime
    ) -> list[Occasion]:
        """Give what is open and will be named its letters, and in a mail its link, if an answer can come in.

        A mail about one incident also has room for who has answered so far.
        """
        channel, made = self.channels[rows[0].channel], list(occasions)
        if channel.answers:
            for n in digest.foremost(occasions, digest.MOST_TOLD if channel.form == "mail" else digest.MOST_NAMED):
                letters = await codes.code(tx, rows[n].incident, rows[n].contact, self.draw, now)
                made[n] = replace(made[n], code=letters)
        if self.answer_url and channel.form == "mail":
            for n in digest.foremost(occasions, digest.MOST_LINKS):
                mine = attempt if n == 0 else await waiting.last_attempt(tx, rows[n])
                token = await codes.link(tx, mine, self.draw, now)
                made[n] = replace(made[n], link=f"{self.answer_url}/answer/{token}")
        alert = made[0].alert
        if len(made) == 1 and channel.form == "mail" and alert is not None and alert.closed is None:
            made[0] = replace(made[0], answers=tuple(await answers(tx, rows[0].incident)))
        return made

    def _message(self, row: Waiting, reference: int, occasions: Sequence[Occasion]) -> Message:
        """Make the text; a repeated try keeps the reference of the one it repeats."""
        form, occasion = self.channels[row.channel].form, occasions[0]
        alert = occasion.alert
        if len(occasions) > 1:
            subject, body = digest.mail(occasions) if form == "mail" else ("", digest.sms(occasions))
            thread, facts = _thread(occasions), _facts(occasions)
            first = facts[0] if facts else None
            of = f"{reference}.digest", "", subject, body, row.severity
            return Message(*of, thread, occasion.now, first, facts[1:])
        subject, body = mail(occasion) if form == "mail" else ("", sms(occasion))
        severity: Severity = alert.severity if alert else row.severity
        ours = receipts.reference(reference, row.planned_at)
        return Message(ours, row.incident, subject, body, severity, _thread(occasions), occasion.now, alert)


def _facts(occasions: Sequence[Occasion]) -> tuple[Alert, ...]:
    """Return the facts of a few that began together, the first of them first; none of a message that only counts."""
    if not digest.one_event(occasions):
        return ()
    first = digest.lead(occasions)
    return tuple(one.alert for one in (first, *(one for one in occasions if one is not first)) if one.alert)


def _thread(occasions: Sequence[Occasion]) -> str:
    """Name what a message goes on with: the incident, or the first of those that began together."""
    alert = digest.lead(occasions).alert if digest.one_event(occasions) else None
    return f"{alert.incident}.{micros(alert.opened):x}" if alert else ""


def _weight(alert: Alert) -> Severity:
    """Give the severity by which caps and credits go: an exercise, but for its end, takes what the mildest may take."""
    return Severity.INFO if alert.exercise and alert.closed is None else alert.severity


def _why_not(row: Waiting, contact: Contact | None, address: Address | None) -> tuple[str, str]:
    """Return the final state and the reason of a row that cannot be sent."""
    if row.outsider:
        return "refused", "not on the list of the exercise"
    if row.overtaken:
        return "superseded", "a later message says more"
    if contact is None:
        return "refused", GONE
    if address is None:
        return "refused", OFF
    return "refused", f"channel {row.channel} is not configured"


def reach(contact: Contact | None, channel: str) -> Address | None:
    """Return the contact's address on a channel, if it is switched on."""
    addresses = contact.addresses if contact else ()
    return next((address for address in addresses if address.channel == channel and address.enabled), None)
