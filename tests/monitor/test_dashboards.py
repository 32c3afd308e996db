"""What is shipped for Grafana and Prometheus: one source, and each query understood by the server it is for."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from monitor.dashboards import PANELS, SOURCES, dashboard, write
from monitor.data import shipped
from tests.influx import Influx

NEEDED = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed: make test-deps")


def checked(rules: Path) -> str:
    done = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_files_are_those_that_the_panels_make(tmp_path: Path) -> None:
    write(tmp_path)
    for source in SOURCES:
        made = (tmp_path / f"lambi-{source}.json").read_text()
        is_there = (shipped("config") / "grafana" / f"lambi-{source}.json").read_text()
        assert is_there == made, "make them again: python -m monitor.dashboards config/grafana"


@pytest.mark.parametrize("source", SOURCES)
def test_panels_have_numbers_places_and_a_query_of_their_own(source: str) -> None:
    panels = dashboard(source)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 4
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
    assert not [panel["title"] for panel in panels if panel["fieldConfig"]["defaults"]["custom"]["spanNulls"]]


@NEEDED
def test_prometheus_understands_every_query_and_rule(tmp_path: Path) -> None:
    assert checked(shipped("config") / "prometheus" / "lambi.rules.yml") == ""
    queries = [panel.prometheus.replace("$__interval", "5m") for panel in PANELS if panel.prometheus]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    assert checked(tmp_path / "rules.yml") == ""


def test_influxdb_understands_every_query(tmp_path: Path) -> None:
    with Influx(tmp_path / "influx").running() as server:
        server.write("lambi_icmp,check=a,vantage=v up=1i,unknown=0i,rtt_seconds=0.5 1795435200000000")
        for panel in PANELS:
            if panel.influxql:
                query = panel.influxql.replace("$check", ".*").replace("$__interval", "1h")
                (found,) = server.select(query.replace("$timeFilter", "time > 0"))
                assert found["tags"]["check"] == "a"


def test_every_metric_that_is_asked_for_is_exported() -> None:
    from monitor.web.ops import collect  # noqa: PLC0415 - only here
    from tests.monitor.web import worlds  # noqa: PLC0415 - only here

    snapshot = worlds.calm()
    exported = {family.name for family in collect(snapshot, snapshot.at)}
    rules = yaml.safe_load((shipped("config") / "prometheus" / "lambi.rules.yml").read_text())
    asked = [panel.prometheus for panel in PANELS] + [rule["expr"] for rule in rules["groups"][0]["rules"]]
    names = {word for text in asked for word in re.findall(r"[a-z0-9_]+", text)}
    assert {name for name in names if name.startswith(("lambi_", "probe_"))} <= exported
