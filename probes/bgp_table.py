"""Who of the world's routers sees which prefix: a table kept by what RIS Live tells. Pure; time is an argument.

It knows what it has heard and no more: a prefix that no peer has told of since the stream began is not withdrawn, it is
not yet heard. A peer whose session ends takes its view with it: that is neither seen nor lost.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

PEERS = 8
"""So many peers must have told of a prefix before it is judged."""
RIPE_SECONDS = 600.0
"""And for so long, unless a table is told otherwise."""
LOW, HIGH = 0.5, 0.8
"""Below such a share of its peers a prefix is lost; above the other it is back."""
MOST_PREFIXES, MOST_PEERS = 20_000, 4_096


@dataclass(slots=True)
class Route:
    """One announced prefix; peers are bits."""

    territory: str
    family: int
    seen: int = 0
    """Peers that have a way to it now."""
    told: int = 0
    """Peers that have told of it since the stream began."""
    ripe: float | None = None
    """Since when enough peers have told of it."""
    lost: bool = False
    origin: str = ""
    """The network that announces it."""
    upstream: str = ""
    """The network before that, in the last path."""


@dataclass(frozen=True, slots=True)
class Figure:
    """How visible a territory is over one family."""

    judged: int
    lost: int
    young: int
    """Prefixes that have been heard, and not by enough peers or for long enough."""
    left_out: int
    """Announced by networks that are not known to serve the territory."""
    blocks: int
    """Delegated blocks."""
    worst: tuple[str, ...] = ()
    """The lost ones, each with how many of its peers still see it and the last network on the way."""


@dataclass(slots=True)
class Table:
    """``blocks``: territory by delegated block; ``serves``: whether a network is known to serve its territory."""

    blocks: Mapping[str, str]
    serves: Callable[[str], bool]
    ripe_seconds: float = RIPE_SECONDS
    """So long must a prefix have been told of by enough peers before it is judged."""
    routes: dict[str, Route] = field(default_factory=dict)
    overflow: int = 0
    """Prefixes that found no room."""
    _peers: dict[str, int] = field(default_factory=dict)
    _homes: dict[tuple[int, int], dict[int, str]] = field(default_factory=dict)
    """(family, length) -> network number -> territory."""
    _blocks: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for block, territory in self.blocks.items():
            network = ip_network(block)
            self._homes.setdefault((network.version, network.prefixlen), {})[int(network.network_address)] = territory
            key = (territory, network.version)
            self._blocks[key] = self._blocks.get(key, 0) + 1

    def clear(self) -> None:
        """Forget all: the stream has a gap, and what was missed cannot be known."""
        self.routes.clear()
        self._peers.clear()

    def hear(self, data: Mapping[str, Any], at: float) -> set[tuple[str, int]]:
        """Take the data of one ris_message; return the (territory, family) of which a prefix was lost or came back.

        Raises ValueError, KeyError, TypeError or AttributeError for what is no such message.
        """
        bit = self._bit(f"{data['host']}|{data['peer']}")
        if data["type"] == "RIS_PEER_STATE":
            if data["state"] == "down":
                self._forget(bit)
            return set()
        if data["type"] != "UPDATE" or not bit:
            return set()
        turned: set[tuple[str, int]] = set()
        path = [str(hop) for hop in data.get("path") or () if not isinstance(hop, list)]
        for prefix in data.get("withdrawals") or ():
            if (route := self.routes.get(prefix)) is not None:
                route.seen &= ~bit
                turned.update(self._turn(route))
        for prefix in (each for group in data.get("announcements") or () for each in group["prefixes"]):
            route = self.routes.get(prefix) or self._new(prefix)
            if route is not None:
                route.seen |= bit
                route.told |= bit
                route.origin = path[-1] if path else route.origin
                route.upstream = next((hop for hop in reversed(path) if hop != route.origin), route.upstream)
                self._ripen(route, at)
                turned.update(self._turn(route))
        return turned

    def figure(self, territory: str, family: int, at: float) -> Figure:
        """Say how visible a territory is."""
        judged = lost = young = left_out = 0
        worst: list[tuple[float, str]] = []
        for prefix, route in self.routes.items():
            if (route.territory, route.family) != (territory, family):
                continue
            if not self.serves(route.origin):
                left_out += 1
            elif route.ripe is None or at - route.ripe < self.ripe_seconds:
                young += 1
            else:
                judged += 1
                lost += route.lost
                if route.lost:
                    worst.append((_share(route), _said(prefix, route)))
        blocks = self._blocks.get((territory, family), 0)
        return Figure(judged, lost, young, left_out, blocks, tuple(said for _, said in sorted(worst)[:3]))

    def _new(self, prefix: str) -> Route | None:
        network = ip_network(prefix)
        territory = next(self._home(network.version, network.prefixlen, int(network.network_address)), "")
        if not territory:
            return None
        if len(self.routes) >= MOST_PREFIXES:
            self.overflow += 1
            return None
        route = self.routes[prefix] = Route(territory, network.version)
        return route

    def _home(self, family: int, length: int, number: int) -> Iterator[str]:
        """Yield the territories of the blocks that hold a prefix, the smallest block first."""
        width = 32 if family == 4 else 128
        for size in range(length, -1, -1):
            known = self._homes.get((family, size))
            found = known.get(number >> (width - size) << (width - size)) if known else None
            if found:
                yield found

    def _bit(self, peer: str) -> int:
        """Return a peer's bit; 0 when there are too many."""
        if peer not in self._peers:
            if len(self._peers) >= MOST_PEERS:
                return 0
            self._peers[peer] = len(self._peers)
        return 1 << self._peers[peer]

    def _forget(self, bit: int) -> None:
        for route in self.routes.values():
            route.seen &= ~bit
            route.told &= ~bit
            if route.told.bit_count() < PEERS:
                route.ripe, route.lost = None, False

    def _ripen(self, route: Route, at: float) -> None:
        if route.ripe is None and route.told.bit_count() >= PEERS:
            route.ripe = at

    def _turn(self, route: Route) -> Iterable[tuple[str, int]]:
        """Note whether a prefix is lost now, with room between lost and back so that it does not flutter."""
        share = _share(route)
        lost = share < LOW or (route.lost and share < HIGH)
        if lost is route.lost:
            return ()
        route.lost = lost
        return ((route.territory, route.family),)


def _share(route: Route) -> float:
    told = route.told.bit_count()
    return route.seen.bit_count() / told if told else 1.0


def _said(prefix: str, route: Route) -> str:
    last = f", last by AS{route.upstream}" if route.upstream else ""
    return f"{prefix} of AS{route.origin} ({route.seen.bit_count()} of {route.told.bit_count()} peers{last})"
