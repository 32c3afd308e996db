"""What it costs to keep time series: our store beside VictoriaMetrics, InfluxDB and Prometheus, on one work.

1,000 targets, 5 fields, a look every 30 s, a day of them in batches of a second (14.4 million values), then questions.
A peer's CPU is its own and that of who sends to it (without making the payload). Takes about 15 minutes (--quick: one
hour of it, a minute).
"""

import argparse
import http.client
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

if not __package__:  # started as a file: python bench/store.py
    sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.common import SUBJECT, Goal, Progress, Report, cpu_seconds, finish, parser
from bench.measurements import FIELDS, Batch, batches
from tests.daemons import listens, until
from tests.ports import own_ports

ROOT = Path(__file__).parents[1]
START_SECONDS = 1_795_392_000
"""2026-11-23 as Unix time."""
TARGETS = 1_000
ASKED = 10
"""Times that each question is asked; the best counts, for others work on the machine too."""
WEEK_SECONDS = 8_640
"""Of each day of the week a tenth happens."""


class Peer(ABC):
    """A server that is fed and asked over HTTP."""

    name: ClassVar[str]
    binary: ClassVar[str]
    path: ClassVar[str]
    headers: ClassVar[dict[str, str]] = {}
    also: ClassVar[Sequence[tuple[str, str]]] = ()
    """What is asked for before the first write: method, path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.other = own_ports(2)

    @abstractmethod
    def argv(self) -> list[str]: ...

    def encode(self, batch: Batch) -> bytes:
        """Line protocol; Prometheus has its own."""
        lines = [
            f"bench,target=t{target},vantage=v "
            f"rtt_ms={rtt},jitter_ms={jitter},up={up}i,state={state}i,counter={counter}i "
            f"{START_SECONDS * 1_000_000_000 + at * 1_000}"
            for target, at, rtt, jitter, up, state, counter in batch
        ]
        return "\n".join(lines).encode()

    @abstractmethod
    def questions(self, seconds: int) -> dict[str, str]:
        """Name -> path of the questions."""

    @contextmanager
    def running(self) -> Iterator[int]:
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(self.argv(), stdout=log, stderr=log)
            try:
                until(lambda: listens(self.port), f"{self.name} listens")
                yield process.pid
            finally:
                process.terminate()
                process.wait()


class Victoria(Peer):
    name, binary, path = "victoriametrics", "victoria-metrics", "/write"

    def argv(self) -> list[str]:
        place = f"-httpListenAddr=127.0.0.1:{self.port}"
        return [
            self.binary,
            place,
            f"-storageDataPath={self.folder / 'data'}",
            "-retentionPeriod=100y",
            "-search.latencyOffset=0s",
        ]

    def questions(self, seconds: int) -> dict[str, str]:
        return _promql("bench_rtt_ms", "bench_up", seconds)


class Influx(Peer):
    name, binary, path = "influxdb", "influxd", "/write?db=bench"
    also = (("POST", "/query?" + urlencode({"q": "CREATE DATABASE bench"})),)

    def argv(self) -> list[str]:
        config = self.folder / "influx.conf"
        config.write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{self.other}"\n[meta]\ndir = "{self.folder}/meta"\n'
            f'[data]\ndir = "{self.folder}/data"\nwal-dir = "{self.folder}/wal"\n'
            f'[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\n'
        )
        return [self.binary, "-config", str(config)]

    def questions(self, seconds: int) -> dict[str, str]:
        hourly = "mean(rtt_ms), percentile(rtt_ms, 95), mean(up)"
        when = f"time >= {START_SECONDS}s AND time < {START_SECONDS + seconds}s"
        asked = {
            "latest_ms": "SELECT last(rtt_ms) FROM bench GROUP BY target",
            "one_ms": f"SELECT * FROM bench WHERE target = 't7' AND {when}",  # noqa: S608 - all ours
            "hourly_ms": f"SELECT {hourly} FROM bench WHERE {when} GROUP BY time(1h), target",  # noqa: S608 - all ours
        }
        return {name: "/query?" + urlencode({"db": "bench", "q": query}) for name, query in asked.items()}


class Prometheus(Peer):
    name, binary, path = "prometheus", "prometheus", "/api/v1/write"
    headers: ClassVar[dict[str, str]] = {
        "Content-Encoding": "snappy",
        "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }

    def argv(self) -> list[str]:
        config = self.folder / "prometheus.yml"
        config.write_text("storage: {tsdb: {out_of_order_time_window: 0s}}\n")
        options = ["--web.enable-remote-write-receiver", "--log.level=warn", f"--config.file={config}"]
        return [
            self.binary,
            *options,
            f"--storage.tsdb.path={self.folder / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]

    def encode(self, batch: Batch) -> bytes:
        series = []
        for target, at, *values in batch:
            for field, value in zip(FIELDS, values, strict=True):
                labels = (("__name__", f"bench_{field}"), ("target", f"t{target}"), ("vantage", "v"))
                told = b"".join(_bytes(1, _bytes(1, name.encode()) + _bytes(2, text.encode())) for name, text in labels)
                sample = b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(START_SECONDS * 1_000 + at // 1_000)
                series.append(_bytes(1, told + _bytes(2, sample)))
        return _snappy(b"".join(series))

    def questions(self, seconds: int) -> dict[str, str]:
        return _promql("bench_rtt_ms", "bench_up", seconds)


def _promql(rtt: str, up: str, seconds: int) -> dict[str, str]:
    end = START_SECONDS + seconds
    span = {"start": START_SECONDS + 3_600, "end": end, "step": 3_600}

    def many(query: str) -> str:
        return "/api/v1/query_range?" + urlencode({"query": query, **span})

    return {
        "latest_ms": "/api/v1/query?" + urlencode({"query": rtt, "time": end}),
        "one_ms": "/api/v1/query?"
        + urlencode({"query": f'{{__name__=~"bench_.*",target="t7"}}[{seconds}s]', "time": end}),
        "hourly_ms": many(f"avg_over_time({rtt}[1h])"),
        "p95_ms": many(f"quantile_over_time(0.95, {rtt}[1h])"),
        "availability_ms": many(f"avg_over_time({up}[1h])"),
    }


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _snappy(content: bytes) -> bytes:
    """The block format with literals alone: what a sender would save in bytes is not what is measured."""
    parts = [content[start : start + 65_536] for start in range(0, len(content), 65_536)]
    return _varint(len(content)) + b"".join(b"\xf4" + struct.pack("<H", len(part) - 1) + part for part in parts)


PEERS = {peer.name: peer for peer in (Victoria, Influx, Prometheus)}


@dataclass(slots=True)
class Bench:
    """What a run has."""

    folder: Path
    say: Progress
    seconds: int

    def ours(self, what: str, targets: int, seconds: int) -> dict[str, float]:
        self.say.say(f"lambi: {what}")
        folder = self.folder / f"{SUBJECT}-{what}"
        folder.mkdir()
        asked = json.dumps({"what": what, "targets": targets, "seconds": seconds})
        argv = [sys.executable, "-m", "bench.storing", str(folder)]
        ran = subprocess.run(argv, input=asked, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True)
        found: dict[str, float] = json.loads(ran.stdout)
        return found

    def theirs(self, kind: type[Peer]) -> dict[str, float]:
        folder = self.folder / kind.name
        folder.mkdir()
        peer = kind(folder)
        with peer.running() as pid:
            client = http.client.HTTPConnection("127.0.0.1", peer.port)
            for method, path in peer.also:
                _asked(client, method, path)
            before, spent, values = cpu_seconds([pid]), 0.0, 0
            for number, batch in enumerate(batches(TARGETS, self.seconds)):
                payload = peer.encode(batch)
                values += len(FIELDS) * len(batch)
                began = time.process_time()
                _asked(client, "POST", peer.path, payload, peer.headers)
                spent += time.process_time() - began
                if number % 3_600 == 0:
                    self.say.say(f"{peer.name}: hour {number // 3_600}")
            self.say.wait(5, f"{peer.name} settles")
            found = {"raw_cpu": cpu_seconds([pid]) - before + spent, "values": values}
            for name, path in peer.questions(self.seconds).items():
                times = []
                for _ in range(ASKED):
                    began = time.perf_counter()
                    _asked(client, "GET", path)
                    times.append(time.perf_counter() - began)
                found[name] = 1000 * min(times)
        found["raw_bytes"] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / values
        return found


def _asked(
    client: http.client.HTTPConnection, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> bytes:
    client.request(method, path, body, headers or {})
    answer = client.getresponse()
    content = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
    return content


EXPERIMENTS = ["day", "week"]
"""A week of ten thousand targets takes some minutes though its days are short, and is asked for by name."""
RATIOS = {"victoriametrics": (1.05, 1.7), "influxdb": (0.42, 0.7), "prometheus": (0.58, 0.95)}
"""How much of a peer's CPU may go into the looks alone, and into all of it."""
GOALS = [
    *(Goal(f"looks_cpu_of_{name}", looks) for name, (looks, _) in RATIOS.items()),
    *(Goal(f"whole_cpu_of_{name}", whole) for name, (_, whole) in RATIOS.items()),
    Goal("hot_bytes_per_value", 6.0),
    Goal("archive_bytes_per_value", 1.1),
    Goal("latest_ms", 3),
    Goal("one_series_ms", 8),
    Goal("hourly_ms", 30),
    Goal("short_week_delay_p99_ms", 250),
    Goal("short_week_rss_mb", 300),
    Goal("short_week_lost", 0, exact=True),
]
WEEK = (
    ("delay_p50_ms", "ms"),
    ("delay_p99_ms", "ms"),
    ("delay_most_ms", "ms"),
    ("lost", "looks"),
    ("archived_days", "days"),
    ("rss_mb", "MB"),
    ("helper_rss_mb", "MB"),
)


