"""All runbooks of a folder: loaded with their translations, matched to alerts, looked over once a year."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Self

from alerting.match import labels, matches
from alerting.model import Alert
from alerting.runbook import PHASES, Problem, Runbook, read, translate

REVIEW = timedelta(days=365)
"""So long are the words of a runbook good without somebody walking through it."""


class RunbookError(Exception):
    """Every problem of a folder at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Runbooks:
    """All runbooks by id."""

    def __init__(self, books: Mapping[str, Runbook]) -> None:
        self._books = dict(books)

    def __iter__(self) -> Iterator[Runbook]:
        return iter(self._books.values())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read ``NAME.md`` but README.md, and ``NAME.LANGUAGE.md``; raise RunbookError with every problem."""
        paths = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
        books: dict[str, Runbook] = {}
        problems: list[Problem] = []
        for path in (path for path in paths if "." not in path.stem):
            book, found = read(path)
            problems += found
            if book is not None:
                books[book.id] = book
        for path in (path for path in paths if "." in path.stem):
            original = books.get(path.stem.rpartition(".")[0])
            if original is None:
                problems += [] if problems else [Problem(path, 1, "there is no runbook that it could translate")]
                continue
            book, found = translate(path, original)
            problems += found
            if book is not None:
                more = {**original.translations, book.language: book}
                books[original.id] = replace(original, translations=more)
        if problems:
            raise RunbookError(problems)
        return cls(books)

    def match(self, alert: Alert) -> Runbook | None:
        """Give the runbook that fits best: it asks for most of the labels, then its kinds name the alert's earliest."""
        phase, known = alert.labels.get("phase", "down"), labels(alert)
        fits = [
            book
            for book in self
            if alert.kind in book.kinds
            and helps(book, phase)
            and alert.severity.rank >= book.severity.rank
            and matches(book.match, known)
        ]
        return min(fits, key=lambda book: (-len(book.match), book.kinds.index(alert.kind), book.id), default=None)

    def find(self, id_: str) -> Runbook | None:
        """Give a runbook by its id or its ``id@hash``; another hash gives the words of today."""
        name, _, language = id_.partition("@")[0].partition(".")
        book = self._books.get(name)
        return book.spoken(language) if book else None

    def lint(self, kinds: Collection[str], languages: Collection[str], today: date) -> list[str]:
        """Return what somebody should look at, though every message can leave: what lacks, is a draft, or old."""
        notes = [
            f"{kind}: no runbook says what to do when it is {phase}"
            for kind in kinds
            for phase in sorted(PHASES)
            if not any(kind in book.kinds and phase in book.phases and not book.match for book in self)
        ]
        for book in self:
            notes += _look_over(book, languages, today)
        return notes


def helps(book: Runbook, phase: str) -> bool:
    """Whether a runbook is for a phase; what answers some vantages alone is degraded, what others report is down."""
    return {"partitioned": "degraded", "firing": "down"}.get(phase, phase) in book.phases


def _look_over(book: Runbook, languages: Collection[str], today: date) -> Iterator[str]:
    if today - book.reviewed > REVIEW:
        yield f"{book.id}: last reviewed {book.reviewed}, more than a year ago"
    lacking = [one for one in languages if one != book.language and one not in book.translations]
    if lacking:
        yield f"{book.id}: not there in {', '.join(lacking)}; who reads these gets it in {book.language}"
    for language, one in book.translations.items():
        if one.draft:
            yield f"{book.id}.{language}: a draft that no native speaker has read"
        if one.translates != book.hash:
            yield f"{book.id}.{language}: translates {one.translates}, an earlier text than {book.hash} of today"
