"""Tells one history in full: what depends on what, what befell, what was seen, what was claimed."""

from collections.abc import Iterable, Iterator

from bench.alertrules import Alerts
from bench.scoring import Score, describe, score
from bench.truth import History
from bench.watching import BEGINNINGS, claims_of, watch
from monitor.model import World
from monitor.replay import Record


def explain(history: History) -> Iterator[str]:
    """Yield the lines."""
    yield f"seed {history.seed!r}, class {history.noise}, {history.seconds:.0f} s, from {', '.join(history.vantages)}"
    yield (
        f"noise: {history.chance.loss:.1%} of looks lost, {history.chance.late:.1%} late, "
        f"clock steps {dict(history.chance.steps) or 'none'}"
    )
    yield from _section("needs", _needs(history))
    yield from _section("truth", _truth(history))
    record = watch(history)
    yield from _section("signals and changes", _record(record, history.configured))
    claims = claims_of(record, history.configured)
    yield from _section("score", _score(score(history, claims, _begun(record), 0)))
    yield from _section("alert rules", _score(Alerts(history).run()))


def _begun(record: Record) -> int:
    return sum(message.reason in BEGINNINGS for message in record.told)


def _section(name: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"\n{name}"
    yield from (f"  {line}" for line in lines)


def _needs(history: History) -> Iterator[str]:
    """What depends on what; a line in which the operators err is marked."""
    believed = {_line(each.asset, each.needs, each.mode) for each in history.configured.dependencies}
    true = {_line(each.asset, each.needs, each.mode) for each in history.true.dependencies}
    families: dict[str, list[str]] = {}
    for check in history.true.checks.values():
        if not check.reference:
            zone = f" for {','.join(check.serves)}" if check.serves else ""
            families.setdefault(check.asset, []).append(f"v{check.target.family}{zone}")
    for line in sorted(true | believed):
        mark = "" if line in true & believed else "  << not configured" if line in true else "  << configured, not so"
        yield line + mark
    for asset in sorted(history.true.assets):
        if not asset.startswith(("cctld:", "vantage:")):
            yield f"{asset}: watched {', '.join(families[asset])}" if asset in families else f"{asset}: not watched"


def _line(asset: str, needs: Iterable[str], mode: str) -> str:
    return f"{asset} needs {' and '.join(needs) if mode == 'all' else ' or '.join(needs)}"


def _truth(history: History) -> Iterator[str]:
    spells = {(fault.broken.asset, fault.since): fault.spells for fault in history.faults}
    for cause in history.causes:
        word = "must be found" if cause.required else "need not be found"
        yield f"{describe(cause)}: seen for {cause.visible:.0f} s, {word}; {len(cause.effects)} checks fail for it"
        known = spells.get((cause.asset, cause.since), ())
        if len(known) > 1:
            yield "    in spells " + ", ".join(f"{since:.0f}-{until:.0f}" for since, until in known)
        if cause.effects and len(cause.effects) <= 12:
            yield f"    {', '.join(sorted(cause.effects))}"


def _record(record: Record, world: World) -> Iterator[str]:
    lines: list[tuple[float, int, str]] = []
    for seconds, signal in record.signals:
        known = world.checks.get(signal.check)
        every = f" every {known.every:.0f} s" if known else ""
        lines.append((seconds, 0, f"{signal.check}{every}: {signal.old} -> {signal.new}: {signal.reason}"))
    for seconds, change in record.changes:
        incident = change.incident
        last = incident.timeline[-1].text if incident.timeline else ""
        children = f"; behind it {', '.join(incident.children)}" if incident.children else ""
        lines.append((seconds, 1, f"** {incident.id} {change.what}: {incident.title} ({last}){children}"))
    told = [(m.seconds, 2, f">> told of {m.incident}: {m.reason}, {m.severity}") for m in record.told]
    for seconds, _, text in sorted([*lines, *told], key=lambda line: line[:2]):
        yield f"{seconds:7.1f} {text}"


def _score(found: Score) -> Iterator[str]:
    yield (
        f"found {found.found} of {found.required} required causes, {found.right} rightly named; {found.claims} claims, "
        f"{found.again} once more, {found.false} false; {found.beginnings} beginnings told"
    )
    yield from found.remarks
