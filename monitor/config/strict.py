"""What every row of the files is made of: an unknown key is an error."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from monitor.config.types import Duration

KINDS = (
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
)
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
Positive = Annotated[Duration, Field(gt=0)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class Strict(BaseModel):
    """An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
