"""Pure: what is known of the ways out, and which one is tried first. It orders, it never drops one."""

from collections.abc import Mapping
from dataclasses import dataclass

from alerting.breaker import Breaker
from alerting.model import Contact


@dataclass(frozen=True, slots=True)
class Health:
    """How one channel does."""

    rank: int = 0
    """0 well, 1 doubtful, 2 its provider takes nothing, 3 its path is cut; the lowest is tried first."""
    why: str = ""
    """What speaks against it, in words."""

    @property
    def out(self) -> bool:
        """Whether what waits on it goes on to another channel at once, where its contact has one."""
        return self.rank >= 2


WELL = Health()


def health(breaker: Breaker, cut: str) -> Health:
    """Judge a channel by its last tries and its path; ``cut``: why its provider cannot be reached from here, or ""."""
    if cut:
        return Health(3, cut)
    if breaker.broken:
        return Health(2, "its provider takes nothing at present")
    if breaker.failures:
        tries = "try" if breaker.failures == 1 else f"{breaker.failures} tries"
        return Health(1, f"its last {tries} found no provider")
    return WELL


def order(contact: Contact, known: Mapping[str, Health]) -> list[str]:
    """Give the contact's channels in the order in which they are tried: the contact's own among those equally well."""
    names = dict.fromkeys(one.channel for one in contact.addresses if one.enabled)
    return sorted(names, key=lambda name: known.get(name, WELL).rank)


def in_words(contact: Contact, known: Mapping[str, Health]) -> str:
    """Name the channels in the order in which they are tried, each with what speaks against it."""
    named = [(name, known.get(name, WELL).why) for name in order(contact, known)]
    return ", ".join(f"{name} ({why})" if why else name for name, why in named)
