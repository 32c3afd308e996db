"""Rows of ``depends`` -> dependencies; what cannot hold together is told with the way around or through it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from graphlib import CycleError, TopologicalSorter

from monitor.config.nodes import Node
from monitor.config.problems import Problem, did_you_mean
from monitor.config.schema import DependRow, Document
from monitor.model import Check, Dependency
from monitor.moments import day


def dependencies(
    doc: Document, tree: Node, assets: Collection[str], zone: str
) -> tuple[list[Dependency], list[Problem]]:
    """Return the operator's dependencies and what is wrong with their rows; times are on the clock of ``zone``."""
    problems: list[Problem] = []
    made = []
    for number, row in enumerate(doc.depends):
        node = tree.at("depends", number)
        problems += _unknown(row, node, assets)
        problems += _weighed(row, node)
        since, until, wrong = _times(row, node, zone)
        problems += wrong
        at_least = row.at_least or 0.0
        made.append(
            Dependency(
                row.asset, row.on, row.mode, row.confirmed, row.source, row.weights, at_least, since, until, row.as_of
            )
        )
    return made, problems + _cycles(doc, tree)


def _unknown(row: DependRow, node: Node, assets: Collection[str]) -> list[Problem]:
    places: list[tuple[str | int, Node, str]] = [("asset", node, row.asset)]
    places += [(index, node.at("on"), name) for index, name in enumerate(row.on)]
    problems = [
        at.problem(f'unknown asset "{name}"{did_you_mean(name, assets)}', key=key)
        for key, at, name in places
        if name not in assets
    ]
    twice = next((index for index, name in enumerate(row.on) if name in row.on[:index]), None)
    if twice is not None:
        problems.append(node.at("on").problem(f'"{row.on[twice]}" stands here twice', key=twice))
    return problems


def _weighed(row: DependRow, node: Node) -> list[Problem]:
    """Weights go with mode weight alone, one for each need, and what is asked for can be met."""
    if row.mode != "weight":
        return [
            node.problem(f"says nothing with mode: {row.mode}", "mode: weight", key=key)
            for key, given in (("weights", row.weights), ("at_least", row.at_least))
            if given
        ]
    problems = []
    if len(row.weights) != len(row.on):
        message = f"{len(row.weights)} weights for {len(row.on)} needs"
        problems.append(node.problem(message, 'one for each of "on", in one unit: Gbit/s, kW', key="weights"))
    if row.at_least is None:
        problems.append(node.problem("missing", "what those that are left must weigh together", key="at_least"))
    elif row.weights and row.at_least > sum(row.weights):
        message = f"{row.at_least:g} is more than all weights together: it could never work"
        problems.append(node.problem(message, f"at most {sum(row.weights):g}", key="at_least"))
    return problems


def _times(row: DependRow, node: Node, zone: str) -> tuple[datetime | None, datetime | None, list[Problem]]:
    """Return from when until when it holds."""
    problems: list[Problem] = []
    found: dict[str, datetime | None] = {}
    for key, text in (("from", row.since), ("until", row.until)):
        try:
            found[key] = day(text, zone) if text else None
        except ValueError as error:
            message, _, expected = str(error).partition("; expected ")
            found[key] = None
            problems.append(node.problem(message, expected, key=key))
    since, until = found["from"], found["until"]
    if since and until and until <= since:
        problems.append(node.problem("ends before it begins", 'a time after "from"', key="until"))
    return since, until, problems


def _cycles(doc: Document, tree: Node) -> list[Problem]:
    needs: dict[str, list[str]] = {}
    for row in doc.depends:
        needs.setdefault(row.asset, []).extend(row.on)
    problems = []
    for way in cycles(needs):
        number = next(n for n, row in enumerate(doc.depends) if row.asset == way[0] and way[1] in row.on)
        problems.append(tree.at("depends", number).problem(f"depends on itself: {' -> '.join(way)}", key="on"))
    return problems


def cycles(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return cycles as the way around them, until what is left has none."""
    left = {name: list(below) for name, below in needs.items()}
    found: list[list[str]] = []
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            way = list(reversed(error.args[1]))
            found.append(way)
            left[way[0]].remove(way[1])
        else:
            return found


def orphans(doc: Document, tree: Node, checks: Iterable[Check]) -> list[Problem]:
    """Tell of confirmed dependencies that hang together and with nothing that is watched: they explain no failure.

    To be asked when nothing else is wrong: a row that was left out may be what they hang together by.
    """
    watched = {asset for check in checks for asset in check.tells_of}
    problems = []
    for group in _groups(doc.depends):
        rows = [doc.depends[number] for number in group]
        if any(name in watched for row in rows for name in (row.asset, *row.on)) or not any(r.confirmed for r in rows):
            continue
        way = _way(rows)
        message = f"nothing that is watched hangs together with {' -> '.join(way)}"
        expected = f'a target for one of them: "{way[0]} ADDRESS"'
        first = next(number for number in group if doc.depends[number].asset == way[0])
        problems.append(tree.at("depends", first).problem(message, expected, key="asset"))
    return problems


def _groups(rows: Sequence[DependRow]) -> list[list[int]]:
    """Return the numbers of the rows that name a common asset, directly or through others."""
    homes: list[tuple[set[str], list[int]]] = []
    for number, row in enumerate(rows):
        names, numbers = {row.asset, *row.on}, [number]
        for home in [home for home in homes if home[0] & names]:
            homes.remove(home)
            names, numbers = names | home[0], home[1] + numbers
        homes.append((names, numbers))
    return [sorted(numbers) for _, numbers in homes]


def _way(rows: Sequence[DependRow]) -> list[str]:
    """Return a way from what nothing needs down to what needs nothing; there is no cycle."""
    needs = {row.asset: row.on[0] for row in reversed(rows)}
    needed = {name for row in rows for name in row.on}
    name = next(row.asset for row in rows if row.asset not in needed)
    way = [name]
    while (name := needs.get(name, "")) and name not in way:
        way.append(name)
    return way
