"""What is usual for each measured value, learned while all is well, and the word on a look that is far from it. Pure.

One series for each (vantage, check, part, key). It learns from looks at what is UP and has no incident; it stands still
while a part is down, an incident is open on its asset, or the vantage is cut off. A value below zero is no measurement,
and an hour with fewer than three looks is not learned.
"""

import json
import math
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from monitor import figures
from monitor.loss import LOSS, Loss
from monitor.model import Baseline, Check, Incident, Learned, Phase, State
from monitor.views import Usual
from monitor.week import HOURS, Band, Change, Shift, Week, median
from probes.model import Observation, Outcome, Part, Value

FEWEST = 3
"""Looks an hour must have to be learned."""
MOST = 120
"""Looks of the hour that are kept: of more, every second, then every fourth ..."""
HUGE = 1e15
"""Larger values are no measurements."""
ABOVE_AFTER, BELOW_AFTER = 72, 144
"""Hours of the week that must be known before a word is said: less of something is the weekend, until one is known."""
SAVE_EVERY = 6
"""Hours between two savings of one series: at most so much learning is lost in a crash."""
SAVED_AT_ONCE = 20
"""Series that one commit may save."""
NOTHING, LASTING, ALL = 0, 1, 2
"""What is learned from a look: nothing; only whether trouble is the new normal; all."""
UP, OK = Phase.UP, Outcome.OK
NUMBER = (int, float)
HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Name = tuple[str, str, str]
"""Vantage, check, part."""


class Word(NamedTuple):
    """What a baseline says of a look."""

    graded: bool
    """It is far from the usual; otherwise only the reason has something to say."""
    reason: str


