"""Shipped files, the operator's over them -> Settings, or every problem at once."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from monitor import data
from monitor.config import bgp
from monitor.config.channels import build_channels, forms
from monitor.config.depends import orphans
from monitor.config.doors import base_url, ops_door, state
from monitor.config.drills import scenarios
from monitor.config.guard import check_guard
from monitor.config.heartbeat import beats
from monitor.config.influx import influx
from monitor.config.inventory import read_inventory
from monitor.config.maintenance import home_zone, windows
from monitor.config.merge import Merger
from monitor.config.nodes import Node, UnreadableError, read_yaml
from monitor.config.notes import notes
from monitor.config.people import check_people, directory
from monitor.config.problems import ConfigError, Problem, Where, did_you_mean
from monitor.config.routing import Routing
from monitor.config.rows import TABLES, USUAL
from monitor.config.schema import FILES, Document
from monitor.config.settings import Door, Settings
from monitor.config.validate import Fault, faults, placed
from monitor.config.world import build

T = TypeVar("T")
OVERLAY = Path("/etc/lambi")
"""The operator's folder unless $LAMBI_CONFIG names another; it need not exist."""
MAX_REPAIRS = 8
LISTS = frozenset(
    {"assets", "targets", "depends", "peers", "contacts", "rotations", "routes", "ladders", "maintenance"}
) | {
    "intervals",
    "inhibit",
    "silences",
    "drills",
}
"""Lists whose rows stand for themselves: one that is wrong is left out, and the others are still checked."""


