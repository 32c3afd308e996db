"""Who waits for our heartbeat, and whose we wait for."""

import re
from collections.abc import Mapping

from monitor.config.channels import read_secret
from monitor.config.nodes import Node
from monitor.config.problems import Problem, which_territory
from monitor.config.schema import Document, PeerRow, WatcherRow
from monitor.config.types import web_url
from monitor.heartbeat import LOOK_SECONDS, Beats, Heartbeat, Peer, Watcher
from monitor.model import Asset, Check, Provenance, Rule
from probes.model import Target

LEAST_GRACE = 15.0
"""Less would take a lost packet and its second try for silence."""
LEAST_SECRET = 16
EVIDENCE = Rule(fall=1, rise=1, silence_seconds=0.0, refusal_seconds=0.0)
"""The grace is all the evidence that silence needs."""


def add_peers(
    doc: Document, tree: Node, assets: dict[str, Asset], checks: dict[str, Check], territories: Mapping[str, str]
) -> list[Problem]:
    """Make each peer an asset, and its silence a check."""
    problems = []
    for number, row in enumerate(doc.peers):
        node, identity = tree.at("peers", number), f"peer:{row.id}"
        if row.territory and row.territory not in territories:
            near = which_territory(row.territory, territories)
            problems.append(node.problem(f'unknown territory "{row.territory}"{near}', "an ISO code", key="territory"))
        if row.grace < LEAST_GRACE:
            message = f"{row.grace:g} s are too few to tell silence from a lost packet"
            problems.append(node.problem(message, f"at least {LEAST_GRACE:g}s, three of the peer's beats", key="grace"))
        where = (row.territory,) if row.territory else ()
        assets[identity] = Asset(identity, "peer", row.name or f"Lambi {row.id}", where, Provenance("config"))
        check = _check(row, identity)
        checks[check.id] = check
    return problems


def _check(row: PeerRow, asset: str) -> Check:
    target = Target(asset, row.id, int(row.family))
    identity = f"{asset}/{Heartbeat.kind}"
    return Check(identity, asset, target, Heartbeat.kind, Heartbeat(row.grace), LOOK_SECONDS, 1.0, EVIDENCE)


def beats(doc: Document, tree: Node, name: str, environ: Mapping[str, str]) -> tuple[Beats, list[Problem]]:
    """Return whom we tell that we are alive and whom we hear, with their secrets; ``name``: ours, as it is written."""
    part, node = doc.heartbeat, tree.at("heartbeat")
    problems = []
    if part.timeout >= part.every:
        message = f"{part.timeout:g} s is not shorter than the {part.every:g} s from one heartbeat to the next"
        problems.append(node.problem(message, key="timeout"))
    if doc.peers and not name:
        expected = "a short name: the id that the peers give this site"
        problems.append(tree.problem("missing, and peers tell sites by it", expected, key="heartbeat.name"))
    watchers, peers = [], []
    for number, watcher in enumerate(part.watchers):
        url, wrong = _watcher_url(watcher, node.at("watchers", number), environ)
        problems += wrong
        watchers.append(Watcher(watcher.id, url, watcher.method))
    for number, peer in enumerate(doc.peers):
        secret, wrong = _peer(peer, part.name, tree.at("peers", number), environ)
        problems += wrong
        peers.append(Peer(peer.id, secret, peer.url.rstrip("/")))
    return Beats(part.name, part.every, part.timeout, tuple(watchers), tuple(peers)), problems


def _watcher_url(row: WatcherRow, node: Node, environ: Mapping[str, str]) -> tuple[str, list[Problem]]:
    found, problem = read_secret(row.url, node.at("url"), environ)
    if problem:
        return "", [problem]
    try:
        return web_url(found), []
    except ValueError:
        return "", [
            node.problem("what is found there is no web address", "like https://hc.example/ping/...", key="url")
        ]


def _peer(row: PeerRow, name: str, node: Node, environ: Mapping[str, str]) -> tuple[str, list[Problem]]:
    problems = []
    secret, problem = read_secret(row.secret, node.at("secret"), environ)
    if problem:
        problems.append(problem)
    elif len(secret) < LEAST_SECRET:
        expected = f"at least {LEAST_SECRET} characters that nobody can guess"
        problems.append(node.problem("too short", expected, key="secret"))
    if row.id == name:
        problems.append(node.problem(f'"{name}" is this site itself (heartbeat.name)', key="id"))
    if re.search(r"[?#]", row.url):
        problems.append(node.problem("more than the address of a door", "like https://lambi.example:9115", key="url"))
    return secret, problems
