"""A look as a line of InfluxDB's line protocol. The schema is documented in docs/store.md and stays. Pure.

Measurement ``lambi_KIND``; tags check, part, vantage: as many series as there are parts of checks, no more. Fields:
``up`` (1, 0; none where the look could say nothing), ``unknown`` (1, 0), and each value: a float, or a text.
"""

import math
from datetime import UTC, datetime

from monitor.store.rows import MICROSECOND, Row
from probes.model import Outcome, Value

PREFIX = "lambi_"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TAGS = ("check", "part", "vantage")
UP = {Outcome.OK: "up=1i,unknown=0i", Outcome.FAILED: "up=0i,unknown=0i", Outcome.UNKNOWN: "unknown=1i"}
FLAT = str.maketrans({**dict.fromkeys(range(32), " "), 127: " "})
"""A line feed would end the line."""


def line(row: Row) -> str:
    """Return a look with its time in microseconds since 1970."""
    tags = "".join(
        f",{tag}={text}"
        for tag, name in zip(TAGS, (row.check, row.part, row.vantage), strict=True)
        if (text := _tag(name))
    )
    fields = "".join(
        f",{_tag(key)}={told}" for key, value in row.values.items() if (told := _field(value)) and key not in TAKEN
    )
    return f"{PREFIX}{row.kind}{tags} {UP[row.outcome]}{fields} {(row.at - EPOCH) // MICROSECOND}"


TAKEN = frozenset({"", "time", "up", "unknown", *TAGS})
"""Names that are no value's: a tag and a field may not share one."""


def _tag(text: str) -> str:
    """Escape a tag's value or a name; one that ends with a backslash would escape what follows."""
    flat = text.translate(FLAT).replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")
    return f"{flat[:-1]}\N{FULLWIDTH REVERSE SOLIDUS}" if flat.endswith("\\") else flat


def _field(value: Value) -> str:
    if isinstance(value, str):
        flat = value.translate(FLAT).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{flat}"'
    number = float(value) if abs(value) < 2**1000 else math.inf
    return repr(number) if math.isfinite(number) else ""
