"""The work of `bench/store.py`: what a thousand targets say every 30 s, in batches of one second; drawn by seed."""

import random
from collections.abc import Iterator

STEP = 30
"""Seconds between two looks at one target."""
FIELDS = ("rtt_ms", "jitter_ms", "up", "state", "counter")

Batch = list[tuple[int, int, float, float, int, int, int]]
"""Target, microseconds since the beginning, then a value of each field."""


def batches(targets: int, seconds: int) -> Iterator[Batch]:
    """Yield a batch for each second; every time the same."""
    draw = random.Random(7)
    usual = [draw.uniform(1, 180) for _ in range(targets)]
    counters = [draw.randrange(10**9) for _ in range(targets)]
    for second in range(seconds):
        batch: Batch = []
        for target in range(second % STEP, targets, STEP):
            at = second * 1_000_000 + 1_000 * draw.randrange(40)
            up = draw.random() > 0.002
            rtt = round(usual[target] * (1 + draw.expovariate(12)), 2)
            counters[target] += draw.randrange(1_000)
            state = 2 if draw.random() < 0.01 else 1
            batch.append((target, at, rtt, round(draw.expovariate(1), 2), int(up), state, counters[target]))
        yield batch
