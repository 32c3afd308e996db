"""What can go wrong: cables cut, silent, lossy, without one family; a name server that dies."""

from tests.lab import servers
from tests.lab.daemons import Daemons
from tests.lab.net import START_SECONDS, LabError, until
from tests.lab.topology import CABLES, ISLANDS


class Faults:
    """Breaks and mends things. Cables are broken in the sea: no landing router sees a hand on its interface."""

    daemons: Daemons

    def cut(self, cable: str) -> None:
        """Cut a cable: both ends lose carrier."""
        self._set(cable, "down")

    def heal(self, cable: str) -> None:
        """Mend a cable, whatever was wrong with it."""
        self._sea("flush", "chain", "bridge", "sea", _known(cable))
        self._set(cable, "up")

    def silent_cut(self, cable: str) -> None:
        """Drop everything, with carrier at both ends."""
        self._drop(cable, "")

    def family_cut(self, cable: str, family: int) -> None:
        """Drop one address family, 4 or 6, silently."""
        self._drop(cable, f"ether type {'ip' if family == 4 else 'ip6'}")

    def loss(self, cable: str, percent: int) -> None:
        """Drop a share of what leaves the hub, at random; BGP is spared, so that routes stay."""
        for port in ("sport", "dport"):
            self._rule(cable, f"tcp {port} 179 accept")
        self._rule(cable, f"iifname {cable}-a numgen random mod 100 < {percent} drop")

    def kill_dns(self, where: str) -> None:
        """Kill the name server of an island, or of the world."""
        self.daemons.stop(_knot(where))

    def start_dns(self, where: str) -> None:
        """Start it again and wait until it answers."""
        servers.start_dns(self.daemons, where)
        space, served = self.daemons.spaces[where], servers.what_it_serves(where)
        until(lambda: servers.answers(space, *served), START_SECONDS, f"the name server of {where} answers")

    def heal_all(self) -> None:
        """Mend every cable and start every name server that was killed."""
        for cable in CABLES:
            self.heal(cable)
        for where in (*ISLANDS, "world"):
            if _knot(where) not in self.daemons.running:
                self.start_dns(where)

    def prepare_faults(self) -> None:
        """Make one chain of rules for each cable in the sea."""
        self._sea("add", "table", "bridge", "sea")
        for cable in CABLES:
            self._sea(f"add chain bridge sea {cable} {{ type filter hook forward priority 0; }}")

    def _set(self, cable: str, state: str) -> None:
        self.daemons.spaces["sea"].ip(*(f"link set {_known(cable)}-{side} {state}" for side in "ab"))

    def _drop(self, cable: str, what: str) -> None:
        self._rule(cable, f"{what} drop")

    def _rule(self, cable: str, rule: str) -> None:
        self._sea(f'add rule bridge sea {_known(cable)} iifname {{ "{cable}-a", "{cable}-b" }} {rule}')

    def _sea(self, *command: str) -> None:
        self.daemons.spaces["sea"].run("nft", *command)


def _known(cable: str) -> str:
    if cable not in CABLES:
        raise LabError(f"no cable {cable}: there are {', '.join(CABLES)}")
    return cable


def _knot(where: str) -> str:
    if where not in (*ISLANDS, "world"):
        raise LabError(f"no name server at {where}: there are {', '.join((*ISLANDS, 'world'))}")
    return f"knot-{where}"
