"""The sentences of a story: what is watched, what happens, what is expected. Pure; a wrong one is told."""

import re
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from alerting.model import Severity
from monitor.config.problems import did_you_mean
from monitor.config.types import duration, wrong
from monitor.model import Phase

LOSING = ("cut", "withdraw", "unpower", "refuse", "flap")
"""What takes an asset away; ``heal`` gives it back."""
_ID = r"[a-z]+:[^\s,;]+"
_IDS = rf"(?:everything|{_ID}(?:\s*,\s*{_ID})*)"
_PIECE = re.compile(r"\d+(?:ms|s|m|h|d)")
_PIECES = re.compile(rf"(?:t\+)?(?:{_PIECE.pattern}){{2,}}")
_TIME = r"(?:t\+)?(?P<at>\d[\w.]*)"
_TAIL = (
    r"(?:\s+over\s+IPv(?P<family>[46]))?(?:\s+from\s+(?P<vantage>vantage:\S+))?"
    r"(?:\s+every\s+(?P<every>\S+))?(?:\s+for\s+(?P<lasts>\S+))?"
)
_HEADS = {
    rf"(?P<verb>cut|withdraw|unpower|refuse|flap|heal|maintain)\s+(?P<what>{_IDS})": "cut cable:a, cable:b",
    rf"(?P<verb>lose)\s+(?P<amount>[\d.]+)\s*%\s+of\s+(?P<what>{_IDS})": "lose 30% of router:a",
    rf"(?P<verb>slow)\s+(?P<what>{_IDS})\s+to\s+(?P<amount>\S+)": "slow router:a to 1.5s",
    r"(?P<vantage_>vantage:\S+)\s+says\s+all\s+is\s+(?P<verb>up|down)": "vantage:a says all is down",
    r"(?P<verb>mute)\s+(?P<vantage_>vantage:\S+)": "mute vantage:a",
    r"(?P<verb>delay)\s+looks\s+by\s+(?P<amount>\S+)": "delay looks by 20s",
    r"(?P<verb>clock)\s+(?P<sign>[+-])(?P<amount>\S+)": "clock -1h",
    r"(?P<verb>pause)": "pause for 5m",
}
_EVENTS = [re.compile(rf"{_TIME}\s+{head}{_TAIL}") for head in _HEADS]
_NEED = re.compile(
    rf"needs\s+(?:(?P<mode>any|\d+(?:\.\d+)?)\s+of\s+)?(?P<needs>{_ID}(?:\s*,\s*{_ID})*)(?:\s+\((?P<how>[^()]+)\))?"
)
_WANTED = re.compile(
    rf"(?P<cause>{_ID})(?:\s+(?P<severity>info|warning|major|critical))?(?:,\s*silent\s+(?P<silent>\d+))?"
)
_NEVER = re.compile(rf"(?:(?P<what>{_ID}|anything)\s+is\s+(?P<phase>[a-z ]+)|an\s+incident\s+of\s+(?P<cause>{_ID}))")
_WHEN = re.compile(r"(?:(?P<word>at|by)\s+(?P<at>\S+)|from\s+(?P<since>\S+)\s+to\s+(?P<until>\S+))")


@dataclass(frozen=True, slots=True)
class Need:
    """What an asset needs."""

    needs: tuple[str, ...]
    mode: str = "all"
    known: bool = True
    """Lambi's config holds it."""
    confirmed: bool = True
    true: bool = True
    """The world obeys it."""
    weights: tuple[float, ...] = ()
    at_least: float = 0.0
    since: float = 0.0
    until: float = inf
    """Between these seconds it holds."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One asset of the story."""

    territories: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    serves: tuple[str, ...] = ()
    every: float | None = None
    families: tuple[int, ...] = (4,)
    watched: bool = True
    local: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens in the world."""

    at: float
    verb: str
    what: tuple[str, ...] = ()
    """Asset ids; ``*`` stands for any letters."""
    family: int | None = None
    vantage: str = ""
    lasts: float | None = None
    amount: float = 0.0
    """Share lost, seconds, or seconds between two changes of what flaps."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One incident that should be open."""

    cause: str
    severity: Severity | None = None
    silent: int | None = None
    """How many assets stand silently behind it."""


