"""What the config reads of the operator's folder, and where its files say that secrets are found."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.config.nodes import Node, UnreadableError, read_yaml
from monitor.config.rows import TABLES
from monitor.config.schema import FILES


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a secret is found; what is found there stands nowhere."""

    kind: str
    """env, file"""
    name: str

    def __str__(self) -> str:
        """Say so in words."""
        return f"the environment variable {self.name}" if self.kind == "env" else f"the file {self.name}"


def config_files(overlay: Path | None) -> list[Path]:
    """Return every file that the config reads there, sorted."""
    if overlay is None or not overlay.is_dir():
        return []
    read = [overlay / name for name in FILES]
    read += [overlay / "inventory" / table.file for table in TABLES.values()]
    read += overlay.rglob("*.ics")
    return sorted(path for path in read if path.is_file())


def secret_places(overlay: Path | None) -> list[Place]:
    """Return where secrets are found, as far as the files can be read."""
    found: set[Place] = set()
    for path in config_files(overlay):
        if path.suffix == ".yaml":
            try:
                tree, _ = read_yaml(path)
            except UnreadableError:
                continue
            found.update(_places(tree))
    return sorted(found)


def _places(node: Node) -> Iterator[Place]:
    if isinstance(node.value, list):
        for one in node.value:
            yield from _places(one)
    elif isinstance(node.value, dict):
        kind = next(iter(node.value), "")
        if len(node.value) == 1 and kind in {"env", "file"} and (name := node.text(kind)):
            yield Place(kind, name)
        for one in node.value.values():
            yield from _places(one)
