"""Prometheus' text format 0.0.4: families with HELP and TYPE, each once, their samples together."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = Mapping[str, str]


@dataclass(slots=True)
class Family:
    """One metric with its samples."""

    name: str
    kind: str
    """gauge | counter"""
    help: str
    samples: list[tuple[Labels, float]] = field(default_factory=list)

    def add(self, value: float, **labels: str) -> None:
        """Add one sample; a label that is empty is left out, which is the same to Prometheus."""
        self.samples.append(({name: text for name, text in labels.items() if text}, value))


def render(families: list[Family]) -> str:
    """Write the families that have samples."""
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines.append(f"# HELP {family.name} {_escape_help(family.help)}")
            lines.append(f"# TYPE {family.name} {family.kind}")
            lines += [f"{family.name}{_labels(labels)} {_number(value)}" for labels, value in family.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(text)}"' for name, text in labels.items()) + "}"


def _escape(text: str) -> str:
    return _escape_help(text).replace('"', '\\"')


def _escape_help(text: str) -> str:
    """Only a line feed ends a line here; a carriage return would pass, so it becomes a blank."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", " ")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
