"""The JSON schema of the YAML files, for editors that complete and check while one types."""

from typing import Any

from alerting.channels import CHANNELS
from monitor.config.registry import settings_model
from monitor.config.schema import Document
from probes import PROBES

_BY_ID = ("AssetRow", "Reference", "MaintenanceRow", "SilenceRow", "PeerRow", "WatcherRow")
_BY_NAME = ("ContactRow", "RotationRow", "RouteRow", "LadderRow", "IntervalRow", "InhibitRow")
_ROWS = {**dict.fromkeys(_BY_ID, "id"), **dict.fromkeys(_BY_NAME, "name")}
"""Rows that may lie over a shipped row: only the identity must be written, and ``remove`` may be."""


def schema() -> dict[str, Any]:
    """Return the schema of all parts; probes and channels come from their registries."""
    whole = Document.model_json_schema()
    parts = whole["$defs"]
    for name, identity in _ROWS.items():
        parts[name]["required"] = [identity]
        parts[name]["properties"]["remove"] = {"type": "boolean", "description": "take the shipped row away"}
    for kind, probe in PROBES.items():
        asked = {**parts["Template"]["properties"], "settings": _settings(probe, parts)}
        parts[f"Template.{kind}"] = {**parts["Template"], "properties": asked}
    for kind, channel in CHANNELS.items():
        own = _settings(channel, parts)
        own["properties"] = {"kind": {"const": kind}, "enabled": {"type": "boolean"}, **own["properties"]}
        parts[f"Channel.{kind}"] = {**own, "required": ["kind"]}
    del parts["Channel"]
    asked_by_kind = {kind: {"$ref": f"#/$defs/Template.{kind}"} for kind in PROBES}
    kinds = whole["properties"]["checks"]
    kinds["additionalProperties"] = {"type": "object", "properties": asked_by_kind, "additionalProperties": False}
    channels = [{"$ref": f"#/$defs/Channel.{kind}"} for kind in CHANNELS]
    whole["properties"]["channels"]["additionalProperties"] = {"anyOf": channels}
    whole["properties"]["targets"]["items"] = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/TargetRow"}]}
    return whole


def _settings(cls: type, parts: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a dataclass's fields; what it refers to joins ``parts``."""
    model = settings_model(cls).model_json_schema(ref_template="#/$defs/{model}")
    parts.update(model.pop("$defs", {}))
    return model
