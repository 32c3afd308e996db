"""The whole inventory, row by row: what stands in it, whence, and what somebody on the spot should confirm."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

from monitor import data, vintage
from monitor.config.inventory import read_tables
from monitor.config.nodes import Node
from monitor.config.problems import Where
from monitor.config.rows import OPERATOR, TABLES, NetworkRow, Row
from monitor.model import Provenance

_NAMES = ("name", "landing_name", "ns_host", "prefix", "cctld")
"""What a row is called by, the first that it has."""


@dataclass(frozen=True, slots=True)
class Item:
    """One row."""

    id: str
    table: str
    name: str
    territories: tuple[str, ...]
    cells: dict[str, str]
    """Column -> text, as the file has it."""
    provenance: Provenance
    where: Where
    unsure: str
    """Why it is to be confirmed, or ""."""

    @property
    def own(self) -> bool:
        """Whether the operator has written it."""
        return self.provenance.source == OPERATOR


class Stock:
    """Every row of every table, the operator's over the shipped."""

    def __init__(self, overlay: Path | None) -> None:
        tables, _, self.problems = read_tables(
            data.shipped("config/inventory"), overlay / "inventory" if overlay else None, TABLES
        )
        self.items = [_item(name, row, node) for name, rows in tables.items() for row, node in rows]
        regulators = (one for one in self.of("organisations") if one.cells.get("kind") == "regulator")
        self._regulators = {code: one.name for one in regulators for code in one.territories}

    def of(self, table: str) -> list[Item]:
        """Return the rows of one table."""
        return [item for item in self.items if item.table == table]

    def to_confirm(self) -> list[Item]:
        """Return what the coalition has to work through."""
        return [item for item in self.items if item.unsure]

    def whom(self, item: Item) -> str:
        """Say who could confirm a row: whoever runs it, else the regulator on the spot."""
        regulators = [self._regulators[code] for code in item.territories if code in self._regulators]
        mine = item.table == "organisations" and item.cells.get("kind") == "regulator"
        return item.cells.get("operator") or ("" if mine else "; ".join(dict.fromkeys(regulators)))

    def find(self, word: str) -> list[Item]:
        """Return what an id, a key, an AS number, or an address stands for; nothing when nothing is known."""
        plain = word.strip().casefold()
        bare = plain.removeprefix("as") if plain.removeprefix("as").isdigit() else plain
        found = [one for one in self.items if plain == one.id.casefold()]
        found = found or [one for one in self.items if one.id.casefold().partition(":")[2] in {plain, f"as{bare}"}]
        found = found or [one for one in self.items if plain in {one.cells.get("landing_id"), one.name.casefold()}]
        return found or list(_around(plain, self.of("prefixes")))


def _around(word: str, prefixes: Iterable[Item]) -> Iterator[Item]:
    """Yield the delegated blocks that hold an address or prefix."""
    try:
        wanted = ip_network(word) if "/" in word else ip_network(ip_address(word))
    except ValueError:
        return
    for item in prefixes:
        block = ip_network(item.name)
        if block.version == wanted.version and wanted.subnet_of(block):  # type: ignore[arg-type] # both of one version
            yield item


def _cells(node: Node) -> dict[str, str]:
    columns = node.value if isinstance(node.value, dict) else {}
    return {key: one.value for key, one in columns.items() if isinstance(one.value, str)}


def _item(table: str, row: Row, node: Node) -> Item:
    whence = Provenance(row.source, row.as_of, row.confidence)
    unsure = vintage.unsure(whence)
    if not unsure and isinstance(row, NetworkRow) and row.role_confidence.startswith("low"):
        unsure = f"its role ({row.role_note or row.role}) is supposed from its name"
    one = getattr(row, "iso2", None)
    codes = getattr(row, "territories", None) or ((one,) if one else ())
    name = next((str(found) for key in _NAMES if (found := getattr(row, key, ""))), "")
    return Item(TABLES[table].id_of(row), table, name, tuple(codes), _cells(node), whence, node.where, unsure)
