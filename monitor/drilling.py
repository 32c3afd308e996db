"""Exercises of a running daemon: the commands that begin, show, end and score them."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from alerting.directory import Directory
from alerting.drill import Drills, Wish
from alerting.journal import Journal
from alerting.model import Alert, Contact
from alerting.rows import ways
from alerting.runbooks import Runbooks
from alerting.score import Score, agencies, ids, score
from monitor.config.problems import did_you_mean
from monitor.config.settings import Settings
from monitor.model import Scenario
from monitor.moments import lasting
from monitor.topology import Topology
from monitor.web.control import Command, Refused
from probes.clock import Clock

log = logging.getLogger("lambi.drill")

Asked = Mapping[str, Any]
Fact = dict[str, Any]
LONGEST = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Office:
    """What an exercise needs of the daemon."""

    topology: Callable[[], Topology]
    runbooks: Runbooks
    wake: Callable[[], None]
    """Rows may have become due."""


class Drilling:
    """Commands of the control door."""

    def __init__(self, settings: Settings, journal: Journal, clock: Clock, drills: Drills, office: Office) -> None:
        self._settings, self._journal, self._clock = settings, journal, clock
        self._drills, self._office = drills, office

    def commands(self) -> Mapping[str, Command]:
        """Return what the control door understands."""
        return {
            "drill-start": self._start,
            "drill-status": self._status,
            "drill-end": self._end,
            "drill-score": self._score,
            "drill-list": self._list,
        }

    @property
    def _directory(self) -> Directory:
        return self._settings.directory

    async def _start(self, asked: Asked) -> Fact:
        """Begin; refused while somebody on the list is being called about something real."""
        scenario = self._scenario(str(asked.get("scenario", "")))
        people = self._people(asked.get("contacts"))
        reach = [one for one in people if any(channel in self._settings.channels for _, channel in ways(one))]
        if not reach:
            raise Refused("nobody on the list has an address on a channel that is on")
        now, lasts = self._clock.now(), _lasts(asked.get("for"), scenario)
        alert = to_alert(scenario, self._office.topology(), now)
        author = str(asked.get("author") or asked["peer"])[:80]
        wish = Wish(scenario.name, alert, tuple(people), lasts, author, self._office.runbooks.match(alert))
        try:
            begun = await self._drills.begin(self._journal, wish, self._directory, now)
        except ValueError as error:
            raise Refused(str(error)) from None
        log.info("exercise begun=%s scenario=%s contacts=%d by=%r", begun.incident, scenario.name, len(people), author)
        self._office.wake()
        unreachable = [one.name for one in people if one not in reach]
        return {"drill": await self._fact(begun.incident), "unreachable": unreachable}

    def _scenario(self, name: str) -> Scenario:
        known = self._settings.drills
        if name not in known:
            raise Refused(f'there is no scenario "{name[:60]}"{did_you_mean(name, known)}; lambi drill list names them')
        return known[name]

    def _people(self, names: Any) -> list[Contact]:
        """Return who is on the list; a rotation stands for whoever is on duty now, and stays that."""
        wanted = tuple(str(name) for name in names) if isinstance(names, list) else ()
        known = {*self._directory.contacts, *self._directory.rotations}
        for name in wanted:
            if name not in known:
                raise Refused(f'there is no contact "{name[:60]}"{did_you_mean(name, known)}')
        found = self._directory.people(wanted, self._clock.now())
        if not found:
            raise Refused("say who takes part: --contacts NAME,NAME")
        return found

    async def _status(self, _asked: Asked) -> Fact:
        alert = self._drills.under_way
        return {"drill": await self._fact(alert.incident) if alert else None}

    async def _end(self, asked: Asked) -> Fact:
        alert, name = self._drills.under_way, str(asked.get("id") or "")
        if alert is None or name not in {"", alert.incident}:
            raise Refused(f'no exercise "{name[:20]}" is under way' if name else "no exercise is under way")
        async with self._journal.transaction() as tx:
            how = ("ended", f"{asked['peer']} has ended it")
            await self._drills.end(tx, alert.incident, how, self._directory, self._clock.now())
        log.info("exercise ended=%s by=%r", alert.incident, asked["peer"])
        self._office.wake()
        return {"drill": await self._fact(alert.incident)}

    async def _score(self, asked: Asked) -> Fact:
        known = await ids(self._journal)
        name = str(asked.get("id") or (known[-1] if known else ""))
        if name not in known:
            raise Refused(f'there was no exercise "{name[:20]}"' if name else "there has been no exercise yet")
        return {"drill": await self._fact(name)}

    async def _list(self, _asked: Asked) -> Fact:
        topology = self._office.topology()
        scenarios = [
            {
                "name": one.name,
                "what": topology.title(one.asset, one.phase),
                "severity": one.severity.value,
                "lasts_seconds": one.lasts,
            }
            for one in self._settings.drills.values()
        ]
        facts = [await self._fact(name) for name in await ids(self._journal)]
        brief = ("id", "scenario", "began", "ended", "ending", "author", "told", "received", "acknowledged")
        past = [{**{key: fact[key] for key in brief}, "contacts": len(fact["contacts"])} for fact in facts]
        return {"scenarios": scenarios, "drills": past}

    async def _fact(self, name: str) -> Fact:
        got = await score(self._journal, name)
        return to_fact(got) if got else {}


def to_alert(scenario: Scenario, topology: Topology, now: datetime) -> Alert:
    """Say what a scenario pretends, in the words that an incident would have; number and list come later."""
    codes = topology.territories(scenario.asset)
    named = [topology.world.territories[code].name for code in codes if code in topology.world.territories]
    return Alert(
        incident="",
        severity=scenario.severity,
        kind=topology.kind(scenario.asset),
        asset=scenario.asset,
        what=topology.title(scenario.asset, scenario.phase),
        territory=codes[0] if len(codes) == 1 else "",
        where=", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else ""),
        opened=now,
        closed=None,
        changed=now,
        revision=1,
        reason=scenario.reason,
        effects=scenario.effects,
        labels={"territories": ",".join(codes), "phase": scenario.phase.value, "exercise": "yes"},
    )


def _lasts(text: Any, scenario: Scenario) -> timedelta:
    if not text:
        return timedelta(seconds=scenario.lasts)
    try:
        lasts = lasting(str(text))
    except ValueError as error:
        raise Refused(f"--for: {error}") from None
    if not timedelta() < lasts <= LONGEST:
        raise Refused("--for: an exercise lasts 8h at most")
    return lasts


def to_fact(one: Score) -> Fact:
    """Write a score as JSON."""
    marks, groups = [asdict(each) for each in one.contacts], [asdict(each) for each in agencies(one.contacts)]
    return {
        "id": one.id,
        "scenario": one.scenario,
        "began": one.began.isoformat(),
        "due": one.due.isoformat(),
        "ended": one.ended.isoformat() if one.ended else None,
        "ending": one.ending or None,
        "why": one.why or None,
        "author": one.author,
        "runbook": one.runbook or None,
        "steps": one.steps,
        "told": sum(each["told"] for each in groups),
        "received": sum(each["received"] for each in groups),
        "acknowledged": sum(each["acknowledged"] for each in groups),
        "contacts": [_seconds(each, "told", "received", "acknowledged", "finished") for each in marks],
        "agencies": [_seconds(each, "first_told", "first_received", "first_acknowledged") for each in groups],
    }


def _seconds(fact: Fact, *names: str) -> Fact:
    """Put the unit into the names of what is a time."""
    return {f"{key}_seconds" if key in names else key: value for key, value in fact.items()}
