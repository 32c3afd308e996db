"""`lambi route`: who is told, who is not, and why."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from alerting.explain import explain as told
from alerting.explain import routes
from alerting.gate import Rules
from alerting.match import labels
from alerting.model import Alert, Severity
from monitor.cli import files, options
from monitor.cli.say import EXIT_USAGE, EXITS, CommandError, out, out_json, table
from monitor.config import Settings

app = typer.Typer(help="Say who is told of something, and why.", no_args_is_help=True, epilog=EXITS)


@app.callback()
def _route() -> None:
    """Keep `explain` a command of its own."""


@app.command(epilog=EXITS)
def explain(
    what: Annotated[
        list[str], typer.Argument(metavar="INCIDENT|LABEL=VALUE...", help="An incident's number, or labels to try.")
    ],
    *,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """Say who is told of an incident, who is not, and why; or of one that could be, by the config alone.

    Examples:  lambi route explain 4711

    lambi route explain kind=cable territory=BB severity=critical
    """
    if len(what) == 1 and "=" not in what[0]:
        answer = files.client(config, socket).run("route-explain", {"incident": what[0]})
    else:
        answer = _tried(what, files.settings(config))
    if json:
        out_json(answer)
        return
    for one in answer["routes"]:
        out(f"route {one['route']}: " + ("takes it" if one["takes"] else f"does not take it: {one['why']}"))
    table(
        ("contact", "agency", "told", "why"),
        [[one[k] for k in ("contact", "agency", "told", "why")] for one in answer["people"]],
    )
    _story(answer)


def _story(answer: dict[str, Any]) -> None:
    """Print what the journal has of an incident."""
    for one in answer.get("ladders", []):
        following = f", step {one['next_step']} at {one['next_at']}" if one["next_at"] else ""
        out(f"ladder {one['ladder']} of {one['agency']}: {one['state']}{following}; {one['why']}")
    for one in answer.get("answers", []):
        out(f"{one['at']}  {one['agency']} {one['what']}")
    for one in answer.get("rows", []):
        due = f", due {one['due']}" if one["due"] else ""
        why = f": {one['why']}" if one["why"] else ""
        out(f"{one['at']}  {one['contact']} by {one['channel']} ({one['reason']}): {one['state']}{due}{why}")


def _tried(what: list[str], settings: Settings) -> dict[str, Any]:
    """Explain an alert with these labels as of now, without a daemon."""
    from probes.clock import SystemClock  # noqa: PLC0415 - only this asks for the time

    pairs = dict(word.partition("=")[::2] for word in what)
    if not all("=" in word and word.partition("=")[0] for word in what):
        raise CommandError("either an incident's number, or labels like kind=cable territory=BB", EXIT_USAGE)
    now = SystemClock().now()
    alert = _alert(pairs, settings, now)
    rules = Rules(settings.directory, settings.directory.silences)
    return {
        "incident": None,
        "labels": labels(alert),
        "routes": [{"route": n, "takes": takes, "why": why} for n, takes, why in routes(alert, settings.directory)],
        "people": [asdict(line) for line in told(alert, rules, now)],
    }


def _alert(pairs: dict[str, str], settings: Settings, now: datetime) -> Alert:
    """Make an alert of labels; an asset brings its kind and territory along."""
    asset = settings.world.assets.get(pairs.get("asset", ""))
    try:
        severity = Severity(pairs.get("severity", "major"))
    except ValueError:
        raise CommandError("severity is one of info, warning, major, critical", EXIT_USAGE) from None
    places = asset.territories if asset else ()
    return Alert(
        incident=pairs.get("incident", ""),
        severity=severity,
        kind=pairs.get("kind", asset.kind if asset else ""),
        asset=pairs.get("asset", ""),
        what="",
        territory=pairs.get("territory", places[0] if len(places) == 1 else ""),
        where="",
        opened=now,
        closed=None,
        changed=now,
        revision=1,
        reason="",
        labels={"territories": ",".join(places), **pairs},
    )
