"""Runbooks: Markdown with front matter, checked when loaded, pinned by the hash of their content."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

import yaml

from alerting.gsm import fold, septets
from alerting.model import Alert, Severity

FIRST_SEPTETS = 60
STEP_SEPTETS = 140
PHASES = frozenset({"down", "degraded"})
_STEP = re.compile(r"(\d+)\. +(\S.*)")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a runbook, and where."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class RunbookError(Exception):
    """Every problem of a folder at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Runbook:
    """What to do about one kind of trouble."""

    id: str
    title: str
    kinds: tuple[str, ...]
    """Asset kinds it is for, the nearest first."""
    phases: tuple[str, ...]
    severity: Severity
    """The mildest severity at which it helps."""
    roles: tuple[str, ...]
    languages: tuple[str, ...]
    reviewed: date
    minutes: int
    first: str
    """The first move, for the SMS."""
    steps: tuple[str, ...]
    text: str
    """The whole page below the front matter, as mail carries it."""
    hash: str
    """The first 12 hexadecimal digits of the file's SHA-256."""

    @property
    def pinned(self) -> str:
        """``id@hash``: the exact words that somebody was sent."""
        return f"{self.id}@{self.hash}"


class Runbooks:
    """All runbooks by id."""

    def __init__(self, books: Mapping[str, Runbook]) -> None:
        self._books = dict(books)

    def __iter__(self) -> Iterator[Runbook]:
        return iter(self._books.values())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read ``*.md`` but README.md; raise RunbookError with every problem."""
        books: dict[str, Runbook] = {}
        problems: list[Problem] = []
        for path in sorted(folder.glob("*.md")):
            if path.name == "README.md":
                continue
            book, found = _read(path)
            problems += found
            if book is not None:
                books[book.id] = book
        if problems:
            raise RunbookError(problems)
        return cls(books)

    def match(self, alert: Alert) -> Runbook | None:
        """Give the runbook whose kinds name the alert's earliest, if its phase and severity fit."""
        phase = alert.labels.get("phase", "down")
        fits = [
            book
            for book in self
            if alert.kind in book.kinds and phase in book.phases and alert.severity.rank >= book.severity.rank
        ]
        return min(fits, key=lambda book: (book.kinds.index(alert.kind), book.id), default=None)

    def find(self, id_: str) -> Runbook | None:
        """Give a runbook by its id or its ``id@hash``; another hash gives the words of today."""
        return self._books.get(id_.partition("@")[0])


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise ValueError("expected a list of words, such as [cable, landing]")
    return tuple(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a text")
    return value


def _phases(value: Any) -> tuple[str, ...]:
    found = _texts(value)
    if not PHASES.issuperset(found):
        raise ValueError(f"expected phases among {', '.join(sorted(PHASES))}")
    return found


def _severity(value: Any) -> Severity:
    try:
        return Severity(value)
    except ValueError:
        raise ValueError(f"expected one of {', '.join(Severity)}, not {value!r}") from None


def _date(value: Any) -> date:
    if type(value) is not date:
        raise ValueError("expected a date, such as 2026-09-01")
    return value


def _minutes(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= 1440:
        raise ValueError("expected whole minutes between 1 and 1440")
    return value


def _short(most: int) -> Callable[[Any], str]:
    """Read a text that fits so many septets of GSM-7 as it stands."""

    def read(value: Any) -> str:
        text = _text(value)
        if fold(text) != text:
            raise ValueError(f"an SMS cannot carry it as it stands; it would read {fold(text)!r}")
        if septets(text) > most:
            raise ValueError(f"is {septets(text)} characters long, at most {most} fit")
        return text

    return read


FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "id": _text,
    "title": _text,
    "kinds": _texts,
    "phases": _phases,
    "severity": _severity,
    "roles": _texts,
    "languages": _texts,
    "reviewed": _date,
    "minutes": _minutes,
    "first": _short(FIRST_SEPTETS),
}
"""The front matter's keys -> how each is read; ``kinds`` and ``phases`` stand under ``matches``."""


def _read(path: Path) -> tuple[Runbook | None, list[Problem]]:
    try:
        raw = path.read_bytes()
        lines = raw.decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return None, [Problem(path, 1, f"cannot be read: {error}")]
    if not lines or lines[0] != "---" or "---" not in lines[1:]:
        return None, [Problem(path, 1, "expected front matter between two lines of ---")]
    end = lines.index("---", 1)
    fields, problems = _front(path, lines[:end])
    steps, wrong = _steps(path, lines[end + 1 :], end + 2)
    problems += wrong
    if problems:
        return None, problems
    text = "\n".join(lines[end + 1 :]).strip()
    digest = hashlib.sha256(raw).hexdigest()[:12]
    return Runbook(**fields, steps=steps, text=text, hash=digest), []


def _front(path: Path, lines: list[str]) -> tuple[dict[str, Any], list[Problem]]:
    """Read the front matter: values by field, and what is wrong."""
    try:
        given = yaml.safe_load("\n".join(lines[1:]))
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark.line + 2 if error.problem_mark else 1
        return {}, [Problem(path, at, f"not YAML: {error.problem}")]
    except (yaml.YAMLError, ValueError) as error:
        return {}, [Problem(path, 1, f"not YAML: {error}")]
    if not isinstance(given, dict) or not isinstance(given.get("matches"), dict):
        return {}, [Problem(path, 1, "expected fields, among them matches: with kinds: and phases:")]
    flat = {**given.pop("matches"), **given}
    problems = [
        Problem(path, _line(lines, key), f"{key}: unknown; known are {', '.join(FIELDS)}")
        for key in flat
        if key not in FIELDS
    ]
    fields: dict[str, Any] = {}
    for key, read in FIELDS.items():
        try:
            fields[key] = read(flat.get(key))
        except ValueError as error:
            problems.append(Problem(path, _line(lines, key), f"{key}: {error}"))
    if "id" in fields and fields["id"] != path.stem:
        problems.append(Problem(path, _line(lines, "id"), f"id: expected the file's name, {path.stem}"))
    return fields, problems


def _line(lines: list[str], key: object) -> int:
    """Find the line of a key; 1 if it is missing."""
    return next((n for n, line in enumerate(lines, 1) if line.strip().startswith(f"{key}:")), 1)


def _steps(path: Path, lines: list[str], start: int) -> tuple[tuple[str, ...], list[Problem]]:
    """Read the numbered steps, one line each, counted from 1."""
    steps: list[str] = []
    problems: list[Problem] = []
    check = _short(STEP_SEPTETS)
    for n, line in enumerate(lines, start):
        if found := _STEP.fullmatch(line):
            if int(found[1]) != len(steps) + 1:
                problems.append(Problem(path, n, f"step {found[1]}: expected number {len(steps) + 1}"))
            try:
                steps.append(check(found[2]))
            except ValueError as error:
                steps.append("")
                problems.append(Problem(path, n, f"step {found[1]}: {error}"))
    if not steps:
        problems.append(Problem(path, start, "expected numbered steps: lines that begin with 1. 2. 3."))
    return tuple(steps), problems
