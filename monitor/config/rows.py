"""The inventory's CSV files: what may stand in each row, and what tells one row from another."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from monitor.config.strict import Strict
from monitor.config.types import Asn, CoalitionRole, Host, Ip, Iso2, Prefix, Share, Slug, Url, Zone

OPERATOR = "operator"
"""The source of what an operator has written."""
SERVES = frozenset({"operator", "academic", "government", "institution"})
"""Roles of networks that people in their territory use."""


def _words(value: Any) -> list[str]:
    return value.split() if isinstance(value, str) else value


def _semicolons(value: Any) -> list[str]:
    return [word.strip() for word in value.split(";")] if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Prefixes = Annotated[tuple[Prefix, ...], BeforeValidator(_words)]
Addresses = Annotated[tuple[Ip, ...], BeforeValidator(_words)]
Landing = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]


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
    landing_id: Landing
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
    coalition: Annotated[tuple[CoalitionRole, ...], BeforeValidator(_words)] = ()


class NetworkRow(Row):
    """An autonomous system; ``iso2``: where it is at home, empty for one of the whole region.

    The registry says where a network was registered, not whom it serves: ``role`` says that, or nothing does.
    """

    asn: Asn
    iso2: Iso2 | None = None
    name: str = ""
    name_source: str = ""
    role: Literal["operator", "academic", "government", "institution", "transit", "ixp", ""] = ""
    role_note: str = ""
    role_confidence: str = ""
    registry: str = ""
    registered_country: str = ""
    registered_date: str = ""
    active: Literal["yes", "no", ""] = ""
    people_share: Share | Literal[""] = ""
    example_prefixes: Prefixes = ()


class PrefixRow(Row):
    """A block that a registry delegated to somebody in a territory: no route, and no proof of where it is used."""

    prefix: Prefix
    iso2: Iso2


class SegmentRow(Row):
    """A stretch of a cable between two of its landings; ``schematic``: drawn by distance alone."""

    cable_id: Slug
    from_landing: Landing
    to_landing: Landing
    method: Literal["schematic", "two landings", ""] = ""


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
    networks: tuple[NetworkRow, ...]
    prefixes: tuple[PrefixRow, ...] = ()
    segments: tuple[SegmentRow, ...] = ()
    agencies: frozenset[str] = frozenset()
    """Ids of the organisations, also of rows that were left out: who names one makes no second mistake."""


@dataclass(frozen=True, slots=True)
class Table:
    """One file: its rows' model and what tells one row from another. An id never changes with anything but the key."""

    file: str
    model: type[Row]
    keys: tuple[str, ...]
    kind: str
    """What its rows are called: a row's id is ``kind:key``."""
    rare: bool = False
    """Read only where somebody asks for it: the daemon watches without."""

    def id_of(self, row: Row) -> str:
        """Return a row's id, by which people and files refer to it."""
        keys = [str(getattr(row, key)) for key in self.keys]
        return f"{self.kind}:{'as' if self.kind == 'network' else ''}{'/'.join(keys)}"


TABLES = {
    "territories": Table("territories.csv", TerritoryRow, ("iso2",), "territory"),
    "cctlds": Table("cctlds.csv", CctldRow, ("cctld",), "cctld"),
    "nameservers": Table("cctld_nameservers.csv", NameserverRow, ("cctld", "ns_host"), "delegation"),
    "ixps": Table("ixps.csv", IxpRow, ("ixp_id",), "ixp"),
    "cables": Table("cables.csv", CableRow, ("cable_id",), "cable"),
    "landings": Table("cable_landings.csv", LandingRow, ("cable_id", "landing_id"), "ashore"),
    "organisations": Table("organisations.csv", OrganisationRow, ("org_id",), "organisation"),
    "networks": Table("networks.csv", NetworkRow, ("asn",), "network"),
    "prefixes": Table("prefixes.csv", PrefixRow, ("prefix",), "prefix", rare=True),
    "segments": Table(
        "cable_segments.csv", SegmentRow, ("cable_id", "from_landing", "to_landing"), "segment", rare=True
    ),
}
USUAL = tuple(name for name, table in TABLES.items() if not table.rare)
"""What the daemon needs."""
