"""How an operator would come to watch an asset that nobody looks at yet."""

from monitor.model import Asset


def how_to_watch(asset: Asset) -> str:
    """The few lines of YAML, for ``targets.yaml`` in the operator's own folder."""
    return f"""targets:
  - asset: {asset.id}
    address: 192.0.2.1    # the address to ask: yours, not this example
    probe: icmp
"""
