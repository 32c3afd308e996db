"""The chart of the archipelago: who stands where, with which address. Addresses and AS numbers are for documentation.

    van ---- hub (AS64500, FRR) ==ant1,ant2== ant (AS64501, BIRD; ant.example)
    world ---/       |\\--------------bon1---- bon (AS64502, BIRD; bon.example, www.bon.example)
                     |                          | cay2
                      \\-----------cay1-------- cay (AS64503, BIRD; cay.example)

Every cable is a bridge in the namespace `sea`, where faults are injected.
"""

from dataclasses import dataclass

NAMESPACES = ("sea", "hub", "ant", "bon", "cay", "van", "world")
VANTAGES = {"hub": "van", "ant": "ant", "bon": "bon"}
"""Where somebody may look from, and the namespace that this is."""


@dataclass(frozen=True, slots=True)
class Cable:
    """A submarine cable: 100.64.N.0/30 and fd00:cab:N::/64; the end where it starts is .1, the island's .2."""

    name: str
    number: int
    island: str
    backup: bool = False
    """Carries traffic only while the other cable is cut."""
    start: str = "hub"
    """Where it comes from: the hub, or an island that gives this one a way through."""

    @property
    def networks(self) -> tuple[str, str]:
        """Its own subnet, IPv4 and IPv6."""
        return f"100.64.{self.number}.0/30", f"fd00:cab:{self.number}::/64"

    def end(self, family: int, where: str) -> str:
        """Address of the landing router in `where`: where it starts, or the island."""
        last = 1 if where == self.start else 2
        return f"100.64.{self.number}.{last}" if family == 4 else f"fd00:cab:{self.number}::{last}"

    def far_end(self, family: int, vantage: str) -> str:
        """What to ping from a vantage to observe this cable and no other."""
        return self.end(family, self.start if vantage == self.island else self.island)


@dataclass(frozen=True, slots=True)
class Island:
    """One AS behind its cables; service addresses are IPv4, IPv6 pairs on its router's loopback."""

    name: str
    asn: int
    networks: tuple[str, ...]
    router: tuple[str, str]
    dns: tuple[str, str]
    web: tuple[str, str] | None = None

    @property
    def zone(self) -> str:
        """The signed zone its name server answers for."""
        return f"{self.name}.example"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Everything on its loopback."""
        return (*self.router, *self.dns, *(self.web or ()))


CABLES = {
    cable.name: cable
    for cable in (
        Cable("ant1", 1, "ant"),
        Cable("ant2", 2, "ant", backup=True),
        Cable("bon1", 3, "bon"),
        Cable("cay1", 4, "cay"),
        Cable("cay2", 5, "cay", backup=True, start="bon"),
    )
}

ISLANDS = {
    island.name: island
    for island in (
        Island(
            "ant",
            64501,
            ("198.18.16.0/24", "198.18.17.0/24", "2001:db8:16::/48", "2001:db8:17::/48"),
            router=("198.18.16.1", "2001:db8:16::1"),
            dns=("198.18.16.53", "2001:db8:16::53"),
        ),
        Island(
            "bon",
            64502,
            ("198.18.32.0/24", "198.18.33.0/24", "2001:db8:32::/48", "2001:db8:33::/48"),
            router=("198.18.32.1", "2001:db8:32::1"),
            dns=("198.18.32.53", "2001:db8:32::53"),
            web=("198.18.33.80", "2001:db8:32::80"),
        ),
        Island(
            "cay",
            64503,
            ("198.18.48.0/24", "2001:db8:48::/48"),
            router=("198.18.48.1", "2001:db8:48::1"),
            dns=("198.18.48.53", "2001:db8:48::53"),
        ),
    )
}

HUB_ASN = 64500
HUB_ROUTER = ("198.18.0.1", "2001:db8::1")
HUB_NETWORKS = ("198.18.0.0/22", "2001:db8::/48", "2001:db8:2::/48")

LINKS = {
    "van": (("198.18.1.1", "198.18.1.2"), ("2001:db8:0:1::1", "2001:db8:0:1::2")),
    "world": (("198.18.0.5", "198.18.0.6"), ("2001:db8:0:2::1", "2001:db8:0:2::2")),
}
"""The hub's other links: per family, the hub's end and the far end (/30 and /64)."""

REFERENCES = tuple(
    (f"world-{'abc'[number // 2]}", f"198.18.2.{number + 1}", f"2001:db8:2::{number + 1}") for number in range(6)
)
"""Six servers of "." in the world, in three networks: network, IPv4, IPv6."""

SMTP = ("198.18.3.25", 25)
SMS = ("198.18.3.13", 13013)
SMS_USER, SMS_PASSWORD, SMS_SENDER = "lambi", "conch", "12465550100"
WORLD_NETWORKS = ("198.18.2.0/24", "198.18.3.0/24", "2001:db8:2::/48")
WORLD_DNS = tuple(address for _, *pair in REFERENCES for address in pair)
TRAPS = (LINKS["van"][0][1], 162)
BMP = (LINKS["van"][0][1], 11019)
"""Where the hub's vantage may hear traps of routers, and what the hub exports of its BGP sessions (RFC 7854)."""
RIS = ("198.18.3.80", 8080)
"""Where a server that speaks as RIS Live does may stand."""
WORLD_ADDRESSES = (SMTP[0], SMS[0], RIS[0], *WORLD_DNS)


def family_of(address: str) -> int:
    """Return 4 or 6."""
    return 6 if ":" in address else 4


def cables_of(island: str) -> list[Cable]:
    """Return the cables that land on an island."""
    return [cable for cable in CABLES.values() if cable.island == island]


def cables_from(where: str) -> list[Cable]:
    """Return the cables that start at the hub, or at an island for those behind it."""
    return [cable for cable in CABLES.values() if cable.start == where]
