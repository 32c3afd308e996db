"""Why something is believed, in plain words: looks, rule, own link, needs, vantages, incident, what next. Pure."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from monitor.belief import Belief
from monitor.ground import Ground, Held, change, ground, rule
from monitor.guard import NAMES
from monitor.impact import sure
from monitor.incidents import standings
from monitor.model import Dependency, Incident, Phase, State
from monitor.outlook import TROUBLE, UNSEEN, Outlook
from monitor.standing import Standing
from monitor.topology import references

MOST = 6
"""So many checks are named, the worst first."""
FIRST = (Phase.DOWN, Phase.PARTITIONED, Phase.DEGRADED, Phase.SUSPECT, Phase.RECOVERING, Phase.UNKNOWN, Phase.UP)


class Because(NamedTuple):
    """One sentence of an explanation."""

    topic: str
    """looks, rule, own link, needs, vantages, incident, maintenance, change"""
    text: str


@dataclass(frozen=True, slots=True)
class Why:
    """The explanation of one verdict."""

    asset: str
    name: str
    phase: Phase
    since: datetime | None
    at: datetime
    verdict: str
    because: tuple[Because, ...]


def find(belief: Belief, word: str) -> tuple[str, tuple[str, ...]]:
    """Return the asset that is meant by its id, or by a check, target or address of its; and which checks are meant.

    Raises LookupError with a sentence.
    """
    world = belief.world
    if word in world.assets:
        return word, tuple(belief.topology.checks.get(word, ()))
    found = [c for c in world.checks.values() if not c.reference and word in {c.id, c.target.id, c.target.address}]
    assets = sorted({check.asset for check in found})
    if not assets:
        raise LookupError(f"no asset, check, target or address here is called {word}")
    if len(assets) > 1:
        raise LookupError(f"several assets are asked at {word}: {', '.join(assets[:MOST])}; name one of them")
    return assets[0], tuple(check.id for check in found)


def why(belief: Belief, word: str) -> Why:
    """Explain what is believed of an asset, or of a check, target or address of it; raises LookupError."""
    asset, checks = find(belief, word)
    case = _Case(belief, asset, checks)
    shown = case.shown
    whole = len(checks) == len(belief.topology.checks.get(asset, ()))
    part = "" if whole else f"; this is about {len(checks)} of its checks"
    since = f" since {case.clock(shown.since)}" if shown.since and shown.phase is not Phase.NOT_WATCHED else ""
    reason = f": {shown.reason}" if shown.reason else ""
    verdict = f"{case.name(asset)} is {shown.shown}{since}{reason}{part}"
    return Why(asset, case.name(asset), shown.shown, shown.since, belief.now, verdict, tuple(case.explain()))


class _Case:
    """One asset at one moment."""

    def __init__(self, belief: Belief, asset: str, checks: Sequence[str]) -> None:
        self.belief, self.asset, self.checks = belief, asset, checks
        self.topology, self.book, self.now = belief.topology, belief.book, belief.now
        self.view: Outlook = belief.outlook(self.now)
        self.shown = self._standings([asset])[asset]
        self.name = self.topology.name

    def clock(self, when: datetime) -> str:
        """Return a time of day, with its date unless it is today's."""
        day = "" if when.date() == self.now.date() else f"{when.day} {when:%b %Y} "
        return f"{day}{when:%H:%M:%S} UTC"

    def explain(self) -> Iterator[Because]:
        """Yield all there is to say, the evidence first."""
        held = self._held()
        for topic, sentences in (
            ("looks", self._looks(held)),
            ("rule", self._rules(held)),
            ("own link", self._own_link(held)),
            ("needs", self._needs()),
            ("vantages", self._vantages(held)),
            ("maintenance", self._maintenance()),
            ("incident", self._incident()),
            ("change", self._changes(held)),
        ):
            yield from (Because(topic, text) for text in dict.fromkeys(sentences))

    def _standings(self, assets: Iterable[str]) -> dict[str, Standing]:
        return standings(assets, self.book, self.view)

    def _held(self) -> list[Held]:
        """Return the parts of its checks, the worst first."""
        contested = self.belief.quorum.contested if self.belief.quorum else {}
        checks = self.belief.world.checks
        found = [
            Held(checks[name], part, state, self.now, contested=(name, part) in contested)
            for name in self.checks
            if name in checks
            for part, state in self.topology.parts(self.asset, name, self.belief.states).items()
        ]
        return sorted(found, key=lambda held: (FIRST.index(held.state.phase), held.check.id, held.part))

    def _looks(self, held: Sequence[Held]) -> Iterator[str]:
        yield from (self._look(one) for one in held[:MOST])
        rest = held[MOST:]
        if rest:
            words = ", ".join(
                f"{count} {phase}" for phase in FIRST if (count := sum(one.state.phase is phase for one in rest))
            )
            yield f"{len(rest)} more of its checks: {words}"
        if self.checks and self.topology.kind(self.asset) == "vantage":
            yield from (self._round(self.asset, f) for f in NAMES if references(self.asset, f) in self.checks)
        elif self.checks and not held:
            yield "none of its checks has looked yet"
        elif not self.checks:
            yield "no check watches it: only what others tell of it is known"

    def _look(self, held: Held) -> str:
        check, state = held.check, held.state
        part = f" {held.part}" if held.part else ""
        of = "" if check.asset == self.asset else f", of {self.name(check.asset)}"
        said = f": {state.reason}" if state.reason else ""
        when = f"last look {self.clock(state.seen)}" if ground(held) is not Ground.FIRST else "no look yet"
        name = check.id.removeprefix(f"{check.target.id}/{check.kind}").replace("/", " ")
        what = f"{check.kind}{name} {check.target.address}{part} over {NAMES[check.target.family]}{of}"
        return f"{what}: {state.phase}, {when}{said}"

    def _rules(self, held: Sequence[Held]) -> Iterator[str]:
        for one in self._kinds(held):
            yield f"{one.state.phase}, because {ground(one)}: {rule(one)}"
        if len(held) > 1:
            yield "it is down when all that can be seen of it is down, degraded when some is"
        if self.topology.kind(self.asset) == "vantage":
            yield f"it sees the world while references in {self.belief.world.quorum} networks answer"
        elif not held:
            yield "where nothing has looked, nothing is claimed: it is neither up nor down"

    def _kinds(self, held: Iterable[Held]) -> list[Held]:
        """Return one for each sentence that there is to say: by ground and rule, in doubt each for itself."""
        alone = {Ground.COUNTING, Ground.GRADING, Ground.RETURNING}
        kinds: dict[object, Held] = {}
        for one in held:
            known = ground(one)
            kinds.setdefault((known, one.check.id if known in alone else rule(one)), one)
        return list(kinds.values())[:MOST]

    def _own_link(self, held: Sequence[Held]) -> Iterator[str]:
        families = sorted({one.check.target.family for one in held if not one.check.local})
        yield from (self._round(vantage, family) for vantage in self.belief.sights for family in families)
        if any(one.check.local for one in held):
            yield "it stands on this side of the own link: its failures count while that is cut too"

    def _round(self, vantage: str, family: int) -> str:
        """Say what the references of one family last said to a vantage."""
        sight = self.belief.sights[vantage]
        state = sight.states.get(references(vantage, family), {}).get("")
        name = NAMES[family] + (f" from {self.name(vantage)}" if len(self.belief.sights) > 1 else "")
        if not sight.guard.references(family):
            return f"over {name} there are no references: every failed look counts"
        if state is None:
            return f"over {name} no round of references is complete yet: no failed look counts before"
        waits = "; failed looks wait for the next round" if family in sight.guard.waiting() else ""
        if state.phase is Phase.UP:
            said = f"references in {state.values.get('networks_answering', 'enough')} networks answered"
            return f"over {name} the world was seen at {self.clock(state.seen)}: {said}{waits}"
        return f"over {name} the own link is {state.phase} since {self.clock(state.since)}: {state.reason}{waits}"

    def _needs(self) -> Iterator[str]:
        asset = self.asset
        for one in self.topology.needs.get(asset, ()):
            yield self._dependency(one)
        cause = self.view.cause(asset) if self.shown.phase is not Phase.UP else None
        if cause:
            yield f"{self.name(cause)} explains its trouble"
        presumed = self.view.presumed(asset)
        if presumed:
            words = f"{sure(presumed.confidence)}, {presumed.confidence:.0%}"
            fell = f"{len(presumed.down)} of {presumed.known} that need it went down at once"
            yield f"it is presumed to be lost ({words}): {fell}: {self.topology.names(presumed.down)}"
        for one in self.topology.hypotheses.get(asset, ()):
            age = f", as of {one.as_of}" if one.as_of else ""
            yield f"it may need {self._group(one)} (not confirmed: {one.source}{age}): that silences nobody"
        servers = self.topology.servers.get(asset, ())
        if servers:
            left = self.topology.servers_left(asset, self.belief.states)
            yield f"it is what its servers answer for it: {self.topology.names(servers)}; {left[1] if left else ''}"
        if not (self.topology.needs.get(asset) or servers or self.topology.hypotheses.get(asset)):
            yield "nobody has said what it needs: nothing else explains its trouble"

    def _dependency(self, one: Dependency) -> str:
        held = "" if one.holds(self.now) else "; not in force now"
        return f"it needs {self._group(one)}{held}"

    def _group(self, one: Dependency) -> str:
        shown = self._standings(one.needs)
        needs = [f"{self.name(need)} ({self._stands(need, shown[need])})" for need in one.needs[:MOST]]
        more = f" and {len(one.needs) - MOST} more" if len(one.needs) > MOST else ""
        much = {"all": "all of ", "any": "any of "}.get(one.mode, f"{one.at_least:g} of {sum(one.weights):g} by ")
        return f"{much if len(one.needs) > 1 else ''}{', '.join(needs)}{more}"

    def _stands(self, asset: str, standing: Standing) -> str:
        lost = self.view.lost(asset)
        if standing.phase in UNSEEN and lost:
            return f"lost since {self.clock(lost)}, by what others tell"
        since = standing.phase in TROUBLE | {Phase.UNREACHABLE} and standing.since
        return standing.shown.value + (f" since {self.clock(since)}" if since else "")

    def _vantages(self, held: Sequence[Held]) -> Iterator[str]:
        quorum = self.belief.quorum
        if quorum is None:
            yield f"one vantage looks, {self.name(self.belief.world.vantage)}: its word decides"
            return
        for one in held[:MOST]:
            votes = {name: sight.states.get(one.check.id, {}).get(one.part) for name, sight in quorum.sights.items()}
            said = ", ".join(f"{self.name(name)} {self._vote(vote)}" for name, vote in votes.items())
            need = f"{one.rule.agree or 'more than half of those that can say'} must agree"
            yield f"{one.check.id} {one.part}".strip() + f": {said}; {need}"
        for name in sorted(quorum.distrusted):
            yield f"{self.name(name)} is not believed: it alone says of many that they are down"

    def _vote(self, vote: State | None) -> str:
        return "has not looked" if vote is None else f"says {vote.phase}"

    def _maintenance(self) -> Iterator[str]:
        window = self.view.excuse(self.asset)
        if window:
            whose = "" if window.asset == self.asset else f" on {self.name(window.asset)}, which it needs"
            until = f"until {self.clock(window.until)}: {window.reason}"
            yield f"announced work{whose} {until}; trouble in that time opens no incident"

    def _incident(self) -> Iterator[str]:
        asset, found = self.asset, None
        for one in self.book.open.values():
            if asset in (one.asset, *one.children):
                found = found if found and found.asset == asset else one
        if found:
            yield self._stands_in(found)
        if asset in self.book.recovered:
            back = self.clock(self.book.recovered[asset])
            yield f"it is back since {back}; after {self.belief.world.hold_seconds:g} s, the incident closes"
        if asset in self.book.waiting:
            what = "the verdict on what it needs or stands beside"
            yield f"it tells nobody yet: since {self.clock(self.book.waiting[asset])} it waits for {what}"
        if not found and self.shown.phase in TROUBLE and self.view.severity(asset, self.shown.phase) is None:
            kind = self.topology.kind(asset)
            yield f"no incident: by the severity table a {kind} that is {self.shown.phase} opens none"
        elif not found:
            yield "no incident is open for it"

    def _stands_in(self, found: Incident) -> str:
        how = "is part of" if found.silent else "began in the moment of"
        part = f", which {how} incident {found.part_of}" if found.part_of else ""
        if found.asset == self.asset:
            return f"incident {found.id} is open for it since {self.clock(found.opened)}{part}"
        return f"it stands silently behind {self.name(found.asset)} in incident {found.id}{part}"

    def _changes(self, held: Sequence[Held]) -> Iterator[str]:
        yield from (change(one) for one in self._kinds(held))
        if self.shown.phase is Phase.UNREACHABLE:
            yield "when what it needs is back, it is looked at often, and speaks for itself if it stays away"
        if self.topology.kind(self.asset) == "vantage":
            yield "the next round of references"
        elif not held and self.checks:
            yield "its first look"
        elif not self.checks:
            yield f'a target in the config: "{self.asset} ADDRESS"'


def fact(found: Why) -> dict[str, object]:
    """Return an explanation as the API gives it."""
    return {
        "at": _stamp(found.at),
        "asset": found.asset,
        "name": found.name,
        "state": found.phase.value,
        "since": _stamp(found.since) if found.since else None,
        "verdict": found.verdict,
        "because": [{"topic": one.topic, "text": one.text} for one in found.because],
    }


def _stamp(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


def topics(because: Collection[Because]) -> dict[str, list[str]]:
    """Return the sentences by topic."""
    found: dict[str, list[str]] = {}
    for one in because:
        found.setdefault(one.topic, []).append(one.text)
    return found
