"""Document and inventory -> World; everything that does not hold together is told."""

from collections.abc import Collection, Iterable, Mapping

from alerting.model import Severity
from monitor.config import assets as made
from monitor.config.bgp import add_bgp
from monitor.config.checks import Checks
from monitor.config.depends import dependencies
from monitor.config.heartbeat import add_peers
from monitor.config.maintenance import home_zone
from monitor.config.nodes import Node
from monitor.config.problems import Problem, did_you_mean, which_territory
from monitor.config.rows import Inventory
from monitor.config.schema import AssetRow, Document, SeverityLine
from monitor.config.strict import KINDS, OWN_KINDS
from monitor.config.zones import add_zones
from monitor.model import Asset, Phase, Provenance, SeverityRow, World


def build(
    doc: Document, tree: Node, known: Inventory, named: Collection[str], environ: Mapping[str, str]
) -> tuple[World, list[Problem]]:
    """Make the world; with problems it is not to be used. ``named``: assets of the files, also of rows left out."""
    problems: list[Problem] = []
    territories = made.territories(known)
    assets = made.assets(known)
    names = {code: territory.name for code, territory in territories.items()}
    problems += _home(doc, tree, names)
    problems += _own_assets(doc, tree, assets, names)
    checks = Checks(doc, tree, environ=environ)
    checks.templates()
    checks.references()
    checks.nameservers(known)
    checks.websites(known)
    add_zones(known, assets, checks)
    problems += add_peers(doc, tree, assets, checks.made, names)
    add_bgp(doc, tree, known, assets, checks)
    checks.targets(assets, named)
    problems += checks.problems
    own, wrong = dependencies(doc, tree, {*assets, *named}, home_zone(doc, territories))
    problems += wrong
    problems += severity_holes(doc.severities, tree.at("severities"))
    settled = {dependency.asset for dependency in own}
    guessed = [
        guess for guess in made.hypotheses(known, assets.values(), doc.vantage.territory) if guess.asset not in settled
    ]
    world = World(
        vantage=f"vantage:{doc.vantage.id}",
        territories=territories,
        assets=assets,
        checks=checks.made,
        dependencies=(*own, *guessed),
        severities=tuple(map(_severity, doc.severities)),
        quorum=doc.guard.quorum,
        settle_seconds=doc.incidents.settle,
        hold_seconds=doc.incidents.hold,
        reopen_seconds=doc.incidents.reopen,
    )
    return world, problems


def _severity(row: SeverityLine) -> SeverityRow:
    severity = row.severity if isinstance(row.severity, Severity) else None
    return SeverityRow(row.kind, Phase(row.phase), severity, row.left, row.people)


def _home(doc: Document, tree: Node, names: Mapping[str, str]) -> list[Problem]:
    code = doc.vantage.territory
    if not code or code in names:
        return []
    near = which_territory(code, names)
    return [
        tree.at("vantage").problem(f'unknown territory "{code}"{near}', "its ISO code, or nothing", key="territory")
    ]


def _own_assets(doc: Document, tree: Node, assets: dict[str, Asset], names: Mapping[str, str]) -> list[Problem]:
    """Add the vantage and the operator's assets."""
    problems = []
    home = (doc.vantage.territory,) if doc.vantage.territory else ()
    identity = f"vantage:{doc.vantage.id}"
    assets[identity] = Asset(identity, "vantage", doc.vantage.name, home, Provenance("config"))
    for number, row in enumerate(doc.assets):
        node = tree.at("assets", number)
        problems += _own_asset(row, node, assets, names)
        own = ((row.territory,) if row.territory else ()) + row.territories
        kind = row.id.partition(":")[0]
        assets.setdefault(row.id, Asset(row.id, kind, row.name, own, Provenance("operator"), _facts(row)))
    return problems


def _facts(row: AssetRow) -> dict[str, str]:
    return row.facts | ({"people_share": row.people_share} if row.people_share else {})


def _own_asset(row: AssetRow, node: Node, assets: Mapping[str, Asset], names: Mapping[str, str]) -> list[Problem]:
    problems = []
    kind = row.id.partition(":")[0]
    if kind not in OWN_KINDS:
        problems.append(node.problem(f'"{kind}" is no kind of asset to add{did_you_mean(kind, OWN_KINDS)}', key="id"))
    elif row.id in assets:
        problems.append(node.problem(f'"{row.id}" is in the inventory already; a target for it is enough', key="id"))
    for code in (row.territory, *row.territories):
        if code and code not in names:
            key = "territory" if code == row.territory else "territories"
            near = which_territory(code, names)
            problems.append(node.problem(f'unknown territory "{code}"{near}', "an ISO code", key=key))
    return problems


def severity_holes(rows: Iterable[SeverityLine], node: Node) -> list[Problem]:
    """Name the kinds of assets and phases that no row decides, and rows that can never be reached."""
    problems = []
    decided: dict[tuple[str, Phase], int] = {}
    for number, row in enumerate(rows):
        reached = [
            kind for kind in (KINDS if row.kind == "*" else (row.kind,)) if (kind, Phase(row.phase)) not in decided
        ]
        if not reached:
            earlier = decided[(KINDS[0] if row.kind == "*" else row.kind, Phase(row.phase))]
            problems.append(node.at(number).problem(f"never reached: severities[{earlier}] decides before it"))
        if row.left is None and row.people is None:
            decided |= {(kind, Phase(row.phase)): number for kind in reached}
    for phase in (Phase.DOWN, Phase.DEGRADED):
        open_kinds = [kind for kind in KINDS if (kind, phase) not in decided]
        if open_kinds:
            missing = "every kind" if len(open_kinds) == len(KINDS) else ", ".join(open_kinds)
            row_text = f'a last row {{kind: "*", phase: {phase}, severity: ...}}'
            problems.append(node.problem(f"no row decides for {missing} {phase}", row_text))
    return problems
