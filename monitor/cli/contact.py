"""`lambi contact`: who can be told, and whether a message gets through."""

from typing import Annotated, Any

import typer

from alerting.model import Contact
from monitor.cli import files, options
from monitor.cli.client import Client
from monitor.cli.say import EXIT_WRONG, EXITS, CommandError, out, out_json, table
from monitor.config import Settings

app = typer.Typer(help="List the contacts, send one a test message, forget one.", no_args_is_help=True, epilog=EXITS)

PATIENCE = 90.0
"""Seconds; a test message waits for the provider's own answer."""


@app.command(name="list", epilog=EXITS)
def list_(*, config: options.Folder = None, json: options.Json = False) -> None:
    """List who may be told, in which language and time zone, over which channels. Addresses are not shown.

    A daemon that runs says when each was last confirmed by its contact; after 90 days that is a warning.
    """
    settings = files.settings(config)
    fresh = freshness(settings)
    facts = [_fact(contact, set(settings.channels), fresh) for contact in settings.directory.contacts.values()]
    if json:
        out_json({"contacts": facts, "warning": fresh["warning"] if fresh else None})
        return
    head = ("name", "agency", "language", "zone", "channels", "off", "confirmed")
    table(head, [[_cell(fact[key]) for key in head[:-1]] + [_confirmed(fact)] for fact in facts])
    if fresh is None:
        out("no daemon runs here: when their addresses were last confirmed is not known")
    elif fresh["warning"]:
        out(f"warning: {fresh['warning'].partition(':')[0]}; to have them confirmed: lambi contact verify NAME")
    if not any(fact["channels"] for fact in facts):
        out("nobody can be reached: no contact has an address on a channel that is on")


@app.command(name="test", epilog=EXITS)
def send_test(
    name: Annotated[str, typer.Argument(help="The contact's name, as `lambi contact list` shows it.")],
    *,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """Send a message marked TEST over the real path and print what the provider said. Exit 1 when it was not taken.

    The running daemon sends it. "Accepted" means that the provider took it; a telephone may still be off.

    Example:  lambi contact test bb-regulator
    """
    answer = files.client(config, socket, timeout=PATIENCE).run("contact-test", {"contact": name})
    if json:
        out_json(answer)
    else:
        for one in answer["results"]:
            out(f"{one['channel']}: {one['answer']}" + "".join(f", {one[key]}" for key in ("id", "said") if one[key]))
    if not all(one["answer"] == "accepted" for one in answer["results"]):
        raise typer.Exit(EXIT_WRONG)


@app.command(epilog=EXITS)
def forget(
    name: Annotated[str, typer.Argument(help="The contact's name, also one that is no longer in the config.")],
    *,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """Empty what is kept of a person: the texts that were sent. What stays names nobody but this name.

    Example:  lambi contact forget bb-regulator
    """
    answer = files.client(config, socket).run("contact-forget", {"contact": name})
    if json:
        out_json(answer)
        return
    out(f"{name}: " + ", ".join(f"{count} rows of {table_} emptied" for table_, count in answer["emptied"].items()))
    if answer["configured"]:
        out("it still stands in contacts.yaml with its addresses: take it away there, then lambi reload")


@app.command(epilog=EXITS)
def verify(
    name: Annotated[str, typer.Argument(help="The contact's name, as `lambi contact list` shows it.")],
    *,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """Send four letters to each address of a contact; whoever sends them back has confirmed it. Exit 1 if none left.

    Example:  lambi contact verify bb-noc
    """
    answer = files.client(config, socket, timeout=PATIENCE).run("contact-verify", {"contact": name})
    if json:
        out_json(answer)
    else:
        for one in answer["results"]:
            out(f"{one['channel']}: {'sent' if one['taken'] else 'not sent'}, {one['said']}")
    if not all(one["taken"] for one in answer["results"]):
        raise typer.Exit(EXIT_WRONG)


def freshness(settings: Settings) -> dict[str, Any] | None:
    """Ask the daemon which addresses were confirmed; None if none runs here, or it is older than this command."""
    try:
        return Client(settings.control).run("contact-freshness", {})
    except CommandError:
        return None


def _confirmed(fact: dict[str, Any]) -> str:
    said = fact["confirmed"] or {}
    words = [f"{channel} {(one['at'] or 'never')[:10]}{' !' if one['stale'] else ''}" for channel, one in said.items()]
    return ", ".join(words)


def _fact(contact: Contact, on: set[str], fresh: dict[str, Any] | None) -> dict[str, Any]:
    usable = {one.channel: one.enabled and one.channel in on for one in contact.addresses}
    return {
        "name": contact.name,
        "agency": contact.agency,
        "language": contact.language,
        "zone": contact.zone,
        "channels": [channel for channel, usable_ in usable.items() if usable_],
        "off": [channel for channel, usable_ in usable.items() if not usable_],
        "confirmed": None
        if fresh is None
        else {
            one["channel"]: {"at": one["confirmed"], "by": one["by"], "stale": one["stale"]}
            for one in fresh["ways"]
            if one["contact"] == contact.name
        },
    }


def _cell(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
