"""Registries, JSON schema, shipped examples and README speak of the same things."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerting.channels import CHANNELS
from monitor.config import load, schema
from monitor.data import shipped
from probes import PROBES

README = Path(__file__).parents[2] / "README.md"


def _unknown(value: Any, node: dict[str, Any], whole: dict[str, Any], path: str = "") -> list[str]:
    """Name the keys of ``value`` that the schema does not know."""
    nodes = [whole["$defs"][part["$ref"].split("/")[-1]] if "$ref" in part else part for part in _branches(node)]
    if isinstance(value, list):
        items = [branch["items"] for branch in nodes if "items" in branch]
        return [bad for item in value for bad in _unknown(item, items[0], whole, f"{path}[]")] if items else [path]
    if not isinstance(value, dict):
        return []
    return [bad for key, below in value.items() for bad in _unknown_key(key, below, nodes, whole, f"{path}.{key}")]


def _branches(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [*node.get("anyOf", [node])]


def _unknown_key(key: str, below: Any, nodes: list[dict[str, Any]], whole: dict[str, Any], path: str) -> list[str]:
    for branch in nodes:
        extra = branch.get("additionalProperties")
        if key in branch.get("properties", {}):
            return _unknown(below, branch["properties"][key], whole, path)
        if isinstance(extra, dict) or extra is True:
            return _unknown(below, extra if isinstance(extra, dict) else {}, whole, path)
    return [path]


@pytest.mark.parametrize("name", ["lambi.yaml", "contacts.yaml", "routes.yaml"])
def test_the_schema_knows_every_key_of_the_shipped_files(name: str) -> None:
    whole = schema()
    text = shipped(f"config/{name}").read_text(encoding="utf-8")
    assert _unknown(yaml.safe_load(text), whole, whole) == []
    assert _unknown({"vantge": 1, "web": {"opps": 1}}, whole, whole) == [".vantge", ".web.opps"]


def test_probes_and_channels_have_their_part_in_the_schema() -> None:
    parts = schema()["$defs"]
    assert {name.removeprefix("Template.") for name in parts if name.startswith("Template.")} == set(PROBES)
    assert {name.removeprefix("Channel.") for name in parts if name.startswith("Channel.")} == set(CHANNELS)


def test_every_probe_has_a_shipped_template_and_every_channel_an_example() -> None:
    shown = yaml.safe_load(shipped("config/lambi.yaml").read_text(encoding="utf-8"))
    assert set(shown["checks"]["any"]) == set(PROBES)
    assert {channel["kind"] for channel in shown["channels"].values()} == set(CHANNELS)


def test_the_kinds_of_checks_are_registered() -> None:
    assert {check.kind for check in load(None, {}).world.checks.values()} <= set(PROBES)


@pytest.mark.skipif(not README.exists(), reason="README.md is not written yet")
def test_the_readme_has_a_row_for_each_probe_and_channel() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    cells = " ".join(line.split("|")[1] for line in lines if line.startswith("|"))
    missing = {*PROBES, *CHANNELS} - set(re.findall(r"[a-z]+", cells.lower()))
    assert not missing, "README.md: the first column of no table names them"
