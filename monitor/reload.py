"""What another config changes in a running daemon, and what it cannot change before a restart. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace

from monitor.config.settings import Settings
from monitor.heartbeat import Heartbeat
from monitor.model import World
from probes.bgp import Bgp

RESTART: Mapping[str, str] = {
    "site": "site",
    "state": "store.folder",
    "public": "web.public",
    "ops": "web.ops",
    "control": "web.control",
    "base_url": "web.base_url",
    "retention_days": "store.retention_days",
    "channels": "channels",
    "beats": "heartbeat and peers",
    "bgp": "bgp",
    "influx": "store.influx",
    "rollup_days": "store.rollup_days",
}
"""Of the settings what is opened once, at the start -> the key of the file that says it."""


HEARD: Mapping[str, tuple[str, frozenset[str]]] = {
    "beats": (Heartbeat.kind, frozenset({"peer"})),
    "bgp": (Bgp.kind, frozenset({"territory", "feed"})),
}
"""Of these the ears are opened at the start: kind of probe, and kinds of assets that only it tells of."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a reload changes of what is asked, by check."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    """Of the same identity, asked otherwise: its cadence, its rule, its address."""
    kept: int


def difference(old: World, new: World) -> Difference:
    """Compare what is asked."""
    stays = old.checks.keys() & new.checks.keys()
    changed = sorted(name for name in stays if old.checks[name] != new.checks[name])
    return Difference(
        tuple(sorted(new.checks.keys() - old.checks.keys())),
        tuple(sorted(old.checks.keys() - new.checks.keys())),
        tuple(changed),
        len(stays) - len(changed),
    )


def refusal(old: Settings, new: Settings) -> str:
    """Say why a config cannot be gone by without a restart at all, or ""."""
    before, after = old.world.vantage.partition(":")[2], new.world.vantage.partition(":")[2]
    if before != after:
        return f'vantage.id: "{after}" is another place that looks than "{before}": that takes a restart'
    return ""


def without_restart(old: Settings, new: Settings) -> tuple[Settings, tuple[str, ...]]:
    """Return what of a new config can be gone by at once, and the keys whose old values go on until a restart."""
    known = {field.name for field in fields(Settings)}
    stays = {name: getattr(old, name) for name in RESTART if name in known and getattr(old, name) != getattr(new, name)}
    fresh = replace(new, **stays)
    for name in sorted(HEARD.keys() & stays.keys()):
        fresh = replace(fresh, world=_as_before(old.world, fresh.world, *HEARD[name]))
    before, after = old.world.assets[old.world.vantage].name, new.world.assets[new.world.vantage].name
    named = [RESTART[name] for name in stays] + (["vantage.name"] if before != after else [])
    return fresh, tuple(named)


def _as_before(old: World, new: World, probe: str, kinds: Collection[str]) -> World:
    """Return a world in which what is asked by one probe, and assets of some kinds, are those of another."""
    checks = {name: one for name, one in new.checks.items() if one.kind != probe}
    checks |= {name: one for name, one in old.checks.items() if one.kind == probe}
    assets = {name: one for name, one in new.assets.items() if one.kind not in kinds}
    assets |= {name: one for name, one in old.assets.items() if one.kind in kinds}
    return replace(new, checks=checks, assets=assets)
