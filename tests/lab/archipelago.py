"""The archipelago: a hub, three islands, five cables and the world, all of real daemons; it leaves no trace."""

import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab import messages, routers, runs, sea, servers
from tests.lab.daemons import Daemons
from tests.lab.faults import Faults
from tests.lab.net import START_SECONDS, Namespace, until
from tests.lab.topology import CABLES, ISLANDS, NAMESPACES, VANTAGES


class Archipelago(Faults):
    """Brought up by `with`; `say` hears a line for each thing that is ready. Its methods break things: cut, heal ..."""

    def __init__(self, say: Callable[[str], None] = lambda _: None) -> None:
        self.say = say

    def __enter__(self) -> Self:
        self._run = runs.begin()
        self.spaces: Mapping[str, Namespace] = {name: self._run.namespace(name) for name in NAMESPACES}
        self.folder: Path = self._run.folder
        self.daemons = Daemons(self.folder, self.spaces)
        self.guests: list[subprocess.Popen[bytes]] = []
        try:
            self._rise()
        except BaseException:
            self._sink()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sink()

    def run_in(
        self, where: str, argv: Sequence[str | Path], *, name: str = "lambi", env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Run a program in a namespace, its output in NAME.out and NAME.err of the folder; it is ended with the lab."""
        guest = self.daemons.launch(where, name, argv, env=env)
        self.guests.append(guest)
        return guest

    def received_sms(self) -> list[messages.Sms]:
        """Return every short message that reached a handset, in order."""
        return messages.received_sms(self.folder)

    def received_mail(self) -> list[messages.Mail]:
        """Return every mail that the SMTP server took, oldest first."""
        return messages.received_mail(self.folder)

    @property
    def authority(self) -> Path:
        """The certificate that the web site's clients must trust."""
        return servers.authority(self.daemons, "bon")

    def _rise(self) -> None:
        """Start everything, then wait for the routes, then for each service as it is seen from the hub."""
        sea.lay(self.spaces)
        self.prepare_faults()
        self.say(f"sea       ready: {', '.join(CABLES)}")
        messages.start_smtp(self.daemons)
        servers.start_dns(self.daemons, "world")
        routers.start_hub(self.daemons)
        for island in ISLANDS:
            routers.start_island(self.daemons, island)
            servers.start_dns(self.daemons, island)
        servers.start_web(self.daemons, "bon")
        messages.start_sms(self.daemons)
        self.settle()

    def settle(self) -> None:
        """Wait until everything stands and answers as after the start."""
        self._await_routes()
        self._await_services()

    def _await_routes(self) -> None:
        until(
            lambda: routers.converged(self.daemons), START_SECONDS, "every BGP session stands and every route is known"
        )
        self.say(f"routers   ready: hub (FRR), {', '.join(ISLANDS)} (BIRD); every BGP session stands")

    def _await_services(self) -> None:
        """Everything must answer somebody who stands at the hub."""
        van, world = self.spaces["van"], self.spaces["world"]
        for where in ("world", *ISLANDS):
            until(
                partial(servers.answers, van, *servers.what_it_serves(where)),
                START_SECONDS,
                f"the name server of {where} answers",
            )
            self.say(f"dns       ready: {where}")
        until(lambda: servers.serves(self.daemons, "bon", van), START_SECONDS, "the web site answers")
        self.say("web       ready: bon")
        until(lambda: messages.smtp_ready(world), START_SECONDS, "the SMTP server listens")
        until(lambda: messages.sms_ready(world), START_SECONDS, "Kannel reaches its SMS centre")
        self.say("messages  ready: SMTP, Kannel with fakesmsc")
        self.daemons.alive()

    def _sink(self) -> None:
        """Ask guests to end, then kill the rest: nothing of the lab's own needs a farewell."""
        for guest in self.guests:
            guest.send_signal(signal.SIGTERM)
        for guest in self.guests:
            try:
                guest.wait(timeout=5)
            except subprocess.TimeoutExpired:
                guest.kill()
        self.daemons.reap()
        self._run.end()


def namespace_of(vantage: str) -> str:
    """Return the namespace of a vantage: "hub", "ant" or "bon"."""
    return VANTAGES[vantage]