def load(overlay: Path | None, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of the shipped files with ``overlay`` over them; raises ConfigError with all problems."""
    settings, problems = _read(overlay, os.environ if environ is None else environ)
    if problems or settings is None:
        raise ConfigError(problems)
    return settings


def check(overlay: Path | None, environ: Mapping[str, str] | None = None) -> list[Problem]:
    """Return every problem of the files, none when they can be used."""
    return _read(overlay, os.environ if environ is None else environ)[1]


def examine(overlay: Path | None) -> tuple[Settings | None, list[Problem]]:
    """Return what the files say as far as they can be used, and every problem; None when they cannot at all.

    For commands that must work where a secret of the daemon's is out of reach.
    """
    return _read(overlay, os.environ)


def _read(overlay: Path | None, environ: Mapping[str, str]) -> tuple[Settings | None, list[Problem]]:
    problems: list[Problem] = []
    own, folder = (overlay or OVERLAY) / "lambi.yaml", data.shipped("config")
    overlay = _opened(overlay, problems)
    shipped, tree, unread = _laid(folder, overlay, problems)
    tables = (*USUAL, "prefixes") if bgp.wanted(tree) else USUAL
    known = _taken(read_inventory(folder / "inventory", overlay / "inventory" if overlay else None, tables), problems)
    assets, contacts = written(tree, "assets", "id"), written(tree, "contacts", "name")
    site = tree.at("heartbeat").text("name")
    doc, tree = _document(tree, shipped, problems)
    if doc is None or unread:  # what stands in a file that cannot be read would be missed everywhere else
        return None, _in_order(problems)
    problems += check_guard(doc, tree)
    world = _taken(build(doc, tree, known, assets, environ), problems)
    channels = _taken(build_channels(doc, tree, environ), problems)
    problems += check_people(doc, tree, forms(doc))
    zone = home_zone(doc, world.territories)
    routing = Routing(doc, tree, world.territories, contacts, zone, known=known)
    people = directory(doc, routing, forms(doc))
    problems += routing.problems
    maintenance = _taken(windows(doc, tree, {*world.assets, *assets}, zone), problems)
    drills = _taken(scenarios(doc, tree, {*world.assets, *assets}, world.vantage, folder), problems)
    ops, wrong = ops_door(doc, tree, environ)
    problems += wrong or ([] if problems else orphans(doc, tree, world.checks.values()))
    waiting = _taken(beats(doc, tree, site, environ), problems)
    place = _taken(influx(doc, tree, environ), problems)
    home = state(doc)
    noted = [] if problems else notes(doc, tree, world, people, channels)
    settings = Settings(
        world=world,
        directory=people,
        channels=channels,
        site=doc.site,
        state=home,
        public=Door(doc.web.public.host, doc.web.public.port),
        ops=ops,
        control=Path(doc.web.control) if doc.web.control else home / "control.sock",
        base_url=base_url(doc),
        retention_days=doc.store.retention_days,
        rollup_days=doc.store.rollup_days,
        user_agent=doc.user_agent,
        file=own,
        notes=tuple(_in_order([note for note in noted if not Path(note.file).is_relative_to(folder)])),
        maintenance=maintenance,
        drills=drills,
        beats=waiting,
        influx=place,
        bgp=bgp.stream(doc, known),
    )
    return settings, _in_order(problems)


def _taken(found: tuple[T, Iterable[Problem]], problems: list[Problem]) -> T:
    """Return what was found; what is wrong with it is told."""
    problems += found[1]
    return found[0]


def _laid(folder: Path, overlay: Path | None, problems: list[Problem]) -> tuple[Node, Node, bool]:
    """Return the shipped files, the operator's laid over them, and whether some yielded nothing."""
    unread: list[Problem] = []
    merger = Merger()
    shipped = merger.over(Node({}, Where(str(folder / "lambi.yaml"), 1)), _tree(folder, problems, unread))
    tree = merger.over(shipped, _tree(overlay, problems, unread)) if overlay else shipped
    problems += unread + merger.problems
    return shipped, tree, bool(unread)


def written(tree: Node, part: str, key: str) -> set[str]:
    """Return what the rows of a list are called in the files, also those with a problem of their own."""
    rows = tree.at(part).value
    return {row.text(key) for row in rows} if isinstance(rows, list) else set()


def _in_order(problems: list[Problem]) -> list[Problem]:
    """By file and line; what two looks said of one place once."""
    once = dict.fromkeys(problems)
    return sorted(once, key=lambda problem: (problem.file, problem.line, problem.where.column))


def _opened(overlay: Path | None, problems: list[Problem]) -> Path | None:
    """Return the operator's folder when it can be read; tell when it cannot, and of files that nobody would read."""
    if overlay is None:
        return None
    try:
        _strangers(overlay, problems)
    except FileNotFoundError:
        if overlay != OVERLAY:
            problems.append(Problem(Where(str(overlay)), "", "no such folder", "the folder of your configuration"))
        return None
    except OSError as error:
        problems.append(Problem(Where(str(overlay)), "", f"cannot be read: {error.strerror}"))
        return None
    return overlay


def _strangers(overlay: Path, problems: list[Problem]) -> None:
    tables = [table.file for table in TABLES.values()]
    places = [(overlay, {".yaml", ".yml"}, list(FILES))]
    if (overlay / "inventory").exists():
        places.append((overlay / "inventory", {".csv"}, tables))
    for folder, suffixes, names in places:
        for path in sorted(folder.iterdir()):
            if path.suffix in suffixes and path.name not in names:
                message = f"a file that is not read{did_you_mean(path.name, names)}"
                problems.append(Problem(Where(str(path)), "", message))


def _tree(folder: Path, problems: list[Problem], unread: list[Problem]) -> Node:
    """Lay the YAML files of one folder side by side; those that yield nothing are told in ``unread``."""
    parts: dict[str, Node] = {}
    for name, allowed in FILES.items():
        path = folder / name
        if not path.exists():
            continue
        try:
            tree, wrong = read_yaml(path)
        except UnreadableError as error:
            unread.append(error.problem)
            continue
        problems += wrong
        for key, node in _allowed(tree, allowed, problems).items():
            parts[key] = _joined(parts.get(key), node)
    return Node(parts, Where(str(folder / "lambi.yaml"), 1))


def _joined(first: Node | None, second: Node) -> Node:
    """Two files of one folder may hold rows of one list."""
    if first is not None and isinstance(first.value, list) and isinstance(second.value, list):
        return Node(first.value + second.value, first.where, first.path)
    return second if second.value is not None or first is None else first


def _allowed(tree: Node, parts: tuple[str, ...], problems: list[Problem]) -> dict[str, Node]:
    """Keep what this file may hold."""
    kept = {}
    for key, node in tree.value.items() if isinstance(tree.value, dict) else ():
        if key in parts:
            kept[key] = node
            continue
        home = next((name for name, held in FILES.items() if key in held), "")
        hint = f"; it belongs in {home}" if home else did_you_mean(key, parts)
        problems.append(Problem(node.where, key, f"unknown key{hint}"))
    return kept


def _document(tree: Node, shipped: Node, problems: list[Problem]) -> tuple[Document | None, Node]:
    """Validate; what is wrong is told and left out, so that the rest can be checked as well."""
    told = False
    for _ in range(MAX_REPAIRS):
        try:
            return Document.model_validate(tree.plain()), tree
        except ValidationError as error:
            found = faults(error, Document)
        if not told:
            problems += [placed(fault, tree) for fault in found]
            told = True
        tree = _without(tree, shipped, found)
    return None, tree


def _without(tree: Node, shipped: Node, found: list[Fault]) -> Node:
    """Drop the rows that have a fault where rows stand for themselves; take any other part as it was shipped."""
    parts = dict(tree.value) if isinstance(tree.value, dict) else {}
    rows: dict[str, set[str | int]] = {}
    for fault in found:
        rows.setdefault(str(fault.location[0]), set()).update(fault.location[1:2])
    for part, places in rows.items():
        node, spare = parts.pop(part), shipped.below(part)
        if part in LISTS and isinstance(node.value, list) and places:
            kept = [row for number, row in enumerate(node.value) if number not in places]
            parts[part] = Node(kept, node.where, node.path)
        elif spare is not None and spare is not node:
            parts[part] = spare
    return Node(parts, tree.where, tree.path)
