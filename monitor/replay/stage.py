"""A story -> the world as Lambi knows it, and the world as it is, which answers. Pure but for the shipped tables."""

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from monitor.model import Asset, Check, Dependency, Rule, Threshold, World
from monitor.replay.engine import OK, REFUSED, SILENT
from monitor.replay.sentences import LOSING, Event, Watch
from monitor.replay.story import Story
from probes.icmp import Icmp
from probes.model import Part, Target

ROUND: Final = 5.0
"""Seconds between two rounds of references."""
QUICK: Final = 0.05
"""Seconds that an answer takes where nothing is slow."""
ADDRESSES = {4: "198.51.100.{}", 6: "2001:db8::{:x}"}
"""Documentation only (RFC 5737, RFC 3849): nobody is ever asked."""


def build(story: Story, shipped: World) -> World:
    """Make the world that Lambi is configured with; the severities, territories and defaults are the shipped ones."""
    rule = _rule(story)
    checks = [check for name, line in story.lines.items() if line.watched for check in _checks(story, name, line, rule)]
    families = {check.target.family for check in checks}
    checks += [_reference(story, network, family) for family in sorted(families) for network in story.networks]
    return replace(
        shipped,
        vantage=story.places[0],
        vantages=story.places[1:],
        assets=_assets(story),
        checks={check.id: check for check in checks},
        dependencies=tuple(_dependencies(story)),
        quorum=shipped.quorum if story.quorum is None else story.quorum,
        settle_seconds=shipped.settle_seconds if story.settle is None else story.settle,
    )


def _rule(story: Story) -> Rule:
    row = story.rule
    if row is None:
        return Rule()
    limits = tuple(Threshold(limit.key, limit.above, limit.below) for limit in row.thresholds)
    return Rule(row.fall, row.rise, row.silence, row.refusal, limits)


def _assets(story: Story) -> dict[str, Asset]:
    found = {}
    for name in (*story.assets, *story.places):
        line = story.lines.get(name, Watch())
        kind, _, slug = name.partition(":")
        found[name] = Asset(name, kind, line.name or slug, line.territories)
    return found


def _checks(story: Story, name: str, line: Watch, rule: Rule) -> Iterable[Check]:
    for family in line.families:
        target = Target(f"{name}/{family}", ADDRESSES[family].format(1), family)
        every = line.every or story.every
        yield Check(f"{target.id}/icmp", name, target, "icmp", Icmp(), every, story.timeout, rule, line.serves)


def _reference(story: Story, network: str, family: int) -> Check:
    target = Target(f"reference:{network}/{family}", ADDRESSES[family].format(2), family)
    return Check(f"{target.id}/icmp", story.places[0], target, "icmp", Icmp(), ROUND, 2.0, Rule(), reference=network)


def _dependencies(story: Story) -> Iterable[Dependency]:
    for name, line in story.lines.items():
        for need in line.needs:
            if need.known:
                yield Dependency(name, need.needs, need.mode, need.confirmed, "the story")


