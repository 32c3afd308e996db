"""Charts as SVG inside a page: what was measured, and the same in words for whoever does not see it. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from markupsafe import Markup

from monitor import figures
from monitor.plain import one_line
from monitor.store.steps import Figures, Step
from monitor.web import words

WIDTH, HEIGHT = 720, 130
LEFT, TOP, BOTTOM = 64, 8, 22
"""Around what is drawn: the scale, air, the times."""
INNER_WIDTH, INNER_HEIGHT = WIDTH - LEFT, HEIGHT - TOP - BOTTOM
BAR = 34
"""Height of the bars of availability."""
NICE = (1, 2, 2.5, 5, 10)
LINES = ("ch-mid", "ch-back")
"""How the first line looks, and the second."""

Told = tuple[datetime, Figures]


@dataclass(frozen=True, slots=True)
class Period:
    """What a chart shows: from when to when, in which steps."""

    since: datetime
    until: datetime
    step: timedelta

    @property
    def count(self) -> int:
        """Steps of the period."""
        return -((self.since - self.until) // self.step)

    def x(self, at: datetime) -> float:
        """Where a moment stands."""
        return LEFT + (at - self.since) / (self.until - self.since) * INNER_WIDTH


def latency(name: str, steps: Sequence[Step], period: Period) -> Markup:
    """Draw answer times: a line through the medians, what all but one in twenty stay below, all; and what was lost."""
    told = [(step.at, step.figures) for step in steps if step.figures]
    top = _nice(max((one.p99 for _, one in told), default=0.001) * 1.1)
    width = INNER_WIDTH / period.count
    drawn = [
        *_grid(top, "rtt_seconds"),
        *(_blind(step, period, INNER_HEIGHT) for step in steps if step.looks == step.unknown),
        *(_band("ch-all", run, [(f.min, f.max) for _, f in run], period, top) for run in _runs(told, period.step)),
        *(_band("ch-most", run, [(f.p50, f.p95) for _, f in run], period, top) for run in _runs(told, period.step)),
        *(_line("ch-mid", run, [f.p50 for _, f in run], period, top) for run in _runs(told, period.step)),
        *(_lost(step, period, width) for step in steps if _failed(step)),
        *_times(period),
    ]
    return _svg(f"Answer times of {name}", _in_words(steps, told, period), drawn, HEIGHT)


def lines(name: str, key: str, told: Sequence[tuple[str, Sequence[Step]]], period: Period) -> Markup:
    """Draw one or two values in the unit of ``key``: a line through the means of each, light all that was between."""
    found = [(label, [(step.at, step.figures) for step in steps if step.figures]) for label, steps in told]
    top = _nice(max((one.max for _, values in found for _, one in values), default=0.0) or 1.0)
    blind = (_blind(step, period, INNER_HEIGHT) for step in told[0][1] if step.looks == step.unknown)
    drawn = [*_grid(top, key), *blind]
    for kind, (_, values) in zip(LINES, found, strict=False):
        for run in _runs(values, period.step):
            drawn.append(_band("ch-all", run, [(one.min, one.max) for _, one in run], period, top))
            drawn.append(_line(kind, run, [one.mean for _, one in run], period, top))
    said = [f"{label}{_spread(key, values)}" for label, values in found if values]
    span = words.span((period.until - period.since).total_seconds())
    text = f"In the last {span} {'; '.join(said) or 'nothing was measured'}."
    return _svg(f"{figures.label(key).capitalize()} of {name}", text, [*drawn, *_times(period)], HEIGHT)


def _spread(key: str, values: Sequence[Told]) -> str:
    middle = sorted(one.mean for _, one in values)[len(values) // 2]
    ends = (min(one.min for _, one in values), max(one.max for _, one in values))
    return f"typically {figures.amount(key, middle)}, all {figures.between(key, *ends)}"


def bars(name: str, steps: Sequence[Step], period: Period) -> Markup:
    """Draw how often something answered: a bar for each step, its height the share; a gap where nobody could look."""
    width = INNER_WIDTH / period.count
    drawn = [f'<path class="ch-grid" d="M{LEFT} {TOP + BAR}H{WIDTH}"/>']
    for step in steps:
        known = step.looks - step.unknown
        x = period.x(step.at)
        if not known:
            drawn.append(_blind(step, period, BAR))
            continue
        up = step.up / known
        high = BAR * up if up == 1 else min(BAR - 2, BAR * up)  # what was lost is seen, however little
        parts = [f'<rect class="ch-up" {_box(x, TOP + BAR - high, width - 1, high)}/>'] if up else []
        parts += [f'<rect class="ch-lost" {_box(x, TOP, width - 1, BAR - high)}/>'] if up < 1 else []
        drawn.append(f"<g><title>{_said(step, period)}</title>{''.join(parts)}</g>")
    drawn += _times(period, TOP + BAR + 16)
    return _svg(f"Answers of {name}", _in_words(steps, [], period), drawn, TOP + BAR + BOTTOM)


def _svg(title: str, description: str, drawn: Iterable[str], height: int) -> Markup:
    label = escape(one_line(f"{title}. {description}"))
    head = f'<svg class="ch" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">'
    return Markup(f"{head}{''.join(drawn)}</svg>")  # noqa: S704 - every text in it is escaped


def _box(x: float, y: float, width: float, height: float) -> str:
    return f'x="{x:.1f}" y="{y:.1f}" width="{max(0.5, width):.1f}" height="{height:.1f}"'


def _nice(value: float) -> float:
    """Return the next round number."""
    power = 10.0 ** (len(f"{int(value * 1e6)}") - 7)
    return next((each * power for each in NICE if each * power >= value), value)


def _y(value: float, top: float) -> float:
    return TOP + INNER_HEIGHT * (1 - min(1.0, max(0.0, value / top)))


def _grid(top: float, key: str) -> Iterator[str]:
    for share in (0, 0.5, 1):
        y = _y(top * share, top)
        yield f'<path class="ch-grid" d="M{LEFT} {y:.1f}H{WIDTH}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{figures.amount(key, top * share)}</text>'


def _time(seconds: float) -> str:
    return figures.amount("rtt_seconds", seconds)


def _times(period: Period, y: int = HEIGHT - 6) -> Iterator[str]:
    """Name the beginning, the middle and the end."""
    days = period.until - period.since > timedelta(days=2)
    for share, anchor in ((0, "start"), (0.5, "middle"), (1, "end")):
        at = period.since + (period.until - period.since) * share
        day = min(at, period.until - period.step)  # the last day, not the midnight that ends it
        text = f"{day.day} {day:%b}" if days else f"{at:%H:%M} UTC"
        yield f'<text x="{LEFT + INNER_WIDTH * share:.0f}" y="{y}" text-anchor="{anchor}">{text}</text>'


def _runs(told: Sequence[Told], step: timedelta) -> Iterator[list[Told]]:
    """Split where nobody looked: no line leads over what was not seen."""
    run: list[Told] = []
    for one in told:
        if run and one[0] - run[-1][0] > step:
            yield run
            run = []
        run.append(one)
    if run:
        yield run


def _middles(run: Sequence[Told], period: Period) -> list[float]:
    return [period.x(at + period.step / 2) for at, _ in run]


def _band(kind: str, run: Sequence[Told], ends: Sequence[tuple[float, float]], period: Period, top: float) -> str:
    xs = _middles(run, period)
    if len(run) == 1:
        xs, ends = [xs[0] - 1, xs[0] + 1], [*ends, *ends]
    above = [f"{x:.1f} {_y(high, top):.1f}" for x, (_, high) in zip(xs, ends, strict=True)]
    below = [f"{x:.1f} {_y(low, top):.1f}" for x, (low, _) in zip(xs, ends, strict=True)]
    return f'<path class="{kind}" d="M{"L".join([*above, *below[::-1]])}Z"/>'


def _line(kind: str, run: Sequence[Told], values: Sequence[float], period: Period, top: float) -> str:
    points = [f"{x:.1f} {_y(value, top):.1f}" for x, value in zip(_middles(run, period), values, strict=True)]
    return f'<path class="{kind}" d="M{"L".join(points if len(points) > 1 else points * 2)}"/>'


def _blind(step: Step, period: Period, height: float) -> str:
    box = _box(period.x(step.at), TOP, INNER_WIDTH / period.count, height)
    return f'<rect class="ch-none" {box}><title>{_said(step, period)}</title></rect>'


def _failed(step: Step) -> int:
    return step.looks - step.up - step.unknown


def _lost(step: Step, period: Period, width: float) -> str:
    share = _failed(step) / (step.looks - step.unknown)
    high = max(4.0, INNER_HEIGHT * share)
    box = _box(period.x(step.at), TOP + INNER_HEIGHT - high, width, high)
    return f'<rect class="ch-lost" {box}><title>{_said(step, period)}</title></rect>'


def _said(step: Step, period: Period) -> str:
    """What one step says, in words."""
    day = period.step >= timedelta(days=1)
    ends = f"{step.at.day} {step.at:%b}" if day else f"{step.at:%H:%M} to {step.at + period.step:%H:%M} UTC"
    known = step.looks - step.unknown
    told = f"{words.share(step.up, known)} of {known} looks answered" if known else "nobody could look"
    return f"{ends}: {told}{f', {step.unknown} unknown' if step.unknown and known else ''}"


def _in_words(steps: Sequence[Step], told: Sequence[Told], period: Period) -> str:
    counts = ((step.looks, step.up, step.unknown, step.covered) for step in steps)
    looks, up, unknown, covered = map(sum, zip((0, 0, 0, 0), *counts, strict=True))
    known = looks - unknown
    span = words.span((period.until - period.since).total_seconds())
    if not known:
        return f"In the last {span} nobody could look."
    of = (period.until - period.since) / timedelta(minutes=5)
    said = [f"In the last {span} {words.share(up, known)} of {known} looks answered"]
    if unknown:
        said.append(f"{unknown} more are unknown")
    said.append(f"looked in {words.share(covered, of)} of the time")
    if told:
        middle = sorted(one.p50 for _, one in told)[len(told) // 2]
        said.append(f"typically {_time(middle)}, at worst {_time(max(one.max for _, one in told))}")
    return "; ".join(said) + "."
