"""`lambi posture`: what is set for a territory before, in and after a storm."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from monitor.cli import files, options
from monitor.cli.say import EXITS, out, out_json, table

app = typer.Typer(
    help="Set a territory's posture: contacts are told with the runbook, it stands on the page, looks come more often.",
    no_args_is_help=True,
    epilog=EXITS,
)


class Level(StrEnum):
    """How near it is."""

    watch = "watch"
    prepare = "prepare"
    imminent = "imminent"
    impact = "impact"
    recovery = "recovery"


@app.command(name="set", epilog=EXITS)
def set_(
    level: Annotated[Level, typer.Argument(help="How near it is.")],
    *,
    territory: Annotated[str, typer.Option(help="ISO code: DM.")],
    reason: Annotated[str, typer.Option(help="Why; the page and the messages say it.")],
    until: Annotated[
        str | None, typer.Option(help='18:00 or "2026-09-20 18:00", on the clock of the territory.')
    ] = None,
    lasts: Annotated[str | None, typer.Option("--for", help="How long, instead of --until: 36h, 3d.")] = None,
    by: Annotated[str | None, typer.Option(help="Who says so; else the user of this machine.")] = None,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """Set a posture; it ends by itself. It never changes what it takes to call something down.

    Example:  lambi posture set prepare --territory DM --for 36h --reason "Hurricane Erin, landfall about 02:00"
    """
    asked = {"level": level.value, "territory": territory, "reason": reason, "until": until, "for": lasts, "author": by}
    answer = files.client(config, socket).run("posture-set", asked)
    if json:
        out_json(answer)
        return
    one = answer["posture"]
    out(f"{one['id']}: posture {one['level']} for {one['territory']} until {one['until'][:16].replace('T', ' ')} UTC")
    if one["times_as_often"] > 1:
        out(f"what is watched there is looked at {one['times_as_often']:g} times as often")
    for old in answer["replaced"]:
        out(f"{old} is over: another posture is set")
    out(f"take it back with: lambi posture end {one['id']}")


@app.command(epilog=EXITS)
def end(
    name: Annotated[str, typer.Argument(metavar="ID", help="P3, or the territory's code.")],
    *,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """End a posture now: calm again; those who were told are told."""
    answer = files.client(config, socket).run("posture-end", {"id": name})
    if json:
        out_json(answer)
    else:
        out(f"{answer['posture']['id']}: ended")


@app.command(name="list", epilog=EXITS)
def list_(
    *,
    past: Annotated[bool, typer.Option("--all", help="Also what is over.")] = False,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """List what is in force."""
    answer = files.client(config, socket).run("posture-list", {"past": past})
    if json:
        out_json(answer)
    elif not answer["postures"]:
        out("calm: no posture is in force")
    else:
        head = ("id", "territory", "level", "since", "until", "reason", "by", "how it ended")
        table(head, [_row(one) for one in answer["postures"]])


def _row(one: dict[str, Any]) -> list[str]:
    times = [one[key][:16].replace("T", " ") for key in ("since", "until")]
    return [one["id"], one["territory"], one["level"], *times, one["reason"], one["author"], one["ending"] or ""]
