"""The event loop of the daemon."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

LOOKUPS = 32
"""Names that are looked up at once."""


class Loop(asyncio.SelectorEventLoop):
    """Looks names up in threads of their own: a dead resolver takes none from what works with files and modems."""

    def __init__(self) -> None:
        """Make the loop; its threads start when the first name is looked up."""
        super().__init__()
        self._lookups = ThreadPoolExecutor(LOOKUPS, "names")

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - so it is called
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """As asyncio's; raises OSError."""
        look = partial(socket.getaddrinfo, host, port, family, type, proto, flags)
        return await self.run_in_executor(self._lookups, look)
