"""One look asked by hand: `lambi probe` prints what these return."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from probes.clock import Clock
from probes.model import Ask, Engine, Observation, Part, Target, Value

_MILLISECONDS = 1e3


async def ask_once(
    engines: Mapping[str, Engine], probe: Any, target: Target, *, timeout: float, clock: Clock
) -> Observation:
    """Ask one question now, through the engine that the daemon would use."""
    ask = Ask(f"{target.id}/{probe.kind}/once", target, probe, timeout, clock.now())
    observations = [observation async for batch in engines[probe.kind].ask([ask]) for observation in batch]
    return observations[0]


def as_dict(observation: Observation, probe: Any) -> dict[str, Any]:
    """Everything about a look as JSON types: verdicts, values, timings, effective settings."""
    return {
        "kind": observation.kind,
        "target": observation.target.address,
        "family": observation.target.family,
        "vantage": observation.vantage,
        "at": observation.at.isoformat(timespec="milliseconds"),
        "took_seconds": observation.took,
        "parts": {
            name: {
                "outcome": part.outcome.value,
                "reason": part.reason,
                "refused": part.refused,
                "values": dict(part.values),
            }
            for name, part in observation.parts.items()
        },
        "settings": _settings(probe),
    }


def as_json(observation: Observation, probe: Any) -> str:
    """`as_dict` as text."""
    return json.dumps(as_dict(observation, probe), indent=2)


def as_text(observation: Observation, probe: Any) -> str:
    """What a person reads: the verdict first, then values with their units, then the settings that were used."""
    target = observation.target
    lines = [f"{observation.kind} {target.address} over IPv{target.family}, from {observation.vantage}"]
    for name, part in observation.parts.items():
        lines += _part_lines(name, part)
    lines.append(f"asked at {observation.at:%Y-%m-%d %H:%M:%S} UTC, took {observation.took * _MILLISECONDS:.3f} ms")
    lines.append("settings: " + ", ".join(f"{key}={value!r}" for key, value in _settings(probe).items()))
    return "\n".join(lines)


def _settings(probe: Any) -> dict[str, Any]:
    """Return the settings of a probe's dataclass but for secrets, the fields that its repr leaves out."""
    return {one.name: getattr(probe, one.name) for one in fields(probe) if one.repr}


def _part_lines(name: str, part: Part) -> list[str]:
    verdict = part.outcome.value.upper() + (f": {part.reason}" if part.reason else "")
    return [f"{name}: {verdict}" if name else verdict, *(f"  {_value(k, v)}" for k, v in part.values.items())]


def _value(key: str, value: Value) -> str:
    """`rtt_seconds`, 0.0123 -> "rtt 12.300 ms"; control characters as symbols, for a terminal reads this."""
    if isinstance(value, str):
        return f"{key} {''.join(c if c.isprintable() else '�' for c in value)}"
    if key.endswith("_timestamp_seconds"):
        return f"{key.removesuffix('_timestamp_seconds')} {_utc(value)}"
    if key.endswith("_seconds") and value >= 60:
        return f"{key.removesuffix('_seconds')} {value:,.0f} s"
    if key.endswith("_seconds"):
        return f"{key.removesuffix('_seconds')} {value * _MILLISECONDS:.3f} ms"
    return f"{key} {value}"


def _utc(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
