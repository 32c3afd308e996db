"""How an operator would have an asset watched that nobody looks at yet."""

import json

from monitor.model import Asset

_HINTS = {
    "cable": "A cable is seen by asking the landing router at its far end, over a route that only this cable carries.",
    "landing": "A landing is seen by asking a device that stands in it.",
    "ixp": "An exchange point is seen by asking its route server, from a place that may reach the peering LAN.",
    "website": "A web site is seen by asking for its page.",
}


def hint(asset: Asset) -> str:
    """Say what would be evidence for this kind of asset."""
    return _HINTS.get(asset.kind, "Who runs it can name an address that answers.")


def lines(asset: Asset) -> str:
    """Return the few lines of YAML; a JSON string is a YAML string, so that no id can break out of its quotes."""
    plain = all(letter.isalnum() or letter in ":-_." for letter in asset.id)
    name = asset.id if plain else json.dumps(asset.id)
    if asset.kind == "website":
        address, probe = "https://www.example.org/", "http"
    else:
        address, probe = "192.0.2.1", "icmp"
    return f"""targets:
  - asset: {name}
    address: {address}   # an example: put the real one here
    probe: {probe}
"""
