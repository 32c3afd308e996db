"""Templates, inventory and targets -> checks: who is asked what, how often, and by which rule."""

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from monitor.config.assets import active
from monitor.config.channels import read_secret
from monitor.config.nodes import Node
from monitor.config.problems import Problem, did_you_mean
from monitor.config.registry import checked, construct, secrets, settings_model
from monitor.config.rows import Inventory, NameserverRow
from monitor.config.schema import Document, RuleRow, TargetRow, Template
from monitor.config.validate import Fault, placed
from monitor.model import Asset, Baseline, Check, Rule, Threshold
from probes import PROBES
from probes.model import Target

_FIRST = "icmp"
"""What is asked of a target when neither it nor the template of its kind names a probe."""
_PARTED = "snmp"
"""The one probe whose parts may carry other assets."""
_NAMED = "http"
"""The one probe that takes a host name or a URL and resolves it."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One place that says how to ask: a template, or a target's own keys."""

    every: float | None
    timeout: float | None
    rule: str | None
    settings: Mapping[str, Any]
    node: Node


@dataclass(frozen=True, slots=True)
class Plan:
    """How one kind of question is asked of one kind of asset."""

    every: float
    timeout: float
    rule: Rule
    families: tuple[int, ...]
    settings: Mapping[str, Any]
    places: Mapping[str, Node]
    """Which layer gave a setting."""


