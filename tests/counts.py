"""Counts of one test code in two tiers: small in `make test`, as the goals name them in `make soak`."""

import os


def soak(*, ci: int, soak: int) -> int:
    """Return the count of the tier that runs: LAMBI_SOAK=1 is set by `make soak`."""
    return soak if os.environ.get("LAMBI_SOAK") == "1" else ci
