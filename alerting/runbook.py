"""One runbook: what it holds, and how its file is read: Markdown with front matter, pinned by its content's hash."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from alerting.gsm import fold, lossy, septets
from alerting.match import Matcher, parse
from alerting.model import Severity

FIRST_SEPTETS = 60
STEP_SEPTETS = 140
PHASES = frozenset({"down", "degraded"})
STEP = re.compile(r"(\d+)\. +(\S.*)")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a runbook, and where."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


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
    language: str
    """In which it is written."""
    reviewed: date
    """When somebody last walked through it; of a translation, the day of what it translates."""
    minutes: int
    first: str
    """The first move, for the SMS."""
    steps: tuple[str, ...]
    text: str
    """The whole page below the front matter, as mail carries it."""
    hash: str
    """The first 12 hexadecimal digits of the file's SHA-256."""
    draft: bool = False
    """A translation that no native speaker has read yet."""
    translates: str = ""
    """Of a translation: the hash of the words that it translates; "" of an original."""
    translations: Mapping[str, "Runbook"] = field(default_factory=dict)
    match: tuple[Matcher, ...] = ()
    """What else must be true of an alert, over its labels; a runbook that asks for more is nearer."""

    @property
    def pinned(self) -> str:
        """``id@hash``, of a translation ``id.es@hash``: the exact words that somebody was sent."""
        return f"{self.id}{f'.{self.language}' if self.translates else ''}@{self.hash}"

    def spoken(self, language: str) -> "Runbook":
        """Return it in a language; the original where there is no translation."""
        return self.translations.get(language, self)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise ValueError("expected a list of words, such as [cable, landing]")
    return tuple(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a text")
    return value


def _matchers(value: Any) -> tuple[Matcher, ...]:
    return tuple(parse(one) for one in _texts(value)) if value is not None else ()


def _digest(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{12}", value):
        raise ValueError('expected the hash of what it translates, in quotes, such as "a2336f0cf96d"')
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


def _language(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch("[a-z]{2,3}", value):
        raise ValueError("expected the code of a language, such as en, es or pap")
    return value


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("expected true or false")
    return value


def _short(most: int, language: object) -> Callable[[Any], str]:
    """Read a text that fits so many septets of GSM-7: as it stands, or in other languages without its accents."""

    def read(value: Any) -> str:
        text = _text(value)
        if (fold(text) != text) if language == "en" else lossy(text):
            raise ValueError(f"an SMS cannot carry it as it stands; it would read {fold(text)!r}")
        if (long := septets(fold(text))) > most:
            raise ValueError(f"is {long} characters long, at most {most} fit")
        return text

    return read


Fields = Mapping[str, Callable[[Any], Any]]

FIELDS: Fields = {
    "id": _text,
    "title": _text,
    "kinds": _texts,
    "phases": _phases,
    "match": _matchers,
    "severity": _severity,
    "roles": _texts,
    "language": _language,
    "reviewed": _date,
    "minutes": _minutes,
    "first": _text,
}
"""The front matter's keys -> how each is read; ``kinds``, ``phases`` and ``match``, if any, stand under ``matches``."""
TRANSLATED: Fields = {
    "id": _text,
    "title": _text,
    "language": _language,
    "translates": _digest,
    "draft": _flag,
    "first": _text,
}
"""The same of a translation: all else is the original's."""


def read(path: Path) -> tuple[Runbook | None, list[Problem]]:
    """Read an original, ``NAME.md``."""
    return _read(path, FIELDS, path.stem)


def translate(path: Path, original: Runbook) -> tuple[Runbook | None, list[Problem]]:
    """Read a translation, ``NAME.LANGUAGE.md``: it has the steps of the original, under the same numbers."""
    book, problems = _read(path, TRANSLATED, original.id, original)
    if book is None:
        return None, problems
    if book.language != path.stem.rpartition(".")[2]:
        problems = [Problem(path, 1, f"language: expected that of the file's name, not {book.language}")]
    elif len(book.steps) != len(original.steps):
        problems = [Problem(path, 1, f"has {len(book.steps)} steps, the original has {len(original.steps)}")]
    return (None if problems else book), problems


def _read(
    path: Path, wanted: Fields, name: str, original: Runbook | None = None
) -> tuple[Runbook | None, list[Problem]]:
    try:
        raw = path.read_bytes()
        lines = raw.decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return None, [Problem(path, 1, f"cannot be read: {error}")]
    if not lines or lines[0] != "---" or "---" not in lines[1:]:
        return None, [Problem(path, 1, "expected front matter between two lines of ---")]
    end = lines.index("---", 1)
    fields, problems = _front(path, lines[:end], wanted, name)
    steps, wrong = _steps(path, lines[end + 1 :], end + 2, fields.get("language", "en"))
    problems += wrong
    if problems:
        return None, problems
    fields |= {
        "steps": steps,
        "text": "\n".join(lines[end + 1 :]).strip(),
        "hash": hashlib.sha256(raw).hexdigest()[:12],
    }
    return (replace(original, **fields) if original else Runbook(**fields)), []


def _front(path: Path, lines: list[str], wanted: Fields, name: str) -> tuple[dict[str, Any], list[Problem]]:
    """Read the front matter: values by field, and what is wrong."""
    try:
        given = yaml.safe_load("\n".join(lines[1:]))
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark.line + 2 if error.problem_mark else 1
        return {}, [Problem(path, at, f"not YAML: {error.problem}")]
    except (yaml.YAMLError, ValueError) as error:
        return {}, [Problem(path, 1, f"not YAML: {error}")]
    matches = given.pop("matches", None) if isinstance(given, dict) else None
    if not isinstance(given, dict) or ("kinds" in wanted and not isinstance(matches, dict)):
        return {}, [Problem(path, 1, "expected fields, among them matches: with kinds: and phases:")]
    flat = {**(matches or {}), **given}
    problems = [
        Problem(path, _line(lines, key), f"{key}: unknown; known are {', '.join(wanted)}")
        for key in flat
        if key not in wanted
    ]
    fields: dict[str, Any] = {}
    for key, check in wanted.items():
        try:
            fields[key] = (_short(FIRST_SEPTETS, fields.get("language")) if key == "first" else check)(flat.get(key))
        except ValueError as error:
            problems.append(Problem(path, _line(lines, key), f"{key}: {error}"))
    if "id" in fields and fields["id"] != name:
        problems.append(Problem(path, _line(lines, "id"), f"id: expected the file's name, {name}"))
    return fields, problems


def _line(lines: list[str], key: object) -> int:
    """Find the line of a key; 1 if it is missing."""
    return next((n for n, line in enumerate(lines, 1) if line.strip().startswith(f"{key}:")), 1)


def _steps(path: Path, lines: list[str], start: int, language: str) -> tuple[tuple[str, ...], list[Problem]]:
    """Read the numbered steps, one line each, counted from 1."""
    steps: list[str] = []
    problems: list[Problem] = []
    check = _short(STEP_SEPTETS, language)
    for n, line in enumerate(lines, start):
        if found := STEP.fullmatch(line):
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
