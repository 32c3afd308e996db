"""Lambi itself, as `lambi run` starts it, with a config overlay that watches the world and nothing of the inventory."""

import csv
import json
import re
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from bench.common import SUBJECT
from bench.contender import Contender
from bench.targets import REFERENCES, ROOT, SHARES, SINK_PORT, TCP_PORT, Thing
from monitor.config.inventory import TABLES

NAME = re.compile(r"\bt\d\d[idth]\d\d\b")
TARGET_UP = re.compile(r'^probe_success\{[^}]*asset="(?:site|router):[^}]*\} 1(?:\.0)?$', re.MULTILINE)
LOOKS = """SELECT count(*) FROM (SELECT series FROM "probe_{kind}" UNION ALL SELECT series FROM "tail_{kind}")
JOIN series ON id = series WHERE "check" NOT LIKE 'reference:%'"""
LATENESS = re.compile(r"^lambi_lateness_p99_seconds (\S+)$", re.MULTILINE)


class Lambi(Contender):
    name = SUBJECT
    pending_after = 5.0
    told_within = 30.0

    @classmethod
    def missing(cls) -> str:
        return ""

    @classmethod
    def version(cls) -> str:
        try:
            return f"{version('lambi')}; rules and guard as shipped"
        except ModuleNotFoundError:
            return "this checkout; rules and guard as shipped"

    @property
    def overlay(self) -> Path:
        return self.world.folder / "config"

    def configure(self) -> None:
        (self.overlay / "inventory").mkdir(parents=True, exist_ok=True)
        (self.world.folder / "password").write_text("bench\n")
        for name, content in {
            "lambi": self._lambi(),
            "targets": {
                "targets": [f"{_asset(thing)} {_asked(thing)} {thing.kind}" for thing in self.world.things],
                "depends": [_depends(thing) for thing in self.world.things if thing.parent],
            },
            "contacts": {"contacts": [CONTACT]},
            "routes": {"routes": [{"name": "bench", "contacts": [CONTACT["name"]]}]},
        }.items():
            (self.overlay / f"{name}.yaml").write_text(json.dumps(content))  # JSON is YAML
        for table in ("cctlds", "nameservers", "ixps"):
            _without(TABLES[table].file, TABLES[table].keys, self.overlay / "inventory")

    def commands(self) -> dict[str, Sequence[str | Path]]:
        return {"lambi": [sys.executable, "-m", "monitor.cli", "run", "--config", self.overlay]}

    def answering(self) -> int:
        return len(TARGET_UP.findall(self._metrics()))

    def stored(self) -> int:
        total = 0
        for day in (self.state / "series").glob("*.sqlite"):
            with closing(sqlite3.connect(f"file:{day}?mode=ro", uri=True)) as db:
                total += sum(db.execute(LOOKS.format(kind=kind)).fetchone()[0] for kind in SHARES)
        return total

    def lateness(self) -> float | None:
        found = LATENESS.search(self._metrics())
        return 1000 * float(found[1]) if found else None

    def read(self, line: dict[str, object]) -> tuple[frozenset[str], frozenset[str]]:
        text = str(line["text"])
        names = frozenset(NAME.findall(text))
        return (frozenset(), names) if " OVER" in text else (names, frozenset())

    def _metrics(self) -> str:
        return self.world.get("http://127.0.0.1:9115/metrics").decode()

    def _lambi(self) -> dict[str, Any]:
        shipped = yaml.safe_load((ROOT / "config/lambi.yaml").read_text())["guard"]["references"]
        codes = [row["iso2"] for row in _rows("territories.csv")]
        own = [
            {"id": f"bench-{number}", "network": f"network {number}", "addresses": [address]}
            for number, address in enumerate(REFERENCES, 1)
        ]
        every = f"{self.period:.0f}s"
        return {
            "vantage": {"id": "bench", "name": "bench", "families": 4},
            "guard": {"references": [*({"id": row["id"], "remove": True} for row in shipped), *own]},
            "checks": {
                "router": {"icmp": {"every": every}},
                "site": {
                    "icmp": {"every": every},
                    "dns": {"every": every, "settings": {"query": "example.test."}},
                    "tcp": {"every": every, "settings": {"port": TCP_PORT}},
                    "http": {"every": every, "timeout": "4s"},  # as the stack's
                },
            },
            "alerts": {"caps": {"sms": {"gap": "0s", "most": 0, "storm": 0, "merge": 1_000_000}}},  # each is measured
            "channels": {
                "bench": {
                    "kind": "kannel",
                    "enabled": True,
                    "url": f"http://127.0.0.1:{SINK_PORT}/cgi-bin/sendsms",
                    "username": "bench",
                    "password": {"file": str(self.world.folder / "password")},
                }
            },
            "store": {"folder": str(self.state)},
            "assets": [
                {"id": _asset(thing), "name": thing.name, "territory": codes[thing.territory]}
                for thing in self.world.things
            ],
        }


CONTACT = {
    "name": "bench",
    "agency": "Bench",
    "addresses": [{"channel": "bench", "to": "+19990000001", "enabled": True}],
}


def _asset(thing: Thing) -> str:
    """Routers and switches stand before others; what stands behind them is a site of one target."""
    return f"{'router' if thing.name[-3:] in {'i00', 'i01'} else 'site'}:{thing.name}"


def _asked(thing: Thing) -> str:
    return thing.instance if thing.kind == "http" else thing.address


def _depends(thing: Thing) -> dict[str, Any]:
    return {"asset": _asset(thing), "on": [f"router:{thing.parent}"], "confirmed": True}


def _rows(file: str) -> list[dict[str, str]]:
    with (ROOT / "config/inventory" / file).open(newline="", encoding="utf-8-sig") as shipped:
        return list(csv.DictReader(shipped))


def _without(file: str, keys: tuple[str, ...], folder: Path) -> None:
    """Take every shipped row of a table away."""
    with (folder / file).open("w", newline="") as own:
        writer = csv.DictWriter(own, [*keys, "remove"])
        writer.writeheader()
        writer.writerows({**{key: row[key] for key in keys}, "remove": "yes"} for row in _rows(file))
