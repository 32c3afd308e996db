"""The page's words: sentences, ages, spans, units. Every text that code (not a template) shows stands here."""

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor import figures
from monitor.model import Incident, Phase
from monitor.views import AssetView, Snapshot, Usual
from probes.model import Value

KINDS = {
    "cctld": ("country domain", "country domains"),
    "nameserver": ("name server", "name servers"),
    "zone": ("zone", "zones"),
    "ixp": ("exchange point", "exchange points"),
    "website": ("web site", "web sites"),
    "cable": ("cable", "cables"),
    "landing": ("cable landing", "cable landings"),
    "router": ("router", "routers"),
    "network": ("network", "networks"),
    "site": ("site", "sites"),
    "power": ("power source", "power sources"),
    "reference": ("reference", "references"),
    "territory": ("territory", "territories"),
    "vantage": ("vantage", "vantages"),
    "peer": ("peer", "peers"),
    "feed": ("feed", "feeds"),
}
"""Asset kind -> one, many. A kind that is not listed speaks for itself."""

MEANINGS = {
    Phase.UP: "answers as it should",
    Phase.DEGRADED: "answers, but worse than it should",
    Phase.PARTITIONED: "answers some vantages and not others, all of which see the world",
    Phase.SUSPECT: "did not answer, and is asked again before anything is claimed",
    Phase.DOWN: "does not answer; that is confirmed",
    Phase.RECOVERING: "answers again, and is asked again before that is believed",
    Phase.UNREACHABLE: "lies behind something that is down",
    Phase.UNKNOWN: "cannot be known from here now",
    Phase.NOT_WATCHED: "is not looked at, and counted in no figure",
}
"""What each state says of an asset, to stand behind its name."""

BETWEEN = frozenset({Phase.SUSPECT, Phase.RECOVERING})
"""Phases on the way to a verdict."""
VERDICTS = frozenset({Phase.UP, Phase.DEGRADED, Phase.PARTITIONED, Phase.DOWN, Phase.UNREACHABLE})

_STATE = re.compile(r"( and \d+ more|)(?: is)? (down|degraded|partitioned|cut off|cut off in part|silent|invalid)$")
"""How an incident's title ends (`Topology.title`)."""

EVIDENCE = {
    "cctld": "Its name servers are evidence for the domain, not for the territory: they may answer from another shore.",
    "website": "A web site that answers says nothing about the exchange or the island behind its name.",
    "nameserver": "A name server that answers says nothing about where it stands.",
    "zone": "What the servers say is looked at here, not whether they answer; dates and keys, not the arithmetic.",
    "territory": "A network in the table may be dark all the same; one that has left it is reached by nobody abroad.",
    "feed": "A feed that is silent says nothing of what it tells about: that is unknown then.",
    "peer": "A peer that is silent may be well and cut off: nothing but its heartbeat is known here.",
}
"""What the evidence cannot say, by asset kind."""


TOPICS = {
    "looks": "what was seen",
    "rule": "by which rule",
    "own link": "our own link",
    "needs": "what it needs",
    "vantages": "who looks",
    "maintenance": "planned work",
    "incident": "the incident",
    "change": "what would change it",
}
"""What an explanation speaks of, in this order."""

WHY_TOLD = {
    "first": "it began",
    "worse": "it got worse",
    "repeat": "a reminder",
    "resolved": "it is over",
    "escalate": "nobody had acknowledged",
    "handover": "came on duty",
    "test": "a test",
}
"""Why somebody was told."""


def kind_name(kind: str, many: bool = False) -> str:
    """Name an asset kind in words."""
    return KINDS.get(kind, (kind, kind))[many]


def amount(count: int, kind: str) -> str:
    """ "1 cable", "6 cable landings"."""
    return f"{count} {kind_name(kind, many=count != 1)}"


def slug(phase: Phase) -> str:
    """Return the phase as a name in style sheet and URL."""
    return phase.value.replace(" ", "-")


def span(seconds: float) -> str:
    """Seconds in the two largest units that matter: "14 s", "3 min", "2 h 5 min", "3 d 4 h"."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        hours, minutes = divmod(whole // 60, 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(whole // 3600, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def moment(when: datetime, now: datetime) -> str:
    """The time of day in UTC, with the date unless it is today's."""
    if when.date() == now.date():
        return f"{when:%H:%M} UTC"
    year = "" if when.year == now.year else f" {when.year}"
    return f"{when.day} {when:%b}{year} {when:%H:%M} UTC"


def dated(when: datetime) -> str:
    """The day and time in UTC, whatever day it is."""
    return f"{when.day} {when:%b %Y} {when:%H:%M} UTC"


def exact(when: datetime, now: datetime) -> str:
    """The time to the second."""
    return moment(when, now).replace(f"{when:%H:%M}", f"{when:%H:%M:%S}")