def tell(report: Report, found: dict[str, dict[str, float]]) -> None:
    def give(figure: str, unit: str, key: str, by: float = 1.0) -> None:
        report.add(figure, unit, {name: one[key] * by if key in one else None for name, one in found.items()})

    per_million = {name: {**one, "per": one["raw_cpu"] / one["values"] * 1e6} for name, one in found.items()}
    report.add("looks_cpu", "s per million values", {name: one["per"] for name, one in per_million.items()})
    own = found.get(SUBJECT)
    if own:
        report.add("whole_cpu", "s per million values", {SUBJECT: own["whole_cpu"] / own["values"] * 1e6})
        for name in found.keys() - {SUBJECT}:
            report.add(f"looks_cpu_of_{name}", "share", {SUBJECT: own["raw_cpu"] / found[name]["raw_cpu"]})
            report.add(f"whole_cpu_of_{name}", "share", {SUBJECT: own["whole_cpu"] / found[name]["raw_cpu"]})
    give("hot_bytes_per_value", "bytes", "raw_bytes")
    give("rollup_5m_bytes_per_value", "bytes", "rollup_300_bytes")
    give("rollup_1h_bytes_per_value", "bytes", "rollup_3600_bytes")
    give("archive_bytes_per_value", "bytes", "archive_bytes")
    give("archive_cpu", "s a day", "archive_cpu")
    give("longest_commit_ms", "ms", "slowest_ms")
    give("latest_ms", "ms, best of 10, as all that follow", "latest_ms")
    give("one_series_ms", "ms", "one_ms")
    give("hourly_ms", "ms, mean and p95 and availability of all", "hourly_ms")
    give("hourly_p95_ms", "ms", "p95_ms")
    give("availability_ms", "ms", "availability_ms")
    give("rss_mb", "MB", "rss_mb")


