"""A story's file: what is watched, what happens, what is expected. Every problem is told at its line."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PlainValidator, model_validator

from monitor.config import ConfigError
from monitor.config.depends import cycles
from monitor.config.nodes import Node, UnreadableError, read_yaml
from monitor.config.problems import Problem, did_you_mean
from monitor.config.schema import RuleRow
from monitor.config.strict import KINDS, Positive, Strict
from monitor.config.types import Duration, Slug
from monitor.config.validate import validated
from monitor.model import Phase
from monitor.replay import sentences
from monitor.replay.sentences import Event, Never, Wanted, Watch, When

_RANGE = re.compile(r"(?P<head>[^{}]*)\{(?P<first>\d{1,4})\.\.(?P<last>\d{1,4})\}(?P<tail>[^{}]*)")
MOST = 5000
"""So many assets at the most: a slip of the pen in {1..N} fills no memory."""
AFTER = 60.0
"""Seconds that a story goes on after its last line."""


class Claim(Strict):
    """What should be so at one time. Short: what is open."""

    open: Annotated[tuple[Wanted, ...], PlainValidator(sentences.read_open)] | None = None
    """Exactly these incidents."""
    states: dict[str, Annotated[Phase, PlainValidator(sentences.read_phase)]] = Field(default_factory=dict)
    """What the page shows of assets; ``*`` stands for any letters."""
    told: int | None = None
    """Messages so far to somebody who hears everything."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"open": value} if isinstance(value, str) else value


class Story(Strict):
    """One story. Times count from its beginning."""

    story: Annotated[str, Field(min_length=1)]
    about: str = ""
    every: Positive = 10.0
    timeout: Positive = 2.0
    references: Annotated[int, Field(ge=0, le=9)] = 3
    """Networks that show whether a vantage sees the world, over each family that is asked."""
    vantages: Annotated[tuple[Slug, ...], Field(min_length=1)] = ("here",)
    quorum: Annotated[int, Field(ge=1)] | None = None
    settle: Duration | None = None
    hold: Duration | None = None
    reopen: Duration | None = None
    rule: RuleRow | None = None
    seed: int = 1
    watch: dict[str, Annotated[Watch, PlainValidator(sentences.read_watch)]]
    events: tuple[Annotated[Event, PlainValidator(sentences.read_event)], ...] = ()
    expect: dict[Annotated[When, PlainValidator(sentences.read_when)], Claim] = Field(default_factory=dict)
    never: tuple[Annotated[Never, PlainValidator(sentences.read_never)], ...] = ()
    incidents: int | None = None
    """How many are opened in all."""
    told: int | None = None
    """How many messages somebody who hears everything would get in all."""
    ends: Duration | None = None

    @cached_property
    def lines(self) -> dict[str, Watch]:
        """What is watched, ``site:s{1..3}`` written out as three assets."""
        return {name: line for key, line in self.watch.items() for name in several(key)}

    @cached_property
    def length(self) -> float:
        """Seconds that it takes."""
        times = [when.until for when in self.expect] + [event.at + (event.lasts or 0.0) for event in self.events]
        return self.ends or max(times, default=0.0) + AFTER

    def last_before(self, at: float) -> float:
        """Return when the last thing before a moment happened: an event, or its end."""
        edges = [edge for event in self.events for edge in (event.at, event.at + (event.lasts or 0.0))]
        return max((edge for edge in edges if edge < at), default=0.0)

    @cached_property
    def assets(self) -> tuple[str, ...]:
        """Every asset that it names, in its own words' order."""
        named = dict.fromkeys(self.lines)
        for line in self.lines.values():
            named |= dict.fromkeys(line.serves)
            for need in line.needs:
                named |= dict.fromkeys(need.needs)
        return tuple(named)

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The vantages' asset ids; the first is the one that tells."""
        return tuple(f"vantage:{name}" for name in self.vantages)

    def matching(self, what: str) -> list[str]:
        """Return the assets, vantages and references that a word of the story means."""
        known = (*self.assets, *self.places, *(f"reference:{name}" for name in self.networks))
        if what == "everything":
            return list(known)
        return [name for name in known if fnmatchcase(name, what)]

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks of the references: a, b, c ..."""
        return tuple("abcdefghi"[: self.references])


def several(key: str) -> Iterator[str]:
    """Yield what ``site:s{1..3}`` stands for, or the key itself."""
    match = _RANGE.fullmatch(key)
    if match is None or int(match["last"]) - int(match["first"]) >= MOST:
        yield key
        return
    for number in range(int(match["first"]), int(match["last"]) + 1):
        yield f"{match['head']}{number}{match['tail']}"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something is named: the keys that lead there, and the name."""

    location: tuple[str | int, ...]
    name: str


def load(path: Path) -> Story:
    """Return the story of a file; raises ConfigError with every problem."""
    try:
        tree, problems = read_yaml(path)
    except UnreadableError as error:
        raise ConfigError([error.problem]) from None
    story, wrong = validated(Story, tree.plain(), tree)
    problems += wrong
    if story is not None:
        problems += [*_unknown(story, tree), *_kinds(story, tree), *_circles(story, tree)]
    if story is None or problems:
        raise ConfigError(sorted(problems, key=lambda problem: problem.line))
    return story


def find(path: Path) -> list[Path]:
    """Return the stories of a folder, or the one file."""
    return sorted(path.glob("*.yaml")) if path.is_dir() else [path]


def _names(story: Story) -> Iterator[_Place]:
    for number, event in enumerate(story.events):
        yield from (_Place(("events", number), name) for name in event.what if name)
        if event.vantage:
            yield _Place(("events", number), event.vantage)
    for number, never in enumerate(story.never):
        yield _Place(("never", number), never.what)
    for when, claim in story.expect.items():
        for wanted in claim.open or ():
            yield _Place(("expect", when.text), wanted.cause)
        for name in claim.states:
            yield _Place(("expect", when.text, "states"), name)


def _unknown(story: Story, tree: Node) -> Iterable[Problem]:
    for place in _names(story):
        if not story.matching(place.name):
            near = did_you_mean(place.name, (*story.assets, *story.places))
            yield tree.at(*place.location).problem(f'"{place.name}" is in no line of watch{near}')


def _kinds(story: Story, tree: Node) -> Iterable[Problem]:
    for name in story.assets:
        kind = name.partition(":")[0]
        if kind not in KINDS:
            yield tree.at("watch").problem(f'"{name}" is of no kind that is known{did_you_mean(kind, KINDS)}')


def _circles(story: Story, tree: Node) -> Iterable[Problem]:
    needs = {name: [need for each in line.needs for need in each.needs] for name, line in story.lines.items()}
    for way in cycles(needs):
        yield tree.at("watch", way[0]).problem(f"needs itself: {' -> '.join(way)}")
