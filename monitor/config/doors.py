"""The doors and the state folder: where the daemon listens and writes."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path

from monitor.config.channels import read_secret
from monitor.config.nodes import Node
from monitor.config.problems import Problem
from monitor.config.schema import Document
from monitor.config.settings import Door
from monitor.data import state_folder


def loopback(host: str) -> bool:
    """Say whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def ops_door(doc: Document, tree: Node, environ: Mapping[str, str]) -> tuple[Door, list[Problem]]:
    """Return the operators' door with its token."""
    ops, node = doc.web.ops, tree.at("web", "ops")
    problems = []
    token = None
    if ops.token is not None:
        token, problem = read_secret(ops.token, node.at("token"), environ)
        problems += [problem] if problem else []
    elif not loopback(ops.host):
        message = f"{ops.host} can be reached from outside: the operators' door then needs a bearer token"
        problems.append(node.problem(message, "token: {env: NAME} or {file: /path}, or host 127.0.0.1", key="host"))
    return Door(ops.host, ops.port, token), problems + _clash(doc, node)


def _clash(doc: Document, node: Node) -> list[Problem]:
    public, ops = doc.web.public, doc.web.ops
    anywhere = {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    hosts = {public.host, ops.host}
    named = "localhost" in hosts and all(map(loopback, hosts))
    if public.port == ops.port and (len(hosts) == 1 or anywhere & hosts or named):
        return [node.problem(f"port {ops.port} is the public door's too", "a port of its own", key="port")]
    return []


def base_url(doc: Document) -> str:
    """Return the address that links begin with, without a slash at its end."""
    if doc.web.base_url:
        return doc.web.base_url.rstrip("/")
    host = doc.web.public.host
    return f"http://{f'[{host}]' if ':' in host else host}:{doc.web.public.port}"


def state(doc: Document) -> Path:
    """Return the state folder; a relative one begins where the daemon was started."""
    return Path(doc.store.folder).absolute() if doc.store.folder else state_folder()
