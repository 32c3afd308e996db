"""What an operator asks of a running daemon's alerting: silences, who is told and why, what is kept of a person."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from alerting import silence
from alerting.catalogue import say
from alerting.directory import Silence
from alerting.explain import explain, routes
from alerting.forget import forget
from alerting.gate import Rules
from alerting.health import Health
from alerting.journal import Journal, moment
from alerting.ladder import answers, escalations
from alerting.match import labels, parse
from alerting.model import Alert
from alerting.silence import Wish
from monitor.config.settings import Settings
from monitor.moments import lasting
from monitor.moments import moment as read_moment
from monitor.web.control import Command, Refused
from probes.clock import Clock

log = logging.getLogger("lambi.calling")

Asked = Mapping[str, Any]
Fact = dict[str, Any]


class Calling:
    """Commands of the control door."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        clock: Clock,
        *,
        truth: Callable[[str], Alert | None],
        standing: Callable[[], list[Alert]],
        wake: Callable[[], None],
        ways: Callable[[], Mapping[str, Health]] = dict,
    ) -> None:
        self._settings, self._journal, self._clock = settings, journal, clock
        self._truth, self._standing, self._wake, self._ways = truth, standing, wake, ways

    def commands(self) -> Mapping[str, Command]:
        """Return what the control door understands."""
        return {
            "silence-add": self._silence,
            "silence-end": self._speak,
            "silence-list": self._silences,
            "route-explain": self._explain,
            "contact-forget": self._forget,
        }

    async def _silence(self, asked: Asked) -> Fact:
        """Keep a silence as somebody typed it."""
        now, zone = self._clock.now(), self._settings.zone
        try:
            matchers = tuple(parse(str(text)) for text in asked.get("match") or ())
            since = read_moment(str(asked.get("from") or "now"), zone, now)
            until = (
                read_moment(str(asked["until"]), zone, since)
                if asked.get("until")
                else since + lasting(str(asked.get("for") or ""))
            )
            author = f"{asked.get('author') or asked['peer']}"
            wish = Wish(matchers, since, until, author[:80], " ".join(str(asked.get("reason") or "").split())[:200])
            async with self._journal.transaction() as tx:
                name = await silence.add(tx, wish, now)
        except ValueError as error:
            raise Refused(str(error)) from None
        log.info("silence added=%s until=%s by=%r", name, until.isoformat(), asked["peer"])
        one = Silence(name, matchers, since, until, wish.author, wish.reason)
        hit = [alert.incident for alert in self._standing() if all(each.matches(labels(alert)) for each in matchers)]
        return {"silence": _fact(one), "covers": hit}

    async def _speak(self, asked: Asked) -> Fact:
        name, now = str(asked.get("id", "")), self._clock.now()
        if any(one.id == name for one in self._settings.directory.silences):
            raise Refused(f'"{name}" stands in routes.yaml: take it away there, then lambi reload')
        async with self._journal.transaction() as tx:
            ended = await silence.end(tx, name, str(asked["peer"]), now)
        if not ended:
            raise Refused(f'no silence "{name[:40]}" is on or to come')
        log.info("silence ended=%s by=%r", name, asked["peer"])
        self._wake()
        return {"ended": name}

    async def _silences(self, asked: Asked) -> Fact:
        now = self._clock.now()
        made = await silence.known(self._journal)
        known = [*self._settings.directory.silences, *made]
        return {"silences": [_fact(one) for one in known if asked.get("past") or one.until > now]}

    async def _explain(self, asked: Asked) -> Fact:
        """Say of an incident who was and is told, and why."""
        incident, now = str(asked.get("incident", "")), self._clock.now()
        alert = self._truth(incident)
        if alert is None:
            raise Refused(f'nothing is known of incident "{incident[:40]}": lambi incidents lists them')
        directory = self._settings.directory.within(alert)
        async with self._journal.transaction() as tx:
            silences = await silence.live(tx, now)
            ladders = await escalations(tx, incident)
            said = await answers(tx, incident)
        rules = Rules(directory, (*directory.silences, *silences), self._standing(), self._ways())
        rows = await self._journal.read(
            "SELECT contact, channel, reason, state, coalesce(nullif(why, ''), held), changed_at, due_at "
            "FROM notification WHERE incident = ? ORDER BY id",
            (incident,),
        )
        return {
            "incident": incident,
            "labels": labels(alert),
            "routes": [{"route": name, "takes": takes, "why": why} for name, takes, why in routes(alert, directory)],
            "people": [asdict(line) for line in explain(alert, rules, now)],
            "rows": [
                {
                    "contact": contact,
                    "channel": channel,
                    "reason": reason,
                    "state": state,
                    "why": why,
                    "at": moment(at).isoformat(),
                    "due": moment(due).isoformat() if state == "planned" else None,
                }
                for contact, channel, reason, state, why, at, due in rows
            ],
            "ladders": [
                {
                    "ladder": one.ladder,
                    "agency": one.agency,
                    "state": one.state,
                    "next_step": one.step + 1 if one.next_at else None,
                    "next_at": one.next_at.isoformat() if one.next_at else None,
                    "why": one.why,
                }
                for one in ladders
            ],
            "answers": [
                {"at": one.at.isoformat(), "agency": one.agency, "what": say(f"said {one.what}", "en", step=one.step)}
                for one in said
            ],
        }

    async def _forget(self, asked: Asked) -> Fact:
        name = str(asked.get("contact", ""))
        known = await self._journal.read("SELECT 1 FROM contact WHERE name = ?", (name,))
        configured = name in self._settings.directory.contacts
        if not known and not configured:
            raise Refused(f'nothing is kept of a contact "{name[:60]}"')
        async with self._journal.transaction() as tx:
            gone = await forget(tx, name)
        if not await self._journal.shred():
            log.warning("the journal is busy: what was forgotten leaves the file beside it later")
        log.info("contact forgotten by=%r", asked["peer"])
        return {"contact": name, "emptied": gone, "configured": configured}


def _fact(one: Silence) -> Fact:
    return {
        "id": one.id,
        "match": [str(each) for each in one.match],
        "since": one.since.isoformat(),
        "until": one.until.isoformat(),
        "author": one.author,
        "reason": one.reason,
    }
