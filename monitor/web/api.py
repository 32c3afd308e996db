"""/api/v1: facts as JSON with stable names (docs/api.md). Times are RFC 3339 in UTC, null where there is none."""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from monitor.model import Dependency, Incident, Window
from monitor.posture import Posture
from monitor.views import AssetView, CheckView, Coverage, Snapshot, ToldRow
from monitor.web import facts, view, words
from monitor.web.domain import Domain, domain
from monitor.web.history import Shown, stamp


def dump(fact: Mapping[str, object]) -> str:
    """Write JSON that holds no bare NaN: what is no number is null."""
    return json.dumps(_finite(fact), ensure_ascii=False, allow_nan=False) + "\n"


def _finite(fact: Any) -> Any:
    if isinstance(fact, dict):
        return {key: _finite(value) for key, value in fact.items()}
    if isinstance(fact, list):
        return [_finite(value) for value in fact]
    return None if isinstance(fact, float) and not math.isfinite(fact) else fact


def _time(when: datetime | None) -> str | None:
    return stamp(when) if when else None


def status(snapshot: Snapshot, headline: str, base_url: str) -> facts.Status:
    """The region in one object: counts, what is open, whether this vantage sees the world."""
    region = view.region(snapshot)
    blind = view.blindness(snapshot)
    return {
        "at": stamp(snapshot.at),
        "site": snapshot.site,
        "headline": headline,
        "vantage": {
            "asset": snapshot.world.vantage,
            "cannot_see_the_world": [
                {"family": family, "since": _time(since), "reason": reason} for family, since, reason in blind.families
            ],
        },
        "watched": {phase.value: count for phase, count in region.tally.items()},
        "watched_total": len(region.watched),
        "not_watched_total": region.unwatched,
        "oldest_look": _time(region.oldest),
        "notes": list(view.notes(snapshot)),
        "exercise": snapshot.health.exercise or None,
        "reported": snapshot.health.reported,
        "postures": [_posture(one) for one in snapshot.postures],
        "territories": [_group(group) for group in region.territories],
        "shared": [_group(group) for group in region.shared],
        "incidents": [incident(one, base_url) for one in snapshot.incidents],
    }


def _posture(one: Posture) -> facts.Posture:
    return {
        "id": one.id,
        "territory": one.territory,
        "level": one.level,
        "since": stamp(one.since),
        "until": stamp(one.until),
        "reason": one.reason,
        "by": one.author,
    }


def _group(group: view.Group) -> facts.Group:
    return {
        "code": group.code,
        "name": group.name,
        "watched": {phase.value: count for phase, count in group.tally.items()},
        "not_watched": dict(group.unwatched),
    }


def assets(snapshot: Snapshot, found: Iterable[AssetView]) -> facts.Assets:
    """Many assets, in brief."""
    return {"at": stamp(snapshot.at), "assets": [_brief(one) for one in found]}


def _brief(one: AssetView) -> facts.Brief:
    return {
        "id": one.asset.id,
        "kind": one.asset.kind,
        "name": one.asset.name,
        "territories": list(one.asset.territories),
        "state": one.phase,
        "since": _time(one.since),
        "reason": one.reason,
        "seen": _time(one.seen),
        "incident": one.incident or None,
    }


def asset(snapshot: Snapshot, one: AssetView) -> facts.Asset:
    """One asset with its checks and what it hangs on."""
    provenance = one.asset.provenance
    return {
        "at": stamp(snapshot.at),
        **_brief(one),
        "maintenance": _window(on) if (on := snapshot.works.now.get(one.asset.id)) else None,
        "maintenance_soon": _window(soon) if (soon := snapshot.works.soon.get(one.asset.id)) else None,
        "facts": dict(one.asset.facts),
        "provenance": {
            "source": provenance.source,
            "as_of": provenance.as_of,
            "confidence": provenance.confidence,
        },
        "domain": _domain(found) if (found := domain(snapshot, one)) else None,
        "checks": [_check(check, snapshot) for check in one.checks],
        "needs": [_dependency(need) for need in one.needs],
        "serves": [
            {"asset": other, "confirmed": need.confirmed if need else True, "by": "dependency" if need else "check"}
            for other, need in view.served(snapshot, one.asset.id)
        ],
    }


def _domain(found: Domain) -> facts.Domain:
    families: list[facts.DomainFamily] = [
        {
            "family": one.family,
            "servers": one.servers,
            "answering": one.answering,
            "unknown": one.unknown,
            "serials": one.serials,
            "lag_seconds": one.lag_seconds,
            "signature_seconds": one.signature_seconds,
            "networks": one.networks,
        }
        for one in found.families
    ]
    return {"zone": found.zone or None, "families": families, "troubles": list(found.troubles)}


