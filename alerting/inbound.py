"""What comes back from people and networks: who it is from, whether it counts, what is said in return.

Nothing that a stranger sends is answered or kept; nothing counts without the letters that this contact was sent.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from alerting import codes, failover, receipts
from alerting.catalogue import say
from alerting.codes import Checked, Draw
from alerting.directory import Directory
from alerting.gsm import ONE_PART, clip, fold, septets
from alerting.journal import Journal, Transaction, micros
from alerting.ladder import WAIT_MINUTES, respond
from alerting.model import Act, Alert, Contact, Fate, Reason, Receipt, Reply, Response
from alerting.render import sms
from alerting.replies import Asked, parse, proofs
from alerting.rows import know
from alerting.runbook import Runbook
from alerting.runbooks import Runbooks
from alerting.words import Occasion, mark

log = logging.getLogger("lambi.inbound")

CALMS = {"acked", "acked before", "waiting", "done", "agreed"}
"""Keys of `ladder.respond` after which nobody tries this contact's further channels."""


Send = Callable[[str, str], Awaitable[None]]
"""Hand over one text: (address, text)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How an answer was taken."""

    verdict: str
    answer: str = ""
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who answers, and by what."""

    contact: Contact
    via: str


class Inbox:
    """Takes receipts and answers, each in one transaction."""

    def __init__(
        self,
        journal: Journal,
        directory: Callable[[], Directory],
        truth: Callable[[str], Alert | None],
        runbooks: Runbooks,
        *,
        site: str,
        draw: Draw,
        woken: Callable[[], None] = lambda: None,
    ) -> None:
        """``woken``: rows may have become due."""
        self._journal, self._directory, self._truth = journal, directory, truth
        self._runbooks, self._site, self._draw, self._woken = runbooks, site, draw, woken

    async def receive(self, receipt: Receipt, now: datetime) -> None:
        """Take what a network says of a message."""
        async with self._journal.transaction() as tx:
            new = await receipts.receive(tx, receipt, now)
        log.info("receipt fate=%s%s", receipt.fate, "" if new else ": of no message of ours, or known")
        if new and receipt.fate is Fate.FAILED:  # the other fates leave nothing to do
            self._woken()

    async def hear(self, reply: Reply, now: datetime) -> str:
        """Take what somebody sent; return the one text to answer with, or ""."""
        people = self._senders(reply.sender)
        if not people:
            log.info("an answer by %s from nobody that is known here", reply.channel)
            return ""
        async with self._journal.transaction() as tx:
            for contact in people:
                await know(tx, contact)
            # A mail's id is its sender's own choice: of two senders it never means the same message.
            id_ = codes.digest(f"{address(reply.sender)} {reply.provider_id or micros(now)}")
            known = await tx.execute(
                "SELECT answer FROM heard WHERE channel = ? AND provider_id = ?", (reply.channel, id_)
            )
            if known:
                return str(known[0][0])
            contact, heard = await self._weigh(tx, people, reply, now)
            heard = self._marked(heard, contact)
            await tx.execute(
                "INSERT INTO heard VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(reply.channel, id_, contact.name, heard.incident),
                    *(micros(now), heard.verdict, reply.text[:500], heard.answer),
                ),
            )
        log.info("answer contact=%s channel=%s: %s", contact.name, reply.channel, heard.verdict)
        self._woken()
        return heard.answer

    async def act(self, name: str, asked: Asked, via: str, now: datetime) -> Heard:
        """Do what somebody asks who is known by other means than a code: a link, the operator."""
        contact = self._directory().contacts.get(name)
        if contact is None or asked.what is None:
            return Heard("unknown")
        async with self._journal.transaction() as tx:
            await know(tx, contact)
            heard = await self._do(tx, Who(contact, via), asked, now)
        self._woken()
        return self._marked(heard, contact)

    async def follow(self, token: str, now: datetime) -> codes.Link | None:
        """Return what a mail's link stands for; nothing is changed, for scanners open links too."""
        async with self._journal.transaction() as tx:
            return await codes.follow(tx, token, now)

    async def click(self, token: str, asked: Asked, now: datetime) -> Heard | None:
        """Do what the button on a link's page says, once; None: there is no such link, or it is used or too old."""
        async with self._journal.transaction() as tx:
            link = await codes.follow(tx, token, now)
            contact = self._directory().contacts.get(link.contact) if link else None
            if link is None or contact is None or link.used or link.late:
                return None
            await codes.use(tx, token, now)
            if to := next((way.to for way in contact.addresses if way.channel == link.channel), ""):
                await codes.confirm(tx, contact.name, link.channel, address(to), now)
            heard = await self._do(tx, Who(contact, "link"), replace(asked, incident=link.incident), now)
        log.info("answer contact=%s by its link: %s", contact.name, heard.verdict)
        self._woken()
        return self._marked(heard, contact)

    def _senders(self, sender: str) -> list[Contact]:
        """Return the contacts whose address this is."""
        wanted = address(sender)
        contacts = self._directory().contacts.values()
        return [one for one in contacts if wanted and any(address(way.to) == wanted for way in one.addresses)]

    async def _weigh(
        self, tx: Transaction, people: list[Contact], reply: Reply, now: datetime
    ) -> tuple[Contact, Heard]:
        """Find whose letters these are, among those who share an address; say what follows."""
        asked, confirms = parse(reply.text), proofs(reply.text)
        for contact in people:
            if confirms and await codes.prove(tx, contact.name, confirms, now):
                return contact, Heard("confirmed", say("verified", contact.language))
        if not (asked.incident and asked.code):
            return people[0], await self._ask(tx, people[0], reply, now)
        mine = [one for one in people if await codes.is_right(tx, asked.incident, one.name, asked.code)]
        found = [
            (contact, await codes.check(tx, (asked.incident, contact.name, reply.channel), asked.code, now))
            for contact in mine[:1] or people
        ]
        contact, checked = next((pair for pair in found if pair[1] is not Checked.NONE), found[0])
        if checked is Checked.RIGHT:
            await codes.confirm(tx, contact.name, reply.channel, address(reply.sender), now)
            return contact, await self._do(tx, Who(contact, reply.channel), asked, now)
        if checked is Checked.NONE:
            return contact, await self._ask(tx, contact, reply, now)
        text = {Checked.WRONG: "wrong", Checked.LOCKED: "locked"}.get(checked)
        return contact, Heard(checked.value, say(text, contact.language) if text else "", asked.incident)

    async def _ask(self, tx: Transaction, contact: Contact, reply: Reply, now: datetime) -> Heard:
        """Ask for the letters, not too often."""
        asks = await codes.may_ask(tx, contact.name, reply.channel, now)
        return Heard("no code", say("code", contact.language) if asks else "")

    async def _do(self, tx: Transaction, who: Who, asked: Asked, now: datetime) -> Heard:
        """Record an answer that counts and say what it did."""
        contact, lang, ref, what = who.contact, who.contact.language, _ref(asked), asked.what
        if what is None:
            return Heard("not understood", say("help", lang, ref=ref), asked.incident)
        book = self._book(asked.incident)
        if what is Act.DONE:
            asked = replace(asked, step=asked.step or await self._current(tx, asked.incident, contact.name, book))
            if asked.step is None or (book is not None and asked.step > len(book.steps)):
                return Heard("which step", say("which step", lang, ref=ref), asked.incident)
        minutes = min(WAIT_MINUTES[1], max(WAIT_MINUTES[0], asked.minutes)) if asked.minutes else None
        response = Response(asked.incident, contact.name, contact.agency, what, asked.step, minutes, now, who.via)
        alert = self._truth(asked.incident)
        key = await respond(tx, response, now, ended=alert.closed is not None if alert else None)
        if key in CALMS:
            await failover.answered(tx, asked.incident, contact.name, now)
        if key in {"done", "done before"} and asked.step is not None:
            await _note(tx, response, book, asked.step, "done")
        return Heard(key, await self._words(tx, key, response, asked, contact), asked.incident)

    async def _words(self, tx: Transaction, key: str, response: Response, asked: Asked, contact: Contact) -> str:
        """Return what to say for a key of `ladder.respond`."""
        lang, ref = contact.language, _ref(asked)
        if key == "next":
            return await self._next(tx, response, ref, lang)
        if key == "repeat":
            return self._again(asked, contact, response.at) or say("acked over", lang, ref=ref)
        if key == "unknown":
            return say("code", lang)
        return say(key, lang, ref=ref, step=response.step or "", minutes=response.minutes or "")

    def _marked(self, heard: Heard, contact: Contact) -> Heard:
        """Put the word for an exercise before an answer about one; it stays one SMS, and gives its letters for that."""
        word = mark(self._truth(heard.incident), contact.language).strip()
        if not word or not heard.answer or heard.answer.startswith((word, fold(word))):
            return heard
        text = f"{word} {heard.answer}"
        if septets(fold(text)) > ONE_PART:
            text = re.sub(rf"({heard.incident})-[A-Z]{{2}}", r"\1", text)
        if septets(fold(text)) > ONE_PART:  # a second part would not bear the word
            text = clip(fold(text), ONE_PART)
        return replace(heard, answer=text)

    async def _current(self, tx: Transaction, incident: str, contact: str, book: Runbook | None) -> int | None:
        """Return the step of a runbook that a contact was sent last."""
        [(step,)] = await tx.execute(
            "SELECT max(step) FROM progress WHERE incident = ? AND contact = ? AND what = 'sent' AND book IN (?, '')",
            (incident, contact, book.id if book else ""),
        )
        return int(step) if step is not None else None

    async def _next(self, tx: Transaction, response: Response, ref: str, lang: str) -> str:
        """Give the step after the last that this contact was sent or has done."""
        book = self._book(response.incident)
        [(last,)] = await tx.execute(
            "SELECT coalesce(max(step), 0) FROM progress WHERE incident = ? AND contact = ? AND book IN (?, '')",
            (response.incident, response.contact, book.id if book else ""),
        )
        if book is None or last >= len(book.steps):
            return say("no step" if book else "no runbook", lang, ref=ref)
        await _note(tx, response, book, last + 1, "sent")
        there = book.spoken(lang)
        foreign = "" if there.language == lang else f"{say('in English', lang)} " if there.language == "en" else ""
        return f"{ref} {last + 1}: {foreign}{there.steps[last]}"

    def _book(self, incident: str) -> Runbook | None:
        alert = self._truth(incident)
        return self._runbooks.match(alert) if alert else None

    def _again(self, asked: Asked, contact: Contact, now: datetime) -> str:
        """Tell the truth of now in the form of the alert."""
        alert = self._truth(asked.incident)
        if alert is None:
            return ""
        book, desk = self._runbooks.match(alert), self._directory().desk
        return sms(Occasion(alert, Reason.FIRST, contact, now, self._site, desk, book, code=asked.code))

    async def verify(self, name: str, channels: Mapping[str, Send], now: datetime) -> int:
        """Send each address of a contact the letters that confirm it; return to how many. ``channels``: by name."""
        contact = self._directory().contacts[name]
        count = 0
        for way in contact.addresses:
            if not way.enabled or way.channel not in channels:
                continue
            async with self._journal.transaction() as tx:
                await know(tx, contact)
                drawn = await codes.begin_proof(tx, (name, way.channel, address(way.to)), self._draw, now)
            text = say("verify", contact.language, site=clip(fold(self._site), 30), contact=name[:16], letters=drawn)
            await channels[way.channel](way.to, text)
            count += 1
        return count


def _ref(asked: Asked) -> str:
    return f"{asked.incident}-{asked.code}" if asked.code else asked.incident


async def _note(tx: Transaction, response: Response, book: Runbook | None, step: int, what: str) -> None:
    await tx.execute(
        "INSERT INTO progress (incident, contact, book, step, what, at) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        (response.incident, response.contact, book.id if book else "", step, what, micros(response.at)),
    )


def address(to: str) -> str:
    """Bring an address into one form: a telephone number as digits without a leading 00, a mail in small letters."""
    if "@" in to:
        return to.strip().lower()
    return re.sub(r"^00", "", re.sub(r"\D", "", to))
