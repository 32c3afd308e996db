"""Lambi's configuration for a vantage in the lab: it asks the lab alone, nothing of the shipped inventory."""

import csv
from pathlib import Path
from typing import Protocol

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from monitor.config.inventory import TABLES
from monitor.data import shipped
from tests.lab.topology import CABLES, HUB_ROUTER, ISLANDS, REFERENCES, RIS, SMS, SMS_PASSWORD, SMS_USER, SMTP

FILES = ("lambi.yaml", "targets.yaml", "contacts.yaml", "routes.yaml")
TERRITORIES = {"ant": "AG", "bon": "BQ", "cay": "KY"}
COMMUNITY = "archipelago"
KEPT = {"territories", "organisations"}
"""Tables of the inventory that name nothing to ask."""


class Lab(Protocol):
    """What a configuration needs to know of a lab."""

    @property
    def authority(self) -> Path:
        """The certificate that the web site's clients must trust."""
        ...


def lambi_overlay(lab: Lab, where: str, folder: Path, number: int = 0, *, region: bool = False) -> Path:
    """Write the overlay for a vantage ("hub", "ant", "bon") into `folder`, where state will stand too; return it.

    Daemons of different ``number`` (0 to 99) live side by side: each has doors and a duty contact of its own. With
    ``region`` it also asks landing routers by SNMP, and hears what the world's routers say.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sms-password").write_text(f"{SMS_PASSWORD}\n")
    (folder / "community").write_text(f"{COMMUNITY}\n")
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "config"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - this is YAML, not HTML
    )
    for name in FILES:
        text = templates.get_template(name).render(
            where=where,
            number=number,
            territory=TERRITORIES.get(where, ""),
            territories=TERRITORIES,
            shipped_references=_shipped_references(),
            references=REFERENCES,
            cables=list(CABLES.values()),
            islands=list(ISLANDS.values()),
            smtp=SMTP,
            sms=SMS,
            sms_user=SMS_USER,
            folder=folder,
            authority=lab.authority,
            region=region,
            ris=RIS,
            landing_routers={"hub": HUB_ROUTER[0], "bon": ISLANDS["bon"].router[0]},
        )
        (folder / name).write_text(text)
    _write_inventory(folder / "inventory")
    return folder


def _shipped_references() -> list[str]:
    """Return the references in the world outside, which the lab must take away."""
    lambi = yaml.safe_load(shipped("config/lambi.yaml").read_text())
    return [row["id"] for row in lambi["guard"]["references"]]


def _write_inventory(folder: Path) -> None:
    """Take every shipped row away, and add a zone like a ccTLD's on each island."""
    folder.mkdir(exist_ok=True)
    own: dict[str, list[dict[str, str]]] = {"cctlds": [], "nameservers": [], "networks": [], "prefixes": []}
    for island in ISLANDS.values():
        zone = {"cctld": island.zone, "iso2": TERRITORIES[island.name]}
        own["cctlds"].append({**zone, "delegated": "yes"})
        glue = dict(zip(("glue_v4", "glue_v6"), island.dns, strict=True))
        own["nameservers"].append({**zone, "ns_host": f"ns1.{island.zone}", **glue})
        home = {"iso2": TERRITORIES[island.name]}
        own["networks"].append({**home, "asn": str(island.asn), "name": island.name, "role": "operator"})
        own["prefixes"] += [{**home, "prefix": network} for network in island.networks]
    for name, table in TABLES.items():
        if name not in KEPT:
            rows = _removals(table.file, table.keys) + own.get(name, [])
            columns = list(dict.fromkeys(column for row in rows for column in row))
            with (folder / table.file).open("w", newline="") as file:
                writer = csv.DictWriter(file, columns, restval="")
                writer.writeheader()
                writer.writerows(rows)


def _removals(file: str, keys: tuple[str, ...]) -> list[dict[str, str]]:
    with shipped(f"config/inventory/{file}").open(newline="", encoding="utf-8-sig") as table:
        return [{**{key: row[key] for key in keys}, "remove": "yes"} for row in csv.DictReader(table)]
