"""The inventory's CSV files: the shipped rows with the operator's laid over them, and what does not hold together."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from monitor.config.merge import Merger
from monitor.config.nodes import Node, UnreadableError
from monitor.config.problems import Problem, did_you_mean
from monitor.config.rows import OPERATOR, TABLES, USUAL, Inventory, Table
from monitor.config.tables import read_csv
from monitor.config.validate import validated

Found = dict[str, list[tuple[Any, Node]]]
"""Table -> its rows, each with its place."""


def read_inventory(
    shipped: Path, overlay: Path | None, wanted: Collection[str] = USUAL
) -> tuple[Inventory, list[Problem]]:
    """Read the shipped folder and the operator's over it; rows that are wrong are left out and told.

    A table that is not ``wanted`` is read all the same when the operator has rows for it, which may be wrong.
    """
    found, named, problems = read_tables(shipped, overlay, wanted)
    rows = {name: tuple(row for row, _ in each) for name, each in found.items()}
    return Inventory(**rows, agencies=frozenset(named["organisations"])), problems


def read_tables(
    shipped: Path, overlay: Path | None, wanted: Collection[str]
) -> tuple[Found, dict[str, set[str]], list[Problem]]:
    """Do the same, and keep where each row stands, and what rows are called that were left out."""
    problems: list[Problem] = []
    found: Found = {}
    named: dict[str, set[str]] = {}
    for name, table in TABLES.items():
        if name in wanted or (overlay is not None and (overlay / table.file).exists()):
            rows = _laid(table, shipped, overlay, problems)
            named[name] = {row.text(table.keys[0]) for row in rows}
            found[name] = list(_valid(table, rows, problems))
    for name, columns in _REFERS.items():
        for _, node in found.get(name, ()):
            problems += _orphans(node, columns, named)
    problems += _nowhere(found["landings"]) + _glue(found["nameservers"]) + _ends(found)
    return found, named, problems


def _laid(table: Table, shipped: Path, overlay: Path | None, problems: list[Problem]) -> list[Node]:
    merger = Merger()
    columns = list(table.model.model_fields)
    rows = merger.rows([], _read(shipped / table.file, columns, problems), table.keys)
    if overlay is not None and (overlay / table.file).exists():
        own = _read(overlay / table.file, [*columns, "remove"], problems)
        rows = merger.rows(rows, [_owned(row) for row in own], table.keys)
    problems += merger.problems
    return rows


def _read(path: Path, columns: Sequence[str], problems: list[Problem]) -> list[Node]:
    try:
        rows, wrong = read_csv(path, columns)
    except UnreadableError as error:
        problems.append(error.problem)
        return []
    problems += wrong
    return rows


def _owned(row: Node) -> Node:
    """A row of the operator that names no source is the operator's word, not that of the shipped source."""
    if not isinstance(row.value, dict) or row.text("source"):
        return row
    own = {key: Node(text, row.where) for key, text in (("source", OPERATOR), ("as_of", ""), ("confidence", ""))}
    return Node({**own, **row.value, "source": own["source"]}, row.where)


def _valid(table: Table, rows: Sequence[Node], problems: list[Problem]) -> "list[tuple[Any, Node]]":
    known = table.model.model_fields
    good = []
    for node in rows:
        cells = {key: text for key, text in node.plain().items() if text != "" and key in known}
        row, wrong = validated(table.model, cells, node)
        problems += wrong
        if row is not None:
            good.append((row, node))
    return good


_REFERS = {
    "cctlds": {"iso2": "territories"},
    "nameservers": {"cctld": "cctlds", "iso2": "territories"},
    "ixps": {"iso2": "territories"},
    "cables": {"territories": "territories"},
    "landings": {"cable_id": "cables", "iso2": "territories"},
    "organisations": {"iso2": "territories"},
    "networks": {"iso2": "territories"},
    "prefixes": {"iso2": "territories"},
    "segments": {"cable_id": "cables"},
}
"""Table -> column -> the table whose rows it names."""


def _orphans(node: Node, columns: Mapping[str, str], named: Mapping[str, set[str]]) -> list[Problem]:
    """Tell of names that no row of the other table has; a row that is wrong in itself still has its name."""
    return [
        node.problem(f'"{word}" is no row of {TABLES[other].file}{did_you_mean(word, named[other])}', key=column)
        for column, other in columns.items()
        for word in node.text(column).split()
        if word not in named[other]
    ]


def _nowhere(rows: Sequence[tuple[Any, Node]]) -> list[Problem]:
    return [
        node.problem("missing", "the code of its territory, or in_region: no", key="iso2")
        for row, node in rows
        if row.in_region == "yes" and row.iso2 is None
    ]


def _glue(rows: Sequence[tuple[Any, Node]]) -> list[Problem]:
    """A host has the same addresses, whatever zone it serves: each is one target."""
    first: dict[tuple[str, str], tuple[tuple[str, ...], Node]] = {}
    problems = []
    for row, node in rows:
        for key in ("glue_v4", "glue_v6"):
            addresses = getattr(row, key)
            seen, where = first.setdefault((row.ns_host, key), (addresses, node))
            if seen != addresses:
                message = f"{row.ns_host} has another address in {where.where}"
                problems.append(node.problem(message, " ".join(seen) or "none", key=key))
    return problems


def _ends(found: Found) -> list[Problem]:
    """A segment lies between two landings of its own cable."""
    ashore = {(row.cable_id, row.landing_id) for row, _ in found["landings"]}
    cables = {cable for cable, _ in ashore}
    problems = []
    for row, node in found.get("segments", ()):
        for key in ("from_landing", "to_landing"):
            end = getattr(row, key)
            if row.cable_id in cables and (row.cable_id, end) not in ashore:
                near = did_you_mean(end, [landing for cable, landing in ashore if cable == row.cable_id])
                problems.append(node.problem(f'"{end}" is no landing of {row.cable_id}{near}', key=key))
    return problems
