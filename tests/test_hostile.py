"""One hostile string enters as a device's words and an asset's name, and leaves by every exit of the real line."""

import logging
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.letter import mail
from alerting.model import Contact, Reason
from alerting.render import sms
from alerting.words import Occasion
from monitor.cli import say
from monitor.logs import Line
from monitor.snapshot import build
from monitor.views import Health
from monitor.web.exposition import render
from monitor.web.ops import collect
from probes.model import Outcome, Part
from tests.monitor.sim import Fault, Script, Simulation
from tests.monitor.test_pipeline import DIRECTORY, with_references
from tests.monitor.web.serving import Site
from tests.monitor.worlds import asset, check, make_world

HOSTILE = (
    "=x\"><script>alert(1)</script>\r\nBcc: a@b.example\x00\x1b[31m\u202e{{7*7}} level=CRITICAL \ud83d\ude00 '; DROP"
)
STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def steers(text: str) -> set[str]:
    """Return what could steer a reader; line feeds and tabs may stand."""
    return {char for char in text if unicodedata.category(char) in STEERING and char not in "\n\t"}


async def test_one_hostile_string_through_every_exit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = HOSTILE.encode("utf-16", "surrogatepass").decode("utf-16")
    named = replace(asset("router:bon", "DM"), name=hostile, facts={hostile: hostile})
    world = with_references(make_world([check("router:bon")], [], named))
    words = Part(Outcome.FAILED, hostile, {"nsid": hostile})
    script = Script([Fault(50, 1e9, lambda c: c.asset == "router:bon", words)])
    simulation = Simulation(world, DIRECTORY, script, tmp_path)
    caplog.set_level(logging.INFO)
    await simulation.open()
    await simulation.run(120)
    line = simulation.pipeline
    (incident,) = line.book.open.values()
    alert = line.truth(incident.id)
    assert alert is not None
    assert hostile in alert.what

    occasion = Occasion(
        alert, Reason.FIRST, Contact("desk", "CTU"), simulation.clock.now(), "", "+1 868 555 0100", None
    )
    subject, body = mail(occasion)
    for text in (subject, sms(occasion), body):
        assert not steers(text)
    assert "\nBcc:" not in body
    assert "\n" not in subject + sms(occasion)

    health = Health(simulation.clock.now(), 1, 1.0, capabilities=(hostile,), clock=hostile)
    snapshot = build(line, simulation.clock, hostile, health)
    async with Site(snapshot, simulation.ledger) as site:  # type: ignore[arg-type] # the real ledger
        for path in ("/", "/assets", "/asset/router:bon", "/incidents", f"/incidents/{incident.id}"):
            page = await site.text(path)
            assert "<script>" not in page
            assert not steers(page), path
        assert "\n=" not in await site.text("/incidents.csv")
        assert (await site.json(f"/api/v1/incident/{incident.id}"))["title"] == incident.title
        assert site.bugs == 0

    metrics = render(collect(snapshot, simulation.clock.now()))
    assert not {row for row in metrics.splitlines() if row.startswith(("Bcc", "level"))}

    for record in caplog.records:
        text = Line().format(record)
        assert "\n" not in text
        assert not steers(text)
    assert any("DROP" in Line().format(record) for record in caplog.records), "the log has told of it"

    say.table(["what"], [[incident.title]])
    say.complain(incident.reason)
    spoken = capsys.readouterr()
    assert not steers(spoken.out + spoken.err)
    await simulation.close()
