"""`lambi drill`: exercises over the real path, marked in every text, and how they went."""

from typing import Annotated, Any

import typer

from monitor.cli import files, options
from monitor.cli.say import EXITS, out, out_json, table

app = typer.Typer(
    help="Exercise: real messages, each marked EXERCISE, to those on a list and to nobody else.",
    no_args_is_help=True,
    epilog=EXITS,
)


@app.command(epilog=EXITS)
def start(
    scenario: Annotated[str, typer.Argument(help="As `lambi drill list` names them.")],
    *,
    contacts: Annotated[str, typer.Option(help="Who takes part: NAME,NAME. A rotation: who is on duty now.")],
    lasts: Annotated[str | None, typer.Option("--for", help="How long. Default: as the scenario says.")] = None,
    by: Annotated[str | None, typer.Option(help="Who leads it. Default: your user's name.")] = None,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """Begin an exercise. It ends after its time, by `lambi drill end`, or when something real calls somebody away.

    Example:  lambi drill start hurricane-cable --contacts bb-noc,ctu-desk --for 45m
    """
    names = [name.strip() for name in contacts.split(",") if name.strip()]
    asked = {"scenario": scenario, "contacts": names, "for": lasts, "author": by}
    answer = files.client(config, socket).run("drill-start", asked)
    if json:
        out_json(answer)
        return
    one = answer["drill"]
    out(f"EXERCISE {one['id']} has begun, for {', '.join(each['contact'] for each in one['contacts'])}")
    if answer["unreachable"]:
        out(f"on the list, and no channel of theirs is on: {', '.join(answer['unreachable'])}")
    out(f"it ends at {one['due']}, or with: lambi drill end; how it goes: lambi drill status")


@app.command(epilog=EXITS)
def status(*, config: options.Folder = None, socket: options.Socket = None, json: options.Json = False) -> None:
    """Show the exercise that is under way and its score so far."""
    _show(files.client(config, socket).run("drill-status", {}), json=json)


@app.command(epilog=EXITS)
def end(
    number: Annotated[str | None, typer.Argument(metavar="ID", help="As `lambi drill status` shows it: E3.")] = None,
    *,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """End the exercise now: whoever was told of it is told, and the score is printed."""
    _show(files.client(config, socket).run("drill-end", {"id": number}), json=json)


@app.command(epilog=EXITS)
def score(
    number: Annotated[str | None, typer.Argument(metavar="ID", help="Default: the last one.")] = None,
    *,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """Show how an exercise went: received, acknowledged, steps done, and after how long, by contact and agency.

    Example:  lambi drill score E3 --json
    """
    _show(files.client(config, socket).run("drill-score", {"id": number}), json=json)


@app.command(name="list", epilog=EXITS)
def list_(*, config: options.Folder = None, socket: options.Socket = None, json: options.Json = False) -> None:
    """List the scenarios, and the exercises that there were."""
    answer = files.client(config, socket).run("drill-list", {})
    if json:
        out_json(answer)
        return
    rows = [[one["name"], one["what"], one["severity"], _span(one["lasts_seconds"])] for one in answer["scenarios"]]
    table(("scenario", "what", "severity", "lasts"), rows)
    if answer["drills"]:
        head = ("id", "scenario", "began", "ending", "contacts", "told", "received", "acknowledged")
        table(
            head,
            [
                [_cell(one[key] or "under way" if key == "ending" else one[key]) for key in head]
                for one in answer["drills"]
            ],
        )


def _show(answer: dict[str, Any], *, json: bool) -> None:
    if json:
        out_json(answer)
        return
    one = answer["drill"]
    if one is None:
        out("no exercise is under way")
        return
    state = f"{one['ending']}: {one['why']}" if one["ended"] else f"under way until {one['due']}"
    out(f"EXERCISE {one['id']} {one['scenario']}, begun {one['began']} by {one['author']}; {state}")
    out(
        f"runbook {one['runbook'] or 'none fits'}, {one['steps']} steps; told {one['told']} of {len(one['contacts'])}, "
        f"received {one['received']}, acknowledged {one['acknowledged']}"
    )
    head = ("contact", "agency", "told", "received", "acknowledged", "by", "steps", "last step", "note")
    table(head, [_contact(each) for each in one["contacts"]])
    head = (
        "agency",
        "contacts",
        "told",
        "received",
        "acknowledged",
        "first told",
        "first received",
        "first ack",
        "steps",
    )
    table(head, [_agency(each) for each in one["agencies"]])


def _contact(one: dict[str, Any]) -> list[str]:
    times = [_span(one[f"{key}_seconds"]) for key in ("told", "received", "acknowledged", "finished")]
    steps = " ".join(map(str, one["done"])) or "-"
    return [one["contact"], one["agency"], *times[:3], one["via"] or "-", steps, times[3], one["note"]]


def _agency(one: dict[str, Any]) -> list[str]:
    counts = [_cell(one[key]) for key in ("agency", "contacts", "told", "received", "acknowledged")]
    times = [_span(one[f"first_{key}_seconds"]) for key in ("told", "received", "acknowledged")]
    return [*counts, *times, " ".join(map(str, one["done"])) or "-"]


def _span(seconds: float | None) -> str:
    """Write a time as people read it: 45 s, 3:05 min, 1:10 h."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"


def _cell(value: Any) -> str:
    return str(value)
