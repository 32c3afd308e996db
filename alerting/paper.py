"""A runbook on paper: PDF by typst, made once for each text, in a thread of its own, and never waited for long.

A mail leaves without it when it cannot be made. The text reaches typst as data, so nothing in it is markup.
"""

import asyncio
import importlib
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from alerting.catalogue import say
from alerting.model import Attachment
from alerting.runbook import STEP, Runbook

log = logging.getLogger("lambi.paper")

PATIENCE_SECONDS = 3.0
"""So long does a mail wait for its PDF, once; it takes 0.03 s, and 0.01 s from the second on."""

TEMPLATE = """
#let book = json(bytes(sys.inputs.book))
#set document(title: book.title, author: "Lambi", keywords: (book.pinned,), date: none)
#set page(paper: "a4", margin: 2cm, numbering: "1 / 1", header: align(right, text(size: 8pt, book.pinned)))
#set text(lang: book.language, size: 10.5pt, hyphenate: false)
#set par(justify: false)
#title(book.title)
#for each in book.head { par(text(size: 9pt, each)) }
#par(strong(book.first))
#for block in book.blocks {
  if block.kind == "heading" { heading(level: 2, block.text) }
  else if block.kind == "steps" { enum(tight: false, ..block.items.map(it => enum.item(it.number, it.text))) }
  else if block.kind == "list" { list(tight: false, ..block.items.map(it => list.item(it))) }
  else { par(block.text) }
}
"""


def layout(book: Runbook) -> dict[str, Any]:
    """Return what the template shows, as data."""
    head = [say("Runbook", book.language, pinned=book.pinned, minutes=book.minutes)]
    if not book.translates:
        head.append("; ".join(book.roles))
    if book.draft:
        head.append(say("draft", book.language))
    return {
        "title": book.title,
        "language": book.language,
        "pinned": book.pinned,
        "head": head,
        "first": say("First", book.language, first=book.first),
        "blocks": list(_blocks(book.text.splitlines())),
    }


def _blocks(lines: list[str]) -> Iterator[dict[str, Any]]:
    """Cut Markdown as runbooks write it: headings, numbered steps, lists, lines."""
    items: list[Any] = []
    kind = ""
    for line in (*lines, ""):
        step = STEP.fullmatch(line)
        now = "steps" if step else "list" if line.startswith("- ") else ""
        if items and now != kind:
            yield {"kind": kind, "items": items}
            items = []
        kind = now
        if step:
            items.append({"number": int(step[1]), "text": step[2]})
        elif now:
            items.append(line[2:])
        elif line.strip():
            yield {"kind": "heading" if line.startswith("#") else "line", "text": line.lstrip("# ")}


def typeset(book: Runbook) -> bytes:
    """Make the PDF: tagged and with its language (PDF/UA-1), or plain where a letter has no font."""
    typst: Any = importlib.import_module("typst")
    data = json.dumps(layout(book))
    try:
        return bytes(_compile(typst, data, ["ua-1"]))
    except typst.TypstError:
        return bytes(_compile(typst, data, []))


def _compile(typst: Any, data: str, standards: list[str]) -> bytes:
    made: bytes = typst.compile(
        TEMPLATE.encode(), sys_inputs={"book": data}, pdf_standards=standards, ignore_system_fonts=True
    )
    return made


class Press:
    """Makes each PDF once, each in a thread of its own; what hangs is waited for once, and ends with the process."""

    def __init__(self, make: Callable[[Runbook], bytes] = typeset, patience: float = PATIENCE_SECONDS) -> None:
        self._make, self._patience = make, patience
        self._work: dict[str, asyncio.Future[bytes]] = {}
        self._late: set[str] = set()

    async def attach(self, book: Runbook) -> tuple[Attachment, ...]:
        """Return the PDF of a runbook, or nothing."""
        pinned = book.pinned
        work = self._work[pinned] if pinned in self._work else self._begin(book)
        if not work.done() and pinned not in self._late:
            await asyncio.wait({work}, timeout=self._patience)
            if not work.done():
                self._late.add(pinned)
                log.error("runbook=%s: no PDF of it within %g s", pinned, self._patience)
        if not work.done() or not work.result():
            return ()
        return (Attachment(f"{pinned.replace('@', '-')}.pdf", "application/pdf", work.result()),)

    def _begin(self, book: Runbook) -> "asyncio.Future[bytes]":
        loop = asyncio.get_running_loop()
        work: asyncio.Future[bytes] = loop.create_future()

        def run() -> None:
            pdf, error = b"", ""
            try:
                pdf = self._make(book)
            except BaseException as caught:  # noqa: BLE001 - whatever a library in another language throws
                error = str(caught) or type(caught).__name__
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._made, work, book.pinned, pdf, error)

        self._work[book.pinned] = work
        threading.Thread(target=run, name="paper", daemon=True).start()
        return work

    def _made(self, work: "asyncio.Future[bytes]", pinned: str, pdf: bytes, error: str) -> None:
        if error:
            log.error("runbook=%s: no PDF of it: %s", pinned, error[:200])
        work.set_result(pdf)
