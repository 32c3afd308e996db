"""Whether the references can carry the own-link guard."""

import ipaddress

from monitor.config.nodes import Node
from monitor.config.problems import Problem
from monitor.config.schema import Document

SERVERS = 5
NETWORKS = 3


def check_guard(doc: Document, tree: Node) -> list[Problem]:
    """Per family of the vantage: at least five references in three networks, and a quorum they can meet."""
    node = tree.at("guard")
    problems = []
    for family in doc.vantage.families:
        seen = [
            (row.id, row.network)
            for row in doc.guard.references
            if any(ipaddress.ip_address(address).version == family for address in row.addresses)
        ]
        networks = {network for _, network in seen}
        if len(seen) < SERVERS or len(networks) < NETWORKS:
            message = f"IPv{family}: {len(seen)} in {len(networks)} networks are too few to tell a cut of our own link"
            problems.append(node.problem(message, f"at least {SERVERS} in {NETWORKS} networks", key="references"))
        elif doc.guard.quorum > len(networks):
            message = f"IPv{family}: {doc.guard.quorum} networks can never answer"
            problems.append(node.problem(message, f"at most {len(networks)}", key="quorum"))
    return problems
