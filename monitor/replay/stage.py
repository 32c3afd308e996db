"""The world as a story has it, which answers. Pure."""

import zlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf

from monitor.model import Check
from monitor.replay.engine import OK, REFUSED, SILENT
from monitor.replay.sentences import LOSING, Event
from monitor.replay.story import Story
from probes.model import Part

QUICK = 0.05
"""Seconds that an answer takes where nothing is slow."""


@dataclass(frozen=True, slots=True)
class _Spell:
    """One thing that holds for a while."""

    since: float
    until: float
    event: Event
    name: str
    """The asset, vantage or reference that it is about; empty: all looks."""

    def at(self, seconds: float) -> bool:
        """Whether it holds then."""
        return self.since <= seconds < self.until


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a look: the share that is lost, the seconds that it takes, whether it is refused."""

    lost: float = 0.0
    slow: float = 0.0
    refused: bool = False


class Stage:
    """The world as it is: a `Script`. Every look that is lost by chance is lost in each run."""

    def __init__(self, story: Story) -> None:
        self._story = story
        spells = list(_spells(story))
        self._of: dict[str, list[_Spell]] = {}
        for spell in spells:
            self._of.setdefault(spell.name, []).append(spell)
        self._mute = [spell for spell in spells if spell.event.verb == "mute"]
        self._lies = [spell for spell in spells if spell.event.verb in {"up", "down"}]
        self._late = [spell for spell in spells if spell.event.verb == "delay"]
        edges = {edge for spell in spells for edge in (spell.since, spell.until)}
        needs = [need for line in story.lines.values() for need in line.needs]
        self._edges = sorted(edges | {edge for need in needs for edge in (need.since, need.until)})
        self._fates: dict[tuple[int, str, str, int], Fate] = {}
        self.steps = {event.at: event.amount for event in story.events if event.verb == "clock"}
        self.pauses = {event.at: event.lasts or 0.0 for event in story.events if event.verb == "pause"}

    def answer(self, vantage: str, check: Check, seconds: float) -> tuple[Part, float] | None:
        """Say what a look sees."""
        asset = f"reference:{check.reference}" if check.reference else check.asset
        epoch = bisect_right(self._edges, seconds)
        if self._mute and any(spell.at(seconds) and spell.name == vantage for spell in self._mute):
            return None
        fate = self._fate(epoch, vantage, asset, check)
        if self._lies and not check.reference:
            fate = self._told(fate, vantage, seconds)
        if fate.refused:
            return REFUSED, QUICK
        if fate.lost >= 1.0 or (fate.lost and self._chance(vantage, check, seconds) < fate.lost):
            return SILENT, check.timeout
        if fate.slow >= check.timeout:
            return SILENT, check.timeout
        if fate.slow:
            return Part(OK.outcome, "", {"rtt_seconds": fate.slow}), fate.slow
        return OK, QUICK

    def delays(self, _vantage: str, _check: Check, seconds: float) -> float:
        """Say how late a look leaves."""
        return next((spell.event.amount for spell in self._late if spell.at(seconds)), 0.0)

    def _chance(self, vantage: str, check: Check, seconds: float) -> float:
        return zlib.crc32(f"{self._story.seed} {vantage} {check.id} {seconds:.3f}".encode()) / 2**32

    def _told(self, fate: Fate, vantage: str, seconds: float) -> Fate:
        """Say what a vantage claims that does not tell the truth."""
        lie = next((spell for spell in self._lies if spell.at(seconds) and spell.name == vantage), None)
        return fate if lie is None else Fate(lost=1.0) if lie.event.verb == "down" else Fate()

    def _fate(self, epoch: int, vantage: str, asset: str, check: Check) -> Fate:
        """Say what becomes of looks at an asset: by its own state, by the link of the vantage, by what it needs."""
        family = check.target.family
        key = epoch, vantage, asset, family
        known = self._fates.get(key)
        if known is None:
            since = self._edges[epoch - 1] if epoch else -inf
            link = Fate() if check.local else self._own(since, vantage, family, vantage)
            known = self._fates[key] = _both(link, self._whole(since, asset, family, vantage))
        return known

    def _whole(self, at: float, asset: str, family: int, vantage: str) -> Fate:
        """Say what becomes of a look at an asset beyond the vantage's own link."""
        fate = self._own(at, asset, family, vantage)
        line = self._story.lines.get(asset)
        for need in line.needs if line else ():
            if not (need.true and need.since <= at < need.until):
                continue
            # a refusal is the asset's own: what stands behind a server that refuses is not refused
            ways = [_unrefused(self._whole(at, name, family, vantage)) for name in need.needs]
            if need.mode == "weight":
                left = sum(weight for way, weight in zip(ways, need.weights, strict=True) if way.lost < 1.0)
                ways = [] if left >= need.at_least else [Fate(lost=1.0)]
            elif need.mode == "any":
                ways = [min(ways, key=lambda way: (way.lost, way.slow))]
            for way in ways:
                fate = _both(fate, way)
        return fate

    def _own(self, at: float, asset: str, family: int, vantage: str) -> Fate:
        fate = Fate()
        for spell in self._of.get(asset, ()):
            event = spell.event
            if spell.at(at) and event.family in {None, family} and event.vantage in {"", vantage}:
                fate = _both(fate, _effect(event))
        return fate


def _effect(event: Event) -> Fate:
    """Say what one event does to looks at what it names."""
    if event.verb == "refuse":
        return Fate(refused=True)
    if event.verb == "slow":
        return Fate(slow=event.amount)
    if event.verb == "lose":
        return Fate(lost=event.amount)
    return Fate(lost=1.0 if event.verb in LOSING else 0.0)


def _unrefused(fate: Fate) -> Fate:
    return replace(fate, refused=False) if fate.refused else fate


def _both(one: Fate, other: Fate) -> Fate:
    """Lay two fates over each other; where nothing comes through, nothing refuses either."""
    lost = 1.0 - (1.0 - one.lost) * (1.0 - other.lost)
    return Fate(lost, one.slow + other.slow, (one.refused or other.refused) and lost < 1.0)


def _spells(story: Story) -> Iterable[_Spell]:
    """Lay out from when to when each event holds: until its time is over, or until what it hit is healed."""
    heals: dict[str, list[float]] = {}
    for event in story.events:
        for name in _named(story, event) if event.verb == "heal" else ():
            heals.setdefault(name, []).append(event.at)
    for event in story.events:
        if event.verb in {"heal", "clock", "pause", "maintain"}:
            continue
        for name in _named(story, event):
            healed = min((at for at in heals.get(name, ()) if at > event.at), default=inf)
            for since, until in _turns(event):
                if since < healed:
                    yield _Spell(since, min(until, healed), event, name)


def _named(story: Story, event: Event) -> list[str]:
    """Return what an event is about; a lie or a silence is its vantage's, a delay is everybody's."""
    names = [name for word in event.what if word for name in story.matching(word)]
    return list(dict.fromkeys(names)) or [event.vantage]


def _turns(event: Event) -> Iterable[tuple[float, float]]:
    """Yield from when to when: once, or again and again for what flaps: away, and back for as long."""
    at, end = event.at, event.at + event.lasts if event.lasts else inf
    while event.verb == "flap" and at < end:
        yield at, min(at + event.amount, end)
        at += 2 * event.amount
    if event.verb != "flap":
        yield at, end
