"""Pure: what is said when a text cannot be made: a defect of ours must not keep an alert from leaving."""

from collections.abc import Sequence

from alerting.gsm import ONE_PART, clip, fold
from alerting.model import Alert
from alerting.words import mark, plain

MOST = 80
"""Characters of what it is about."""


def bare(alerts: Sequence[Alert], *, again: bool) -> str:
    """Say in one short message what needs no language, zone or runbook: number, severity, what it is."""
    heads = "; ".join(
        f"{one.incident} {'OVER' if one.closed else one.severity.upper()}: {plain(one.what, MOST)}" for one in alerts
    )
    many = f"{len(alerts)} incidents: " if len(alerts) > 1 else ""
    return clip(fold(f"{mark(alerts[0])}{'(repeat) ' if again else ''}{many}{heads}"), ONE_PART)
