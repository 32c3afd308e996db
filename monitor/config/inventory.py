"""The inventory's CSV files: what may stand in each, and the shipped rows with the operator's laid over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from monitor.config.merge import Merger
from monitor.config.nodes import Node, UnreadableError
from monitor.config.problems import Problem, did_you_mean
from monitor.config.strict import Strict
from monitor.config.tables import read_csv
from monitor.config.types import Host, Ip, Iso2, Prefix, Slug, Url, Zone
from monitor.config.validate import validated


def _words(value: Any) -> list[str]:
    return value.split() if isinstance(value, str) else value


def _semicolons(value: Any) -> list[str]:
    return [word.strip() for word in value.split(";")] if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Prefixes = Annotated[tuple[Prefix, ...], BeforeValidator(_words)]
Addresses = Annotated[tuple[Ip, ...], BeforeValidator(_words)]


class Row(Strict):
    """Where a row comes from, and how sure it is."""

    source: str = ""
    as_of: str = ""
    confidence: str = ""


class TerritoryRow(Row):
    """ISO 3166-1 territory; ``population`` in people."""

    iso2: Iso2
    iso3: str = ""
    iso_numeric: str = ""
    name: Text
    capital: str = ""
    centroid_lat: float | None = None
    centroid_lon: float | None = None
    population: Annotated[int, Field(ge=0)] = 0
    languages: Annotated[tuple[str, ...], BeforeValidator(_semicolons)] = ()
    time_zone: Zone
    tz_ref_lat: float | None = None
    tz_ref_lon: float | None = None
    caricom: str = ""
    ctu: str = ""
    cdema: str = ""
    oecs: str = ""
    ectel: str = ""


class CctldRow(Row):
    """A country-code top-level domain, with or without a delegation."""

    cctld: Host
    iso2: Iso2
    delegated: Literal["yes", "no"]
    manager: str = ""
    dnssec_ds_in_root: str = ""
    ds_records: str = ""
    used_instead: str = ""


class NameserverRow(Row):
    """One server of one zone, with its glue in the root zone; addresses are separated by spaces."""

    cctld: Host
    iso2: Iso2
    ns_host: Host
    glue_v4: Addresses = ()
    glue_v6: Addresses = ()
    in_bailiwick: str = ""


class IxpRow(Row):
    """An exchange point; lists are separated by spaces."""

    ixp_id: Slug
    name: Text
    long_name: str = ""
    iso2: Iso2
    city: str = ""
    lat: float | None = None
    lon: float | None = None
    coord_source: str = ""
    website: Url | None = None
    stats_url: Url | None = None
    looking_glass_url: Url | None = None
    ixf_member_export: Url | None = None
    peering_lan_v4: Prefixes = ()
    peering_lan_v6: Prefixes = ()
    route_server_asn: str = ""
    services_asn: str = ""
    route_server_addresses: str = ""
    operator: str = ""
    launched: str = ""
    status: str = ""
    peeringdb_ix_id: str = ""
    pch_ix_id: str = ""
    peeringdb_networks: str = ""
    peeringdb_facilities: str = ""
    peeringdb_counts_as_of: str = ""
    notes: str = ""


class CableRow(Row):
    """A submarine cable; ``territories`` are ISO codes separated by spaces."""

    cable_id: Slug
    name: Text
    status: str = ""
    rfs: str = ""
    rfs_year: str = ""
    length_km: str = ""
    owners: str = ""
    suppliers: str = ""
    website: str = ""
    territories: Annotated[tuple[Iso2, ...], BeforeValidator(_words)]
    landings_total: str = ""
    landings_in_region: str = ""
    notes: str = ""


class LandingRow(Row):
    """One place where one cable comes ashore; outside the region it has no territory."""

    cable_id: Slug
    landing_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    landing_name: str = ""
    country: str = ""
    iso2: Iso2 | None = None
    in_region: Literal["yes", "no"] = "yes"
    lat: float | None = None
    lon: float | None = None
    coord_source: str = ""


class OrganisationRow(Row):
    """An organisation of the region: no persons, no addresses."""

    org_id: Slug
    name: Text
    kind: Text
    iso2: Iso2 | None = None
    role: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is known to exist."""

    territories: tuple[TerritoryRow, ...]
    cctlds: tuple[CctldRow, ...]
    nameservers: tuple[NameserverRow, ...]
    ixps: tuple[IxpRow, ...]
    cables: tuple[CableRow, ...]
    landings: tuple[LandingRow, ...]
    organisations: tuple[OrganisationRow, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One file: its rows' model and what tells one row from another."""

    file: str
    model: type[Row]
    keys: tuple[str, ...]


TABLES = {
    "territories": Table("territories.csv", TerritoryRow, ("iso2",)),
    "cctlds": Table("cctlds.csv", CctldRow, ("cctld",)),
    "nameservers": Table("cctld_nameservers.csv", NameserverRow, ("cctld", "ns_host")),
    "ixps": Table("ixps.csv", IxpRow, ("ixp_id",)),
    "cables": Table("cables.csv", CableRow, ("cable_id",)),
    "landings": Table("cable_landings.csv", LandingRow, ("cable_id", "landing_id")),
    "organisations": Table("organisations.csv", OrganisationRow, ("org_id",)),
}


def read_inventory(shipped: Path, overlay: Path | None) -> tuple[Inventory, list[Problem]]:
    """Read the shipped folder and the operator's over it; rows that are wrong are left out and told."""
    problems: list[Problem] = []
    found: dict[str, list[tuple[Any, Node]]] = {}
    named: dict[str, set[str]] = {}
    for name, table in TABLES.items():
        rows = _laid(table, shipped, overlay, problems)
        named[name] = {row.text(table.keys[0]) for row in rows}
        found[name] = list(_valid(table, rows, problems))
    known = Inventory(**{field.name: tuple(row for row, _ in found[field.name]) for field in fields(Inventory)})
    for name, columns in _REFERS.items():
        for _, node in found[name]:
            problems += _orphans(node, columns, named)
    problems += _nowhere(found["landings"]) + _glue(found["nameservers"])
    return known, problems


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
    own = {key: Node(text, row.where) for key, text in (("source", "operator"), ("as_of", ""), ("confidence", ""))}
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
