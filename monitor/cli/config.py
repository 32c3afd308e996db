"""`lambi config`: check the files before the daemon reads them."""

from typing import Any

import typer

from monitor.cli import files, options
from monitor.cli.contact import freshness
from monitor.cli.say import EXIT_WRONG, EXITS, out, out_json
from monitor.config import ConfigError, Settings, load, schema

app = typer.Typer(help="Check the config, or print what may stand in it.", no_args_is_help=True, epilog=EXITS)


@app.command(epilog=EXITS)
def check(*, config: options.Folder = None, json: options.Json = False) -> None:
    """Read every file and print every problem at once: file, line, key, what was expected. Exit 1 when there is one.

    A note names what is allowed and yet does nothing, such as a contact that no route names; it changes no exit code.
    A daemon that runs adds how many addresses nobody has confirmed for 90 days.

    Examples:  lambi config check   |   lambi config check --config ./my-config --json
    """
    folder = files.overlay(config)
    try:
        settings = load(folder)
    except ConfigError as error:
        if json:
            out_json({"ok": False, "problems": [_problem(one) for one in error.problems], "notes": []})
        else:
            out("\n".join(map(str, error.problems)))
            out(f"{len(error.problems)} to put right")
        raise typer.Exit(EXIT_WRONG) from error
    facts = {**_facts(settings), "warning": (freshness(settings) or {}).get("warning")}
    if json:
        out_json({"ok": True, "problems": [], "notes": [_problem(one) for one in settings.notes], **facts})
    else:
        for note in settings.notes:
            out(f"note: {note}")
        if facts["warning"]:
            out(f"note: {facts['warning']}")
        lying = f"the shipped config with {folder} over it" if folder else "the shipped config"
        out(f"{lying} is fine")
        out(
            "{checks} checks, {packets_per_minute:.0f} packets a minute; {contacts} contacts, {routes} routes; "
            "channels that are on: {channels}".format(**facts)
        )


@app.command(name="schema", epilog=EXITS)
def schema_() -> None:
    """Print the JSON schema of the config, for editors that complete and check while one types.

    Example:  lambi config schema > lambi.schema.json
    """
    out_json(schema())


def _problem(problem: Any) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "path": problem.path,
        "message": problem.message,
        "expected": problem.expected,
    }


def _facts(settings: Settings) -> dict[str, Any]:
    return {
        "checks": len(settings.world.checks),
        "packets_per_minute": settings.packets_per_minute,
        "contacts": len(settings.directory.contacts),
        "routes": len(settings.directory.routes),
        "channels": len(settings.channels),
    }
