"""The stream of BGP updates: which blocks it is asked for, and a check for each territory and family that has some."""

from ipaddress import ip_network

from monitor.config.checks import Checks
from monitor.config.nodes import Node
from monitor.config.rows import SERVES, Inventory
from monitor.config.schema import Document
from monitor.config.settings import BgpStream
from monitor.model import Asset, Check, Provenance
from probes.bgp import Bgp
from probes.model import Target

STREAM = "feed:ris-live"
TIMEOUT = 5.0


def wanted(tree: Node) -> bool:
    """Whether the files switch it on; asked before the inventory is read, for only then are its blocks needed."""
    return tree.at("bgp").text("enabled").lower() in {"true", "yes", "on", "1"}


def stream(doc: Document, known: Inventory) -> BgpStream | None:
    """Return what the daemon connects to, or None."""
    if not doc.bgp.enabled:
        return None
    serving = frozenset(row.asn for row in known.networks if row.role in SERVES)
    return BgpStream(doc.bgp.url, {row.prefix: row.iso2 for row in known.prefixes}, serving)


def add_bgp(doc: Document, tree: Node, known: Inventory, assets: dict[str, Asset], checks: Checks) -> None:
    """Add the stream, and the territories that have blocks, with their checks."""
    if not doc.bgp.enabled:
        return
    node = tree.at("bgp")
    rule = checks.rule(doc.bgp.rule, node)
    assets[STREAM] = Asset(STREAM, "feed", "RIS Live", (), Provenance("config"), {"url": doc.bgp.url})
    checks.made[f"{STREAM}/bgp"] = Check(
        f"{STREAM}/bgp", STREAM, Target(STREAM, "RIS Live", 4), Bgp.kind, Bgp(), doc.bgp.every, TIMEOUT, rule
    )
    names = {row.iso2: row.name for row in known.territories}
    homes = {(row.iso2, ip_network(row.prefix).version) for row in known.prefixes}
    for code, family in sorted(homes):
        asset = f"territory:{code}"
        assets.setdefault(asset, Asset(asset, "territory", f"Networks of {names[code]}", (code,), Provenance("rir-ip")))
        target = Target(f"{asset}/{family}", "RIS Live", family)
        name = f"{target.id}/{Bgp.kind}"
        checks.made[name] = Check(name, asset, target, Bgp.kind, Bgp(code), doc.bgp.every, TIMEOUT, rule)
