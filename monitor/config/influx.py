"""The InfluxDB of `store.influx`, with its token."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from monitor.config.channels import read_secret
from monitor.config.doors import loopback
from monitor.config.nodes import Node
from monitor.config.problems import Problem
from monitor.config.schema import Document
from monitor.config.settings import Influx


def influx(doc: Document, tree: Node, environ: Mapping[str, str]) -> tuple[Influx | None, list[Problem]]:
    """Return where measurements go too, or None."""
    row = doc.store.influx
    if row is None:
        return None, []
    node = tree.at("store", "influx")
    problems = []
    token = ""
    if row.token is not None:
        token, problem = read_secret(row.token, node.at("token"), environ)
        problems += [problem] if problem else []
    where = urlsplit(row.url)
    if token and where.scheme == "http" and not loopback(where.hostname or ""):
        problems.append(node.problem("the token would cross the network unencrypted", "an https address", key="url"))
    if token and row.api == "v1" and ":" not in token:
        problems.append(node.problem("of 1.x it is USER:PASSWORD", key="token"))
    if row.ca and not Path(row.ca).is_file():
        problems.append(node.problem(f"{row.ca}: there is no such file", "a file of certificates (PEM)", key="ca"))
    place = Influx(row.url.rstrip("/"), row.bucket, row.org, token, row.api == "v1", row.ca, row.read)
    return place, problems