@dataclass(slots=True)
class Checks:
    """Collects checks and what is wrong with them."""

    doc: Document
    tree: Node
    problems: list[Problem] = field(default_factory=list)
    made: dict[str, Check] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    """Where secrets may stand."""
    asked: Mapping[str, Mapping[str, Template]] = field(init=False)
    """Kind of asset, or "any" -> probe -> how it is asked."""

    def __post_init__(self) -> None:
        """Take the templates by plain names."""
        self.asked = {str(kind): probes for kind, probes in self.doc.checks.items()}

    def templates(self) -> None:
        """Look at every template, also at those that no check uses yet."""
        for kind, probes in self.asked.items():
            for probe in probes:
                node = self.tree.at("checks", kind, probe)
                if probe in PROBES:
                    self._plan(probe, self._layers(kind, probe), ())
                else:
                    self.problems.append(node.problem(f'unknown probe "{probe}"{did_you_mean(probe, PROBES)}'))

    def references(self) -> None:
        """Ask every reference of the own-link guard."""
        guard, vantage = self.doc.guard, self.doc.vantage
        node = self.tree.at("guard")
        layer = Layer(guard.every, guard.timeout, guard.rule, {"query": guard.query}, node)
        plan = self._plan("dns", [layer], vantage.families)
        for number, row in enumerate(guard.references):
            for address in row.addresses:
                family = ipaddress.ip_address(address).version
                labels = {"network": row.network, "reference": row.id}
                target = Target(f"reference:{row.id}/{family}", address, family, labels)
                here = node.at("references", number)
                if plan and family in plan.families:
                    self.add(f"vantage:{vantage.id}", target, "dns", plan, here, reference=row.network)

    def nameservers(self, known: Inventory) -> None:
        """Ask every server of every ccTLD for its zone, over both families."""
        plan = self.template("nameserver", "dns")
        for row in known.nameservers if plan else ():
            for target in _servers(row):
                if plan and target.family in plan.families:
                    query, serves = {"query": f"{row.cctld}."}, (f"cctld:{row.cctld}",)
                    asset = f"nameserver:{row.ns_host}"
                    self.add(asset, target, "dns", plan, self.tree, settings=query, serves=serves)

    def websites(self, known: Inventory) -> None:
        """Ask for the front page of every active exchange's web site."""
        plan = self.template("website", "http")
        for row in known.ixps if plan else ():
            if row.website and active(row) and plan:
                for family in plan.families:
                    asset = f"website:ixp-{row.ixp_id}"
                    self.add(asset, Target(f"{asset}/{family}", row.website, family), "http", plan, self.tree)

    def targets(self, assets: Mapping[str, Asset], named: Collection[str]) -> None:
        """Ask what the operator added; ``named``: also the assets whose row has a problem of its own."""
        for number, row in enumerate(self.doc.targets):
            node = self.tree.at("targets", number)
            asset = assets.get(row.asset)
            kind = row.probe or self._usual(row.asset.partition(":")[0])
            if asset is None and row.asset in named:
                continue
            if asset is None:
                near = did_you_mean(row.asset, assets)
                self.problems.append(node.problem(f'unknown asset "{row.asset}"{near}', key="asset"))
            elif kind not in PROBES:
                near = did_you_mean(kind, PROBES)
                self.problems.append(node.problem(f'unknown probe "{kind}"{near}', key="probe"))
            elif kind != _NAMED and ("://" in row.address or not _literal(row.address)):
                message = f"probe {kind} asks an address, not a name"
                self.problems.append(node.problem(message, "an IP address", key="address"))
            else:
                self._carried(row, kind, node, {*assets, *named})
                self._target(row, asset, kind, node)

    def _carried(self, row: TargetRow, kind: str, node: Node, known: Collection[str]) -> None:
        """Tell of what an interface cannot carry."""
        if row.carries and kind != _PARTED:
            self.problems.append(node.problem(f"says nothing with probe {kind}", f"probe: {_PARTED}", key="carries"))
        for part, name in row.carries.items():
            if name not in known:
                wrong = f'unknown asset "{name}"{did_you_mean(name, known)}'
                self.problems.append(node.at("carries").problem(wrong, key=part))
            elif name == row.asset:
                wrong = "its own device: what an interface carries is another asset"
                self.problems.append(node.at("carries").problem(wrong, "such as a cable", key=part))

    def _target(self, row: TargetRow, asset: Asset, kind: str, node: Node) -> None:
        own = Layer(row.every, row.timeout, row.rule, row.settings, node)
        plan = self._plan(kind, [*self._layers(asset.kind, kind), own], self._families(row, asset.kind, kind))
        if plan is None:
            return
        if kind == "dns" and "query" not in plan.settings:
            self.problems.append(node.problem("which name to ask?", 'settings: {query: "bb."}', key="settings"))
            return
        for family in plan.families:
            label = row.name or row.address.partition("://")[2].strip("/") or row.address
            both = f"/{family}" if len(plan.families) > 1 else ""
            target = Target(f"{asset.id}/{label}{both}", row.address, family)
            self.add(asset.id, target, kind, plan, node, local=row.local, carries=row.carries)

    def _usual(self, kind: str) -> str:
        return next(iter(self.asked.get(kind, {})), _FIRST)

    def _families(self, row: TargetRow, kind: str, probe: str) -> tuple[int, ...]:
        """An IP literal has its family; a name is asked over those of the target, the template, or IPv4."""
        literal = _literal(row.address)
        return (literal,) if literal else row.families or self._template_families(kind, probe) or (4,)

    def _template_families(self, kind: str, probe: str) -> tuple[int, ...] | None:
        found = None
        for name in ("any", kind):
            template = self.asked.get(name, {}).get(probe)
            found = template.families if template and template.families else found
        return found

    def template(self, kind: str, probe: str) -> Plan | None:
        """Return the plan of a kind that the inventory feeds, or None when its template is absent or wrong."""
        if probe not in self.asked.get(kind, {}):
            return None
        families = self._template_families(kind, probe) or self.doc.vantage.families
        return self._plan(probe, self._layers(kind, probe), families)

    def _layers(self, kind: str, probe: str) -> list[Layer]:
        layers = []
        for name in dict.fromkeys(("any", kind)):
            template: Template | None = self.asked.get(name, {}).get(probe)
            if template is not None:
                node = self.tree.at("checks", name, probe)
                layers.append(Layer(template.every, template.timeout, template.rule, template.settings, node))
        return layers

    def _plan(self, probe: str, layers: list[Layer], families: Iterable[int]) -> Plan | None:
        """Lay the layers over each other; None after a problem, which is told where it stands."""
        every, timeout = _last(layers, "every"), _last(layers, "timeout")
        rule = self.rule(*_last(layers, "rule"))
        before = len(self.problems)
        settings: dict[str, Any] = {}
        places: dict[str, Node] = {}
        for layer in layers:
            values, wrong = _settings(probe, layer)
            self.problems += wrong
            settings |= values
            places |= dict.fromkeys(values, layer.node)
        if every[0] is None or timeout[0] is None:
            what = "every" if every[0] is None else "timeout"
            message = f"nothing says {what} for probe {probe}"
            self.problems.append(layers[-1].node.problem(message, f"checks.any.{probe}.{what}", key=what))
        elif timeout[0] >= every[0]:
            self.problems.append(_too_slow(layers, every, timeout))
        if len(self.problems) > before or every[0] is None or timeout[0] is None:
            return None
        seen = tuple(family for family in families if family in self.doc.vantage.families)
        return Plan(every[0], timeout[0], rule, seen, settings, places)

    def rule(self, name: str | None, node: Node) -> Rule:
        """Return the rule of that name; one that is unknown is told, and the look at the rest goes on."""
        row = self.doc.rules.get(name or "default")
        if row is None:
            near = did_you_mean(name or "default", self.doc.rules)
            self.problems.append(node.problem(f'unknown rule "{name or "default"}"{near}', key="rule"))
            return Rule()
        return rule_of(row)

    def add(
        self,
        asset: str,
        target: Target,
        kind: str,
        plan: Plan,
        node: Node,
        *,
        settings: Mapping[str, Any] | None = None,
        serves: tuple[str, ...] = (),
        reference: str = "",
        local: bool = False,
        carries: Mapping[str, str] | None = None,
    ) -> None:
        """Make one check; the inventory's settings win over the template's."""
        values = {**self._agent(kind), **plan.settings, **(settings or {})}
        hidden = [self._open(key, values, plan.places.get(key, node)) for key in secrets(PROBES[kind]) if key in values]
        if not all(hidden):
            return
        probe, wrong = construct(PROBES[kind], values)
        if wrong:
            self.problems += [placed(_inside(fault), plan.places.get(_key(fault), node)) for fault in wrong]
            return
        name = _name(kind, values)
        identity = f"{target.id}/{kind}" + (f"/{name}" if name else "")
        if identity in self.made:
            self.problems.append(node.problem(f'a second check "{identity}"', "another address, or a name", key="name"))
            return
        self.made[identity] = Check(
            identity,
            asset,
            target,
            kind,
            probe,
            plan.every,
            plan.timeout,
            plan.rule,
            serves,
            reference,
            local,
            carries or {},
        )

    def _open(self, key: str, values: dict[str, Any], node: Node) -> bool:
        """Put a secret where its place stands; False after a problem."""
        if values[key] is None:
            del values[key]
            return True
        values[key], problem = read_secret(values[key], node.at("settings", key), self.environ)
        self.problems += [problem] if problem else []
        return problem is None

    def _agent(self, kind: str) -> dict[str, str]:
        has = "agent" in settings_model(PROBES[kind]).model_fields
        return {"agent": self.doc.user_agent} if has and self.doc.user_agent else {}


