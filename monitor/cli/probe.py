"""`lambi probe`: one question by hand, through the engine that the daemon uses."""

import ast
import asyncio
import inspect
import socket
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from ipaddress import ip_address
from itertools import pairwise
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import typer

from monitor.cli.options import Json
from monitor.cli.say import EXIT_UNKNOWN, EXIT_USAGE, EXIT_WRONG, EXITS, CommandError, out, out_json
from probes import PROBES, engines
from probes.clock import SystemClock
from probes.model import Observation, Outcome, Target
from probes.report import as_dict, as_text, ask_once

app = typer.Typer(
    help="Ask one question by hand and print values, timings and verdict.",
    no_args_is_help=True,
    epilog=EXITS,
)
EXAMPLES = {
    "icmp": "lambi probe icmp 127.0.0.1",
    "tcp": "lambi probe tcp 127.0.0.1 --port 22",
    "dns": "lambi probe dns 127.0.0.1 --query do.   |   lambi probe dns ::1 --query example. --rdtype NS",
    "zone": "lambi probe zone 192.0.2.53 --query bb. --timeout 20",
    "snmp": "LAMBI_SNMP_COMMUNITY=public lambi probe snmp 192.0.2.1   |   lambi probe snmp 192.0.2.1 --user lambi",
    "http": "lambi probe http 127.0.0.1   |   lambi probe http 192.0.2.10 --host www.example.org --json",
}
Address = Annotated[str, typer.Argument(help="IPv4 or IPv6 address; a host name or URL where the probe takes one.")]
Timeout = Annotated[float, typer.Option(min=0.05, max=60.0, help="Seconds until silence is a failure.")]
Family = Annotated[Literal["4", "6"] | None, typer.Option(help="The address family, where the address is a name.")]


def _command(kind: str) -> Callable[..., None]:
    """Make the command of a probe; its settings become options, as they stand in its dataclass."""
    probe = PROBES[kind]

    def ask(address: str, *, family: str | None, timeout: float, json: bool, **settings: Any) -> None:
        _ask(probe, address, family, timeout, settings, json=json)

    ask.__doc__ = f"{inspect.getdoc(probe)}\n\nExamples:  {EXAMPLES.get(kind, f'lambi probe {kind} ADDRESS')}"
    ask.__name__ = kind
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("address", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Address),
        *_options(probe),
        inspect.Parameter("family", keyword, default=None, annotation=Family),
        inspect.Parameter("timeout", keyword, default=2.0, annotation=Timeout),
        inspect.Parameter("json", keyword, default=False, annotation=Json),
    ]
    ask.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # a function takes one
    ask.__annotations__ = {one.name: one.annotation for one in parameters}
    return ask


def _options(probe: type[Any]) -> Iterator[inspect.Parameter]:
    told = _attribute_docs(probe)
    for field in fields(probe):
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        hidden = None if field.repr else f"LAMBI_{probe.kind}_{field.name}".upper()  # a command line is seen by all
        option = typer.Option(help=told.get(field.name), envvar=hidden, show_default=field.repr)
        annotation = Annotated[field.type, option]  # type: ignore[name-defined] # the type is known when it runs
        yield inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _attribute_docs(probe: type[Any]) -> dict[str, str]:
    """Return the docstrings under a dataclass's fields: what --help says is what the code says."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(probe))).body
    told: dict[str, str] = {}
    statements = body.body if isinstance(body, ast.ClassDef) else []
    for field, doc in pairwise(statements):
        match field, doc:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                told[name] = " ".join(text.split())
    return told


def _ask(
    probe: type[Any],
    address: str,
    family: str | None,
    timeout: float,
    settings: dict[str, Any],
    *,
    json: bool,
) -> None:
    try:
        question = probe(**settings)
    except ValueError as error:
        raise CommandError(str(error), EXIT_USAGE) from error
    target = Target("by-hand", address, int(family) if family else _family(address))
    look = asyncio.run(_look(question, target, timeout))
    if json:
        out_json(as_dict(look, question))
    else:
        out(as_text(look, question))
    raise typer.Exit(_verdict(look))


async def _look(question: Any, target: Target, timeout: float) -> Observation:
    clock = SystemClock()
    built = engines.build(vantage=f"vantage:{socket.gethostname()}", clock=clock)
    try:
        return await ask_once(built, question, target, timeout=timeout, clock=clock)
    finally:
        await engines.close(built)


def _family(address: str) -> int:
    """Return the literal's own family, 4 for a name."""
    try:
        host = (urlsplit(address).hostname or "") if "://" in address else address
        return ip_address(host).version
    except ValueError:
        return 4


def _verdict(look: Observation) -> int:
    outcomes = {part.outcome for part in look.parts.values()}
    if Outcome.FAILED in outcomes:
        return EXIT_WRONG
    return EXIT_UNKNOWN if Outcome.UNKNOWN in outcomes else 0


for _kind in PROBES:
    app.command(name=_kind, epilog=EXITS)(_command(_kind))
