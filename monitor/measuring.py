"""What is measured: where it is kept, where it goes too, where charts are read from."""

from collections.abc import Awaitable
from typing import Any

from monitor.config.settings import Settings
from monitor.heartbeat import Heartbeat
from monitor.store import SeriesStore
from monitor.web.charts import History
from probes import PROBES
from probes.bgp import Bgp
from probes.clock import Clock

COLUMNS = {Heartbeat.kind: Heartbeat.columns, Bgp.kind: Bgp.columns, **{k: one.columns for k, one in PROBES.items()}}
"""Of every kind of look that there is."""
READ_SECONDS = 3.0
"""How long a page waits for an InfluxDB."""


class Measuring:
    """The series of a daemon, and the InfluxDB beside them if there is one."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Start the writer thread; connects to nothing yet."""
        self._export: Any = None
        """Its library costs 0.4 s and 20 MB, that only who has an InfluxDB shall pay."""
        folder = settings.state / "series"
        self.history: History
        if settings.influx is not None:
            from monitor.store.influx.export import Export  # noqa: PLC0415 - its library costs 0.4 s and 20 MB
            from monitor.store.influx.reads import InfluxHistory  # noqa: PLC0415 - only who has an InfluxDB pays
            from monitor.store.influx.server import Server  # noqa: PLC0415 - likewise, with its library

            self._export = Export(folder, Server(settings.influx), clock)
            self._there = InfluxHistory(Server(settings.influx, READ_SECONDS))
        self.series = SeriesStore(
            folder,
            COLUMNS,
            retention_days=settings.retention_days,
            rollup_days=settings.rollup_days,
            owes=self._export.owes if self._export else None,
        )
        elsewhere = settings.influx is not None and settings.influx.read
        self.history = self._there if elsewhere else self.series

    def jobs(self) -> tuple[tuple[str, Awaitable[None]], ...]:
        """Return what runs beside the line."""
        return (("influx", self._export.run()),) if self._export else ()

    def lag_seconds(self) -> float | None:
        """Say how far an InfluxDB is behind; None without one."""
        return self._export.lag_seconds if self._export else None

    def trouble(self) -> tuple[str, ...]:
        """Say what does not work."""
        return (self._export.error,) if self._export and self._export.error else ()

    async def close(self) -> None:
        """Write what is queued, give the files and connections back."""
        if self._export:
            await self._there.close()
        await self.series.close()
