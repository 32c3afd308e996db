"""YAML text -> nodes that remember their line. Values stay text: the schema decides what they are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from monitor.config.problems import Problem, Where

MAX_BYTES = 1 << 20
MAX_DEPTH = 16
MAX_NODES = 200_000
"""Counted with every alias unfolded."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is 20 times faster, where it was built


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a file: text, None (nothing written), a list, or keys and values."""

    value: "str | list[Node] | dict[str, Node] | None"
    where: Where
    path: str = ""

    def at(self, *location: str | int) -> "Node":
        """Follow the keys as far as they lead."""
        node = self
        for key in location:
            below = node.below(key)
            if below is None:
                break
            node = below
        return node

    def below(self, key: str | int) -> "Node | None":
        """Return what stands under one key or number."""
        if isinstance(self.value, dict) and isinstance(key, str):
            return self.value.get(key)
        if isinstance(self.value, list) and isinstance(key, int):
            return self.value[key] if key < len(self.value) else None
        return None

    def plain(self) -> Any:
        """Return text, lists and dicts; a key without a value is as good as not written."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items() if node.value is not None}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def text(self, key: str) -> str:
        """Return the text under ``key``, or nothing."""
        child = self.below(key)
        return child.value if child is not None and isinstance(child.value, str) else ""

    def problem(self, message: str, expected: str = "", *, key: str | int | None = None) -> Problem:
        """Point here, or to ``key`` in here; a key that is not there yet is named by path."""
        node = self.below(key) if key is not None else self
        if node is not None:
            return Problem(node.where, node.path, message, expected)
        path = f"{self.path}.{key}" if self.path else str(key)
        return Problem(self.where, path, message, expected)


class UnreadableError(Exception):
    """A file that yields nothing at all."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_text(path: Path) -> str:
    """Return a file's UTF-8 text of at most MAX_BYTES; raises UnreadableError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableError(Problem(Where(str(path)), "", f"cannot be read: {error.strerror}")) from None
    if len(data) > MAX_BYTES:
        raise UnreadableError(Problem(Where(str(path)), "", "too big", "at most 1 MiB"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableError(Problem(Where(str(path), line), "", "not readable as text", "UTF-8")) from None


def read_yaml(path: Path) -> tuple[Node, list[Problem]]:
    """Return the file's tree and what is wrong with its form; raises UnreadableError."""
    return parse_yaml(read_text(path), str(path))


def parse_yaml(text: str, file: str) -> tuple[Node, list[Problem]]:
    """Return the tree of one YAML document and what is wrong with its form; raises UnreadableError."""
    reader = _Reader(text, file)
    try:
        return reader.document(), reader.problems
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 0
        raise UnreadableError(Problem(Where(file, line), "", f"not YAML: {error.problem}")) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UnreadableError(Problem(Where(file, line), "", "not YAML: a character that text must not hold")) from None
    except yaml.YAMLError:
        raise UnreadableError(Problem(Where(file), "", "not YAML")) from None


class _Reader:
    """Builds nodes from the parser's events: bounded in depth and size, and strict about keys."""

    def __init__(self, text: str, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0

    def document(self) -> Node:
        """Read the only document."""
        root = Node({}, Where(self._file, 1))
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._stop(event, "a second document", "one document per file")
                root = self._node(next(self._events), "", None, 0)
        if root.value is None:
            return Node({}, root.where)
        if not isinstance(root.value, dict):
            raise UnreadableError(root.problem("not a list of keys and values", '"key: value" lines'))
        return root

    def _node(self, event: yaml.Event, path: str, where: Where | None, depth: int) -> Node:
        """Read the value that begins with ``event``; ``where`` is its key's place when it has one."""
        place = where or self._where(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, place)
        if depth > MAX_DEPTH:
            raise self._stop(event, "nested too deeply", f"at most {MAX_DEPTH} levels")
        self._counted(event, 1)
        before = self._count
        if getattr(event, "tag", None) not in {None, "!"}:
            self.problems.append(Problem(place, path, "a YAML tag (!) has no meaning here"))
        if isinstance(event, yaml.SequenceStartEvent):
            node = Node(self._items(path, depth), place, path)
        elif isinstance(event, yaml.MappingStartEvent):
            node = Node(self._pairs(path, depth), place, path)
        else:
            node = Node(_scalar(event), place, path)
        if anchor := getattr(event, "anchor", None):
            self._anchors[anchor] = node, self._count - before + 1
        return node

    def _items(self, path: str, depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, f"{path}[{len(items)}]", None, depth + 1))
        return items

    def _pairs(self, path: str, depth: int) -> dict[str, Node]:
        pairs: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            where = self._where(event)
            key = self._node(event, path, None, depth + 1)
            name = key.value if isinstance(key.value, str) else ""
            below = f"{path}.{name}" if path else name
            value = self._node(next(self._events), below, where, depth + 1)
            if not name:
                self.problems.append(Problem(where, path, "a key that is not plain text"))
            elif value.value is None and re.search(r"[\s:]", name):  # {port:80}: it would be lost, and may be a secret
                self.problems.append(Problem(where, path, "a key without a value", 'a colon and a blank, "key: value"'))
            elif name in pairs:
                first = pairs[name].where.line
                self.problems.append(Problem(where, below, f"written twice; the first stands in line {first}"))
            else:
                pairs[name] = value
        return pairs

    def _alias(self, event: yaml.AliasEvent, path: str, where: Where) -> Node:
        if event.anchor not in self._anchors:
            raise self._stop(event, f'"*{event.anchor}" stands for nothing', f'"&{event.anchor}" before it')
        node, size = self._anchors[event.anchor]
        self._counted(event, size)
        return Node(node.value, where, path)

    def _counted(self, event: yaml.Event, nodes: int) -> None:
        self._count += nodes
        if self._count > MAX_NODES:
            raise self._stop(event, "too many values, or aliases that unfold to too many", f"at most {MAX_NODES}")

    def _where(self, event: yaml.Event) -> Where:
        mark = event.start_mark
        return Where(self._file, mark.line + 1 if mark else 1)

    def _stop(self, event: yaml.Event, message: str, expected: str) -> UnreadableError:
        return UnreadableError(Problem(self._where(event), "", message, expected))


def _scalar(event: Any) -> str | None:
    """Return the text as written: no number, date or yes/no is guessed (+18685550100, 2001:db8::1, NO)."""
    return None if not event.style and event.value in {"", "~", "null"} else event.value
