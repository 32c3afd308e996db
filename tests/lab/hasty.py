"""The daemon that judges a prefix after seconds instead of minutes: ``python -m tests.lab.hasty CONFIG``."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from monitor import daemon
from monitor.config import load

RIPE_SECONDS = 2.0

if __name__ == "__main__":
    settings = load(Path(sys.argv[1]))
    assert settings.bgp is not None
    hasty = replace(settings, bgp=replace(settings.bgp, ripe_seconds=RIPE_SECONDS))
    sys.exit(asyncio.run(daemon.run(hasty, print)))
