"""The public door: pages and /api/v1, to read and nothing else, rendered on the server; no page needs a script."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from alerting.runbook import Runbook
from monitor.model import Incident, Phase
from monitor.resilience import Report, report
from monitor.resilience import fact as resilience_fact
from monitor.topology import Topology
from monitor.views import AssetView, Snapshot
from monitor.web import answer, api, atom, facts, history, links, openapi, view, watching, words
from monitor.web.answer import Answer, Recent
from monitor.web.charts import Charts, History
from monitor.web.domain import domain
from monitor.web.history import Ledger
from monitor.web.live import Live
from monitor.web.openapi import tells
from monitor.web.page import Pages
from monitor.web.shield import BadQueryError, headers, shield
from monitor.why import Why, topics
from monitor.why import fact as why_fact
from probes.clock import Clock

STANDING_STILL = 60.0
"""Seconds after which a snapshot that is not replaced means that the daemon does not work."""

ASSETS_ON_A_PAGE = 100

Build = Callable[[web.Request], Awaitable[Answer]]


def make_app(
    *,
    snapshot: Callable[[], Snapshot],
    ledger: Ledger,
    runbook: Callable[[str], Runbook | None],
    why: Callable[[str], Why],
    clock: Clock,
    base_url: str,
    count_bug: Callable[[], None],
    answers: links.Answers | None = None,
    version: Callable[[], int] | None = None,
    measured: History | None = None,
) -> web.Application:
    """Build the public door. `runbook` is `Runbooks.find`: by a pin ``id@hash``, maybe in later words.

    `why` explains an asset, check, target or address; LookupError. `version` grows with what the pages show.
    `measured`: what charts are drawn from.
    """
    door = _Door(snapshot=snapshot, ledger=ledger, runbook=runbook, why=why, clock=clock, base_url=base_url.rstrip("/"))
    door.charts = Charts(measured) if measured else None
    pages = door.pages
    safety = headers(pages.style, pages.script)
    app = web.Application(middlewares=[shield(safety, door.refuse, count_bug)], client_max_size=0)
    for path, build in door.routes().items():
        app.router.add_get(path, door.serve(build))
    app.router.add_get("/healthz", door.healthz)
    app.router.add_get("/favicon.svg", door.favicon)
    if version is not None:
        Live(version, clock, safety).add_routes(app)
    if answers is not None:
        links.add_routes(app, answers, ledger.incident, door.render_now, clock)
    return app


class _Door:
    """The handlers, one for each address."""

    def __init__(
        self,
        *,
        snapshot: Callable[[], Snapshot],
        ledger: Ledger,
        runbook: Callable[[str], Runbook | None],
        why: Callable[[str], Why],
        clock: Clock,
        base_url: str,
    ) -> None:
        self.snapshot = snapshot
        self.ledger = ledger
        self.runbook = runbook
        self.why = why
        self.clock = clock
        self.base_url = base_url
        self.pages = Pages(base_url)
        self.recent = Recent()
        self.topology: Topology | None = None
        """Of the last snapshot's world."""
        self.charts: Charts | None = None

    def routes(self) -> dict[str, Build]:
        """Every address that is answered from the snapshot or the ledger."""
        return {
            "/": self.home,
            "/assets": self.assets,
            "/asset/{id:[\\s\\S]+}": self.asset,
            "/incidents": self.incidents,
            "/incidents.csv": self.incidents_csv,
            "/incidents.atom": self.incidents_atom,
            "/incidents/{id}": self.incident,
            "/maintenance": self.maintenance,
            "/to-confirm": self.to_confirm,
            "/resilience": self.resilience,
            "/robots.txt": self.robots,
            "/api/v1/openapi.json": self.openapi,
            "/api/v1/status": self.api_status,
            "/api/v1/assets": self.api_assets,
            "/api/v1/asset/{id:[\\s\\S]+}": self.api_asset,
            "/api/v1/why/{id:[\\s\\S]+}": self.api_why,
            "/api/v1/maintenance": self.api_maintenance,
            "/api/v1/to-confirm": self.api_to_confirm,
            "/api/v1/resilience": self.api_resilience,
            "/api/v1/incidents": self.api_incidents,
            "/api/v1/incident/{id}": self.api_incident,
        }

    def serve(self, build: Build) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Wrap a builder: what was built in this second from this snapshot is given again."""

        async def handle(request: web.Request) -> web.Response:
            moment = (self.snapshot().at, int(self.clock.now().timestamp()))
            return answer.respond(request, await self.recent.get(moment, request.raw_path, lambda: build(request)))

        return handle

    def render_now(self, template: str, **facts: Any) -> Answer:
        """Render a page of this moment."""
        return self.pages.render(template, self.snapshot(), self.clock.now(), **facts)

    def refuse(self, request: web.Request, status: int, sentence: str) -> web.Response:
        """Say no in the form that was asked for."""
        if request.path.startswith("/api/"):
            refusal = answer.make(api.dump({"error": sentence}), answer.JSON)
        else:
            refusal = self.pages.refusal(self.snapshot(), self.clock.now(), status, sentence)
        return answer.respond(request, refusal, status=status)

    def _headline(self, snapshot: Snapshot, now: datetime) -> str:
        blind = view.blindness(snapshot)
        since = [when for _, when, _ in blind.families] if blind.whole else []
        return words.headline(snapshot, since, view.region(snapshot).watched, now)

    # Pages

    async def home(self, _: web.Request) -> Answer:
        snapshot, now = self.snapshot(), self.clock.now()
        return self.pages.render(
            "home.html",
            snapshot,
            now,
            headline=self._headline(snapshot, now),
            region=view.region(snapshot),
            blind=view.blindness(snapshot),
        )

    async def assets(self, request: web.Request) -> Answer:
        snapshot = self.snapshot()
        asked = _asked(request, snapshot)
        found = view.narrowed(snapshot, asked)
        start = (asked.page - 1) * ASSETS_ON_A_PAGE
        return self.pages.render(
            "assets.html",
            snapshot,
            self.clock.now(),
            asked=asked,
            total=len(found),
            found=found[start : start + ASSETS_ON_A_PAGE],
            more=len(found) > start + ASSETS_ON_A_PAGE,
        )

    async def asset(self, request: web.Request) -> Answer:
        snapshot = self.snapshot()
        one = _find(request, snapshot)
        return self.pages.render(
            "asset.html",
            snapshot,
            self.clock.now(),
            one=one,
            because=topics(self._why(one.asset.id).because),
            served=view.served(snapshot, one.asset.id),
            domain=domain(snapshot, one),
            lines=watching.lines(one.asset) if one.phase is Phase.NOT_WATCHED else "",
            hint=watching.hint(one.asset),
            charts=await self.charts.of(one.asset.id, one.checks, self.clock.now()) if self.charts else [],
            undrawn=self.charts.trouble if self.charts else "",
        )

    async def _shown(self, request: web.Request) -> history.Shown:
        world = self.snapshot().world
        return await history.shown(self.ledger, history.wanted(request.query, world, self.clock.now()), world)

    async def incidents(self, request: web.Request) -> Answer:
        shown = await self._shown(request)
        return self.pages.render("incidents.html", self.snapshot(), self.clock.now(), shown=shown)

    async def incidents_csv(self, request: web.Request) -> Answer:
        shown = await self._shown(request)
        name = f"lambi-incidents-{shown.wanted.since:%Y-%m-%d}-{shown.wanted.until:%Y-%m-%d}.csv"
        disposition = (("Content-Disposition", f'attachment; filename="{name}"'),)
        return answer.make(history.as_csv(shown, self.base_url), answer.CSV, disposition)

    async def incidents_atom(self, request: web.Request) -> Answer:
        shown = await self._shown(request)
        return answer.make(atom.feed(shown, self.base_url, self.snapshot().site, self.clock.now()), atom.ATOM)

    async def incident(self, request: web.Request) -> Answer:
        one, snapshot = await self._incident(request), self.snapshot()
        return self.pages.render(
            "incident.html",
            snapshot,
            self.clock.now(),
            one=one,
            hit=view.touched(one, self._topology(snapshot)),
            told=await self.ledger.told(one.id),
            runbook=self.runbook(one.runbook) if one.runbook else None,
        )

    async def maintenance(self, _: web.Request) -> Answer:
        return self.pages.render("maintenance.html", self.snapshot(), self.clock.now())

    async def to_confirm(self, _: web.Request) -> Answer:
        snapshot = self.snapshot()
        return self.pages.render("to_confirm.html", snapshot, self.clock.now(), found=view.to_confirm(snapshot))

    async def resilience(self, _: web.Request) -> Answer:
        snapshot = self.snapshot()
        found = self._resilience(snapshot)
        fresh = sum(not cut.always for cut in found.cuts)
        reached = sorted(found.cables.items(), key=lambda one: len(one[1]))
        return self.pages.render(
            "resilience.html", snapshot, self.clock.now(), found=found, fresh=fresh, reached=reached
        )

    def _resilience(self, snapshot: Snapshot) -> Report:
        return report(self._topology(snapshot), snapshot.at, view.gone(snapshot))

    def _topology(self, snapshot: Snapshot) -> Topology:
        if self.topology is None or self.topology.world is not snapshot.world:
            self.topology = Topology(snapshot.world)
        return self.topology

    async def _incident(self, request: web.Request) -> Incident:
        one = await self.ledger.incident(request.match_info["id"])
        if one is None:
            raise web.HTTPNotFound(text="There is no incident with this number.")
        return one

    # The API

    async def openapi(self, _: web.Request) -> Answer:
        return _json(openapi.document(self.routes(), self.snapshot().world.territories, self.base_url))

    @tells(facts.Status)
    async def api_status(self, _: web.Request) -> Answer:
        """Say how the region is: counts, open incidents, whether this vantage sees the world."""
        snapshot = self.snapshot()
        return _json(api.status(snapshot, self._headline(snapshot, snapshot.at), self.base_url))

    @tells(facts.Assets, "territory", "kind", "state")
    async def api_assets(self, request: web.Request) -> Answer:
        """List assets, worst first."""
        snapshot = self.snapshot()
        return _json(api.assets(snapshot, view.narrowed(snapshot, _asked(request, snapshot))))

    @tells(facts.Asset)
    async def api_asset(self, request: web.Request) -> Answer:
        """Show one asset with its checks and what it hangs on."""
        snapshot = self.snapshot()
        return _json(api.asset(snapshot, _find(request, snapshot)))

    @tells(facts.Why)
    async def api_why(self, request: web.Request) -> Answer:
        """Explain what is believed of an asset, check, target or address."""
        return _json(why_fact(self._why(request.match_info["id"])))

    def _why(self, word: str) -> Why:
        try:
            return self.why(word)
        except LookupError as error:
            raise web.HTTPNotFound(text=f"{str(error.args[0])[:300]}.") from error

    @tells(facts.Maintenance)
    async def api_maintenance(self, _: web.Request) -> Answer:
        """List planned work that is on or comes."""
        return _json(api.maintenance(self.snapshot()))

    @tells(facts.ToConfirm)
    async def api_to_confirm(self, _: web.Request) -> Answer:
        """List what is known of assets and should be confirmed by somebody on the spot."""
        return _json(api.to_confirm(self.snapshot()))

    @tells(facts.Resilience)
    async def api_resilience(self, _: web.Request) -> Answer:
        """List what falls if one asset alone fails."""
        return _json(resilience_fact(self._resilience(self.snapshot())))

    @tells(facts.Incidents, "territory", "asset", "severity", "since", "until", "page", "per")
    async def api_incidents(self, request: web.Request) -> Answer:
        """List incidents of a period, newest first."""
        return _json(api.incidents(await self._shown(request), self.base_url))

    @tells(facts.Story)
    async def api_incident(self, request: web.Request) -> Answer:
        """Tell one incident, its timeline and which agencies were told."""
        one = await self._incident(request)
        return _json(api.story(one, await self.ledger.told(one.id), self.base_url))

    # The rest

    async def robots(self, _: web.Request) -> Answer:
        return answer.make("User-agent: *\nDisallow: /api/\nDisallow: /incidents?\n", answer.TEXT)

    async def favicon(self, request: web.Request) -> web.Response:
        return answer.respond(request, self.pages.favicon, max_age=86400)

    async def healthz(self, _: web.Request) -> web.Response:
        age = (self.clock.now() - self.snapshot().at).total_seconds()
        alive = age < STANDING_STILL
        return web.Response(
            status=200 if alive else 503,
            text="ok\n" if alive else "standing still\n",
            headers={"Cache-Control": "no-store"},
        )


def _json(fact: Mapping[str, object]) -> Answer:
    """Facts for everybody: any page may fetch them."""
    return answer.make(api.dump(fact), answer.JSON, (("Access-Control-Allow-Origin", "*"),))


def _find(request: web.Request, snapshot: Snapshot) -> AssetView:
    one = snapshot.assets.get(request.match_info["id"])
    if one is None:
        raise web.HTTPNotFound(text="There is no asset with this name here.")
    return one


def _asked(request: web.Request, snapshot: Snapshot) -> view.Asked:
    """Read what /assets is narrowed to; raise BadQueryError with a sentence for what cannot be."""
    query = {key: value for key, value in request.query.items() if value}
    territory, kind, state = query.get("territory"), query.get("kind"), query.get("state", "").replace("-", " ")
    if territory is not None and territory not in snapshot.world.territories:
        raise BadQueryError("territory must be one of the codes of this region, such as BB.")
    if kind is not None and kind not in words.KINDS:
        raise BadQueryError(f"kind must be one of {', '.join(words.KINDS)}.")
    if state and state not in set(Phase):
        raise BadQueryError(f"state must be one of {', '.join(Phase)}.")
    page = history.count("page", query.get("page", "1"), history.MOST_PAGES)
    return view.Asked(territory, kind, Phase(state) if state else None, page)