def local(when: datetime, zone: str) -> str:
    """The time of day where it happened; "" when this machine does not know the zone."""
    try:
        return f"{when.astimezone(ZoneInfo(zone)):%H:%M}"
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""


def sentence(text: str) -> str:
    """A reason, which has no full stop, as a sentence of its own; an id that it begins with stays as it is."""
    plain = text.strip()
    if not plain:
        return ""
    first = plain[0] if "/" in plain.split()[0] else plain[0].upper()
    return f"{first}{plain[1:]}{'' if plain.endswith(('.', '!', '?')) else '.'}"


def looked(seen: datetime | None, now: datetime) -> str:
    """The age of what is shown."""
    return f"looked {span((now - seen).total_seconds())} ago" if seen else "not looked yet"


def share(part: float, whole: float) -> str:
    """A share as percent that never rounds up to 100 what is less."""
    if whole <= 0:
        return "no time at all"
    percent = 100 * part / whole
    return "100 %" if percent >= 100 else f"{min(percent, 99.99):.2f} %"


def reading(key: str, value: Value) -> str:
    """One value with its unit, which stands at the end of its key: rtt_seconds 0.0123 is "rtt 12.3 ms"."""
    name, _, unit = key.rpartition("_")
    if isinstance(value, str) or not name:
        return f"{key.replace('_', ' ')} {value}"
    label = name.replace("_", " ")
    if unit == "seconds":
        return f"{label} {value:,.1f} s" if abs(value) >= 1 else f"{label} {value * 1000:.1f} ms"
    if unit == "ratio":
        return f"{label} {value * 100:.1f} %"
    if unit in {"bytes", "bps"}:
        return f"{label} {value:,.0f} {unit}"
    return f"{key.replace('_', ' ')} {value:g}" if isinstance(value, float) else f"{key.replace('_', ' ')} {value}"


def usual(one: Usual) -> str:
    """What is usual of one value: "usual at this hour: rtt 58 to 71 ms"."""
    name = figures.label(one.key)
    if one.low is None or one.high is None:
        return f"usual {name}: still being learned"
    told = f"usual at this hour: {name} {figures.between(one.key, one.low, one.high)}"
    return f"{told}; {one.changed}" if one.changed else told


def listing(names: Sequence[str], most: int = 3) -> str:
    """ "A, B and C"; beyond `most`: "A, B, C and 4 more"."""
    shown, rest = list(names[:most]), len(names) - most
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)


def headline(snapshot: Snapshot, blind: Sequence[datetime | None], watched: Sequence[AssetView], now: datetime) -> str:
    """The one sentence that the page says first; `blind` holds since when nothing of the world can be seen."""
    if blind:
        since = [when for when in blind if when]
        return f"This vantage cannot see the world{f' since {moment(max(since), now)}' if since else ''}."
    if snapshot.incidents:
        return _troubles(snapshot)
    if not watched:
        return "Nothing is watched yet."
    answering = sum(view.phase is Phase.UP for view in watched)
    if answering == len(watched):
        return f"All {len(watched)} watched assets answer."
    if not any(view.seen for view in watched):
        return "The first looks are under way."
    looking = sum(view.phase in BETWEEN or not view.seen for view in watched)
    if not any(view.phase in VERDICTS for view in watched):
        none = f"one of the {len(watched)} watched assets"
        return f"Still looking: n{none} has a verdict yet." if looking else f"N{none} can be known from here now."
    still = f", {looking} are still being looked at" if looking else ""
    return f"No incident is open; {answering} of {len(watched)} watched assets answer{still}."


def told(incident: Incident) -> str:
    """The incident's title, in the past when it is over: "Cable ECFS was down"."""
    return incident.title if incident.closed is None else _past(incident)


def _past(incident: Incident) -> str:
    return _STATE.sub(lambda end: f"{end[1]} were {end[2]}" if end[1] else f" was {end[2]}", incident.title)


def _troubles(snapshot: Snapshot) -> str:
    """What is open, worst first; what is back and only waits to be closed is told in the past."""
    back = [one for one in snapshot.incidents if _is_back(snapshot, one)]
    going_on = [one for one in snapshot.incidents if one not in back]
    if not going_on:
        return (
            f"{listing([_past(one) for one in back], most=2)}, and answers again; it is watched until that has lasted."
        )
    worst = listing([incident.title for incident in going_on], most=2)
    told = f"{worst}." if len(going_on) < 3 else f"{len(going_on)} incidents: {worst}."
    more = "1 more is" if len(back) == 1 else f"{len(back)} more are"
    return f"{told} {more} over and watched until that has lasted." if back else told


def _is_back(snapshot: Snapshot, incident: Incident) -> bool:
    """Whether what an open incident is about, and all behind it, is up again."""
    views = [snapshot.assets.get(name) for name in (incident.asset, *incident.children)]
    return all(view is not None and view.phase is Phase.UP for view in views)
