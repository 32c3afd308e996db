"""Real servers of time series on loopback: Debian's InfluxDB 1.6.7 and VictoriaMetrics, each for one test."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from tests.daemons import listens, until
from tests.ports import own_ports

OPEN = build_opener(ProxyHandler({})).open


def asked(url: str, *, post: bool = False) -> bytes:
    """Ask a server; what it answers."""
    with OPEN(Request(url, data=b"" if post else None), timeout=30) as answer:  # noqa: S310 - loopback
        content: bytes = answer.read()
    return content


@contextmanager
def _started(argv: list[str], folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed (make test-deps)")
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
        try:
            until(lambda: listens(port), f"{argv[0]} listens")
            yield process
        finally:
            process.kill()
            process.wait()


class Influx:
    """InfluxDB 1.6.7, which may be away for a while: its data stay in ``folder``."""

    database = "lambi"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port, other = own_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "conf").write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{other}"\n[meta]\ndir = "{folder}/meta"\n'
            f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
            f'[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\n'
        )

    @contextmanager
    def running(self) -> Iterator["Influx"]:
        with _started(["influxd", "-config", str(self.folder / "conf")], self.folder, self.port):
            asked(f"{self.url}/query?" + urlencode({"q": f"CREATE DATABASE {self.database}"}), post=True)
            yield self

    def write(self, lines: str) -> None:
        """Write lines with times in microseconds."""
        url = f"{self.url}/write?db={self.database}&precision=u"
        OPEN(Request(url, data=lines.encode()), timeout=30).close()  # noqa: S310 - loopback

    def select(self, query: str) -> list[dict[str, Any]]:
        found = json.loads(asked(f"{self.url}/query?" + urlencode({"db": self.database, "epoch": "u", "q": query})))
        series: list[dict[str, Any]] = found["results"][0].get("series", [])
        return series

    def points(self) -> set[tuple[object, ...]]:
        """Everything that is stored: measurement, tags, time, values."""
        found = self.select("SELECT * FROM /.*/")
        return {
            (
                series["name"],
                *sorted(
                    (column, value) for column, value in zip(series["columns"], row, strict=True) if value is not None
                ),
            )
            for series in found
            for row in series["values"]
        }


@contextmanager
def victoria(folder: Path) -> Iterator[str]:
    """Run VictoriaMetrics; yield its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    (port,) = own_ports(1)
    argv = [
        "victoria-metrics",
        f"-httpListenAddr=127.0.0.1:{port}",
        f"-storageDataPath={folder / 'data'}",
        "-retentionPeriod=100y",
    ]
    with _started(argv, folder, port):
        yield f"http://127.0.0.1:{port}"
