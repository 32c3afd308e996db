"""`lambi topology`: what depends on what, and what falls if one thing alone fails."""

import csv
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor import picture
from monitor.cli import files, options
from monitor.cli.say import EXIT_NO_DAEMON, EXIT_USAGE, EXITS, CommandError, complain, out, out_json, table
from monitor.config.problems import did_you_mean
from monitor.plain import cell
from monitor.resilience import COLUMNS, fact, report, rows
from monitor.topology import Topology
from monitor.tree import draw, text
from monitor.tree import fact as tree_fact
from probes.clock import SystemClock

app = typer.Typer(
    help="Draw what depends on what; report what falls if one thing alone fails.", no_args_is_help=True, epilog=EXITS
)


@app.command(epilog=EXITS)
def show(
    asset: Annotated[str, typer.Argument(help="Asset id, such as router:bridgetown-1.")],
    *,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Draw it into this file too.")] = None,
    config: options.Folder = None,
    json: options.Json = False,
) -> None:
    """Draw what an asset needs, what needs it, and what is left if something fails. From the config; no daemon needed.

    Examples:  lambi topology show cable:arcos   |   lambi topology show ixp:grex --svg grex.svg
    """
    topology = Topology(files.settings(config).world)
    if asset not in topology.world.assets:
        near = did_you_mean(asset, topology.world.assets)
        raise CommandError(f"{asset}: there is no such asset{near}", EXIT_USAGE)
    drawing = draw(topology, asset, SystemClock().now())
    if svg is not None:
        try:
            svg.write_text(picture.svg(topology, drawing), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{svg}: cannot be written: {error.strerror}", EXIT_USAGE) from error
    if json:
        out_json(tree_fact(topology, drawing))
    else:
        out("\n".join(text(topology, drawing)))


@app.command(name="report", epilog=EXITS)
def report_(
    *,
    csv: Annotated[bool, typer.Option("--csv", help="Print a table as CSV instead of text.")] = False,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """List every single point of failure of the region, beside what is down now, with what each rests on.

    What is down is asked of the daemon; where none answers, the config alone is read, as if nothing were down.

    Examples:  lambi topology report   |   lambi topology report --csv > resilience.csv
    """
    if csv and json:
        raise CommandError("--csv or --json, not both", EXIT_USAGE)
    found = _found(config, socket)
    if json:
        out_json(found)
    elif csv:
        _print_csv(rows(found["cuts"]))
    else:
        table(("fails", "then", "rests on"), [_row(cut) for cut in found["cuts"]])
        out(f"{len(found['cuts'])} single points of failure; down now: {', '.join(found['down']) or 'nothing'}")


def _found(config: options.Folder, socket: options.Socket) -> dict[str, Any]:
    """Return the daemon's report, or that of the config."""
    try:
        return files.client(config, socket).read("/api/v1/resilience")
    except CommandError as error:
        if error.code != EXIT_NO_DAEMON or socket is not None:
            raise
    complain("no daemon answers: this is by the config alone, as if nothing were down now")
    return fact(report(Topology(files.settings(config).world), SystemClock().now()))


def _row(cut: dict[str, Any]) -> list[str]:
    known = (("confirmed by an operator", cut["confirmed"]), ("hypothesis", cut["territories"] or cut["supposed"]))
    how = ", ".join(word for word, assets in known if assets)
    age = f", as of {cut['as_of']}" if cut["as_of"] else ""
    return [
        cut["asset"],
        cut["sentence"],
        how + age + (f", confidence {cut['confidence']}" if cut["confidence"] else ""),
    ]


def _print_csv(lines: Iterable[list[str]]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    writer.writerows([cell(text) for text in line] for line in lines)
