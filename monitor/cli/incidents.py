"""`lambi incidents`: what happened, who was told, and what we did not see."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from monitor.cli import files, options
from monitor.cli.say import EXIT_USAGE, EXITS, CommandError, out, out_json, table
from monitor.impact import in_words, sure

app = typer.Typer()

HEAD = ("id", "state", "severity", "where", "what", "began", "closed", "reason")


@app.command(epilog=EXITS)
def incidents(
    number: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One incident: its timeline, who was told.")
    ] = None,
    *,
    territory: Annotated[str | None, typer.Option(help="ISO code, such as BB.")] = None,
    asset: Annotated[str | None, typer.Option(help="Asset id, such as cctld:bb.")] = None,
    severity: Annotated[str | None, typer.Option(help="At least: info, warning, major, critical.")] = None,
    since: Annotated[str | None, typer.Option(help="From this day or moment, UTC: 2026-09-01.")] = None,
    until: Annotated[str | None, typer.Option(help="To this day or moment, UTC.")] = None,
    page: Annotated[int, typer.Option(min=1, help="Which page of the list.")] = 1,
    per: Annotated[int, typer.Option(min=1, max=1000, help="Incidents on a page.")] = 50,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """List incidents, newest first, and for what share of the period this site was looking; or tell one of them.

    Examples:  lambi incidents --territory BB --since 2026-09-01   |   lambi incidents 4711   |   lambi incidents --json

    The JSON is that of GET /api/v1/incidents and /api/v1/incident/ID (docs/api.md).
    """
    daemon = files.client(config, socket)
    if number is not None:
        _one(daemon.read(f"/api/v1/incident/{_slug(number)}"), json=json)
        return
    asked = {"territory": territory, "asset": asset, "severity": severity, "since": since, "until": until}
    answer = daemon.read("/api/v1/incidents", {**asked, "page": str(page), "per": str(per)})
    if json:
        out_json(answer)
        return
    table(*rows(answer["incidents"]))
    if answer["more"]:
        out(f"there are more: --page {page + 1}")
    looking = answer["coverage"]
    share = looking["looked_seconds"] / looking["period_seconds"] if looking["period_seconds"] else 0.0
    out(f"this site was looking for {share:.1%} of {answer['since']} to {answer['until']}")


def rows(found: Sequence[dict[str, Any]]) -> tuple[Sequence[str], list[list[str]]]:
    """Return head and rows of a table of incidents."""
    return HEAD, [
        [
            one["id"],
            one["state"],
            one["severity"],
            ",".join(one["territories"]) or "region",
            one["title"],
            one["began"],
            one["closed"] or (f"part of {one['part_of']}" if one.get("part_of") else "open"),
            one["reason"],
        ]
        for one in found
    ]


def _slug(number: str) -> str:
    if not number.isascii() or not number.isalnum():
        raise CommandError(f"{number}: an incident's number is letters and digits, such as 4711", EXIT_USAGE)
    return number


def _one(answer: dict[str, Any], *, json: bool) -> None:
    if json:
        out_json(answer)
        return
    out(f"{answer['id']}: {answer['title']} ({answer['severity']}), {_how(answer)}")
    out(f"{answer['reason']}; began {answer['began']}")
    _print_cause(answer)
    for key in ("left", "closing", "url"):
        if answer[key]:
            out(f"{key}: {answer[key]}")
    for line in answer["timeline"]:
        out(f"  {line['at']}  {line['what']}: {line['text']}")
    for line in answer["told"]:
        out(f"  {line['at']}  told {line['agency']} by {line['channel']} ({line['reason']}): {line['state']}")


def _how(answer: dict[str, Any]) -> str:
    part = answer.get("part_of")
    return "closed" if answer["closed"] else f"part of {part}" if part else "open"


def _print_cause(answer: dict[str, Any]) -> None:
    """Print how sure the cause is, what says so, and how much it touches."""
    confidence, touched = answer.get("confidence", 1), answer.get("people", {})
    if confidence < 1:
        out(f"the cause is inferred: {sure(confidence)}, {confidence:.0%}")
    for says in answer.get("evidence", ()):
        out(f"  {says}")
    if people := in_words((touched.get("at_least", 0), touched.get("at_most", 0))):
        out(f"people: {people}")
    if names := answer.get("unreachable"):
        out(f"behind it: {', '.join(names)}")