class Series:
    """One value of one part, as it usually is; what is learned has a fixed size."""

    __slots__ = (
        "band",
        "calm",
        "change",
        "far",
        "hour",
        "limit",
        "looks",
        "out",
        "peak",
        "ratio",
        "row",
        "saved",
        "seen",
        "shift",
        "side",
        "stride",
        "tainted",
        "untold",
        "week",
        "worst",
    )

    def __init__(self, row: Baseline, hour: int) -> None:
        self.row = row
        self.side = 1 if row.above is not None else -1
        self.ratio = row.above if row.above is not None else 1 / (row.below or 1.0)
        self.week = Week()
        self.shift: Shift | None = None
        self.change: Change | None = None
        """The last lasting change."""
        self.untold = False
        """It is why a part that was DEGRADED is as usual now."""
        self.worst = self.peak = -math.inf
        """The worst hour there ever was; the worst of the trouble that goes on. Times ``side``."""
        self.saved = hour
        self.out = True  # after a start, what is DEGRADED stays so until it is back to normal
        self.far = 0
        """Looks in a row that were out of the ordinary."""
        self.begin(hour)

    def begin(self, hour: int) -> None:
        """Begin an hour: until it ends, what to expect does not change."""
        self.hour = hour
        self.looks = array("d")
        self.seen, self.stride, self.tainted = 0, 1, False
        self.band: Band | None = self.week.band(hour, self.ratio, self.row.least)
        self.limit = self.calm = math.inf
        if self.band and self.week.known >= (ABOVE_AFTER if self.side > 0 else BELOW_AFTER):
            self.limit, self.calm = self._limits(self.band)

    def _limits(self, band: Band) -> tuple[float, float]:
        return (band.far_high, band.calm_high) if self.side > 0 else (-band.far_low, -band.calm_low)

    def hear(self, value: float, state: State, heed: int) -> Word | None:
        """Compare a value with the usual, and keep it if it may be learned from; ``heed`` as `Baselines` has it."""
        if state.settled is not UP:
            return self._hear_in_trouble(value, state.settled, heed)
        if heed == ALL:
            self.seen += 1
            if self.stride == 1 or not self.seen % self.stride:
                self._keep(value)
        if value * self.side <= self.limit:  # nearly every look comes here
            self.out, self.far = False, 0
            return None
        self.out, self.far = True, self.far + 1
        # two lost looks and one that was slow are no slow path: every look of the run against UP must have been far off
        return Word(graded=True, reason=self.word(value)) if self.far > state.run else None

    def _hear_in_trouble(self, value: float, settled: Phase, heed: int) -> Word | None:
        """Take a look at a part that is not settled UP: once out of the ordinary, it is so until back to normal."""
        worse = value * self.side
        far = worse > (self.calm if self.out else self.limit)
        self.out = self.out or far
        if settled is Phase.DEGRADED and self.out and heed != NOTHING:
            self.tainted = True
            self.seen += 1
            if not self.seen % self.stride:
                self._keep(value)
        if far:
            return Word(graded=True, reason=self.word(value))
        self.far = 0
        return Word(graded=False, reason=self.news()) if self.untold and settled is Phase.DEGRADED else None

    def _keep(self, value: float) -> None:
        """Keep a look of this hour."""
        self.looks.append(value)
        if len(self.looks) >= MOST:
            del self.looks[::2]
            self.stride *= 2

    def turn(self, hour: int) -> None:
        """Close the hour that has passed and begin another."""
        if len(self.looks) >= FEWEST:
            self._close(sorted(self.looks))
        self.begin(hour)

    def _close(self, looks: list[float]) -> None:
        middle, band = median(looks), self.band
        self._remember(middle * self.side)
        usual = band is None or band.calm_low <= middle <= band.calm_high
        if self.shift and self.shift.over(self.hour):
            self.shift = None
        if not self.tainted and (usual or not self.week.weeks[self.hour % HOURS]):
            self.week.learn(self.hour, looks)
        elif band and not usual:
            self._doubt(band, middle, looks)

    def _remember(self, worse: float) -> None:
        if self.tainted:
            self.peak = max(self.peak, worse)
        else:
            self.worst, self.peak, self.untold = max(self.worst, self.peak, worse), -math.inf, False

    def _doubt(self, band: Band, middle: float, looks: list[float]) -> None:
        """Take an hour unlike the usual: a lasting change becomes the usual, once."""
        higher = middle > band.middle
        if self.shift is None or self.shift.higher is not higher:
            self.shift = Shift(self.hour, self.hour, higher)
        self.shift.add(self.hour, band.middle, middle)
        if self.shift.lasting(self.hour):
            self.change = self.shift.settle(self.week, by_share=self.side < 0)
            self.shift, self.untold = None, True
        else:
            self.week.doubt(self.hour, looks)

    def word(self, value: float) -> str:
        """Say how far a value is from the usual."""
        band, key = self.band, self.row.key
        if band is None:
            return ""
        if self.side < 0:
            return figures.gone(key, value, band.middle)
        return figures.more(key, value, band.low, band.high, ever=value > self.worst)

    def news(self) -> str:
        """Say what changed for good, or ""."""
        change = self.change
        return figures.changed(self.row.key, change.before, change.after, _moment(change.hour)) if change else ""

    def usual(self, hour: int) -> Usual:
        """Say what is usual at an hour, for the page."""
        band = self.band if hour == self.hour else self.week.band(hour, self.ratio, self.row.least)
        told = band if band and self.limit < math.inf else None
        return Usual(self.row.key, told.low if told else None, told.high if told else None, self.news())

    def dump(self, name: Name) -> Learned:
        """Return what has been learned, as the journal keeps it."""
        week, shift = self.week, self.shift
        facts: dict[str, Any] = {"side": self.side, "change": self.change}
        facts |= {key: value for key in ("worst", "peak") if math.isfinite(value := getattr(self, key))}
        if shift:
            facts["shift"] = [shift.since, shift.last, shift.higher, shift.hours]
        arrays = (week.middles.tobytes(), week.spreads.tobytes(), bytes(week.weeks), bytes(week.doubts))
        return Learned(*name, self.row.key, *arrays, json.dumps(facts))

    def load(self, learned: Learned) -> None:
        """Go on with what was learned before; what is in another form, or of another direction, is forgotten."""
        facts = json.loads(learned.facts)
        sizes = tuple(map(len, (learned.middles, learned.spreads, learned.weeks, learned.doubts)))
        if sizes != (4 * HOURS, 4 * HOURS, HOURS, HOURS) or facts["side"] != self.side:
            return
        week = Week(array("f"), array("f"), bytearray(learned.weeks), bytearray(learned.doubts))
        week.middles.frombytes(learned.middles)
        week.spreads.frombytes(learned.spreads)
        self.week = week
        self.change = Change(*facts["change"]) if facts["change"] else None
        self.worst, self.peak = facts.get("worst", -math.inf), facts.get("peak", -math.inf)
        if "shift" in facts:
            since, last, higher, hours = facts["shift"]
            self.shift = Shift(since, last, higher, {int(h): [(a, b) for a, b in pairs] for h, pairs in hours.items()})
        self.begin(self.hour)


