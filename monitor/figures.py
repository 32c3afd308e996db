"""Measured values in words: a figure, a range, how much is gone. The unit stands at the end of a key. Pure."""

from datetime import datetime

_TRAFFIC = ("octets_per_second", "bytes_per_second")
_BITS = ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1.0, "bit/s"))
_GONE = ((0.95, "nearly all"), (0.75, "most of"), (0.55, "more than half"), (0.45, "half"), (0.0, "part of"))


def label(key: str) -> str:
    """Name what a key measures: "rtt", "loss", "traffic", "visible prefixes"."""
    if key.endswith(_TRAFFIC):
        return "traffic"
    if key == "prefixes_visible":
        return "visible prefixes"
    return key.removesuffix("_seconds").removesuffix("_ratio").replace("_", " ")


def scale(key: str, size: float) -> tuple[float, str]:
    """Return what values of about this size are multiplied by to be shown, and the unit."""
    if key.endswith(_TRAFFIC):
        bits, unit = next((one for one in _BITS if size * 8 >= one[0]), _BITS[-1])
        return 8 / bits, unit
    if key.endswith("_seconds"):
        return (1.0, "s") if size >= 1 else (1000.0, "ms")
    return (100.0, "%") if key.endswith("_ratio") else (1.0, "")


def number(value: float) -> str:
    """Two digits that matter, or all before the point: "0.05", "1.2", "58", "412"."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def amount(key: str, value: float) -> str:
    """One value with its unit: "412 ms"."""
    factor, unit = scale(key, value)
    return f"{number(value * factor)} {unit}".rstrip()


def between(key: str, low: float, high: float) -> str:
    """A range with its unit: "58 to 71 ms", "62 ms" when both ends read the same."""
    factor, unit = scale(key, high)
    ends = dict.fromkeys((number(low * factor), number(high * factor)))
    return f"{' to '.join(ends)} {unit}".rstrip()


def more(key: str, value: float, low: float, high: float, *, ever: bool) -> str:
    """ "slower than ever: rtt 412 ms, usually 58 to 71 ms at this hour"."""
    what = "slower" if key.endswith("_seconds") else f"more {label(key)}"
    than = "ever" if ever else "usual"
    named = f"{label(key)} " if key.endswith("_seconds") else ""
    return f"{what} than {than}: {named}{amount(key, value)}, usually {between(key, low, high)} at this hour"


def gone(key: str, value: float, usual: float) -> str:
    """ "half the traffic is gone: 1.2 of usually 2.6 Gbit/s"."""
    factor, unit = scale(key, usual)
    lost = 1 - value / usual if usual > 0 else 0.0
    share = next(words for least, words in _GONE if lost >= least or least == 0)
    name = label(key)
    verb = "are" if name.endswith("s") else "is"
    figures = f"{number(value * factor)} of usually {number(usual * factor)} {unit}".rstrip()
    return f"{share} the {name} {verb} gone: {figures}"


def changed(key: str, before: float, after: float, on: datetime) -> str:
    """ "the usual rtt changed from 62 ms to 118 ms on 14 Sep 2026"."""
    day = f"{on.day} {on:%b %Y}"
    return f"the usual {label(key)} changed from {amount(key, before)} to {amount(key, after)} on {day}"
