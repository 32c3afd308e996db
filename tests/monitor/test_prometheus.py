"""A real Prometheus and Debian's amtool against the real daemon, in a network namespace with nothing but loopback."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.daemons import until

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("unshare", "nsenter", "prometheus", "amtool")

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, NEEDED)),
    reason=f"needs root, to make a network namespace of its own, and {', '.join(NEEDED)}: make test-deps",
)

TOKEN = "token-of-the-ops-door"
SERVER = """
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b"box_lives 1\\n")

    def do_POST(self):
        with open(sys.argv[2], "ab") as file:
            file.write(self.rfile.read(int(self.headers["Content-Length"])) + b"\\n")
        self.answer(b"")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
"""A box that Prometheus scrapes, and a webhook that writes down what it is told."""
LAMBI = """store: {{folder: {folder}/var}}
web: {{ops: {{token: {{file: {folder}/token}}}}}}
channels: {{hook: {{kind: webhook, enabled: true, secret: {{file: {folder}/token}}}}}}
alerts: {{caps: {{hook: {{gap: 0s}}}}}}
"""
CONTACTS = "contacts: [{name: noc, agency: NOC, addresses: [{channel: hook, to: 'http://127.0.0.1:9555/'}]}]\n"
ROUTES = "routes: [{name: others, contacts: [noc], match: ['kind=external']}]\n"
PROMETHEUS = {
    "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
    "rule_files": ["rules.yml"],
    "alerting": {
        "alertmanagers": [
            {"authorization": {"credentials": TOKEN}, "static_configs": [{"targets": ["127.0.0.1:9115"]}]}
        ]
    },
    "scrape_configs": [{"job_name": "box", "static_configs": [{"targets": ["127.0.0.1:9556"]}]}],
}
RULE = {
    "alert": "BoxDown",
    "expr": 'up{job="box"} == 0',
    "labels": {"severity": "page", "territory": "BB"},
    "annotations": {"summary": "The box is down"},
}


