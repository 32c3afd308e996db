"""Rows of maintenance.yaml -> windows; every mistake with its line."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from monitor.config.nodes import Node
from monitor.config.problems import Problem, did_you_mean
from monitor.config.schema import Document, MaintenanceRow
from monitor.maintenance import checked, occurrences
from monitor.model import Territory, Window
from monitor.moments import day, lasting

T = TypeVar("T")
GIVEN = re.compile(r"m\d+")
"""Ids that the daemon gives to windows made by hand."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def home_zone(doc: Document, territories: Mapping[str, Territory]) -> str:
    """Return the zone of the vantage's territory."""
    home = territories.get(doc.vantage.territory)
    return home.zone if home else "UTC"


def windows(doc: Document, tree: Node, assets: Collection[str], zone: str) -> tuple[tuple[Window, ...], list[Problem]]:
    """Return the windows and what is wrong with their rows; ``zone``: whose clock a row means that names none."""
    made: list[Window] = []
    problems: list[Problem] = []
    for number, row in enumerate(doc.maintenance):
        node = tree.at("maintenance", number)
        if row.asset not in assets:
            problems.append(node.problem(f'unknown asset "{row.asset}"{did_you_mean(row.asset, assets)}', key="asset"))
        if GIVEN.fullmatch(row.id):
            message = f'"{row.id}" is a name that `lambi maintenance add` gives'
            problems.append(node.problem(message, "a name of your own, like ring-upgrade", key="id"))
        try:
            made.append(_window(row, zone))
        except ValueError as error:
            key, _, sentence = str(error).partition(": ")
            problems.append(node.problem(sentence, key=key))
    return tuple(made), problems


def _window(row: MaintenanceRow, home: str) -> Window:
    """Raises ValueError "field: sentence"."""
    zone = row.zone or home
    since = _read("since", day, row.since, zone)
    if bool(row.until) == bool(row.lasts):
        raise ValueError("until: one of until and lasts says when it ends")
    until = _read("until", day, row.until, zone) if row.until else since + _read("lasts", lasting, row.lasts)
    window = checked(Window(row.id, row.asset, since, until, row.reason, row.author, row.below, row.rule, zone))
    return checked(_skipping(window, row.skip)) if row.skip else window


def _read(field: str, read: Callable[..., T], *words: str) -> T:
    try:
        return read(*words)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from None


def _skipping(window: Window, days: Collection[str]) -> Window:
    """Leave out the occurrences that begin on these days of the zone's calendar."""
    zone = ZoneInfo(window.zone)
    skipped = []
    for text in days:
        if not _DATE.fullmatch(text) or not window.rule:
            raise ValueError("skip: days of a rule that do not take place; expected dates, like 2026-12-27")
        midnight = _read("skip", day, f"{text} 00:00", window.zone)
        begins = [each.since for each in occurrences(window, midnight, midnight + timedelta(days=2))]
        found = [each for each in begins if f"{each.astimezone(zone):%Y-%m-%d}" == text]
        if not found:
            raise ValueError(f"skip: nothing begins on {text}")
        skipped += found
    return replace(window, skipped=tuple(skipped))
