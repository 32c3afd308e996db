"""`lambi maintenance`: planned work, announced before it begins."""

from pathlib import Path
from typing import Annotated, Any

import typer

from alerting.journal import micros
from monitor.cli import files, options
from monitor.cli.say import EXIT_USAGE, EXIT_WRONG, EXITS, CommandError, complain, out, out_json, table
from monitor.model import Window

app = typer.Typer(
    help="Announce planned work: while it is on, trouble of the asset, and of what needs it, alerts nobody.",
    no_args_is_help=True,
    epilog=EXITS,
)

BATCH = 40
"""Windows in one request: the control door takes 64 KiB."""


@app.command(epilog=EXITS)
def add(
    asset: Annotated[str, typer.Argument(help="Asset id, such as router:bridgetown-1.")],
    *,
    reason: Annotated[str, typer.Option(help="What is done; the page shows it.")],
    since: Annotated[
        str, typer.Option("--from", help='now, 22:00, "2026-11-28 22:00" or +2h, on the clock of the vantage.')
    ] = "now",
    until: Annotated[str | None, typer.Option(help='04:00 (the next after it begins) or "2026-11-29 04:00".')] = None,
    lasts: Annotated[str | None, typer.Option("--for", help="How long, instead of --until: 2h, 90m, 1h30m.")] = None,
    by: Annotated[str, typer.Option(help="Who does the work; the page shows it.")] = "operator",
    weekly: Annotated[bool, typer.Option("--weekly", help="Every week at this day and hour.")] = False,
    rrule: Annotated[str | None, typer.Option(help="Another rule, RFC 5545: FREQ=MONTHLY;BYDAY=1SU.")] = None,
    only: Annotated[bool, typer.Option("--only", help="The asset alone, not what needs it.")] = False,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """Announce work on an asset. The answer says when it is, on the clock of the vantage and in UTC.

    Examples:  lambi maintenance add router:bridgetown-1 --from 22:00 --for 2h --reason "new line card"

    lambi maintenance add power:site-1 --from "2026-11-29 06:00" --for 30m --weekly --reason "generator test"
    """
    if weekly and rrule:
        raise CommandError("--weekly is a rule already: leave --rrule away", EXIT_USAGE)
    rule = "FREQ=WEEKLY" if weekly else rrule or ""
    asked = {"asset": asset, "from": since, "until": until, "for": lasts, "reason": reason, "author": by}
    answer = files.client(config, socket).run("maintenance-add", {**asked, "rule": rule, "only": only})
    if json:
        out_json(answer)
        return
    one = answer["window"]
    out(f"{one['id']}: {one['name']} is in maintenance {_when(one)}")
    if one["rule"]:
        out(f"and again: {one['rule']}, on the clock of {one['rule_zone']}")
    out(f"take it back with: lambi maintenance end {one['id']}")


@app.command(name="list", epilog=EXITS)
def list_(
    *,
    past: Annotated[bool, typer.Option("--all", help="Also what is over or was ended, and by whom.")] = False,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """List what is on and what comes, from maintenance.yaml and by hand."""
    answer = files.client(config, socket).run("maintenance-list", {"past": past})
    if json:
        out_json(answer)
        return
    if not answer["windows"]:
        out("no maintenance is planned")
        return
    head = ("id", "state", "asset", "from", "until", "UTC", "below", "again", "reason", "by", "added by")
    table(head, [_row(one) for one in answer["windows"]])
    out(f"times are those of {answer['zone']}")


@app.command(epilog=EXITS)
def end(
    number: Annotated[str, typer.Argument(metavar="ID", help="As `lambi maintenance list` shows it: m12.")],
    *,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """End a window now, or take back one that has not begun; one that recurs does not begin again."""
    answer = files.client(config, socket).run("maintenance-end", {"id": number})
    if json:
        out_json(answer)
    else:
        out(f"{number}: ended; trouble of {answer['window']['asset']} opens incidents again")


@app.command(name="import", epilog=EXITS)
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.ics", help="An iCalendar file.")],
    *,
    asset: Annotated[
        str | None, typer.Option(help="The asset of every event; else X-LAMBI-ASSET or LOCATION names it.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who does the work; the page shows it.")] = "operator",
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """Take windows from a calendar; again, after it has changed: what is known stays, what has changed is replaced.

    An event that the file cancels is ended. One that is no longer in the file is left: end it by hand.

    Example:  lambi maintenance import ring-works.ics --asset router:bridgetown-1
    """
    windows, cancelled, notes = _events(file, asset or "", by, config)
    daemon = files.client(config, socket)
    total: dict[str, Any] = {"added": 0, "kept": 0, "ended": []}
    uids = list(windows)
    for start in range(0, max(1, len(uids)), BATCH):
        part = {uid: windows[uid] for uid in uids[start : start + BATCH]}
        answer = daemon.run("maintenance-import", {"windows": part, "cancelled": cancelled if start == 0 else []})
        total = {key: total[key] + answer[key] for key in total}
    for note in notes:
        complain(note)
    if json:
        out_json({**total, "notes": notes})
    else:
        out(f"{total['added']} added, {total['kept']} known already, {len(total['ended'])} ended")


def _events(
    file: Path, asset: str, by: str, config: Path | None
) -> tuple[dict[str, dict[str, Any]], list[str], list[str]]:
    """Read the file; raises CommandError."""
    from monitor.ical import LARGEST, CalendarError, Frame, read  # noqa: PLC0415 - icalendar costs 0.1 s, that only an import needs
    from probes.clock import SystemClock  # noqa: PLC0415 - asked for its time by an import alone

    settings = files.settings(config)
    zones = list(dict.fromkeys([settings.zone, *(place.zone for place in settings.world.territories.values())]))
    if asset and asset not in settings.world.assets:
        raise CommandError(f'unknown asset "{asset}"', EXIT_USAGE)
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
        found = read(data, Frame(settings.world.assets, asset, settings.zone, zones, by), SystemClock().now())
    except OSError as error:
        raise CommandError(f"{file}: cannot be read: {error.strerror}", EXIT_USAGE) from error
    except CalendarError as error:
        raise CommandError("\n".join(f"{file}: {line}" for line in str(error).splitlines()), EXIT_WRONG) from error
    return {uid: _plain(window) for uid, window in found.windows.items()}, sorted(found.cancelled), found.notes


def _plain(window: Window) -> dict[str, Any]:
    """Return a window as the control door takes it; times in microseconds since 1970."""
    return {
        "asset": window.asset,
        "since": micros(window.since),
        "until": micros(window.until),
        "reason": window.reason,
        "author": window.author,
        "below": window.below,
        "rule": window.rule,
        "zone": window.zone,
        "skipped": [micros(each) for each in window.skipped],
    }


def _when(one: dict[str, Any]) -> str:
    utc = f"{one['since'][:16].replace('T', ' ')} to {one['until'][:16].replace('T', ' ')} UTC"
    return f"from {one['since_local']} to {one['until_local']} ({one['zone']}), {utc}"


def _row(one: dict[str, Any]) -> list[str]:
    return [
        one["id"],
        one["state"],
        one["asset"],
        one["since_local"],
        one["until_local"],
        f"{one['since'][:16].replace('T', ' ')} to {one['until'][:16].replace('T', ' ')}",
        "too" if one["below"] else "not",
        one["rule"] or "once",
        one["reason"],
        one["author"],
        one["added_by"] + (f", ended by {one['ended_by']}" if one["ended_by"] else ""),
    ]
