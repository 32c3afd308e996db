"""The ops door: /metrics, with blackbox_exporter's names for what is watched and lambi_* for how we do ourselves."""

from collections.abc import Callable, Iterable
from datetime import datetime

from aiohttp import web

from alerting.model import Severity
from monitor.model import Phase
from monitor.views import AssetView, CheckView, Health, Snapshot
from monitor.web import alertmanager, view
from monitor.web.exposition import CONTENT_TYPE, Family, labels, render
from monitor.web.shield import authorised, headers, shield
from probes.clock import Clock

ANSWERED = frozenset({Phase.UP, Phase.DEGRADED, Phase.RECOVERING})
"""The last look was good."""
SILENT = frozenset({Phase.DOWN, Phase.SUSPECT, Phase.UNREACHABLE})
"""The last look failed. Of what is neither no probe_success is exported: nobody could look, or vantages disagree."""
BLIND = frozenset({Phase.UNKNOWN, Phase.NOT_WATCHED})
"""Nobody could look."""

BLACKBOX: tuple[tuple[str, str, str, str, str], ...] = (
    ("icmp", "rtt_seconds", "probe_icmp_duration_seconds", 'phase="rtt"', "Duration of icmp request by phase"),
    ("icmp", "ttl", "probe_icmp_reply_hop_limit", "", "Replied packet hop limit (TTL for ipv4)"),
    ("dns", "rtt_seconds", "probe_dns_duration_seconds", 'phase="request"', "Duration of DNS request by phase"),
    ("dns", "soa_serial", "probe_dns_serial", "", "Returns the serial number of the zone"),
    (
        "http",
        "connect_seconds",
        "probe_http_duration_seconds",
        'phase="connect"',
        "Duration of http request by phase",
    ),
    ("http", "status", "probe_http_status_code", "", "Response HTTP status code"),
    (
        "http",
        "certificate_expires_timestamp_seconds",
        "probe_ssl_earliest_cert_expiry",
        "",
        "Returns last SSL chain expiry in unixtime",
    ),
    ("zone", "signature_seconds", "lambi_zone_signature_seconds", "", "Seconds until the first signature ends"),
    ("zone", "lag_seconds", "lambi_zone_lag_seconds", "", "For how long a newer serial has been out"),
)
"""Probe kind, value's key -> blackbox_exporter's metric or one of our own, further labels, help."""


def make_app(
    *,
    snapshot: Callable[[], Snapshot],
    token: str,
    clock: Clock,
    count_bug: Callable[[], None],
    more: Callable[[web.Application], None] = lambda _: None,
) -> web.Application:
    """Build the ops door; with a token it asks for ``Authorization: Bearer TOKEN``. ``more`` adds further addresses."""

    async def metrics(request: web.Request) -> web.Response:
        if token and not authorised(request, token):
            raise web.HTTPUnauthorized(text="This door asks for a bearer token.")
        text = render(collect(snapshot(), clock.now()))
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    def refuse(_: web.Request, status: int, sentence: str) -> web.Response:
        challenge = {"WWW-Authenticate": 'Bearer realm="lambi"'} if status == 401 else {}
        return web.Response(status=status, text=sentence + "\n", headers=challenge)

    around = shield(headers(""), refuse, count_bug, alertmanager.BODIES)
    app = web.Application(middlewares=[around], client_max_size=0)
    app.router.add_get("/metrics", metrics)
    more(app)
    return app


def collect(snapshot: Snapshot, now: datetime) -> list[Family]:
    """Every metric of one snapshot."""
    checks = [(one, check) for one in snapshot.assets.values() for check in one.checks if _own(snapshot, one, check)]
    return [*_probes(checks), *_beliefs(snapshot), *_health(snapshot.health), *_picture(snapshot, now)]


def _own(snapshot: Snapshot, one: AssetView, check: CheckView) -> bool:
    """A check stands under each asset that it is evidence for; it is exported once, under its own."""
    known = snapshot.world.checks.get(check.check)
    return known is None or known.asset == one.asset.id


def _probes(checks: Iterable[tuple[AssetView, CheckView]]) -> list[Family]:
    success = Family("probe_success", "gauge", "Displays whether or not the probe was a success")
    duration = Family("probe_duration_seconds", "gauge", "Returns how long the probe took to complete in seconds")
    protocol = Family("probe_ip_protocol", "gauge", "Specifies whether probe ip protocol is IP4 or IP6")
    asked = Family("probe_dns_query_succeeded", "gauge", "Displays whether or not the query was executed successfully")
    unknown = Family("lambi_check_unknown", "gauge", "1 where a check could not look, so that nothing is known")
    seen = Family("lambi_check_seen_timestamp_seconds", "gauge", "When a check last looked, whatever it saw")
    values = {name: Family(name, "gauge", text) for _, _, name, _, text in BLACKBOX}
    for one, check in checks:
        who = _labels(one, check)
        protocol.add(check.family, who)
        unknown.add(check.phase in BLIND, who)
        if check.seen:
            seen.add(check.seen.timestamp(), who)
        if check.phase in ANSWERED | SILENT:
            success.add(check.phase in ANSWERED, who)
        if check.phase in ANSWERED:
            _add_values(check, who, values, duration)
            if check.kind == "dns":
                asked.add(1, who)
    return [success, duration, protocol, asked, *values.values(), unknown, seen]


