"""Quantiles that can be merged: of few values all, of many every k-th, never more than 1 % of the ranks off. Pure.

Of n values in order, each block of k = n // 50 gives its middle one: no value stands further than k // 2 ranks from the
one that speaks for it. Merging adds points up and loses nothing, so the bound holds for any union.
"""

import math
import struct
from collections.abc import Iterable, Sequence
from operator import sub

BLOCKS = 50

Sketch = tuple[Sequence[int], int]
"""Points in order, and of how many values they are."""


def rank(count: int, share: float) -> int:
    """Return the nearest rank, from 1: what InfluxQL's PERCENTILE takes, so that both give the same answer."""
    return min(count, max(1, math.floor(count * share + 0.5)))


def choose(ordered: Sequence[int]) -> Sequence[int]:
    """Return the points of values in ascending order."""
    count = len(ordered)
    block = count // BLOCKS
    if block < 2:
        return ordered
    points = list(ordered[block // 2 :: block])
    rest = count % block
    if 0 < rest <= block // 2:
        points.append(ordered[count - 1 - rest // 2])
    return points


def pack(points: Sequence[int], low: int) -> bytes | None:
    """Write points as the steps from one to the next, the first from ``low``; None where all are ``low``."""
    steps = list(map(sub, points, (low, *points)))
    largest = max(steps)
    if not largest:
        return None
    # 1, 2, 4 or 8 bytes a step, little endian
    code = "B" if largest < 1 << 8 else "H" if largest < 1 << 16 else "I" if largest < 1 << 32 else "Q"
    return struct.pack(f"<c{len(steps)}{code}", code.encode(), *steps)


def unpack(packed: bytes | None, low: int, count: int) -> Sketch:
    """Undo `pack`; ``count`` is of how many values the points are."""
    if packed is None:
        return (low,), count
    code = packed[:1].decode()
    width = struct.calcsize(code)
    points = []
    at = low
    for step in struct.unpack(f"<{(len(packed) - 1) // width}{code}", packed[1:]):
        at += step
        points.append(at)
    return points, count


def quantile(sketches: Iterable[Sketch], share: float) -> int | None:
    """Return the value at ``share`` (0 to 1) of the union; None of nothing."""
    weighted = sorted(pair for sketch in sketches for pair in _weighted(*sketch))
    wanted = rank(sum(weight for _, weight in weighted), share)
    passed = 0
    for point, weight in weighted:
        passed += weight
        if passed >= wanted:
            return point
    return None


def _weighted(points: Sequence[int], count: int) -> Iterable[tuple[int, int]]:
    """Each point with the number of values it speaks for: a block, the last one the rest."""
    block = count if len(points) == 1 else max(1, count // BLOCKS)
    last = len(points) - 1
    for index, point in enumerate(points):
        yield point, block if index < last else count - block * last
