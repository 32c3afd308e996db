"""Runbooks: the shipped ones are right, a wrong one is refused with every problem named."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.gsm import septets
from alerting.model import Severity
from alerting.runbooks import FIELDS, FIRST_SEPTETS, STEP_SEPTETS, RunbookError, Runbooks
from tests.alerting.fakes import OPEN

SHIPPED = Path("runbooks")
GOOD = """---
id: {id}
title: A title
matches:
  kinds: [{kinds}]
  phases: [down]
severity: warning
roles: [NOC]
languages: [en]
reviewed: 2026-09-01
minutes: 10
first: Call the NOC.
---

1. Do this.
2. Do that.
"""


def write(folder: Path, name: str, text: str = "", kinds: str = "cable") -> None:
    (folder / f"{name}.md").write_text(text or GOOD.format(id=name, kinds=kinds), encoding="utf-8")


def problems(folder: Path) -> list[str]:
    with pytest.raises(RunbookError) as caught:
        Runbooks.load(folder)
    return [f"{problem.file.name}:{problem.line}: {problem.message}" for problem in caught.value.problems]


def test_the_shipped_ones_fit() -> None:
    books = list(Runbooks.load(SHIPPED))
    assert [book.id for book in books] == ["cable-cut", "cctld-servers-unreachable", "vantage-cut-off"]
    for book in books:
        assert septets(book.first) <= FIRST_SEPTETS
        assert max(map(septets, book.steps)) <= STEP_SEPTETS
        assert len(book.steps) >= 10
        assert book.hash == hashlib.sha256((SHIPPED / f"{book.id}.md").read_bytes()).hexdigest()[:12]


def test_the_index_names_each_with_its_kinds_and_first_move() -> None:
    index = (SHIPPED / "README.md").read_text()
    for book in Runbooks.load(SHIPPED):
        assert f"| [{book.id}]({book.id}.md) | {', '.join(book.kinds)} | {book.first} |" in index


@pytest.mark.parametrize(
    ("kind", "phase", "id_"),
    [
        ("cable", "down", "cable-cut"),
        ("landing", "down", "cable-cut"),
        ("router", "degraded", "cable-cut"),
        ("nameserver", "down", "cctld-servers-unreachable"),
        ("cctld", "degraded", "cctld-servers-unreachable"),
        ("vantage", "down", "vantage-cut-off"),
        ("peer", "down", "peer-silent"),
        ("website", "down", None),
    ],
)
def test_match(kind: str, phase: str, id_: str | None) -> None:
    found = Runbooks.load(SHIPPED).match(replace(OPEN, kind=kind, labels={"phase": phase}))
    assert (found.id if found else None) == id_


def test_the_nearest_kind_wins_and_severity_counts(tmp_path: Path) -> None:
    write(tmp_path, "a-general", kinds="router, cable")
    write(tmp_path, "z-special", kinds="cable")
    books = Runbooks.load(tmp_path)
    found = books.match(OPEN)
    assert found is not None
    assert found.id == "z-special"
    assert books.match(replace(OPEN, severity=Severity.INFO)) is None
    assert books.match(replace(OPEN, labels={"phase": "degraded"})) is None


def test_a_pinned_id_finds_its_book() -> None:
    books = Runbooks.load(SHIPPED)
    book = books.find("cable-cut")
    assert book is not None
    assert books.find(book.pinned) == book
    assert books.find("nothing") is None


def test_every_problem_at_once_with_its_line(tmp_path: Path) -> None:
    text = GOOD.format(id="other", kinds="cable").replace("severity: warning", "severity: grave")
    text = text.replace("minutes: 10", "minutes: soon").replace("roles: [NOC]", "rolls: [NOC]")
    text = text.replace("first: Call the NOC.", f"first: {'Call ' * 20}").replace("phases: [down]", "phases: [up]")
    text = text.replace("2. Do that.", "3. Appelez à la façade.\n" + "3. " + "x" * 141)
    write(tmp_path, "wrong", text)
    write(tmp_path, "fine")
    write(tmp_path, "bare", "# No front matter\n")
    write(tmp_path, "yaml", "---\nid: [\n---\n1. Do.\n")
    write(tmp_path, "empty", "---\nid: empty\n---\n")
    (tmp_path / "binary.md").write_bytes(b"\xff\xfe")
    assert problems(tmp_path) == [
        "bare.md:1: expected front matter between two lines of ---",
        "binary.md:1: cannot be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        "empty.md:1: expected fields, among them matches: with kinds: and phases:",
        "empty.md:4: expected numbered steps: lines that begin with 1. 2. 3.",
        f"wrong.md:8: rolls: unknown; known are {', '.join(FIELDS)}",
        "wrong.md:6: phases: expected phases among degraded, down",
        "wrong.md:7: severity: expected one of info, warning, major, critical, not 'grave'",
        "wrong.md:1: roles: expected a list of words, such as [cable, landing]",
        "wrong.md:11: minutes: expected whole minutes between 1 and 1440",
        "wrong.md:12: first: is 99 characters long, at most 60 fit",
        "wrong.md:2: id: expected the file's name, wrong",
        "wrong.md:16: step 3: expected number 2",
        "wrong.md:16: step 3: an SMS cannot carry it as it stands; it would read 'Appelez à la facade.'",
        "wrong.md:17: step 3: is 141 characters long, at most 140 fit",
        "yaml.md:2: not YAML: expected the node content, but found '<stream end>'",
    ]
