"""Rows of drills.yaml -> scenarios; every mistake with its line."""

from collections.abc import Collection, Mapping
from pathlib import Path

from monitor.config.nodes import Node
from monitor.config.problems import Problem, did_you_mean
from monitor.config.schema import Document
from monitor.model import Phase, Scenario

LONGEST = 8 * 3600.0
"""Seconds; whoever has answered for so long has done enough."""


def scenarios(
    doc: Document, tree: Node, assets: Collection[str], vantage: str, shipped: Path
) -> tuple[Mapping[str, Scenario], list[Problem]]:
    """Return the scenarios by name, and what is wrong with their rows; ``shipped``: the folder of the shipped files.

    A shipped one about an asset that the operator has taken away goes with it.
    """
    made: dict[str, Scenario] = {}
    problems: list[Problem] = []
    for number, row in enumerate(doc.drills):
        node, asset = tree.at("drills", number), vantage if row.asset == "vantage" else row.asset
        if asset not in assets and Path(node.where.file).is_relative_to(shipped):
            continue
        if asset not in assets:
            problems.append(node.problem(f'unknown asset "{asset}"{did_you_mean(asset, assets)}', key="asset"))
        if row.lasts > LONGEST:
            problems.append(node.problem("an exercise lasts 8h at most", key="lasts"))
        made[row.name] = Scenario(row.name, asset, Phase(row.phase), row.severity, row.lasts, row.reason, row.effects)
    return made, problems
