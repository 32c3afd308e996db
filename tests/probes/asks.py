"""Ask with one engine and print outcomes as JSON: what the tests run inside a namespace of their own.

python -m tests.probes.asks '{"kind": "icmp", "settings": {}, "timeout": 1, "targets": [["127.0.0.1", 4]]}'
"""

import asyncio
import json
import sys
from typing import Any

from probes import PROBES
from probes.clock import SystemClock
from probes.engines import build, capabilities, close
from probes.model import Ask, Engine, Observation, Target


def asks_for(probe: Any, targets: list[tuple[str, int]], timeout: float = 2.0) -> list[Ask]:
    now = SystemClock().now()
    return [
        Ask(f"t{n}/{probe.kind}/a", Target(f"t{n}", address, family), probe, timeout, now)
        for n, (address, family) in enumerate(targets)
    ]


async def look(engine: Engine, asks: list[Ask]) -> dict[str, Observation]:
    """Each ask's observation by its check; fails when one comes twice."""
    found: dict[str, Observation] = {}
    async for batch in engine.ask(asks):
        assert batch, "an empty batch"
        for observation in batch:
            assert observation.check not in found
            found[observation.check] = observation
    assert len(found) == len(asks)
    return found


async def _main(order: dict[str, Any]) -> dict[str, Any]:
    engines = build(vantage="vantage:test", clock=SystemClock())
    probe: Any = PROBES[order["kind"]](**order["settings"])
    found = await look(engines[order["kind"]], asks_for(probe, order["targets"], order["timeout"]))
    result = {
        "capabilities": capabilities(engines),
        "bugs": sum(engine.bugs for engine in engines.values()),
        "parts": {
            o.target.address: [o.parts[""].outcome, o.parts[""].reason, o.parts[""].refused, dict(o.parts[""].values)]
            for o in found.values()
        },
    }
    await close(engines)
    return result


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_main(json.loads(sys.argv[1])))))
