"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

ETC = Path("/etc/lambi")

Folder = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="LAMBI_CONFIG", help=f"Your own config folder, laid over the shipped one. Default: {ETC}"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Socket = Annotated[
    Path | None, typer.Option("--socket", help="The daemon's control socket. Default: where the config says.")
]
