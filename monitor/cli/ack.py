"""`lambi ack`: what somebody answered by telephone, or in person."""

from typing import Annotated

import typer

from alerting.model import Act
from monitor.cli import files, options
from monitor.cli.say import EXITS, out, out_json

app = typer.Typer()


@app.command(epilog=EXITS)
def ack(
    number: Annotated[str, typer.Argument(metavar="ID", help="The incident.")],
    *,
    contact: Annotated[str, typer.Option("--as", help="For whom: the contact's name.")],
    what: Annotated[Act, typer.Option("--what", help="What the answer is.")] = Act.ACK,
    count: Annotated[int | None, typer.Option("--number", min=1, max=999, help="Of a step done; minutes.")] = None,
    config: options.Folder = None,
    socket: options.Socket = None,
    json: options.Json = False,
) -> None:
    """Acknowledge an incident for a contact. The ladder of that contact's agency stops for a while; the others see it.

    Examples:  lambi ack 4711 --as bb-noc   |   lambi ack 4711 --as bb-noc --what done --number 3
    """
    asked = {"incident": number, "contact": contact, "what": what.value, "number": count}
    answer = files.client(config, socket).run("answer", asked)
    if json:
        out_json(answer)
    else:
        out(answer["answer"])
