"""The runbook on paper: a mail carries it as PDF; when none can be made, the mail leaves all the same."""

import asyncio
import io
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from alerting.channels.smtp import Smtp
from alerting.paper import Press, typeset
from alerting.runbook import Runbook
from alerting.runbooks import Runbooks
from tests.alerting.fakes import OPEN, Office, Provider, closed, contact, directory, open_journal
from tests.daemons import smtp_sink

BOOKS = Runbooks.load(Path("runbooks"))


def book(pin: str = "cable-cut") -> Runbook:
    found = BOOKS.find(pin)
    assert found is not None
    return found


def words(pdf: bytes) -> str:
    """Return what a reader sees, without line breaks."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


@pytest.mark.parametrize("language", ["en", "es", "fr"])
async def test_a_mail_carries_the_runbook_on_paper_in_the_readers_language(tmp_path: Path, language: str) -> None:
    journal = await open_journal(tmp_path)
    with smtp_sink() as sink:
        mail = Smtp("127.0.0.1", "lambi@watch.example", sink.port, "none", connect_seconds=60)
        office = Office(journal, directory(contact("noc", "mail", language=language)), {"mail": mail}, runbooks=BOOKS)
        await office.happen(OPEN)
        await office.pass_time(0)
        await office.happen(closed(5))
        await office.pass_time(5)
        first, over = sink.received()
    [attached] = first.message.iter_attachments()
    there = book().spoken(language)
    assert attached.get_filename() == f"{there.pinned.replace('@', '-')}.pdf"
    assert attached.get_content_type() == "application/pdf"
    seen = words(attached.get_content())
    for step in there.steps:
        assert step in first.text
        assert " ".join(step.split()) in seen
    assert not list(over.message.iter_attachments()), "what is over needs no steps"
    await office.outbox.close()
    await journal.close()


@pytest.mark.parametrize("pin", ["cable-cut", "cctld-servers-unreachable.fr", "vantage-cut-off.es"])
def test_a_pdf_has_title_language_and_tags_for_those_who_hear_it(pin: str) -> None:
    there = book(pin)
    made = PdfReader(io.BytesIO(typeset(there)))
    assert made.metadata is not None
    assert made.metadata.title == there.title
    root = made.trailer["/Root"]
    assert root["/Lang"] == there.language
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert typeset(there) == typeset(there), "the same text, the same bytes"


def test_nothing_in_a_runbook_steers_the_typesetter() -> None:
    evil = '#panic() #read("/etc/passwd") $x^2$ *b* `c` <d> @e // f \\ [g] {{h}} ~ -- \x07 = i'
    nasty = replace(book(), title=evil, first=evil, text=f"## {evil}\n\n1. {evil}\n- {evil}\n{evil}", roles=(evil,))
    seen = words(typeset(nasty))
    for part in ("#panic()", "$x^2$", "*b*", "`c`", "<d>", "@e // f", "\\ [g] {{h}} ~ --"):
        assert seen.count(part) >= 5


def test_letters_without_a_font_do_not_keep_the_rest_from_paper() -> None:
    assert "Call the NOC" in words(typeset(replace(book(), text="1. Call the NOC of 中.")))


async def test_each_text_is_made_once() -> None:
    made: list[str] = []

    def make(one: Runbook) -> bytes:
        made.append(one.pinned)
        return b"%PDF"

    press = Press(make)
    several = await asyncio.gather(*(press.attach(book()) for _ in range(5)), press.attach(book("cable-cut.es")))
    assert {one[0].content for one in several} == {b"%PDF"}
    assert sorted(made) == sorted([book().pinned, book("cable-cut.es").pinned])


async def test_a_mail_leaves_without_a_pdf_that_cannot_be_made(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Runbook) -> bytes:
        raise RuntimeError("no fonts")

    journal, mail = await open_journal(tmp_path), Provider("mail")
    office = Office(journal, directory(contact("noc", "mail")), {"mail": mail}, runbooks=BOOKS)
    office.outbox._press = Press(broken)
    await office.happen(OPEN)
    await office.pass_time(0)
    [(message, _)] = mail.taken
    assert message.attachments == ()
    assert book().steps[0] in message.body
    assert "no PDF of it: no fonts" in caplog.text
    await journal.close()


async def test_one_that_hangs_costs_one_short_wait_and_no_mail(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    def hang(_: Runbook) -> bytes:
        release.wait(30)
        return b"%PDF"

    press = Press(hang, patience=0.05)
    loop = asyncio.get_running_loop()
    assert await press.attach(book()) == ()
    before = loop.time()
    assert [await press.attach(book()) for _ in range(200)] == [()] * 200
    assert loop.time() - before < 5, "nobody waits a second time"
    assert "no PDF of it within 0.05 s" in caplog.text
    release.set()
    await asyncio.wait({press._work[book().pinned]})
    found = await press.attach(book())
    assert found[0].content == b"%PDF", "it is there for the next mail"


def test_typst_is_not_loaded_before_a_mail_needs_it() -> None:
    code = "import sys, monitor.app; sys.exit('typst' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
