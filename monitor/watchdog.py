"""What a service manager is told: ready, alive, ending (sd_notify(3)). Without one nothing is said to anybody.

Alive is said while the line goes through its turns, so that a daemon that stands still is started anew; while it waits
for a slow or full disk it is alive, for a start would not help.
"""

import logging
import os
import socket
from collections.abc import Callable, Mapping

from probes.clock import Clock

log = logging.getLogger("lambi.watchdog")


class Watchdog:
    """Tells $NOTIFY_SOCKET. ``stuck``: why this daemon should be started anew, or ""."""

    def __init__(self, environ: Mapping[str, str], stuck: Callable[[], str], clock: Clock) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usual = environ.get("WATCHDOG_USEC", "")
        self._seconds = int(usual) / 1e6 if ours and usual.isdigit() else 0.0
        self._stuck, self._clock = stuck, clock
        self._deaf = False
        """The manager could not be told the last time."""

    def ready(self, status: str) -> None:
        """The doors are open and the first questions are asked."""
        self._tell(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        """It ends in an orderly way."""
        self._tell("STOPPING=1")

    async def run(self) -> None:
        """Say three times within the manager's patience that we are alive, while that is so; until cancelled."""
        said = ""
        while self._seconds:
            why = self._stuck()
            if not why:
                self._tell("WATCHDOG=1")
            elif not said:
                log.error("%s: the service manager is not told that this daemon is alive", why)
            said = why
            await self._clock.sleep_until(self._clock.monotonic() + self._seconds / 3)

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address  # abstract, unix(7)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.sendto(text.encode(), address)
        except OSError as error:
            if not self._deaf:
                log.warning("the service manager cannot be told: %s", error.strerror or error)
            self._deaf = True
        else:
            self._deaf = False
