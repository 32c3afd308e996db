"""`lambi reload`."""

from typing import Any

import typer

from monitor.cli import files, options
from monitor.cli.say import EXITS, out, out_json

app = typer.Typer()


@app.command(epilog=EXITS)
def reload(*, config: options.Folder = None, socket: options.Socket = None, json: options.Json = False) -> None:
    """Have the daemon read its config again. Exit 1, with every problem, when it cannot be used: the old one goes on.

    What is believed, open incidents and ladders stay for whatever stays; an incident of what is no longer watched is
    closed, and those who were told are told. What needs a restart is named, and stays as it was. SIGHUP does the same.

    Example:  lambi config check && lambi reload
    """
    answer = files.client(config, socket, timeout=60.0).run("reload", {})
    if json:
        out_json(answer)
    else:
        _print(answer)


def _print(answer: dict[str, Any]) -> None:
    counts = [
        (len(answer["added"]), "new"),
        (len(answer["changed"]), "asked otherwise"),
        (len(answer["removed"]), "gone"),
    ]
    counts.append((answer["kept"], "as before"))
    out(f"reloaded; checks: {', '.join(f'{count} {what}' for count, what in counts if count)}")
    if answer["closed"]:
        out(f"closed, as nothing watches it any more: {', '.join(answer['closed'])}")
    if answer["restart"]:
        out(f"goes on as it was until a restart: {', '.join(answer['restart'])}")
    for note in answer["notes"]:
        out(f"note: {note}")
