"""Observations for the store's tests, and waiting for its thread."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from probes.model import Observation, Outcome, Part, Target, Value

COLUMNS: dict[str, dict[str, float | None]] = {
    "icmp": {"rtt_seconds": 1e-6, "ttl": 1.0},
    "dns": {"rtt_seconds": 1e-6, "soa_serial": 1.0, "nsid": None},
}
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def look(
    after: float = 0.0,
    *,
    check: str = "bb/icmp/",
    kind: str = "icmp",
    outcome: Outcome = Outcome.OK,
    values: Mapping[str, Value] | None = None,
    parts: Mapping[str, Part] | None = None,
) -> Observation:
    at = NOON + timedelta(seconds=after)
    return Observation(
        check=check,
        target=Target(id="bb", address="192.0.2.1", family=4),
        kind=kind,
        vantage="vantage:test",
        due=at,
        at=at,
        took=0.01,
        parts=parts if parts is not None else {"": Part(outcome, values=values or {})},
    )


async def until(met: Callable[[], bool]) -> None:
    """Wait until it is so; the test's own timeout ends a wait in vain."""
    while not met():  # noqa: ASYNC110 - the store's thread sets no event of the loop
        await asyncio.sleep(0.01)
