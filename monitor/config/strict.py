"""What every row of the files is made of: an unknown key is an error."""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from monitor.config.types import Duration

OWN_KINDS = ("router", "network", "site", "power", "website", "nameserver", "ixp", "cable", "landing")
"""Kinds of assets that an operator may add."""
Kind = Literal[
    "territory",
    "cctld",
    "nameserver",
    "zone",
    "ixp",
    "website",
    "cable",
    "landing",
    "router",
    "network",
    "site",
    "power",
    "vantage",
    "peer",
    "feed",
    "posture",
]
KINDS: tuple[str, ...] = tuple(kind for kind in get_args(Kind) if kind != "posture")
"""Kinds of what is looked at; a posture is set by hand."""
Positive = Annotated[Duration, Field(gt=0)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class Strict(BaseModel):
    """An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
