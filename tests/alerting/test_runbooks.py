"""Runbooks: the shipped ones are right, a wrong one is refused with every problem named."""

import hashlib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from alerting.catalogue import LANGUAGES
from alerting.foreign import Posted, hear, to_alert
from alerting.gsm import fold, septets
from alerting.model import Severity
from alerting.runbook import FIELDS, FIRST_SEPTETS, STEP_SEPTETS
from alerting.runbooks import RunbookError, Runbooks
from monitor.config.strict import KINDS
from monitor.topology import LABELS
from probes import PROBES
from tests.alerting.fakes import OPEN
from tests.fakes import START

SHIPPED = Path("runbooks")
GOOD = """---
id: {id}
title: A title
matches:
  kinds: [{kinds}]
  phases: [down]
severity: warning
roles: [NOC]
language: en
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
    assert [book.id for book in books] == [
        "asset-down",
        "cable-cut",
        "cctld-dnssec-or-soa",
        "cctld-servers-unreachable",
        "hurricane-approaching",
        "ixp-unreachable",
        "peer-silent",
        "power-lost",
        "prefixes-withdrawn",
        "region-wide-outage",
        "reported-elsewhere",
        "router-unreachable",
        "snmp-silent",
        "vantage-cut-off",
    ]
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
        ("router", "degraded", "router-unreachable"),
        ("ixp", "down", "ixp-unreachable"),
        ("power", "down", "power-lost"),
        ("site", "down", "power-lost"),
        ("posture", "degraded", "hurricane-approaching"),
        ("feed", "down", "asset-down"),
        ("nameserver", "down", "cctld-servers-unreachable"),
        ("cctld", "degraded", "cctld-servers-unreachable"),
        ("vantage", "down", "vantage-cut-off"),
        ("cable", "partitioned", "cable-cut"),
        ("peer", "down", "peer-silent"),
        ("website", "down", "asset-down"),
        ("volcano", "down", None),
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


@pytest.mark.parametrize(
    ("kind", "labels", "id_"),
    [
        ("router", {"probe": "snmp"}, "snmp-silent"),
        ("router", {"probe": "icmp,snmp"}, "router-unreachable"),
        ("cctld", {"answers": "yes", "probe": "dns"}, "cctld-dnssec-or-soa"),
        ("nameserver", {"answers": "yes"}, "cctld-dnssec-or-soa"),
        ("zone", {"answers": "yes", "probe": "zone"}, "cctld-dnssec-or-soa"),
        ("territory", {"probe": "bgp"}, "prefixes-withdrawn"),
        ("territory", {}, "asset-down"),
        ("cable", {"extent": "region"}, "region-wide-outage"),
        ("ixp", {"answers": "yes"}, "ixp-unreachable"),
    ],
)
def test_what_asks_for_more_is_nearer(kind: str, labels: dict[str, str], id_: str) -> None:
    alert = replace(OPEN, kind=kind, labels={"phase": "down", **labels})
    book = Runbooks.load(SHIPPED).match(alert)
    assert book is not None
    assert book.id == id_


@pytest.mark.parametrize("phase", ["down", "degraded", "partitioned"])
def test_every_alert_that_the_shipped_config_can_raise_has_its_runbook_in_english_and_spanish(phase: str) -> None:
    books = Runbooks.load(SHIPPED)
    signs = [{}, {"answers": "yes"}, {"extent": "region"}, *({"probe": probe} for probe in (*PROBES, "bgp"))]
    for kind in (*KINDS, "posture"):
        for severity in Severity:
            for labels in signs:
                alert = replace(OPEN, kind=kind, severity=severity, labels={"phase": phase, **labels})
                book = books.match(alert)
                assert book is not None, (kind, phase, severity, labels)
                assert (book.language, book.spoken("es").language) == ("en", "es")


def test_what_another_system_reports_has_its_runbook_and_one_of_your_own_goes_before_it(tmp_path: Path) -> None:
    labels = {"alertname": "LinkDown", "severity": "critical"}
    alert = to_alert(hear(None, Posted(labels, {}, START, START + timedelta(hours=1)), 1, START)[0], {})
    shipped = Runbooks.load(SHIPPED).match(alert)
    assert shipped is not None
    assert (shipped.id, shipped.spoken("es").language) == ("reported-elsewhere", "es")
    own = GOOD.format(id="ours", kinds="external").replace("  phases", "  match: [alertname=LinkDown]\n  phases")
    for name, text in (("ours", own), ("reported-elsewhere", (SHIPPED / "reported-elsewhere.md").read_text("utf-8"))):
        (tmp_path / f"{name}.md").write_text(text, "utf-8")
    mine = Runbooks.load(tmp_path).match(alert)
    assert mine is not None
    assert mine.id == "ours"


def test_a_condition_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    write(tmp_path, "wrong", GOOD.format(id="wrong", kinds="cable").replace("  phases", "  match: [probe]\n  phases"))
    assert problems(tmp_path) == [
        'wrong.md:6: match: "probe" is no matcher; expected like kind=cable, kind!=website, territory=~"BB|LC"'
    ]


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


TRANSLATION = """---
id: cut
title: Un título
language: es
translates: "{hash}"
draft: true
first: Llame al NOC.
---

