"""How old what is known is, and how sure: the oldest date and the least confidence of several. Pure."""

import re
from collections.abc import Iterable

from monitor.model import Provenance

_DATE = re.compile(r"(?:19|20)\d{2}(?:-\d{2}(?:-\d{2})?)?", re.ASCII)
CONFIDENCE = ("low", "medium", "high")
"""The inventory's words; one that begins with none of them says nothing."""


def oldest(dates: Iterable[str]) -> str:
    """Return the oldest date that stands first in a text, like "2022-12 (approx)"; "" when there is none."""
    found = (match[0] for text in dates if (match := _DATE.search(text)))
    return min(found, default="")


def least(confidences: Iterable[str]) -> str:
    """Return the lowest word of confidence, "" when nothing says one."""
    found = [rank for text in confidences for rank, word in enumerate(CONFIDENCE) if text.startswith(word)]
    return CONFIDENCE[min(found)] if found else ""


def of(provenances: Iterable[Provenance]) -> tuple[str, str]:
    """Return the oldest date and the least confidence of several rows."""
    rows = list(provenances)
    return oldest(row.as_of for row in rows), least(row.confidence for row in rows)


def unsure(provenance: Provenance) -> str:
    """Say why somebody on the spot should confirm a row, or ""."""
    if provenance.confidence.startswith(("low", "schematic")):
        return f"confidence {provenance.confidence}"
    return "its source could not be verified" if "unverified" in provenance.source else ""
