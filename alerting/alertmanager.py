"""Alertmanager's API v2, as JSON comes in and goes out (its api/v2/openapi.yaml). Pure; every input has its bounds."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from alerting.directory import Inhibition, Route, Silence
from alerting.foreign import RESOLVE, Foreign, Posted, fingerprint
from alerting.gate import Rules
from alerting.match import Labels, Matcher, checked, labels, matches, parse
from alerting.model import Alert
from alerting.route import taken
from alerting.silence import Wish

MOST_ALERTS = 1000
"""In one request; Prometheus sends 64."""
MOST_LABELS = 64
LONGEST_NAME = 128
LONGEST_VALUE = 1024
"""Of a label; longer, and the alert is refused, for labels say which it is."""
LONGEST_TEXT = 4096
"""Of an annotation; the rest is cut off."""
MOST_MATCHERS = 20
MOST_INHIBITORS = 10
"""That are named, for each rule; as incidents, where Alertmanager names fingerprints."""
KEEP = timedelta(days=5)
"""So long are silences listed that have ended: Alertmanager's retention."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
HOW = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
"""isEqual, isRegex."""


class Unfit(ValueError):  # noqa: N818 - it is an answer, not an accident
    """A request that cannot be served; ``said`` is the answer's body, ``status`` its code."""

    def __init__(self, text: str, status: int = 400, code: int = 0) -> None:
        super().__init__(text)
        self.status = status
        self.said: str | dict[str, Any] = {"code": code, "message": text} if code else text