def _add_values(check: CheckView, who: str, values: dict[str, Family], duration: Family) -> None:
    """Values are those of the last good look; a failed look exports none, for an old value would look like a new."""
    took = check.values.get("rtt_seconds")
    if isinstance(took, int | float):
        duration.add(took, who)
    for kind, key, name, more, _ in BLACKBOX:
        value = check.values.get(key)
        if kind == check.kind and isinstance(value, int | float):
            values[name].add(value, f"{who},{more}" if more else who)


def _labels(one: AssetView, check: CheckView) -> str:
    given = {
        "check": check.check,
        "asset": one.asset.id,
        "kind": check.kind,
        "territory": ",".join(one.asset.territories),
        "family": str(check.family),
        "part": check.part,
    }
    return labels(given)


def _beliefs(snapshot: Snapshot) -> list[Family]:
    """What is believed of assets, incidents and the vantage; every phase and severity is there, also with 0."""
    phases = Family("lambi_assets", "gauge", "Assets by what is believed of them")
    counts = view.tally(view.assets(snapshot))
    for phase in Phase:
        phases.add(counts.get(phase, 0), labels({"phase": phase}))
    incidents = Family("lambi_incidents_open", "gauge", "Open incidents by severity")
    for level in Severity:
        incidents.add(sum(one.severity is level for one in snapshot.incidents), labels({"severity": level}))
    sees = Family("lambi_vantage_sees_world", "gauge", "1 while this vantage sees the world over an address family")
    vantage = snapshot.assets.get(snapshot.world.vantage)
    for check in vantage.checks if vantage else ():
        if check.phase in ANSWERED | SILENT:
            sees.add(check.phase in ANSWERED, labels({"family": str(check.family)}))
    return [phases, incidents, sees]


def _health(health: Health) -> list[Family]:
    facts: tuple[tuple[str, str, str, float], ...] = (
        ("lambi_start_time_seconds", "gauge", "When this process started to watch", health.started.timestamp()),
        ("lambi_checks", "gauge", "Checks that are configured", health.checks),
        ("lambi_packets_per_minute", "gauge", "Packets sent in a minute", health.packets_per_minute),
        ("lambi_lateness_p99_seconds", "gauge", "How late a look leaves, 99th percentile", health.lateness_p99_seconds),
        ("lambi_series_queued", "gauge", "Observations that wait for the series store", health.series_queued),
        ("lambi_series_dropped_total", "counter", "Observations that the series store lost", health.series_dropped),
        ("lambi_series_failing", "gauge", "1 while the series store cannot write", bool(health.series_error)),
        ("lambi_series_bytes", "gauge", "Size of the days that are kept as they were written", health.series_bytes),
        ("lambi_outbox_pending", "gauge", "Messages that wait to leave", health.outbox_pending),
        ("lambi_outbox_oldest_seconds", "gauge", "Age of the oldest message that waits", health.outbox_oldest_seconds),
        ("lambi_bugs_total", "counter", "Exceptions caught at a boundary: each is a defect of ours", health.bugs),
        ("lambi_clock_disciplined", "gauge", "1 while something steers this machine's clock", not health.clock),
        ("lambi_exercise_under_way", "gauge", "1 while an exercise is under way", bool(health.exercise)),
        ("lambi_alerts_reported", "gauge", "Alerts of other systems that are open", health.reported),
        ("lambi_addresses_unconfirmed", "gauge", "Contacts' addresses not confirmed for 90 days", health.unconfirmed),
        ("lambi_capabilities_missing", "gauge", "Things that this process cannot do here", len(health.capabilities)),
    )
    if health.export_lag_seconds is not None:
        text = "How long something that is stored here is not in InfluxDB"
        facts += (("lambi_export_lag_seconds", "gauge", text, health.export_lag_seconds),)
    return [_single(*fact) for fact in facts]


def _single(name: str, kind: str, text: str, value: float) -> Family:
    family = Family(name, kind, text)
    family.add(value)
    return family


def _picture(snapshot: Snapshot, now: datetime) -> list[Family]:
    age = max(0.0, (now - snapshot.at).total_seconds())
    return [_single("lambi_snapshot_age_seconds", "gauge", "Age of the picture that these figures show", age)]