def main() -> int:
    """Run everything."""
    options = _options()
    contenders = {SUBJECT: "this checkout, one process"}
    for name in options.contenders:
        if name != SUBJECT:
            there = shutil.which(PEERS[name].binary)
            contenders[name] = "Debian's" if there else f"not installed: {PEERS[name].binary} (make test-deps)"
    report = Report("store", {name: contenders[name] for name in options.contenders})
    with ExitStack() as stack:
        say = stack.enter_context(Progress())
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lambi-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder, say, 3_600 if options.quick else 86_400)
        if "day" in options.only:
            found: dict[str, dict[str, float]] = {}
            for name in options.contenders:
                if name == SUBJECT:
                    found[name] = bench.ours("day", TARGETS, bench.seconds)
                elif shutil.which(PEERS[name].binary):
                    found[name] = bench.theirs(PEERS[name])
            tell(report, found)
            values = next(iter(found.values()))["values"]
            report.notes.append(
                f"{TARGETS} targets, {bench.seconds} s, {values:,.0f} values; our `up` is a look's outcome"
            )
        if "week" in options.only and SUBJECT in options.contenders:
            seconds = WEEK_SECONDS if not options.quick else WEEK_SECONDS // 10
            told = bench.ours("week", 10 * TARGETS, seconds)
            for figure, unit in WEEK:
                report.add(f"short_week_{figure}", unit, {SUBJECT: told[figure]})
            report.notes.append(
                f"short week: {10 * TARGETS:,} targets, 3 fields, 7 days of which {seconds:,} s each, "
                "retention and archive running"
            )
    return finish(report, GOALS, options)


def _options() -> argparse.Namespace:
    chosen: Any = parser(__doc__ or "", EXPERIMENTS, [SUBJECT, *PEERS]).parse_args()
    chosen.only = chosen.only or EXPERIMENTS[:1]
    chosen.contenders = chosen.contenders or [SUBJECT, *PEERS]
    return chosen


if __name__ == "__main__":
    sys.exit(main())
