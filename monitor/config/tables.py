"""CSV text -> nodes that remember line and column, so that both kinds of files are checked alike."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from monitor.config.nodes import Node, UnreadableError, read_text
from monitor.config.problems import Problem, Where, did_you_mean


def read_csv(path: Path, columns: Sequence[str]) -> tuple[list[Node], list[Problem]]:
    """Return a node per row and what is wrong with the form; raises UnreadableError. ``columns``: those known."""
    file = str(path)
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    rows: list[Node] = []
    problems: list[Problem] = []
    header: list[str] = []
    line = 1
    try:
        for cells in reader:
            where, line = Where(file, line), reader.line_num + 1
            if not header:
                header = cells
                problems += _header(header, columns, where)
            elif len(cells) > len(header):
                problems.append(Problem(where, "", f"{len(cells)} cells", f"{len(header)}, as the first line has"))
            elif any(cells):
                rows.append(_row(header, cells, where))
    except csv.Error as error:
        raise UnreadableError(Problem(Where(file, line), "", f"not CSV: {error}")) from None
    return rows, problems


def _header(header: list[str], columns: Sequence[str], where: Where) -> list[Problem]:
    problems = []
    for number, name in enumerate(header, 1):
        place = Where(where.file, where.line, number)
        if name in header[: number - 1]:
            problems.append(Problem(place, name, "column written twice"))
        elif name not in columns:
            problems.append(Problem(place, name, f"unknown column{did_you_mean(name, columns)}"))
    return problems


def _row(header: list[str], cells: list[str], where: Where) -> Node:
    """Cells that a short row leaves out are empty."""
    padded = cells + [""] * (len(header) - len(cells))
    values = {
        name: Node(cell.strip(), Where(where.file, where.line, number), name)
        for number, (name, cell) in enumerate(zip(header, padded, strict=True), 1)
    }
    return Node(values, where)
