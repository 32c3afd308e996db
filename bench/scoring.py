"""Scores what a detector claimed against what truly happened. Pure; the same for every contender.

A claim (an incident from its opening or re-opening to its end, or an alert of a group; those of one incident or of one
group about one cause are folded into one) *touches* a cause when its asset, a child or a
member of it is something that the cause broke or hurt, and their times overlap (with a minute's grace after the heal).
Claims and causes are matched one to one, as many as can be, the best first: rightly named, then nearest in time.

recall      of the causes that had to be found (seen for longer than the rule needs, by somebody), how many are matched
precision   of all claims, how many are matched: a second claim about one cause counts against it like a false one
  alone     the same when nothing is folded but an incident's re-openings and one alert's firings: of what fell in one
            moment each incident counts by itself, as does each alert of a group. Folding forgives that several entries
            stand for one cause as long as they are told as one; this says how often they do
cause right of the required causes that are matched, how many are named rightly: the asset itself or, as nobody can do
            better, any asset whose failure would look just the same from here (what is watched above it, or below it)
told        beginnings told (a first message or a worse one) for each cause that is matched; ends are counted apart
in company  causes whose claim is of one session with another cause's: told together by accident of time and place
false       claims that touch no cause at all, for each 30 days
blind       claims about anything but a vantage made while no vantage saw the world, and for a quarter minute before
A fault that nobody could see, or not for a cadence and a minute on end, need not be found; who finds it is right.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace

from bench.truth import Cause, History

GRACE = 60.0
BLIND_GRACE = 15.0
"""A verdict may rest on looks that came back just before the link was cut."""
LATELY = 300.0
"""What was opened so shortly before the end need not be closed."""
MONTH = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class Claim:
    """What a detector said happened."""

    asset: str
    assets: frozenset[str]
    """The asset, and what it is said to have taken along."""
    opened: float
    closed: float | None
    told: int
    """Beginnings told of it."""
    name: str
    """As the explanation shows it."""
    session: str = ""
    """Claims of one session about one cause are one: an incident's re-openings, the alerts of a group."""
    rank: int = 0
    """Of those, the lowest names the cause."""
    alone: str = ""
    """What it is in nobody's company: an incident, an alert."""


