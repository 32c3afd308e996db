"""Channels of the files -> channel objects; secrets come from the environment or a file."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import unquote

from alerting.channels import CHANNELS
from monitor.config.nodes import Node
from monitor.config.problems import Problem, did_you_mean
from monitor.config.registry import checked, construct, secrets
from monitor.config.schema import Channel, Document, Secret
from monitor.config.validate import Fault, placed

_MAX_SECRET = 4_096
_SECRET = re.compile(r"pass|pwd|secret|token|auth|credential|signature|(^|[_-]|api)key$")
"""What a parameter of a URL is called when its value is not for everybody."""


def build_channels(doc: Document, tree: Node, environ: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """Make the channels that are on; check the settings of all."""
    channels, problems = {}, []
    for name, row in doc.channels.items():
        node = tree.at("channels", name)
        if row.kind not in CHANNELS:
            near = did_you_mean(row.kind, CHANNELS)
            problems.append(node.problem(f'unknown kind of channel "{row.kind}"{near}', key="kind"))
            continue
        channel, wrong = _channel(row, node, environ)
        problems += wrong
        if channel is not None:
            channels[name] = channel
    return channels, problems


def _channel(row: Channel, node: Node, environ: Mapping[str, str]) -> tuple[Any, list[Problem]]:
    """Return the channel, or None when it is off or wrong."""
    cls = CHANNELS[row.kind]
    values, wrong = checked(cls, dict(row.model_extra or {}))
    wrong = wrong or [fault for key, value in values.items() if (fault := _open_secret(key, value))]
    if wrong or not row.enabled:
        return None, [placed(fault, node) for fault in wrong]
    for key in secrets(cls):
        if (place := values.pop(key, None)) is None:
            continue
        found, problem = read_secret(place, node.at(key), environ)
        if problem:
            return None, [problem]
        values[key] = found
    channel, wrong = construct(cls, values)
    return channel, [placed(fault, node) for fault in wrong]


def _open_secret(key: str, value: object) -> Fault | None:
    """Refuse a login in a URL or host, and a parameter of a URL that holds a secret; neither is repeated."""
    if not isinstance(value, str) or not (key == "host" or "://" in value):
        return None
    place = "username and password: {env: NAME} or {file: /path}"
    address, _, query = value.partition("?")
    names = [unquote(part.partition("=")[0]).lower() for part in re.split("[&;#]", query) if "=" in part]
    if "@" in address or any(map(_SECRET.search, names)):
        return Fault((key,), "a login or secret must not stand in an address", place)
    return None


def read_secret(place: Secret, node: Node, environ: Mapping[str, str]) -> tuple[str, Problem | None]:
    """Return the secret, or a problem that names the place only."""
    if place.env:
        value = environ.get(place.env, "")
        missing = node.problem(f"the environment variable {place.env} is not set", key="env")
        return value, None if value else missing
    try:
        with _opened(Path(place.file), environ) as file:
            value = file.read(_MAX_SECRET).strip()
    except OSError as error:
        return "", node.problem(f"{place.file} cannot be read: {error.strerror}", key="file")
    except ValueError:
        return "", node.problem(f"{place.file} is not text", "UTF-8", key="file")
    return value, None if value else node.problem(f"{place.file} is empty", key="file")


def _opened(path: Path, environ: Mapping[str, str]) -> TextIO:
    """Open a secret's file, or what systemd hands over of it: LoadCredential=secrets:FOLDER, systemd.exec(5)."""
    try:
        return path.open(encoding="utf-8")
    except OSError:
        if not (handed := environ.get("CREDENTIALS_DIRECTORY")):
            raise
        try:
            return (Path(handed) / f"secrets_{path.name}").open(encoding="utf-8")
        except OSError:
            pass
        raise


def forms(doc: Document) -> dict[str, str]:
    """Return which text each channel carries, "sms" or "mail", by the channel's name."""
    return {name: CHANNELS[row.kind].form for name, row in doc.channels.items() if row.kind in CHANNELS}
