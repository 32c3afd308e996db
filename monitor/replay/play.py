"""Plays a story and judges it: what happened, what was expected, what came. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from monitor.incidents import standings
from monitor.model import Incident, Phase, World
from monitor.replay.engine import Replay
from monitor.replay.sentences import Never, Wanted, When
from monitor.replay.stage import Stage
from monitor.replay.story import Claim, Story
from monitor.replay.world import START, announced, build


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline."""

    at: float
    kind: str
    """event, opened, reopened, worse, updated, closed, told, met, missed"""
    text: str


@dataclass(slots=True)
class Played:
    """How a story went."""

    story: Story
    lines: list[Line] = field(default_factory=list)
    opened: int = 0
    told: int = 0
    looks: int = 0

    @property
    def missed(self) -> list[Line]:
        """Return what was expected and did not come, or came and should not have."""
        return [line for line in self.lines if line.kind == "missed"]


def play(story: Story, shipped: World) -> Played:
    """Play a story to its end."""
    stage = Stage(story)
    late = stage.delays if any(event.verb == "delay" for event in story.events) else None
    replay = Replay(
        build(story, shipped),
        stage,
        start=START,
        vantages=story.places,
        steps=stage.steps,
        pauses=stage.pauses,
        delays=late,
        calendar=announced(story),
    )
    judge = _Judge(story, replay)
    for moment in judge.moments():
        if moment > replay.seconds:
            replay.run(moment - replay.seconds)
        judge.look(moment)
    return judge.verdict()


class _Judge:
    """Compares what is with what should be, second by second."""

    def __init__(self, story: Story, replay: Replay) -> None:
        self.story, self.replay = story, replay
        self.lines: list[Line] = []
        self._by = {when: story.last_before(when.until) for when in story.expect if when.word == "by"}
        """What should come, and since when: not before the last thing that happens before its time."""
        self._broken: set[When | Never] = set()
        self._print: tuple[object, ...] = ()
        self._always = [never for never in story.never if never.phase is not None]
        self._checks = self._watched(story)

    def _watched(self, story: Story) -> list[str]:
        """Return the checks whose assets are looked at all the time."""
        words = [never.what for never in self._always]
        words += [name for when, claim in story.expect.items() if when.word != "at" for name in claim.states]
        topology = self.replay.belief.topology
        assets = {name for word in words for name in story.matching(word)}
        return [check for name in sorted(assets) for check in topology.checks.get(name, ())]

    def moments(self) -> list[float]:
        """Return when to look: every second, and when something is expected."""
        times = {float(second) for second in range(1, int(self.story.length) + 1)}
        times |= {moment for when in self.story.expect for moment in (when.since, when.until)}
        return sorted({*times, self.story.length})

    def look(self, now: float) -> None:
        """Judge one second."""
        moved = self._moved()
        for when, claim in self.story.expect.items():
            if when in self._broken or (not when.since <= now <= when.until and when.word != "by"):
                continue
            if when.word == "by":
                self._look_by(when, claim, now, moved=moved)
            elif when.word == "at" or moved or now in {when.since, when.until}:
                self._look_at(when, claim, now)
        if moved and self._seen():
            for never in self._always:
                self._look_never(never, now)

    def _seen(self) -> bool:
        """Whether everything has been looked at: before that all is unknown, as it should be."""
        states = self.replay.belief.states
        return all(check in states for check in self._checks)

    def _moved(self) -> bool:
        """Whether anything that is claimed all the time may have changed since the last look."""
        states, record = self.replay.belief.states, self.replay.record
        phases = tuple(state.phase for check in self._checks for state in states.get(check, {}).values())
        seen = len(record.changes), len(record.signals), len(record.told), phases
        moved, self._print = seen != self._print, seen
        return moved

    def _look_by(self, when: When, claim: Claim, now: float, *, moved: bool) -> None:
        if when not in self._by or now <= self._by[when] or not (moved or now >= when.until):
            return
        wrong = self._against(claim)
        if not wrong:
            self._say(now, met=True, text=f"{when.text}: {_told(claim)}")
        elif now >= when.until:
            self._say(now, met=False, text=f"{when.text}: {'; '.join(wrong)}")
        else:
            return
        del self._by[when]

    def _look_at(self, when: When, claim: Claim, now: float) -> None:
        wrong = self._against(claim)
        if wrong:
            self._broken.add(when)
            self._say(now, met=False, text=f"{when.text}: {'; '.join(wrong)}")
        elif now >= when.until:
            self._say(now, met=True, text=f"{when.text}: {_told(claim)}")

    def _look_never(self, never: Never, now: float) -> None:
        if never in self._broken:
            return
        found = [name for name, phase in self._states(never.what).items() if phase is never.phase]
        if found:
            self._broken.add(never)
            self._say(now, met=False, text=f"never {never.text}: {_names(found)} is")

    def _against(self, claim: Claim) -> list[str]:
        """Return in words what differs from a claim."""
        wrong = []
        if claim.open is not None:
            wrong += _differences(claim.open, self.replay.belief.book.open.values())
        for word, phase in claim.states.items():
            other: dict[Phase, list[str]] = {}
            for name, found in self._states(word).items():
                if found is not phase:
                    other.setdefault(found, []).append(name)
            wrong += [f"{_names(names)} is {found}, not {phase}" for found, names in other.items()]
        told = len(self.replay.record.told)
        if claim.told is not None and told != claim.told:
            wrong.append(f"{told} messages, not {claim.told}")
        return wrong

    def _states(self, word: str) -> dict[str, Phase]:
        """Return how the page shows assets."""
        belief = self.replay.belief
        known = [name for name in self.story.matching(word) if name in belief.world.assets]
        shown = standings(known, belief.book, belief.outlook(belief.now))
        return {name: standing.shown for name, standing in shown.items()}

    def verdict(self) -> Played:
        """Lay the timeline out."""
        record, end = self.replay.record, self.story.length
        opened = [change.incident for _, change in record.changes if change.what == "opened"]
        for name, wanted, came in (
            ("incidents", self.story.incidents, len(opened)),
            ("messages", self.story.told, len(record.told)),
        ):
            if wanted is not None:
                self._say(end, met=came == wanted, text=f"{wanted} {name} in all" + f", {came} came" * (came != wanted))
        for never in self.story.never:
            self._end_never(never, opened, end)
        lines = [Line(event.at, "event", event.text.partition(" ")[2]) for event in self.story.events]
        lines += [Line(at, c.what, _headline(c.incident, c.what)) for at, c in record.changes]
        lines += [Line(m.seconds, "told", f"incident {m.incident}: {m.reason}, {m.severity}") for m in record.told]
        played = Played(self.story, sorted([*lines, *self.lines], key=lambda line: line.at))
        played.opened, played.told, played.looks = len(opened), len(record.told), record.looks
        return played

    def _end_never(self, never: Never, opened: Sequence[Incident], end: float) -> None:
        found = [incident.asset for incident in opened if fnmatchcase(incident.asset, never.what)]
        if never.phase is None and found:
            self._say(end, met=False, text=f"never {never.text}: {_names(found)} had one")
        elif never not in self._broken:
            self._say(end, met=True, text=f"never {never.text}")

    def _say(self, at: float, *, met: bool, text: str) -> None:
        self.lines.append(Line(at, "met" if met else "missed", text))


