"""`lambi demo`."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.replay import read
from monitor.cli.say import EXITS, complain, out
from monitor.config import load
from monitor.data import shipped

app = typer.Typer()


@app.command(epilog=EXITS)
def demo(
    story: Annotated[Path | None, typer.Argument(help="A story; without one, five minutes of a storm.")] = None,
    *,
    speed: Annotated[float, typer.Option(min=0.5, max=5.0, help="So many times as fast.")] = 5.0,
    port: Annotated[int, typer.Option(min=1, max=65_534, help="The page is at 127.0.0.1 on this port.")] = 8080,
) -> None:
    """Run the real daemon in a made-up world, to see the page, the incidents and what people are sent; Ctrl-C ends it.

    Nobody is asked anything, messages go to a mailbox on the port above, and what it writes is thrown away at the end.

    Examples:  lambi demo   |   lambi demo tests/scenarios/last-cable-of-two.yaml --speed 1
    """
    told = read(story or shipped("config") / "demo.yaml")
    from monitor import demo as daemon  # noqa: PLC0415 - the whole daemon costs half a second, that --help shall not
    from probes.clock import SystemClock  # noqa: PLC0415 - `lambi --help` does without it

    def say(sentence: str) -> None:
        out(sentence)
        sys.stdout.flush()

    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="lambi-demo-") as folder:
        settings = daemon.settings_of(told, load(None), Path(folder), clock, port=port, speed=speed)
        say(told.story)
        code = asyncio.run(daemon.run(told, settings, say, clock=clock, speed=speed))
    if code:
        complain("the demo has ended because of the above")
    raise typer.Exit(code)
