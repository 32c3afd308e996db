"""What is measured goes where the config says, and nothing that is away holds up the daemon."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from monitor.config import load
from monitor.measuring import Measuring
from probes.clock import SystemClock
from tests.influx import Influx
from tests.monitor.store.looks import NOON, look, until
from tests.ports import own_ports


def measuring(folder: Path, url: str, more: str = "") -> Measuring:
    """Make it from a config as an operator writes it."""
    (folder / "lambi.yaml").write_text(
        f"store: {{folder: {folder / 'var'}, influx: {{url: '{url}', bucket: lambi, api: v1{more}}}}}\n"
    )
    return Measuring(load(folder, {}), SystemClock())


async def test_looks_arrive_in_influxdb_and_are_drawn_from_there(tmp_path: Path) -> None:
    with Influx(tmp_path / "influx").running() as server:
        made = measuring(tmp_path, server.url, ", read: true")
        made.series.add([look(n, values={"rtt_seconds": 0.02}) for n in range(50)])
        await until(lambda: made.series.stats().written == 50)
        ((_, job),) = made.jobs()
        running = asyncio.ensure_future(job)
        await until(lambda: len(server.select("SELECT count(up) FROM lambi_icmp")) == 1)
        found = await made.history.downsample("rtt_seconds", NOON, NOON + timedelta(hours=1), timedelta(minutes=5))
        assert [step.looks for step in found] == [50]
        assert made.trouble() == ()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await made.close()


async def test_with_the_server_away_looks_are_kept_and_the_end_takes_no_two_seconds(tmp_path: Path) -> None:
    made = measuring(tmp_path, f"http://127.0.0.1:{own_ports(1)[0]}")
    made.series.add([look(n) for n in range(50)])
    await until(lambda: made.series.stats().written == 50)
    ((_, job),) = made.jobs()
    running = asyncio.ensure_future(job)
    await until(lambda: made.trouble() != ())
    assert "nothing is exported to InfluxDB" in made.trouble()[0]
    assert len(await made.history.downsample("", NOON, NOON + timedelta(hours=1), timedelta(minutes=5))) == 1
    began = asyncio.get_running_loop().time()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await made.close()
    assert asyncio.get_running_loop().time() - began < 2


async def test_without_an_influxdb_its_library_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "lambi.yaml").write_text(f"store: {{folder: {tmp_path / 'var'}}}\n")
    made = Measuring(load(tmp_path, {}), SystemClock())
    assert made.jobs() == ()
    await made.close()
    code = "import sys, monitor.app; sys.exit('influxdb_client' in sys.modules)"
    python = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=Path(__file__).parents[2])
    assert await python.wait() == 0
