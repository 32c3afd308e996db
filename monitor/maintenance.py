"""Announced work: when trouble is expected, and of what. Pure; time is an argument."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of announced work on an asset."""

    id: str
    asset: str
    since: datetime
    until: datetime
    reason: str = ""
    author: str = ""
    below: bool = True
    """It explains the trouble of what cannot work without the asset, too."""


class Calendar(Protocol):
    """What is announced."""

    def active(self, asset: str, now: datetime) -> Window | None:
        """Return the window that an asset is in."""
        ...

    def boundary(self, after: datetime) -> datetime | None:
        """Return when the next window begins or ends."""
        ...


class NoWork:
    """Nothing is announced."""

    def active(self, asset: str, now: datetime) -> Window | None:
        """Return None."""
        return None

    def boundary(self, after: datetime) -> datetime | None:
        """Return None."""
        return None
