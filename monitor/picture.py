"""A drawing as SVG: what an asset needs to its left, what needs it to its right. Pure; needs no font, script or net."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape

from monitor.plain import one_line
from monitor.topology import Topology
from monitor.tree import Drawing, assets, text

WIDTH, HEIGHT = 210, 44
"""Of a box, in pixels."""
ACROSS, DOWN = 90, 12
"""Between boxes."""
MARGIN = 24
HEAD = 40
MOST = 40
"""So many boxes stand in one column; the rest is counted."""
LETTERS = 24
"""Of a name that fit into a box."""
STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#17303a}.k{font-size:12px;fill:#4d646c}rect{fill:#fffdf8;stroke:#4d646c}"
    ".own rect{stroke:#0b5a72;stroke-width:3}path{fill:none;stroke:#4d646c;stroke-width:1.5}.g{stroke-dasharray:5 4}"
    ".bg{fill:#f7f4ec;stroke:none}@media(prefers-color-scheme:dark){text{fill:#e3ecea}.k{fill:#a3b8bb}"
    "rect{fill:#11232a;stroke:#a3b8bb}.own rect{stroke:#86cfe0}path{stroke:#a3b8bb}.bg{fill:#0b171c;stroke:none}}"
)

Place = tuple[int, int]
"""Column, row; what the asset needs stands in columns below zero."""


def svg(topology: Topology, drawing: Drawing) -> str:
    """Return a drawing as an SVG document; all of it stands as text in its description."""
    places, more = _places(drawing)
    first, last = min(column for column, _ in places.values()), max(column for column, _ in places.values())
    tallest = max(row for _, row in places.values()) + (2 if more else 1)
    width = 2 * MARGIN + (last - first + 1) * WIDTH + (last - first) * ACROSS
    height = 2 * MARGIN + HEAD + tallest * (HEIGHT + DOWN)
    title = f"What {topology.name(drawing.asset)} needs, and what needs it"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'role="img" aria-labelledby="title desc">',
            f'<title id="title">{_safe(title)}</title>',
            f'<desc id="desc">{_safe(". ".join(line for line in text(topology, drawing) if line))}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="bg" width="{width}" height="{height}"/>',
            f'<text class="k" x="{MARGIN}" y="{MARGIN + 12}">solid: confirmed · dashed: hypothesis · '
            "left: what it needs · right: what needs it</text>",
            *_lines(drawing, places, first),
            *(_box(topology, name, place, first, own=name == drawing.asset) for name, place in places.items()),
            *(_rest(column, count, first) for column, count in more.items()),
            "</svg>",
            "",
        ]
    )


def _places(drawing: Drawing) -> tuple[dict[str, Place], dict[int, int]]:
    """Give each asset one place, the nearest; and count what found none."""
    places, filled, more = {drawing.asset: (0, 0)}, {0: 1}, dict[int, int]()
    for branch, side in ((drawing.needs, -1), (drawing.needed_by, 1)):
        for _, name, _, depth in assets(branch):
            column = side * depth
            row = filled.get(column, 0)
            if name in places:
                continue
            if row >= MOST:
                more[column] = more.get(column, 0) + 1
                continue
            places[name], filled[column] = (column, row), row + 1
    return places, more


def _corner(place: Place, first: int) -> Place:
    column, row = place
    return MARGIN + (column - first) * (WIDTH + ACROSS), MARGIN + HEAD + row * (HEIGHT + DOWN)


def _lines(drawing: Drawing, places: Mapping[str, Place], first: int) -> Iterator[str]:
    """Draw each tie once, from what needs to what is needed."""
    drawn: set[tuple[str, str]] = set()
    for one, other, confirmed in _ties(drawing):
        if one not in places or other not in places or (one, other) in drawn:
            continue
        drawn.add((one, other))
        (x1, y1), (x2, y2) = (_corner(places[name], first) for name in (one, other))
        start, end = (x1, x2 + WIDTH) if x1 > x2 else (x1 + WIDTH, x2)
        middle, y1, y2 = (start + end) // 2, y1 + HEIGHT // 2, y2 + HEIGHT // 2
        style = "" if confirmed else ' class="g"'
        yield f'<path{style} d="M{start} {y1}C{middle} {y1} {middle} {y2} {end} {y2}"/>'


def _ties(drawing: Drawing) -> Iterable[tuple[str, str, bool]]:
    yield from ((upper, lower, confirmed) for upper, lower, confirmed, _ in assets(drawing.needs))
    yield from ((lower, upper, confirmed) for upper, lower, confirmed, _ in assets(drawing.needed_by))


def _box(topology: Topology, name: str, place: Place, first: int, *, own: bool) -> str:
    x, y = _corner(place, first)
    known = topology.name(name)
    shown = known if len(known) <= LETTERS else f"{known[: LETTERS - 1]}…"
    kind = topology.kind(name) if name in topology.world.assets else ""
    return (
        f"<g{' class=' + chr(34) + 'own' + chr(34) if own else ''}><title>{_safe(f'{known} [{name}]')}</title>"
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="8"/>'
        f'<text x="{x + 10}" y="{y + 19}">{_safe(shown)}</text>'
        f'<text class="k" x="{x + 10}" y="{y + 36}">{_safe(_needs(topology, name) or kind)}</text></g>'
    )


def _needs(topology: Topology, name: str) -> str:
    """Say how much of its needs an asset needs: "any of 2, all of 1"."""
    modes = {"all": "all of", "any": "any of", "weight": "enough of"}
    known = (*topology.needs.get(name, ()), *topology.hypotheses.get(name, ()))
    parts = [f"{modes[one.mode]} {len(one.needs)}" for one in known]
    return f"needs {', '.join(parts)}" if parts else ""


def _rest(column: int, count: int, first: int) -> str:
    x, y = _corner((column, MOST), first)
    return f'<text x="{x + 10}" y="{y + 19}">and {count} more</text>'


def _safe(words: str) -> str:
    return escape(one_line(words))