def _literal(address: str) -> int:
    """Return the family of an IP literal, also of one in a URL; 0 for a name."""
    host = urlsplit(address).hostname or "" if "://" in address else address
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return 0


def _servers(row: NameserverRow) -> Iterator[Target]:
    """Yield a target per glue address: ``nameserver:HOST/4``, a second one ``nameserver:HOST/4-2``."""
    for family, addresses in ((4, row.glue_v4), (6, row.glue_v6)):
        for number, address in enumerate(addresses, 1):
            yield Target(f"nameserver:{row.ns_host}/{family}" + (f"-{number}" if number > 1 else ""), address, family)


def _last(layers: list[Layer], key: str) -> tuple[Any, Node]:
    """Return the value that wins, and the place that says it."""
    found = (None, layers[-1].node)
    for layer in layers:
        value = getattr(layer, key)
        found = (value, layer.node) if value is not None else found
    return found


def _too_slow(layers: list[Layer], every: tuple[float, Node], timeout: tuple[float, Node]) -> Problem:
    """Point to the cadence or the timeout, whichever was laid on top."""
    nodes = [layer.node for layer in layers]
    key, _, node = max(
        (("every", False, every[1]), ("timeout", True, timeout[1])),
        key=lambda place: (nodes.index(place[2]), place[2].at(place[0]).where.file == place[2].where.file, place[1]),
    )
    if key == "every":
        return node.problem(f"{every[0]:g} s is not longer than the timeout of {timeout[0]:g} s", key=key)
    return node.problem(f"{timeout[0]:g} s is not shorter than the cadence of {every[0]:g} s", key=key)


def _settings(probe: str, layer: Layer) -> tuple[dict[str, Any], list[Problem]]:
    """Check one layer's settings; what it leaves out another layer may give."""
    values, wrong = checked(PROBES[probe], dict(layer.settings))
    return values, [placed(_inside(fault), layer.node) for fault in wrong]


def _inside(fault: Fault) -> Fault:
    """The file keeps a probe's settings under a key of their own."""
    return Fault(("settings", *fault.location), fault.message, fault.expected)


def _key(fault: Fault) -> str:
    return str(fault.location[0]) if fault.location else ""


def rule_of(row: RuleRow) -> Rule:
    """Return what a row says of the evidence a verdict needs."""
    limits = tuple(Threshold(limit.key, limit.above, limit.below) for limit in row.thresholds)
    usual = tuple(Baseline(one.key, one.least, one.above, one.below) for one in row.baselines)
    graded, comes = (row.degraded_fall, row.degraded_rise), (row.flap, row.steady)
    return Rule(row.fall, row.rise, row.silence, row.refusal, limits, *graded, *comes, row.agree, usual)


def _name(kind: str, settings: Mapping[str, Any]) -> str:
    """Several questions of one kind to one target are told apart by this: the zone that is asked, the port."""
    if kind == "dns":
        return str(settings.get("query", ".")).rstrip(".") or "root"
    return str(settings.get("port", ""))
