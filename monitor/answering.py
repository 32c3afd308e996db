"""What an operator does with contacts: sends a test, has addresses confirmed, gives an answer for somebody."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from alerting.catalogue import say
from alerting.directory import Directory
from alerting.inbound import Inbox
from alerting.journal import Journal
from alerting.model import Accepted, Act, Address
from alerting.outbox import Outbox
from alerting.plan import TEST, plan_test
from alerting.replies import Asked as Said
from monitor.config.settings import Settings
from monitor.web.control import Command, Refused
from probes.clock import Clock

Asked = Mapping[str, Any]
Fact = dict[str, Any]
WORDS = {"done": "step", "wait": "minutes"}
"""Answers that take a number -> what it is."""


TEST_PATIENCE = 60.0
"""Seconds that ``contact test`` waits for the provider's word."""


class Answering:
    """Commands of the control door."""

    def __init__(self, settings: Settings, journal: Journal, inbox: Inbox, outbox: Outbox, clock: Clock) -> None:
        self._settings, self._journal, self._clock = settings, journal, clock
        self._inbox, self._outbox = inbox, outbox

    @property
    def _directory(self) -> Directory:
        return self._settings.directory

    def commands(self) -> Mapping[str, Command]:
        """Return what the control door understands."""
        return {"answer": self._answer, "contact-test": self._test, "contact-verify": self._verify}

    def _known(self, name: str) -> None:
        if name not in self._directory.contacts:
            raise Refused(f"there is no contact {name[:40]!r}: `lambi contact list` names them")

    async def _answer(self, asked: Asked) -> Fact:
        """Take an answer that somebody gave by telephone, or in person."""
        name, incident = str(asked.get("contact", "")), str(asked.get("incident", ""))
        self._known(name)
        try:
            what = Act(str(asked.get("what", "ack")))
        except ValueError:
            raise Refused(f"an answer is one of {', '.join(Act)}") from None
        number = asked.get("number")
        if number is not None and (type(number) is not int or not 1 <= number <= 999):
            raise Refused("the number is that of a step, or minutes: from 1 to 999")
        said = Said(incident, "", what, number if what is Act.DONE else None, number if what is Act.WAIT else None)
        heard = await self._inbox.act(name, said, "cli", self._clock.now())
        if heard.verdict == "unknown":
            raise Refused(f"nobody was told of an incident {incident[:20]!r}, so there is nothing to answer")
        return {"incident": incident, "contact": name, "verdict": heard.verdict, "answer": heard.answer}

    async def _verify(self, asked: Asked) -> Fact:
        """Send letters to each address from which an answer would come in."""
        name = str(asked.get("contact", ""))
        self._known(name)
        results: list[Fact] = []
        ways = [key for key, channel in self._settings.channels.items() if channel.answers]
        subject = say("verify subject", self._directory.contacts[name].language)
        send = {channel: partial(self._send, channel, subject, results) for channel in ways}
        if not await self._inbox.verify(name, send, self._clock.now()):
            raise Refused(f"{name!r} has no address on a channel by which answers come in (callback, in lambi.yaml)")
        return {"contact": name, "results": results}

    async def _send(self, channel: str, subject: str, results: list[Fact], to: str, text: str) -> None:
        said = await self._outbox.say(Address(channel, to), text, subject)
        words = said.detail if isinstance(said, Accepted) else said.error
        results.append({"channel": channel, "taken": isinstance(said, Accepted), "said": words})

    async def _test(self, asked: Asked) -> Fact:
        """Send a message marked TEST over the real path; answer what the providers said."""
        name = str(asked.get("contact", ""))
        contact = self._directory.contacts.get(name)
        if contact is None:
            raise Refused(f"there is no contact {name!r}: `lambi contact list` names them")
        async with self._journal.transaction() as tx:
            rows = await plan_test(tx, contact, self._clock.now())
        if not rows:
            raise Refused(f"contact {name!r} has no address that is switched on")
        self._outbox.wake()
        deadline = self._clock.monotonic() + TEST_PATIENCE
        wanted = {row.id: row.channel for row in rows}
        return {"contact": name, "incident": TEST, "results": await self._results(wanted, deadline)}

    async def _results(self, wanted: Mapping[int, str], deadline: float) -> list[dict[str, str]]:
        """Wait until every row has ended or has had an answer, or time is up."""
        marks = ", ".join("?" for _ in wanted)
        query = (
            "SELECT n.id, n.state, n.ended_at IS NOT NULL, coalesce(n.why, ''), coalesce(a.status, ''), "  # noqa: S608 - only marks
            "coalesce(a.provider_id, ''), coalesce(nullif(a.error, ''), a.answer, '') "
            "FROM notification n LEFT JOIN attempt a ON a.id = "
            f"(SELECT max(id) FROM attempt WHERE notification = n.id) WHERE n.id IN ({marks}) ORDER BY n.id"
        )
        while True:
            rows = await self._journal.read(query, tuple(wanted))
            answered = all(ended or status not in {"", "intent"} for _, _, ended, _, status, _, _ in rows)
            if answered or self._clock.monotonic() >= deadline:
                return [
                    {
                        "channel": wanted[row],
                        "state": state,
                        "answer": status or why or "nothing yet",
                        "id": id_,
                        "said": said,
                    }
                    for row, state, _, why, status, id_, said in rows
                ]
            await self._clock.sleep_until(self._clock.monotonic() + 0.1)
