"""`lambi run`."""

import asyncio
import os
import sys
from typing import Annotated, Literal

import typer

from monitor.cli import files, options
from monitor.cli.say import EXITS, complain, out
from monitor.config import load

app = typer.Typer()


@app.command(epilog=EXITS)
def run(
    config: options.Folder = None,
    *,
    log: Annotated[
        Literal["text", "json"], typer.Option(help="How the log on stderr is written: key=value, or JSON lines.")
    ] = "text",
) -> None:
    """Start the daemon and stay in front; Ctrl-C or SIGTERM ends it.

    It prints the page's address, what it watches, and how many packets a minute that costs.
    It needs no root; without, ICMP may say "cannot look from here".

    Examples:  lambi run   |   lambi run --config ./my-config   |   kill -HUP PID (as lambi reload)
    """
    settings = files.settings(config)
    from monitor import daemon, logs  # noqa: PLC0415 - the whole daemon costs half a second, that --help shall not
    from monitor.loop import Loop  # noqa: PLC0415 - `lambi --help` does without it

    def say(sentence: str) -> None:
        out(sentence)
        sys.stdout.flush()

    folder = settings.file.parent  # also of /etc/lambi, which may be made later

    async def live() -> None:
        code = await daemon.run(settings, say, form=logs.Form(log), load=lambda: load(folder))
        if code:
            complain("the daemon has ended because of the above")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # all is closed; a thread that still waits for a dead resolver must not hold up the end

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(live())