@dataclass(slots=True)
class _Watched:
    """The series of one part."""

    hour: int
    series: dict[str, Series] = field(default_factory=dict)
    loss: Loss | None = None
    """Of a whole check whose loss has a baseline."""

    def values(self, look: Observation, part: Part, state: State) -> Mapping[str, Value]:
        """Return what a good look measured, and the loss that it and those before it make."""
        if self.loss is None:
            return part.values
        if state.settled is Phase.DOWN:
            self.loss.clear()
        self.loss.take(look.at, lost=False)
        ratio = self.loss.ratio
        return part.values if ratio is None else {**part.values, LOSS: ratio}


class Baselines:
    """All series; what it is told of incidents decides what is learned."""

    def __init__(self, learned: Iterable[Learned] = ()) -> None:
        self._parts: dict[Name, _Watched] = {}
        self._earlier = {(*one[:3], one.key): one for one in learned}
        self._unsaved: dict[tuple[str, str, str, str], Series] = {}
        self._troubled: Mapping[str, Phase] = {}
        self._hour = 0
        self._oldest = self._end = EPOCH

    def note(self, incidents: Iterable[Incident]) -> None:
        """Take note of the open incidents: nothing is learned of what they touch."""
        troubled: dict[str, Phase] = {}
        for incident in incidents:
            troubled |= dict.fromkeys(incident.children, Phase.DOWN)
            if troubled.get(incident.asset) is not Phase.DOWN:
                troubled[incident.asset] = incident.phase
        self._troubled = troubled

    def judge(self, check: Check, look: Observation, name: str, state: State | None) -> Word | None:
        """Compare a part of a look with what is usual, and learn from it; None when there is nothing to say."""
        part, watched = look.parts[name], self._parts.get((look.vantage, check.id, name))
        if part.outcome is not OK or state is None:
            if part.outcome is Outcome.FAILED and watched and watched.loss:
                watched.loss.take(look.at, lost=not part.refused)
            return None
        if not self._oldest <= look.at < self._end:
            self._turn(look.at)
        values = watched.values(look, part, state) if watched else part.values
        if watched is None or watched.hour != self._hour:
            watched = self._roll(check, (look.vantage, check.id, name), values)
        heed = self._heed(check.asset, look.vantage) if self._troubled else ALL
        worst: Word | None = None
        for key, series in watched.series.items():
            value = values.get(key)
            if isinstance(value, NUMBER) and 0 <= value <= HUGE:
                word = series.hear(value, state, heed)
                if word and not (worst and worst.graded):
                    worst = word
        return worst

    def _heed(self, asset: str, vantage: str) -> int:
        """Say what may be learned now: nothing of what is down, in other trouble only whether it is the new normal."""
        trouble = self._troubled.get(asset)
        if trouble is Phase.DOWN or self._troubled.get(vantage) is Phase.DOWN:
            return NOTHING
        return LASTING if trouble else ALL

    def usual(self, name: Name, at: datetime) -> tuple[Usual, ...]:
        """Say what is usual for a part at a moment."""
        watched = self._parts.get(name)
        return tuple(series.usual(_hour(at)) for series in watched.series.values()) if watched else ()

    def take_unsaved(self) -> list[Learned]:
        """Return a few series whose learning should be made durable, once."""
        taken = list(self._unsaved)[:SAVED_AT_ONCE]
        return [self._unsaved.pop(full).dump(full[:3]) for full in taken]

    def _turn(self, at: datetime) -> None:
        """Begin an hour; a look that comes up to an hour late belongs to the one that has begun."""
        self._hour = _hour(at)
        self._oldest, self._end = _moment(self._hour - 1), _moment(self._hour + 1)

    def _roll(self, check: Check, name: Name, values: Mapping[str, Value]) -> _Watched:
        """Begin the hour for one part, and take up values that it did not have before."""
        watched = self._parts.get(name)
        if watched is None:
            counts = not name[2] and any(row.key == LOSS for row in check.rule.baselines)
            watched = self._parts[name] = _Watched(self._hour, loss=Loss(check.every) if counts else None)
        for key, series in watched.series.items():
            series.turn(self._hour)
            if not 0 <= self._hour - series.saved < SAVE_EVERY:
                series.saved = self._hour
                self._unsaved[*name, key] = series
        watched.hour = self._hour
        for row in check.rule.baselines:
            if row.key in values and row.key not in watched.series:
                series = watched.series[row.key] = Series(row, self._hour)
                earlier = self._earlier.pop((*name, row.key), None)
                if earlier:
                    series.load(earlier)
        return watched


def _hour(at: datetime) -> int:
    return (at - EPOCH) // HOUR


def _moment(hour: int) -> datetime:
    return EPOCH + hour * HOUR
