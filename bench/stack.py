"""The peers: Debian's Prometheus, blackbox exporter and Alertmanager, as they come and tuned as far as they go."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.contender import Contender
from bench.targets import SHARES, SINK_PORT

PROGRAMS = ("prometheus", "prometheus-blackbox-exporter", "prometheus-alertmanager")
KEPT = (
    "probe_success|probe_duration_seconds|probe_icmp_duration_seconds|probe_dns_duration_seconds|probe_dns_serial"
    "|probe_http_status_code|probe_http_duration_seconds"
)


class Stack(Contender):
    """The stack with the timings of its own documentation."""

    name = "stack default"
    pending_after = 25.0
    told_within = 90.0
    evaluate = ""
    """Empty: as often as it scrapes."""
    wait, group_wait, group_interval = "30s", "30s", "5m"
    keep = ""
    """The only metrics that are stored; empty: all."""
    inhibit = False

    @classmethod
    def missing(cls) -> str:
        absent = [program for program in PROGRAMS if shutil.which(program) is None]
        return f"not installed: {', '.join(absent)}" if absent else ""

    @classmethod
    def version(cls) -> str:
        query = ["dpkg-query", "-W", "-f", "${Package} ${Version}, ", *PROGRAMS]
        found = subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip(", ")
        return f"{found or 'versions unknown'}; {cls._timings()}"

    @classmethod
    def _timings(cls) -> str:
        return f"eval {cls.evaluate or 'at the scrape interval'}, for {cls.wait}, group_wait {cls.group_wait}"

    def configure(self) -> None:
        folder = self.world.folder
        for kind in SHARES:
            (folder / f"{kind}.json").write_text(json.dumps(self._groups(kind)))
        for name, config in {
            "prometheus": self._prometheus(),
            "rules": {"groups": [{"name": "bench", "rules": self._rules()}]},
            "blackbox": {"modules": MODULES},
            "alertmanager": self._alertmanager(),
        }.items():
            (folder / f"{name}.yml").write_text(json.dumps(config, indent=1))  # JSON is YAML

    def commands(self) -> dict[str, Sequence[str | Path]]:
        folder = self.world.folder
        return {
            "blackbox": [
                "prometheus-blackbox-exporter",
                f"--config.file={folder / 'blackbox.yml'}",
                "--web.listen-address=127.0.0.1:9115",
                "--log.level=warn",
            ],
            "alertmanager": [
                "prometheus-alertmanager",
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={self.state / 'alertmanager'}",
                "--web.listen-address=127.0.0.1:9093",
                "--cluster.listen-address=",
                "--log.level=warn",
            ],
            "prometheus": [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={self.state / 'prometheus'}",
                "--web.listen-address=127.0.0.1:9090",
                "--log.level=warn",
            ],
        }

    def answering(self) -> int:
        return self._query("count(probe_success==1)")

    def stored(self) -> int:
        return self._query("sum(count_over_time(probe_success[1h]))")

    def _query(self, promql: str) -> int:
        """Ask Prometheus for one number; 0 where it has none."""
        answer = self.world.get(f"http://127.0.0.1:9090/api/v1/query?query={promql}")
        result = json.loads(answer)["data"]["result"] if answer else []
        return int(result[0]["value"][1]) if result else 0

    def read(self, line: dict[str, object]) -> tuple[frozenset[str], frozenset[str]]:
        names = {thing.instance: thing.name for thing in self.world.things}
        alerts = json.loads(str(line["body"]))["alerts"]
        found: dict[str, set[str]] = {"firing": set(), "resolved": set()}
        for alert in alerts:
            if alert["labels"]["alertname"] == "TargetDown":
                found[alert["status"]].add(names[alert["labels"]["instance"]])
        return frozenset(found["firing"]), frozenset(found["resolved"])

    def _groups(self, kind: str) -> list[dict[str, Any]]:
        by_territory: dict[int, list[str]] = {}
        for thing in self.world.things:
            if thing.kind == kind:
                by_territory.setdefault(thing.territory, []).append(thing.instance)
        return [
            {"targets": targets, "labels": {"territory": f"t{territory:02d}", "kind": kind}}
            for territory, targets in by_territory.items()
        ]

    def _prometheus(self) -> dict[str, Any]:
        return {
            "global": {
                "scrape_interval": f"{self.period:.0f}s",
                "evaluation_interval": self.evaluate or f"{self.period:.0f}s",
            },
            "rule_files": [str(self.world.folder / "rules.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["127.0.0.1:9093"]}]}]},
            "scrape_configs": [self._job(kind) for kind in SHARES],
        }

    def _job(self, kind: str) -> dict[str, Any]:
        job: dict[str, Any] = {
            "job_name": kind,
            "metrics_path": "/probe",
            "params": {"module": [kind]},
            "scrape_timeout": "5s",
            "file_sd_configs": [{"files": [str(self.world.folder / f"{kind}.json")]}],
            "relabel_configs": [
                {"source_labels": ["__address__"], "target_label": "__param_target"},
                {"source_labels": ["__param_target"], "target_label": "instance"},
                {"target_label": "__address__", "replacement": "127.0.0.1:9115"},
            ],
        }
        if self.keep:
            job["metric_relabel_configs"] = [{"source_labels": ["__name__"], "regex": self.keep, "action": "keep"}]
        return job

    def _rules(self) -> list[dict[str, Any]]:
        down = {"alert": "TargetDown", "expr": "probe_success == 0", "for": self.wait}
        offline = {
            "alert": "VantageOffline",
            "expr": "(count(probe_success == 0) / count(probe_success)) > 0.9",
            "for": "0s",
            "keep_firing_for": "60s",  # else every target alerts falsely on recovery
        }
        return [down, offline] if self.inhibit else [down]

    def _alertmanager(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "route": {
                "receiver": "hook",
                "group_by": ["alertname", "territory"],
                "group_wait": self.group_wait,
                "group_interval": self.group_interval,
            },
            "receivers": [{"name": "hook", "webhook_configs": [{"url": f"http://127.0.0.1:{SINK_PORT}/"}]}],
        }
        if self.inhibit:
            rule = {"source_matchers": ['alertname="VantageOffline"'], "target_matchers": ['alertname="TargetDown"']}
            config["inhibit_rules"] = [rule]
        return config


class TunedStack(Stack):
    """The stack tuned for speed and for the loss of the watcher's own link."""

    name = "stack tuned"
    pending_after = 16.0
    told_within = 45.0
    evaluate, wait, group_wait, group_interval = "2s", "20s", "1s", "10s"
    keep = KEPT
    inhibit = True


MODULES = {
    "icmp": {"prober": "icmp", "timeout": "2s", "icmp": {"preferred_ip_protocol": "ip4"}},
    "tcp": {"prober": "tcp", "timeout": "2s", "tcp": {"preferred_ip_protocol": "ip4"}},
    "http": {"prober": "http", "timeout": "4s", "http": {"preferred_ip_protocol": "ip4"}},
    "dns": {
        "prober": "dns",
        "timeout": "2s",
        "dns": {
            "query_name": "example.test",
            "query_type": "SOA",
            "preferred_ip_protocol": "ip4",
            "recursion_desired": False,
        },
    },
}