@dataclass(frozen=True, slots=True)
class When:
    """``at`` a second, ``by`` a second, or all the time ``from`` one to another."""

    word: str
    since: float
    until: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Never:
    """What must not come: an asset in a phase, or an incident of it (``phase`` None)."""

    what: str
    phase: Phase | None
    text: str


def seconds(text: str) -> float:
    """Read ``90s``, ``3h5m`` or ``t+45s``."""
    pieces = _PIECES.fullmatch(text)
    return sum(map(duration, _PIECE.findall(text))) if pieces else duration(text.removeprefix("t+"))


def _read(text: Any, what: str, example: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise wrong(f"not {what}", f'like "{example}"')
    return " ".join(text.split())


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


def read_event(value: Any) -> Event:
    """Read ``60s cut cable:a for 5m``."""
    text = _read(value, "an event", "60s cut cable:ecfs for 5m")
    match = next((found for form in _EVENTS if (found := form.fullmatch(text))), None)
    if match is None:
        raise wrong(f'"{text[:80]}" is no event', "a time and one of: " + "; ".join(_HEADS.values()))
    got: dict[str, str | None] = match.groupdict()
    verb, amount = match["verb"], got.get("amount") or got["every"] or "0"
    if (verb == "flap") != bool(got["every"]):
        raise wrong('"every" belongs to what flaps, and flapping needs it', "60s flap cable:a every 20s for 5m")
    if verb in {"flap", "pause"} and not got["lasts"]:
        raise wrong(f'"{verb}" needs to know for how long', f"{text} for 5m")
    return Event(
        at=seconds(match["at"]),
        verb=verb,
        what=_names(got.get("what") or ""),
        family=int(got["family"]) if got["family"] else None,
        vantage=got.get("vantage_") or got["vantage"] or "",
        lasts=seconds(got["lasts"]) if got["lasts"] else None,
        amount=_share(amount) if verb == "lose" else seconds(amount) * (-1 if got.get("sign") == "-" else 1),
        text=text,
    )


def _share(text: str) -> float:
    share = float(text) / 100 if re.fullmatch(r"\d+(\.\d+)?", text) else 2.0
    if share > 1:
        raise wrong(f'"{text}" is not a share of all', "0 to 100 percent")
    return share


def read_watch(value: Any) -> Watch:
    """Read ``in AG; needs any of cable:a, cable:b; every 30s``."""
    text = _read(value, "an asset's line", "in AG; needs any of cable:a, cable:b")
    found: dict[str, Any] = {}
    needs: list[Need] = []
    for clause in (part.strip() for part in text.split(";")):
        if clause.startswith("needs "):
            needs.append(_need(clause))
        else:
            found |= _clause(clause)
    return Watch(needs=tuple(needs), **found)


def _clause(clause: str) -> dict[str, Any]:
    word, _, rest = clause.partition(" ")
    if word == "in" and rest:
        return {"territories": _names(rest)}
    if word == "serves" and rest:
        return {"serves": _names(rest)}
    if word == "every" and rest:
        return {"every": seconds(rest)}
    if word == "named" and rest:
        return {"name": rest}
    known: dict[str, dict[str, Any]] = {
        "watched": {},
        "not watched": {"watched": False},
        "local": {"local": True},
        "over IPv4": {"families": (4,)},
        "over IPv6": {"families": (6,)},
        "over both": {"families": (4, 6)},
    }
    if clause in known:
        return known[clause]
    raise wrong(
        f'"{clause[:60]}" says nothing of an asset',
        'clauses like "in AG", "needs any of cable:a, cable:b", "serves cctld:ag", "every 30s", "over both", '
        '"named Two Words", "local", "watched", "not watched", with ";" between them',
    )


HOW: dict[str, dict[str, Any]] = {
    "": {},
    "a guess": {"confirmed": False},
    "unknown": {"known": False},
    "not true": {"true": False},
    "a wrong guess": {"confirmed": False, "true": False},
}
_SPAN = re.compile(r"(?:from (?P<since>\S+))?\s*(?:until (?P<until>\S+))?")


def _need(clause: str) -> Need:
    match = _NEED.fullmatch(clause)
    how = (match["how"] or "") if match else ""
    span = _SPAN.fullmatch(how)
    if match is None or (how not in HOW and span is None):
        expected = (
            '"needs cable:a", "needs any of cable:a, cable:b" or "needs 10 of cable:a=6, cable:b=8"; '
            "it may end in (a guess), (a wrong guess), (unknown), (not true) or (from 60s until 5m)"
        )
        raise wrong(f'"{clause[:60]}" is not what an asset needs', expected)
    since, until = (span["since"], span["until"]) if span else (None, None)
    need = Need(
        _names(match["needs"]),
        match["mode"] or "all",
        since=seconds(since) if since else 0.0,
        until=seconds(until) if until else inf,
    )
    told = replace(need, **HOW.get(how, {}))
    return told if told.mode in {"all", "any"} else _weighed(told, clause)


def _weighed(need: Need, clause: str) -> Need:
    """Read ``10 of cable:a=6, cable:b=8``."""
    pairs = [name.partition("=") for name in need.needs]
    if not all(re.fullmatch(r"\d+(\.\d+)?", weight) for _, _, weight in pairs):
        raise wrong(f'"{clause[:60]}" does not say what each weighs', '"needs 10 of cable:a=6, cable:b=8"')
    names, weights = tuple(name for name, _, _ in pairs), tuple(float(weight) for _, _, weight in pairs)
    return replace(need, needs=names, mode="weight", weights=weights, at_least=float(need.mode))


def read_open(value: Any) -> tuple[Wanted, ...]:
    """Read ``cable:a major, silent 3; router:b critical`` or ``nothing``."""
    text = _read(value, "what is open", "cable:ecfs critical, silent 37")
    return () if text == "nothing" else tuple(_wanted(part.strip()) for part in text.split(";"))


def _wanted(text: str) -> Wanted:
    match = _WANTED.fullmatch(text)
    if match is None:
        raise wrong(f'"{text[:60]}" is no incident', '"nothing", or like "cable:ecfs critical, silent 37; router:b"')
    severity = Severity(match["severity"]) if match["severity"] else None
    return Wanted(match["cause"], severity, int(match["silent"]) if match["silent"] else None)


def read_when(value: Any) -> When:
    """Read ``at 90s``, ``by 2m`` or ``from 90s to 5m``."""
    text = _read(value, "a time", "at 90s")
    match = _WHEN.fullmatch(text)
    if match is None:
        raise wrong(f'"{text[:60]}" is not a time', '"at 90s", "by 2m" or "from 90s to 5m"')
    if match["at"]:
        at = seconds(match["at"])
        return When(match["word"], at, at, value)
    since, until = (seconds(match[key]) for key in ("since", "until"))
    if until < since:
        raise wrong(f'"{text[:60]}" ends before it begins')
    return When("from", since, until, value)


def read_never(value: Any) -> Never:
    """Read ``router:a is down`` or ``an incident of router:a``."""
    text = _read(value, "what must not come", "router:a is down")
    match = _NEVER.fullmatch(text)
    if match is None:
        raise wrong(f'"{text[:60]}" is not what must not come', '"router:a is down" or "an incident of router:a"')
    if match["cause"]:
        return Never(match["cause"], None, text)
    what = "*" if match["what"] == "anything" else match["what"]
    return Never(what, read_phase(match["phase"]), text)


def read_phase(value: Any) -> Phase:
    """Read how an asset stands."""
    phases = [phase.value for phase in Phase]
    if value not in phases:
        raise wrong(f'"{str(value)[:40]}" is no state{did_you_mean(str(value), phases)}', "one of " + ", ".join(phases))
    return Phase(value)