class Stage:
    """Programs in one namespace; each ends with the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []
        self.holder = self.launch("holder", "unshare", "--net", "sh", "-c", "ip link set lo up && echo up && cat")
        until(lambda: "up" in self.log("holder"), "the namespace")
        self.inside = ("nsenter", "-t", str(self.holder.pid), "-n")
        config = folder / "config"
        config.mkdir()
        (config / "lambi.yaml").write_text(LAMBI.format(folder=folder))
        (config / "contacts.yaml").write_text(CONTACTS)
        (config / "routes.yaml").write_text(ROUTES)
        (folder / "token").write_text(TOKEN)
        (folder / "amtool.yml").write_text(f"authorization: {{credentials: {TOKEN}}}\n")
        (folder / "prometheus.yml").write_text(json.dumps(PROMETHEUS))
        (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "rules": [RULE]}]}))

    def launch(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log)
        self.running.append(process)
        return process

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def lambi(self) -> subprocess.Popen[bytes]:
        """Start the daemon and wait for its door."""
        command = (sys.executable, "-m", "monitor.cli", "run", "--config", str(self.folder / "config"))
        process = self.launch("lambi", *self.inside, *command)

        def there() -> bool:
            assert process.poll() is None, self.log("lambi")
            return self.amtool("alert", "query").returncode == 0

        until(there, "the ops door")
        return process

    def server(self, port: int) -> None:
        self.launch(f"server{port}", *self.inside, sys.executable, "-c", SERVER, str(port), str(self.folder / "told"))

    def prometheus(self) -> None:
        data, config = self.folder / "data", self.folder / "prometheus.yml"
        flags = (f"--config.file={config}", f"--storage.tsdb.path={data}", "--web.listen-address=127.0.0.1:9090")
        self.launch("prometheus", *self.inside, "prometheus", *flags, "--rules.alert.resend-delay=15s")

    def amtool(self, *words: str) -> subprocess.CompletedProcess[str]:
        door = ("--alertmanager.url=http://127.0.0.1:9115", f"--http.config.file={self.folder / 'amtool.yml'}")
        return subprocess.run(
            [*self.inside, "amtool", *door, *words], capture_output=True, text=True, timeout=30, check=False
        )

    def asked(self, *words: str) -> str:
        """Run amtool and return what it printed."""
        done = self.amtool(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def told(self) -> list[tuple[str, str, str]]:
        """Return what the webhook was told: alertname, number, status."""
        file = self.folder / "told"
        alerts: list[dict[str, Any]] = []
        for line in file.read_text().splitlines() if file.exists() else ():
            alerts += json.loads(line)["alerts"]
        return [(one["labels"]["alertname"], one["labels"]["incident"], one["status"]) for one in alerts]

    def settled(self) -> bool:
        """Whether nothing is under way, so that a kill repeats nothing."""
        with closing(sqlite3.connect(f"file:{self.folder}/var/journal.sqlite?mode=ro", uri=True)) as journal:
            return journal.execute("SELECT count(*) FROM notification WHERE ended_at IS NULL").fetchone() == (0,)

    def stop(self) -> None:
        for process in reversed(self.running):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    one = Stage(tmp_path)
    try:
        yield one
    finally:
        one.stop()


def test_a_prometheus_alert_is_told_survives_a_kill_and_is_over(stage: Stage) -> None:
    stage.server(9555)
    daemon = stage.lambi()
    stage.prometheus()
    until(lambda: stage.told() == [("BoxDown", "X1", "firing")], "the alert is told")
    until(stage.settled, "the journal is at rest")
    daemon.kill()
    daemon.wait()
    stage.lambi()
    assert "BoxDown" in stage.asked("alert", "query", "severity=page")
    stage.server(9556)
    until(lambda: len(stage.told()) > 1, "its end is told")
    assert stage.told() == [("BoxDown", "X1", "firing"), ("BoxDown", "X1", "resolved")]
    assert "BoxDown" not in stage.asked("alert", "query")
    assert "err=" not in stage.log("prometheus").replace("err=null", "")
    assert "Traceback" not in stage.log("lambi")


def test_amtool_asks_silences_and_takes_back(stage: Stage) -> None:
    stage.server(9555)
    stage.lambi()
    name = stage.asked("silence", "add", "alertname=Quiet", "--comment=known", "--author=ann", "--duration=1h").strip()
    assert name == "s1"
    stage.asked("alert", "add", "Quiet", "severity=critical", "--annotation=summary=Nothing new")
    stage.asked("alert", "add", "Loud", "job=a")
    until(lambda: stage.told() == [("Loud", "X2", "firing")], "what is not silenced is told")
    assert "Quiet" not in stage.asked("alert", "query")
    silenced = json.loads(stage.asked("alert", "query", "--silenced", "-o", "json"))
    assert [(one["labels"]["alertname"], one["status"]["silencedBy"]) for one in silenced] == [("Quiet", ["s1"])]
    assert "ann" in stage.asked("silence", "query")
    stage.asked("silence", "update", "s1", "--duration=2h", "--comment=longer")
    listed = json.loads(stage.asked("silence", "query", "-o", "json"))
    assert [(one["id"], one["comment"]) for one in listed] == [("s2", "longer")]
    stage.asked("silence", "expire", "s2")
    until(lambda: ("Quiet", "X1", "firing") in stage.told(), "what it kept back is told")
    assert stage.asked("silence", "query", "-q") == ""
    refused = stage.amtool("silence", "add", "alertname=x", "--comment=c", "--duration=40d")
    assert refused.returncode == 1
    assert "longer than 31 days" in refused.stderr
    stage.asked("alert", "add", "Loud", "job=a", "--end=2020-01-01T00:00:00Z", "--start=2019-01-01T00:00:00Z")
    assert "Loud" in stage.asked("alert", "query"), "an end of the past ends nothing"
    assert "disabled" in stage.asked("cluster", "show")
    assert "Traceback" not in stage.log("lambi")
