"""Prometheus' text format 0.0.4: families with HELP and TYPE, each once, their samples together."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class Family:
    """One metric with its samples."""

    name: str
    kind: str
    """gauge | counter"""
    help: str
    lines: list[str] = field(default_factory=list)

    def add(self, value: float, written: str = "") -> None:
        """Add one sample with its labels, which `labels` has written."""
        self.lines.append(f"{self.name}{{{written}}} {number(value)}" if written else f"{self.name} {number(value)}")


def render(families: list[Family]) -> str:
    """Write the families that have samples."""
    lines: list[str] = []
    for family in families:
        if family.lines:
            lines.append(f"# HELP {family.name} {_escape_help(family.help)}")
            lines.append(f"# TYPE {family.name} {family.kind}")
            lines += family.lines
    return "\n".join(lines) + "\n"


def labels(given: Mapping[str, str]) -> str:
    """Write labels once for all samples that share them; an empty one is left out, which is the same to Prometheus."""
    return ",".join(f'{name}="{_escape(text)}"' for name, text in given.items() if text)


def _escape(text: str) -> str:
    return _escape_help(text).replace('"', '\\"')


def _escape_help(text: str) -> str:
    """Only a line feed ends a line here; a carriage return would pass, so it becomes a blank."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", " ")


def number(value: float) -> str:
    """Write a value so that it comes back as it was."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
