"""`lambi why`: any verdict in plain words."""

from typing import Annotated
from urllib.parse import quote

import typer

from monitor.cli import files, options
from monitor.cli.say import EXITS, out, out_json

app = typer.Typer()


@app.command(epilog=EXITS)
def why(
    target: Annotated[str, typer.Argument(metavar="TARGET|ASSET", help="Asset id, check, target, or address.")],
    *,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """Say why something is up, down or unknown: the last looks, the rule, the own link, what it needs, what next.

    Examples:  lambi why cctld:bb   |   lambi why 192.0.2.1   |   lambi why ixp:grex --json

    The JSON is that of GET /api/v1/why/ID (docs/api.md).
    """
    answer = files.client(config, socket).read(f"/api/v1/why/{quote(target, safe=':/')}")
    if json:
        out_json(answer)
        return
    out(answer["verdict"])
    last = ""
    for one in answer["because"]:
        topic = "" if one["topic"] == last else one["topic"]
        last = one["topic"]
        out(f"  {topic:<12} {one['text']}")
