"""A story -> the world as Lambi's config would have it. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Final

from monitor.config.checks import rule_of
from monitor.maintenance import Calendar, Window
from monitor.model import Asset, Check, Dependency, Rule, World
from monitor.replay.sentences import Watch
from monitor.replay.story import Story
from probes.icmp import Icmp
from probes.model import Target

START: Final = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
"""When every story begins: a Tuesday in the hurricane season."""
ROUND: Final = 5.0
"""Seconds between two rounds of references."""
ADDRESSES = {4: "198.51.100.{}", 6: "2001:db8::{:x}"}
"""Documentation only (RFC 5737, RFC 3849): nobody is ever asked."""


def build(story: Story, shipped: World, start: datetime = START) -> World:
    """Make the world that Lambi is configured with; the severities, territories and defaults are the shipped ones."""
    rule = Rule() if story.rule is None else rule_of(story.rule)
    checks = [check for name, line in story.lines.items() if line.watched for check in _checks(story, name, line, rule)]
    families = {check.target.family for check in checks}
    checks += [_reference(story, network, family) for family in sorted(families) for network in story.networks]
    return replace(
        shipped,
        vantage=story.places[0],
        vantages=story.places[1:],
        assets=_assets(story),
        checks={check.id: check for check in checks},
        dependencies=tuple(_dependencies(story, start)),
        quorum=shipped.quorum if story.quorum is None else story.quorum,
        settle_seconds=shipped.settle_seconds if story.settle is None else story.settle,
        hold_seconds=shipped.hold_seconds if story.hold is None else story.hold,
        reopen_seconds=shipped.reopen_seconds if story.reopen is None else story.reopen,
    )


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
        yield Check(
            f"{target.id}/icmp", name, target, "icmp", Icmp(), every, story.timeout, rule, line.serves, local=line.local
        )


def _reference(story: Story, network: str, family: int) -> Check:
    target = Target(f"reference:{network}/{family}", ADDRESSES[family].format(2), family)
    return Check(f"{target.id}/icmp", story.places[0], target, "icmp", Icmp(), ROUND, 2.0, Rule(), reference=network)


def _dependencies(story: Story, start: datetime) -> Iterable[Dependency]:
    for name, line in story.lines.items():
        for need in line.needs:
            if need.known:
                yield Dependency(
                    name,
                    need.needs,
                    need.mode,
                    need.confirmed,
                    "the story",
                    need.weights,
                    need.at_least,
                    start + timedelta(seconds=need.since) if need.since else None,
                    start + timedelta(seconds=need.until) if need.until < inf else None,
                )


def announced(story: Story) -> Calendar:
    """Return the work that a story announces."""
    return Calendar(
        Window(str(number), name, _at(event.at), _at(event.at + (event.lasts or 0.0)), event.text, "the story")
        for number, event in enumerate(story.events)
        if event.verb == "maintain"
        for word in event.what
        for name in story.matching(word)
    )


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)
