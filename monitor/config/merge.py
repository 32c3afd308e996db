"""The operator's files over the shipped ones: row by row, the id decides."""

from collections.abc import Mapping, Sequence

from monitor.config.nodes import Node
from monitor.config.problems import Problem, did_you_mean

ROWS: Mapping[str, str] = {
    "guard.references": "id",
    "heartbeat.watchers": "id",
    "peers": "id",
    "assets": "id",
    "contacts": "name",
    "rotations": "name",
    "routes": "name",
    "ladders": "name",
    "intervals": "name",
    "inhibit": "name",
    "silences": "id",
    "maintenance": "id",
    "drills": "name",
}
"""Lists whose rows have an identity: a row of the operator changes the shipped row of the same name, or is added."""
APPENDED = frozenset({"targets", "depends"})
"""Lists that grow. Any other list of the operator replaces the shipped one."""
Rows = dict[tuple[str, ...] | int, Node]
"""By identity; a row that has none yet stands under a negative number."""
_YES = {"true", "yes", "on", "1"}


class Merger:
    """Lays nodes over nodes and collects what does not fit."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def over(self, base: Node, top: Node, path: str = "") -> Node:
        """Return ``base`` with what ``top`` says laid over it."""
        if isinstance(base.value, dict) and isinstance(top.value, dict):
            merged = dict(base.value)
            for key, node in top.value.items():
                below = f"{path}.{key}" if path else key
                merged[key] = self.over(merged[key], node, below) if key in merged else self._alone(node, below)
            return Node(merged, top.where, top.path)
        if isinstance(base.value, list) and isinstance(top.value, list):
            if path in ROWS:
                return Node(self.rows(base.value, top.value, (ROWS[path],)), top.where, top.path)
            if path in APPENDED:
                return Node(base.value + top.value, top.where, top.path)
        return base if top.value is None else top

    def _alone(self, node: Node, path: str) -> Node:
        """Return what has nothing below it; its own rows still may not name one id twice."""
        if isinstance(node.value, dict):
            return self.over(Node({}, node.where, node.path), node, path)
        if path in ROWS and isinstance(node.value, list):
            return Node(self.rows([], node.value, (ROWS[path],)), node.where, node.path)
        return node

    def rows(self, base: Sequence[Node], top: Sequence[Node], keys: tuple[str, ...]) -> list[Node]:
        """Return the rows of both; of two with the same ``keys`` the cells of the second win."""
        merged: Rows = {identity(row, keys) or -number: row for number, row in enumerate(base, 1)}
        mine: dict[tuple[str, ...], Node] = {}
        for number, row in enumerate(top, len(base) + 1):
            name = identity(row, keys)
            if name is None:
                merged[-number] = row  # the schema will say what it lacks
                continue
            if name in mine:
                first = mine[name].where.line
                self.problems.append(row.problem(f'"{" ".join(name)}" stands here twice; the first in line {first}'))
                continue
            mine[name] = row
            self._lay(merged, name, row)
        return list(merged.values())

    def _lay(self, merged: Rows, name: tuple[str, ...], row: Node) -> None:
        """Remove, change or add one row."""
        if row.text("remove").lower() in _YES:
            if merged.pop(name, None) is None:
                called = " ".join(name)
                near = did_you_mean(called, [" ".join(key) for key in merged if isinstance(key, tuple)])
                self.problems.append(row.problem(f'nothing to remove: "{called}" is not shipped{near}', key="remove"))
            return
        own = {key: node for key, node in row.value.items() if key != "remove"} if isinstance(row.value, dict) else {}
        bare = Node(own, row.where, row.path)
        merged[name] = self.over(merged[name], bare) if name in merged else bare


def identity(row: Node, keys: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the row's identity, or None while it has none."""
    name = tuple(row.text(key) for key in keys)
    return name if all(name) else None
