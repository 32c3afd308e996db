"""`lambi status`: the region in one screen."""

from typing import Any

import typer

from monitor.cli import files, options
from monitor.cli.incidents import rows
from monitor.cli.say import EXIT_UNKNOWN, EXIT_WRONG, EXITS, out, out_json, table

app = typer.Typer()

KNOWN = ("up", "degraded", "partitioned", "down", "recovering", "unreachable")
"""States that rest on a verdict; a region of which nothing has one yet is not well."""


@app.command(epilog=EXITS)
def status(*, config: options.Folder = None, socket: options.Socket = None, json: options.Json = False) -> None:
    """Say how the region is: what is down, what is open, whether this vantage sees the world.

    Exit 0 when nothing is down and no incident is open, 1 when something is, 4 when nothing watched can be known.

    Examples:  lambi status   |   lambi status --json | jq .watched   (as GET /api/v1/status, docs/api.md)
    """
    answer = files.client(config, socket).read("/api/v1/status")
    if json:
        out_json(answer)
    else:
        _print(answer)
    raise typer.Exit(_verdict(answer))


def _verdict(answer: dict[str, Any]) -> int:
    watched = answer["watched"]
    if answer["watched_total"] and not any(watched.get(state) for state in KNOWN):
        return EXIT_UNKNOWN
    return EXIT_WRONG if answer["incidents"] or watched.get("down") else 0


def _print(answer: dict[str, Any]) -> None:
    out(answer["headline"])
    watched = ", ".join(f"{count} {state}" for state, count in answer["watched"].items() if count)
    out(f"watched: {answer['watched_total']} ({watched or 'none'}); not watched: {answer['not_watched_total']}")
    out(f"oldest look: {answer['oldest_look'] or 'none yet'}; as of {answer['at']}")
    for one in answer["vantage"]["cannot_see_the_world"]:
        out(f"this vantage cannot see the world over IPv{one['family']}: {one['reason']}")
    for note in answer["notes"]:
        out(f"note: {note}")
    if answer["incidents"]:
        table(*rows(answer["incidents"]))
