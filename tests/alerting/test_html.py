"""The mail as HTML says what the plain text says, whatever the words hold, and loads nothing."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from alerting import digest
from alerting.channels.smtp import Smtp
from alerting.html import COLOURS, page
from alerting.letter import mail
from alerting.model import Address, Message, Reason, Severity
from alerting.runbooks import Runbooks
from alerting.words import Occasion
from tests.alerting.fakes import DESK, OPEN, at, contact

BOOKS = Runbooks.load(Path(__file__).parents[2] / "runbooks")
ALLOWED = {
    "html",
    "head",
    "meta",
    "title",
    "body",
    "div",
    "h1",
    "h2",
    "p",
    "br",
    "ul",
    "li",
    "table",
    "tr",
    "th",
    "td",
    "a",
}


class Read(HTMLParser):
    """What a reader of the document gets."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.names: set[str] = set()
        self.words: list[str] = []
        self._in_title = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name == "href"]
        self._in_title = tag == "title"

    def handle_data(self, data: str) -> None:
        if not self._in_title:
            self.words += data.split()
        self._in_title = False


def occasion(**facts: object) -> Occasion:
    alert = replace(OPEN, url="https://lambi.example/incidents/4711", **facts)  # type: ignore[arg-type] # facts of one
    return Occasion(alert, Reason.FIRST, contact("noc", "mail"), at(1), "Hub", DESK, BOOKS.match(alert))


def plain_words(text: str) -> list[str]:
    """Return the words without what marks headings and lists."""
    lines = [re.sub(r"^(#+ |- )", "", line) for line in text.split("\n")]
    return " ".join(lines).split()


def test_both_forms_say_the_same() -> None:
    for subject, body in (mail(occasion()), digest.mail([occasion(), occasion(incident="4712", what="Cable B down")])):
        found = Read(page(Message("1", "4711", subject, body, Severity.MAJOR)))
        assert found.words == plain_words(body)
        assert found.tags <= ALLOWED
    assert "https://lambi.example/incidents/4711" in Read(page(Message("1", "1", *mail(occasion())))).links


HOSTILE = '<img src=x onerror=alert(1)>&"\' https://evil.example/"onmouseover=x javascript:alert(1) </table>'


@given(st.text(alphabet=st.sampled_from("<>&\"'/:h tps.#-1\n"), max_size=200) | st.just(HOSTILE))
def test_no_word_is_more_than_a_word(text: str) -> None:
    found = Read(page(Message("1", "1", text, f"{text}\n\n{text}\n\nName: {text}\nOther: x", Severity.CRITICAL)))
    assert found.tags <= ALLOWED
    assert found.names <= {"charset", "name", "content", "style", "scope", "href"}
    assert all(link.startswith(("http://", "https://")) for link in found.links)


def test_every_severity_has_a_colour_and_nothing_is_loaded() -> None:
    assert set(COLOURS) == set(Severity)
    document = page(Message("1", "1", "s", "b"))
    assert not re.search(r"src=|url\(|@import|<link|<script", document)


def test_the_plain_text_comes_first_and_the_html_beside_it() -> None:
    sender = Smtp("127.0.0.1", "lambi@watch.example", 25, "none")
    written = sender._compose(Message("1", "4711", *mail(occasion())), Address("mail", "noc@operator.example"))
    kinds = re.findall(rb"^Content-Type: ([a-z/]+)", written, re.MULTILINE)
    assert kinds == [b"multipart/alternative", b"text/plain", b"text/html"]
    assert max(map(len, written.split(b"\r\n"))) <= 998, "RFC 5321, 4.5.3.1.6"
