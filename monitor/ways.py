"""Where the provider of a channel stands, and whether the own-link guard says that the way there is cut. Pure."""

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

FAMILIES = (4, 6)


def families(channel: object) -> tuple[int, ...]:
    """Return the address families over which the provider may be reached beyond this site; () when it is on site.

    A modem is on site, and so is a gateway on a loopback, private or link-local address: whether its own links work it
    says itself. Of a name nobody knows more than that it is somewhere.
    """
    if getattr(channel, "folder", ""):
        return ()
    host = str(getattr(channel, "host", "")) or urlsplit(str(getattr(channel, "url", ""))).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return () if host == "localhost" else FAMILIES
    return (address.version,) if address.is_global else ()


def cut(channel: object, sees: Callable[[int], bool], lost: Callable[[int], bool]) -> str:
    """Say why the provider cannot be reached, or "".

    ``sees``, ``lost``: whether this vantage is believed to see the world over a family, or to have lost it; neither
    while that is not known.
    """
    over = families(channel)
    if any(map(sees, over)) or not any(map(lost, over)):
        return ""
    return "this site is cut off from the world" if len(over) > 1 else f"this site is cut off over IPv{over[0]}"