@dataclass(slots=True)
class Score:
    """Counts that add up over histories."""

    required: int = 0
    found: int = 0
    right: int = 0
    claims: int = 0
    matched: int = 0
    again: int = 0
    """Claims that touch a cause which has another claim already."""
    alone: int = 0
    """Claims when only those of one incident, of one alert, are folded."""
    alone_matched: int = 0
    in_company: int = 0
    """Matched claims beyond the first of their session: each about a cause of its own."""
    false: int = 0
    beginnings: int = 0
    ends: int = 0
    blind: int = 0
    unclosed: int = 0
    """Claims that were open when all had long healed."""
    seconds: float = 0.0
    delays: list[float] = field(default_factory=list)
    """Seconds from a required cause to its claim."""
    beyond: list[float] = field(default_factory=list)
    """The same less what the rule needs at worst."""
    remarks: list[str] = field(default_factory=list)
    """What was not as it should be, a line each."""

    def add(self, other: "Score") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def recall(self) -> float:
        return self.found / self.required if self.required else 1.0

    @property
    def precision(self) -> float:
        return self.matched / self.claims if self.claims else 1.0

    @property
    def precision_alone(self) -> float:
        return self.alone_matched / self.alone if self.alone else 1.0

    @property
    def cause_right(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def told_per_cause(self) -> float:
        return self.beginnings / self.matched if self.matched else 0.0

    @property
    def false_per_month(self) -> float:
        return self.false * MONTH / self.seconds if self.seconds else 0.0


def touches(claim: Claim, cause: Cause) -> bool:
    """Whether a claim can be about a cause."""
    overlap = claim.opened < cause.until + GRACE and (claim.closed is None or claim.closed >= cause.since)
    return overlap and not cause.touched.isdisjoint(claim.assets)


def fold(claims: Iterable[Claim], causes: Sequence[Cause]) -> list[Claim]:
    """Make one claim of those of one session about one cause, or about none; the lowest rank names the cause."""
    heaps: dict[tuple[str, int], list[Claim]] = defaultdict(list)
    for claim in claims:
        about = min(
            (n for n, cause in enumerate(causes) if touches(claim, cause)),
            key=lambda n: (claim.asset not in causes[n].right, abs(claim.opened - causes[n].since)),
            default=-1,
        )
        heaps[claim.session, about].append(claim)
    return [_one(heap) for heap in heaps.values()]


def _one(heap: list[Claim]) -> Claim:
    first = min(heap, key=lambda claim: (claim.rank, claim.opened, claim.asset))
    ends = [claim.closed for claim in heap]
    return replace(
        first,
        assets=frozenset().union(*(claim.assets for claim in heap)),
        opened=min(claim.opened for claim in heap),
        closed=None if None in ends else max(end for end in ends if end is not None),
        told=sum(claim.told for claim in heap),
    )


def match(claims: Sequence[Claim], causes: Sequence[Cause]) -> dict[int, int]:
    """Return claim -> cause, one to one and as many as can be; the required causes and the best pairs first."""
    wishes: dict[int, list[int]] = {}
    for c, cause in enumerate(causes):
        fitting = [i for i, claim in enumerate(claims) if touches(claim, cause)]
        wishes[c] = sorted(
            fitting, key=lambda i: (claims[i].asset not in cause.right, abs(claims[i].opened - cause.since), i)
        )
    taken: dict[int, int] = {}

    def place(cause: int, tried: set[int]) -> bool:
        for claim in wishes[cause]:
            if claim not in tried:
                tried.add(claim)
                if claim not in taken or place(taken[claim], tried):
                    taken[claim] = cause
                    return True
        return False

    def merit(c: int) -> tuple[bool, bool, float]:
        best = claims[wishes[c][0]] if wishes[c] else None
        return not causes[c].required, best is None or best.asset not in causes[c].right, causes[c].since

    for number in sorted(wishes, key=merit):
        place(number, set())
    return taken


def score(history: History, made: Sequence[Claim], beginnings: int, ends: int) -> Score:
    """Score the claims made in one history, of which so many beginnings and ends were told."""
    causes = history.causes
    claims = fold(made, causes)
    result = Score(claims=len(claims), seconds=history.seconds, beginnings=beginnings, ends=ends)
    taken = match(claims, causes)
    for number, claim in enumerate(claims):
        _judge(result, history, claim, causes[taken[number]] if number in taken else None)
    sessions = Counter(claims[number].session for number in taken if claims[number].session)
    result.in_company = sum(count - 1 for count in sessions.values())
    alone = fold((replace(claim, session=claim.alone) for claim in made), causes)
    result.alone, result.alone_matched = len(alone), len(match(alone, causes))
    found = set(taken.values())
    for number, cause in enumerate(causes):
        if cause.required:
            result.required += 1
            if number not in found:
                result.remarks.append(f"missed: {describe(cause)}")
    return result


def _judge(result: Score, history: History, claim: Claim, cause: Cause | None) -> None:
    kind = claim.asset.partition(":")[0]
    if kind != "vantage" and history.blind(claim.opened) and history.blind(max(0.0, claim.opened - BLIND_GRACE)):
        result.blind += 1
        result.remarks.append(f"while blind: {claim.name}")
    if claim.closed is None and claim.opened < history.seconds - LATELY:
        result.unclosed += 1
        result.remarks.append(f"still open at the end: {claim.name}")
    if claim.told > 1:
        result.remarks.append(f"told {claim.told} times: {claim.name}")
    if cause is None:
        about = [each for each in history.causes if touches(claim, each)]
        result.again += bool(about)
        result.false += not about
        result.remarks.append(f"once more for {describe(about[0])}: {claim.name}" if about else f"false: {claim.name}")
        return
    result.matched += 1
    if cause.required:
        result.found += 1
        result.delays.append(max(0.0, claim.opened - cause.since))
        result.beyond.append(result.delays[-1] - cause.needed)
        if claim.asset in cause.right:
            result.right += 1
        else:
            result.remarks.append(f"wrong cause: {claim.name}; it was {describe(cause)}")


def describe(cause: Cause) -> str:
    """Return a cause in one line."""
    others = sorted(cause.right - {cause.asset})
    alike = f" (or {', '.join(others)})" if others else ""
    return f"{cause.what} {cause.asset}{alike} {cause.since:.0f}-{cause.until:.0f} s"
