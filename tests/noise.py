"""Cheap noise for parsers: a million broken messages in seconds; hypothesis beside it finds the smallest."""

from collections.abc import Iterator, Sequence
from random import Random

EDGES = (0, 1, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFE, 0xFF)
"""Bytes at the borders of lengths, signs and pointers."""


def broken(messages: Sequence[bytes], count: int, seed: int = 0) -> Iterator[bytes]:
    """Yield ``count`` messages, each one of the given with one to six things wrong: the same for the same seed."""
    rng = Random(seed)  # noqa: S311 - noise for tests, no secret
    for _ in range(count):
        message = bytearray(rng.choice(messages))
        for _ in range(rng.randint(1, 6)):
            _break(message, rng)
        yield bytes(message)


def _break(message: bytearray, rng: Random) -> None:
    at = rng.randint(0, len(message))
    until = min(len(message), at + rng.randint(1, 8))
    match rng.randrange(6):
        case 0 if at < len(message):
            message[at] = rng.choice(EDGES)
        case 1 if at < len(message):
            message[at] ^= 1 << rng.randrange(8)
        case 2:
            message[at:at] = rng.randbytes(rng.randint(1, 8))
        case 3:
            del message[at:until]
        case 4:
            message[at:at] = message[at:until]
        case _:
            del message[at:]
