"""What an operator does of answers: gives one for a contact, has a contact's addresses confirmed."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from alerting.directory import Directory
from alerting.inbound import Inbox
from alerting.model import Accepted, Act, Address
from alerting.outbox import Outbox
from alerting.replies import Asked as Said
from monitor.config.settings import Settings
from monitor.web.control import Command, Refused
from probes.clock import Clock

Asked = Mapping[str, Any]
Fact = dict[str, Any]
WORDS = {"done": "step", "wait": "minutes"}
"""Answers that take a number -> what it is."""


class Answering:
    """Commands of the control door."""

    def __init__(self, settings: Settings, inbox: Inbox, outbox: Outbox, clock: Clock) -> None:
        self._settings, self._inbox, self._outbox, self._clock = settings, inbox, outbox, clock

    @property
    def _directory(self) -> Directory:
        return self._settings.directory

    def commands(self) -> Mapping[str, Command]:
        """Return what the control door understands."""
        return {"answer": self._answer, "contact-verify": self._verify}

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
        send = {channel: partial(self._send, channel, results) for channel in ways}
        if not await self._inbox.verify(name, send, self._clock.now()):
            raise Refused(f"{name!r} has no address on a channel by which answers come in (callback, in lambi.yaml)")
        return {"contact": name, "results": results}

    async def _send(self, channel: str, results: list[Fact], to: str, text: str) -> None:
        said = await self._outbox.say(Address(channel, to), text, "Lambi: please confirm this address")
        words = said.detail if isinstance(said, Accepted) else said.error
        results.append({"channel": channel, "taken": isinstance(said, Accepted), "said": words})
