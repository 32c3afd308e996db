"""Grafana's dashboards for Prometheus and InfluxDB, from one list of panels; `python -m monitor.dashboards FOLDER`."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 12, 8
"""Of a panel; a row is 24 wide."""
SCHEMA = 36
"""The version of the dashboard's form, that of Grafana 9; later ones read it."""
SOURCES = ("prometheus", "influxdb")
LOOKS = (
    'FROM /^lambi_/ WHERE ("check" =~ /^$check$/) AND $timeFilter '
    'GROUP BY time($__interval), "check", "part", "vantage" fill(none)'
)
NAMED = "$tag_check $tag_part $tag_vantage"


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: its query in each language, or "" where that source does not know it."""

    title: str
    unit: str
    prometheus: str = ""
    legend: str = "{{check}} {{part}}"
    influxql: str = ""
    about: str = ""


PANELS = (
    Panel(
        "Availability",
        "percentunit",
        'avg_over_time(probe_success{check=~"$check"}[$__interval])',
        influxql=f'SELECT sum("up") / (count("unknown") - sum("unknown")) {LOOKS}',
        about="Of the looks that could say something; unknown is neither up nor down.",
    ),
    Panel(
        "Answer times",
        "s",
        'probe_duration_seconds{check=~"$check"}',
        influxql=f'SELECT percentile("rtt_seconds", 50), percentile("rtt_seconds", 95) {LOOKS}',
    ),
    Panel(
        "Looks that could say nothing",
        "short",
        'lambi_check_unknown{check=~"$check"}',
        influxql=f'SELECT sum("unknown") {LOOKS}',
    ),
    Panel("Looks", "short", influxql=f'SELECT count("unknown") {LOOKS}'),
    Panel("Assets by state", "short", "lambi_assets", "{{phase}}"),
    Panel("Open incidents", "short", "lambi_incidents_open", "{{severity}}"),
    Panel("The vantage sees the world", "bool", "lambi_vantage_sees_world", "IPv{{family}}"),
    Panel("How late looks leave (99th percentile)", "s", "lambi_lateness_p99_seconds", "lateness"),
    Panel("Age of the picture", "s", "lambi_snapshot_age_seconds", "age"),
    Panel("Messages that wait", "short", "lambi_outbox_pending", "waiting"),
    Panel("Age of the oldest message that waits", "s", "lambi_outbox_oldest_seconds", "oldest"),
    Panel("Looks that wait to be stored", "short", "lambi_series_queued", "queued"),
    Panel("Looks that were lost", "short", "increase(lambi_series_dropped_total[$__interval])", "dropped"),
    Panel("Size of the store", "bytes", "lambi_series_bytes", "SQLite"),
    Panel("Defects", "short", "increase(lambi_bugs_total[$__interval])", "caught"),
)


def dashboard(source: str) -> dict[str, Any]:
    """Return the dashboard of a data source, ``prometheus`` or ``influxdb``."""
    known = [panel for panel in PANELS if _query(panel, source)]
    return {
        "uid": f"lambi-{source}",
        "title": f"Lambi ({source})",
        "tags": ["lambi"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [_source(source), _checks(source)]},
        "panels": [_panel(number, panel, source) for number, panel in enumerate(known)],
    }


def _query(panel: Panel, source: str) -> str:
    return panel.prometheus if source == "prometheus" else panel.influxql


def _panel(number: int, panel: Panel, source: str) -> dict[str, Any]:
    common = {"refId": "A", "datasource": {"type": source, "uid": "${source}"}}
    query = _query(panel, source)
    target = (
        {**common, "expr": query, "legendFormat": panel.legend}
        if source == "prometheus"
        else {**common, "query": query, "rawQuery": True, "resultFormat": "time_series", "alias": NAMED}
    )
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.about,
        "datasource": {"type": source, "uid": "${source}"},
        "gridPos": {"x": WIDTH * (number % 2), "y": HEIGHT * (number // 2), "w": WIDTH, "h": HEIGHT},
        # a gap is a gap: no line leads over what nobody saw
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "custom": {"spanNulls": False}}, "overrides": []},
        "targets": [target],
    }


def _source(source: str) -> dict[str, Any]:
    return {"name": "source", "type": "datasource", "query": source, "label": "data source"}


def _checks(source: str) -> dict[str, Any]:
    query = "label_values(probe_ip_protocol, check)" if source == "prometheus" else 'SHOW TAG VALUES WITH KEY = "check"'
    return {
        "name": "check",
        "type": "query",
        "datasource": {"type": source, "uid": "${source}"},
        "query": query,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def write(folder: Path) -> None:
    """Write a file for each source."""
    for source in SOURCES:
        text = json.dumps(dashboard(source), indent=1, ensure_ascii=False)
        (folder / f"lambi-{source}.json").write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