def to_confirm(snapshot: Snapshot) -> facts.ToConfirm:
    """What is known of assets and should be confirmed by somebody on the spot."""
    places = snapshot.world.territories
    return {
        "at": stamp(snapshot.at),
        "assets": [
            {
                "id": one.asset.id,
                "kind": one.asset.kind,
                "name": one.asset.name,
                "territories": list(one.asset.territories),
                "why": why,
                "source": one.asset.provenance.source,
                "as_of": one.asset.provenance.as_of,
                "regulators": [places[code].regulator for code in one.asset.territories if places[code].regulator],
            }
            for one, why in view.to_confirm(snapshot)
        ],
    }


def maintenance(snapshot: Snapshot) -> facts.Maintenance:
    """What is on and what is announced: of each window the occurrence that is on, or the next."""
    works = snapshot.works
    return {
        "at": stamp(snapshot.at),
        "on": [_window(window) for window in works.on],
        "coming": [_window(window) for window in works.coming],
    }


def _window(window: Window) -> facts.Window:
    return {
        "id": window.id,
        "asset": window.asset,
        "since": stamp(window.since),
        "until": stamp(window.until),
        "reason": window.reason,
        "by": window.author,
        "below": window.below,
        "rule": window.rule or None,
        "rule_zone": window.zone if window.rule else None,
    }


def _check(check: CheckView, snapshot: Snapshot) -> facts.Check:
    known = snapshot.world.checks.get(check.check)
    return {
        "check": check.check,
        "asset": known.asset if known else None,
        "part": check.part,
        "kind": check.kind,
        "address": check.address,
        "family": check.family,
        "state": check.phase,
        "since": _time(check.since),
        "reason": check.reason,
        "seen": _time(check.seen),
        "every_seconds": check.every,
        "values": dict(check.values),
        "usual": [{"key": u.key, "low": u.low, "high": u.high, "changed": u.changed or None} for u in check.usual],
    }


def _dependency(need: Dependency) -> facts.Need:
    return {
        "needs": list(need.needs),
        "mode": need.mode,
        "weights": list(need.weights),
        "at_least": need.at_least if need.mode == "weight" else None,
        "confirmed": need.confirmed,
        "source": need.source,
        "from": _time(need.since),
        "until": _time(need.until),
        "as_of": need.as_of or None,
        "confidence": need.confidence or None,
    }


def incidents(page: Shown, base_url: str) -> facts.Incidents:
    """Exactly the rows of one page of the history, and for what share of its period this site was looking."""
    asked = page.wanted
    return {
        "since": stamp(asked.since),
        "until": stamp(asked.until),
        "territory": asked.territory,
        "asset": asked.asset,
        "severity": asked.severity,
        "page": asked.page,
        "per": asked.per,
        "more": page.more,
        "coverage": coverage(page.coverage),
        "incidents": [incident(one, base_url) for one in page.incidents],
    }


def coverage(looking: Coverage) -> facts.Coverage:
    """For how much of a period this site was looking."""
    return {
        "looked_seconds": looking.looked_seconds,
        "period_seconds": looking.period_seconds,
        "gaps": [_stretch(*gap) for gap in looking.gaps],
        "maintenance_seconds": looking.maintenance_seconds,
        "maintenance": [_stretch(*stretch) for stretch in looking.maintenance],
    }


def _stretch(since: datetime, until: datetime, why: str) -> facts.Stretch:
    return {"from": stamp(since), "to": stamp(until), "reason": why}


def incident(one: Incident, base_url: str) -> facts.Incident:
    """One incident without its timeline."""
    return {
        "id": one.id,
        "url": f"{base_url}/incidents/{one.id}",
        "open": one.closed is None and not one.silent,
        "severity": one.severity,
        "state": one.phase,
        "kind": one.kind,
        "asset": one.asset,
        "territories": list(one.territories),
        "title": words.told(one),
        "reason": one.reason,
        "left": one.left,
        "unreachable": list(one.children),
        "confidence": one.confidence,
        "evidence": list(one.evidence),
        "people": {"at_least": one.people[0], "at_most": one.people[1]},
        "part_of": one.part_of or None,
        "began": stamp(one.began),
        "opened": stamp(one.opened),
        "changed": stamp(one.changed),
        "closed": _time(one.closed),
        "closing": one.closing,
        "revision": one.revision,
        "runbook": one.runbook or None,
    }


def story(one: Incident, told: Iterable[ToldRow], base_url: str) -> facts.Story:
    """One incident with its timeline and the agencies that were told."""
    return {
        **incident(one, base_url),
        "timeline": [{"at": stamp(entry.at), "what": entry.what, "text": entry.text} for entry in view.timeline(one)],
        "told": [
            {
                "agency": row.agency,
                "channel": row.channel,
                "reason": row.reason,
                "state": row.state,
                "at": stamp(row.at),
            }
            for row in told
        ],
    }