def _load(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unfit(f"parsing the body failed: {str(error)[:200]}", code=400) from None


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unfit(f"{where}: expected an object", code=400)
    return value


def postable_alerts(body: bytes, now: datetime) -> tuple[list[Posted], list[str]]:
    """Read ``POST /api/v2/alerts``: the reports, and what is wrong with others beside them; raises Unfit."""
    found = _load(body)
    if not isinstance(found, list):
        raise Unfit("expected an array of alerts", code=400)
    if len(found) > MOST_ALERTS:
        raise Unfit(f"{len(found)} alerts in one request; at most {MOST_ALERTS}", code=400)
    rows = [_row(number, value) for number, value in enumerate(found)]
    posts, wrong = [], []
    for row in rows:
        try:
            posts.append(_posted(row, now))
        except ValueError as error:
            wrong.append(str(error))
    return posts, wrong


@dataclass(frozen=True, slots=True)
class _Row:
    """An alert of a well-formed request."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    began: datetime | None
    until: datetime | None
    generator: str


def _row(number: int, value: Any) -> _Row:
    """Take the form; one alert of another form spoils the request, as at Alertmanager."""
    row = _object(value, str(number))
    if row.get("labels") is None:
        raise Unfit(f"{number}.labels in body is required", 422, 602)
    generator = row.get("generatorURL") or ""
    if not isinstance(generator, str):
        raise Unfit(f"{number}.generatorURL: expected a text", code=400)
    given, notes = (_texts(row.get(key), f"{number}.{key}") for key in ("labels", "annotations"))
    return _Row(given, notes, _stamp(row, "startsAt", number), _stamp(row, "endsAt", number), _link(generator))


def _texts(value: Any, where: str) -> Mapping[str, str]:
    found = _object({} if value is None else value, where)
    for name, text in found.items():
        if not isinstance(text, str):
            raise Unfit(f"{where}.{name[:40]}: expected a text", code=400)
    return {_clean(name): _clean(text) for name, text in found.items() if text}


def _clean(text: str) -> str:
    """Replace halves of surrogate pairs, which no file and no wire takes."""
    return text.encode("utf-8", "replace").decode()


def _stamp(row: Mapping[str, Any], key: str, number: int) -> datetime | None:
    """Read a moment of RFC 3339; Go's zero stands for none."""
    text = row.get(key)
    if text is None or text == "":
        return None
    fits = isinstance(text, str) and _STAMP.fullmatch(text)
    try:
        found = datetime.fromisoformat(str(text).upper() if fits else "").astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unfit(f"{number}.{key}: {str(text)[:40]!r} is no time of RFC 3339", code=400) from None
    return None if found.year == 1 else found


def _link(url: str) -> str:
    """Keep a link that may be shown: http or https, at most 2048 characters."""
    try:
        parts = urlsplit(url)
        fit = parts.scheme in {"http", "https"} and bool(parts.hostname) and len(url) <= 2048
    except ValueError:
        return ""
    return _clean(url) if fit else ""


def _posted(row: _Row, now: datetime) -> Posted:
    """Complete a report as Alertmanager does; ValueError with its words."""
    began = row.began or (min(row.until, now) if row.until else now)
    until = row.until or now + RESOLVE
    if not row.labels:
        raise ValueError("at least one label pair required")
    if len(row.labels) > MOST_LABELS:
        raise ValueError(f"invalid label set: {len(row.labels)} labels; at most {MOST_LABELS}")
    for name, value in row.labels.items():
        if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            raise ValueError(f'invalid label set: invalid name "{name[:LONGEST_NAME]}"')
        if len(value) > LONGEST_VALUE:
            raise ValueError(f"invalid label set: {name} has {len(value)} characters; at most {LONGEST_VALUE}")
    if until < began:
        raise ValueError("start time must be before end time")
    notes = {name[:LONGEST_NAME]: text[:LONGEST_TEXT] for name, text in list(row.annotations.items())[:MOST_LABELS]}
    return Posted(row.labels, notes, began, until, row.until is not None, row.generator)


def postable_silence(body: bytes, now: datetime) -> tuple[str, Wish]:
    """Read ``POST /api/v2/silences``: the id of the one it replaces, or "", and the wish; raises Unfit."""
    asked = _object(_load(body), "silence")
    rows = asked.get("matchers")
    if not isinstance(rows, list) or not rows:
        raise Unfit("matchers in body should have at least 1 items", 422, 612)
    if len(rows) > MOST_MATCHERS:
        raise Unfit(f"silence invalid: {len(rows)} matchers; at most {MOST_MATCHERS}")
    since, until = _stamp(asked, "startsAt", 0), _stamp(asked, "endsAt", 0)
    if until is None or until <= now:
        raise Unfit("Failed to create silence: end time can't be in the past")
    author, reason = (" ".join(_clean(str(asked.get(key) or "")).split()) for key in ("createdBy", "comment"))
    match = tuple(_matcher(row, number) for number, row in enumerate(rows))
    return str(asked.get("id") or ""), Wish(match, max(since or now, now), until, author[:80], reason[:200])


def _matcher(value: Any, number: int) -> Matcher:
    row = _object(value, f"matchers.{number}")
    name, text = row.get("name"), row.get("value")
    if not isinstance(name, str) or not isinstance(text, str) or not _NAME.fullmatch(name) or len(text) > 300:
        raise Unfit(f"silence invalid: invalid label matcher {number}")
    try:
        return checked(Matcher(name, HOW[row.get("isEqual") is not False, row.get("isRegex") is True], _clean(text)))
    except ValueError as error:
        raise Unfit(f"silence invalid: invalid label matcher {number}: {error}") from None


def filters(texts: Iterable[str]) -> list[Matcher]:
    """Read the matchers of a query; raises Unfit."""
    try:
        return [parse(text) for text in texts]
    except ValueError as error:
        raise Unfit(f"bad matcher format: {error}") from None


def gettable_silence(one: Silence, now: datetime) -> dict[str, Any]:
    """Return a silence as ``GET /api/v2/silences`` gives it."""
    state = "expired" if one.until <= now else "pending" if one.since > now else "active"
    return {
        "id": one.id,
        "status": {"state": state},
        "updatedAt": stamp(one.until if state == "expired" else one.since),
        "startsAt": stamp(one.since),
        "endsAt": stamp(one.until),
        "createdBy": one.author,
        "comment": one.reason,
        "matchers": [
            {
                "name": each.label,
                "value": each.value,
                "isRegex": "~" in each.how,
                "isEqual": not each.how.startswith("!"),
            }
            for each in one.match
        ],
    }


def silence_labels(one: Silence) -> dict[str, str]:
    """Return what a filter of silences compares: Alertmanager takes a matcher's value for that of a label."""
    return {each.label: each.value for each in one.match}


class Quiet:
    """What keeps open alerts back: found once for all of them, for there may be thousands."""

    def __init__(self, rules: Rules, now: datetime) -> None:
        self._silences = [one for one in rules.silences if one.since <= now < one.until]
        open_ = [(one.incident, labels(one)) for one in rules.open]
        self._sources = [(rule, _sources(rule, open_)) for rule in rules.directory.inhibitions]

    def silenced(self, known: Labels) -> list[str]:
        """Return the ids of the silences that cover an alert with these labels."""
        return [one.id for one in self._silences if matches(one.match, known)]

    def inhibited(self, incident: str, known: Labels) -> list[str]:
        """Return some of the incidents that inhibit it."""
        found: dict[str, None] = {}
        for rule, sources in self._sources:
            if matches(rule.target, known):
                both = matches(rule.source, known)
                alike = sources.get(_key(rule, known), ())
                others = (name for name, too in alike if name != incident and not (both and too))
                found.update(dict.fromkeys(islice(others, MOST_INHIBITORS)))
        return list(found)


def _sources(rule: Inhibition, open_: Iterable[tuple[str, Labels]]) -> Mapping[tuple[str, ...], list[tuple[str, bool]]]:
    """Return what may inhibit by a rule, by the labels that must agree; and whether it could be inhibited too."""
    found: dict[tuple[str, ...], list[tuple[str, bool]]] = {}
    for incident, known in open_:
        if matches(rule.source, known):
            found.setdefault(_key(rule, known), []).append((incident, matches(rule.target, known)))
    return found


def _key(rule: Inhibition, known: Labels) -> tuple[str, ...]:
    return tuple(known.get(name, "") for name in rule.equal)


def gettable_alert(
    alert: Alert, source: Foreign | None, quiet: Quiet, routes: Sequence[Route], now: datetime
) -> dict[str, Any]:
    """Return an open alert as ``GET /api/v2/alerts`` gives it; ``source``: what was reported, where it is not ours."""
    known = labels(alert)
    given = dict(source.labels) if source else named(alert)
    silenced, inhibited = quiet.silenced(known), quiet.inhibited(alert.incident, known)
    notes = {"summary": alert.what, "description": alert.reason}
    return {
        "labels": given,
        "annotations": {**(source.annotations if source else notes), "incident": alert.incident},
        "fingerprint": fingerprint(given),
        "startsAt": stamp(alert.opened),
        "endsAt": stamp(source.until if source else now + RESOLVE),
        "updatedAt": stamp(source.heard if source else alert.changed),
        "generatorURL": alert.url,
        "receivers": [{"name": route.name} for route in taken(alert, routes)],
        "status": {
            "state": "suppressed" if silenced or inhibited else "active",
            "silencedBy": silenced,
            "inhibitedBy": inhibited,
        },
    }


def named(alert: Alert) -> dict[str, str]:
    """Return the labels of an incident of ours, which has a kind in place of an alertname."""
    return {"alertname": alert.kind, **{name: value for name, value in labels(alert).items() if value}}


def wanted(shown: Mapping[str, Any], flags: Mapping[str, bool]) -> bool:
    """Whether a query asks for an alert; ``flags``: active, silenced, inhibited."""
    status = shown["status"]
    return (
        (flags["active"] or status["state"] != "active")
        and (flags["silenced"] or not status["silencedBy"])
        and (flags["inhibited"] or not status["inhibitedBy"])
    )


def status(version: str, started: datetime) -> dict[str, Any]:
    """Return what ``GET /api/v2/status`` gives: there is no cluster, and no file of Alertmanager's to show."""
    build = dict.fromkeys(("branch", "buildDate", "buildUser", "goVersion", "revision"), "")
    return {
        "cluster": {"status": "disabled", "peers": []},
        "versionInfo": {**build, "version": f"lambi {version}"},
        "config": {"original": "# Lambi's routes stand in its own files: lambi route explain\n"},
        "uptime": stamp(started),
    }


def stamp(at: datetime) -> str:
    """Write a moment as RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown_alerts(
    alerts: Sequence[tuple[Alert, Foreign | None]], rules: Rules, flags: Mapping[str, bool], now: datetime
) -> list[dict[str, Any]]:
    """Return what a query of alerts gives, in the order of fingerprints."""
    quiet, routes = Quiet(rules, now), rules.directory.routes
    found = [gettable_alert(alert, source, quiet, routes, now) for alert, source in alerts]
    return sorted((one for one in found if wanted(one, flags)), key=lambda one: str(one["fingerprint"]))


def shown_groups(
    alerts: Sequence[tuple[Alert, Foreign | None]], rules: Rules, flags: Mapping[str, bool], now: datetime
) -> list[dict[str, Any]]:
    """Return what a query of groups gives: by the routes that take them, what leaves together; a route that does not
    group tells each by itself."""
    quiet, routes = Quiet(rules, now), rules.directory.routes
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[dict[str, Any]]] = {}
    for alert, source in alerts:
        shown, known = gettable_alert(alert, source, quiet, routes, now), labels(alert)
        for route in taken(alert, routes) if wanted(shown, flags) else ():
            by = (
                {"incident": alert.incident}
                if route.group_by is None
                else {n: known.get(n, "") for n in route.group_by}
            )
            groups.setdefault((route.name, tuple(sorted(by.items()))), []).append(shown)
    return [
        {
            "labels": dict(by),
            "receiver": {"name": name},
            "alerts": sorted(members, key=lambda one: str(one["fingerprint"])),
        }
        for (name, by), members in sorted(groups.items())
    ]