1. Haga esto, según la guía.
2. Haga aquello.
"""
TODAY = date(2026, 11, 24)
IN_TWO = (
    "cctld-dnssec-or-soa", "hurricane-approaching", "ixp-unreachable", "power-lost", "prefixes-withdrawn",
    "region-wide-outage", "reported-elsewhere", "router-unreachable", "snmp-silent",
)  # fmt: skip # in English and Spanish so far; the others are to follow


def test_the_shipped_ones_are_there_in_every_language_with_the_same_steps() -> None:
    for book in Runbooks.load(SHIPPED):
        for language, one in book.translations.items():
            assert one.pinned.startswith(f"{book.id}.{language}@")
            assert one.hash == hashlib.sha256((SHIPPED / f"{book.id}.{language}.md").read_bytes()).hexdigest()[:12]
            assert (one.kinds, one.severity, one.minutes) == (book.kinds, book.severity, book.minutes)
            assert one.translates == book.hash, "it is a translation of the text of today"
            assert max(septets(fold(step)) for step in one.steps) <= STEP_SEPTETS
            assert len(one.steps) == len(book.steps)
    told = {book.id: set(book.translations) for book in Runbooks.load(SHIPPED)}
    assert {book for book, languages in told.items() if languages != set(LANGUAGES) - {"en"}} == set(IN_TWO)
    assert all(told[book] == {"es"} for book in IN_TWO)


def test_every_kind_of_asset_has_a_runbook_in_every_language() -> None:
    notes = Runbooks.load(SHIPPED).lint(LABELS, LANGUAGES, TODAY)
    other = [note for note in notes if not note.endswith(": a draft that no native speaker has read")]
    assert other == [f"{book}: not there in fr, nl, ht, pap; who reads these gets it in en" for book in IN_TWO]
    assert "cable-cut.es: a draft that no native speaker has read" in notes


def test_what_somebody_should_look_at_is_noted(tmp_path: Path) -> None:
    write(tmp_path, "cut")
    (tmp_path / "cut.es.md").write_text(TRANSLATION.format(hash="0" * 12))
    books = Runbooks.load(tmp_path)
    [book] = books
    assert books.lint(["cable", "ixp"], ["en", "es", "fr"], date(2027, 9, 2)) == [
        "cable: no runbook says what to do when it is degraded",
        "ixp: no runbook says what to do when it is degraded",
        "ixp: no runbook says what to do when it is down",
        "cut: last reviewed 2026-09-01, more than a year ago",
        "cut: not there in fr; who reads these gets it in en",
        "cut.es: a draft that no native speaker has read",
        f"cut.es: translates 000000000000, an earlier text than {book.hash} of today",
    ]
    (tmp_path / "cut.es.md").write_text(TRANSLATION.format(hash=book.hash).replace("draft: true", "draft: false"))
    assert Runbooks.load(tmp_path).lint(["cable"], ["en", "es"], date(2027, 9, 1)) == [
        "cable: no runbook says what to do when it is degraded"
    ]


def test_a_pin_with_a_language_finds_the_translation(tmp_path: Path) -> None:
    write(tmp_path, "cut")
    (tmp_path / "cut.es.md").write_text(TRANSLATION.format(hash="0" * 12))
    books = Runbooks.load(tmp_path)
    spanish = books.find("cut.es@123")
    assert spanish is not None
    assert spanish.first == "Llame al NOC."
    english = books.find("cut@123")
    assert english is not None
    assert english.spoken("es") == spanish
    assert english.spoken("nl") == english


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("cut.es", TRANSLATION.replace("2. Haga aquello.\n", ""), "cut.es.md:1: has 1 steps, the original has 2"),
        ("cut.fr", TRANSLATION, "cut.fr.md:1: language: expected that of the file's name, not es"),
        ("gone.es", TRANSLATION, "gone.es.md:1: there is no runbook that it could translate"),
        ("cut.es", TRANSLATION.replace("aquello", "агаў"), "step 2: an SMS cannot carry it as it stands"),
        ("cut.es", TRANSLATION.replace("aquello", "á" * 140), "step 2: is 146 characters long, at most 140 fit"),
        ("cut.es", TRANSLATION.replace("draft: true", "draft: maybe"), "cut.es.md:6: draft: expected true or false"),
        ("cut.es", TRANSLATION.replace('"{hash}"', "123"), "translates: expected the hash of what it translates"),
        ("cut.es", TRANSLATION.replace("first:", "kinds: [cable]\nfirst:"), "kinds: unknown; known are id, title"),
    ],
)
def test_a_wrong_translation_is_refused(tmp_path: Path, name: str, text: str, says: str) -> None:
    write(tmp_path, "cut")
    (tmp_path / f"{name}.md").write_text(text.format(hash="0" * 12) if "{hash}" in text else text)
    assert any(says in problem for problem in problems(tmp_path)), problems(tmp_path)
