"""The `lambi` command. Exit codes and JSON are documented in docs/cli.md and stay as they are."""

import sys
import traceback
from collections.abc import Iterator, MutableMapping, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from monitor.cli.say import EXIT_WRONG, EXITS, CommandError, complain
from monitor.data import version

COMMANDS = {
    "run": "daemon",
    "reload": "reload",
    "status": "status",
    "incidents": "incidents",
    "why": "why",
    "ack": "ack",
    "probe": "probe",
    "contact": "contact",
    "route": "route",
    "silence": "silence",
    "drill": "drill",
    "posture": "posture",
    "maintenance": "maintenance",
    "topology": "topology",
    "store": "store",
    "inventory": "inventory",
    "config": "config",
    "runbooks": "runbooks",
    "replay": "replay",
    "demo": "demo",
    "backup": "backup",
    "restore": "restore",
    "doctor": "doctor",
    "install": "install",
    "log": "log",
}
"""Name -> module here that holds it as `app`; a module is imported when its command is named, or for --help."""


class _Lazy(MutableMapping[str, Any]):
    """Commands by name, made at first sight: `lambi status` shall not pay for what `lambi run` imports."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            command = get_command(import_module(f"monitor.cli.{COMMANDS[name]}").app)
            command.name = name
            self._made[name] = command
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Group(TyperGroup):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{**arguments, "commands": None})
        self.commands = _Lazy()


app = typer.Typer(
    name="lambi",
    cls=_Group,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lambi {version()}")
        raise typer.Exit


@app.callback(epilog=EXITS)
def _lambi(
    *,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Lambi watches a region's internet and calls the right people with the runbook in their hand.

    Start with:  lambi config check,  then  lambi run,  then  lambi status

    Ask one question by hand:  lambi probe dns 192.0.2.53 --query bb.

    Your own config lies in /etc/lambi, or where --config or $LAMBI_CONFIG says.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process (SystemExit). No traceback reaches a user."""
    try:
        app(args=arguments, prog_name="lambi")
    except CommandError as error:
        complain(str(error))
        sys.exit(error.code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the last boundary: a bug is said in one sentence, with its place
        place = traceback.extract_tb(error.__traceback__)[-1]
        complain(f"a defect in Lambi, please report it: {type(error).__name__} at {place.filename}:{place.lineno}")
        sys.exit(EXIT_WRONG)