@dataclass(frozen=True, slots=True)
class _Spell:
    """One thing that holds for a while."""

    since: float
    until: float
    event: Event
    what: frozenset[str]

    def touches(self, asset: str, family: int, vantage: str) -> bool:
        """Whether it is about looks of this kind."""
        event = self.event
        return asset in self.what and event.family in {None, family} and event.vantage in {"", vantage}


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
        self._spells = list(_spells(story))
        self._mute = [s for s in self._spells if s.event.verb == "mute"]
        self._lies = [s for s in self._spells if s.event.verb in {"up", "down"}]
        self._late = [s for s in self._spells if s.event.verb == "delay"]
        self._edges = sorted({edge for spell in self._spells for edge in (spell.since, spell.until)})
        self._fates: dict[tuple[int, str, str, int], Fate] = {}
        self.steps = {event.at: event.amount for event in story.events if event.verb == "clock"}
        self.pauses = {event.at: event.lasts or 0.0 for event in story.events if event.verb == "pause"}

    def answer(self, vantage: str, check: Check, seconds: float) -> tuple[Part, float] | None:
        """Say what a look sees."""
        asset = f"reference:{check.reference}" if check.reference else check.asset
        epoch = bisect_right(self._edges, seconds)
        if self._mute and any(s.since <= seconds < s.until and s.event.vantage == vantage for s in self._mute):
            return None
        fate = self._fate(epoch, vantage, asset, check.target.family)
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
        return next((s.event.amount for s in self._late if s.since <= seconds < s.until), 0.0)

    def _chance(self, vantage: str, check: Check, seconds: float) -> float:
        return zlib.crc32(f"{self._story.seed} {vantage} {check.id} {seconds:.3f}".encode()) / 2**32

    def _told(self, fate: Fate, vantage: str, seconds: float) -> Fate:
        """Say what a vantage claims that does not tell the truth."""
        lie = next((s for s in self._lies if s.since <= seconds < s.until and s.event.vantage == vantage), None)
        return fate if lie is None else Fate(lost=1.0) if lie.event.verb == "down" else Fate()

    def _fate(self, epoch: int, vantage: str, asset: str, family: int) -> Fate:
        """Say what becomes of looks at an asset: by its own state, by the link of the vantage, by what it needs."""
        key = epoch, vantage, asset, family
        known = self._fates.get(key)
        if known is None:
            begin = self._edges[epoch - 1] if epoch else -inf
            spells = [spell for spell in self._spells if spell.since <= begin < spell.until]
            link = _own(spells, vantage, family, vantage)
            known = self._fates[key] = _both(link, self._whole(spells, asset, family, vantage))
        return known

    def _whole(self, spells: list[_Spell], asset: str, family: int, vantage: str) -> Fate:
        fate = _own(spells, asset, family, vantage)
        line = self._story.lines.get(asset)
        for need in line.needs if line else ():
            if not need.true:
                continue
            # a refusal is the asset's own: what stands behind a server that refuses is not refused
            ways = [replace(self._whole(spells, name, family, vantage), refused=False) for name in need.needs]
            if need.mode == "any":
                fate = _both(fate, min(ways, key=lambda way: (way.lost, way.slow)))
            else:
                for way in ways:
                    fate = _both(fate, way)
        return fate


def _own(spells: list[_Spell], asset: str, family: int, vantage: str) -> Fate:
    fate = Fate()
    for spell in spells:
        if not spell.touches(asset, family, vantage):
            continue
        if spell.event.verb == "refuse":
            fate = replace(fate, refused=True)
        elif spell.event.verb == "slow":
            fate = _both(fate, Fate(slow=spell.event.amount))
        elif spell.event.verb == "lose":
            fate = _both(fate, Fate(lost=spell.event.amount))
        elif spell.event.verb in LOSING:
            fate = _both(fate, Fate(lost=1.0))
    return fate


def _both(one: Fate, other: Fate) -> Fate:
    """Lay two fates over each other; where nothing comes through, nothing refuses either."""
    lost = 1.0 - (1.0 - one.lost) * (1.0 - other.lost)
    return Fate(lost, one.slow + other.slow, (one.refused or other.refused) and lost < 1.0)


def _spells(story: Story) -> Iterable[_Spell]:
    """Lay out from when to when each event holds: until its time is over, or until what it hit is healed."""
    for event in story.events:
        what = frozenset(name for word in event.what if word for name in story.matching(word))
        if event.verb in {"heal", "clock", "pause", "maintain"}:
            continue
        if event.verb == "flap":
            yield from _flaps(event, what)
        elif not what:
            yield _Spell(event.at, event.at + event.lasts if event.lasts else inf, event, what)
        else:
            for name in what:
                yield _Spell(event.at, _ends(story, event, name), event, frozenset({name}))


def _ends(story: Story, event: Event, name: str) -> float:
    healed: Mapping[str, float] = {
        other.text: other.at
        for other in story.events
        if other.verb == "heal" and other.at > event.at and any(name in story.matching(word) for word in other.what)
    }
    own = event.at + event.lasts if event.lasts else inf
    return min([own, *healed.values()])


def _flaps(event: Event, what: frozenset[str]) -> Iterable[_Spell]:
    """Away for ``every`` seconds, back for as long, and so on."""
    at, end = event.at, event.at + (event.lasts or 0.0)
    while at < end:
        yield _Spell(at, min(at + event.amount, end), event, what)
        at += 2 * event.amount
