"""A public door over a world that a test can change."""

from aiohttp.test_utils import TestClient, TestServer

from monitor.views import Snapshot
from monitor.web import words
from monitor.web.charts import History
from monitor.web.public import make_app
from monitor.why import Because, Why
from probes.clock import Clock
from tests.fakes import FakeClock
from tests.monitor.web import worlds

BASE_URL = "https://lambi.example"


class Site:
    """One public door on loopback; `snapshot` may be replaced at any time, and `version` grow."""

    def __init__(
        self,
        snapshot: Snapshot,
        ledger: worlds.FakeLedger | None = None,
        clock: Clock | None = None,
        measured: History | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.ledger = ledger or worlds.history(snapshot)
        self.clock: Clock = clock or FakeClock()
        self.bugs = 0
        self.version = 1
        app = make_app(
            snapshot=lambda: self.snapshot,
            ledger=self.ledger,
            runbook=lambda pin: worlds.RUNBOOK if pin.startswith("cable-cut@") else None,
            why=self.why,
            clock=self.clock,
            base_url=BASE_URL,
            count_bug=self._count,
            version=lambda: self.version,
            measured=measured,
        )
        self.client = TestClient(TestServer(app))

    def why(self, word: str) -> Why:
        """Explain an asset in one sentence of each topic, as hostile as its reason is."""
        one = self.snapshot.assets.get(word)
        if one is None:
            raise LookupError(f"no asset, check, target or address here is called {word}")
        because = tuple(Because(topic, f"{topic}: {one.reason}") for topic in words.TOPICS)
        return Why(word, one.asset.name, one.phase, one.since, self.snapshot.at, one.reason, because)

    def _count(self) -> None:
        self.bugs += 1

    async def __aenter__(self) -> "Site":
        await self.client.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()

    async def text(self, path: str, status: int = 200) -> str:
        """GET a page that must answer with `status`."""
        async with self.client.get(path) as response:
            assert response.status == status, (path, response.status)
            return await response.text()

    async def json(self, path: str) -> dict:
        """GET facts."""
        async with self.client.get(path) as response:
            assert response.status == 200
            return await response.json()
