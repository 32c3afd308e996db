"""Templates to answers: one Jinja environment, autoescaped, with the words and shapes that every page uses."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

from monitor import vintage
from monitor.impact import in_words, sure
from monitor.model import Phase
from monitor.planned import SOON
from monitor.posture import PACE
from monitor.tree import facts, how_much
from monitor.views import Snapshot
from monitor.web import answer, history, view, words
from monitor.web.answer import Answer
from monitor.web.domain import sentences

HERE = Path(__file__).parent


_HIDDEN = dict.fromkeys(
    [n for n in (*range(32), *range(127, 160)) if n not in {9, 10}]
    + [0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)],
    "\N{REPLACEMENT CHARACTER}",
)
"""Controls, and marks that turn the direction of writing: they could make a page say what it does not hold."""


def _visible(value: Any) -> Any:
    """Show hidden characters of a text from outside as what they are: unreadable."""
    return value.translate(_HIDDEN) if type(value) is str and not value.isprintable() else value


GLOBALS: Mapping[str, Any] = {
    "Phase": Phase,
    "meanings": words.MEANINGS,
    "evidence": words.EVIDENCE,
    "trouble": view.TROUBLE,
    "tie_facts": facts,
    "sentences": sentences,
    "kinds": words.KINDS,
    "why_told": words.WHY_TOLD,
    "topics": words.TOPICS,
    "notes": view.notes,
    "pace": PACE,
    "unsure": vintage.unsure,
    "timeline": view.timeline,
    "week": SOON,
}
FILTERS: Mapping[str, Callable[..., Any]] = {
    "amount": words.amount,
    "dated": words.dated,
    "exact": words.exact,
    "kind": words.kind_name,
    "local": words.local,
    "looked": words.looked,
    "moment": words.moment,
    "much": how_much,
    "people": in_words,
    "path": lambda text: quote(text, safe=":@"),
    "reading": words.reading,
    "sentence": words.sentence,
    "returns": view.returns,
    "share": words.share,
    "slug": words.slug,
    "span": words.span,
    "stamp": history.stamp,
    "sure": sure,
    "told": words.told,
    "usual": words.usual,
}


class Pages:
    """Renders templates; style sheet and script stand inside each page, so that one request is enough."""

    def __init__(self, base_url: str) -> None:
        self.style = (HERE / "static" / "style.css").read_text("utf-8")
        self.script = (HERE / "static" / "live.js").read_text("utf-8")
        self.favicon = answer.make((HERE / "static" / "favicon.svg").read_text("utf-8"), "image/svg+xml")
        self._env = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_visible,
        )
        self._env.globals.update(GLOBALS, style=self.style, script=self.script, base_url=base_url)
        self._env.filters.update(FILTERS)

    def render(self, template: str, snapshot: Snapshot, now: datetime, **facts: Any) -> Answer:
        """Render one page as of `now`."""
        page = self._env.get_template(template)
        return answer.make(page.render(snapshot=snapshot, world=snapshot.world, now=now, **facts), answer.HTML)

    def refusal(self, snapshot: Snapshot, now: datetime, status: int, sentence: str) -> Answer:
        """Say no in the look of the house."""
        return self.render("refusal.html", snapshot, now, status=status, sentence=sentence)
