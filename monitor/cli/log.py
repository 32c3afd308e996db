"""`lambi log`: how much a daemon that runs writes into its log."""

from typing import Annotated, Literal

import typer

from monitor.cli import files, options
from monitor.cli.say import EXITS, out, out_json

app = typer.Typer()


@app.command(epilog=EXITS)
def log(
    level: Annotated[
        Literal["debug", "info", "warning", "error"] | None, typer.Argument(help="From which level on.")
    ] = None,
    *,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """Show or change the log level of the daemon, until it ends. Its log goes to stderr: journalctl -u lambi.

    Examples:  lambi log   |   lambi log debug
    """
    answer = files.client(config, socket).run("log-level", {"level": level})
    if json:
        out_json(answer)
    else:
        out(f"the log is written from {answer['level']} on")
