"""Inventory -> territories and assets with what the page shows about them, and what the inventory suggests."""

from collections.abc import Iterable, Iterator

from monitor import vintage
from monitor.config.rows import OPERATOR, SERVES, CableRow, Inventory, IxpRow, LandingRow, Row
from monitor.model import Asset, Dependency, Provenance, Territory

SCHEMATIC = "schematic, 2022 snapshot"
_LOCAL = frozenset({"ixp", "router", "network", "site"})
"""Kinds that stand in their territory and are reached over its cables. A ccTLD's servers may be anywhere."""


def territories(known: Inventory) -> dict[str, Territory]:
    """Return the territories by ISO code, with the regulator and the disaster office of the organisations."""
    offices = {(row.iso2, row.kind): row.name for row in known.organisations}
    return {
        row.iso2: Territory(
            code=row.iso2,
            name=row.name,
            zone=row.time_zone,
            population=row.population,
            languages=row.languages,
            regulator=offices.get((row.iso2, "regulator"), ""),
            disaster_office=offices.get((row.iso2, "national disaster office"), ""),
            provenance=provenance(row),
        )
        for row in known.territories
    }


def provenance(row: Row) -> Provenance:
    """Return where a row comes from."""
    return Provenance(row.source, row.as_of, row.confidence)


def assets(known: Inventory) -> dict[str, Asset]:
    """Return every asset of the inventory by id."""
    made = [*_cctlds(known), *_nameservers(known), *_ixps(known), *_cables(known), *_landings(known), *_networks(known)]
    return {asset.id: asset for asset in made}


def _cctlds(known: Inventory) -> Iterator[Asset]:
    for row in known.cctlds:
        if row.delegated == "yes":
            facts = _facts(manager=row.manager, signed=row.dnssec_ds_in_root)
            yield Asset(f"cctld:{row.cctld}", "cctld", f".{row.cctld}", (row.iso2,), provenance(row), facts)


def _nameservers(known: Inventory) -> Iterator[Asset]:
    zones: dict[str, list[str]] = {}
    for row in known.nameservers:
        zones.setdefault(row.ns_host, []).append(f".{row.cctld}")
    for row in {row.ns_host: row for row in known.nameservers}.values():
        facts = _facts(zones=" ".join(zones[row.ns_host]), ipv4=" ".join(row.glue_v4), ipv6=" ".join(row.glue_v6))
        yield Asset(f"nameserver:{row.ns_host}", "nameserver", row.ns_host, (), provenance(row), facts)


def active(row: IxpRow) -> bool:
    """Say whether a source of the inventory calls the exchange active."""
    return row.status.startswith("active")


def _ixps(known: Inventory) -> Iterator[Asset]:
    for row in known.ixps:
        facts = _facts(
            long_name=row.long_name,
            city=row.city,
            status=row.status,
            operator=row.operator,
            launched=row.launched,
            peering_lan=" ".join(row.peering_lan_v4 + row.peering_lan_v6),
            route_server_asn=row.route_server_asn,
            notes=row.notes,
        )
        yield Asset(f"ixp:{row.ixp_id}", "ixp", row.name, (row.iso2,), provenance(row), facts)
        if row.website and active(row):
            site = _facts(url=row.website, note="says nothing about the exchange itself")
            name = f"Web site of {row.name}"
            yield Asset(f"website:ixp-{row.ixp_id}", "website", name, (row.iso2,), provenance(row), site)


def _cables(known: Inventory) -> Iterator[Asset]:
    ashore: dict[str, list[LandingRow]] = {}
    for landing in known.landings:
        ashore.setdefault(landing.cable_id, []).append(landing)
    for row in known.cables:
        facts = _facts(
            status=row.status,
            ready_for_service=row.rfs,
            owners=row.owners,
            length_km=row.length_km,
            landings="; ".join(_place(landing) for landing in ashore.get(row.cable_id, ())),
            beyond_the_region="; ".join(_beyond(ashore.get(row.cable_id, ()))),
            website=row.website,
            notes=row.notes,
        )
        yield Asset(f"cable:{row.cable_id}", "cable", row.name, row.territories, provenance(row), facts)


def _beyond(rows: Iterable[LandingRow]) -> Iterable[str]:
    """Name the countries outside the region where a cable comes ashore, each once."""
    return dict.fromkeys(row.country for row in rows if row.in_region == "no")


def _place(row: LandingRow) -> str:
    return f"{row.landing_name}, {row.country}" if row.landing_name else row.country


def _landings(known: Inventory) -> Iterator[Asset]:
    """Landings in the region, whose town is known, once each: several cables may share one."""
    names = {row.cable_id: row.name for row in known.cables}
    cables: dict[str, list[str]] = {}
    for row in known.landings:
        cables.setdefault(row.landing_id, []).append(names.get(row.cable_id, row.cable_id))
    for row in {row.landing_id: row for row in known.landings if row.in_region == "yes" and row.landing_name}.values():
        facts = _facts(cables="; ".join(cables[row.landing_id]))
        codes = (row.iso2,) if row.iso2 else ()
        yield Asset(f"landing:{row.landing_id}", "landing", row.landing_name, codes, provenance(row), facts)


def _networks(known: Inventory) -> Iterator[Asset]:
    for row in known.networks:
        facts = _facts(
            role=row.role_note or row.role,
            serves_its_territory="" if row.role in SERVES else "nobody has said so",
            registry=" ".join(filter(None, (row.registry, row.registered_country, row.registered_date))),
            announced={"yes": "yes", "no": "not seen"}.get(row.active),
            example_prefixes=" ".join(row.example_prefixes),
            people_share=row.people_share,
        )
        sure = vintage.least((row.confidence, row.role_confidence))
        whence = Provenance(row.source, row.as_of, sure or row.confidence)
        codes = (row.iso2,) if row.iso2 else ()
        yield Asset(f"network:as{row.asn}", "network", f"AS{row.asn} {row.name}".strip(), codes, whence, facts)


def _facts(**values: str | None) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}


def hypotheses(known: Inventory, made: Iterable[Asset], home: str) -> Iterator[Dependency]:
    """Suggest that what stands in a territory needs one of its cables in service; at ``home`` no cable lies between."""
    lying: dict[str, list[str]] = {}
    away = {row.cable_id for row in known.landings if row.in_region == "no"}
    for cable in filter(_in_service, known.cables):
        leads = len(cable.territories) > 1 or cable.cable_id in away  # else it stays in its territory
        for code in cable.territories if leads else ():
            lying.setdefault(code, []).append(f"cable:{cable.cable_id}")
    whence = {f"cable:{row.cable_id}": provenance(row) for row in known.cables}
    for asset in made:
        code = asset.territories[0] if _stands(asset) and len(asset.territories) == 1 else ""
        if code in lying and code != home:
            as_of, confidence = vintage.of(whence[need] for need in lying[code])
            yield Dependency(
                asset.id,
                tuple(lying[code]),
                "any",
                confirmed=False,
                source=SCHEMATIC,
                as_of=as_of,
                confidence=confidence,
            )


def _stands(asset: Asset) -> bool:
    """Whether an asset is known to stand in its territory: where a network was registered says nothing of that."""
    return asset.kind in _LOCAL and (asset.kind != "network" or asset.provenance.source == OPERATOR)


def _in_service(cable: CableRow) -> bool:
    return cable.status.startswith("in service")