def _differences(wanted: Sequence[Wanted], found: Iterable[Incident]) -> list[str]:
    """Say which incidents are missing, which are too many, and what is wrong with those that are there."""
    left = {incident.asset: incident for incident in found}
    wrong = []
    for one in wanted:
        incident = left.pop(one.cause, None)
        if incident is None:
            wrong.append(f"no incident of {one.cause}")
        elif one.severity is not None and incident.severity is not one.severity:
            wrong.append(f"{one.cause} is {incident.severity}, not {one.severity}")
        elif one.silent is not None and len(incident.children) != one.silent:
            wrong.append(f"{len(incident.children)} stand silently behind {one.cause}, not {one.silent}")
    if left:
        wrong.append(f"{_names([f'{asset} ({incident.severity})' for asset, incident in left.items()])} open as well")
    return wrong


def _told(claim: Claim) -> str:
    """Say a claim in words."""
    parts = []
    if claim.open is not None:
        parts.append("open: " + ("; ".join(map(_wanted, claim.open)) or "nothing"))
    parts += [f"{name} is {phase}" for name, phase in claim.states.items()]
    if claim.told is not None:
        parts.append(f"{claim.told} messages")
    return "; ".join(parts)


def _wanted(one: Wanted) -> str:
    silent = f", silent {one.silent}" if one.silent is not None else ""
    return one.cause + (f" {one.severity}" if one.severity else "") + silent


def _headline(incident: Incident, what: str) -> str:
    fresh = what in {"opened", "reopened", "worse"}
    text = f"{incident.severity}, {incident.title}: {incident.reason}" if fresh else incident.timeline[-1].text
    silent = f"; {len(incident.children)} silent behind it" if incident.children else ""
    return f"incident {incident.id} of {incident.asset}: {text}{silent}"


def _names(names: Sequence[str], most: int = 3) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
