"""`lambi silence`: what nobody wants to hear of, until when, and why."""

from typing import Annotated, Any

import typer

from monitor.cli import files, options
from monitor.cli.say import EXITS, out, out_json, table

app = typer.Typer(
    help="Silence alerts by their labels for a while: nobody is called, the page still shows them.",
    no_args_is_help=True,
    epilog=EXITS,
)


@app.command(epilog=EXITS)
def add(
    match: Annotated[list[str], typer.Argument(help="Labels that all hold: kind=website, territory=~BB|LC.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; who asks later reads it.")],
    since: Annotated[str, typer.Option("--from", help='now, 22:00, "2026-11-28 22:00" or +2h.')] = "now",
    until: Annotated[str | None, typer.Option(help='04:00 (the next after it begins) or "2026-11-29 04:00".')] = None,
    lasts: Annotated[str | None, typer.Option("--for", help="How long, instead of --until: 2h, 90m.")] = None,
    by: Annotated[str | None, typer.Option(help="Who wants it. Default: your user's name.")] = None,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """Silence what matches. What is still open when the silence ends is told then; what is over by then is not.

    Whoever was told of a beginning before is told of the end all the same.

    Example:  lambi silence add kind=website territory=BB --for 2h --reason "the host moves"
    """
    asked = {"match": match, "from": since, "until": until, "for": lasts, "reason": reason, "author": by}
    answer = files.client(config, socket).run("silence-add", asked)
    if json:
        out_json(answer)
        return
    one = answer["silence"]
    out(f"{one['id']}: silent until {one['until']}: {', '.join(one['match'])}")
    if answer["covers"]:
        out(f"it covers what is open now: {', '.join(answer['covers'])}")
    out(f"take it back with: lambi silence end {one['id']}")


@app.command(name="list", epilog=EXITS)
def list_(
    *,
    past: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """List the silences that are on or to come, from routes.yaml and by hand."""
    answer = files.client(config, socket).run("silence-list", {"past": past})
    if json:
        out_json(answer)
        return
    if not answer["silences"]:
        out("nothing is silenced")
        return
    table(("id", "match", "from", "until", "by", "reason"), [_row(one) for one in answer["silences"]])


@app.command(epilog=EXITS)
def end(
    number: Annotated[str, typer.Argument(metavar="ID", help="As `lambi silence list` shows it: s3.")],
    *,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """End a silence now: what it kept back, and is still so, is told at once."""
    answer = files.client(config, socket).run("silence-end", {"id": number})
    if json:
        out_json(answer)
    else:
        out(f"{number}: ended")


def _row(one: dict[str, Any]) -> list[str]:
    return [one["id"], ", ".join(one["match"]), one["since"], one["until"], one["author"], one["reason"]]
