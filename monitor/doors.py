"""Opens a door, or says in one sentence why it cannot be opened."""

import os

from aiohttp import web

from monitor.config.settings import Door


class DoorError(Exception):
    """A door cannot be opened; one sentence says why, and `key` is where config says where it is."""

    def __init__(self, sentence: str, key: str) -> None:
        super().__init__(sentence)
        self.key = key


async def listen(app: web.Application, door: Door, key: str) -> web.AppRunner:
    """Serve ``app`` at a door until the runner is cleaned up; raises DoorError."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, door.host, door.port).start()
    except OSError as error:
        await runner.cleanup()
        number = error.errno or 0  # a resolver's are negative
        why = os.strerror(number) if number > 0 else error.strerror
        raise DoorError(f"{door.place} cannot be listened on: {why}", key) from error
    return runner
