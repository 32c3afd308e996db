"""The zones of the ccTLDs: what their servers say, looked at as a set over each family."""

from collections import Counter
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from monitor.config.assets import provenance
from monitor.config.checks import Checks
from monitor.config.rows import Inventory, NameserverRow
from monitor.model import Asset
from probes.model import Target
from probes.zone import pairs

Blocks = Mapping[IPv4Network | IPv6Network, str]
"""Delegated blocks and their territories."""
ROUTED = {4: 24, 6: 48}
"""The longest prefixes that the world's routers take: what stands in one of these is reached by one route."""


def add_zones(known: Inventory, assets: dict[str, Asset], checks: Checks) -> None:
    """Add a zone for each ccTLD that has servers, with a check for each family, unless the template is gone."""
    plan = checks.template("zone", "zone")
    if plan is None:
        return
    blocks = {ip_network(row.prefix): row.iso2 for row in known.prefixes}
    for row in known.cctlds:
        servers = [server for server in known.nameservers if server.cctld == row.cctld]
        if row.delegated != "yes" or not servers:
            continue
        asset = f"zone:{row.cctld}"
        assets[asset] = Asset(
            asset, "zone", f"Zone of .{row.cctld}", (row.iso2,), provenance(row), _facts(servers, blocks)
        )
        for family in plan.families:
            there = list(_addresses(servers, family))
            if there:
                parents = [
                    one for _, one in pairs(str(plan.settings.get("parents", ""))) if _family(one) in {family, 0}
                ]
                own = {"query": f"{row.cctld}.", "servers": ", ".join(f"{name}={one}" for name, one in there)}
                target = Target(f"{asset}/{family}", f"{row.cctld}.", family)
                checks.add(asset, target, "zone", plan, checks.tree, settings={**own, "parents": ", ".join(parents)})


def _addresses(servers: list[NameserverRow], family: int) -> Iterator[tuple[str, str]]:
    for server in servers:
        for address in server.glue_v4 if family == 4 else server.glue_v6:
            yield server.ns_host, address


def _facts(servers: list[NameserverRow], blocks: Blocks) -> dict[str, str]:
    """Say over how many routes the servers are reached: all on one route fall with it."""
    found = {"servers": str(len(servers))}
    for family, length in ROUTED.items():
        places = {ip_network(f"{one}/{length}", strict=False) for _, one in _addresses(servers, family)}
        alone = " alone: it falls with that one route" if len(places) == 1 else ""
        found[f"networks_over_ipv{family}"] = f"{len(places)}{alone}" if places else "none"
    if blocks:  # they are read where BGP is watched
        there = Counter(_place(blocks, one) for family in ROUTED for _, one in _addresses(servers, family))
        found["addresses_by_territory"] = ", ".join(f"{place} {number}" for place, number in there.most_common())
    return found


def _place(blocks: Blocks, address: str) -> str:
    """Return the territory to which the block of an address is delegated."""
    around = (ip_network(f"{address}/{length}", strict=False) for length in range(128 if ":" in address else 32, 7, -1))
    return next((blocks[block] for block in around if block in blocks), "elsewhere")


def _family(address: str) -> int:
    """Return its family; 0 for what is no address, which the probe refuses."""
    try:
        return ip_address(address).version
    except ValueError:
        return 0
