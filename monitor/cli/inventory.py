"""`lambi inventory`: what is known of the region, whence, and what somebody on the spot should confirm."""

import csv
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from monitor.cli import files, options
from monitor.cli.say import EXIT_USAGE, EXIT_WRONG, EXITS, CommandError, out, out_json, table
from monitor.config.problems import did_you_mean
from monitor.config.rows import TABLES
from monitor.config.stock import Item, Stock
from monitor.plain import cell

app = typer.Typer(
    help="Check, look up and export the inventory: the shipped rows with yours laid over them.",
    no_args_is_help=True,
    epilog=EXITS,
)

Territory = Annotated[str | None, typer.Option("--territory", help="Only what is of this territory: its ISO code.")]
NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
"""No formula, though it may begin like one: a degree of longitude."""
MOST = 20
"""Rows of the list that is shown where nobody asks for all of it."""


@app.command(epilog=EXITS)
def check(
    *,
    territory: Territory = None,
    all_: Annotated[bool, typer.Option("--all", help="The whole list of what is to be confirmed.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print that list as CSV, to be worked through.")] = False,
    config: options.Folder = None,
    json: options.Json = False,
) -> None:
    """Read every table, print every problem at once, and list what is to be confirmed. Exit 1 when there is a problem.

    A row of your own with the same key, in inventory/ of your folder, confirms what it says.

    Examples:  lambi inventory check   |   lambi inventory check --territory GD --csv > grenada.csv
    """
    if csv and json:
        raise CommandError("--csv or --json, not both", EXIT_USAGE)
    stock = Stock(files.overlay(config))
    _known(territory, stock)
    listed = [one for one in stock.to_confirm() if territory is None or territory in one.territories]
    if json:
        out_json(_report(stock, listed))
    elif csv:
        _print_csv(("id", "name", "territories", "why", "source", "as_of", "who could say"), _lines(stock, listed))
    else:
        _print(stock, listed, most=len(listed) if all_ else MOST)
    if stock.problems:
        raise typer.Exit(EXIT_WRONG)


@app.command(epilog=EXITS)
def show(
    word: Annotated[str, typer.Argument(metavar="ID", help="cable:arcos, grex, AS27924, an address, or reg-bb.")],
    *,
    config: options.Folder = None,
    json: options.Json = False,
) -> None:
    """Show what is known of one thing, with source, date, and how sure it is. Of an address: who was given its block.

    Examples:  lambi inventory show ixp:grex   |   lambi inventory show 196.3.0.1   |   lambi inventory show AS5639
    """
    stock = Stock(files.overlay(config))
    found = stock.find(word)
    if not found:
        ids = (name for one in stock.items for name in (one.id, one.id.partition(":")[2]))
        raise CommandError(f"{word}: nothing of this name is in the inventory{did_you_mean(word, ids)}", EXIT_USAGE)
    if json:
        out_json({"found": [_fact(stock, one) for one in found]})
    else:
        out("\n\n".join("\n".join(_told(stock, one)) for one in found))


@app.command(epilog=EXITS)
def export(
    name: Annotated[str, typer.Argument(metavar="TABLE", help=f"One of {', '.join(TABLES)}.")],
    *,
    territory: Territory = None,
    config: options.Folder = None,
    json: options.Json = False,
) -> None:
    """Print one table as CSV, the shipped rows with yours laid over them.

    A cell that a spreadsheet would run as a formula begins with an apostrophe.

    Examples:  lambi inventory export cables > cables.csv   |   lambi inventory export prefixes --territory TT --json
    """
    if name not in TABLES:
        raise CommandError(f"{name}: there is no such table{did_you_mean(name, TABLES)}", EXIT_USAGE)
    stock = Stock(files.overlay(config))
    _known(territory, stock)
    rows = [one for one in stock.of(name) if territory is None or territory in one.territories]
    if json:
        out_json({"table": name, "rows": [_fact(stock, one) for one in rows]})
        return
    columns = [key for key in TABLES[name].model.model_fields if any(one.cells.get(key) for one in rows)]
    columns.sort(key=lambda key: (key not in TABLES[name].keys, key in {"source", "as_of", "confidence"}))
    _print_csv(columns, ([one.cells.get(key, "") for key in columns] for one in rows))


def _known(territory: str | None, stock: Stock) -> None:
    codes = [one.id.partition(":")[2] for one in stock.of("territories")]
    if territory is not None and territory not in codes:
        raise CommandError(f'unknown territory "{territory}"{did_you_mean(territory, codes)}', EXIT_USAGE)


def _print(stock: Stock, listed: Sequence[Item], *, most: int) -> None:
    for problem in stock.problems:
        out(str(problem))
    unsure = {name: sum(bool(one.unsure) for one in stock.of(name)) for name in TABLES}
    rows = ([name, str(len(stock.of(name))), str(_own(stock, name)), str(unsure[name])] for name in TABLES)
    table(("table", "rows", "yours", "to be confirmed"), rows)
    if listed:
        table(("to be confirmed", "name", "where", "why", "who could say"), [
            [one.id, one.name, " ".join(one.territories), one.unsure, stock.whom(one)] for one in listed[:most]
        ])  # fmt: skip
    if (more := len(listed) - most) > 0:
        out(f"and {more} more: --all, or --csv for a list to work through")
    out(f"{len(stock.problems)} to put right" if stock.problems else "the inventory holds together")


def _own(stock: Stock, name: str) -> int:
    return sum(one.own for one in stock.of(name))


def _report(stock: Stock, listed: Iterable[Item]) -> dict[str, Any]:
    problems = [
        {"file": one.file, "line": one.line, "path": one.path, "message": one.message, "expected": one.expected}
        for one in stock.problems
    ]
    return {
        "ok": not problems,
        "problems": problems,
        "tables": {
            name: {
                "rows": len(stock.of(name)),
                "own": _own(stock, name),
                "to_confirm": sum(bool(one.unsure) for one in stock.of(name)),
            }
            for name in TABLES
        },
        "to_confirm": [_fact(stock, one) for one in listed],
    }


def _fact(stock: Stock, item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "table": item.table,
        "name": item.name,
        "territories": list(item.territories),
        "cells": {key: text for key, text in item.cells.items() if text},
        "source": item.provenance.source,
        "as_of": item.provenance.as_of,
        "confidence": item.provenance.confidence,
        "to_be_confirmed": item.unsure or None,
        "ask": stock.whom(item) or None if item.unsure else None,
        "file": item.where.file,
        "line": item.where.line,
    }


def _told(stock: Stock, item: Item) -> Iterable[str]:
    yield f"{item.id}  {item.name}"
    if item.unsure:
        asked = stock.whom(item)
        yield f"  to be confirmed: {item.unsure}" + (f"; {asked} could say" if asked else "")
    for key, text in item.cells.items():
        if text:
            yield f"  {key.replace('_', ' ')}: {text}"
    yield f"  stands in {item.where.file}:{item.where.line}"


def _lines(stock: Stock, listed: Iterable[Item]) -> Iterable[list[str]]:
    for one in listed:
        whence = one.provenance
        places = " ".join(one.territories)
        yield [one.id, one.name, places, one.unsure, whence.source, whence.as_of, stock.whom(one)]


def _print_csv(head: Iterable[str], lines: Iterable[Sequence[str]]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(head)
    writer.writerows([text if NUMBER.fullmatch(text) else cell(text) for text in line] for line in lines)
